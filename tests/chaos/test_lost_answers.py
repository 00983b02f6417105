"""A conditional write happens, and its answer is lost: the SDK's own retry meets what we wrote."""

from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
import botocore.session
import pytest
from botocore.exceptions import ReadTimeoutError
from moto import mock_aws

from chalicelib import wiring
from chalicelib.domain.outbox import Plan
from chalicelib.events import Cause
from chalicelib.functions._delivery import Deliveries
from chalicelib.functions._outbox import Outbox
from chalicelib.functions.sender import Sender
from chalicelib.gateways.table import Table
from infra import template
from tests.chaos.hub import Hub
from tests.chaos.stories import told
from tests.fakes import NOON, MemoryQueue

SENDINGS = {
    "LINE, by key": ("pickup", "confirmed##buyer", 2),
    "LINE, by token": ("parcel", "acknowledged##buyer", 3),
    "WhatsApp": ("parcel", "confirmed##buyer", 2),
    "Slack": ("parcel", "opened#slack#desk", 2),
}
"""Story, outbox item, and how many conditional writes its sending takes."""


class Line:
    """The wire to DynamoDB: the answer of one write, counted from 0, never comes back."""

    def __init__(self) -> None:
        self.writes: list[str] = []
        self.lost = -1

    def after(self, request: Any, event_name: str, **_: Any) -> None:
        operation = event_name.rpartition(".")[2]
        if operation not in ("PutItem", "UpdateItem"):
            return
        self.writes.append(operation)
        if len(self.writes) - 1 == self.lost:
            raise ReadTimeoutError(endpoint_url=request.url)


@pytest.fixture
def line() -> Line:
    return Line()


@cache
def dynamodb() -> Any:
    """A client is slow to make."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    session = botocore.session.Session()
    return session.create_client("dynamodb", "us-east-1", config=wiring._CONFIG, **keys)


@cache
def declared() -> dict[str, Any]:
    """The table of hub.yaml, as far as CreateTable takes it."""
    properties = template.hub()["Resources"]["HubTable"]["Properties"]
    kept = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    return {name: properties[name] for name in kept}


@pytest.fixture
def table(line: Line, monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    """The gateway, with the SDK's retries, in front of an empty table."""
    # the SDK waits between its attempts; here nothing gets better by waiting
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda seconds: None))
    with mock_aws():
        dynamodb().create_table(TableName="hub", **declared())
        # at the place of moto itself: what is registered more narrowly comes before it
        dynamodb().meta.events.register_last("before-send", line.after)
        yield Table(dynamodb(), "hub")
        dynamodb().meta.events.unregister("before-send", line.after)


@pytest.mark.parametrize(
    ("what", "lost"),
    [(what, lost) for what, (_, _, writes) in SENDINGS.items() for lost in range(writes)],
)
def test_a_sending_is_one_call_and_one_result(
    what: str, lost: int, line: Line, table: Table
) -> None:
    name, sk, writes = SENDINGS[what]
    hub, pk = planned(name, sk)
    for place, item in hub.table.items.items():
        if place[0] == pk or place[0].startswith("IDENTITY#"):
            table.put(item)
    line.writes, line.lost = [], lost
    sender = Sender(table, MemoryQueue(), Deliveries(table, hub.platforms, hub.keys))
    said = list(sender.wake({"outbox": [pk, sk]}, hub.clock()))
    assert [event.type for event in said] == ["message.accepted"]
    assert sum(map(len, hub.platforms.heard.values())) == 1
    assert (table.get(pk, sk) or {})["state"] == "sent"
    assert len(line.writes) == writes + 1


def planned(name: str, sk: str) -> tuple[Hub, str]:
    """A story just before an outbox item is sent, with nobody outside having heard of anything."""
    for step in reversed(told(name).steps):
        for place, item in step.table.items.items():
            if place[1] == sk and item["state"] == "planned":
                hub = step.fork()
                hub.platforms.heard.clear()
                return hub, place[0]
    raise AssertionError(f"{sk} is never planned")


def test_a_plan_is_ours_and_wakes_the_sender(line: Line, table: Table) -> None:
    cause = Cause("EVENT", "order/s/1", 1, NOON)
    plan = Plan(
        "order/s/1", "paid", "buyer", "line", "U1", "{}", cause, NOON, NOON + timedelta(hours=1)
    )
    queue = MemoryQueue()
    line.lost = 0
    assert Outbox(table, queue).plan(plan, NOON)
    assert [body for body, _ in queue] == [{"outbox": [plan.pk, plan.sk]}]
    assert line.writes == ["PutItem", "PutItem"]
