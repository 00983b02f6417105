"""Orders move on what shops, verified money and parcels say, in any order of arrival."""

from decimal import Decimal
from typing import Any

import pytest

from chalicelib import payloads as p
from chalicelib import wiring
from tests.functions import facts
from tests.functions.facts import heard
from tests.functions.hub import Hub
from tests.gateways.aws import Aws

ORDER = "ORDER#shopify:lumen-lamps.myshopify.com/5731946201234"


@pytest.fixture
def hub(aws: Aws) -> Hub:
    return Hub(aws)


def milestones(aws: Aws) -> list[str]:
    return [e.data.milestone for e in aws.heard() if isinstance(e.data, p.OrderUpdated)]


def test_an_order_is_confirmed_and_paid_in_any_order_of_arrival(hub: Hub, aws: Aws) -> None:
    hub.deliver("orders", facts.PAID)
    assert aws.said() == [], "money for an order that nobody knows is kept"
    hub.deliver("orders", facts.PLACED)
    assert sorted(milestones(aws)) == ["confirmed", "paid"]


def test_an_order_that_is_told_twice_is_the_same_twice(hub: Hub, aws: Aws) -> None:
    hub.deliver("orders", facts.PLACED, facts.PLACED)
    first, second = (e for e in aws.heard() if e.type == "order.updated")
    assert first == second
    assert len(wiring.table().query(ORDER)) == 1


@pytest.mark.parametrize("amount", ["0.01", "151.99"])
def test_an_order_is_not_paid_by_less_than_its_total(hub: Hub, aws: Aws, amount: str) -> None:
    part = heard("shopify/orders_paid", 1, assurance="verified", amount=Decimal(amount))
    hub.deliver("orders", facts.PLACED, part)
    assert milestones(aws) == ["confirmed"]


def test_a_parcel_joins_the_order_that_names_it_whoever_comes_first(hub: Hub, aws: Aws) -> None:
    hub.deliver("orders", facts.SCANNED, facts.PLACED)
    assert milestones(aws) == ["confirmed"]
    hub.deliver("orders", facts.FULFILLED, facts.DELIVERED)
    assert set(milestones(aws)) == {"confirmed", "shipped", "delivered"}


def test_a_cart_from_a_chat_is_a_request_and_its_order_finds_the_customer(
    hub: Hub, aws: Aws
) -> None:
    hub.deliver("orders", facts.OF_CHAT)
    assert aws.said() == [], "it names a chat that nobody has heard yet"
    hub.deliver("orders", facts.CART)
    requested, confirmed, update = aws.heard()
    assert (requested.type, confirmed.type) == ("order.requested", "order.confirmed")
    assert isinstance(update.data, p.OrderUpdated)
    assert (update.data.customer, update.data.conversation_id) == (facts.ANN, facts.WITH_ANN)


@pytest.mark.parametrize("change", [{"synthetic": True}, {"standby": True}, {"content": ()}])
def test_a_cart_that_is_none_requests_nothing(hub: Hub, aws: Aws, change: dict[str, Any]) -> None:
    hub.deliver("orders", heard("whatsapp/order", **change))
    assert aws.said() == [] and aws.items() == []


def test_ids_longer_than_a_key_are_hashed_and_still_meet(hub: Hub, aws: Aws) -> None:
    long = {"order_id": "9" * 2000, "shop": "shopify:" + "é" * 1000}
    ref = p.OrderRef(**long)
    assert (
        hub.deliver(
            "orders",
            heard("shopify/orders_create", request=None, **long),
            heard("shopify/orders_paid", 1, assurance="verified", order=ref),
        )
        == []
    )
    assert milestones(aws) == ["confirmed", "paid"]
    assert all(len(i["pk"]["S"].encode()) <= 2048 for i in aws.items())
