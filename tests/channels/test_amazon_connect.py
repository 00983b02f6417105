"""What is particular to Amazon Connect; what every source promises is in tests/contract."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chalicelib import payloads as p
from chalicelib.channels.amazon_connect import channel
from chalicelib.events import Event

EVENTS = Path(__file__).parents[2] / "events" / "amazon_connect"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
INSTANCE = "6a1f0c22-7e4b-4c5d-9a10-000000000017"
CALL = "0b7d3f50-1a2b-4c3d-8e4f-000000000001"


def envelope(name: str, **changes: Any) -> dict[str, Any]:
    event = json.loads((EVENTS / f"{name}.json").read_text())
    return {**event, "detail": {**event["detail"], **changes}} if changes else event


def said(document: Any) -> Event:
    [event] = channel.read(channel.unwrap(document, NOW))
    return event


def contact(event: Event) -> p.Recorded:
    assert isinstance(event.data, p.Recorded)
    return event.data


def reason(event: Event) -> str:
    assert isinstance(event.data, p.Unmapped)
    return event.data.reason


@pytest.mark.parametrize(
    ("name", "state", "second"),
    [
        ("initiated", "initiated", (9, 0, 0)),
        ("connected_to_system", "connected_to_system", (9, 0, 1)),
        ("queued", "queued", (9, 0, 5)),
        ("connected_to_agent", "connected", (9, 1, 12)),
        ("connected_pascal_case", "connected", (10, 0, 9)),
        ("paused", "paused", (9, 3, 0)),
        ("resumed", "resumed", (9, 4, 0)),
        ("disconnected", "disconnected", (9, 9, 40)),
        ("abandoned", "abandoned", (9, 2, 35)),
        ("outbound_disconnected", "disconnected", (11, 2, 35)),
        ("completed", "completed", (9, 11, 0)),
        ("email_queued", "queued", (9, 0, 5)),
        ("not_yet", "connected_to_system", (9, 0, 30)),
    ],
)
def test_the_course_of_a_contact_is_told_with_its_own_time(
    name: str, state: str, second: tuple[int, int, int]
) -> None:
    event = said(envelope(name))

    assert (event.type, contact(event).state) == ("contact.recorded", state)
    assert event.time == datetime(2026, 2, 24, *second, tzinfo=UTC)
    assert event.source == f"/channels/amazon_connect/{INSTANCE}"


@pytest.mark.parametrize(
    ("name", "waited"),
    [
        ("queued", None),
        ("connected_to_agent", 67_000),
        ("connected_pascal_case", 4_000),
        ("disconnected", 67_000),
        ("abandoned", 150_000),
        ("outbound_disconnected", None),
        ("not_yet", None),
    ],
)
def test_waiting_ends_with_an_agent_or_with_hanging_up(name: str, waited: int | None) -> None:
    assert contact(said(envelope(name))).queued_ms == waited


def test_a_clock_that_runs_backwards_waited_for_nobody() -> None:
    late = {"enqueueTimestamp": "2026-02-24T23:00:00Z", "queueType": "STANDARD"}

    assert contact(said(envelope("abandoned", queueInfo=late))).queued_ms is None


def test_who_and_how_is_told_in_our_words() -> None:
    call, mail = contact(said(envelope("connected_to_agent"))), contact(said(envelope("paused")))

    assert (call.medium, call.agent, mail.medium) == ("voice", "7f3a-mika", "chat")
    assert contact(said(envelope("initiated"))).agent is None


def test_a_customer_is_who_the_contact_flow_says_never_a_telephone_number() -> None:
    known, unknown = said(envelope("queued")), said(envelope("initiated"))

    assert known.subject == f"identity/amazon_connect/{INSTANCE}/cust-2041"
    assert contact(unknown).identity is None
    assert unknown.subject == f"channel/amazon_connect/{INSTANCE}"
    assert "+15035550117" not in json.dumps(
        {key: value for key, value in unknown.detail()["data"].items() if key != "raw"}
    )


def test_a_transferred_contact_stays_one_contact() -> None:
    first, transferred = said(envelope("initiated")), said(envelope("outbound_disconnected"))

    assert contact(first).contact_id == contact(transferred).contact_id == CALL


def test_delivered_twice_under_another_id_it_is_the_same_fact() -> None:
    again = {**envelope("queued"), "id": "another", "time": "2026-02-24T12:00:00Z"}

    assert said(again).id == said(envelope("queued")).id
    assert said(again).id != said(envelope("connected_to_agent")).id
    ids = {said(envelope(name)).id for name in ("rule_matched_call", "rule_matched_chat")}
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("name", "medium", "summary"),
    [
        ("rule_matched_call", "voice", "CUSTOMER COMPLAINT: TELL THE SERVICE TEAM"),
        ("rule_matched_chat", "chat", "CUSTOMER COMPLAINT"),
    ],
)
def test_a_matched_rule_sums_up_what_was_said(name: str, medium: str, summary: str) -> None:
    told = contact(said(envelope(name)))

    assert (told.medium, told.summary, told.state) == (medium, summary, "rule_matched")
    assert (told.contact_id, told.agent) == (CALL, "7f3a-mika")


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (
            envelope("data_updated"),
            "amazon_connect CONTACT_DATA_UPDATED: says nothing of the contact's course",
        ),
        (envelope("task_queued"), "amazon_connect TASK: no contact with a customer"),
        (envelope("analysis_state"), "amazon_connect Contact Lens Analysis State Change"),
        (envelope("flow_invocation"), "unexpected shape"),
        ({"id": "1", "detail": {}}, "amazon_connect event without a type"),
    ],
)
def test_what_is_no_contact_with_a_customer_is_kept_with_its_reason(
    document: Any, why: str
) -> None:
    assert reason(said(document)) == why


def test_without_its_instance_or_its_times_a_contact_is_still_told() -> None:
    bare = {**envelope("initiated", instanceArn=None, initiationTimestamp=None), "time": None}

    event = said(bare)

    assert (event.type, event.timesuspect) == ("contact.recorded", True)
    assert event.source == "/channels/amazon_connect/default"
