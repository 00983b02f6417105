"""What was spilled goes on; what nobody reads fails."""

import pytest

from chalicelib import wiring
from tests.functions import facts
from tests.functions.hub import Hub, enveloped
from tests.gateways.aws import Aws


@pytest.fixture
def hub(aws: Aws) -> Hub:
    return Hub(aws)


def test_intake_puts_on_the_bus_what_was_spilled(hub: Hub, aws: Aws) -> None:
    aws.wire.fail("PutEvents", "throttled", times=3)
    wiring.bus().publish([facts.CART])
    assert aws.said() == []
    assert hub.wake("intake", *aws.messages("spill")) == []
    assert aws.heard() == [facts.CART]


def test_intake_does_not_know_every_source(hub: Hub, aws: Aws) -> None:
    bodies = [{"source": "aws.ec2", "detail-type": "x", "detail": {}}, {"hello": 1}]
    assert hub.wake("intake", *bodies, enveloped(facts.CART)) == ["0", "1", "2"]
    assert aws.said() == []
