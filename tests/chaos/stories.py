"""The stories of `events/scenarios/`, told by the clock, and again with one call gone wrong."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, cached_property
from typing import Any

from chalicelib.events import Event, iso
from parley import story
from parley.story import Delivery, Run
from tests.chaos.hub import Hub, Post
from tests.chaos.outside import Item, Platforms
from tests.chaos.picture import picture
from tests.chaos.storm import Moment, Storm
from tests.fakes import NOON

APART = timedelta(minutes=20)
"""Time for everything to end that a crash leaves behind: hidden records, calls, their traces."""
PARTNER_BUS = {"orders/paid"}
SPILLED = {"fulfillments/create"}
Strike = Callable[[Hub], object]
_RESEND = {"whatsapp": "traced", "line": "keyed"}


@dataclass(frozen=True)
class Stage:
    """A story without trouble, at one moment."""

    at: datetime
    hub: Hub

    @cached_property
    def picture(self) -> dict[str, Any]:
        return picture(self.hub)


@dataclass(frozen=True)
class Told:
    """A story that went well, step by step."""

    steps: tuple[Hub, ...]
    """Before each thing that happened."""
    rests: tuple[Stage, ...]
    """Before each delivery, and when nothing more happens."""

    @property
    def end(self) -> Stage:
        return self.rests[-1]

    @property
    def calls(self) -> list[str]:
        return self.end.hub.storm.calls

    def before(self, place: int) -> Hub:
        """Another hub, just before the call of that place."""
        return [hub for hub in self.steps if len(hub.storm.calls) <= place][-1].fork()


@cache
def told(name: str) -> Told:
    hub, moments = begun(name)
    steps, rests = [], []
    for at in (*moments, None):
        steps.append(hub.fork())
        while hub.step(until=at):
            steps.append(hub.fork())
        rests.append(Stage(at or hub.clock(), hub.fork()))
    return Told(tuple(steps), tuple(rests))


def begun(name: str, apart: timedelta = APART) -> tuple[Hub, list[datetime]]:
    """A hub to which everything will be delivered, and when."""
    run = Run(story.load(name), "a run", NOON)
    hub = Hub(Platforms(run.answers), Storm(), run.base)
    moments = [run.base + number * apart for number, _ in enumerate(run.deliveries)]
    for at, delivery in zip(moments, run.deliveries, strict=True):
        _arrange(hub, delivery, at)
    return hub, moments


def _arrange(hub: Hub, delivery: Delivery, at: datetime) -> None:
    """Most come by HTTP; one on a partner's bus, and one from the spill queue."""
    topic = delivery.headers.get("x-shopify-topic", "")
    if delivery.step.corrupt:
        return
    for again in range(delivery.step.times):
        due = at + timedelta(seconds=again)
        if topic in PARTNER_BUS:
            hub.queues.put("intake", _partner(delivery), due - hub.clock())
        elif topic in SPILLED:
            for event in delivery.facts:
                hub.queues.put("intake", _spilled(event), due - hub.clock())
        else:
            hub.posts.append(Post(due, delivery.step.to, delivery.request))


def _partner(delivery: Delivery) -> dict[str, Any]:
    detail = {"payload": json.loads(delivery.body), "metadata": dict(delivery.headers)}
    return {"source": "aws.partner/shopify.com/1/hub", "detail": detail}


def _spilled(event: Event) -> dict[str, Any]:
    detail = json.dumps(event.detail())
    return {"DetailType": event.type, "Detail": detail, "Time": iso(event.recordedtime)}


@dataclass(frozen=True)
class Troubled:
    """A story in which a call went wrong, and the one without trouble, both at the same moment."""

    hub: Hub
    calm: Stage
    unknown: frozenset[Item]
    """Outbox items of which nobody will ever know how their call ended."""


def troubled(name: str, place: int, moment: Moment, strike: Strike) -> Troubled:
    """The story again, with `strike` at one call of it.

    Where all is as it was without trouble before a later delivery, the rest has been told; every
    tenth story is told to its end all the same.
    """
    hub, unknown = told(name).before(place), set()

    def struck() -> object:
        unknown.update(_cannot_be_known(hub))
        return strike(hub)

    hub.storm.strike(place, moment, struck)
    for rest in told(name).rests[:-1]:
        hub.play(until=rest.at)
        if place % 10 and hub.storm.struck and picture(hub) == rest.picture:
            return Troubled(hub, rest, frozenset(unknown))
    hub.play()
    assert hub.storm.struck
    return Troubled(hub, told(name).end, frozenset(unknown))


def resend(item: dict[str, Any]) -> str:
    """What its platform allows when nobody knows how a call ended."""
    if item.get("means") == "token":
        return "never"
    return _RESEND.get(item["via"], "never")


def _cannot_be_known(hub: Hub) -> set[Item]:
    """Calls that began and did not end, on a platform that never tells, or has nothing to tell."""
    rows = hub.table.items.items()
    calling = {place: resend(item) for place, item in rows if item.get("state") == "calling"}
    heard = {place for place in calling if hub.platforms.heard.get(place)}
    traced = {place for place, how in calling.items() if how == "traced"}
    return {place for place, how in calling.items() if how == "never"} | (traced - heard)
