"""What is particular to Shippo; what every source promises is in tests/contract."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chalicelib import payloads as p
from chalicelib.carriers.shippo import carrier
from chalicelib.credentials import Accounts, Credentials
from chalicelib.domain.orders import parcel_status
from chalicelib.errors import InvalidSignature, Misconfigured, Unsupported
from chalicelib.events import Event
from chalicelib.outbound import Response, Shipment
from chalicelib.source import Request

EVENTS = Path(__file__).parents[2] / "events" / "shippo"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
KEYS = Credentials("shippo/default", {"api_token": "shippo_live_1"})
SECRETS = Accounts("shippo", {"default": {"webhook_secret": "s", "url_token": ["new", "old"]}})
ORDER = p.OrderRef(shop="shopify:lumen-lamps.myshopify.com", order_id="5731946201234")
SHIP = Shipment(
    key="o-1",
    action="ship",
    shop=ORDER.shop,
    order_id=ORDER.order_id,
    order_number="#1001",
    carrier="usps",
    tracking_number="9205500000000000000017",
)


def body(name: str, **changes: Any) -> dict[str, Any]:
    event = json.loads((EVENTS / f"{name}.json").read_text())
    return {**event, "data": {**event["data"], **changes}}


def post(document: Any) -> Request:
    return Request(body=json.dumps(document).encode(), now=NOW)


def said(document: Any) -> list[Event]:
    return carrier.read(post(document))


def parcel(event: Event) -> p.Parcel:
    assert isinstance(event.data, p.Parcel)
    return event.data


@pytest.mark.parametrize(
    ("name", "type"),
    [
        ("track_unscanned", "parcel.registered"),
        ("track_unknown", "parcel.registered"),
        ("track_pre_transit", "parcel.registered"),
        ("track_accepted", "parcel.handed_over"),
        ("track_in_transit", "parcel.in_transit"),
        ("track_without_ids", "parcel.in_transit"),
        ("track_out_for_delivery", "parcel.out_for_delivery"),
        ("track_attempt_failed", "parcel.attempt_failed"),
        ("track_pickup", "parcel.available_for_pickup"),
        ("track_damaged", "parcel.exception"),
        ("track_failure", "parcel.exception"),
        ("track_delivered", "parcel.delivered"),
        ("track_returned", "parcel.returned"),
        ("track_strange_status", "ingress.unmapped"),
        ("label_created", "parcel.registered"),
        ("label_updated", "parcel.delivered"),
        ("label_queued", "ingress.unmapped"),
        ("label_refunded", "ingress.unmapped"),
        ("batch_purchased", "ingress.unmapped"),
    ],
)
def test_the_status_and_its_substatus_are_the_milestone(name: str, type: str) -> None:
    assert [event.type for event in said(body(name))] == [type]


def test_a_scan_says_when_where_and_what() -> None:
    [event] = said(body("track_attempt_failed"))

    assert parcel(event).scan == p.Scan(
        at=datetime(2026, 2, 23, 20, 0, tzinfo=UTC),
        place="Portland, OR, US",
        code="notice_left",
        text="Nobody was at home; a notice was left.",
    )
    assert (event.time, event.subject) == (
        datetime(2026, 2, 23, 20, 0, tzinfo=UTC),
        "parcel/usps/9205500000000000000017",
    )
    assert parcel(event).eta_until == datetime(2026, 2, 24, tzinfo=UTC)


def test_a_parcel_nobody_scanned_has_no_scan_and_no_time() -> None:
    [event] = said(body("track_unscanned"))

    assert (parcel(event).scan, event.timesuspect) == (None, True)


def test_the_order_that_we_asked_to_follow_for_comes_back() -> None:
    wanted = json.loads(carrier.ask(SHIP, KEYS).body)

    [ours] = said(body("track_delivered", metadata=wanted["metadata"]))
    [theirs] = said(body("track_without_ids"))

    assert parcel(ours).orders == (ORDER,)
    assert parcel(theirs).orders == ()


def test_a_label_names_its_carrier_where_its_rate_does() -> None:
    [bought] = said(body("label_created"))
    [later] = said(body("label_updated"))
    [stateless] = said(body("label_created", tracking_status={"status": "TRANSIT"}))

    assert (parcel(bought).carrier, parcel(later).carrier) == ("usps", "other")
    assert (parcel(bought).tracking_url or "").startswith("https://tools.usps.com/")
    assert stateless.type == "parcel.registered"


@pytest.mark.parametrize("name", ["test_mode", "test_carrier"])
def test_what_shippo_made_up_for_a_test_moves_no_parcel(name: str) -> None:
    [event] = said(body(name))

    assert isinstance(event.data, p.Unmapped)
    assert (event.data.synthetic, event.data.reason) == (True, "shippo test of track_updated")


def test_a_registration_doubled_is_the_same_fact() -> None:
    names = ("delivered", "in_transit", "accepted", "delivered", "in_transit")
    events = [event for name in names for event in said(body(f"track_{name}"))]

    status = parcel_status(events)

    assert status is not None and status.type == "parcel.delivered"
    assert len({event.id for event in events}) == 3


def test_without_ids_the_state_its_date_and_the_estimate_are_the_identity() -> None:
    bare = body("track_without_ids")
    later = {**bare["data"]["tracking_status"], "status_date": "2026-02-22T09:00:00Z"}
    moved, delayed = (
        body("track_without_ids", **change)
        for change in ({"tracking_status": later}, {"eta": "2026-02-26T00:00:00Z"})
    )

    ids = [said(document)[0].id for document in (bare, bare, moved, delayed)]

    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_the_time_in_the_signature_is_signed_and_of_any_age() -> None:
    request = post(body("track_delivered"))
    signed = replace(request, headers=dict(carrier.sign(request, "s")))
    header = signed.headers["shippo-auth-signature"]
    spaced = replace(request, headers={"shippo-auth-signature": header.replace(",", ", ")})

    for good in (signed, spaced, replace(signed, now=datetime(2027, 1, 1, tzinfo=UTC))):
        assert carrier.receive(good, SECRETS)
    for bad in (header.replace("t=", "t=1"), header.replace("t=", "t=x"), f"{header},{header}"):
        with pytest.raises(InvalidSignature):
            carrier.receive(replace(request, headers={"shippo-auth-signature": bad}), SECRETS)


@pytest.mark.parametrize("token", ["new", "old"])
def test_where_shippo_signs_nothing_a_token_in_the_url_does(token: str) -> None:
    request = replace(post(body("track_delivered")), query={"token": token})

    assert carrier.receive(request, SECRETS)


def test_a_wrong_token_or_none_is_refused() -> None:
    request = post(body("track_delivered"))
    forged = {"shippo-auth-signature": "t=1,v1=" + "0" * 64}

    for query, headers in (({"token": "é"}, {}), ({}, {}), ({"token": "new"}, forged)):
        with pytest.raises(InvalidSignature):
            carrier.receive(replace(request, query=query, headers=headers), SECRETS)


def test_a_token_that_nobody_set_up_opens_nothing() -> None:
    request = replace(post(body("track_delivered")), query={"token": ""})

    with pytest.raises(Misconfigured):
        carrier.receive(request, Accounts("shippo", {"default": {"webhook_secret": "s"}}))


def test_a_parcel_with_a_number_and_a_carrier_is_followed() -> None:
    call = carrier.ask(SHIP, KEYS)

    assert (call.method, call.url) == ("POST", "https://api.goshippo.com/tracks/")
    assert call.headers["authorization"] == "ShippoToken shippo_live_1"
    assert json.loads(call.body) == {
        "carrier": "usps",
        "tracking_number": "9205500000000000000017",
        "metadata": "order/shopify:lumen-lamps.myshopify.com/5731946201234",
    }


def test_a_reference_too_long_for_shippo_is_left_out() -> None:
    call = carrier.ask(replace(SHIP, order_id="9" * 100), KEYS)

    assert json.loads(call.body).keys() == {"carrier", "tracking_number"}


@pytest.mark.parametrize("action", ["hold", "readdress", "return", "claim"])
def test_what_its_api_has_no_call_for_is_refused(action: Any) -> None:
    with pytest.raises(Unsupported):
        carrier.ask(replace(SHIP, action=action), KEYS)


@pytest.mark.parametrize("change", [{"tracking_number": None}, {"carrier": None}])
def test_nothing_is_followed_without_a_number_and_a_carrier(change: dict[str, None]) -> None:
    with pytest.raises(Unsupported):
        carrier.ask(replace(SHIP, **change), KEYS)


@pytest.mark.parametrize(
    ("status", "answer", "verdict", "known", "title"),
    [
        (201, {"tracking_number": "92", "carrier": "usps"}, "sent", "92", None),
        (200, {}, "sent", None, None),
        (400, {"carrier": ["Unknown"]}, "permanent", None, None),
        (401, {"detail": "Token does not exist"}, "reauthorise", None, "Token does not exist"),
        (429, {"detail": "slow"}, "retry", None, "slow"),
        (502, None, "unknown", None, None),
    ],
)
def test_an_answer_has_a_verdict(
    status: int, answer: Any, verdict: str, known: str | None, title: str | None
) -> None:
    outcome = carrier.outcome(Response(status, {}, json.dumps(answer).encode()))

    assert (outcome.verdict, outcome.message_id, outcome.title) == (verdict, known, title)
