"""A complaint opens one case, reaches a desk, and its clock is watched."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib import payloads as p
from chalicelib.events import iso
from tests.functions import facts
from tests.functions.hub import Hub
from tests.gateways.aws import Aws
from tests.samples import NOW


@pytest.fixture
def hub(aws: Aws) -> Hub:
    return Hub(aws)


def test_a_complaint_opens_a_case_tells_a_desk_and_is_acknowledged(hub: Hub, aws: Aws) -> None:
    assert hub.deliver("escalations", facts.classified()) == []
    assert aws.said() == ["case.opened", "reply.requested"]
    opened = aws.heard()[0].data
    assert isinstance(opened, p.Case) and opened.severity == 3
    [plan] = hub.planned()
    assert plan["outbox"][1] == "opened#slack#desk"
    [clock] = [i for i in aws.items() if "CLOCK#" in i["sk"]["S"]]
    assert clock["gsi1sk"]["S"] == iso(NOW + timedelta(hours=1))


def test_a_second_contact_attaches_to_the_case(hub: Hub, aws: Aws) -> None:
    hub.deliver("escalations", facts.classified())
    again = facts.classified(facts.COMPLAINT + " Hello??", "line/message_text")
    hub.deliver("escalations", replace(again, time=NOW + timedelta(seconds=1)))
    assert aws.said() == ["case.opened", "reply.requested"]
    first, second = (body["outbox"][1].partition("#")[0] for body in hub.planned())
    assert first == "opened" and second.startswith("contact-")


def test_what_the_reader_is_not_sure_of_opens_nothing(hub: Hub, aws: Aws) -> None:
    hub.deliver("escalations", facts.classified("blue"))
    assert aws.said() == [] and aws.items() == []


def test_a_clock_that_falls_due_is_a_breach_and_one_that_does_not_is_left(
    hub: Hub, aws: Aws
) -> None:
    hub.deliver("escalations", facts.classified())
    [clock] = [i for i in aws.items() if "CLOCK#" in i["sk"]["S"]]
    body = {"clock": [clock["pk"]["S"], clock["sk"]["S"]]}
    hub.clock.forward(minutes=59)
    hub.wake("escalations", body)
    assert "case.breached" not in aws.said()
    hub.clock.forward(minutes=1)
    hub.wake("escalations", body, body)
    breaches = [e for e in aws.heard() if e.type == "case.breached"]
    assert len({e.id for e in breaches}) == 1
    assert hub.item(*body["clock"])["fired"] is True
    hub.wake("escalations", {"clock": ["CASE#nobody", "CLOCK#x"]})


def test_a_broken_parcel_waits_for_its_order_before_it_is_a_case(hub: Hub, aws: Aws) -> None:
    hub.deliver("escalations", facts.BROKEN)
    assert aws.said() == []
    [clock] = aws.items()
    hub.clock.forward(minutes=15)
    hub.wake("escalations", {"clock": [clock["pk"]["S"], clock["sk"]["S"]]})
    assert aws.said() == ["case.opened"], "nobody is told of a parcel that nobody knows"


def test_a_broken_parcel_that_an_order_names_is_the_orders_matter(hub: Hub, aws: Aws) -> None:
    hub.deliver("orders", facts.PLACED, facts.FULFILLED)
    aws.wire.delivered.clear()
    hub.deliver("escalations", facts.BROKEN)
    assert [i for i in aws.items() if "CLOCK#" in i["sk"]["S"]] == []


def test_an_account_that_cannot_send_is_told_to_a_desk(hub: Hub, aws: Aws) -> None:
    state = p.ChannelState(channel="whatsapp", account="1", audience="buyer", reason="401")
    event = facts.CART.causes("channel.degraded", state, "channel/whatsapp/1", now=NOW)
    hub.deliver("escalations", event, event)
    assert len(hub.planned()) == 1 and aws.said() == []
