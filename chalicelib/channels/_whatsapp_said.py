"""What a message or an echo on WhatsApp says."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from chalicelib import payloads as p
from chalicelib.channels._meta import medium, words
from chalicelib.channels._whatsapp_element import Element
from chalicelib.channels._whatsapp_parts import content_of, product_of
from chalicelib.source import Fact, NoWord, ident

_CODE = re.compile(r"\[ref:([A-Za-z0-9._:-]{1,128})\]\s*\Z")
"""The end of a prefilled text. A wa.me link, and so its QR, carries no referral: print
`https://wa.me/<number>?text=Hello%20[ref:qr-box-42]`, and the code is read back here."""
_USER_ID = re.compile(r"\b[A-Z]{2}(?:\.ENT)?\.[A-Za-z0-9]{1,128}\b")


def message(element: Element) -> Iterable[Fact]:
    """The facts of one of `messages` or `message_echoes`."""
    return _TYPES.get(element.value["type"], _spoken)(element)


def _spoken(element: Element) -> Iterator[Fact]:
    value = element.value
    content = content_of(value) + product_of(value)
    said = element.message(value["id"], content, opens=True)
    yield Fact("message.echoed" if element.out else "message.received", said, element.at)
    if not element.out and (entered := _entry(element, said)):
        yield Fact("referral.received", entered, element.at)


def _edited(element: Element) -> Iterator[Fact]:
    edit = element.value["edit"]
    said = element.message(edit["original_message_id"], content_of(edit["message"]))
    yield Fact("message.edited", said, element.at)


def _revoked(element: Element) -> Iterator[Fact]:
    gone = element.message(element.value["revoke"]["original_message_id"], ())
    yield Fact("message.deleted", gone, element.at)


def _reacted(element: Element) -> Iterator[Fact]:
    reaction = element.value["reaction"]
    data = p.Reaction(
        **element.item.said,
        message_id=ident(reaction["message_id"]),
        conversation_id=element.conversation,
        author=element.author,
        to=element.customer if element.out else None,
        emoji=words(reaction.get("emoji")) or None,
    )
    yield Fact("reaction.added" if data.emoji else "reaction.removed", data, element.at)


def _opened(element: Element) -> Iterator[Fact]:
    who, where = element.known(), element.conversation
    data = p.Opened(**element.item.said, conversation_id=where, identity=who)
    yield Fact("conversation.opened", data, element.at)


def _system(element: Element) -> Iterator[Fact]:
    system = element.value["system"]
    match system.get("type"):
        case "user_changed_number" as kind:
            number = system.get("wa_id") or system["new_wa_id"]
            new = element.identity(system.get("user_id"), number)
            yield element.linked(element.customer, new, kind)
        case "user_changed_user_id" as kind:
            new = element.identity(system["user_id"], None)
            yield element.linked(element.customer or _former(element, system), new, kind)
        case kind:
            raise NoWord(f"whatsapp system {kind}")


def _former(element: Element, system: Mapping[str, Any]) -> p.Identity | None:
    """Who changed the user id: only the sentence says it."""
    found = _USER_ID.findall(str(system.get("body")))
    return element.identity(next((old for old in found if old != system["user_id"]), None), None)


_TYPES: Mapping[str, Callable[[Element], Iterable[Fact]]] = {
    "edit": _edited,
    "revoke": _revoked,
    "reaction": _reacted,
    "request_welcome": _opened,
    "system": _system,
}
"""Types of message that are none; any other is one."""


def _entry(element: Element, said: p.Message) -> p.Referral | None:
    """How the customer came in: by an ad or a post, or by the code at a prefilled text's end."""
    match element.value.get("referral"):
        case {"source_type": str(kind), **given}:
            ref = words(given.get("source_id") or given.get("source_url")) or ""
            ad = kind == "ad"
            return _referral(element, said, ref, kind, "ad" if ad else "link", ref if ad else None)
    if code := _CODE.search(said.text[-160:]):
        return _referral(element, said, code[1], "wa.me", medium(code[1]))
    return None


def _referral(
    element: Element, said: p.Message, ref: str, source: str, by: Any, ad_id: str | None = None
) -> p.Referral:
    return p.Referral(
        **element.item.said,
        conversation_id=said.conversation_id,
        identity=said.author.identity,
        ref=ref,
        source=source,
        medium=by,
        ad_id=ad_id,
        window_until=said.window_until,
    )
