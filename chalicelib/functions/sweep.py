"""Every minute: what falls due within two minutes is put on its queue with the right delay."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chalice.app import Blueprint

from chalicelib import wiring
from chalicelib.domain.outbox import shards
from chalicelib.events import iso, moment_of
from chalicelib.functions._ports import Queue, Table

bp = Blueprint(__name__)
AHEAD = timedelta(minutes=2)
_WORD = {"OUTBOX": "outbox", "CLOCK": "clock"}


@dataclass(frozen=True)
class Sweep:
    """Decides nothing: whoever is woken checks for themselves whether it is time."""

    table: Table
    queues: Mapping[str, Queue]

    def __call__(self, now: datetime) -> int:
        """How many were put on a queue."""
        return sum(self._shard(kind, shard, now) for kind in self.queues for shard in shards(kind))

    def _shard(self, kind: str, shard: str, now: datetime) -> int:
        due = self.table.due(shard, iso(now + AHEAD))
        for item in due:
            wait = (moment_of(item["gsi1sk"]) - now).total_seconds()
            self.queues[kind].send({_WORD[kind]: [item["pk"], item["sk"]]}, max(0, int(wait) + 1))
        return len(due)


@bp.lambda_function(name="sweep")
def sweep(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Lambda: the schedule's tick, or `parley clock`."""
    queues = {"OUTBOX": wiring.outbox_queue(), "CLOCK": wiring.clocks_queue()}
    return {"due": Sweep(wiring.table(), queues)(wiring.now())}
