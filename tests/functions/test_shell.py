"""What surrounds every reaction: one record's failure is its own, and nothing undeclared leaves."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

import pytest

from chalicelib import wiring
from chalicelib.errors import Unavailable
from chalicelib.events import Event
from chalicelib.functions._shell import ANY, MOST_HOPS, Patterns, decode
from tests.functions import facts
from tests.functions.hub import ARN, Hub, enveloped, records
from tests.functions.rest import Context
from tests.gateways.aws import Aws, spare


class Strict:
    """Fails for what it is told to; else says what it was given as `message.classified`."""

    consumes: ClassVar[Patterns] = {"message.received": ANY}
    emits: ClassVar[Patterns] = {"message.classified": ANY}

    def __init__(self, *, fail: tuple[str, ...] = (), hops: int = 1, say: str = "") -> None:
        self.fail, self.hops, self.say = fail, hops, say or "message.classified"
        self.seen: list[Event] = []

    def __call__(self, event: Event, now: datetime) -> Iterator[Event]:
        self.seen.append(event)
        yield self.caused(event, now)
        if event.data.text in self.fail:  # type: ignore[attr-defined]
            raise Unavailable("not now")

    def caused(self, event: Event, now: datetime) -> Event:
        data = facts.classified().data
        said = event.causes(self.say, data, event.subject, now=now)
        return replace(said, hops=self.hops)


@pytest.fixture
def hub(aws: Aws) -> Hub:
    return Hub(aws)


def run(hub: Hub, reaction: Any, *bodies: Any, tries: int = 1, wake: Any = None) -> list[str]:
    batch = records(*bodies, tries=tries)
    told = hub.shell.consume(reaction, batch, Context(), wake)
    return [failed["itemIdentifier"] for failed in told["batchItemFailures"]]


def messages(*texts: str) -> list[dict[str, Any]]:
    return [enveloped(facts.said(text, message_id=text)) for text in texts]


def test_what_a_reaction_causes_is_published(hub: Hub, aws: Aws) -> None:
    assert run(hub, Strict(), *messages("a", "b")) == []
    assert aws.said() == ["message.classified"] * 2
    assert [e.hops for e in aws.heard()] == [1, 1]


def test_a_record_that_fails_fails_alone_and_says_nothing(hub: Hub, aws: Aws) -> None:
    assert run(hub, Strict(fail=("b",)), *messages("a", "b", "c")) == ["1"]
    assert aws.said() == ["message.classified"] * 2


@pytest.mark.parametrize(
    ("tries", "wait"), [(1, 2), (2, 4), (5, 32), (9, 512), (10, 900), (99, 900)]
)
def test_it_comes_again_later_and_later(hub: Hub, aws: Aws, tries: int, wait: int) -> None:
    run(hub, Strict(fail=("a",)), *messages("a"), tries=tries)
    name, params = aws.wire.calls[-1]
    assert name == "ChangeMessageVisibility"
    assert (params["ReceiptHandle"], params["VisibilityTimeout"]) == ("receipt-0", wait)


def test_it_is_hidden_in_the_queue_that_it_came_from(hub: Hub, aws: Aws) -> None:
    url, client = aws.queues["orders"], spare("sqs")
    client.send_message(QueueUrl=url, MessageBody="x")
    [message] = client.receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"]
    batch = records(*messages("a"), arn=ARN)
    batch["Records"][0]["receiptHandle"] = message["ReceiptHandle"]
    hub.shell.consume(Strict(fail=("a",)), batch, Context())
    assert "Messages" not in client.receive_message(QueueUrl=url)


def test_a_line_of_ids_says_so(hub: Hub) -> None:
    run(hub, Strict(fail=("a",)), *messages("a"), tries=3)
    [line] = hub.records.found
    assert line == {
        "level": "WARNING",
        "message": "failed",
        "error": "Unavailable",
        "message_id": "0",
        "tries": 3,
    }


def test_what_was_never_declared_is_refused(hub: Hub, aws: Aws) -> None:
    assert run(hub, Strict(say="consent.withdrawn"), *messages("a")) == ["0"]
    assert aws.said() == []
    assert hub.records.found[0]["error"] == "HubError"


@pytest.mark.parametrize(("hops", "failed"), [(MOST_HOPS, []), (MOST_HOPS + 1, ["0"])])
def test_a_fact_too_far_from_its_root_is_refused(
    hub: Hub, aws: Aws, hops: int, failed: list[str]
) -> None:
    assert run(hub, Strict(hops=hops), *messages("a")) == failed
    assert len(aws.said()) == (not failed)


BAD = {
    "no json": "not json",
    "no envelope": '{"hello": 1}',
    "a list": "[]",
    "an envelope without a detail": '{"detail-type": "message.received", "source": "parley.x"}',
    "a detail that is none": {"detail": None, "source": "parley.message"},
    "a detail without its fields": {"detail": {"type": "x"}, "source": "parley.message"},
    "data of another shape": enveloped(facts.CART)
    | {"detail": facts.CART.detail() | {"data": {"message_id": 1}}},
}


@pytest.mark.parametrize("kind", BAD)
def test_a_body_that_cannot_be_read_fails_alone(hub: Hub, aws: Aws, kind: str) -> None:
    assert run(hub, Strict(), BAD[kind], *messages("a")) == ["0"]
    assert len(aws.said()) == 1


def test_a_bus_that_is_down_fails_the_record(hub: Hub, aws: Aws) -> None:
    aws.wire.fail("PutEvents", "throttled", times=3)
    aws.wire.fail("SendMessageBatch", "throttled", times=3)
    assert run(hub, Strict(), *messages("a")) == ["0"]


def test_no_record_at_all_is_fine(hub: Hub) -> None:
    assert hub.shell.consume(Strict(), {"Records": []}, Context()) == {"batchItemFailures": []}
    assert hub.shell.consume(Strict(), {}, Context()) == {"batchItemFailures": []}


def test_what_is_no_fact_of_ours_goes_to_wake(hub: Hub) -> None:
    woken: list[Any] = []

    def wake(body: dict[str, Any], now: datetime) -> list[Event]:
        woken.append(body)
        return []

    partner = {"detail": {}, "source": "aws.partner/shopify.com"}
    assert run(hub, Strict(), {"outbox": ["a", "b"]}, partner, *messages("a"), wake=wake) == []
    assert woken == [{"outbox": ["a", "b"]}, partner]


def test_a_replay_is_known_by_its_name(hub: Hub) -> None:
    reaction = Strict()
    run(hub, reaction, {**messages("a")[0], "replay-name": "again-1"}, *messages("b"))
    assert [e.replayid for e in reaction.seen] == ["again-1", None]


def test_decoding_is_the_inverse_of_telling() -> None:
    for event in (facts.CART, facts.PLACED, facts.SCANNED, facts.updated(), facts.classified()):
        assert decode(enveloped(event)) == event


HANDLERS = (
    "intake triage payments orders shippers escalations replies sender profiles journal"
).split()


@pytest.mark.parametrize("name", HANDLERS)
def test_every_lambda_takes_an_empty_batch_and_fails_what_it_cannot_read(
    aws: Aws, name: str
) -> None:
    from importlib import import_module

    handler = getattr(import_module(f"chalicelib.functions.{name}"), name)
    assert handler({"Records": []}, Context()) == {"batchItemFailures": []}
    told = handler(records("not json"), Context())
    assert told == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert wiring.table().query("LOG") == [] and aws.wire.delivered == []
