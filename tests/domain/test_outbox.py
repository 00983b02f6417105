"""Plans: their names, how they are kept, which news overtakes which."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from chalicelib.domain.outbox import (
    FRESH,
    OVER,
    SHARDS,
    Plan,
    Planned,
    backoff,
    partition,
    shard_of,
    shards,
    sort_key,
)
from chalicelib.events import Cause, iso
from tests.fakes import NOON

CAUSE = Cause("CAUSE", "order/s/1", 2, NOON)


def plan(milestone: str = "shipped", **more: Any) -> Plan:
    known: dict[str, Any] = {
        "subject": "order/s/1",
        "milestone": milestone,
        "audience": "buyer",
        "via": "line",
        "account": "a",
        "body": "{}",
        "cause": CAUSE,
        "send_at": NOON,
        "fresh_until": NOON + FRESH,
    }
    return Plan(**{**known, **more})


def kept(milestone: str = "shipped", state: str = "planned", **more: Any) -> Planned:
    return Planned.read({**plan(milestone, **more).item(), "state": state})


def test_a_plan_is_read_as_it_was_written() -> None:
    item, read = plan(occasion="ups/1Z").item(), kept(occasion="ups/1Z")
    assert (read.pk, read.sk) == ("OUTBOX#order/s/1", "shipped#ups/1Z#buyer")
    assert (read.key, read.cause, read.send_at) == (plan(occasion="ups/1Z").key, CAUSE, NOON)
    assert (item["gsi1pk"], item["gsi1sk"]) == (shard_of("OUTBOX", read.key), iso(NOON))
    assert item["expires"] > NOON.timestamp()


def test_one_message_per_subject_milestone_and_audience() -> None:
    names = {
        plan().key,
        plan("delivered").key,
        plan(subject="order/s/2").key,
        plan(audience="desk").key,
        plan(occasion="ups/1Z").key,
    }
    assert len(names) == 5
    assert plan(via="whatsapp", body="other", cause=Cause("X", "c", 0, NOON)).key == plan().key


@pytest.mark.parametrize("subject", ["order/s/" + "x" * 3000, "é" * 600])
def test_a_subject_longer_than_a_key_is_hashed(subject: str) -> None:
    assert len(partition(subject).encode()) < 1024
    assert partition(subject) != partition(subject + "y")


@pytest.mark.parametrize("occasion", ["x" * 3000, "é" * 150])
def test_an_occasion_longer_than_a_key_is_hashed(occasion: str) -> None:
    assert len(sort_key("shipped", occasion, "buyer").encode()) < 1024
    assert sort_key("shipped", occasion, "buyer") != sort_key("shipped", occasion + "y", "buyer")


ORDER = ["confirmed", "paid", "shipped", "out_for_delivery", "exception", "delivered"]


@pytest.mark.parametrize(("older", "newer"), list(pairwise(ORDER)))
def test_further_news_overtakes_what_was_not_sent(older: str, newer: str) -> None:
    mine, other = kept(older), kept(newer)
    assert mine.superseded_by([mine, other])
    assert not other.superseded_by([mine, other])


def test_news_of_one_parcel_says_nothing_of_another() -> None:
    mine = kept("shipped", occasion="ups/1Z")
    assert not mine.superseded_by([kept("delivered", occasion="dhl/J")])
    assert mine.superseded_by([kept("delivered", occasion="ups/1Z")])
    assert mine.superseded_by([kept("exception", occasion="ups/1Z@2026-11-20")])
    assert kept("paid").superseded_by([kept("shipped", occasion="dhl/J")])


@pytest.mark.parametrize("milestone", ["cancelled", "returned", "refunded", "acknowledged"])
def test_other_messages_are_never_overtaken(milestone: str) -> None:
    assert not kept(milestone).superseded_by([kept("delivered")])
    assert not kept("shipped").superseded_by([kept(milestone)])


def test_what_was_blocked_overtakes_nothing_and_desks_hear_everything() -> None:
    assert not kept("shipped").superseded_by([kept("delivered", state="blocked")])
    assert not kept("shipped", audience="desk").superseded_by([kept("delivered")])


def test_due_lists_are_spread() -> None:
    used = {shard_of("OUTBOX", f"key-{n}") for n in range(200)}
    assert used == set(shards("OUTBOX")) and len(used) == SHARDS


def test_waits_double_up_to_ten_minutes() -> None:
    waits = [backoff(n).total_seconds() for n in range(12)]
    assert waits[:4] == [2, 4, 8, 16] and max(waits) == 600
    assert waits == sorted(waits)


def test_what_is_over_is_over() -> None:
    assert {"sent", "failed", "superseded", "blocked"} == OVER
    assert NOON + timedelta(hours=24) == plan().fresh_until
