"""Shippers are told, once, when an order is paid; and asked to hold it when it is cancelled."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

from chalice.app import Blueprint

from chalicelib import payloads as p
from chalicelib import wiring
from chalicelib.domain.outbox import FRESH, Plan, as_json
from chalicelib.events import Event, caused_id
from chalicelib.functions._outbox import Outbox
from chalicelib.functions._shell import Patterns, run
from chalicelib.jsons import text_of
from chalicelib.outbound import Shipment

bp = Blueprint(__name__)
_ACTIONS: dict[str, Literal["ship", "hold"]] = {"paid": "ship", "cancelled": "hold"}


@dataclass(frozen=True)
class Shippers:
    """Plans; `sender` asks, and says `shipper.notified`."""

    outbox: Outbox
    settings: Callable[[], dict[str, Any]]
    consumes: ClassVar[Patterns] = {"order.updated": {"milestone": list(_ACTIONS)}}
    emits: ClassVar[Patterns] = {}
    plans: ClassVar[str] = "shipper"

    def __call__(self, event: Event, now: datetime) -> Iterable[Event]:
        order = event.data
        if isinstance(order, p.OrderUpdated) and (action := _ACTIONS.get(order.milestone)):
            for shipper in self.settings().get("shippers", ()):
                self.outbox.plan(_plan(event, order, action, shipper), now)
        return ()


def _plan(
    event: Event, order: p.OrderUpdated, action: Literal["ship", "hold"], shipper: str
) -> Plan:
    parcel = order.parcels[0] if order.parcels else None
    shipment = Shipment(
        key=caused_id(event.subject, action, shipper),
        action=action,
        shop=order.shop,
        order_id=order.order_id,
        order_number=order.order_number,
        ship_to=order.ship_to,
        carrier=parcel.carrier if parcel else None,
        tracking_number=parcel.tracking_number if parcel else None,
        at=event.recordedtime,
    )
    return Plan(
        subject=event.subject,
        milestone=action,
        occasion=shipper,
        audience="shipper",
        via=shipper,
        account="default",
        body=text_of(as_json(shipment)),
        cause=event.cause,
        send_at=event.recordedtime,
        fresh_until=event.effective + 7 * FRESH,
    )


@bp.lambda_function(name="shippers")
def shippers(batch: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda: records of the shippers queue."""
    outbox = Outbox(wiring.table(), wiring.outbox_queue())
    return run(Shippers(outbox, wiring.settings().read), batch, context)
