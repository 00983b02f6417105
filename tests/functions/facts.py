"""Facts as the adapters say them of our own samples, told at the tests' noon."""

from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

from chalicelib import payloads as p
from chalicelib import sources
from chalicelib.events import Event, caused_id
from tests import samples
from tests.samples import NOW

ANN = p.Identity(
    channel="whatsapp",
    scope="190300550011223",
    subject="US.80214455101987",
    aliases=("15550107734",),
)
WITH_ANN = "whatsapp/190300550011001/US.80214455101987"
UPS = p.ParcelRef(carrier="ups", tracking_number="1Z999AA10123456784")


def heard(sample: str, place: int = 0, **changes: Any) -> Event:
    """The event number `place` of a sample, said now; `changes` are of its data."""
    event = _heard(sample)[place]
    data = event.data.model_copy(update=changes)
    return replace(event, time=NOW, recordedtime=NOW, timesuspect=False, data=data)


@cache
def _samples() -> dict[str, samples.Sample]:
    return {str(sample): sample for sample in samples.of_project()}


@cache
def _heard(name: str) -> list[Event]:
    found = _samples()[name]
    source = sources.get(found.source)
    return source.receive(samples.signed(found), samples.secrets(found.source))


def said(text: str, sample: str = "whatsapp/text", **changes: Any) -> Event:
    """A message in somebody's words."""
    return heard(sample, content=(p.Text(text=text),), **changes)


CART = heard("whatsapp/order")
REQUEST = caused_id(CART.id, "order.requested")
PLACED = heard("shopify/orders_create", request=None)
OF_CHAT = heard("shopify/orders_create", request=REQUEST)
CLAIMED = heard("shopify/orders_paid", 1)
PAID = heard("shopify/orders_paid", 1, assurance="verified")
FULFILLED = heard("shopify/fulfillments_create")
SCANNED = heard("easypost/tracker_updated_in_transit")
DELIVERED = heard("easypost/tracker_updated_delivered")
BROKEN = heard("easypost/tracker_updated_failure")
COMPLAINT = "My lamp arrived broken and smashed, this is unacceptable! Order #1042"


def updated(milestone: str = "paid", **changes: Any) -> Event:
    """The projection of Ann's order at a milestone, as `orders` says it."""
    order = p.OrderUpdated(
        shop="shopify:lumen-lamps.myshopify.com",
        order_id="5731946201234",
        order_number="#1042",
        milestone=milestone,  # type: ignore[arg-type]
        at=NOW,
        revision=3,
        total=Decimal("152.00"),
        currency="USD",
        customer=ANN,
        conversation_id=WITH_ANN,
        ship_to="Ines Okafor, 18 Harbour Lane, Flat 3, Portland, Oregon, 97201, United States",
        parcels=(UPS,),
        lang="en",
    ).model_copy(update=changes)
    return PLACED.causes("order.updated", order, PLACED.subject, now=NOW, discriminator=milestone)


def classified(text: str = COMPLAINT, sample: str = "whatsapp/text") -> Event:
    """What triage makes of a text."""
    from chalicelib.functions.triage import Triage
    from chalicelib.reading import reader

    return next(Triage(reader())(said(text, sample), NOW))


def wish(text: str = "It is with UPS and should be with you tomorrow.") -> Event:
    """Somebody wants Ann to be answered."""
    data = p.ReplyRequested(
        to=ANN, conversation_id=WITH_ANN, purpose="answer", about=CART.subject, text=text
    )
    return CART.causes("reply.requested", data, CART.subject, now=NOW)
