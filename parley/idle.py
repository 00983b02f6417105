"""Whether the hub has done what it was told: nothing waits and nothing is under way."""

import time

from parley.screen import Failure
from parley.stage import Stage

_COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
_LOOK_EVERY_S = 0.05


def backlog(stage: Stage) -> dict[str, int]:
    """Messages waiting or under way, by queue; queues without any are left out.

    Dead-letter queues and messages sent with a delay do not count.
    """
    found = {queue.name: _count(stage, queue.url) for queue in stage.queues if queue.is_working}
    return {name: count for name, count in found.items() if count}


def wait_idle(stage: Stage, timeout: float) -> None:
    """Return when there is no backlog, twice in a row. Failure after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    calm = 0
    while calm < 2:
        busy = backlog(stage)
        calm = 0 if busy else calm + 1
        if busy and time.monotonic() > deadline:
            raise Failure(f"still busy after {timeout:.0f} s: {busy}", "parley dlq list")
        time.sleep(_LOOK_EVERY_S)


def _count(stage: Stage, url: str) -> int:
    asked = {"QueueUrl": url, "AttributeNames": list(_COUNTS)}
    counts = stage.client("sqs").get_queue_attributes(**asked)["Attributes"]
    return sum(int(counts[name]) for name in _COUNTS)
