"""Money is read again at its source, or moves nothing."""

from decimal import Decimal

import pytest

from chalicelib import payloads as p
from chalicelib.outbound import Response
from tests.functions import facts
from tests.functions.facts import heard
from tests.functions.hub import Hub
from tests.gateways.aws import Aws


@pytest.fixture
def hub(aws: Aws) -> Hub:
    return Hub(aws)


TILL = heard("standard_webhooks/payment_captured")


def test_a_claim_of_money_is_read_again_at_its_source(hub: Hub, aws: Aws) -> None:
    assert hub.deliver("payments", TILL) == []
    [event] = aws.heard()
    assert isinstance(event.data, p.Payment) and event.data.assurance == "verified"
    assert event.data.amount == Decimal(4200) and event.causationid == TILL.id
    assert [(c.method, c.url) for c in hub.outside.calls] == [
        ("GET", "https://till.example/pay_5512")
    ]


@pytest.mark.parametrize(
    "answer",
    [
        Response(404),
        Response(200, {}, b"{}"),
        Response(200, {}, b'{"status": "failed", "amount": "4200", "currency": "JPY"}'),
        Response(200, {}, b'{"status": "captured", "amount": "many", "currency": "JPY"}'),
        Response(500, {}, b"oops"),
    ],
)
def test_money_that_the_provider_does_not_confirm_is_asked_for_again(
    aws: Aws, answer: Response
) -> None:
    hub = Hub(aws, lambda call: answer)
    assert hub.deliver("payments", TILL) == ["0"] and aws.said() == []


def test_money_of_a_provider_that_cannot_be_asked_moves_nothing(hub: Hub, aws: Aws) -> None:
    assert hub.deliver("payments", facts.PAID, heard("standard_webhooks/payment_refunded")) == ["1"]
    assert aws.said() == []
