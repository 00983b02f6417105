"""Two workers at once: each waits at every one of its calls, while the other goes on to its end.

Where they have the same record, it is as if there were one. Where each has one side of a join
(order and parcel, chat and order, two contacts of a case), nothing is lost.
"""

from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from parley import story
from tests.chaos.hub import Hub
from tests.chaos.picture import differences, picture
from tests.chaos.stories import begun, told, troubled
from tests.chaos.storm import reads
from tests.chaos.test_crash import check

JOINING = frozenset({"orders", "escalations", "triage", "payments"})
PLACES = [
    pytest.param(name, place, id=f"before {call} ({name} {place})")
    for name in story.names()
    for place, call in enumerate(told(name).calls)
    if not reads(call)
]


@pytest.mark.parametrize(("name", "place"), PLACES)
def test_two_with_the_same_record_are_as_one(name: str, place: int) -> None:
    after = troubled(name, place, "before", again)
    check(replace(after, unknown=frozenset()), "before")


def again(hub: Hub) -> None:
    """The same records, handed out twice."""
    job = hub.job
    with hub.meanwhile():
        job()


@cache
def at_once(name: str, way: str) -> tuple[Hub, ...]:
    """All that platforms deliver in a story comes at one moment; workers take one record each."""
    hub, _ = begun(name, apart=timedelta())
    hub.queues.most_at_once, hub.queues.only = 1, JOINING | {"intake"}
    if way == "backwards":
        hub.posts.reverse()
    steps = [hub.fork()]
    while hub.step():
        steps.append(hub.fork())
    return tuple(steps)


JOINS = [
    pytest.param(name, way, place, id=f"before {call} ({name} {way} {place})")
    for name in story.names()
    for way in ("forwards", "backwards")
    for place, call in enumerate(at_once(name, way)[-1].storm.calls)
    if call.split()[0] in JOINING
]


@pytest.mark.parametrize(("name", "way", "place"), JOINS)
def test_two_sides_of_a_join_find_each_other(name: str, way: str, place: int) -> None:
    hub = [step for step in at_once(name, way) if len(step.storm.calls) <= place][-1].fork()
    hub.storm.strike(place, "before", lambda: overtake(hub))
    hub.play()
    assert hub.storm.struck
    found, expected = joined(hub), joined(told(name).end.hub)
    assert found["milestones"] >= expected["milestones"]
    assert differences({**found, "milestones": expected["milestones"]}, expected) == []


def overtake(hub: Hub) -> None:
    """Everybody else does what can be done now, while this worker waits."""
    with hub.meanwhile():
        hub.play(until=hub.clock() + timedelta(seconds=30))


def joined(hub: Hub) -> dict[str, Any]:
    """What is known, whatever came first. A milestone may be said by two witnesses in turn."""
    rows, facts = picture(hub)["rows"], picture(hub)["facts"]
    kinds = ("ORDER#", "PARCEL#", "REQUEST#")
    return {
        "known": {place: row for place, row in rows.items() if place[0].startswith(kinds)},
        "contacts": {row["id"] for place, row in rows.items() if place[1].startswith("CONTACT#")},
        "cases": {place[0] for place in rows if place[0].startswith("OUTBOX#case/")},
        "milestones": {fact for fact in facts if fact[0].startswith("order.")},
    }
