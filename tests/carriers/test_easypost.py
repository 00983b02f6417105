"""What is particular to EasyPost; what every source promises is in tests/contract."""

import json
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from easypost.util import validate_webhook

from chalicelib import payloads as p
from chalicelib.carriers.easypost import carrier
from chalicelib.credentials import Accounts, Credentials
from chalicelib.domain.orders import parcel_status
from chalicelib.errors import Unsupported
from chalicelib.events import Event
from chalicelib.outbound import Response, Shipment
from chalicelib.source import Request
from chalicelib.sources import get

EVENTS = Path(__file__).parents[2] / "events" / "easypost"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
KEYS = Credentials("easypost/default", {"api_key": "EZAK1"})
SHIP = Shipment(
    key="o-1",
    action="ship",
    shop="shopify:lumen-lamps.myshopify.com",
    order_id="1",
    order_number="#1",
    ship_to="18 Harbour Lane, Portland",
    carrier="ups",
    tracking_number="1Z999AA10123456784",
)


def body(name: str, **changes: Any) -> dict[str, Any]:
    event = json.loads((EVENTS / f"{name}.json").read_text())
    return {**event, "result": {**event["result"], **changes}}


def said(document: Any) -> list[Event]:
    return carrier.read(Request(body=json.dumps(document).encode(), now=NOW))


def parcel(event: Event) -> p.Parcel:
    assert isinstance(event.data, p.Parcel)
    return event.data


def test_it_speaks_at_its_own_url_and_for_the_user_of_the_event() -> None:
    [event] = said(body("tracker_created"))

    assert get("easypost") is carrier
    assert event.source == "/carriers/easypost/user_7d0c1b2a"
    request = Request(body=json.dumps(body("tracker_created")).encode(), now=NOW, account="eu")
    assert carrier.read(request)[0].source == "/carriers/easypost/eu"


@pytest.mark.parametrize(
    ("name", "type"),
    [
        ("tracker_created", "parcel.registered"),
        ("tracker_created_unknown", "parcel.registered"),
        ("tracker_updated_in_transit", "parcel.in_transit"),
        ("tracker_updated_out_for_delivery", "parcel.out_for_delivery"),
        ("tracker_updated_pickup", "parcel.available_for_pickup"),
        ("tracker_updated_delivered", "parcel.delivered"),
        ("tracker_updated_returned", "parcel.returned"),
        ("tracker_updated_failure", "parcel.exception"),
        ("tracker_updated_strange_status", "ingress.unmapped"),
        ("batch_updated", "ingress.unmapped"),
        ("scan_form_created", "ingress.unmapped"),
    ],
)
def test_the_status_of_the_tracker_is_the_milestone(name: str, type: str) -> None:
    assert [event.type for event in said(body(name))] == [type]


def test_the_newest_scan_is_told_whatever_order_scans_are_listed_in() -> None:
    [sorted_] = said(body("tracker_updated_delivered"))
    [shuffled] = said(body("tracker_updated_shuffled"))

    scan = parcel(sorted_).scan
    assert scan == p.Scan(
        at=datetime(2026, 2, 23, 21, 5, tzinfo=UTC),
        place="Portland, OR, US",
        code="arrived_at_destination",
        text="Delivered, front door",
    )
    assert parcel(shuffled).scan == scan
    assert sorted_.time == datetime(2026, 2, 23, 21, 5, tzinfo=UTC)


def test_a_parcel_has_one_spelling_and_a_page() -> None:
    [event] = said(body("tracker_created_unknown"))

    assert event.subject == "parcel/usps/9400100000000000000000"
    assert parcel(event).tracking_url == "https://track.easypost.com/djE6dHJrXzVi"
    assert (parcel(event).scan, event.timesuspect) == (None, False)


def test_updates_in_any_order_and_number_end_at_the_same_place() -> None:
    names = ("delivered", "in_transit", "out_for_delivery", "in_transit", "delivered")
    events = [event for name in names for event in said(body(f"tracker_updated_{name}"))]

    status = parcel_status(events)

    assert status is not None and status.type == "parcel.delivered"
    assert len({event.id for event in events}) == 3


def test_a_new_estimate_is_a_fact_of_its_own() -> None:
    moved, eta = said(body("tracker_updated_eta"))

    assert (moved.type, eta.type) == ("parcel.in_transit", "parcel.eta_changed")
    assert parcel(eta).eta_until == datetime(2026, 2, 24, 23, 59, tzinfo=UTC)
    assert moved.id != eta.id
    assert len(said(body("tracker_updated_eta", est_delivery_date=None))) == 1


def test_scans_without_a_time_place_or_word() -> None:
    timeless = [{"datetime": "yesterday"}, {"datetime": "2026-02-22T00:00:00Z"}, {"message": "?"}]

    [event] = said(body("tracker_updated_in_transit", tracking_details=timeless))
    [bare] = said(body("tracker_updated_in_transit", tracking_details=None))

    assert parcel(event).scan == p.Scan(at=datetime(2026, 2, 22, tzinfo=UTC))
    assert parcel(bare).scan is None


def test_an_event_without_an_id_is_named_by_its_tracker_and_version() -> None:
    nameless = {**body("tracker_updated_delivered"), "id": None}
    newer = {**body("tracker_updated_delivered", updated_at="2026-02-25T00:00:00Z"), "id": None}

    ids = [
        said(document)[0].id
        for document in (nameless, nameless, newer, {**nameless, "result": None})
    ]

    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_an_event_of_no_description_has_no_word() -> None:
    [event] = said({"id": "evt_1"})

    assert isinstance(event.data, p.Unmapped) and event.data.reason == "no word for it"


@pytest.mark.parametrize("secret", ["plain", "sécret", "se\u0301cret", "秘密🔑"])
@pytest.mark.stranger
def test_the_vendors_own_library_accepts_what_we_sign(secret: str) -> None:
    raw = (EVENTS / "tracker_updated_delivered.json").read_bytes()
    signature = carrier.sign(Request(body=raw), secret)["x-hmac-signature"]

    assert validate_webhook(raw, {"X-Hmac-Signature": signature}, secret)["object"] == "Event"


def test_a_composed_and_a_decomposed_secret_are_the_same_key() -> None:
    request = Request(body=json.dumps(body("tracker_created")).encode(), now=NOW)
    signed = replace(request, headers=dict(carrier.sign(request, "sécret")))

    accounts = Accounts("easypost", {"default": {"webhook_secret": "se\u0301cret"}})

    assert carrier.receive(signed, accounts)


def test_a_parcel_with_a_number_is_followed() -> None:
    call = carrier.ask(SHIP, KEYS)

    assert (call.method, call.url) == ("POST", "https://api.easypost.com/v2/trackers")
    assert b64decode(call.headers["authorization"].removeprefix("Basic ")) == b"EZAK1:"
    wanted = {"tracking_code": "1Z999AA10123456784", "carrier": "UPS"}
    assert json.loads(call.body) == {"tracker": wanted}


def test_a_carrier_that_easypost_may_not_know_is_left_for_it_to_find() -> None:
    for unknown in ("riverline", None):
        call = carrier.ask(replace(SHIP, carrier=unknown), KEYS)
        assert json.loads(call.body)["tracker"] == {"tracking_code": SHIP.tracking_number}


def test_an_order_without_a_number_becomes_a_shipment_under_our_key() -> None:
    call = carrier.ask(replace(SHIP, tracking_number=None), KEYS)

    assert call.url == "https://api.easypost.com/v2/shipments"
    wanted = {"reference": "o-1", "to_address": {"street1": "18 Harbour Lane, Portland"}}
    assert json.loads(call.body) == {"shipment": wanted}


@pytest.mark.parametrize("action", ["hold", "readdress", "return", "claim"])
def test_what_its_api_has_no_call_for_is_refused(action: Any) -> None:
    with pytest.raises(Unsupported):
        carrier.ask(replace(SHIP, action=action), KEYS)


def test_nothing_is_shipped_to_nowhere() -> None:
    with pytest.raises(Unsupported):
        carrier.ask(replace(SHIP, tracking_number=None, ship_to=None), KEYS)


ERROR = b'{"error": {"code": "TRACKER.CREATE.ERROR", "message": "Unable to create tracker"}}'


@pytest.mark.parametrize(
    ("status", "answer", "verdict", "code", "known"),
    [
        (201, b'{"id": "trk_1", "tracking_code": "1Z9"}', "sent", None, "1Z9"),
        (201, b'{"id": "shp_1", "tracking_code": null}', "sent", None, "shp_1"),
        (200, b"{}", "sent", None, None),
        (422, ERROR, "permanent", "TRACKER.CREATE.ERROR", None),
        (400, b'{"error": "bad"}', "permanent", "400", None),
        (401, b"", "reauthorise", "401", None),
        (402, ERROR, "stop", "TRACKER.CREATE.ERROR", None),
        (429, b'{"error": {"code": "RATE_LIMITED"}}', "retry", "RATE_LIMITED", None),
        (503, b"<html>", "retry", "503", None),
    ],
)
def test_an_answer_has_a_verdict(
    status: int, answer: bytes, verdict: str, code: str | None, known: str | None
) -> None:
    outcome = carrier.outcome(Response(status, {"retry-after": "7"}, answer))

    assert (outcome.verdict, outcome.code, outcome.message_id) == (verdict, code, known)
    assert outcome.retry_after_s == (7 if verdict == "retry" else None)
