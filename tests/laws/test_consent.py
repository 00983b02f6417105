"""Law 5: the latest consent fact wins, ties to withdrawal; who withdrew is told nothing."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from chalicelib import payloads as p
from chalicelib.events import Event
from chalicelib.functions.profiles import Profiles
from tests.fakes import NOON, MemoryTable
from tests.laws.said import (
    BEGIN,
    BOB,
    PLACED,
    SLOTS,
    WITH_BOB,
    again,
    consented,
    fact,
    scanned,
)
from tests.world import World


def register(said: list[Event]) -> dict[str, bool]:
    table = MemoryTable()
    for event in said:
        Profiles(table)(event, NOON)
    return {sk: item["withdrawn"] for (_, sk), item in table.items.items()}


@given(st.lists(consented(), max_size=7), st.randoms(use_true_random=False))
def test_the_latest_wins_and_of_two_at_once_the_withdrawal(said: list[Event], random) -> None:  # type: ignore[no-untyped-def]
    copies = [again(event, timedelta(hours=1)) for event in said[:3]]
    arrival = [*said, *copies]
    random.shuffle(arrival)
    expected: dict[str, bool] = {}
    for event in sorted(said, key=lambda e: (e.effective, e.type)):  # "granted" < "withdrawn"
        assert isinstance(event.data, p.Consent)
        expected[f"CONSENT#{event.data.purpose}"] = event.type == "consent.withdrawn"
    assert register(arrival) == expected


@given(st.lists(scanned(), min_size=1, max_size=5), st.booleans())
def test_nobody_is_told_anything_after_saying_stop(scans: list[Event], again_later: bool) -> None:
    stop = p.Consent(channel="line", account="U-brand", identity=BOB, source="words")
    world = World()
    world.hear([fact("consent.withdrawn", "stop", BEGIN, stop)])
    world.drain()
    if again_later:  # an older consent, late
        older = fact("consent.granted", "go", BEGIN - timedelta(minutes=1), stop)
        world.hear([replace(older, recordedtime=NOON)])
    world.hear([PLACED["1002"], *scans])
    world.drain()
    to_bob = [call for call in world.outside.calls if "api.line.me" in call.url]
    assert not to_bob
    blocked = [e.data for e in world.bus if e.type == "reply.blocked"]
    assert {data.reason for data in blocked if isinstance(data, p.ReplyPlanned)} == {"consent"}


def test_who_says_yes_again_is_told_again() -> None:
    world = World()
    consent = p.Consent(channel="line", account="U-brand", identity=BOB, source="words")
    world.hear([fact("consent.withdrawn", "stop", SLOTS[0], consent)])
    world.hear([fact("consent.granted", "go", SLOTS[1], consent)])
    world.drain()
    world.hear([PLACED["1002"]])
    world.drain()
    [call] = [call for call in world.outside.calls if "api.line.me" in call.url]
    assert WITH_BOB.rpartition("/")[2].encode() in call.body
