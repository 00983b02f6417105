"""What one brand hears, as strategies: two orders, two parcels, three people, and their copies.

Times come from a pool of few, so they collide. Everything was said within the hours in which a
message about it is still fresh.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from chalicelib import payloads as p
from chalicelib.events import Event, caused_id, event_id, iso, subject_of
from tests.fakes import NOON

BEGIN = NOON - timedelta(hours=10)
SHOP = "shopify:demo.myshopify.com"
SLOTS = [BEGIN + timedelta(minutes=7 * n) for n in range(6)]
MILESTONE_SCANS = (
    "parcel.registered parcel.handed_over parcel.in_transit parcel.out_for_delivery"
    " parcel.attempt_failed parcel.available_for_pickup parcel.delivered parcel.exception"
    " parcel.returned parcel.eta_changed"
).split()
ALICE = p.Identity(channel="whatsapp", scope="waba-1", subject="491711234567")
BOB = p.Identity(channel="line", scope="U-brand", subject="U-bob")
CAROL = p.Identity(channel="line", scope="U-brand", subject="U-carol")
WITH_ALICE = "whatsapp/phone-1/491711234567"
WITH_BOB = "line/U-brand/U-bob"
PARCELS = (
    p.ParcelRef(carrier="ups", tracking_number="1Z999AA10123456784"),
    p.ParcelRef(carrier="usps", tracking_number="9400100000000000000000"),
)


def fact(type: str, name: str, at: datetime, data: Any, *, suspect: bool = False) -> Event:
    """A fact as the front door names it; `name` is the provider's id of it."""
    ident = event_id(data.channel, data.account, name, 0, type)
    return Event(
        id=ident,
        type=type,
        source=f"/channels/{p.path(data.channel, data.account)}",
        subject=subject_of(data),
        time=NOON if suspect else at,
        recordedtime=NOON,
        data=data,
        correlationid=ident,
        timesuspect=suspect,
    )


def again(event: Event, later: timedelta) -> Event:
    """The platform's retry: the same fact, recorded later; a time it never gave moves along."""
    recorded = event.recordedtime + later
    return replace(event, recordedtime=recorded, time=recorded if event.timesuspect else event.time)


def _line(price: str, quantity: int = 1) -> p.Line:
    return p.Line(sku="LAMP", quantity=quantity, price=Decimal(price), currency="USD")


CART = fact(
    "message.received",
    "wamid.cart",
    BEGIN,
    p.Message(
        channel="whatsapp",
        account="phone-1",
        message_id="wamid.cart",
        conversation_id=WITH_ALICE,
        author=p.Author(kind="customer", identity=ALICE),
        content=(p.OrderLines(lines=(_line("30.00"),)),),
    ),
)
REQUEST = caused_id(CART.id, "order.requested")


def order(order_id: str, **more: Any) -> p.Order:
    return p.Order(
        channel="shopify", account="demo.myshopify.com", shop=SHOP, order_id=order_id, **more
    )


PLACED = {
    "1001": fact(
        "order.placed",
        "placed-1001",
        SLOTS[0],
        order(
            "1001",
            order_number="#1001",
            lines=(_line("30.00"),),
            total=Decimal("30.00"),
            currency="USD",
            request=REQUEST,
            version=iso(SLOTS[0]),
        ),
    ),
    "1002": fact(
        "order.placed",
        "placed-1002",
        SLOTS[0],
        order(
            "1002",
            order_number="#1002",
            total=Decimal("30.00"),
            currency="USD",
            customer=BOB,
            conversation_id=WITH_BOB,
            version=iso(SLOTS[0]),
        ),
    ),
}
orders = st.sampled_from(sorted(PLACED))
times = st.sampled_from(SLOTS)
parcels = st.sampled_from(PARCELS)
suspect = st.booleans()


@st.composite
def changed(draw: st.DrawFn) -> Event:
    at, ident = draw(times), draw(orders)
    told = draw(st.lists(parcels, max_size=2, unique_by=lambda r: r.carrier))
    type = draw(st.sampled_from(["order.changed", "order.fulfilled"]))
    name = f"{type}-{ident}-{iso(at)}-{len(told)}-{''.join(r.carrier for r in told)}"
    note = draw(st.sampled_from([None, "ring twice"]))
    data = order(ident, parcels=tuple(told), version=iso(at), note=note)
    return fact(type, name + (note or ""), at, data)


@st.composite
def ended(draw: st.DrawFn) -> Event:
    at, ident = draw(times), draw(orders)
    type = draw(st.sampled_from(["order.cancelled", "order.returned"]))
    return fact(type, f"{type}-{ident}-{iso(at)}", at, order(ident))


@st.composite
def paid(draw: st.DrawFn) -> Event:
    """A claim about money; the provider (`Bank`) confirms every one of them."""
    at, ident = draw(times), draw(orders)
    type = draw(st.sampled_from(["payment.captured", "payment.captured", "payment.refunded"]))
    amount = draw(st.sampled_from(["10.00", "20.00", "30.00"]))
    money = p.Payment(
        channel="standard_webhooks",
        account="default",
        payment_id=f"{type.partition('.')[2]}-{amount}-{ident}-{SLOTS.index(at)}",
        provider="till",
        order=p.OrderRef(shop=SHOP, order_id=ident),
        amount=Decimal(amount),
        currency="USD",
    )
    return fact(type, money.payment_id, at, money)


@st.composite
def scanned(draw: st.DrawFn, types: Sequence[str] = MILESTONE_SCANS) -> Event:
    at, ref, type = draw(times), draw(parcels), draw(st.sampled_from(types))
    ident, named = draw(orders), draw(st.booleans())
    data = p.Parcel(
        channel="easypost",
        account="default",
        carrier=ref.carrier,
        tracking_number=ref.tracking_number,
        orders=(p.OrderRef(shop=SHOP, order_id=ident),) if named else (),
        scan=p.Scan(at=draw(times)),
    )
    code = f"{type}-{ref.carrier}-{iso(at)}-{iso(data.scan.at)}-{ident if named else ''}"  # type: ignore[union-attr]
    return fact(type, code, at, data, suspect=draw(suspect))


@st.composite
def status(draw: st.DrawFn) -> Event:
    state: Any = draw(st.sampled_from(["sent", "failed", "delivered", "read"]))
    at, message = draw(times), draw(st.sampled_from(["wamid.1", "wamid.2"]))
    data = p.Status(
        channel="whatsapp",
        account="phone-1",
        status=state,
        conversation_id=WITH_ALICE,
        at=at,
        message_id=message,
        identity=ALICE,
    )
    return fact(f"message.{state}", f"{message}:{state}:{iso(at)}", at, data)


@st.composite
def consented(draw: st.DrawFn) -> Event:
    """Of somebody who is written to about nothing, so that no message hangs on it."""
    at, way = draw(times), draw(st.sampled_from(["granted", "withdrawn"]))
    purpose = draw(st.sampled_from(["all", "order", "marketing"]))
    source = draw(st.sampled_from(["words", "unfollow"]))
    data = p.Consent(
        channel="line", account="U-brand", identity=CAROL, purpose=purpose, source=source
    )
    return fact(f"consent.{way}", f"{way}-{purpose}-{source}-{iso(at)}", at, data)


@st.composite
def complained(draw: st.DrawFn) -> Event:
    at, number = draw(times), draw(st.sampled_from([" #1001", " #1002", ""]))
    who, where = draw(st.sampled_from([(BOB, WITH_BOB), (ALICE, WITH_ALICE)]))
    text = f"The lamp arrived broken, this is unacceptable{number}"
    name = f"said-{who.subject}-{iso(at)}-{number}"
    data = p.Message(
        channel=who.channel,
        account=where.split("/")[1],
        message_id=name,
        conversation_id=where,
        author=p.Author(kind="customer", identity=who),
        content=(p.Text(text=text),),
    )
    return fact("message.received", name, at, data)


@st.composite
def linked(draw: st.DrawFn) -> Event:
    at = draw(times)
    data = p.Link(channel="line", account="U-brand", a=ALICE, b=BOB, evidence="accountLink")
    return fact("identity.linked", f"link-{iso(at)}", at, data)


def _some(strategy: st.SearchStrategy[Event], most: int) -> st.SearchStrategy[list[Event]]:
    return st.lists(strategy, max_size=most, unique_by=lambda event: event.id)


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Distinct facts, the earliest first."""
    found = [CART, *PLACED.values()]
    for strategy, most in (
        (changed(), 3),
        (ended(), 1),
        (paid(), 4),
        (scanned(), 6),
        (status(), 4),
        (consented(), 3),
        (complained(), 3),
        (linked(), 1),
    ):
        found += draw(_some(strategy, most))
    return sorted({e.id: e for e in found}.values(), key=lambda e: e.rank)


@st.composite
def arrivals(draw: st.DrawFn, history: list[Event]) -> list[Event]:
    """The same facts in any order, some of them again, recorded later."""
    extra = draw(st.lists(st.sampled_from(history), max_size=8))
    late = st.sampled_from([timedelta(), timedelta(seconds=40), timedelta(hours=13)])
    copies = [again(event, draw(late)) for event in extra]
    return draw(st.permutations([*history, *copies]))
