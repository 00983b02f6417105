"""Planning an effect: write the outbox item, then wake `sender`. A crash between is the sweep's."""

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.outbox import Plan
from chalicelib.functions._ports import Queue, Table


@dataclass(frozen=True)
class Outbox:
    """Where `replies`, `shippers` and `escalations` leave what `sender` should do."""

    table: Table
    queue: Queue

    def plan(self, plan: Plan, now: datetime) -> bool:
        """True when this very cause planned it (also when it runs again); the first plan stays."""
        mine = self.table.put_new(plan.item()) or self._planned_by(plan)
        if mine:
            wait = max(0, int((plan.send_at - now).total_seconds()))
            self.queue.send({"outbox": [plan.pk, plan.sk]}, wait)
        return mine

    def _planned_by(self, plan: Plan) -> bool:
        """Whether what is there has the same cause; `owner` no longer says so once it was sent."""
        stored = self.table.get(plan.pk, plan.sk)
        return stored is not None and stored["cause"][0] == plan.cause.id
