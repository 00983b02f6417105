"""The fold of an order, case by case; its laws are in tests/laws."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from chalicelib import payloads as p
from chalicelib.domain import orders
from chalicelib.events import Event, iso
from tests.fakes import NOON
from tests.laws.said import ALICE, CART, REQUEST, SHOP, fact, order

UPS = p.ParcelRef(carrier="ups", tracking_number="1Z")
DHL = p.ParcelRef(carrier="dhl", tracking_number="JJD")
TOTAL: dict[str, Any] = {"total": Decimal("30.00"), "currency": "USD", "order_number": "#1"}


def told(type: str, minute: int = 0, **more: Any) -> Event:
    at = NOON + timedelta(minutes=minute)
    return fact(f"order.{type}", f"{type}-{minute}", at, order("1", **more))


def paid(amount: str, minute: int = 1, type: str = "captured", ident: str = "") -> Event:
    data = p.Payment(
        channel="shopify", account="a", payment_id=ident or f"{type}-{minute}", provider="till",
        order=p.OrderRef(shop=SHOP, order_id="1"), amount=Decimal(amount), currency="USD",
        assurance="verified",
    )  # fmt: skip
    name = f"{data.payment_id}-{minute}"
    return fact(f"payment.{type}", name, NOON + timedelta(minutes=minute), data)


def scan(type: str, minute: int = 2, ref: p.ParcelRef = UPS, at: Any = None, **more: Any) -> Event:
    when = NOON + timedelta(minutes=minute)
    data = p.Parcel(
        channel="easypost", account="a", scan=p.Scan(at=at or when), **dict(ref), **more
    )
    return fact(f"parcel.{type}", f"{type}-{minute}-{ref.carrier}", when, data)


PLACED = told("placed", **TOTAL)


def reached(*facts: Event) -> list[tuple[str, str]]:
    return sorted((r.milestone, r.occasion) for r in orders.fold(facts).reached)


# -- who is told at all --------------------------------------------------------------------------


def test_nobody_is_told_of_an_order_that_the_shop_never_told() -> None:
    assert reached(paid("30.00"), scan("delivered"), told("cancelled", 3)) == []


def test_an_order_is_confirmed_when_it_is_placed() -> None:
    assert reached(PLACED) == [("confirmed", "")]


def test_an_order_that_names_a_chat_waits_for_it() -> None:
    placed = told("placed", request=REQUEST, **TOTAL)
    assert reached(placed, paid("30.00")) == []
    cart = p.Order(channel="whatsapp", account="a", shop="chat:a", order_id="m", customer=ALICE)
    request = CART.causes("order.requested", cart, "order/chat:a/m", now=NOON)
    assert reached(placed, request) == [("confirmed", "")]
    state = orders.fold([placed, request])
    assert orders.updated(state, state.reached[0]).customer == ALICE


# -- money ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amounts", "complete"),
    [
        (["30.00"], True),
        (["10.00", "20.00"], True),
        (["10.00", "19.99"], False),
        (["40.00"], True),
        ([], False),
    ],
)
def test_an_order_is_paid_when_all_of_it_is(amounts: list[str], complete: bool) -> None:
    money = [paid(amount, n + 1) for n, amount in enumerate(amounts)]
    assert (("paid", "") in reached(PLACED, *money)) is complete


def test_the_same_payment_told_twice_is_paid_once() -> None:
    first, again = paid("15.00", 1, ident="p1"), paid("15.00", 2, ident="p1")
    assert ("paid", "") not in reached(PLACED, first, again)


def test_paid_is_the_moment_the_last_part_came() -> None:
    [whole] = [
        r
        for r in orders.fold([PLACED, paid("10.00", 1), paid("20.00", 2)]).reached
        if r.milestone == "paid"
    ]
    assert (whole.witness.time, whole.amount) == (NOON + timedelta(minutes=2), Decimal("30.00"))


def test_an_authorisation_a_failure_or_a_dispute_pays_nothing() -> None:
    others = [paid("30.00", n, type) for n, type in enumerate(("authorized", "failed", "disputed"))]
    assert reached(PLACED, *others) == [("confirmed", "")]


def test_every_refund_is_told_with_its_amount() -> None:
    two = [paid("5.00", 3, "refunded", "r1"), paid("7.00", 4, "refunded", "r2")]
    state = orders.fold([PLACED, *two])
    found = {r.occasion: r.amount for r in state.reached if r.milestone == "refunded"}
    assert found == {"r1": Decimal("5.00"), "r2": Decimal("7.00")}


# -- parcels -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type", "milestone"),
    [
        ("handed_over", "shipped"),
        ("in_transit", "shipped"),
        ("out_for_delivery", "out_for_delivery"),
        ("available_for_pickup", "ready_for_pickup"),
        ("delivered", "delivered"),
    ],
)
def test_what_a_scan_means(type: str, milestone: str) -> None:
    assert (milestone, "ups/1Z") in reached(PLACED, scan(type))


@pytest.mark.parametrize("type", ["registered", "eta_changed"])
def test_a_label_is_no_milestone(type: str) -> None:
    assert reached(PLACED, scan(type)) == [("confirmed", "")]


def test_a_shipment_is_told_once_by_shop_or_scan_whichever_is_first() -> None:
    fulfilled = told("fulfilled", 1, parcels=(UPS,))
    state = orders.fold([PLACED, scan("in_transit", 5), fulfilled, scan("handed_over", 3)])
    [shipped] = [r for r in state.reached if r.milestone == "shipped"]
    assert shipped.witness == fulfilled


def test_each_parcel_is_told_of() -> None:
    found = reached(PLACED, scan("delivered", 2, UPS), scan("delivered", 3, DHL))
    assert found[1:] == [("delivered", "dhl/JJD"), ("delivered", "ups/1Z")]


def test_a_failed_attempt_is_told_once_a_day() -> None:
    days = [NOON - timedelta(hours=23), NOON - timedelta(hours=22), NOON - timedelta(minutes=1)]
    scans = [scan("attempt_failed", n, at=at) for n, at in enumerate(days)]
    assert reached(PLACED, *scans)[:2] == [
        ("attempt_failed", "ups/1Z@2026-11-19"),
        ("attempt_failed", "ups/1Z@2026-11-20"),
    ]


def test_a_return_is_told_by_shop_or_carrier_once() -> None:
    found = reached(PLACED, told("returned", 9), scan("returned", 4))
    assert found == [("confirmed", ""), ("returned", "")]


def test_whoever_joins_parcel_and_order_says_what_the_parcel_reached() -> None:
    joins = told("changed", 6, parcels=(UPS,))
    state = orders.fold([PLACED, scan("delivered", 2), scan("returned", 4), joins])
    for milestone in ("delivered", "returned"):
        [found] = [r for r in state.reached if r.milestone == milestone]
        assert joins.id in found.support


def test_a_nameless_parcel_of_the_shop_is_not_told_beside_its_number() -> None:
    nameless = p.ParcelRef(carrier="shopify", tracking_number="F1")
    assert ("delivered", "shopify/F1") in reached(PLACED, scan("delivered", 2, nameless))
    both = reached(PLACED, scan("delivered", 2, nameless), scan("delivered", 3, UPS))
    assert [occasion for milestone, occasion in both if milestone == "delivered"] == ["ups/1Z"]


# -- what is said --------------------------------------------------------------------------------


def test_the_last_word_counts_and_forgets_nothing() -> None:
    older = told("changed", 5, version=iso(NOON), note="old", ship_to="Main St 1")
    newer = told("changed", 1, version=iso(NOON + timedelta(hours=1)), note="new")
    latest = orders.fold([PLACED, older, newer]).latest
    assert latest
    assert (latest.note, latest.ship_to, latest.order_number) == ("new", "Main St 1", "#1")


def test_an_update_tells_the_whole_order() -> None:
    tracked = scan("out_for_delivery", 3, tracking_url="https://ups.example/1Z", eta_until=NOON)
    state = orders.fold([PLACED, tracked])
    said = orders.updated(state, state.reached[-1])
    assert (said.milestone, said.occasion, said.revision) == ("out_for_delivery", "ups/1Z", 2)
    assert (said.tracking_url, said.eta_until) == ("https://ups.example/1Z", NOON)
    assert (said.total, said.order_number, said.parcels) == (Decimal("30.00"), "#1", (UPS,))


def test_a_parcel_without_scans_is_nowhere() -> None:
    assert orders.parcel_status([]) is None


def test_a_scan_from_tomorrow_counts_no_later_than_it_was_told() -> None:
    real, broken = scan("delivered", 2), scan("in_transit", 1, at=NOON + timedelta(days=400))
    assert orders.parcel_status([broken, real]) == real
