"""LINE Messaging API: https://developers.line.biz/en/reference/messaging-api/"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from chalicelib import payloads as p
from chalicelib.channels._channel import Channel
from chalicelib.credentials import Credentials
from chalicelib.outbound import Call, Outcome, Outgoing, Response, judge
from chalicelib.signing import sha256_base64
from chalicelib.source import Fact, Item, NoWord, Request, SignedSource, fingerprint, ident, when

_API = "https://api.line.me/v2/bot/message"
_TOKEN_LIFE = timedelta(minutes=1)
_CONSOLE_USER = "Udeadbeefdeadbeefdeadbeefdeadbeef"
_CONSOLE_TOKENS = {"0" * 32, "f" * 32}


class Line(SignedSource, Channel):
    name = "line"
    title = "LINE"
    docs = "https://developers.line.biz/en/reference/messaging-api/#webhooks"
    emits = frozenset(
        (
            "message.received message.edited message.deleted message.delivered"
            " postback.received conversation.opened consent.withdrawn identity.linked"
        ).split()
    )
    signature = "HMAC-SHA256 of the body, base64"
    signing_key = "channel_secret"
    dedupe = "webhookEventId"
    deadline = timedelta(seconds=2)
    retry_horizon = timedelta(days=1)
    time_unit = "ms"
    means = ("token", "free")
    resend = "keyed"
    text_limit = 5000

    def sign(self, request: Request, key: str) -> Mapping[str, str]:
        return {"x-line-signature": sha256_base64(key, request.body)}

    def items(self, document: Any, request: Request) -> Iterator[Item]:
        account = ident(document["destination"])
        for event in document["events"]:
            yield Item(event, account, _id(event), self.name, {"destination": account})

    def facts(self, item: Item, request: Request) -> Iterable[Fact]:  # noqa: C901 (a table)
        event = item.value
        at = when(event.get("timestamp"))
        speech = _Speech(item, request)
        match event:
            case {"type": "message", "message": message}:
                yield Fact("message.received", speech.message(message), at)
            case {"type": "messageEdited", "message": message}:
                yield Fact("message.edited", speech.message(message), at)
            case {"type": "unsend", "unsend": {"messageId": gone}}:
                yield Fact("message.deleted", speech.message({"id": gone}), at)
            case {"type": "postback", "postback": {"data": data}}:
                yield Fact("postback.received", speech.press(data), at)
            case {"type": "follow" | "join"}:
                yield Fact("conversation.opened", speech.opened(event), at)
            case {"type": "unfollow", "source": {"userId": _}}:
                yield Fact("consent.withdrawn", speech.withdrawn(), at)
            case {"type": "accountLink", "link": {"result": "ok", "nonce": nonce}}:
                yield Fact("identity.linked", speech.linked(nonce), at)
            case {"type": "delivery", "delivery": {"data": data}}:
                yield Fact("message.delivered", speech.delivered(data, at or request.now), at)
            case {"type": kind}:
                raise NoWord(f"line {kind}")

    def compose(self, message: Outgoing, credentials: Credentials) -> Call:
        words = [{"type": "text", "text": message.text[: self.text_limit]}]
        auth = {"authorization": f"Bearer {credentials.one('channel_access_token')}"}
        if message.means == "token":
            document = {"replyToken": message.token, "messages": words}
            return Call.json(f"{_API}/reply", document, auth)
        key = str(uuid5(NAMESPACE_URL, message.key))  # LINE drops a repeat of the same key
        push = {"to": message.conversation_id.rpartition("/")[2], "messages": words}
        return Call.json(f"{_API}/push", push, {**auth, "x-line-retry-key": key})

    def outcome(self, response: Response) -> Outcome:
        said = str(response.json.get("message", ""))
        if response.status == 409:  # the same retry key was accepted before
            return Outcome("sent", response.headers.get("x-line-accepted-request-id"))
        if response.status == 429 and "monthly limit" in said:
            return Outcome("stop", code="quota", title=said)
        if response.status == 400 and "reply token" in said.lower():
            return Outcome("retry", code="reply_token", title=said)
        match response.json:
            case {"sentMessages": [{"id": sent}, *_]}:
                return Outcome("sent", str(sent))
        return judge(response)


class _Speech:
    """The payloads of one webhook event."""

    def __init__(self, item: Item, request: Request) -> None:
        self.item, self.now = item, request.now
        self.source = item.value["source"]
        self.thread = ident(_counterpart(self.source))
        self.conversation = "/".join(("line", item.account, self.thread))
        self.standby: p.Flag = True if item.value.get("mode") == "standby" else None

    @property
    def identity(self) -> p.Identity | None:
        user = self.source.get("userId")
        if not user:  # a member of a group who has not agreed to be known
            return None
        return p.Identity(channel="line", scope=self.item.account, subject=ident(user))

    @property
    def author(self) -> p.Author:
        return p.Author(kind="customer", identity=self.identity)

    @property
    def token(self) -> p.ReplyToken | None:
        token = self.item.value.get("replyToken")
        return p.ReplyToken(token=token, expires_at=self.now + _TOKEN_LIFE) if token else None

    @property
    def synthetic(self) -> p.Flag:
        """What the console posts when somebody presses Verify."""
        token, user = self.item.value.get("replyToken"), self.source.get("userId")
        return True if token in _CONSOLE_TOKENS or user == _CONSOLE_USER else None

    def message(self, message: Mapping[str, Any]) -> p.Message:
        return p.Message(
            **self.item.said,
            message_id=ident(message["id"]),
            conversation_id=self.conversation,
            author=self.author,
            content=(_part(message),) if "type" in message else (),
            reply_to=message.get("quotedMessageId"),
            reply_token=self.token,
            standby=self.standby,
            synthetic=self.synthetic,
        )

    def press(self, data: str) -> p.Press:
        return p.Press(
            **self.item.said,
            conversation_id=self.conversation,
            author=self.author,
            payload=data,
            reply_token=self.token,
            standby=self.standby,
        )

    def opened(self, event: Mapping[str, Any]) -> p.Opened:
        return p.Opened(
            **self.item.said,
            conversation_id=self.conversation,
            identity=self.identity,
            reply_token=self.token,
            again=event.get("follow", {}).get("isUnblocked"),
        )

    def withdrawn(self) -> p.Consent:
        identity = self._known()
        return p.Consent(**self.item.said, identity=identity, source="unfollow")

    def linked(self, nonce: str) -> p.Link:
        shop = p.Identity(channel="nonce", scope=self.item.account, subject=ident(nonce))
        return p.Link(**self.item.said, a=self._known(), b=shop, evidence="accountLink")

    def delivered(self, data: str, at: Any) -> p.Status:
        return p.Status(
            **self.item.said,
            status="delivered",
            conversation_id=self.conversation,
            at=at,
            message_id=ident(data),
            identity=self.identity,
        )

    def _known(self) -> p.Identity:
        if not (identity := self.identity):
            raise ValueError("nobody")
        return identity


def _id(event: Any) -> str:
    """`webhookEventId`; the oldest fixtures of LINE have none."""
    if not isinstance(event, dict):
        return fingerprint(event)
    if known := event.get("webhookEventId"):
        return ident(known)
    told = (event.get("message") or {}).get("id") or event.get("postback")
    return fingerprint(event.get("type"), event.get("source"), event.get("timestamp"), told)


def _counterpart(source: Mapping[str, Any]) -> Any:
    return source.get("groupId") or source.get("roomId") or source["userId"]


def _part(message: Mapping[str, Any]) -> Any:
    match message:
        case {"type": "text", "text": str(text)}:
            return p.Text(text=text)
        case {"type": "image" | "video" | "audio" | "file" as kind, "id": media}:
            where = message.get("contentProvider", {}).get("originalContentUrl")
            name, size = message.get("fileName"), message.get("fileSize")
            return p.Media(media=kind, media_id=media, url=where, name=name, bytes=size)
        case {"type": "location", "latitude": north, "longitude": east}:
            return p.Location(latitude=north, longitude=east, name=message.get("title"))
        case {"type": "sticker", "packageId": package, "stickerId": sticker}:
            return p.Sticker(id=f"{package}/{sticker}")
    return p.UnsupportedPart(type=str(message["type"]))


channel = Line()
