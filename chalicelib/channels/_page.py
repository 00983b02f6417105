"""Bodies of Pages and of Instagram accounts: conversations and what is said in public, in any mix.

An app may have one URL for all of them, so each of these channels reads every body.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, ClassVar, Literal

from chalicelib.channels._instagram_public import public_id, said_in_public
from chalicelib.channels._messenger_words import messaging, messaging_id
from chalicelib.channels._meta import DASHBOARD, Meta, named, tested
from chalicelib.channels._page_feed import change_id, change_of, name_only
from chalicelib.credentials import DEFAULT
from chalicelib.source import Fact, Item, NoWord, Request, each, fingerprint

_SAYS = (
    "message.received message.echoed message.edited message.deleted message.delivered message.read"
    " postback.received reaction.added reaction.removed referral.received conversation.opened"
    " consent.granted consent.withdrawn handoff.requested handoff.completed identity.linked"
    " comment.created comment.edited comment.deleted mention.created review.created share.created"
)
_Reader = Callable[[Item, Request], Iterable[Fact]]
_LISTS: Mapping[str, _Reader] = {
    "messaging": messaging,
    "standby": messaging,
    "changes": change_of,
    "changed_fields": name_only,
}
"""What an entry may hold, and who reads its elements."""
_INSTAGRAM: Mapping[str, _Reader] = {**_LISTS, "changes": said_in_public}


class Page(Meta):
    """What Messenger, the Page's feed and Instagram have in common."""

    emits = frozenset(_SAYS.split())
    deadline = timedelta(seconds=5)
    about: ClassVar[Literal["page", "instagram"]] = "page"
    """What a body is about that does not say so itself."""

    def items(self, document: Any, request: Request) -> Iterator[Item]:
        nobody = request.account or DEFAULT
        for body in list(each(document)) or [document]:
            named_object = body.get("object") if isinstance(body, dict) else None
            elements = _OF.get(str(named_object), _OF[self.about])
            for entry in _entries(body):
                found = elements(entry, nobody) if isinstance(entry, dict) else ()
                yield from found or [Item(entry, nobody, fingerprint(nobody, entry), self.name)]

    def facts(self, item: Item, request: Request) -> Iterable[Fact]:
        return tested(item, request, _read)


def _entries(body: Any) -> list[Any]:
    """Entries of a body; a bare change is what Instagram's dashboard posts as a test."""
    match body:
        case {"field": str(), "value": dict()}:
            return [{"id": DASHBOARD, "changes": [body]}]
        case {"entry": entries}:
            return list(each(entries)) or [body]
    return [body]


def _of_page(entry: Mapping[str, Any], nobody: str) -> list[Item]:
    page, time = named(entry.get("id"), nobody), entry.get("time")
    found = []
    for of in _LISTS:
        envelope = {"id": page, "time": time, "of": of}
        for element in each(entry.get(of)):
            if of in ("messaging", "standby"):
                known, channel = messaging_id(element, of), "messenger"
            else:
                known, channel = change_id(element, time), _channel_of(element)
            found.append(Item(element, page, known, channel, envelope))
    return found


def _of_instagram(entry: Mapping[str, Any], nobody: str) -> list[Item]:
    account, time = named(entry.get("id"), nobody), entry.get("time")
    found = []
    for of, element in _unfolded(entry):
        spoken = of in ("messaging", "standby")
        known = messaging_id(element, of) if spoken else public_id(element, time)
        envelope = {"id": account, "time": time, "of": of}
        found.append(Item(element, account, known, "instagram", envelope))
    return found


_OF = {"page": _of_page, "instagram": _of_instagram}


def _unfolded(entry: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Elements, and the list each belongs to: a message may also be the value of a change."""
    for of in _INSTAGRAM:
        for element in each(entry.get(of)):
            yield from _apart(of, element)
    if "field" in entry:  # Instagram Login: a change that is its entry
        yield from _apart("changes", {k: entry[k] for k in ("field", "value") if k in entry})


def _apart(of: str, element: Any) -> Iterator[tuple[str, Any]]:
    """A change of several values, one by one: the documentation speaks of an array."""
    match element:
        case {"field": field, "value": [_, *_] as values}:
            yield from (_placed(of, {"field": field, "value": value}) for value in values)
        case _:
            yield _placed(of, element)


def _placed(of: str, element: Any) -> tuple[str, Any]:
    match element:
        case {"field": field, "value": {"sender": _, "recipient": _} as value}:
            return "standby" if field == "standby" else "messaging", value
    return of, element


def _channel_of(change: Any) -> str:
    """Changes about messages and their templates are Messenger's, all others the Page's."""
    field = change.get("field") if isinstance(change, dict) else None
    return "messenger" if str(field).startswith("message") else "facebook_page"


def _read(item: Item, request: Request) -> Iterable[Fact]:
    lists = _INSTAGRAM if item.channel == "instagram" else _LISTS
    reader = lists.get(item.envelope.get("of", ""))
    if not reader:
        raise NoWord("entry without changes")
    return reader(item, request)
