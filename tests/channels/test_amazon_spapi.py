"""What is particular to Amazon's SP-API; what every source promises is in tests/contract."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chalicelib import payloads as p
from chalicelib.channels.amazon_spapi import channel
from chalicelib.domain.orders import parcel_status
from chalicelib.errors import UnknownSource
from chalicelib.events import Event
from chalicelib.functions.intake import Intake, reading
from tests.fakes import MemoryBus

EVENTS = Path(__file__).parents[2] / "events" / "amazon_spapi"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SELLER = "A2LUMENLAMPS17"
ORDER = "302-1234567-7654321"
REF = p.OrderRef(shop=f"amazon:{SELLER}", order_id=ORDER)


def body(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return found


def said(document: Any) -> list[Event]:
    return channel.read(channel.unwrap(document, NOW))


def types(name: str) -> list[str]:
    return [event.type for event in said(body(name))]


def reason(event: Event) -> str:
    assert isinstance(event.data, p.Unmapped)
    return event.data.reason


def order(event: Event) -> p.Order:
    assert isinstance(event.data, p.Order)
    return event.data


def parcel(event: Event) -> p.Parcel:
    assert isinstance(event.data, p.Parcel)
    return event.data


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("pending", ["order.placed"]),
        ("unshipped", ["order.placed", "order.paid"]),
        ("partially_shipped", ["order.changed"]),
        ("shipped", ["order.fulfilled"]),
        ("canceled", ["order.cancelled"]),
        ("buyer_cancels", ["order.changed"]),
    ],
)
def test_the_orders_status_is_its_milestone(status: str, expected: list[str]) -> None:
    assert types(f"order_change_{status}") == expected


def test_an_order_is_known_by_seller_and_amazons_id() -> None:
    [event] = said(body("order_change_buyer_cancels"))

    assert event.subject == f"order/amazon:{SELLER}/{ORDER}"
    assert event.source == f"/channels/amazon_spapi/{SELLER}"
    assert event.time == datetime(2026, 2, 20, 11, 0, tzinfo=UTC)
    assert order(event).note == "Buyer Requested Cancel"
    assert order(event).placed_at == datetime(2026, 2, 20, 9, 58, tzinfo=UTC)
    assert (order(event).customer, order(event).lines) == (None, ())


def test_the_older_notification_says_the_same_in_milliseconds() -> None:
    placed, paid = said(body("mfn_order_status_change"))

    assert (placed.type, paid.type) == ("order.placed", "order.paid")
    assert order(placed).placed_at == datetime(2026, 2, 20, 9, 58, tzinfo=UTC)


@pytest.mark.parametrize(
    ("milestone", "type"),
    [
        ("preparing", "parcel.registered"),
        ("shipped", "parcel.in_transit"),
        ("out_for_delivery", "parcel.out_for_delivery"),
        ("attempted", "parcel.attempt_failed"),
        ("pickup", "parcel.available_for_pickup"),
        ("delivered", "parcel.delivered"),
        ("lost", "parcel.exception"),
        ("returned", "parcel.returned"),
        ("strange", "ingress.unmapped"),
    ],
)
def test_a_milestone_moves_the_parcel(milestone: str, type: str) -> None:
    assert types(f"milestone_{milestone}") == [type]


def test_a_milestone_says_when_where_and_what_is_promised() -> None:
    [event] = said(body("milestone_delivered"))
    [early] = said(body("milestone_preparing"))

    assert event.subject == "parcel/amazonlogistics/AFTN000000017"
    assert parcel(event).scan == p.Scan(
        at=datetime(2026, 2, 24, 18, 26, tzinfo=UTC),
        place="Portland, Oregon, US",
        code="PORCH",
        text="Delivered to the porch",
    )
    assert parcel(event).eta_from == datetime(2026, 2, 24, 17, tzinfo=UTC)
    assert parcel(event).eta_until == datetime(2026, 2, 25, 4, tzinfo=UTC)
    assert parcel(early).eta_until is None


def test_a_milestone_without_any_time_has_no_scan() -> None:
    timeless = body("milestone_delivered") | {"eventTime": None}
    notice = timeless["payload"]["shipmentTrackingMilestoneChangedNotification"]
    del notice["trackingDetail"]["latestMilestone"]["occurredAt"]

    [event] = said(timeless)

    assert (parcel(event).scan, event.timesuspect) == (None, True)


def test_milestones_in_any_order_and_number_end_at_the_same_place() -> None:
    names = ("delivered", "shipped", "preparing", "out_for_delivery", "delivered")
    events = [event for name in names for event in said(body(f"milestone_{name}"))]

    status = parcel_status(events)

    assert status is not None and status.type == "parcel.delivered"
    assert len({event.id for event in events}) == 4


def test_a_shipment_of_fba_is_a_parcel_until_it_is_given_up() -> None:
    [made], [cancelled] = said(body("fba_outbound_created")), said(body("fba_outbound_cancelled"))

    assert (made.type, made.subject) == ("parcel.registered", "parcel/amazonlogistics/DXLUMEN17")
    assert parcel(made).orders == (REF,)
    assert (cancelled.type, order(cancelled).order_id) == ("order.changed", ORDER)


def test_what_amazon_ships_for_another_shop_names_its_parcels() -> None:
    fulfilled, first, second = said(body("fulfillment_shipped"))

    assert fulfilled.type == "order.fulfilled"
    assert order(fulfilled).order_id == "LUMEN-1001"
    assert [event.subject for event in (first, second)] == [
        "parcel/amazonlogistics/TBA000000000017",
        "parcel/ups/1Z999AA10123456784",
    ]
    assert {event.type for event in (first, second)} == {"parcel.handed_over"}
    assert [ref.carrier for ref in order(fulfilled).parcels] == ["amazonlogistics", "ups"]
    assert parcel(first).eta_until == datetime(2026, 2, 24, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("course", "expected"),
    [
        ("received", ["order.changed"]),
        ("planned", ["order.changed", "parcel.registered"]),
        ("cancelled", ["order.cancelled"]),
        ("returned", ["order.returned"]),
    ],
)
def test_the_course_of_a_fulfilment_order(course: str, expected: list[str]) -> None:
    assert types(f"fulfillment_{course}") == expected


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (
            body("transaction_update"),
            "amazon_spapi TRANSACTION_UPDATE: Amazon settles with the seller, net of fees",
        ),
        (body("report_processing_finished"), "amazon_spapi REPORT_PROCESSING_FINISHED"),
        (
            body("eventbridge_listings_item_status_change"),
            "amazon_spapi LISTINGS_ITEM_STATUS_CHANGE",
        ),
        ({"message": "test"}, "amazon_spapi message that is no notification"),
        ({"NotificationType": "TEST"}, "amazon_spapi TEST"),
        ({"NotificationType": "ORDER_CHANGE", "Payload": None}, "unreadable: TypeError"),
    ],
)
def test_what_has_no_word_is_kept_with_its_reason(document: Any, why: str) -> None:
    [event] = said(document)

    assert reason(event) == why


def test_the_account_is_the_seller_wherever_the_payload_names_it() -> None:
    names = ("order_change_pending", "transaction_update", "report_processing_finished")
    sources = {said(body(name))[0].source for name in names}

    assert sources == {f"/channels/amazon_spapi/{SELLER}"}
    assert said({"message": "test"})[0].source == "/channels/amazon_spapi/default"


def test_the_notification_id_names_the_fact_however_often_and_wherever_it_comes() -> None:
    notification = body("order_change_pending")
    again = json.loads(json.dumps(notification))
    again["NotificationMetadata"]["PublishTime"] = "2026-02-21T00:00:00Z"
    wrapped = {"source": "aws.partner/sellingpartnerapi.amazon.com/1/app", "detail": again}

    ids = {said(document)[0].id for document in (notification, again, wrapped)}

    assert len(ids) == 1


def test_amazons_test_message_costs_a_batch_nothing() -> None:
    first, test, last = said(body("sqs_batch"))

    assert (first.type, last.type) == ("order.placed", "order.fulfilled")
    assert reason(test) == "amazon_spapi message that is no notification"


def heard(document: Any) -> list[Event]:
    return list(Intake(_Silent(), reading).wake(document, NOW))


class _Silent(MemoryBus):
    def forward(self, entries: Any) -> None:
        raise AssertionError("nothing was spilled")


@pytest.mark.parametrize(
    "name",
    ["order_change_pending", "milestone_delivered", "eventbridge_listings_item_status_change"],
)
def test_intake_reads_what_comes_on_the_bus_and_what_comes_on_a_queue(name: str) -> None:
    assert heard(body(name)) == said(body(name))


def test_intake_knows_connect_and_shopify_by_their_bus_and_nobody_else() -> None:
    connect = json.loads((EVENTS.parent / "amazon_connect" / "queued.json").read_text())
    shop = {"source": "aws.partner/shopify.com/1/hub", "detail": {"payload": {}, "metadata": {}}}

    assert [event.type for event in heard(connect)] == ["contact.recorded"]
    assert heard(shop)[0].source == "/channels/shopify/default"
    for stranger in ({"source": "aws.ec2", "detail": {}}, {"hello": "world"}):
        with pytest.raises(UnknownSource):
            heard(stranger)
