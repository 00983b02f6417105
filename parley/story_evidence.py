"""What a story left behind: the bus, the table, and what was said outside."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from chalicelib.domain.orders import OrderState, fold
from chalicelib.events import Event

Item = Mapping[str, Any]


@dataclass(frozen=True)
class Effect:
    """One thing that was planned for somebody, and the calls that came of it."""

    item: Item
    calls: tuple[Mapping[str, Any], ...]

    @property
    def state(self) -> str:
        return str(self.item["state"])

    @property
    def body(self) -> Mapping[str, Any]:
        """What `sender` was given to say."""
        found: Mapping[str, Any] = json.loads(self.item["body"])
        return found

    def of(self, audience: str, via: str = "") -> bool:
        """Whether it was for this audience, through this channel, carrier or desk."""
        return self.item["audience"] == audience and via in ("", self.item["via"])


@dataclass(frozen=True)
class Evidence:
    """`events` as they came over the bus, repeats included; `calls` as the recorder kept them."""

    events: Sequence[Mapping[str, Any]]
    calls: Sequence[Mapping[str, Any]]
    items: Sequence[Item]
    stuck: Mapping[str, int] = field(default_factory=dict)
    """Messages in dead-letter queues, by queue."""

    @cached_property
    def facts(self) -> dict[str, Mapping[str, Any]]:
        """Every event once, by id, in the order in which they were first said."""
        found: dict[str, Mapping[str, Any]] = {}
        for event in self.events:
            found.setdefault(event["id"], event)
        return found

    @cached_property
    def messages(self) -> list[Mapping[str, Any]]:
        """Calls that ask or tell somebody something; reading again is no message."""
        return [call for call in self.calls if call["method"] != "GET"]

    @cached_property
    def effects(self) -> list[Effect]:
        """Everything planned; what was called comes in the order of its first call."""
        by_cause: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
        for call in self.messages:
            by_cause[call["channel"], call["cause"]].append(call)
        plans = [item for item in self.items if item["pk"].startswith("OUTBOX#")]
        places = {id(call): n for n, call in enumerate(self.messages)}
        found = [Effect(i, tuple(by_cause[i["via"], i["cause"][0]])) for i in plans]
        return sorted(found, key=lambda e: places[id(e.calls[0])] if e.calls else len(places))

    @cached_property
    def orders(self) -> dict[str, OrderState]:
        """Every order the table knows, folded, by its key."""
        kept: dict[str, list[Event]] = defaultdict(list)
        for item in self.items:
            if item["pk"].startswith("ORDER#") and item["sk"].startswith("FACT#"):
                kept[item["pk"]].append(Event.parse(json.loads(item["event"])))
        return {key: fold(events) for key, events in sorted(kept.items())}

    @property
    def cases(self) -> set[str]:
        """Ids of the cases that were opened."""
        return {e["data"]["case_id"] for e in self.facts.values() if e["type"] == "case.opened"}

    @property
    def logged(self) -> set[str]:
        """Ids of the events in the log."""
        return {item["id"] for item in self.items if item["pk"].startswith("LOG#")}

    def outside(self) -> Iterator[str]:
        """Each message as one text that names it whole, as often as it was said."""
        for call in self.messages:
            yield json.dumps([call["channel"], call["url"], call["body"]], sort_keys=True)

    def picture(self) -> dict[str, Counter[str]]:
        """What must not change when a story is told again."""
        milestones = (
            f"{key} {reached.milestone} {reached.occasion} by {reached.witness.id}"
            for key, state in self.orders.items()
            for reached in state.reached
        )
        return {
            "messages outside": Counter(self.outside()),
            "facts on the bus": Counter(f"{e['type']} {i}" for i, e in self.facts.items()),
            "milestones of orders": Counter(milestones),
            "cases": Counter(self.cases),
            "plans": Counter(f"{e.item['pk']} {e.item['sk']} {e.state}" for e in self.effects),
            "rows in the log": Counter(
                f"{i['type']} {i['pk']} {i['sk']}" for i in self.items if i["pk"].startswith("LOG#")
            ),
        }
