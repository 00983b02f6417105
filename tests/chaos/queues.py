"""Queues as SQS keeps them: what is handed out is hidden, and comes again unless it is done."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

HIDDEN = timedelta(seconds=180)
MOST_RECEIVES = 5


@dataclass(frozen=True)
class Record:
    """A message of a queue, hidden until it is due."""

    number: int
    body: str
    due: datetime
    receives: int = 0


class Queues(defaultdict[str, list[Record]]):
    """Records by the name of their queue. `dead` are those that came too often."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__(list)
        self.dead: list[Record] = []
        self.most_at_once = 10
        self.only: frozenset[str] = frozenset()
        """Queues that there are; every one that is named, when empty."""
        self._now, self._number = now, 0

    def fork(self, now: Callable[[], datetime]) -> "Queues":
        twin = Queues(now)
        twin.update({name: list(queue) for name, queue in self.items()})
        twin._number, twin.most_at_once, twin.only = self._number, self.most_at_once, self.only
        return twin

    def put(self, queue: str, body: Any, delay: timedelta = timedelta()) -> None:
        if not self.only or queue in self.only:
            self._number += 1
            self[queue].append(Record(self._number, json.dumps(body), self._now() + delay))

    def due(self) -> list[tuple[datetime, str]]:
        """When each queue has something to hand out."""
        return [
            (min(record.due for record in queue), name) for name, queue in self.items() if queue
        ]

    def receive(self, queue: str) -> list[Record]:
        """What is due, hidden from now on."""
        now = self._now()
        due = [r for r in self[queue] if r.due <= now][: self.most_at_once]
        taken = [replace(r, due=now + HIDDEN, receives=r.receives + 1) for r in due]
        alive = [r for r in taken if r.receives <= MOST_RECEIVES]
        self.dead += [r for r in taken if r not in alive]
        self[queue] = [r for r in self[queue] if r not in due] + alive
        return alive

    def done(self, queue: str, records: Iterable[Record], answer: dict[str, Any]) -> None:
        """Deletes what the answer of a Lambda does not name as failed."""
        failed = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
        over = {record.number for record in records if str(record.number) not in failed}
        self[queue] = [record for record in self[queue] if record.number not in over]

    def back_off(self, arn: str, receipt: str, seconds: int) -> None:
        due = self._now() + timedelta(seconds=seconds)
        self[arn] = [replace(r, due=due) if str(r.number) == receipt else r for r in self[arn]]


def as_batch(queue: str, records: Sequence[Record]) -> dict[str, Any]:
    """What a Lambda is given."""
    return {"Records": [_as_sqs(queue, record) for record in records]}


def _as_sqs(queue: str, record: Record) -> dict[str, Any]:
    return {
        "messageId": str(record.number),
        "receiptHandle": str(record.number),
        "body": record.body,
        "attributes": {"ApproximateReceiveCount": str(record.receives)},
        "eventSource": "aws:sqs",
        "eventSourceARN": queue,
    }
