"""The whole hub in memory: publish, drain, look. Thousands of schedules a second."""

import random
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from chalicelib.events import Event
from chalicelib.functions._delivery import Deliveries
from chalicelib.functions._outbox import Outbox
from chalicelib.functions._shell import MOST_HOPS
from chalicelib.functions.escalations import Escalations
from chalicelib.functions.orders import Orders
from chalicelib.functions.payments import Payments
from chalicelib.functions.profiles import Profiles
from chalicelib.functions.replies import Replies
from chalicelib.functions.sender import Sender
from chalicelib.functions.shippers import Shippers
from chalicelib.functions.sweep import Sweep
from chalicelib.functions.triage import Triage
from chalicelib.reading import reader
from tests.fakes import (
    Clock,
    Keys,
    MemoryBus,
    MemoryQueue,
    MemoryTable,
    Outside,
    consumed,
    matches,
    on_the_wire,
)

SETTINGS = {"shippers": ["easypost"], "desks": ["slack"], "shop": "shopify:demo.myshopify.com"}
SECRETS = {
    "line": {"default": {"channel_secret": "line-secret", "channel_access_token": "line-token"}},
    "whatsapp": {"default": {"app_secret": "s", "verify_token": "v", "access_token": "t"}},
    "messenger": {"default": {"app_secret": "s", "verify_token": "v", "access_token": "t"}},
    "easypost": {"default": {"webhook_secret": "s", "api_key": "k"}},
    "slack": {"default": {"bot_token": "xoxb", "channel": "C1"}},
    "shopify": {"default": {"client_secret": "s", "access_token": "t"}},
    "standard_webhooks": {
        "default": {
            "secret": "whsec_cGFybGV5LXRlc3RzLXNlY3JldC1rZXktMzItYnl0ZXM=",
            "url": "https://partner.example/hooks",
            "reread_url": "https://till.example/payments/{payment_id}",
            "reread_key": "k",
        }
    },
}


class World:
    """Every reaction behind its own queue; `drain` runs them until nothing is left."""

    def __init__(
        self,
        outside: Outside | None = None,
        seed: int = 0,
        around: Callable[[str, Any], Any] = lambda name, gateway: gateway,
    ) -> None:
        """`around(name, gateway)` may stand between the reactions and a gateway."""
        self.table, self.bus = MemoryTable(), MemoryBus()
        self.outbox_queue, self.clocks_queue = MemoryQueue(), MemoryQueue()
        self.outside = outside or Outside()
        self.clock, self.random = Clock(), random.Random(seed)
        self.settings = dict(SETTINGS)
        self.keys = Keys(SECRETS)
        self.around = around
        self.out = around("bus", _Out(self))
        self.reactions = self._reactions()
        self.pending: list[tuple[Any, Event]] = []
        self.failures: list[tuple[str, Exception]] = []

    def _reactions(self) -> list[Any]:
        table, outside = self.around("table", self.table), self.around("outside", self.outside)
        queue = self.around("queue", self.outbox_queue)
        outbox = Outbox(table, queue)
        self.sender = Sender(table, queue, Deliveries(table, outside, self.keys))
        clocks = self.around("queue", self.clocks_queue)
        self.escalations = Escalations(table, outbox, clocks, lambda: self.settings)
        return [
            Triage(reader()),
            Payments(outside, self.keys),
            Orders(table),
            Shippers(outbox, lambda: self.settings),
            self.escalations,
            Replies(table, outbox),
            Profiles(table),
        ]

    def hear(self, events: Iterable[Event]) -> None:
        """Facts reach the bus; every rule that matches gets a copy."""
        for event in events:
            self.bus.append(event)
            seen = on_the_wire(event)
            self.pending += [(r, seen) for r in self.reactions if consumed(r, seen)]

    def drain(self, *, shuffled: bool = False) -> None:
        """Until no queue holds anything that is due now."""
        while self.pending or self.outbox_queue or self.clocks_queue:
            asleep = not (self.outbox_queue or self.clocks_queue)
            early = shuffled and not asleep and self.random.random() < 0.3
            if self.pending and not early:
                self._react(self._take(shuffled))
            else:
                self._wake()

    def tick(self, **by: float) -> None:
        """Time passes, and the sweep looks."""
        self.clock.forward(**by)
        Sweep(self.table, {"OUTBOX": self.outbox_queue, "CLOCK": self.clocks_queue})(self.clock())
        self.drain()

    def _take(self, shuffled: bool) -> tuple[Any, Event]:
        place = self.random.randrange(len(self.pending)) if shuffled else 0
        return self.pending.pop(place)

    def _react(self, work: tuple[Any, Event]) -> None:
        reaction, event = work
        self._run(reaction, lambda: list(reaction(event, self.clock())), event)

    def _wake(self) -> None:
        """A delayed message stays away; the sweep brings it when it is due."""
        for queue, reaction in (
            (self.outbox_queue, self.sender),
            (self.clocks_queue, self.escalations),
        ):
            if queue:
                body, delay_s = queue.popleft()
                if delay_s <= 1:
                    self._run(reaction, partial(self._woken, reaction, body))

    def _woken(self, reaction: Any, body: dict[str, Any]) -> list[Event]:
        return list(reaction.wake(body, self.clock()))

    def _run(
        self, reaction: Any, work: Callable[[], list[Event]], cause: Event | None = None
    ) -> None:
        try:
            caused = work()
            for event in caused:
                _declared(reaction, event, cause)
            self.out.publish(caused)
        except AssertionError:
            raise
        except Exception as error:
            self.failures.append((type(reaction).__name__, error))
            self.failed(reaction, work, cause, error)

    def failed(
        self,
        reaction: Any,
        work: Callable[[], list[Event]],
        cause: Event | None,
        error: Exception,
    ) -> None:
        """What becomes of a record that failed; here it is in its dead-letter queue."""

    def types(self) -> list[str]:
        return [event.type for event in self.bus]


class _Out:
    """Where the shell publishes."""

    def __init__(self, world: World) -> None:
        self._world = world

    def publish(self, events: Iterable[Event]) -> None:
        self._world.hear(events)


def _declared(reaction: Any, event: Event, cause: Event | None) -> None:
    """What a reaction says is what its class says it says."""
    pattern = reaction.emits.get(event.type)
    assert pattern is not None, (reaction, event.type)
    assert matches(pattern, event.detail()["data"]), (reaction, event.type, pattern)
    causes = getattr(reaction, "causes", {}).get(event.type)
    assert not (causes and cause) or cause.type in causes.split(), (reaction, event.type, cause)
    assert event.hops <= MOST_HOPS
