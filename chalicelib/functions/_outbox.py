"""Planning an effect: write the outbox item, then wake `sender`. A crash between is the sweep's."""

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.outbox import Plan
from chalicelib.functions._facts import Queue, Table


@dataclass(frozen=True)
class Outbox:
    """Where `replies`, `shippers` and `escalations` leave what `sender` should do."""

    table: Table
    queue: Queue

    def plan(self, plan: Plan, now: datetime) -> bool:
        """True when this very cause planned it (also when it runs again); the first plan stays."""
        mine = self.table.put_new(plan.item())
        if mine:
            wait = max(0, int((plan.send_at - now).total_seconds()))
            self.queue.send({"outbox": [plan.pk, plan.sk]}, wait)
        return mine
