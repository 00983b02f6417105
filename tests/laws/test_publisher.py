"""Law 3: every accepted POST is on the bus, or spilled, or answered so that it comes again."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib import payloads as p
from chalicelib.errors import Unavailable
from chalicelib.events import Event
from chalicelib.gateways.bus import Bus
from tests.laws.said import SLOTS, fact

Fate = str | frozenset[int]
"""What a call comes to: "ok", "throttled", "lost" (applied, no answer), or the entries refused."""
fates = st.one_of(
    st.sampled_from(["ok", "throttled", "lost"]),
    st.frozensets(st.integers(0, 9), min_size=1, max_size=4),
)


def _refusal(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, operation)


class Aws:
    """PutEvents and SendMessageBatch with a fate for each call; when fates end, all is well."""

    def __init__(self, on_bus: list[Fate], on_spill: list[Fate]) -> None:
        self.fates = {"bus": iter(on_bus), "spill": iter(on_spill)}
        self.kept: dict[str, set[str]] = {"bus": set(), "spill": set()}

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        ids = [json.loads(entry["Detail"])["id"] for entry in Entries]
        failed = self._met("bus", ids)
        return {"Entries": [{"ErrorCode": "Busy"} if n in failed else {} for n in range(len(ids))]}

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        bodies = [json.loads(entry["MessageBody"]) for entry in Entries]
        ids = [json.loads(body["Detail"])["id"] for body in bodies]
        failed = self._met("spill", ids)
        return {"Failed": [{"Id": str(n)} for n in failed]}

    def _met(self, where: str, ids: list[str]) -> set[int]:
        fate = next(self.fates[where], "ok")
        if fate == "throttled":
            raise _refusal(where)
        failed = set() if isinstance(fate, str) else {n for n in fate if n < len(ids)}
        self.kept[where] |= {ident for n, ident in enumerate(ids) if n not in failed}
        if fate == "lost":
            raise ReadTimeoutError(endpoint_url=where)
        return failed


class NoClaims:
    def put(self, key: str, body: bytes) -> str:
        raise AssertionError("nothing here is large")


def events(count: int) -> Iterator[Event]:
    for n in range(count):
        data = p.Unmapped(channel="line", account="a", reason="r", item=str(n), raw="x" * 100)
        yield fact("ingress.unmapped", str(n), SLOTS[0], data)


@given(st.integers(0, 25), st.lists(fates, max_size=12), st.lists(fates, max_size=4))
@example(3, ["throttled"] * 3, [frozenset({1})])
@example(3, [frozenset({0, 2})] * 3, [frozenset({0})])
@example(12, ["ok", "throttled", "lost", "throttled"], ["lost"])
def test_what_was_accepted_is_safe(count: int, on_bus: list[Fate], on_spill: list[Fate]) -> None:
    aws, said = Aws(on_bus, on_spill), list(events(count))
    bus = Bus(aws, aws, NoClaims(), bus="b", spill_url="q", pause=lambda seconds: None)
    try:
        bus.publish(said)
    except Unavailable:
        return
    assert {event.id for event in said} <= aws.kept["bus"] | aws.kept["spill"]


@given(st.integers(1, 25), st.lists(fates, max_size=8))
def test_what_spilled_is_forwarded_or_stays(count: int, on_bus: list[Fate]) -> None:
    """A spilled entry whose forwarding failed is an error of that record: it comes again."""
    quiet = Aws([], [])
    spilled = []
    for event in events(count):
        Bus(quiet, quiet, NoClaims(), bus="b", spill_url="q").publish([event])
        spilled.append({"DetailType": event.type, "Detail": json.dumps(event.detail())})
    aws = Aws(on_bus, [])
    bus = Bus(aws, aws, NoClaims(), bus="b", spill_url="q", pause=lambda seconds: None)
    for entry in spilled:
        try:
            bus.forward([entry])
        except Unavailable:
            continue
        assert json.loads(entry["Detail"])["id"] in aws.kept["bus"]


def test_when_bus_and_spill_are_down_nobody_is_told_that_all_is_well() -> None:
    aws = Aws(["throttled"] * 9, ["throttled"])
    bus = Bus(aws, aws, NoClaims(), bus="b", spill_url="q", pause=lambda seconds: None)
    with pytest.raises(Unavailable):
        bus.publish(events(3))


@given(st.integers(1, 30))
def test_a_call_takes_ten_entries_at_most(count: int) -> None:
    sizes: list[int] = []

    class Counting(Aws):
        def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:
            sizes.append(len(Entries))
            return super().put_events(Entries)

    aws = Counting([], [])
    Bus(aws, aws, NoClaims(), bus="b", spill_url="q").publish(events(count))
    assert max(sizes) <= 10 and sum(sizes) == count and len(sizes) == -(-count // 10)
