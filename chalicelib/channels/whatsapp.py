"""WhatsApp Cloud API: https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from chalicelib.channels import _whatsapp_compose as compose
from chalicelib.channels import _whatsapp_said as said
from chalicelib.channels import _whatsapp_states as states
from chalicelib.channels._meta import WINDOW, Meta, named, tested
from chalicelib.channels._whatsapp_element import Element, names_of
from chalicelib.credentials import DEFAULT, Credentials
from chalicelib.outbound import Call, Outgoing
from chalicelib.source import Fact, Item, NoWord, Request, each, fingerprint

_SAYS = (
    "message.received message.echoed message.edited message.deleted message.sent"
    " message.delivered message.read message.failed reaction.added reaction.removed"
    " referral.received conversation.opened consent.granted consent.withdrawn identity.linked"
)
_LISTS: Mapping[str, tuple[str, ...]] = {
    "messages": ("messages", "statuses", "errors"),
    "smb_message_echoes": ("message_echoes",),
    "user_preferences": ("user_preferences",),
    "user_id_update": ("user_id_update",),
}
"""Fields whose `value` holds lists; of any other field the whole change is one item."""
_READERS: Mapping[str, Callable[[Element], Iterable[Fact]]] = {
    "messages": said.message,
    "message_echoes": said.message,
    "statuses": states.status,
    "errors": states.error,
    "user_preferences": states.preference,
    "user_id_update": states.renamed,
}


class WhatsApp(Meta):
    name = "whatsapp"
    title = "WhatsApp"
    docs = "https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components"
    emits = frozenset(_SAYS.split())
    dedupe = "wamid; of a status wamid, status, timestamp, participant; else the change itself"
    deadline = timedelta(seconds=5)
    retry_horizon = timedelta(days=7)
    time_unit = "s"
    means = ("free", "template")
    window = WINDOW
    resend = "traced"
    text_limit = compose.TEXT_LIMIT
    codes = compose.CODES

    def items(self, document: Any, request: Request) -> Iterator[Item]:
        nobody = request.account or DEFAULT
        for entry in list(each(document["entry"])) or [document]:
            changes = entry.get("changes") if isinstance(entry, dict) else None
            if changes:
                waba = named(entry.get("id"), nobody)
                for change in each(changes):
                    yield from _elements(change, waba)
            else:
                yield _odd(entry, nobody, {})

    def facts(self, item: Item, request: Request) -> Iterable[Fact]:
        return tested(item, request, _read)

    def compose(self, message: Outgoing, credentials: Credentials) -> Call:
        return compose.call(message, credentials)


def _odd(element: Any, account: str, envelope: Mapping[str, Any]) -> Item:
    ident = fingerprint(account, element)
    return Item(element, account, ident, WhatsApp.name, envelope)


def _elements(change: Any, waba: str) -> Iterator[Item]:
    """Every message, status and error of one change; the change itself where it has no list."""
    match change:
        case {"field": str(field), "value": dict(value)} if field in _LISTS:
            lists = [of for of in _LISTS[field] if value.get(of)]
            found = [item for of in lists for item in _listed(of, value, waba)]
        case _:
            found = []
    yield from found or [_odd(change, waba, {"id": waba})]


def _listed(of: str, value: Mapping[str, Any], waba: str) -> Iterator[Item]:
    metadata = value.get("metadata")
    phone = metadata.get("phone_number_id") if isinstance(metadata, dict) else None
    account, book = named(phone, waba), _book(value.get("contacts"))
    for element in each(value[of]):
        contact = _contact(element, of, book)
        envelope = {"id": waba, "of": of, "metadata": metadata, "contact": contact}
        yield Item(element, account, _id(element, of, waba), WhatsApp.name, envelope)


def _book(contacts: Any) -> dict[str, Any]:
    """Contacts by each of their names; an only one also for whoever is not named."""
    known = [contact for contact in each(contacts) if isinstance(contact, dict)]
    book = {"": known[0]} if len(known) == 1 else {}
    for contact in known:
        for name in (contact.get("wa_id"), contact.get("user_id")):
            if name and isinstance(name, str):
                book[name] = contact
    return book


def _contact(element: Any, of: str, book: Mapping[str, Any]) -> Any:
    """The contact an element speaks of: only that one stands around it."""
    if not (book and isinstance(element, dict)):
        return None
    names = [name for name in names_of(element, of) if name and isinstance(name, str)]
    return next((book[name] for name in names or ("",) if name in book), None)


def _id(element: Any, of: str, waba: str) -> str:
    match element:
        case {"id": str(wamid), "status": str(status)} if of == "statuses":
            member = element.get("recipient_participant_user_id")
            member = member or element.get("recipient_participant_id")
            parts = (wamid, status, element.get("timestamp"), member)
            return ":".join(str(part) for part in parts if part)
        case {"id": str(wamid)} if wamid and of in ("messages", "message_echoes"):
            return wamid
    return fingerprint(waba, of, element)


def _read(item: Item, request: Request) -> Iterable[Fact]:
    if not isinstance(item.value, dict):
        raise NoWord("unexpected shape")
    reader = _READERS.get(item.envelope.get("of", ""))
    if not reader:
        raise NoWord(f"whatsapp {item.value.get('field') or 'entry without changes'}"[:2048])
    return reader(Element(item, request))


channel = WhatsApp()
