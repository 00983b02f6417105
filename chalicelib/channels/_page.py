"""Bodies with `object: page`: conversations of Messenger and the feed of the Page, in any mix.

Both arrive at the one URL an app has for its Pages, so both channels read both.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from chalicelib.channels._messenger_words import messaging, messaging_id
from chalicelib.channels._meta import Meta, named, tested
from chalicelib.channels._page_feed import change_id, change_of, name_only
from chalicelib.credentials import DEFAULT
from chalicelib.source import Fact, Item, NoWord, Request, each, fingerprint

_SAYS = (
    "message.received message.echoed message.edited message.deleted message.delivered message.read"
    " postback.received reaction.added reaction.removed referral.received conversation.opened"
    " consent.granted consent.withdrawn handoff.requested handoff.completed identity.linked"
    " comment.created comment.edited comment.deleted mention.created review.created share.created"
)
_LISTS: Mapping[str, Callable[[Item, Request], Iterable[Fact]]] = {
    "messaging": messaging,
    "standby": messaging,
    "changes": change_of,
    "changed_fields": name_only,
}
"""What an entry may hold, and who reads its elements."""


class Page(Meta):
    """What Messenger and the Page's feed have in common."""

    emits = frozenset(_SAYS.split())
    deadline = timedelta(seconds=5)

    def items(self, document: Any, request: Request) -> Iterator[Item]:
        nobody = request.account or DEFAULT
        for entry in list(each(document["entry"])) or [document]:
            if isinstance(entry, dict) and any(entry.get(of) for of in _LISTS):
                yield from _elements(entry, named(entry.get("id"), nobody))
            else:
                yield Item(entry, nobody, fingerprint(nobody, entry), self.name)

    def facts(self, item: Item, request: Request) -> Iterable[Fact]:
        return tested(item, request, _read)


def _elements(entry: Mapping[str, Any], page: str) -> Iterator[Item]:
    time = entry.get("time")
    for of in _LISTS:
        envelope = {"id": page, "time": time, "of": of}
        for element in each(entry.get(of)):
            if of in ("messaging", "standby"):
                yield Item(element, page, messaging_id(element, of), "messenger", envelope)
            else:
                about = _channel_of(element)
                yield Item(element, page, change_id(element, time), about, envelope)


def _channel_of(change: Any) -> str:
    """Changes about messages and their templates are Messenger's, all others the Page's."""
    field = change.get("field") if isinstance(change, dict) else None
    return "messenger" if str(field).startswith("message") else "facebook_page"


def _read(item: Item, request: Request) -> Iterable[Fact]:
    reader = _LISTS.get(item.envelope.get("of", ""))
    if not reader:
        raise NoWord("entry without changes")
    return reader(item, request)
