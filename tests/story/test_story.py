"""The stories of `events/scenarios/`, told to the hub in memory: in order, again, in no order."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest
from typer.testing import CliRunner

from chalicelib import sources
from parley import story
from parley.cli import app
from parley.screen import Misused
from parley.story import Run
from parley.story_evidence import Evidence
from parley.story_play import outcome, tell, tell_again, unchanged
from tests.fakes import NOON
from tests.story.memory import Town

STORIES = story.names()
SEEDS = range(12)


load = cache(story.load)


def run_of(name: str, id: str = "a run") -> Run:
    return Run(load(name), id, NOON)


@cache
def in_order(name: str) -> dict[str, Counter[str]]:
    run = run_of(name)
    town = Town(run)
    tell(run, town)
    return what_is_so(town.evidence())


def wrong(checks: list) -> list[str]:
    return [detail for check in checks for detail in check.details]


@pytest.mark.parametrize("name", STORIES)
def test_a_story_ends_as_its_script_says(name: str) -> None:
    run = run_of(name)
    town = Town(run)
    answered = tell(run, town)
    assert wrong(outcome(run, answered, town.evidence())) == []
    assert town.failures == []


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize("seed", range(4))
def test_told_again_shuffled_and_doubled_nothing_changes(name: str, seed: int) -> None:
    run = run_of(name)
    town = Town(run, seed)
    tell(run, town)
    before = town.evidence()
    town.clock.forward(minutes=seed)
    town.shuffled = True
    tell_again(run, town, seed)
    assert wrong(unchanged(before, town.evidence())) == []


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_told_in_no_order_the_same_is_so(name: str, seed: int) -> None:
    run = run_of(name)
    town = Town(run, seed)
    town.shuffled = True
    tell_again(run, town, seed)
    assert what_is_so(town.evidence()) == in_order(name)


def what_is_so(seen: Evidence) -> dict[str, Counter[str]]:
    """What no order of arrival may change. News that is overtaken may be told or not."""
    picture = seen.picture()
    once = Counter(f"{e.item['audience']} {e.item['milestone']}" for e in seen.effects if e.calls)
    assert not [key for key, count in Counter(seen.outside()).items() if count > 1]
    assert all(len(effect.calls) <= 1 for effect in seen.effects)
    last = {key: n for key, n in once.items() if key in _ALWAYS}
    return {
        "milestones": picture["milestones of orders"],
        "cases": picture["cases"],
        "told": Counter(last),
    }


_ALWAYS = (
    "shipper ship",
    "desk opened",
    "buyer exception",
    "buyer delivered",
    "buyer acknowledged",
)
"""Said whatever comes first: nothing is further news than these."""


def test_two_runs_never_meet_and_one_run_repeats_itself() -> None:
    one, same, other = run_of("parcel"), run_of("parcel"), run_of("parcel", "another")
    assert [d.body for d in one.deliveries] == [d.body for d in same.deliveries]
    assert not ids(one) & ids(other)


def ids(run: Run) -> set[str]:
    return {event.id for delivery in run.deliveries for event in delivery.facts}


@pytest.mark.parametrize("name", STORIES)
def test_nothing_in_a_story_is_stale_or_unread(name: str) -> None:
    run = run_of(name)
    for delivery in run.deliveries:
        assert run.base - timedelta(hours=24) < delivery.at <= run.base
        assert all(event.type != "ingress.unmapped" for event in delivery.facts)
        assert delivery.step.to in sources.inbound()


@pytest.mark.parametrize(
    ("text", "seconds"), [("-5h30m", -19800), ("-90m", -5400), ("20s", 20), ("-1h0m5s", -3605)]
)
def test_spans(text: str, seconds: int) -> None:
    assert story.span(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "-", "5", "yesterday", "1d"])
def test_what_is_no_span(text: str) -> None:
    with pytest.raises(Misused, match="no span"):
        story.span(text)


def test_a_story_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(Misused, match="parcel"):
        story.load("nosuch")


def test_what_is_not_as_the_script_says_is_named() -> None:
    run = run_of("parcel")
    town = Town(run)
    answered = tell(run, town)
    run.story = replace(run.story, expect={"told": {"whatsapp": ["delivered"]}, "cases": 2})
    named = "\n".join(wrong(outcome(run, answered, town.evidence())))
    for part in (
        "told on WhatsApp: confirmed, paid, shipped, exception",
        "told on LINE: acknowledged",
        "not told, because newer news was: out_for_delivery",
        "asked of EasyPost: ship",
        "brought to Slack: opened, contact",
        "1 cases:",
    ):
        assert part in named


def test_a_message_said_twice_is_named() -> None:
    run = run_of("parcel")
    town = Town(run)
    answered = tell(run, town)
    before = town.evidence()
    town.elsewhere.kept.append(before.messages[0])
    after = town.evidence()
    assert any(each.startswith("new: ") for each in wrong(unchanged(before, after)))
    assert any("more than once" in each for each in wrong(outcome(run, answered, after)))


def test_a_delivery_that_is_let_in_by_mistake_is_named() -> None:
    run = run_of("parcel")
    town = Town(run)
    answered = [replace(each, status=200) for each in tell(run, town)]
    [named] = wrong(outcome(run, answered, town.evidence()))
    assert named.startswith("easypost was answered 200, not 401")


def test_the_command_knows_its_stories() -> None:
    told = CliRunner().invoke(app, ["demo", "nosuch"])
    assert told.exit_code == 2
    assert "parcel" in told.output
