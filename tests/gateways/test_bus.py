"""Nothing is lost: on the bus, or in the spill queue, or the caller hears Unavailable."""

import json
from typing import Any

import pytest

from chalicelib import payloads as p
from chalicelib import wiring
from chalicelib.errors import Unavailable
from chalicelib.events import Event
from chalicelib.functions.intake import Intake, reading
from chalicelib.gateways.bus import Bus, S3Claims
from tests.gateways.aws import ENV, Aws, spare
from tests.gateways.said import NOW, fact, message

PUT_EVENTS_BYTES = 256 * 1024
"""What a call of PutEvents has taken since its first day; newer limits are wider."""


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def bus(aws: Aws, pauses: list[float]) -> Bus:
    return Bus(
        wiring.client("events"),
        wiring.client("sqs"),
        S3Claims(wiring.client("s3"), ENV["PARLEY_BUCKET"]),
        bus=ENV["PARLEY_BUS"],
        spill_url=aws.queues["spill"],
        pause=pauses.append,
    )


def many(count: int, **more: Any) -> list[Event]:
    return [message(f"m-{n}", **more) for n in range(count)]


def claimed(ref: str) -> bytes:
    """What a reference leads to."""
    bucket, _, name = ref.removeprefix("s3://").partition("/")
    body: bytes = spare("s3").get_object(Bucket=bucket, Key=name)["Body"].read()
    return body


def size(entry: dict[str, Any]) -> int:
    """As AWS counts an entry: 14 for its time, and the UTF-8 of its texts."""
    texts = (entry["Source"], entry["DetailType"], entry["Detail"], *entry["Resources"])
    return 14 + sum(len(text.encode()) for text in texts)


# -- the entry ---------------------------------------------------------------------------------


def test_an_entry_is_the_whole_cloudevent_as_the_contract_says(aws: Aws, bus: Bus) -> None:
    event = message(text="naïve “quotes” 😀 \x00")
    bus.publish([event])
    [entry] = aws.wire.delivered
    assert json.loads(entry.pop("Detail")) == event.detail()
    assert entry == {
        "EventBusName": "hub",
        "Source": "parley.message",
        "DetailType": "message.received",
        "Time": 1795435200,  # 2026-11-23T12:00:00Z
        "Resources": ["identity/line/U-brand/U-ann"],
    }


def test_nothing_to_say_is_no_call(aws: Aws, bus: Bus) -> None:
    bus.publish([])
    assert aws.wire.sent == []


@pytest.mark.parametrize(("count", "calls"), [(1, 1), (10, 1), (11, 2), (25, 3)])
def test_ten_entries_go_in_a_call_and_keep_their_order(
    aws: Aws, bus: Bus, count: int, calls: int
) -> None:
    events = many(count)
    bus.publish(events)
    assert aws.wire.sent == ["PutEvents"] * calls
    assert aws.heard() == events


def test_bytes_make_a_call_smaller_than_ten_entries(aws: Aws, bus: Bus) -> None:
    sizes: list[int] = []
    aws.wire.after(
        "eventbridge.PutEvents",
        lambda parsed: sizes.append(sum(map(size, aws.wire.latest["Entries"]))),
    )
    bus.publish(many(8, raw="x" * 70_000))
    assert len(aws.heard()) == 8 and aws.wire.sent == ["PutEvents"] * 3
    assert max(sizes) <= PUT_EVENTS_BYTES


# -- what is too large, or refused for ever ----------------------------------------------------


def test_a_large_raw_goes_to_the_bucket_and_every_other_field_stays(aws: Aws, bus: Bus) -> None:
    aws.bucket()
    raw = '{"text":"%s"}' % ("é" * 150_000)
    event = message(raw=raw)
    bus.publish([event, message("m-2")])
    heard, neighbour = aws.heard()
    assert claimed(heard.data.dataref).decode() == raw  # type: ignore[attr-defined]
    assert neighbour == message("m-2")
    light = event.data.model_copy(update={"raw": None, "dataref": heard.data.dataref})  # type: ignore[attr-defined]
    assert heard.data == light
    assert (heard.id, heard.type, heard.subject) == (event.id, event.type, event.subject)


def test_just_below_the_limit_raw_stays(aws: Aws, bus: Bus) -> None:
    event = message(raw="x" * 198_000)
    bus.publish([event])
    assert aws.heard() == [event]
    assert size(aws.wire.delivered[0]) <= 200_500


REFUSED = {
    "an integer of more than 64 bits": {"rating": p.Rating(of=2**63)},
    "a lone surrogate": {"lang": "\ud800"},
    "a long text": {"content": (p.Text(text="x" * 300_000),)},
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_aws_refuses_for_ever_is_kept_whole_and_said_so(aws: Aws, bus: Bus, why: str) -> None:
    aws.bucket()
    event = message("m-1")
    strange = fact("message.received", "m-1", event.data.model_copy(update=REFUSED[why]))
    bus.publish([message("m-0"), strange, message("m-2")])
    before, kept, after = aws.heard()
    assert (before, after) == (message("m-0"), message("m-2"))
    assert isinstance(kept.data, p.Unmapped)
    assert kept.type == "ingress.unmapped" and kept.subject == "channel/line/U-brand"
    assert json.loads(claimed(str(kept.data.dataref))) == json.loads(json.dumps(strange.detail()))
    assert kept.causationid is None, "the archive keeps roots, and this is one"


def test_what_is_refused_twice_is_said_once(aws: Aws, bus: Bus) -> None:
    aws.bucket()
    strange = message(rating=p.Rating(of=2**63))
    bus.publish([strange])
    bus.publish([strange])
    first, second = aws.heard()
    assert first == second


@pytest.mark.parametrize("edge", [2**63 - 1, -(2**63)])
def test_the_largest_integers_travel(aws: Aws, bus: Bus, edge: int) -> None:
    event = message(public=p.PublicPost(post_id="1", likes=edge))
    bus.publish([event])
    assert aws.heard() == [event]


@pytest.mark.parametrize("how", ["dropped", "throttled"])
def test_a_bucket_that_is_down_accepts_nothing(aws: Aws, bus: Bus, how: str) -> None:
    aws.bucket()
    aws.wire.fail("PutObject", how, times=3)
    with pytest.raises(Unavailable):
        bus.publish([message(raw="x" * 300_000)])
    assert aws.wire.delivered == [] and aws.messages("spill") == []


def test_a_claim_has_the_events_own_key_so_a_retry_stores_it_once(aws: Aws) -> None:
    aws.bucket()
    claims = S3Claims(wiring.client("s3"), ENV["PARLEY_BUCKET"])
    assert claims.put("ID", b"a") == claims.put("ID", b"a") == "s3://hub-bucket/claims/ID"
    found = spare("s3").list_objects_v2(Bucket=ENV["PARLEY_BUCKET"])["Contents"]
    assert [o["Key"] for o in found] == ["claims/ID"]


# -- when AWS does not take it -----------------------------------------------------------------


def test_only_the_entries_that_failed_are_sent_again(
    aws: Aws, bus: Bus, pauses: list[float]
) -> None:
    aws.wire.refuse_entries(1, 3)
    events = many(5)
    bus.publish(events)
    assert [e.data.message_id for e in aws.heard()] == ["m-0", "m-2", "m-4", "m-1", "m-3"]  # type: ignore[attr-defined]
    assert aws.wire.sent == ["PutEvents"] * 2 and len(pauses) == 1


@pytest.mark.parametrize("how", ["throttled", "dropped"])
def test_a_bus_that_comes_back_costs_a_pause(
    aws: Aws, bus: Bus, pauses: list[float], how: str
) -> None:
    aws.wire.fail("PutEvents", how, times=2)
    bus.publish([message()])
    assert aws.heard() == [message()]
    assert aws.wire.sent == ["PutEvents"] * 3 and pauses == [0.05, 0.2]


def test_a_lost_answer_is_a_copy_and_never_a_loss(aws: Aws, bus: Bus) -> None:
    aws.wire.fail("PutEvents", "lost")
    bus.publish([message()])
    assert aws.heard() == [message(), message()]


@pytest.mark.parametrize("how", ["throttled", "dropped"])
def test_what_the_bus_does_not_take_waits_in_the_spill_queue(aws: Aws, bus: Bus, how: str) -> None:
    aws.wire.fail("PutEvents", how, times=3)
    events = many(12)
    bus.publish(events)
    assert aws.heard() == events[10:], "the second call found the bus well"
    spilled = aws.messages("spill")
    assert [Event.parse(json.loads(m["Detail"])) for m in spilled] == events[:10]


def test_intake_brings_what_was_spilled_to_the_bus_unchanged(aws: Aws, bus: Bus) -> None:
    bus.publish([message("same"), message("😀", text="naïve")])
    straight = [dict(e) for e in aws.wire.delivered]
    aws.wire.delivered.clear()
    aws.wire.fail("PutEvents", "throttled", times=3)
    bus.publish([message("same"), message("😀", text="naïve")])
    for body in aws.messages("spill"):
        assert list(Intake(bus, reading).wake(body, NOW)) == []
    assert aws.wire.delivered == straight


def test_a_spilled_entry_that_the_bus_refuses_fails_its_record(aws: Aws, bus: Bus) -> None:
    aws.wire.fail("PutEvents", "throttled", times=6)
    bus.publish([message()])
    [body] = aws.messages("spill")
    with pytest.raises(Unavailable):
        bus.forward([body])
    assert aws.heard() == [] and aws.messages("spill") == []


@pytest.mark.parametrize("how", ["throttled", "dropped"])
def test_bus_and_spill_queue_down_is_unavailable(aws: Aws, bus: Bus, how: str) -> None:
    aws.wire.fail("PutEvents", how, times=3)
    aws.wire.fail("SendMessageBatch", how, times=3)
    with pytest.raises(Unavailable):
        bus.publish([message()])
    assert aws.heard() == [] and aws.messages("spill") == []


def test_a_spill_queue_that_refuses_one_entry_is_unavailable(aws: Aws, bus: Bus) -> None:
    aws.wire.fail("PutEvents", "throttled", times=3)
    aws.wire.after("sqs.SendMessageBatch", lambda parsed: parsed.update(Failed=[{"Id": "0"}]))
    with pytest.raises(Unavailable):
        bus.publish([message()])


def test_every_fact_is_safe_or_the_caller_hears_of_it(aws: Aws, bus: Bus) -> None:
    """Whatever fails: delivered + spilled holds every fact, unless publish raised."""
    events = many(23)
    aws.wire.fail("PutEvents", "throttled", times=4)
    aws.wire.refuse_entries(0, 9)
    bus.publish(events)
    spilled = [Event.parse(json.loads(m["Detail"])) for m in aws.messages("spill")]
    assert len(spilled) == 10 and len(aws.heard()) == 13
    assert {e.id for e in [*aws.heard(), *spilled]} == {e.id for e in events}


def test_the_bus_of_wiring_is_this_one(aws: Aws) -> None:
    wiring.bus().publish([message()])
    assert aws.heard() == [message()] and aws.wire.sent == ["PutEvents"]
