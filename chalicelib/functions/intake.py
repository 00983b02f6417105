"""The way in without HTTP: partner buses, AWS's own events, what spilled when the bus was down."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol

from chalice.app import Blueprint

from chalicelib import sources, wiring
from chalicelib.errors import UnknownSource
from chalicelib.events import TYPES, Event
from chalicelib.functions._shell import Patterns, of, run
from chalicelib.source import Source

bp = Blueprint(__name__)


class Forward(Protocol):
    def forward(self, entries: Sequence[dict[str, Any]]) -> None: ...


@dataclass(frozen=True)
class Intake:
    """The same adapters as the front door's; AWS vouches for who speaks."""

    bus: Forward
    find: Callable[[Mapping[str, Any]], Source]
    consumes: ClassVar[Patterns] = {}
    emits: ClassVar[Patterns] = of(" ".join(TYPES))

    def __call__(self, event: Event, now: datetime) -> Iterator[Event]:
        raise UnknownSource("intake wakes on its queues alone")

    def wake(self, body: dict[str, Any], now: datetime) -> Iterator[Event]:
        if "DetailType" in body:  # an entry of ours, as the publisher spilled it
            self.bus.forward([body])
            return
        source = self.find(body)
        yield from source.read(source.unwrap(body, now))


def reading(envelope: Mapping[str, Any]) -> Source:
    """Who reads what EventBridge, or a queue that a partner fills, handed over."""
    for name in sources.inbound():
        source = sources.get(name)
        if source.owns(envelope):
            return source
    raise UnknownSource(str(envelope.get("source", "a queue"))[:200])


@bp.lambda_function(name="intake")
def intake(batch: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda: records of the intake and the spill queue."""
    reaction = Intake(wiring.bus(), reading)
    return run(reaction, batch, context, reaction.wake)
