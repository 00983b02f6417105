"""A shipper is asked once for what a milestone calls for."""

import pytest

from chalicelib import payloads as p
from chalicelib.domain.outbox import partition
from tests.functions import facts
from tests.functions.hub import Hub
from tests.gateways.aws import Aws

OUTBOX = partition(facts.PLACED.subject)


@pytest.fixture
def hub(aws: Aws) -> Hub:
    return Hub(aws)


def milestones(aws: Aws) -> list[str]:
    return [e.data.milestone for e in aws.heard() if isinstance(e.data, p.OrderUpdated)]


@pytest.mark.parametrize(("milestone", "action"), [("paid", "ship"), ("cancelled", "hold")])
def test_a_shipper_is_asked_once_for_what_a_milestone_calls_for(
    hub: Hub, aws: Aws, milestone: str, action: str
) -> None:
    event = facts.updated(milestone)
    assert hub.deliver("shippers", event, event) == []
    assert hub.planned() == [{"outbox": [OUTBOX, f"{action}#easypost#shipper"]}]
    assert hub.item(OUTBOX, f"{action}#easypost#shipper")["state"] == "planned"
    assert aws.said() == []


def test_a_shipper_does_not_hear_of_other_milestones(hub: Hub, aws: Aws) -> None:
    hub.deliver("shippers", *map(facts.updated, ("confirmed", "delivered", "refunded")))
    assert aws.items() == []


def test_without_shippers_in_the_settings_nobody_is_asked(aws: Aws) -> None:
    Hub(aws, settings={}).deliver("shippers", facts.updated())
    assert aws.items() == []
