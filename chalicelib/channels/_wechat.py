"""What WeChat and WeCom share: plain and sealed deliveries, and answers inside the response.

https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, ClassVar

from chalicelib.channels._channel import Channel
from chalicelib.channels._query_signed import QuerySigned, fresh, signed_by, sorted_sha1, stamped
from chalicelib.channels._wechat_reply import passive_reply
from chalicelib.channels._wechat_seal import seal, unseal
from chalicelib.channels._xml import cdata, read_xml
from chalicelib.credentials import Accounts, Credentials
from chalicelib.errors import HubError, InvalidSignature
from chalicelib.signing import same
from chalicelib.source import SHAPE_ERRORS, Answer, Request, fingerprint, ident

_OPENED = "opened"
_XML = "application/xml; charset=utf-8"
_NAMES = (
    "FromUserName", "CreateTime", "MsgType", "Event", "EventKey", "MsgID", "OpenID",
    "ChangeType", "UserID", "ExternalUserID", "TaskId",
)  # fmt: skip
"""What makes one event: some are posted in the name of the platform, of several people at once."""
_MOST_SEALED = 256 * 1024
"""Their longest text is 2 KB: more than this is not read before it is known whose it is."""


@dataclass(frozen=True)
class Opened:
    """A verified delivery: its plain body, our own id, and what sealed it (not in plain mode)."""

    body: bytes
    receiver: str = ""
    token: str = field(default="", repr=False)
    aes_key: str = field(default="", repr=False)


class Sealing(QuerySigned, Channel):
    """Tencent's callbacks. Three secrets make a signature, and a test key names all three:
    `token encoding_aes_key receiver`."""

    secret_key = "token"
    signing_key = "replay"
    shared_key = False
    signs_body = True
    receiver_key: ClassVar[str]
    """Which secret holds our own id, that a sealed body must name."""
    deadline = timedelta(seconds=5)
    retry_horizon = timedelta(seconds=15)
    time_unit = "s"
    in_response = timedelta(seconds=5)

    def plain_allowed(self, holder: Credentials) -> bool:
        """Whether a body that nobody sealed may be taken for this account's."""
        return False

    def verify(self, request: Request, accounts: Accounts) -> Credentials:
        for holder in accounts.holding(self.secret_key, request.account):
            if opened := self.opened(request, holder):
                vars(request)[_OPENED] = opened  # read once, as a cached property is
                return holder
        raise InvalidSignature(self.name)

    def may_claim(self, signer: Credentials, account: str, accounts: Accounts) -> bool:
        return accounts.may_speak(signer, account, self.secret_key)

    def opened(self, request: Request, holder: Credentials) -> Opened | None:
        """The delivery, if `holder` signed it now.

        What has a `msg_signature` is judged by that alone: the plain one beside it, on the same
        URL, vouches for no body. Misconfigured where the key of a sealed body is missing.
        """
        if not fresh(request):
            return None
        if "msg_signature" in request.query:
            return self.unsealed(_sealed(request.body), request, holder)
        tokens = holder.live(self.secret_key) if self.plain_allowed(holder) else ()
        known = [signed_by(token, request) for token in tokens]
        return Opened(request.body, holder.get(self.receiver_key)) if any(known) else None

    def unsealed(self, sealed: str, request: Request, holder: Credentials) -> Opened | None:
        """What is in an `Encrypt` that `holder` signed and that names us; else None."""
        tokens = holder.live(self.secret_key)
        signers = [t for t in tokens if signed_by(t, request, sealed, name="msg_signature")]
        if not (sealed and signers):
            return None
        for key in holder.live("encoding_aes_key"):
            body, receiver = _attempt(sealed, key)
            if any(same(receiver, own) for own in holder.live(self.receiver_key)):
                return Opened(body, receiver, signers[0], key)
        return None

    def document(self, request: Request) -> Any:
        """XML, or JSON where the account chose that; MalformedPayload for neither."""
        opened = vars(request).get(_OPENED)
        return _read(opened.body if opened else request.body)

    def receiver(self, request: Request, otherwise: str) -> str:
        """Our own id: as it was sealed in, or as the account's secrets name it."""
        opened = vars(request).get(_OPENED)
        return opened.receiver if opened and opened.receiver else otherwise

    def answer(self, request: Request) -> Answer:
        """Anything but `success` or nothing tells the customer that the service is broken."""
        return Answer("success")

    def answer_with(self, text: str, request: Request, credentials: Credentials) -> Answer:
        """The passive reply; sealed where the delivery was. InvalidSignature for another's."""
        opened = vars(request).get(_OPENED) or self.opened(request, credentials)
        if not opened:
            raise InvalidSignature(self.name)
        reply = passive_reply(_read(opened.body), text, request)
        if opened.aes_key:
            reply = _enveloped(reply, opened, request)
        return Answer(reply, content_type=_XML)

    def signed(self, request: Request, key: str) -> Request:
        """Sealed, as the platform sends it in its safe mode."""
        token, aes_key, receiver = key.split()
        sealed, words = seal(request.body, receiver, aes_key), stamped(request)
        query = {
            **request.query,
            **words,
            "encrypt_type": "aes",
            "signature": sorted_sha1(token, *words.values()),
            "msg_signature": sorted_sha1(token, *words.values(), sealed),
        }
        body = f"<xml><Encrypt>{cdata(sealed)}</Encrypt></xml>".encode()
        return replace(request, body=body, query=query)


def item_id(value: dict[str, Any]) -> str:
    """MsgId; what has none is one thing by who, when and what (`MsgID` names a send of ours)."""
    if known := value.get("MsgId"):
        return ident(known)
    return fingerprint(*(_lower(value.get(name)) for name in _NAMES))


def cut(text: str, most: int) -> str:
    """As much of a text as `most` bytes of UTF-8 hold; no half character."""
    return text.encode("utf-8", "replace")[:most].decode(errors="ignore")


def listed(value: Any) -> Iterator[dict[str, Any]]:
    """Elements of what is one object or many; what is none is passed by."""
    yield from (each for each in (value if isinstance(value, list) else [value]) if each)


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _read(body: bytes) -> Any:
    return read_xml(body) if body.lstrip()[:1] == b"<" else Request(body).json


def _sealed(body: bytes) -> str:
    """The `Encrypt` of a delivery; empty where there is none."""
    try:
        return ident(_read(body)["Encrypt"]) if len(body) <= _MOST_SEALED else ""
    except (HubError, *SHAPE_ERRORS):
        return ""


def _attempt(sealed: str, key: str) -> tuple[bytes, str]:
    try:
        return unseal(sealed, key)
    except ValueError:
        return b"", ""


def _enveloped(reply: str, opened: Opened, request: Request) -> str:
    sealed = seal(reply.encode(), opened.receiver, opened.aes_key)
    stamp, nonce = str(int(request.now.timestamp())), request.query.get("nonce", "")
    return (
        f"<xml><Encrypt>{cdata(sealed)}</Encrypt>"
        f"<MsgSignature>{cdata(sorted_sha1(opened.token, stamp, nonce, sealed))}</MsgSignature>"
        f"<TimeStamp>{stamp}</TimeStamp><Nonce>{cdata(nonce)}</Nonce></xml>"
    )
