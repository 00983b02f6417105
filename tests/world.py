"""The whole hub in memory: publish, drain, look. Thousands of schedules a second."""

import random
from collections.abc import Callable, Iterable
from typing import Any

from chalicelib.events import Event
from chalicelib.functions._delivery import Deliveries
from chalicelib.functions._outbox import Outbox
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
}


class World:
    """Every reaction behind its own queue; `drain` runs them until nothing is left."""

    def __init__(self, outside: Outside | None = None, seed: int = 0) -> None:
        self.table, self.bus = MemoryTable(), MemoryBus()
        self.outbox_queue, self.clocks_queue = MemoryQueue(), MemoryQueue()
        self.outside = outside or Outside()
        self.clock, self.random = Clock(), random.Random(seed)
        self.settings = dict(SETTINGS)
        self.keys = Keys(SECRETS)
        self.reactions = self._reactions()
        self.pending: list[tuple[Any, Event]] = []
        self.failures: list[tuple[str, Exception]] = []

    def _reactions(self) -> list[Any]:
        outbox = Outbox(self.table, self.outbox_queue)
        deliveries = Deliveries(self.table, self.outside, self.keys)
        self.sender = Sender(self.table, self.outbox_queue, deliveries)
        self.escalations = Escalations(self.table, outbox, self.clocks_queue, lambda: self.settings)
        return [
            Triage(reader()),
            Payments(self.outside, self.keys),
            Orders(self.table),
            Shippers(outbox, lambda: self.settings),
            self.escalations,
            Replies(self.table, outbox),
            Profiles(self.table),
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
            if self.pending:
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
        self._run(reaction, lambda: list(reaction(event, self.clock())))

    def _wake(self) -> None:
        """A delayed message stays away; the sweep brings it when it is due."""
        for queue, reaction in (
            (self.outbox_queue, self.sender),
            (self.clocks_queue, self.escalations),
        ):
            while queue:
                body, delay_s = queue.popleft()
                if delay_s <= 1:
                    self._run(reaction, lambda body=body: list(reaction.wake(body, self.clock())))

    def _run(self, reaction: Any, work: Callable[[], list[Event]]) -> None:
        try:
            caused = work()
        except Exception as error:
            self.failures.append((type(reaction).__name__, error))
            return
        for event in caused:
            assert event.type in reaction.emits, (reaction, event.type)
        self.hear(caused)

    def types(self) -> list[str]:
        return [event.type for event in self.bus]
