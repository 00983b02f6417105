"""What falls due is woken, and nothing else."""

import pytest

from tests.functions import facts
from tests.functions.hub import Hub
from tests.gateways.aws import Aws


@pytest.fixture
def hub(aws: Aws) -> Hub:
    return Hub(aws)


def test_the_sweep_wakes_what_falls_due_in_two_minutes(hub: Hub, aws: Aws) -> None:
    hub.deliver("escalations", facts.classified())
    aws.messages("outbox")
    aws.wire.calls.clear()
    assert hub.sweep() == 1, "the desk's notice is due, and found should its wake-up be lost"
    assert [b["outbox"][1] for b in aws.messages("outbox")] == [] and len(hub.planned()) == 1
    hub.clock.forward(minutes=58, seconds=30)
    assert hub.sweep() == 2
    [clock] = [p for name, p in aws.wire.calls if p.get("QueueUrl", "").endswith("clocks")]
    assert clock["DelaySeconds"] == 91


def test_the_sweep_finds_nothing_where_nothing_waits(hub: Hub, aws: Aws) -> None:
    assert hub.sweep() == 0
    assert set(aws.wire.sent) == {"Query"}
