"""What a fan says or does on Weibo, from JSON and from WeChat's XML alike.

https://open.weibo.com/wiki/Receive_General_Message · https://open.weibo.com/wiki/Receive_Event_Push
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from chalicelib import payloads as p
from chalicelib.source import Fact, Item, NoWord, Request, fingerprint, ident, when

WINDOW = timedelta(hours=48)
_SCENE = "qrscene_"
_WRITTEN = "%a %b %d %H:%M:%S %z %Y"


@dataclass(frozen=True)
class Words:
    """One delivery, whichever way it was written. `data` holds what its type adds."""

    kind: str
    sender: str
    receiver: str
    created: Any
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, document: Any) -> "Words":
        """LookupError, TypeError or ValueError for what names no sender or receiver."""
        if "ToUserName" in document:
            return cls._of_xml(document)
        return cls(
            kind=str(document.get("type") or ""),
            sender=ident(document["sender_id"]),
            receiver=ident(document["receiver_id"]),
            created=document.get("created_at"),
            text=document.get("text") or "",
            data=document.get("data") or {},
        )

    @classmethod
    def _of_xml(cls, document: Mapping[str, Any]) -> "Words":
        kind = str(document.get("MsgType") or "").lower()
        subtype, key = str(document.get("Event") or "").lower(), str(document.get("EventKey") or "")
        if key.startswith(_SCENE):  # how WeChat writes a scan that made a follower
            subtype, key = "scan_follow", key.removeprefix(_SCENE)
        data = {
            "subtype": subtype,
            "key": key,
            "tovfid": document.get("MediaId"),
            "latitude": document.get("Location_X"),
            "longitude": document.get("Location_Y"),
        }
        return cls(
            kind="position" if kind == "location" else kind,
            sender=ident(document["FromUserName"]),
            receiver=ident(document["ToUserName"]),
            created=document.get("CreateTime"),
            text=document.get("Content") or document.get("Label") or "",
            data={name: value for name, value in data.items() if value},
        )

    @property
    def subtype(self) -> str:
        return str(self.data.get("subtype") or "")

    @property
    def fingerprint(self) -> str:
        """Weibo has no ids; a second holds more than one message, so what it says counts too."""
        what = (self.kind, self.subtype, self.data.get("key"), self.data.get("tovfid"), self.text)
        return fingerprint(self.sender, self.created, *what)

    @property
    def at(self) -> datetime | None:
        """`Mon Jul 16 18:09:20 +0800 2012`, or seconds in XML."""
        try:
            return datetime.strptime(str(self.created), _WRITTEN)
        except ValueError:
            return when(self.created)


def event(words: Words, item: Item, request: Request) -> Iterator[Fact]:
    """The facts of one delivery; NoWord for an event that is none of a fan's doing."""
    speech = _Speech(words, item, request)
    if words.kind == "mention":
        return speech.mentioned()
    if words.kind != "event":
        return speech.spoken()
    if not (reader := _EVENTS.get(words.subtype)):
        raise NoWord(f"weibo event {words.subtype}"[:2048])
    return reader(speech)


class _Speech:
    def __init__(self, words: Words, item: Item, request: Request) -> None:
        self.words, self.item = words, item
        heard = words.at
        self.at, self.until = heard, (min(heard, request.now) if heard else request.now) + WINDOW
        self.own = words.sender == words.receiver
        self.identity = p.Identity(channel="weibo", scope=item.account, subject=words.sender)
        self.conversation = f"weibo/{item.account}/{words.sender}"

    @property
    def author(self) -> p.Author:
        """The account that mentions or writes to itself is no customer."""
        return p.Author(kind="business" if self.own else "customer", identity=self.identity)

    def spoken(self) -> Iterator[Fact]:
        data = p.Message(
            **self.item.said,
            message_id=self.item.id,
            conversation_id=self.conversation,
            direction="out" if self.own else "in",
            author=self.author,
            content=tuple(_parts(self.words)),
            window_until=self.until,
        )
        yield Fact("message.echoed" if self.own else "message.received", data, self.at)

    def mentioned(self) -> Iterator[Fact]:
        """Somebody named the account in public; one private answer is allowed."""
        known = self.words.data.get("key")
        post = ident(known) if known else self.item.id
        data = p.Message(
            **self.item.said,
            message_id=post if self.words.subtype == "mention_in_status" else self.item.id,
            conversation_id=f"weibo/{self.item.account}/{post}",
            direction="out" if self.own else "in",
            visibility="public",
            author=self.author,
            content=(p.Text(text=self.words.text),),
            window_until=self.until,
            public=p.PublicPost(post_id=post),
        )
        yield Fact("mention.created", data, self.at)

    def opened(self) -> Iterator[Fact]:
        data = p.Opened(
            **self.item.said,
            conversation_id=self.conversation,
            identity=self.identity,
            window_until=self.until,
        )
        yield Fact("conversation.opened", data, self.at)

    def scanned(self) -> Iterator[Fact]:
        data = p.Referral(
            **self.item.said,
            conversation_id=self.conversation,
            identity=self.identity,
            ref=ident(self.words.data["key"]),
            source=self.words.subtype,
            medium="qr",
            window_until=self.until,
        )
        yield Fact("referral.received", data, self.at)

    def scanned_first(self) -> Iterator[Fact]:
        yield from self.opened()
        yield from self.scanned()

    def pressed(self) -> Iterator[Fact]:
        data = p.Press(
            **self.item.said,
            conversation_id=self.conversation,
            author=self.author,
            payload=ident(self.words.data["key"]),
            window_until=self.until,
        )
        yield Fact("postback.received", data, self.at)

    def left(self) -> Iterator[Fact]:
        source = self.words.subtype
        data = p.Consent(**self.item.said, identity=self.identity, source=source)
        yield Fact("consent.withdrawn", data, self.at)


def _parts(words: Words) -> Iterator[Any]:
    """What a message holds; the text beside a picture is the platform's own phrase."""
    match words.kind:
        case "text":
            yield p.Text(text=words.text)
        case "image" | "voice":
            known = words.data.get("tovfid")
            media: Any = "image" if words.kind == "image" else "audio"
            yield p.Media(media=media, media_id=ident(known) if known else None)
        case "position":
            north, east = (float(words.data[name]) for name in ("latitude", "longitude"))
            yield p.Location(latitude=north, longitude=east, name=words.text or None)
        case kind:
            yield p.UnsupportedPart(type=kind)


_EVENTS: Mapping[str, Callable[[_Speech], Iterator[Fact]]] = {
    **dict.fromkeys(("follow", "subscribe"), _Speech.opened),
    **dict.fromkeys(("unfollow", "unsubscribe"), _Speech.left),
    "scan": _Speech.scanned,
    "scan_follow": _Speech.scanned_first,
    **dict.fromkeys(("click", "view"), _Speech.pressed),
}
