"""One thing that happens, and all that follows from it: every rule, every queue, every reaction."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.fakes import consumed
from tests.functions.hub import Hub
from tests.functions.meter import Meter


@dataclass
class Flow:
    """What was counted on the way."""

    requests: int = 0
    """At API Gateway."""
    events: int = 0
    handled: Counter[str] = field(default_factory=Counter)
    """Messages by the reaction whose queue they were on."""
    writes: float = 0
    reads: float = 0

    @property
    def queued(self) -> int:
        return sum(self.handled.values())


def follow(hub: Hub, start: Any, requests: int) -> Flow:
    """Does `start`, then whatever it causes, until nothing waits."""
    meter, flow = Meter(hub.aws), Flow(requests)
    hub.aws.wire.calls.clear()
    hub.aws.wire.delivered.clear()
    start(hub)
    while _published(hub, flow) or _woken(hub, flow):
        pass
    flow.writes, flow.reads = meter.writes, meter.reads
    return flow


def _published(hub: Hub, flow: Flow) -> bool:
    """Every event on the bus goes to the queue of each reaction whose rule takes it."""
    events = hub.aws.heard()
    hub.aws.wire.delivered.clear()
    flow.events += len(events)
    for event in events:
        takers = [name for name, r in hub.reactions.items() if consumed(r, event)]
        for name in (*takers, "journal"):
            flow.handled[name] += 1
            hub.deliver(name, event)
    return bool(events)


def _woken(hub: Hub, flow: Flow) -> bool:
    bodies = hub.planned()
    for body in bodies:
        flow.handled["sender"] += 1
        hub.wake("sender", body)
    return bool(bodies)
