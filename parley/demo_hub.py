"""The embedded hub, as a story needs it: post, wait until it rests, and look at everything."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any

import urllib3
from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from parley.hub import EmbeddedHub
from parley.replay import local_secrets
from parley.screen import Failure, Unready
from parley.stage import Queue
from parley.story import Delivery
from parley.story_evidence import Evidence
from parley.story_play import signed
from parley.tail import events, listening

_LATE = frozenset({"JournalQueue"})
"""Queues that only remember: what comes next in a story does not wait for them."""
_COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
_LOOK_EVERY_S = 0.03
_READ = TypeDeserializer()


class LiveHub:
    """A story's hub over HTTP; `heard` grows as the bus speaks, and remembers when."""

    def __init__(self, hub: EmbeddedHub, queue: str) -> None:
        self.hub = hub
        self.heard: list[dict[str, Any]] = []
        self.first_heard: float | None = None
        self._queue = queue
        self._secrets = local_secrets()
        self._pool = urllib3.PoolManager(retries=False, timeout=35)
        self._over = Event()

    def post(self, delivery: Delivery) -> int:
        """The hub's status. Unready when it does not answer."""
        request = signed(delivery, datetime.now(UTC), self._secrets)
        url = f"{self.hub.url}/webhooks/{delivery.step.to}"
        try:
            answer = self._pool.request("POST", url, body=request.body, headers=request.headers)
        except HTTPError as error:
            raise Unready(f"nothing answers at {url}", "parley doctor") from error
        return int(answer.status)

    def settle(self, timeout: float = 60) -> None:
        """Return when no reaction waits or runs. Failure after `timeout` seconds."""
        self._rest((q.url for q in self._working if q.name not in _LATE), timeout)

    def evidence(self) -> Evidence:
        """Everything, once also the log is written and the bus was heard to its end."""
        self._rest((*(queue.url for queue in self._working), self._queue), 60)
        calls = [dict(call) for call in self.hub.recorder.calls]
        return Evidence(list(self.heard), calls, list(self._items()), self._stuck())

    def listen(self) -> None:
        """Hear the bus until `hush`; runs in a thread of its own."""
        for event in events(self.hub.stage, self._queue):
            self.first_heard = self.first_heard or time.monotonic()
            self.heard.append(event)
            if self._over.is_set():
                return

    @property
    def _working(self) -> list[Queue]:
        return [queue for queue in self.hub.stage.queues if not queue.is_dead_letter]

    def hush(self) -> None:
        """Stop listening at the next event."""
        self._over.set()

    def _rest(self, queues: Iterable[str], timeout: float) -> None:
        """Looks at the queue that was busy last, and at all of them only when it is empty."""
        deadline, order, calm = time.monotonic() + timeout, list(queues), 0
        while calm < 2:
            busy = next((url for url in order if self._holds(url)), None)
            calm = 0 if busy else calm + 1
            if busy:
                order.sort(key=lambda url: url != busy)
                if time.monotonic() > deadline:
                    raise Failure(f"still busy after {timeout:.0f} s: {busy}", "parley dlq list")
            time.sleep(_LOOK_EVERY_S)

    def _holds(self, url: str) -> int:
        asked = {"QueueUrl": url, "AttributeNames": list(_COUNTS)}
        told = self.hub.aws("sqs").get_queue_attributes(**asked)["Attributes"]
        return sum(int(told[name]) for name in _COUNTS)

    def _items(self) -> Iterator[dict[str, Any]]:
        pages = self.hub.aws("dynamodb").get_paginator("scan")
        table = self.hub.stage.outputs["TableName"]
        for page in pages.paginate(TableName=table, ConsistentRead=True):
            for item in page["Items"]:
                yield {name: _READ.deserialize(value) for name, value in item.items()}

    def _stuck(self) -> dict[str, int]:
        dead = (queue for queue in self.hub.stage.queues if queue.is_dead_letter)
        found = {queue.name: self._holds(queue.url) for queue in dead}
        return {queue: count for queue, count in found.items() if count}


@contextmanager
def heard(hub: EmbeddedHub) -> Iterator[LiveHub]:
    """The hub with an ear on its bus: a queue of its own behind a catch-all rule."""
    with listening(hub.stage, "parley-local-story") as queue:
        live = LiveHub(hub, queue)
        Thread(target=_listen, args=(live,), daemon=True).start()
        try:
            yield live
        finally:
            live.hush()


def _listen(live: LiveHub) -> None:
    try:
        live.listen()
    except (ClientError, BotoCoreError):
        return  # the queue went away with its hub
