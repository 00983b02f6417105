"""What became of our messages on WhatsApp, and what a customer's standing is."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from chalicelib import payloads as p
from chalicelib.channels._meta import traced
from chalicelib.channels._whatsapp_compose import CODES
from chalicelib.channels._whatsapp_element import Element
from chalicelib.source import Fact, NoWord, ident

_STATUSES: Mapping[str, tuple[str, Any]] = {
    "sent": ("message.sent", "sent"),
    "delivered": ("message.delivered", "delivered"),
    "read": ("message.read", "read"),
    "played": ("message.read", "played"),
    "failed": ("message.failed", "failed"),
}
_MARKETING: Mapping[str, str] = {"stop": "consent.withdrawn", "resume": "consent.granted"}


def status(element: Element) -> Iterator[Fact]:
    """One of `statuses`; the truth about a message that was only accepted."""
    value = element.value
    if value["status"] not in _STATUSES:
        raise NoWord(f"whatsapp status {value['status']}")
    type_, reached = _STATUSES[value["status"]]
    data = p.Status(
        **element.item.said,
        status=reached,
        conversation_id=element.conversation,
        at=element.at or element.now,
        message_id=ident(value["id"]),
        identity=element.customer,
        trace=traced(value.get("biz_opaque_callback_data")),
        error=_failure(value) if reached == "failed" else None,
    )
    yield Fact(type_, data, element.at)


def _failure(value: Mapping[str, Any]) -> p.Failure | None:
    match value:
        case {"errors": [{"code": int(code), **said}, *_]}:
            transient = said.get("is_transient") is True
            retryable = transient or CODES.get(code, ("", None))[0] in ("retry", "unknown")
            title = str(said.get("title") or said.get("message") or "")[:2048]
            return p.Failure(code=str(code), title=title or None, retryable=retryable)
    return None


def preference(element: Element) -> Iterator[Fact]:
    """One of `user_preferences`: no more marketing, or marketing again."""
    value = element.value
    if value.get("category") != "marketing_messages" or value["value"] not in _MARKETING:
        raise NoWord(f"whatsapp preference {value.get('category')} {value['value']}")
    data = p.Consent(
        **element.item.said,
        identity=element.known(),
        purpose="marketing",
        scope="purpose",
        source="user_preferences",
        at=element.at,
    )
    yield Fact(_MARKETING[value["value"]], data, element.at)


def renamed(element: Element) -> Iterator[Fact]:
    """One of `user_id_update`: the same customer under another user id."""
    ids, number = element.value["user_id"], element.value.get("wa_id")
    new = element.identity(ids["current"], number)
    old = element.identity(ids.get("previous") or number, None)
    yield element.linked(old, new, "user_id_update")


def error(element: Element) -> Iterable[Fact]:
    """One of `value.errors`: about no message in particular."""
    code, title = element.value.get("code"), element.value.get("title")
    raise NoWord(f"whatsapp error {code}: {title}"[:2048])
