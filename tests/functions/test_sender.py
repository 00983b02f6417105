"""The one door out: each plan is called for once, and its end is said."""

from typing import Any

import pytest

from chalicelib import payloads as p
from chalicelib.domain.outbox import partition
from chalicelib.errors import NotSent, TimedOut
from chalicelib.outbound import Call, Response
from tests.functions import facts
from tests.functions.facts import heard, said
from tests.functions.hub import Hub
from tests.gateways.aws import Aws

OUTBOX = partition(facts.PLACED.subject)


@pytest.fixture
def hub(aws: Aws) -> Hub:
    return Hub(aws)


def plan_paid(hub: Hub) -> dict[str, Any]:
    hub.deliver("profiles", said("hello"))
    hub.deliver("replies", facts.updated())
    hub.aws.wire.delivered.clear()
    [body] = hub.planned()
    return body


def test_a_plan_is_sent_once_and_its_end_is_said_whoever_asks(hub: Hub, aws: Aws) -> None:
    body = plan_paid(hub)
    assert hub.wake("sender", body, body) == []
    assert len(hub.outside.calls) == 1
    first, second = aws.heard()
    assert first.id == second.id and isinstance(first.data, p.Status)
    assert (first.type, first.data.message_id) == ("message.accepted", "wamid.OUT")
    item = hub.item(*body["outbox"])
    assert item["state"] == "sent" and "gsi1pk" not in item


def test_an_end_whose_answer_was_lost_is_said_all_the_same(hub: Hub, aws: Aws) -> None:
    body = plan_paid(hub)
    aws.wire.fail("UpdateItem", "lost", times=1)
    hub.wake("sender", body)
    assert len(hub.outside.calls) == 1 and aws.said() == ["message.accepted"]


def test_the_second_lost_answer_too(hub: Hub, aws: Aws) -> None:
    body = plan_paid(hub)
    seen: list[Any] = []

    def lose_the_second(parsed: Any) -> None:
        seen.append(parsed)
        if len(seen) == 1:
            aws.wire.fail("UpdateItem", "lost")

    aws.wire.after("dynamodb.UpdateItem", lose_the_second)
    hub.wake("sender", body)
    assert aws.wire.sent.count("UpdateItem") == 3 and aws.said() == ["message.accepted"]


@pytest.mark.parametrize(
    ("status", "state", "types"),
    [
        (400, "failed", ["message.failed"]),
        (401, "planned", ["channel.degraded"]),
        (429, "planned", []),
        (503, "planned", []),
        (500, "unknown", []),
    ],
)
def test_an_answer_decides_what_becomes_of_it(
    aws: Aws, status: int, state: str, types: list[str]
) -> None:
    hub = Hub(aws, lambda call: Response(status, {"retry-after": "60"}, b"{}"))
    body = plan_paid(hub)
    assert hub.wake("sender", body) == []
    assert hub.item(*body["outbox"])["state"] == state and aws.said() == types
    waits = [p["DelaySeconds"] for name, p in aws.wire.calls if name == "SendMessage"]
    assert waits == {"failed": [], "planned": [] if types else [61], "unknown": [601]}[state]


def raises(error: type[Exception]) -> Any:
    def answer(call: Call) -> Response:
        raise error("x")

    return answer


def test_a_call_that_never_left_is_made_again(aws: Aws) -> None:
    hub = Hub(aws, raises(NotSent))
    body = plan_paid(hub)
    hub.wake("sender", body)
    hub.clock.forward(seconds=10)
    hub.wake("sender", body)
    assert len(hub.outside.calls) == 2 and hub.item(*body["outbox"])["attempts"] == 2


def test_a_call_with_an_unknown_end_waits_for_its_trace_and_is_not_made_again(aws: Aws) -> None:
    hub = Hub(aws, raises(TimedOut))
    body = plan_paid(hub)
    hub.wake("sender", body, body)
    hub.clock.forward(minutes=10)
    hub.wake("sender", body)
    assert len(hub.outside.calls) == 1 and aws.said() == ["message.failed"]


def test_an_unknown_call_whose_trace_came_was_sent(aws: Aws) -> None:
    hub = Hub(aws, raises(TimedOut))
    body = plan_paid(hub)
    hub.wake("sender", body)
    trace = hub.item(*body["outbox"])["key"]
    hub.deliver("profiles", heard("whatsapp/status_delivered", trace=trace))
    hub.clock.forward(minutes=10)
    hub.wake("sender", body)
    assert len(hub.outside.calls) == 1 and aws.said() == ["message.accepted"]


def test_a_plan_that_is_too_old_is_blocked(hub: Hub, aws: Aws) -> None:
    body = plan_paid(hub)
    hub.clock.forward(hours=25)
    hub.wake("sender", body)
    assert hub.outside.calls == [] and aws.said() == ["reply.blocked"]


def test_older_news_of_an_order_are_superseded(hub: Hub, aws: Aws) -> None:
    body = plan_paid(hub)
    hub.deliver("replies", facts.updated("delivered"))
    aws.wire.delivered.clear()
    hub.wake("sender", body)
    assert hub.outside.calls == [] and hub.item(*body["outbox"])["state"] == "superseded"


def test_a_paused_account_sends_nothing_until_the_pause_is_over(aws: Aws) -> None:
    answers = iter([Response(401), Response(200, {}, b'{"messages": [{"id": "w"}]}')])
    hub = Hub(aws, lambda call: next(answers))
    body = plan_paid(hub)
    hub.wake("sender", body, body)
    assert len(hub.outside.calls) == 1
    hub.clock.forward(minutes=15, seconds=1)
    hub.wake("sender", body)
    assert aws.said() == ["channel.degraded", "message.accepted"]


def test_a_plan_that_nobody_knows_is_nothing(hub: Hub, aws: Aws) -> None:
    assert hub.wake("sender", {"outbox": ["OUTBOX#x", "y"]}) == []
    assert hub.outside.calls == [] and aws.said() == []


def test_a_shipper_that_was_asked_is_said_to_be(hub: Hub, aws: Aws) -> None:
    hub.deliver("shippers", facts.updated())
    hub.wake("sender", *hub.planned())
    [event] = aws.heard()
    assert isinstance(event.data, p.Notified) and event.data.result == "accepted"
