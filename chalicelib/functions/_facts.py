"""Facts in the table: how an event is kept under its subject, and read again."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any, Protocol

from chalicelib.events import Event, iso

Item = dict[str, Any]
KEY_BYTES = 900
"""DynamoDB takes sort keys of 1024 bytes; ours stay below by construction or by hash."""
KEPT = timedelta(days=730)


class Table(Protocol):
    """As much of the table as the reactions use."""

    def put(self, item: Item) -> None: ...
    def put_new(self, item: Item) -> bool: ...
    def put_newer(self, item: Item, field: str) -> bool: ...
    def put_all(self, items: Sequence[Item]) -> None: ...
    def get(self, pk: str, sk: str) -> Item | None: ...
    def query(self, pk: str, prefix: str = "") -> list[Item]: ...
    def due(self, shard: str, until: str) -> list[Item]: ...
    def change(
        self,
        pk: str,
        sk: str,
        set: Mapping[str, Any],
        *,
        when: Mapping[str, Any],
        remove: Iterable[str] = (),
    ) -> Item | None: ...


class Queue(Protocol):
    def send(self, body: dict[str, Any], delay_s: int = 0) -> None: ...


def fact(pk: str, event: Event) -> Item:
    """One small item per fact: `FACT#<slot>#<event id>` under its subject."""
    return {
        "pk": pk,
        "sk": f"FACT#{event.type}#{event.id}",
        "at": iso(event.effective),
        "event": json.dumps(event.compact(), ensure_ascii=False, separators=(",", ":")),
    }


def facts(items: Iterable[Item]) -> list[Event]:
    """The events in fact items."""
    return [Event.parse(json.loads(i["event"])) for i in items if i["sk"].startswith("FACT#")]


def key(kind: str, path: str) -> str:
    """`KIND#path`, hashed where a platform's id is longer than a key may be."""
    whole = f"{kind}#{path}"
    if len(whole.encode()) <= KEY_BYTES:
        return whole
    return f"{kind}##{sha256(path.encode()).hexdigest()}"
