"""What one element of `messaging` or `standby` is, and what makes it the same again.

https://developers.facebook.com/docs/messenger-platform/reference/webhook-events
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from chalicelib import payloads as p
from chalicelib.channels import _messenger_said as said
from chalicelib.channels._messenger_thread import Thread, party
from chalicelib.source import SHAPE_ERRORS, Fact, Item, NoWord, Request, fingerprint, ident

INBOX = "263902037430900"
"""App id of the Page Inbox, where people answer."""
_FRAME = {"sender", "recipient", "timestamp"}


def messaging(item: Item, request: Request) -> Iterable[Fact]:
    """The facts of one element; NoWord for the kinds that speak of no customer."""
    if not isinstance(item.value, dict):
        raise NoWord("unexpected shape")
    kind = next((kind for kind in _KINDS if kind in item.value), None)
    if not kind:
        raise NoWord(f"{item.channel} " + " ".join(sorted(item.value.keys() - _FRAME))[:2000])
    return _KINDS[kind](Thread(item, request))


def messaging_id(element: Any, of: str) -> str:
    """What names an element: its `mid` where it has one.

    The owner's copy and the standby copy of one message are two deliveries: only one is answered.
    """
    try:
        known = _own_id(element)
    except SHAPE_ERRORS:
        known = fingerprint(element)
    return f"standby:{known}" if of == "standby" else known


def _own_id(element: Any) -> str:
    match element:
        case {"message": {"mid": mid}} | {"postback": {"mid": mid}}:
            return ident(mid)
        case {"message_edit": {"mid": mid, "num_edit": edits}}:
            return f"{ident(mid)}:{edits}"
        case {"reaction": {"mid": mid, "action": action}, "timestamp": at}:
            return f"{ident(mid)}:{party(element['sender'])}:{action}:{at}"
        case {"delivery": {"watermark": to}} | {"read": {"mid": to} | {"watermark": to}}:
            kind = "read" if "read" in element else "delivery"
            return f"{party(element['sender'])}:{kind}:{to}"
        case {"postback": {"payload": what}} | {"referral": {"ref": what}}:
            return fingerprint(party(element["sender"]), element["timestamp"], what)
    return fingerprint(element)


def _delivered(thread: Thread) -> Iterator[Fact]:
    """Everything up to the watermark; the ids, where there are any, besides."""
    told = thread.value["delivery"]
    yield thread.receipt("delivered", told["watermark"])
    for mid in told.get("mids") or ():
        yield thread.receipt("delivered", told["watermark"], ident(mid))


def _seen(thread: Thread) -> Iterator[Fact]:
    """Messenger says until when; Instagram says which message."""
    told = thread.value["read"]
    mid = told.get("mid")
    yield thread.receipt("read", None if mid else told["watermark"], ident(mid) if mid else None)


def _controlled(thread: Thread) -> Iterator[Fact]:
    """The thread has another owner, or somebody asks for it."""
    kind = next(kind for kind in _CONTROLS if kind in thread.value)
    given, wanted = thread.value[kind], kind.startswith("request")
    new = given.get("requested_owner_app_id" if wanted else "new_owner_app_id")
    data = p.Handoff(
        **thread.item.said,
        conversation_id=thread.conversation,
        source=_owner(given.get("previous_owner_app_id"), "bot"),
        to=_owner(new, "primary"),
        reason=str(given.get("metadata") or kind)[:2048],
        identity=thread.customer,
    )
    yield Fact("handoff.requested" if wanted else "handoff.completed", data, thread.at)


def _owner(app_id: Any, otherwise: str) -> str:
    if not app_id:
        return otherwise
    return "human" if str(app_id) == INBOX else f"app:{ident(app_id)}"


_CONTROLS = ("pass_thread_control", "take_thread_control", "request_thread_control")
_KINDS: Mapping[str, Callable[[Thread], Iterable[Fact]]] = {
    "message": said.message,
    "delivery": _delivered,
    "read": _seen,
    "postback": said.postback,
    "reaction": said.reaction,
    "message_edit": said.edited,
    "referral": said.referred,
    "optin": said.opted_in,
    "account_linking": said.account_linking,
    **dict.fromkeys(_CONTROLS, _controlled),
}
