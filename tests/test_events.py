"""The envelope: derived ids, effective times, what survives the bus, who may say what."""

import json
from base64 import b32encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chalicelib import payloads as p
from chalicelib.events import (
    TYPES,
    Event,
    caused_id,
    event_id,
    iso,
    moment_of,
    plausible,
    subject_of,
    to_ms,
)
from tests.fakes import NOON, on_the_wire

SAID: dict[str, Any] = {"channel": "line", "account": "U-brand"}
BOB = p.Identity(channel="line", scope="U-brand", subject="U-bob")
STATUS = p.Status(
    **SAID, status="delivered", conversation_id="line/U-brand/U-bob", at=NOON, message_id="m",
    identity=BOB, raw='{"raw": true}',
)  # fmt: skip
times = st.datetimes(
    datetime(2000, 1, 1),
    datetime(2100, 1, 1),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=9))]),
)
texts = st.text(max_size=20)


def event(data: Any = STATUS, **more: Any) -> Event:
    known: dict[str, Any] = {"id": "I", "type": "message.delivered", "source": "/channels/line/U"}
    when: dict[str, Any] = {"time": NOON, "recordedtime": NOON}
    found = Event(**known, **when, subject=subject_of(data), data=data, correlationid="I")
    return replace(found, **more)


# -- ids ---------------------------------------------------------------------------------------


def test_an_id_is_the_digest_that_the_contract_names() -> None:
    whole = '["line","U-brand","01HEVENT",0,"message.received"]'
    expected = b32encode(sha256(whole.encode()).digest()).decode()[:26]
    assert event_id("line", "U-brand", "01HEVENT", 0, "message.received") == expected
    assert expected == "EO2NYCTT7WNQMV3OBHIFD4AOLZ"


def test_a_caused_id_is_the_digest_of_cause_type_and_discriminator() -> None:
    expected = b32encode(sha256(b'["CAUSE","order.updated","paid/"]').digest())
    assert caused_id("CAUSE", "order.updated", "paid/") == expected.decode()[:26]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (
            event_id("whatsapp", "é", 'naïve 😀"\\/', 12, "order.placed"),
            "XLONASLICCJIYGQ723FMXPDH5Z",
        ),
        (
            caused_id("PXSTAUCNJLBPSGYXIQQRH3F3XD", "order.updated", "paid/"),
            "GLWWJ4PNILMDCNI6XYW26UJC35",
        ),
    ],
)
def test_an_id_is_what_other_tools_make_of_the_same_array(made: str, expected: str) -> None:
    """printf %s '["whatsapp","é",…]' | sha256sum | … | base32 | cut -c1-26"""
    assert made == expected


@given(st.lists(st.tuples(texts, texts, texts, st.integers(0, 99), texts), unique=True, max_size=6))
def test_ids_of_different_facts_differ(facts: list[tuple[str, str, str, int, str]]) -> None:
    assert len({event_id(*fact) for fact in facts}) == len(facts)


def test_an_id_that_no_utf8_can_carry_is_an_id_too() -> None:
    assert event_id("line", "a", "\ud800", 0, "t") != event_id("line", "a", "\ud801", 0, "t")


def test_ids_are_not_joined_but_listed() -> None:
    assert event_id("a", "b", "c", 0, "t") != event_id("a", 'b","c', "", 0, "t")
    assert caused_id("a", "b", "c") != caused_id("a", "bc", "")


# -- times -------------------------------------------------------------------------------------


@given(times)
def test_a_time_survives_its_text_to_the_millisecond(at: datetime) -> None:
    assert moment_of(iso(at)) == to_ms(at)


@given(st.lists(times, min_size=2, max_size=4))
def test_texts_of_times_sort_as_the_times_do(found: list[datetime]) -> None:
    assert [moment_of(text) for text in sorted(map(iso, found))] == sorted(map(to_ms, found))


@pytest.mark.parametrize(
    "at",
    [
        None,
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1999, 12, 31, tzinfo=UTC),
        datetime(9999, 12, 31, tzinfo=UTC),
        NOON + timedelta(days=1, seconds=1),
    ],
)
def test_a_time_that_cannot_be_is_ours_and_suspect(at: datetime | None) -> None:
    assert plausible(at, NOON) == (NOON, True)


def test_a_time_that_can_be_is_the_platforms() -> None:
    assert plausible(NOON - timedelta(days=400), NOON) == (NOON - timedelta(days=400), False)


def test_nobody_is_more_than_five_minutes_ahead_of_us() -> None:
    ahead = event(time=NOON + timedelta(hours=3))
    assert ahead.effective == NOON + timedelta(minutes=5)
    assert event(time=NOON - timedelta(hours=3)).effective == NOON - timedelta(hours=3)


def test_the_witness_is_the_least_time_and_then_the_least_id() -> None:
    early, late = event(time=NOON - timedelta(seconds=1), id="Z"), event(id="A")
    assert min([late, early, event(id="B")], key=lambda e: e.rank) == early
    assert min([event(id="B"), late], key=lambda e: e.rank) == late


# -- the wire ----------------------------------------------------------------------------------


def test_an_event_survives_the_bus() -> None:
    told = event(causationid="C", hops=3, timesuspect=True)
    assert on_the_wire(told) == told


def test_a_replayed_event_says_so_and_is_the_same_otherwise() -> None:
    detail = json.loads(json.dumps(event().detail()))
    assert Event.parse(detail, "replay-1") == event(replayid="replay-1")


def test_the_envelope_is_a_cloud_event() -> None:
    detail = event().detail()
    assert {k: detail[k] for k in ("specversion", "datacontenttype", "dataschema")} == {
        "specversion": "1.0",
        "datacontenttype": "application/json",
        "dataschema": "urn:parley:message.delivered:1",
    }
    assert detail["subject"] == "identity/line/U-brand/U-bob"
    assert detail["partitionkey"] == "line/U-brand/U-bob"
    assert (detail["hops"], detail["correlationid"]) == (0, "I")
    assert "causationid" not in detail and "timesuspect" not in detail


def test_what_a_consumer_does_not_know_it_ignores() -> None:
    detail = event().detail()
    detail["data"] = {**detail["data"], "colour": "green"}
    assert Event.parse({**detail, "tracestate": "x"}) == event()


def test_what_it_does_not_know_inside_a_part_it_ignores_too() -> None:
    detail = json.loads(json.dumps(event().detail()))
    detail["data"]["identity"] |= {"avatar": "x"}
    assert Event.parse(detail) == event()


@pytest.mark.parametrize("model", sorted(set(TYPES.values()), key=lambda m: m.__name__))
def test_no_producer_of_any_type_may_say_anything_extra(model: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        model(colour="green")
    assert ("extra_forbidden", ("colour",)) in [
        (e["type"], e["loc"]) for e in refused.value.errors()
    ]


def test_an_unknown_type_is_kept_as_it_came() -> None:
    detail = {**event().detail(), "type": "weather.changed", "data": {"sun": {"up": True}}}
    assert Event.parse(detail).detail()["data"] == {"sun": {"up": True}}


def test_a_producer_may_say_nothing_extra() -> None:
    with pytest.raises(ValidationError):
        p.Status(**SAID, status="sent", conversation_id="c", at=NOON, colour="green")  # type: ignore[call-arg]


def test_a_fact_in_the_table_has_no_raw_and_is_the_same_otherwise() -> None:
    kept = Event.parse(json.loads(json.dumps(event().compact())))
    assert kept == event(data=STATUS.model_copy(update={"raw": None}))


@pytest.mark.parametrize(
    ("type", "data", "expected"),
    [
        ("message.delivered", STATUS, "personal"),
        ("parcel.delivered", p.Parcel(**SAID, carrier="ups", tracking_number="1"), "business"),
        (
            "comment.created",
            p.Message(
                **SAID, message_id="m", conversation_id="c", visibility="public",
                author=p.Author(kind="customer"),
            ),
            "public",
        ),
    ],
)  # fmt: skip
def test_how_private_it_is(type: str, data: Any, expected: str) -> None:
    assert event(data, type=type).classification == expected


# -- causes ------------------------------------------------------------------------------------


def test_an_effect_knows_its_cause() -> None:
    cause = event(hops=2, time=NOON - timedelta(hours=1), timesuspect=True)
    made = cause.causes("message.failed", STATUS, "identity/x", now=NOON, discriminator="k")
    assert made.id == caused_id("I", "message.failed", "k")
    assert (made.causationid, made.hops, made.source) == ("I", 3, "/parley/sender")
    assert (made.time, made.recordedtime) == (cause.time, NOON)
    assert made.timesuspect and made.correlationid == "I"


@pytest.mark.parametrize("subject", ["order/s/1", "case/C1"])
def test_a_story_takes_the_name_of_its_order_or_case(subject: str) -> None:
    assert event().causes("order.updated", STATUS, subject, now=NOON).correlationid == subject


# -- subjects ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "subject"),
    [
        (p.Order(**SAID, shop="s/1", order_id="é"), "order/s%2F1/%C3%A9"),
        (p.Parcel(**SAID, carrier="ups", tracking_number="1Z"), "parcel/ups/1Z"),
        (p.Unmapped(**SAID, reason="r", item="i"), "channel/line/U-brand"),
        (p.Opened(**SAID, conversation_id="c"), "channel/line/U-brand"),
        (p.Consent(**SAID, identity=BOB, source="words"), "identity/line/U-brand/U-bob"),
    ],
)
def test_whom_it_is_about(data: Any, subject: str) -> None:
    assert subject_of(data) == subject


@given(texts, texts)
def test_no_id_breaks_out_of_its_place(shop: str, order: str) -> None:
    made = subject_of(p.Order(**SAID, shop=shop, order_id=order))
    assert made.count("/") == 2 and made.isascii() and "#" not in made


@pytest.mark.parametrize("type", sorted(TYPES))
def test_every_type_has_a_past_and_a_model(type: str) -> None:
    family, _, word = type.partition(".")
    assert family.isidentifier() and word.isidentifier()
    assert TYPES[type].model_config["extra"] == "forbid"
