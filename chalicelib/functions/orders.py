"""Orders move: the shop's word, verified money and the parcels' scans, folded into milestones.

Two-sided joins (order and parcel, order and chat request): each side writes its fact, then its
link, then reads the other side consistently, so whoever comes second sees both.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from chalice.app import Blueprint

from chalicelib import payloads as p
from chalicelib import wiring
from chalicelib.domain import orders as domain
from chalicelib.events import Event
from chalicelib.functions._facts import facts, keep, key
from chalicelib.functions._ports import Table
from chalicelib.functions._shell import Patterns, of, run

bp = Blueprint(__name__)
_PAYMENTS = (
    "payment.authorized payment.captured payment.failed payment.refunded payment.disputed"
    " payment.dispute_closed"
)
_SHOP = "order.placed order.changed order.fulfilled order.cancelled order.returned"


@dataclass(frozen=True)
class Orders:
    """`order.requested` of a chat's cart; `order.updated` at every milestone."""

    table: Table
    consumes: ClassVar[Patterns] = {
        **of(_SHOP),
        **of(_PAYMENTS, {"assurance": ["verified"]}),
        **of(" ".join(domain.PARCEL_RANK)),
        "message.received": {"content": {"kind": ["order_lines"]}},
    }
    emits: ClassVar[Patterns] = of("order.requested order.confirmed order.updated")

    def __call__(self, event: Event, now: datetime) -> Iterator[Event]:
        match event.data:
            case p.Message() as message:
                yield from self._requested(event, message, now)
            case p.Order() as order:
                yield from self._ordered(event, order, now)
            case p.Payment(order=p.OrderRef() as ref):
                pk = self._order(ref.shop, ref.order_id)
                keep(self.table, pk, event)
                yield from self._milestones(pk, event, now)
            case p.Parcel() as parcel:
                yield from self._moved(event, parcel, now)

    def _requested(self, event: Event, message: p.Message, now: datetime) -> Iterator[Event]:
        """A cart sent in a chat. Its id is the proof that an order names to claim the chat."""
        carts = [part.lines for part in message.content if isinstance(part, p.OrderLines)]
        lines = [line for cart in carts for line in cart]
        if not lines or not message.author.identity or message.synthetic or message.standby:
            return
        order = p.Order(
            channel=message.channel,
            account=message.account,
            shop=f"chat:{message.account}",
            order_id=message.message_id,
            lines=tuple(lines),
            total=sum((line.price * line.quantity for line in lines), start=lines[0].price * 0),
            currency=lines[0].currency,
            customer=message.author.identity,
            conversation_id=message.conversation_id,
            placed_at=event.time,
            note=message.text or None,
            lang=message.lang,
        )
        subject = "order/" + p.path(order.shop, order.order_id)
        request = event.causes("order.requested", order, subject, now=now)
        pk = key("REQUEST", request.id)
        keep(self.table, pk, request)
        yield request
        for link in self.table.query(pk, "ORDER#"):
            keep(self.table, link["order"], request)
            yield from self._milestones(link["order"], request, now)

    def _ordered(self, event: Event, order: p.Order, now: datetime) -> Iterator[Event]:
        pk = self._order(order.shop, order.order_id)
        keep(self.table, pk, event)
        if order.request:
            self._join(pk, key("REQUEST", order.request))
        for ref in order.parcels:
            self._join(pk, self._parcel(ref.carrier, ref.tracking_number))
        yield from self._milestones(pk, event, now)

    def _moved(self, event: Event, parcel: p.Parcel, now: datetime) -> Iterator[Event]:
        pk = self._parcel(parcel.carrier, parcel.tracking_number)
        keep(self.table, pk, event)
        for ref in parcel.orders:
            self._join(self._order(ref.shop, ref.order_id), pk)
        for link in self.table.query(pk, "ORDER#"):
            keep(self.table, link["order"], event)
            yield from self._milestones(link["order"], event, now)

    def _join(self, order: str, other: str) -> None:
        """Link first, then copy what the other side already knows."""
        self.table.put({"pk": other, "sk": order, "order": order})
        for known in facts(self.table.query(other, "FACT#")):
            keep(self.table, order, known)

    def _milestones(self, pk: str, event: Event, now: datetime) -> Iterator[Event]:
        """Every milestone that rests on this fact; its id is its witness's, whoever says it."""
        state = domain.fold(facts(self.table.query(pk, "FACT#")))
        for reached in state.reached:
            if event.id in reached.support:
                yield from self._told(state, reached, now)

    def _told(
        self, state: domain.OrderState, reached: domain.Reached, now: datetime
    ) -> Iterable[Event]:
        data = domain.updated(state, reached)
        subject = "order/" + p.path(data.shop, data.order_id)
        name = f"{subject}#{reached.milestone}/{reached.occasion}"  # one scan, several orders
        said = reached.witness.causes("order.updated", data, subject, now=now, discriminator=name)
        if reached.milestone == "confirmed" and state.request and state.latest:
            placed = reached.witness
            yield placed.causes("order.confirmed", state.latest, subject, now=now)
        yield said

    @staticmethod
    def _order(shop: str, order_id: str) -> str:
        return key("ORDER", p.path(shop, order_id))

    @staticmethod
    def _parcel(carrier: str, number: str) -> str:
        return key("PARCEL", domain.parcel_path(carrier, number))


@bp.lambda_function(name="orders")
def orders(batch: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda: records of the orders queue."""
    return run(Orders(wiring.table()), batch, context)
