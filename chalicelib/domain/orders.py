"""What is so about an order, given its facts: any order of arrival, any duplicates, one answer.

Facts are events of one order: order.*, verified payment.*, parcel.* of its parcels, and the chat
request it answers. A milestone is reached when its slot holds a fact and the order is known; its
*witness* is the least (effective time, id) fact of the slot, so every handler that sees the same
facts names the same milestone by the same id.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from itertools import accumulate
from operator import or_

from chalicelib import payloads as p
from chalicelib.events import Event

_SHIPPED = ("parcel.handed_over", "parcel.in_transit")
_PARCEL_MILESTONES = {
    "parcel.out_for_delivery": "out_for_delivery",
    "parcel.available_for_pickup": "ready_for_pickup",
    "parcel.delivered": "delivered",
}
_REPEATABLE = {"parcel.attempt_failed": "attempt_failed", "parcel.exception": "exception"}
_ORDER_MILESTONES = {
    "order.cancelled": "cancelled",
    "order.returned": "returned",
    "parcel.returned": "returned",
}
_NAMELESS = "shopify"
PARCEL_RANK = {
    "parcel.registered": 0,
    "parcel.eta_changed": 0,
    "parcel.handed_over": 1,
    "parcel.in_transit": 2,
    "parcel.available_for_pickup": 3,
    "parcel.out_for_delivery": 3,
    "parcel.attempt_failed": 4,
    "parcel.exception": 4,
    "parcel.returned": 5,
    "parcel.delivered": 6,
}
"""Of two scans at the same moment the further one counts (EVENTS, law 2)."""


@dataclass(frozen=True)
class Reached:
    """A milestone, which one of its kind, and the fact that proves it."""

    milestone: str
    occasion: str
    witness: Event
    support: frozenset[str]
    """Ids of the facts without which it were not reached: whoever handles one of them says it."""
    amount: Decimal | None = None


@dataclass(frozen=True)
class OrderState:
    """The fold. `facts` are distinct events, least first."""

    facts: tuple[Event, ...]

    @property
    def placed(self) -> Event | None:
        """The order as the shop first told it; without it nobody is told anything."""
        return self._least("order.placed")

    @property
    def request(self) -> Event | None:
        """What was asked for in the chat, if this order answers a chat."""
        return self._least("order.requested")

    @property
    def known(self) -> bool:
        """Told by the shop, and joined to its chat when it names one."""
        return self.placed is not None and (self.request is not None or not self._asked_in_chat)

    @property
    def latest(self) -> p.Order | None:
        """The order as the shop last told it, by version, else by time; what the last word leaves
        out is as it was told before."""
        told = self._of("order.placed", "order.changed")
        ordered = sorted(told, key=lambda e: (_order(e).version or "", *e.rank))
        if not ordered:
            return None
        known = [
            {n: v for n, v in _order(e).__dict__.items() if v not in (None, ())} for e in ordered
        ]
        return _order(ordered[-1]).model_copy(update=reduce(or_, known))

    @property
    def parcels(self) -> tuple[p.ParcelRef, ...]:
        """Every parcel that an order fact or a parcel fact named, sorted."""
        named = {(r.carrier, r.tracking_number) for e in self._orders for r in _order(e).parcels}
        named |= {(d.carrier, d.tracking_number) for d in map(_parcel, self._parcels)}
        return tuple(p.ParcelRef(carrier=c, tracking_number=n) for c, n in sorted(named))

    @property
    def reached(self) -> tuple[Reached, ...]:
        """Every milestone so far; a grow-only set."""
        if not self.known or not (placed := self.placed):
            return ()
        base = frozenset(e.id for e in (placed, self.request) if e)
        found = [
            Reached("confirmed", "", placed, base),
            *self._paid(base),
            *self._of_parcels(base),
            *self._of_order(base),
            *self._refunds(base),
        ]
        return tuple(found)

    def _paid(self, base: frozenset[str]) -> Iterator[Reached]:
        captures = [e for e in self.facts if e.type == "payment.captured"]
        by_payment = {_payment(e).payment_id: e for e in reversed(captures)}
        ordered = sorted(by_payment.values(), key=lambda e: e.rank)
        total = _order(self.placed).total if self.placed else None
        sums = accumulate(_payment(e).amount for e in ordered)
        for event, paid in zip(ordered, sums, strict=True):
            if total is None or paid >= total:
                yield Reached("paid", "", event, base | {e.id for e in ordered}, paid)
                return

    def _refunds(self, base: frozenset[str]) -> Iterator[Reached]:
        for ident, event in self._first_by(lambda e: _payment(e).payment_id, "payment.refunded"):
            yield Reached("refunded", ident, event, base | {event.id}, _payment(event).amount)

    def _of_order(self, base: frozenset[str]) -> Iterator[Reached]:
        for milestone in dict.fromkeys(_ORDER_MILESTONES.values()):
            types = [t for t, m in _ORDER_MILESTONES.items() if m == milestone]
            if event := self._least(*types):
                links = self._links(_parcel_path(event)) if event in self._parcels else frozenset()
                yield Reached(milestone, "", event, base | links | {event.id})

    def _of_parcels(self, base: frozenset[str]) -> Iterator[Reached]:
        yield from self._shipped(base)
        for type_, milestone in _PARCEL_MILESTONES.items():
            for parcel, event in self._first_by(_parcel_path, type_):
                yield Reached(milestone, parcel, event, base | self._links(parcel) | {event.id})
        for type_, milestone in _REPEATABLE.items():
            for occasion, event in self._first_by(_parcel_on_day, type_):
                support = base | self._links(_parcel_path(event)) | {event.id}
                yield Reached(milestone, occasion, event, support)

    def _shipped(self, base: frozenset[str]) -> Iterator[Reached]:
        """Said by the shop (order.fulfilled names its parcels) or by a scan, whichever is first."""
        first: dict[str, Event] = {}
        for event in self._of("order.fulfilled", *_SHIPPED):
            for parcel in _paths(event) or ("",):
                first.setdefault(parcel, event)
        for parcel, event in first.items():
            yield Reached("shipped", parcel, event, base | self._links(parcel) | {event.id})

    def _links(self, parcel: str) -> frozenset[str]:
        """Facts that say this parcel belongs to this order."""
        said = (e.id for e in self._orders if parcel in _paths(e))
        named = (e.id for e in self._parcels if _parcel_path(e) == parcel and _parcel(e).orders)
        return frozenset((*said, *named))

    @property
    def _asked_in_chat(self) -> bool:
        return any(_order(e).request for e in self._of("order.placed", "order.changed"))

    @property
    def _orders(self) -> list[Event]:
        return [e for e in self.facts if e.type.startswith("order.")]

    @property
    def _parcels(self) -> list[Event]:
        return [e for e in self.facts if e.type.startswith("parcel.")]

    def _of(self, *types: str) -> list[Event]:
        return [e for e in self.facts if e.type in types and not self._nameless(e)]

    def _nameless(self, event: Event) -> bool:
        """A scan told by Shopify's own fulfilment, of an order whose parcel has a number."""
        if not isinstance(event.data, p.Parcel) or event.data.carrier != _NAMELESS:
            return False
        return any(ref.carrier != _NAMELESS for ref in self.parcels)

    def _least(self, *types: str) -> Event | None:
        return next(iter(self._of(*types)), None)

    def _first_by(self, key: Callable[[Event], str], type_: str) -> list[tuple[str, Event]]:
        first: dict[str, Event] = {}
        for event in self._of(type_):
            first.setdefault(key(event), event)
        return list(first.items())


def fold(facts: Iterable[Event]) -> OrderState:
    """The state that these facts make. Of copies of one event the least effective one counts."""
    distinct: dict[str, Event] = {}
    for event in sorted(facts, key=lambda e: e.rank):
        distinct.setdefault(event.id, event)
    return OrderState(tuple(distinct.values()))


def parcel_status(facts: Iterable[Event]) -> Event | None:
    """The scan greatest by (scan time, rank, id): where the parcel is."""
    scans = (e for e in facts if e.type in PARCEL_RANK)
    return max(scans, key=_scan_order, default=None)


def updated(state: OrderState, reached: Reached) -> p.OrderUpdated:
    """The projection at a milestone, as `order.updated` says it."""
    order = state.latest
    assert order is not None  # a milestone is reached only by a known order
    asked = _order(state.request) if state.request else order
    witness = reached.witness.data
    return p.OrderUpdated(
        shop=order.shop,
        order_id=order.order_id,
        order_number=order.order_number or order.order_id,
        milestone=reached.milestone,  # type: ignore[arg-type]
        occasion=reached.occasion,
        at=reached.witness.effective,
        revision=len(state.facts),
        total=order.total,
        currency=order.currency,
        amount=reached.amount,
        customer=asked.customer,
        conversation_id=asked.conversation_id,
        ship_to=order.ship_to or asked.ship_to,
        parcels=state.parcels,
        tracking_url=witness.tracking_url if isinstance(witness, p.Parcel) else None,
        eta_until=witness.eta_until if isinstance(witness, p.Parcel) else None,
        lang=asked.lang or order.lang,
    )


def parcel_path(carrier: str, number: str) -> str:
    """A parcel's place in keys: `carrier/NUMBER`."""
    return p.path(carrier, number)


def _paths(event: Event) -> tuple[str, ...]:
    if isinstance(event.data, p.Parcel):
        return (_parcel_path(event),)
    return tuple(parcel_path(r.carrier, r.tracking_number) for r in _order(event).parcels)


def _parcel_path(event: Event) -> str:
    return parcel_path(_parcel(event).carrier, _parcel(event).tracking_number)


def _parcel_on_day(event: Event) -> str:
    """By the scan's own day: a copy of the fact that was recorded later has the same."""
    scan = _parcel(event).scan
    return f"{_parcel_path(event)}@{scan.at if scan else event.effective:%Y-%m-%d}"


def _scan_order(event: Event) -> tuple[object, int, str]:
    scan = _parcel(event).scan
    at = min(scan.at, event.effective) if scan else event.effective
    return (at, PARCEL_RANK[event.type], event.id)


def _order(event: Event | None) -> p.Order:
    assert event is not None and isinstance(event.data, p.Order)
    return event.data


def _payment(event: Event) -> p.Payment:
    assert isinstance(event.data, p.Payment)
    return event.data


def _parcel(event: Event) -> p.Parcel:
    assert isinstance(event.data, p.Parcel)
    return event.data
