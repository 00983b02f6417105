"""What is particular to AfterShip; what every source promises is in tests/contract."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chalicelib import payloads as p
from chalicelib.carriers.aftership import carrier
from chalicelib.credentials import Accounts, Credentials
from chalicelib.domain.orders import parcel_status
from chalicelib.errors import InvalidSignature, Unsupported
from chalicelib.events import Event
from chalicelib.outbound import Response, Shipment
from chalicelib.signing import sha256_base64
from chalicelib.source import Request

EVENTS = Path(__file__).parents[2] / "events" / "aftership"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
KEYS = Credentials("aftership/default", {"api_key": "asat_1"})
ORDER = p.OrderRef(shop="shopify:lumen-lamps.myshopify.com", order_id="5731946201234")
SHIP = Shipment(
    key="o-1",
    action="ship",
    shop=ORDER.shop,
    order_id=ORDER.order_id,
    order_number="#1001",
    carrier="ups",
    tracking_number="1Z999AA10123456784",
)


def body(name: str, **changes: Any) -> dict[str, Any]:
    event = json.loads((EVENTS / f"{name}.json").read_text())
    return {**event, "msg": {**event["msg"], **changes}} if changes else event


def said(document: Any) -> list[Event]:
    return carrier.read(Request(body=json.dumps(document).encode(), now=NOW))


def parcel(event: Event) -> p.Parcel:
    assert isinstance(event.data, p.Parcel)
    return event.data


@pytest.mark.parametrize(
    ("name", "type"),
    [
        ("tracking_update_pending", "parcel.registered"),
        ("tracking_pending_time", "parcel.registered"),
        ("tracking_update_info_received", "parcel.registered"),
        ("tracking_update_accepted", "parcel.handed_over"),
        ("tracking_update_in_transit", "parcel.in_transit"),
        ("tracking_update_out_for_delivery", "parcel.out_for_delivery"),
        ("tracking_update_attempt_failed", "parcel.attempt_failed"),
        ("tracking_update_pickup", "parcel.available_for_pickup"),
        ("tracking_update_delivered", "parcel.delivered"),
        ("tracking_update_exception", "parcel.exception"),
        ("tracking_update_expired", "parcel.exception"),
        ("tracking_update_returned", "parcel.returned"),
        ("tracking_update_strange_tag", "ingress.unmapped"),
        ("edd_revise", "parcel.eta_changed"),
        ("edd_revise_without_date", "parcel.in_transit"),
        ("label_created", "parcel.registered"),
        ("label_without_number", "ingress.unmapped"),
        ("return_approved", "ingress.unmapped"),
        ("warranty_created", "ingress.unmapped"),
    ],
)
def test_the_tag_and_its_subtag_are_the_milestone(name: str, type: str) -> None:
    assert [event.type for event in said(body(name))] == [type]


@pytest.mark.parametrize("name", ["tracking_update_in_transit", "tracking_update_shuffled"])
def test_the_newest_checkpoint_is_told_whatever_order_they_are_listed_in(name: str) -> None:
    [event] = said(body(name))

    assert parcel(event).scan == p.Scan(
        at=datetime(2026, 2, 21, 20, 0, tzinfo=UTC),
        place="Omaha, NE, United States",
        code="InTransit_007",
        text="Departed from facility",
    )
    assert event.time == datetime(2026, 2, 21, 20, 0, tzinfo=UTC)


def test_a_checkpoint_without_zone_was_so_when_aftership_said_it() -> None:
    [event] = said(body("tracking_update_no_zone"))

    scan = parcel(event).scan
    assert scan is not None and scan.text == "Arrived at the hub"
    assert event.time == scan.at == datetime(2026, 2, 21, 16, 40, tzinfo=UTC)


def test_without_any_time_there_is_no_scan() -> None:
    [event] = said({**body("tracking_update_no_zone"), "ts": None})
    [bare] = said(body("tracking_update_delivered", checkpoints=None))
    [timeless] = said(body("tracking_update_delivered", checkpoints=[{"message": "?"}]))

    assert (parcel(event).scan, event.timesuspect) == (None, True)
    assert (parcel(bare).scan, bare.timesuspect) == (None, False)
    assert parcel(timeless).scan is None


def test_updates_in_any_order_and_number_end_at_the_same_place() -> None:
    names = ("delivered", "in_transit", "accepted", "out_for_delivery", "delivered")
    events = [event for name in names for event in said(body(f"tracking_update_{name}"))]

    status = parcel_status(events)

    assert status is not None and status.type == "parcel.delivered"
    assert len({event.id for event in events}) == 4


def test_a_range_of_days_is_from_the_first_to_the_end_of_the_last() -> None:
    [scan] = said(body("tracking_update_in_transit"))
    [revised] = said(body("edd_revise"))

    assert parcel(scan).eta_from == datetime(2026, 2, 23, tzinfo=UTC)
    assert parcel(scan).eta_until == datetime(2026, 2, 24, 23, 59, 59, tzinfo=UTC)
    assert parcel(revised).eta_until == datetime(2026, 2, 26, 23, 59, 59, tzinfo=UTC)


def test_an_estimate_with_its_hour_is_kept_to_the_second() -> None:
    exact = {"estimated_delivery_date": "2026-02-25T17:00:00-08:00"}
    local = {"estimated_delivery_date": "2026-02-25T17:00:00"}
    dates = {"aftership_estimated_delivery_date": None}

    [zoned] = said(body("edd_revise", **dates, courier_estimated_delivery_date=exact))
    [plain] = said(body("edd_revise", **dates, courier_estimated_delivery_date=local))

    assert parcel(zoned).eta_until == datetime(2026, 2, 26, 1, 0, tzinfo=UTC)
    assert parcel(plain).eta_until == datetime(2026, 2, 25, 17, 0, tzinfo=UTC)


def test_the_order_that_we_asked_to_follow_for_comes_back() -> None:
    wanted = json.loads(carrier.ask(SHIP, KEYS).body)

    [event] = said(body("tracking_update_delivered", custom_fields=wanted["custom_fields"]))

    assert parcel(event).orders == (ORDER,)
    assert parcel(event).tracking_url == ("https://www.ups.com/track?tracknum=1Z999AA10123456784")


@pytest.mark.parametrize(
    "fields", [None, {}, {"parley": "PO 7"}, {"parley": 7}, {"parley": "order/a/b/c"}]
)
def test_anybody_elses_reference_is_no_order_of_ours(fields: Any) -> None:
    [event] = said(body("tracking_update_delivered", custom_fields=fields))

    assert parcel(event).orders == ()


@pytest.mark.parametrize(
    ("header", "prefix"),
    [
        ("aftership-hmac-sha256", ""),
        ("as-signature-hmac-sha256", ""),
        ("am-webhook-signature", "hmac-sha256="),
    ],
)
def test_each_product_signs_in_a_header_of_its_own(header: str, prefix: str) -> None:
    secrets = Accounts("aftership", {"default": {"webhook_secret": "s"}})
    raw = json.dumps(body("return_approved")).encode()
    made = prefix + sha256_base64("s", raw)

    assert carrier.receive(Request(body=raw, headers={header: made}, now=NOW), secrets)
    with pytest.raises(InvalidSignature):
        carrier.receive(Request(body=raw, headers={header: made + "="}, now=NOW), secrets)


def test_an_event_without_an_id_is_named_by_what_it_is_of_and_when() -> None:
    label = body("label_created")
    later = {**label, "date_time": "2026-02-20T12:00:00.000Z"}

    ids = [said(document)[0].id for document in (label, label, later)]

    assert ids[0] == ids[1] != ids[2]
    [headless] = said({"event_type": "create_a_label"})
    assert headless.type == "ingress.unmapped"


def test_a_parcel_with_a_number_is_followed() -> None:
    call = carrier.ask(SHIP, KEYS)

    assert call.url == "https://api.aftership.com/tracking/2026-07/trackings"
    assert call.headers["as-api-key"] == "asat_1"
    assert json.loads(call.body) == {
        "tracking_number": "1Z999AA10123456784",
        "order_number": "#1001",
        "custom_fields": {"parley": "order/shopify:lumen-lamps.myshopify.com/5731946201234"},
        "slug": "ups",
    }


def test_what_aftership_can_find_out_itself_is_left_to_it() -> None:
    long = replace(SHIP, carrier="riverline", order_id="9" * 200)

    wanted = json.loads(carrier.ask(long, KEYS).body)

    assert wanted == {"tracking_number": SHIP.tracking_number, "order_number": "#1001"}


@pytest.mark.parametrize("action", ["hold", "readdress", "return", "claim"])
def test_what_its_api_has_no_call_for_is_refused(action: Any) -> None:
    with pytest.raises(Unsupported):
        carrier.ask(replace(SHIP, action=action), KEYS)


def test_nothing_is_followed_without_a_number() -> None:
    with pytest.raises(Unsupported):
        carrier.ask(replace(SHIP, tracking_number=None), KEYS)


MADE = {"meta": {"code": 201}, "data": {"id": "t1", "tracking_number": "1Z9"}}
KNOWN = {"meta": {"code": 4003, "message": "Tracking already exists."}, "data": {"id": "t1"}}
WRONG = {"meta": {"code": 4005, "message": "The value of `tracking_number` is invalid."}}


@pytest.mark.parametrize(
    ("status", "answer", "verdict", "code", "known"),
    [
        (201, MADE, "sent", None, "1Z9"),
        (400, KNOWN, "sent", None, "t1"),
        (200, {}, "sent", None, None),
        (400, WRONG, "permanent", "4005", None),
        (400, {"meta": "bad"}, "permanent", "400", None),
        (401, {"meta": {"code": 401, "message": 7}}, "reauthorise", "401", None),
        (429, {"meta": {"code": 429}}, "retry", "429", None),
        (500, None, "unknown", "500", None),
    ],
)
def test_an_answer_has_a_verdict(
    status: int, answer: Any, verdict: str, code: str | None, known: str | None
) -> None:
    outcome = carrier.outcome(Response(status, {}, json.dumps(answer).encode()))

    assert (outcome.verdict, outcome.code, outcome.message_id) == (verdict, code, known)
