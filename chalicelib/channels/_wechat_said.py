"""The payloads of what WeChat or WeCom posted: one message, or one event, by one customer.

https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from chalicelib import payloads as p
from chalicelib.source import Fact, Item, ident, when

WINDOW = timedelta(hours=48)


class Moment(Protocol):
    """What knows when it was heard: a request, or the speech it became."""

    @property
    def now(self) -> datetime: ...


class Speech:
    """One delivery's words. `scope` is what the customer's id is unique in: appid or corp."""

    window: timedelta | None = WINDOW

    def __init__(self, item: Item, moment: Moment) -> None:
        self.item, self.now = item, moment.now
        self.value: dict[str, Any] = item.value
        self.at = when(self.value.get("CreateTime"))
        self.event = str(self.value.get("Event") or "").lower()  # they write CLICK and subscribe

    @property
    def subject(self) -> str:
        return ident(self.value["FromUserName"])

    @property
    def scope(self) -> str:
        return str(self.item.envelope.get("receiver") or self.item.account)

    @property
    def conversation(self) -> str:
        return f"{self.item.channel}/{self.item.account}/{self.subject}"

    @property
    def identity(self) -> p.Identity:
        return p.Identity(channel=self.item.channel, scope=self.scope, subject=self.subject)

    @property
    def author(self) -> p.Author:
        return p.Author(kind="customer", identity=self.identity)

    def message(self) -> Fact:
        """A message; a customer's own words open the window, nothing else does for so long."""
        spoken = min(self.at, self.now) if self.at else self.now
        data = p.Message(
            **self.item.said,
            message_id=self.item.id,
            conversation_id=self.conversation,
            author=self.author,
            content=tuple(parts(self.value)),
            window_until=spoken + self.window if self.window else None,
        )
        return Fact("message.received", data, self.at)

    def press(self, payload: Any, title: str | None = None) -> Fact:
        """A menu entry or a button. It opens a minute for three messages, which is no window."""
        data = p.Press(
            **self.item.said,
            conversation_id=self.conversation,
            author=self.author,
            payload=ident(payload),
            title=title,
        )
        return Fact("postback.received", data, self.at)

    def opened(self) -> Fact:
        data = p.Opened(**self.item.said, conversation_id=self.conversation, identity=self.identity)
        return Fact("conversation.opened", data, self.at)

    def referred(self, ref: str, source: str, medium: Literal["qr", "link"]) -> Fact:
        data = p.Referral(
            **self.item.said,
            conversation_id=self.conversation,
            identity=self.identity,
            ref=ref,
            source=source,
            medium=medium,
        )
        return Fact("referral.received", data, self.at)

    def withdrawn(self, how: str = "") -> Fact:
        data = p.Consent(**self.item.said, identity=self.identity, source=how or self.event)
        return Fact("consent.withdrawn", data, self.at)


def parts(value: dict[str, Any]) -> Iterator[Any]:  # noqa: C901 (a table)
    """What a message holds."""
    match value:
        case {"MsgType": "text", "Content": words}:
            yield p.Text(text=words)
            if choice := value.get("bizmsgmenuid"):  # a tap on a menu that we sent as a message
                yield p.Postback(payload=ident(choice), title=words)
        case {"MsgType": "image"}:
            yield p.Media(media="image", **_stored(value), url=value.get("PicUrl") or None)
        case {"MsgType": "voice"}:
            mime = f"audio/{value['Format']}" if value.get("Format") else None
            yield p.Media(media="audio", **_stored(value), mime=mime)
            if heard := value.get("Recognition"):
                yield p.Text(text=heard)
        case {"MsgType": "video" | "shortvideo"}:
            yield p.Media(media="video", **_stored(value))
        case {"MsgType": "location", "Location_X": north, "Location_Y": east}:
            name = value.get("Label") or None
            yield p.Location(latitude=float(north), longitude=float(east), name=name)
        case {"MsgType": "link", "Url": url}:
            yield p.Media(media="share", url=url, name=value.get("Title") or None)
        case _:
            yield p.UnsupportedPart(type=ident(value["MsgType"]))


def _stored(value: dict[str, Any]) -> dict[str, Any]:
    return {"media_id": value.get("MediaId") or None}
