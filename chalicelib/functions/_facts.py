"""Facts in the table: how an event is kept under its subject, and read again."""

import json
from collections.abc import Iterable
from hashlib import sha256

from chalicelib.events import Event, iso
from chalicelib.functions._ports import Item, Table

KEY_BYTES = 900
"""DynamoDB takes sort keys of 1024 bytes; ours stay below by construction or by hash."""


def fact(pk: str, event: Event) -> Item:
    """One small item per fact: `FACT#<slot>#<event id>` under its subject."""
    return {
        "pk": pk,
        "sk": f"FACT#{event.type}#{event.id}",
        "at": iso(event.effective),
        "event": json.dumps(event.compact(), ensure_ascii=False, separators=(",", ":")),
    }


def keep(table: Table, pk: str, event: Event) -> None:
    """Keeps a fact; of copies of one event the least effective time counts (EVENTS, `time`)."""
    table.put_older(fact(pk, event), "at")


def facts(items: Iterable[Item]) -> list[Event]:
    """The events in fact items."""
    return [Event.parse(json.loads(i["event"])) for i in items if i["sk"].startswith("FACT#")]


def key(kind: str, path: str) -> str:
    """`KIND#path`, hashed where a platform's id is longer than a key may be."""
    whole = f"{kind}#{path}"
    if len(whole.encode()) <= KEY_BYTES:
        return whole
    return f"{kind}##{sha256(path.encode()).hexdigest()}"
