"""Messages in dead-letter queues: seen, chosen, deleted, and what was let go written down."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from parley.screen import Failure, Misused
from parley.stage import LOCAL, Queue, Stage

_HIDDEN_S = 30
_AT_ONCE = 10
_JOURNAL = "parley-dlq"


@dataclass(frozen=True)
class Dead:
    """One message of a dead-letter queue, lent to us for half a minute."""

    queue: Queue
    id: str
    receipt: str
    body: str
    attributes: Mapping[str, Any]
    sent_at: datetime

    @property
    def about(self) -> dict[str, Any]:
        """What a person needs to decide; no text of a customer."""
        event = _event(self.body)
        return {
            "queue": self.queue.name,
            "id": self.id,
            "since": self.sent_at.isoformat(timespec="seconds"),
            "type": event.get("type", "?"),
            "event": event.get("id", ""),
            "error": self.attributes.get("ERROR_CODE", {}).get("StringValue", ""),
        }


def dead_letter_queues(stage: Stage) -> list[Queue]:
    """Where messages lie that nobody could handle."""
    return [queue for queue in stage.queues if queue.is_dead_letter]


def called(stage: Stage, name: str) -> list[Queue]:
    """The queue of that name; a function's name means all of its own. Misused for no such."""
    wanted = name.lower()
    names = (wanted, f"{wanted}dlq", f"{wanted}ruledlq")
    found = [queue for queue in dead_letter_queues(stage) if queue.name.lower() in names]
    if not found:
        known = ", ".join(queue.name for queue in dead_letter_queues(stage))
        raise Misused(f"no dead-letter queue {name}; there are {known}", "parley dlq list")
    return found


def source(stage: Stage, dead: Queue) -> Queue:
    """Whose messages come to `dead`; Failure when the stack has no such queue."""
    found = [queue for queue in stage.queues if queue.name == dead.source]
    if not found:
        raise Failure(f"{dead.name} has no queue {dead.source} to go back to", "parley dlq list")
    return found[0]


def looked_at(stage: Stage) -> list[Dead]:
    """Every message of every dead-letter queue; they stay where they are."""
    found = [dead for queue in dead_letter_queues(stage) for dead in _lent(stage, queue)]
    _give_back(stage, found)
    return found


def chosen(stage: Stage, name: str, id: str = "") -> list[Dead]:
    """Messages of the queues of that name, lent to us; only the one with `id` where it is given.

    Misused for no such queue, Failure for no such message.
    """
    found = [dead for queue in called(stage, name) for dead in _lent(stage, queue)]
    wanted = [dead for dead in found if id in ("", dead.id)]
    _give_back(stage, [dead for dead in found if dead not in wanted])
    if id and not wanted:
        raise Failure(f"{name} holds no message {id}", "parley dlq list")
    return wanted


def _lent(stage: Stage, queue: Queue) -> list[Dead]:
    found: dict[str, Dead] = {}
    while fresh := {dead.id: dead for dead in _receive(stage, queue) if dead.id not in found}:
        found |= fresh
    return list(found.values())


def _give_back(stage: Stage, lent: list[Dead]) -> None:
    for dead in lent:
        stage.client("sqs").change_message_visibility(
            QueueUrl=dead.queue.url, ReceiptHandle=dead.receipt, VisibilityTimeout=0
        )


def _receive(stage: Stage, queue: Queue) -> list[Dead]:
    answer = stage.client("sqs").receive_message(
        QueueUrl=queue.url,
        MaxNumberOfMessages=_AT_ONCE,
        VisibilityTimeout=_HIDDEN_S,
        WaitTimeSeconds=0 if stage.name == LOCAL else 1,
        AttributeNames=["SentTimestamp"],
        MessageAttributeNames=["All"],
    )
    return [_dead(queue, message) for message in answer.get("Messages", ())]


def _dead(queue: Queue, message: Mapping[str, Any]) -> Dead:
    sent = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
    attributes = message.get("MessageAttributes", {})
    receipt = message["ReceiptHandle"]
    return Dead(queue, message["MessageId"], receipt, message["Body"], attributes, sent)


def delete(stage: Stage, dead: Dead) -> None:
    """Take the message out of its queue for good."""
    stage.client("sqs").delete_message(QueueUrl=dead.queue.url, ReceiptHandle=dead.receipt)


def journal(stage: Stage, entry: Mapping[str, Any]) -> None:
    """Write one line in the stage's own log group, in a stream for operators."""
    logs, group = stage.client("logs"), stage.resources["HubLogs"][1]
    try:
        logs.create_log_stream(logGroupName=group, logStreamName=_JOURNAL)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
            raise
    line = {"timestamp": int(time.time() * 1000), "message": json.dumps(entry)}
    logs.put_log_events(logGroupName=group, logStreamName=_JOURNAL, logEvents=[line])


def _event(body: str) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
        detail = document.get("detail", {})
        return detail if isinstance(detail, dict) else {}
    except (ValueError, AttributeError):
        return {}
