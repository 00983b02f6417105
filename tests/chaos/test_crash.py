"""Any call of any gateway goes wrong, before or after its effect; the story ends as it would have.

Two ways: the process dies, and all its records come again; or the gateway says that it does not
know, and the one record backs off.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.errors import NotSent, TimedOut, Unavailable
from parley import story
from tests.chaos.hub import Hub
from tests.chaos.picture import (
    apart_from,
    differences,
    failure_of,
    given_up,
    picture,
    said_twice,
    told_of,
    unsaid,
)
from tests.chaos.stories import Troubled, told, troubled
from tests.chaos.storm import AGAIN, MOMENTS, Moment, dies, reads

CALLS = [
    pytest.param(name, place, id=f"{call} ({name} {place})")
    for name in story.names()
    for place, call in enumerate(told(name).calls)
]


@pytest.mark.parametrize(("name", "place"), CALLS)
def test_a_crash_changes_nothing(name: str, place: int) -> None:
    for moment in moments(name, place):
        check(troubled(name, place, moment, lambda hub: dies()), moment)


@pytest.mark.parametrize(("name", "place"), CALLS)
def test_an_error_changes_nothing(name: str, place: int) -> None:
    call = told(name).calls[place]
    outside = " send GET " in call or " send POST " in call
    for moment in moments(name, place):
        error = TimedOut if outside else Unavailable
        check(troubled(name, place, moment, raising(error)), moment)


def moments(name: str, place: int) -> tuple[Moment, ...]:
    """Of a read, before and after is one and the same: it has no effect."""
    return ("before",) if reads(told(name).calls[place]) else MOMENTS


def raising(error: type[Exception]) -> Callable[[Hub], Any]:
    def strike(hub: Hub) -> None:
        raise error("somewhere")

    return strike


def check(after: Troubled, moment: Moment) -> None:
    """All as without trouble; of a call that nobody can know the end of, a desk is told."""
    hub, lost = after.hub, given_up(after.hub)
    seen, expected = picture(hub), after.calm.picture
    if lost:
        seen, expected = apart_from(seen, lost), apart_from(expected, lost)
    assert said_twice(hub) == [], moment
    assert lost == after.unknown, moment
    assert differences(seen, expected) == [], moment
    assert lost or unsaid(hub) == unsaid(after.calm.hub), moment
    assert hub.queues.dead == [], moment
    for item in lost:
        failed = failure_of(hub, item)
        assert told_of(hub, failed) or failed.data.audience == "desk", (moment, item)


OUTWARD = [call for call in CALLS if " send POST " in str(call.id)]
CONDITIONAL = [c for c in CALLS if str(c.id).split()[1] in ("change", "put_new", "put_older")]


@pytest.mark.parametrize(("name", "place"), OUTWARD)
def test_what_never_left_is_sent_later(name: str, place: int) -> None:
    after = troubled(name, place, "before", raising(NotSent))
    check(replace(after, unknown=frozenset()), "before")


@pytest.mark.parametrize(("name", "place"), CONDITIONAL)
def test_a_lost_answer_changes_nothing(name: str, place: int) -> None:
    """The SDK asks again by itself, and meets what it wrote."""
    after = troubled(name, place, "after", lambda hub: AGAIN)
    check(replace(after, unknown=frozenset()), "after")


WAITING = [c for c in CALLS if re.match(r"(?!sweep)\w+ put_new (OUTBOX|CASE)#", str(c.id))]
FIRST = {(c.values[0], str(c.id).partition(" (")[0]): c for c in reversed(WAITING)}


@pytest.mark.parametrize(("name", "place"), [*FIRST.values()])
def test_the_sweep_finds_what_nobody_was_woken_for(name: str, place: int) -> None:
    """A crash between writing and waking, and the record that would do it again is lost too."""

    def strike(hub: Hub) -> None:
        left.extend(at for at, item in hub.table.items.items() if "gsi1pk" in item)
        hub.queues[hub.who].clear()
        dies()

    left: list[tuple[str, str]] = []
    hub, end = troubled(name, place, "after", strike).hub, told(name).end.hub
    assert left
    for at in left:
        now, then = hub.table.items[at], end.table.items[at]
        assert now.get("state") == then.get("state"), at
        assert "gsi1pk" not in now and now.get("fired") == then.get("fired"), at
    assert said_twice(hub) == []


def test_the_stories_call_every_gateway_of_every_reaction() -> None:
    who = {call.split()[0] for name in story.names() for call in told(name).calls}
    assert who == set(
        "api intake triage payments orders shippers escalations clocks replies outbox profiles"
        " journal sweep".split()
    )
