"""What surrounds every reaction: a batch in, each record alone, what it causes out on the bus."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from chalicelib import wiring
from chalicelib.errors import HubError
from chalicelib.events import Event
from chalicelib.functions._ports import Publisher

MOST_HOPS = 8
LONGEST_WAIT_S = 900
Pattern = Mapping[str, Any]
"""What `detail.data` must match, in EventBridge's words."""
Patterns = Mapping[str, Pattern]
"""By detail-type."""
ANY: Pattern = {}


def of(types: str, pattern: Pattern = ANY) -> dict[str, Pattern]:
    """The same pattern for each of some types, written as words."""
    return dict.fromkeys(types.split(), pattern)


class Hider(Protocol):
    def back_off(self, arn: str, receipt: str, seconds: int) -> None: ...


class Reaction(Protocol):
    """A function of the hub: facts in, the facts they cause out. Running twice says the same."""

    consumes: ClassVar[Patterns]
    emits: ClassVar[Patterns]

    def __call__(self, event: Event, now: datetime) -> Iterable[Event]: ...


Wake = Callable[[dict[str, Any], datetime], Iterable[Event]]
"""Takes the bodies that are no events: a due clock, a due outbox item, a spilled entry."""


class Looping(HubError):
    """A fact too many hops from its root: somebody answers themselves."""


@dataclass(frozen=True)
class Shell:
    """Decodes, reacts, publishes; a record that fails backs off alone."""

    bus: Publisher
    hider: Hider
    now: Callable[[], datetime]
    log: Any

    def consume(
        self, reaction: Reaction, batch: dict[str, Any], context: Any, wake: Wake | None = None
    ) -> dict[str, Any]:
        """The Lambda's answer: which records failed. `wake` takes the bodies that are no events."""

        def one(record: SQSRecord) -> None:
            try:
                self._one(reaction, record.json_body, wake)
            except Exception as error:
                self._failed(record, error)
                raise

        if not batch.get("Records"):  # a warm-up; Powertools refuses an empty batch
            return {"batchItemFailures": []}
        processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
        answer = process_partial_response(
            event=batch, record_handler=one, processor=processor, context=context
        )
        return dict(answer)

    def _one(self, reaction: Reaction, body: dict[str, Any], wake: Wake | None) -> None:
        now = self.now()
        if wake and not _is_fact(body):
            self.say(reaction, wake(body, now))
        else:
            self.say(reaction, reaction(decode(body), now))

    def say(self, reaction: Reaction, caused: Iterable[Event]) -> None:
        """Publish what a reaction caused; refuse what it never declared, or a loop."""
        events = list(caused)
        for event in events:
            if event.type not in reaction.emits:
                raise HubError(f"{type(reaction).__name__} does not emit {event.type}")
            if event.hops > MOST_HOPS:
                raise Looping(event.id)
        self.bus.publish(events)

    def _failed(self, record: SQSRecord, error: Exception) -> None:
        tries = int(record.attributes.approximate_receive_count)
        wait = min(LONGEST_WAIT_S, 2**tries)
        self.log.warning(
            "failed", error=type(error).__name__, message_id=record.message_id, tries=tries
        )
        self.hider.back_off(record.event_source_arn, record.receipt_handle, wait)


def _is_fact(body: Mapping[str, Any]) -> bool:
    """Ours, from our bus: AWS and partners speak of `detail` too."""
    return "detail" in body and str(body.get("source", "")).startswith("parley.")


def decode(body: Mapping[str, Any]) -> Event:
    """The event in what EventBridge put on a queue."""
    return Event.parse(body["detail"], body.get("replay-name"))


def run(
    reaction: Reaction, batch: dict[str, Any], context: Any, wake: Wake | None = None
) -> dict[str, Any]:
    """A Lambda's batch, through the real gateways."""
    shell = Shell(wiring.bus(), wiring.visibility(), wiring.now, wiring.log())
    return shell.consume(reaction, batch, context, wake)
