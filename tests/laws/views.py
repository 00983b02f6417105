"""What must be equal, whatever the order of arrival: read from the table, compared as values."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from chalicelib import payloads as p
from chalicelib.domain import cases, orders
from chalicelib.domain.outbox import Planned
from chalicelib.events import Event, iso
from chalicelib.functions._cases import contact_of
from chalicelib.functions._facts import facts
from chalicelib.outbound import Call, Response
from tests.fakes import Outside
from tests.world import World


class Bank(Outside):
    """Confirms every payment asked about; says yes to everything else."""

    def __init__(self, history: list[Event]) -> None:
        super().__init__(self._answer)
        self.ledger = {e.data.payment_id: e for e in history if isinstance(e.data, p.Payment)}

    def _answer(self, call: Call) -> Response:
        claimed = self.ledger.get(call.url.rpartition("/")[2])
        if claimed is None or not isinstance(claimed.data, p.Payment):
            return Response(200, {}, b"{}")
        said = {
            "status": claimed.type.partition(".")[2],
            "amount": str(claimed.data.amount),
            "currency": claimed.data.currency,
        }
        return Response(200, {}, json.dumps(said).encode())

    @property
    def messages(self) -> list[Call]:
        """What was said; reading again is no message."""
        return [call for call in self.calls if call.method != "GET"]


def partitions(world: World, kind: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    keys = sorted({pk for pk, _ in world.table.items if pk.startswith(kind)})
    for pk in keys:
        yield pk, world.table.query(pk)


def order_states(world: World) -> dict[str, orders.OrderState]:
    return {pk: orders.fold(facts(items)) for pk, items in partitions(world, "ORDER#")}


def of_orders(world: World) -> dict[str, Any]:
    """Facts with their effective times, milestones with their witnesses, what is said of them."""
    return {
        pk: (
            [(e.id, iso(e.effective)) for e in state.facts],
            [(r.milestone, r.occasion, r.witness.id, r.amount) for r in state.reached],
            [p.plain(orders.updated(state, r)) for r in state.reached],
        )
        for pk, state in order_states(world).items()
    }


def of_parcels(world: World) -> dict[str, Any]:
    found = {}
    for pk, items in partitions(world, "PARCEL#"):
        known = facts(items)
        last = orders.parcel_status(known)
        found[pk] = (sorted((e.id, iso(e.effective)) for e in known), last and last.id)
    return found


def of_registers(world: World) -> dict[tuple[str, str], Any]:
    """Statuses, consents, last sights: items that hold the greatest of what was said."""
    kinds, used = ("SENT#", "IDENTITY#"), ("event", "token", "token_until", "token_taken_by")
    return {
        place: {name: value for name, value in item.items() if name not in used}
        for place, item in sorted(world.table.items.items())
        if place[0].startswith(kinds)
    }


def episodes(world: World) -> list[cases.Episode]:
    found = []
    for pk, items in partitions(world, "CASE#"):
        contacts = [contact_of(i) for i in items if i["sk"].startswith("CONTACT#")]
        found += cases.episodes(pk.partition("#")[2], contacts)
    return found


def of_cases(world: World) -> list[Any]:
    return [
        (e.issue, e.case_id, e.contacts, e.severity, e.about, e.generation) for e in episodes(world)
    ]


def told_milestones(world: World) -> set[tuple[str, str, str]]:
    """(order, milestone, occasion) of every `order.updated` on the bus."""
    said = [e for e in world.bus if isinstance(e.data, p.OrderUpdated)]
    return {(e.subject, e.data.milestone, e.data.occasion) for e in said}  # type: ignore[attr-defined]


def plans(world: World) -> dict[str, Planned]:
    found = [Planned.read(i) for _, items in partitions(world, "OUTBOX#") for i in items]
    return {plan.key: plan for plan in found}


def names(call: Call) -> str:
    """A message as its platform knows it: the same text to the same person by the same key."""
    body = json.loads(call.body)
    key = call.headers.get("x-line-retry-key") or call.headers.get("webhook-id")
    return f"{call.url} {key or json.dumps(body, sort_keys=True)}"


def twice(calls: list[Call]) -> list[str]:
    """Messages that were said more than once."""
    return [name for name, count in Counter(map(names, calls)).items() if count > 1]
