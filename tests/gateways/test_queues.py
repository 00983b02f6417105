"""What should be done later is on its queue, or the caller hears of it."""

from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.errors import Unavailable
from chalicelib.gateways.queues import LONGEST_DELAY_S, Queue
from tests.gateways.aws import Aws, spare

ARN = "arn:aws:sqs:us-east-1:123456789012:orders"


@pytest.fixture
def queue(aws: Aws) -> Queue:
    return wiring.outbox_queue()


def test_a_message_is_small_json(aws: Aws, queue: Queue) -> None:
    queue.send({"outbox": ["OUTBOX#é", "sk"]})
    assert aws.messages("outbox") == [{"outbox": ["OUTBOX#é", "sk"]}]


@pytest.mark.parametrize(("asked", "sent"), [(-5, 0), (0, 0), (7, 7), (900, 900), (4000, 900)])
def test_a_delay_is_what_sqs_can_do(aws: Aws, queue: Queue, asked: int, sent: int) -> None:
    queue.send({}, asked)
    assert aws.wire.latest["DelaySeconds"] == sent <= LONGEST_DELAY_S
    assert aws.messages("outbox") == ([] if sent else [{}])


def test_each_queue_of_wiring_is_its_own(aws: Aws) -> None:
    wiring.clocks_queue().send({"clock": 1})
    assert aws.messages("outbox") == [] and aws.messages("clocks") == [{"clock": 1}]


@pytest.mark.parametrize("how", ["throttled", "dropped"])
def test_a_queue_that_does_not_answer_is_unavailable(aws: Aws, queue: Queue, how: str) -> None:
    aws.wire.fail("SendMessage", how, times=3)
    with pytest.raises(Unavailable):
        queue.send({})


def received(aws: Aws) -> Any:
    url = aws.queues["orders"]
    spare("sqs").send_message(QueueUrl=url, MessageBody="{}")
    [message] = spare("sqs").receive_message(QueueUrl=url)["Messages"]
    return message


def test_a_failed_message_hides_for_as_long_as_it_is_told(aws: Aws) -> None:
    message, hider = received(aws), wiring.visibility()
    hider.back_off(ARN, message["ReceiptHandle"], 0)
    [again] = spare("sqs").receive_message(QueueUrl=aws.queues["orders"])["Messages"]
    hider.back_off(ARN, again["ReceiptHandle"], 600)
    assert "Messages" not in spare("sqs").receive_message(QueueUrl=aws.queues["orders"])
    assert aws.wire.sent.count("GetQueueUrl") == 1, "the address of a queue is looked up once"


@pytest.mark.parametrize("operation", ["ChangeMessageVisibility", "GetQueueUrl"])
@pytest.mark.parametrize("how", ["throttled", "dropped"])
def test_hiding_that_fails_is_no_failure_of_its_own(aws: Aws, operation: str, how: str) -> None:
    aws.wire.fail(operation, how, times=3)
    wiring.visibility().back_off(ARN, received(aws)["ReceiptHandle"], 2)


def test_a_queue_nobody_knows_is_no_failure_either(aws: Aws) -> None:
    wiring.visibility().back_off(ARN + "-gone", "receipt", 2)
