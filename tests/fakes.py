"""The world in memory: five-line stand-ins for the gateways, and a bus that can be drained.

Patterns are the reactions' own declarations, so that what is tested here is what the rules say.
"""

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.credentials import Accounts
from chalicelib.events import Event
from chalicelib.outbound import Call, Response

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class MemoryTable:
    """The table's calls on a dict."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.calls: list[str] = []

    def put(self, item: dict[str, Any]) -> None:
        self.calls.append("put")
        self.items[item["pk"], item["sk"]] = deepcopy(item)

    def put_new(self, item: dict[str, Any]) -> bool:
        self.calls.append("put_new")
        if (stored := self.items.get((item["pk"], item["sk"]))) is not None:
            return "owner" in item and stored.get("owner") == item["owner"]
        self.items[item["pk"], item["sk"]] = deepcopy(item)
        return True

    def put_newer(self, item: dict[str, Any], field: str) -> bool:
        self.calls.append("put_newer")
        return self._put_if(item, lambda stored: bool(stored[field] < item[field]))

    def put_older(self, item: dict[str, Any], field: str) -> bool:
        self.calls.append("put_older")
        return self._put_if(item, lambda stored: bool(stored[field] > item[field]))

    def _put_if(self, item: dict[str, Any], better: Callable[[dict[str, Any]], bool]) -> bool:
        stored = self.items.get((item["pk"], item["sk"]))
        if stored is not None and not better(stored):
            return False
        self.items[item["pk"], item["sk"]] = deepcopy(item)
        return True

    def put_all(self, items: Sequence[dict[str, Any]]) -> None:
        self.calls.append("put_all")
        for item in items:
            self.items[item["pk"], item["sk"]] = deepcopy(item)

    def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        self.calls.append("get")
        return deepcopy(self.items.get((pk, sk)))

    def query(self, pk: str, prefix: str = "") -> list[dict[str, Any]]:
        self.calls.append("query")
        keys = sorted(k for k in self.items if k[0] == pk and k[1].startswith(prefix))
        return [deepcopy(self.items[k]) for k in keys]

    def due(self, shard: str, until: str) -> list[dict[str, Any]]:
        self.calls.append("due")
        found = [i for i in self.items.values() if i.get("gsi1pk") == shard]
        return sorted(
            (deepcopy(i) for i in found if i["gsi1sk"] <= until), key=lambda i: i["gsi1sk"]
        )

    def change(
        self,
        pk: str,
        sk: str,
        set: Mapping[str, Any],
        *,
        when: Mapping[str, Any],
        remove: Iterable[str] = (),
    ) -> dict[str, Any] | None:
        self.calls.append("change")
        item = self.items.get((pk, sk), {})
        if any(item.get(k) != v for k, v in when.items()):
            return item if "owner" in set and item.get("owner") == set["owner"] else None
        self.items[pk, sk] = {k: v for k, v in {**item, **set}.items() if k not in tuple(remove)}
        return deepcopy(self.items[pk, sk])


class MemoryQueue(deque[tuple[dict[str, Any], int]]):
    """Bodies with their delay."""

    def send(self, body: dict[str, Any], delay_s: int = 0) -> None:
        self.append((body, delay_s))


class MemoryBus(list[Event]):
    """What was said, in order."""

    def publish(self, events: Iterable[Event]) -> None:
        self.extend(events)


class Outside:
    """The world's answers; every call is kept."""

    def __init__(self, answer: Callable[[Call], Response] | None = None) -> None:
        self.calls: list[Call] = []
        self.answer = answer or (lambda call: Response(200, {}, b"{}"))

    def send(self, call: Call, cause: str = "") -> Response:
        self.calls.append(call)
        return self.answer(call)


class Keys:
    """Secrets from a dict."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document

    def of(self, source: str, *, fresher: bool = False) -> Accounts:
        return Accounts(source, self.document.get(source, {}))


class Clock:
    """Time that goes on when it is told to."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


def matches(pattern: Any, value: Any) -> bool:
    """EventBridge's matching, as far as our rules use it: values, prefixes, nested, in arrays."""
    if isinstance(value, list):
        return any(matches(pattern, each) for each in value)
    if isinstance(pattern, Mapping):
        return isinstance(value, Mapping) and all(
            matches(p, value.get(k)) for k, p in pattern.items()
        )
    return any(_allowed(allowed, value) for allowed in pattern)


def _allowed(allowed: Any, value: Any) -> bool:
    if isinstance(allowed, Mapping):
        return isinstance(value, str) and value.startswith(allowed["prefix"])
    return bool(value == allowed) and type(value) is type(allowed)


def consumed(reaction: Any, event: Event) -> bool:
    """Whether a rule of this reaction takes this event."""
    pattern = reaction.consumes.get(event.type)
    return pattern is not None and matches(pattern, event.detail()["data"])


def on_the_wire(event: Event) -> Event:
    """The event as a consumer reads it: through JSON."""
    return Event.parse(json.loads(json.dumps(event.detail())))
