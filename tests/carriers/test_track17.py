"""What is particular to 17TRACK; what every source promises is in tests/contract."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from chalicelib import payloads as p
from chalicelib.carriers.track17 import carrier
from chalicelib.credentials import Accounts, Credentials
from chalicelib.domain.orders import parcel_status
from chalicelib.errors import InvalidSignature, Unsupported
from chalicelib.events import Event
from chalicelib.outbound import Response, Shipment
from chalicelib.source import Request

EVENTS = Path(__file__).parents[2] / "events" / "track17"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
KEYS = Credentials("track17/default", {"api_key": "k17"})
ORDER = p.OrderRef(shop="shopify:lumen-lamps.myshopify.com", order_id="5731946201234")
SHIP = Shipment(
    key="o-1",
    action="ship",
    shop=ORDER.shop,
    order_id=ORDER.order_id,
    order_number="#1001",
    carrier="fedex",
    tracking_number="770000000017",
)


def body(name: str, **changes: Any) -> dict[str, Any]:
    push = json.loads((EVENTS / f"{name}.json").read_text())
    info = {**push["data"].get("track_info", {}), **changes}
    return {**push, "data": {**push["data"], "track_info": info}}


def said(document: Any) -> list[Event]:
    return carrier.read(Request(body=json.dumps(document).encode(), now=NOW))


def parcel(event: Event) -> p.Parcel:
    assert isinstance(event.data, p.Parcel)
    return event.data


@pytest.mark.parametrize(
    ("name", "type"),
    [
        ("not_found", "parcel.registered"),
        ("info_received", "parcel.registered"),
        ("picked_up", "parcel.handed_over"),
        ("in_transit", "parcel.in_transit"),
        ("two_carriers", "parcel.in_transit"),
        ("out_for_delivery", "parcel.out_for_delivery"),
        ("pickup", "parcel.available_for_pickup"),
        ("delivery_failure", "parcel.attempt_failed"),
        ("delivered", "parcel.delivered"),
        ("returning", "parcel.returned"),
        ("lost", "parcel.exception"),
        ("expired", "parcel.exception"),
        ("strange_status", "ingress.unmapped"),
        ("tracking_stopped", "ingress.unmapped"),
    ],
)
def test_the_status_and_its_substatus_are_the_milestone(name: str, type: str) -> None:
    assert [event.type for event in said(body(name))] == [type]


def test_a_scan_is_told_in_the_carriers_words_else_translated() -> None:
    [event] = said(body("picked_up"))
    [wordless] = said(body("delivered_no_zone"))

    assert parcel(event).scan == p.Scan(
        at=datetime(2026, 2, 20, 9, 0, tzinfo=UTC),
        place="東京",
        code="InTransit_PickedUp",
        text="引受",
    )
    assert event.time == datetime(2026, 2, 20, 9, 0, tzinfo=UTC)
    assert getattr(parcel(wordless).scan, "text", None) == "Final delivery"


def test_a_time_with_its_zone_is_exact_wherever_it_is_written() -> None:
    [event] = said(body("returning"))

    assert event.time == datetime(2026, 2, 27, 2, 15, tzinfo=UTC)


def test_a_time_without_zone_was_so_when_17track_last_looked() -> None:
    [event] = said(body("delivered_no_zone"))
    [blind] = said(body("delivered_no_zone", tracking=None))

    assert event.time == datetime(2026, 2, 24, 6, 30, tzinfo=UTC)
    assert (parcel(blind).scan, blind.timesuspect) == (None, True)
    assert event.id == blind.id


def test_a_number_nobody_knows_yet_has_no_scan() -> None:
    [event] = said(body("not_found"))

    assert (parcel(event).scan, event.timesuspect) == (None, False)


def test_the_estimate_is_told_and_a_new_one_is_a_new_fact() -> None:
    known = body("in_transit")
    metrics = {"estimated_delivery_date": {"from": None, "to": "2026-03-02T00:00:00-08:00"}}

    [first], [later] = said(known), said(body("in_transit", time_metrics=metrics))

    assert parcel(first).eta_from == datetime(2026, 2, 26, 8, tzinfo=UTC)
    assert parcel(first).eta_until == datetime(2026, 2, 28, 8, tzinfo=UTC)
    assert parcel(later).eta_from is None
    assert first.id != later.id


def test_the_carrier_is_the_one_whose_number_it_is() -> None:
    [local], [last_mile], [unnamed] = (
        said(body(name)) for name in ("picked_up", "two_carriers", "unnamed_carrier")
    )

    assert local.subject == "parcel/japanpost/EX000000017JP"
    assert last_mile.subject == "parcel/usps/9400100000000000000017"
    assert unnamed.subject == "parcel/17track190999/EX000000017JP"


def test_pushes_in_any_order_and_number_end_at_the_same_place() -> None:
    names = ("delivered", "in_transit", "picked_up", "out_for_delivery", "delivered")
    events = [event for name in names for event in said(body(name))]

    status = parcel_status(events)

    assert status is not None and status.type == "parcel.delivered"
    assert len({event.id for event in events}) == 4


def test_the_order_that_we_registered_for_comes_back() -> None:
    [wanted] = json.loads(carrier.ask(SHIP, KEYS).body)
    push = body("delivered")

    [ours] = said({**push, "data": {**push["data"], "tag": wanted["tag"]}})
    [theirs] = said(body("two_carriers"))

    assert (parcel(ours).orders, parcel(theirs).orders) == ((ORDER,), ())


@pytest.mark.parametrize("forge", ["", "é", "0" * 64, "{0}{0}", "{0},{0}", "sha256={0}"])
def test_a_wrong_hash_is_refused_whatever_it_looks_like(forge: str) -> None:
    secrets = Accounts("track17", {"default": {"api_key": "k17"}})
    request = Request(body=json.dumps(body("delivered")).encode(), now=NOW)
    right = sha256(request.body + b"/k17").hexdigest()

    assert carrier.receive(replace(request, headers={"sign": right}), secrets)
    with pytest.raises(InvalidSignature):
        carrier.receive(replace(request, headers={"sign": forge.format(right)}), secrets)


def test_a_number_is_registered_under_its_carrier() -> None:
    call = carrier.ask(SHIP, KEYS)

    assert (call.method, call.url) == ("POST", "https://api.17track.net/track/v2.4/register")
    assert call.headers["17token"] == "k17"
    tag = "order/shopify:lumen-lamps.myshopify.com/5731946201234"
    assert json.loads(call.body) == [{"number": "770000000017", "carrier": 100003, "tag": tag}]


def test_a_carrier_without_a_known_key_is_left_for_17track_to_find() -> None:
    for unknown in ("riverline", None):
        [wanted] = json.loads(carrier.ask(replace(SHIP, carrier=unknown), KEYS).body)
        assert "carrier" not in wanted


@pytest.mark.parametrize("action", ["hold", "readdress", "return", "claim"])
def test_what_its_api_has_no_call_for_is_refused(action: Any) -> None:
    with pytest.raises(Unsupported):
        carrier.ask(replace(SHIP, action=action), KEYS)


def rejected(code: Any) -> Any:
    error = {"code": code, "message": "why"}
    return {"code": 0, "data": {"accepted": [], "rejected": [{"number": "N1", "error": error}]}}


ACCEPTED = {"code": 0, "data": {"accepted": [{"number": "N1", "carrier": 2151}], "rejected": []}}


@pytest.mark.parametrize(
    ("status", "answer", "verdict", "code", "known"),
    [
        (200, ACCEPTED, "sent", None, "N1"),
        (200, rejected(-18019901), "sent", None, "N1"),
        (200, rejected(-18010012), "permanent", "-18010012", None),
        (200, rejected(-18019908), "stop", "-18019908", None),
        (200, rejected(-18019907), "retry", "-18019907", None),
        (200, {"code": -18010002, "message": "key"}, "reauthorise", "-18010002", None),
        (200, {"data": {"errors": [{"code": -18010003}]}}, "retry", "-18010003", None),
        (200, {"data": {"errors": ["bad"]}}, "permanent", None, None),
        (200, {"data": []}, "permanent", None, None),
        (401, {"code": -18010002}, "reauthorise", "-18010002", None),
        (429, None, "retry", "429", None),
        (503, {"data": {"accepted": [{"number": "N1"}]}}, "retry", "503", None),
    ],
)
def test_an_answer_has_a_verdict_though_its_status_is_200(
    status: int, answer: Any, verdict: str, code: str | None, known: str | None
) -> None:
    outcome = carrier.outcome(Response(status, {}, json.dumps(answer).encode()))

    assert (outcome.verdict, outcome.code, outcome.message_id) == (verdict, code, known)
