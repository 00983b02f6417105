"""What is particular to Shopify; what every source promises is in tests/contract."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chalicelib import payloads as p
from chalicelib.channels.shopify import API_VERSION, channel
from chalicelib.credentials import Accounts, Credentials
from chalicelib.errors import InvalidSignature, Unsupported
from chalicelib.events import Event
from chalicelib.outbound import Response
from chalicelib.source import Request
from chalicelib.sources import get

EVENTS = Path(__file__).parents[2] / "events" / "shopify"
NOW = datetime(2026, 12, 31, tzinfo=UTC)
SHOP = "lumen-lamps.myshopify.com"
ORDER = "5731946201234"
SECRETS = Accounts("shopify", {"default": {"client_secret": ["new", "old"]}})
TOKEN = Credentials("shopify/default", {"access_token": "shpat_1"})


def delivery(name: str, body: Any = None, **headers: str) -> Request:
    known = json.loads((EVENTS / f"{name}.headers").read_text())
    told = {k.lower(): v for k, v in known.items()} | {
        k.replace("_", "-"): v for k, v in headers.items()
    }
    raw = (EVENTS / f"{name}.json").read_bytes() if body is None else json.dumps(body).encode()
    return Request(body=raw, headers=told, now=NOW)


def body(name: str, **changes: Any) -> dict[str, Any]:
    return {**json.loads((EVENTS / f"{name}.json").read_text()), **changes}


def said(name: str, document: Any = None, **headers: str) -> list[Event]:
    return channel.read(delivery(name, document, **headers))


def data(event: Event) -> Any:
    return event.data


def test_it_is_found_by_its_name() -> None:
    assert get("shopify") is channel


def test_an_order_is_told_whole() -> None:
    [event] = said("orders_create")
    order = data(event)

    assert (event.type, event.subject) == ("order.placed", f"order/shopify:{SHOP}/{ORDER}")
    assert event.time == datetime(2026, 2, 20, 9, 0, tzinfo=UTC)
    assert (order.order_number, order.total, order.currency) == ("#1042", Decimal("152.00"), "USD")
    assert [(line.sku, line.quantity, str(line.price)) for line in order.lines] == [
        ("LAMP-DUNE-S", 2, "59.00"),
        ("44120131", 4, "6.50"),
    ]
    assert order.customer == p.Identity(channel="shopify", scope=SHOP, subject="7320118845561")
    assert order.request == "K7WQ3M5N2RV6T8X9YABCDEFGHJ"
    assert (
        order.ship_to
        == "Ines Okafor, 18 Harbour Lane, Flat 3, Portland, Oregon, 97201, United States"
    )
    assert (order.lang, order.note) == ("en-US", "Please ring twice")
    assert order.version == "2026-02-20T09:00:02.000Z"


def test_versions_compare_as_text_when_the_shop_moves_its_clock() -> None:
    summer = body("orders_updated", updated_at="2026-11-01T01:59:59-07:00")
    winter = body("orders_updated", updated_at="2026-11-01T01:00:01-08:00")

    [before], [after] = (said("orders_updated", order) for order in (summer, winter))

    assert data(before).version < data(after).version


def test_a_guest_without_an_address_or_notes_has_an_order_too() -> None:
    guest = body("orders_create", customer=None, shipping_address={}, note_attributes=None)

    [event] = said("orders_create", {**guest, "updated_at": None, "fulfillments": None})

    assert (data(event).customer, data(event).ship_to, data(event).version) == (None, None, None)


def test_a_paid_order_also_claims_its_payment() -> None:
    order, payment = said("orders_paid")

    assert (order.type, payment.type) == ("order.paid", "payment.captured")
    assert data(payment).assurance == "claimed"
    assert (data(payment).payment_id, data(payment).amount) == (ORDER, Decimal("152.00"))
    assert data(payment).order == p.OrderRef(shop=f"shopify:{SHOP}", order_id=ORDER)


def test_yen_have_no_hundredths() -> None:
    cheap = [{"id": 1, "quantity": 1, "price": "1500"}]
    order = body("orders_create", currency="JPY", total_price="1500", line_items=cheap)

    [event] = said("orders_create", order)

    assert event.detail()["data"]["total"] == "1500"
    assert data(event).lines[0].sku == "1"


def test_a_fulfilment_registers_each_parcel_by_one_spelling() -> None:
    order, parcel = said("fulfillments_create")

    ups = p.ParcelRef(carrier="ups", tracking_number="1Z999AA10123456784")
    assert (order.type, data(order).parcels) == ("order.fulfilled", (ups,))
    assert (parcel.type, parcel.subject) == ("parcel.registered", "parcel/ups/1Z999AA10123456784")
    assert data(parcel).tracking_url == "https://www.ups.com/track?num=1Z999AA10123456784"
    assert data(parcel).orders == (p.OrderRef(shop=f"shopify:{SHOP}", order_id=ORDER),)
    assert len(said("fulfillments_create_yen")) == 3


def test_a_fulfilment_without_a_number_ships_the_order_and_names_no_parcel() -> None:
    bare = body("fulfillments_create", tracking_number=None, tracking_numbers=[])

    [order] = said("fulfillments_create", bare)

    assert (order.type, data(order).parcels) == ("order.fulfilled", ())


def test_a_cancelled_fulfilment_ships_nothing() -> None:
    [event] = said("fulfillments_update_cancelled")

    assert (event.type, data(event).parcels) == ("order.changed", ())
    [fulfilled] = said("orders_fulfilled")
    assert [ref.tracking_number for ref in data(fulfilled).parcels] == ["1Z999AA10123456784"]


@pytest.mark.parametrize(
    ("status", "type"),
    [
        ("confirmed", "parcel.registered"),
        ("carrier_picked_up", "parcel.handed_over"),
        ("in_transit", "parcel.in_transit"),
        ("out_for_delivery", "parcel.out_for_delivery"),
        ("attempted_delivery", "parcel.attempt_failed"),
        ("ready_for_pickup", "parcel.available_for_pickup"),
        ("delivered", "parcel.delivered"),
        ("failure", "parcel.exception"),
    ],
)
def test_the_shipment_status_moves_the_parcel(status: str, type: str) -> None:
    order, parcel = said(f"fulfillments_update_{status}")

    assert (order.type, parcel.type) == ("order.changed", type)
    assert (data(parcel).scan.code, data(parcel).scan.at) == (status, parcel.time)


def test_an_unknown_shipment_status_is_no_scan() -> None:
    strange = body("fulfillments_create", shipment_status="teleported")

    _, parcel = said("fulfillments_create", strange)

    assert (parcel.type, data(parcel).scan) == ("parcel.registered", None)


def test_a_fulfilment_event_names_the_fulfilment_for_want_of_a_number() -> None:
    [event] = said("fulfillment_events_create")

    assert (event.type, event.subject) == (
        "parcel.out_for_delivery",
        "parcel/shopify/5218800112233",
    )
    assert (data(event).scan.place, data(event).scan.text) == (
        "Portland, Oregon, US",
        "With the driver",
    )
    assert data(event).eta_until == datetime(2026, 2, 24, 4, tzinfo=UTC)


def test_a_fulfilment_event_of_an_unknown_status_or_time() -> None:
    [strange] = said("fulfillment_events_create", body("fulfillment_events_create", status="?"))
    assert strange.type == "ingress.unmapped"

    timeless = body("fulfillment_events_create", happened_at=None, created_at=None)
    request = delivery("fulfillment_events_create", timeless)
    headers = {k: v for k, v in request.headers.items() if not k.endswith("triggered-at")}
    [event] = channel.read(replace(request, headers=headers))
    assert (event.type, data(event).scan, event.timesuspect) == (
        "parcel.out_for_delivery",
        None,
        True,
    )


def test_each_movement_of_a_refund_is_a_payment() -> None:
    first, second = said("refunds_create")

    assert [data(e).payment_id for e in (first, second)] == ["6640011", "6640012"]
    assert [str(data(e).amount) for e in (first, second)] == ["50.00", "9.00"]
    assert data(second).currency == "USD"  # its own is null, as in Shopify's example
    assert data(first).reason == "One lamp arrived broken"
    assert len({first.id, second.id}) == 2


def test_a_refund_that_moved_no_money_touches_its_order() -> None:
    [event] = said("refunds_create_restock_only")

    assert event.type == "order.changed"


def test_a_refund_without_any_currency_is_kept_unread() -> None:
    blind = body("refunds_create", total_duties_set=None, refund_line_items=[])

    [event] = said("refunds_create", blind)

    assert (event.type, data(event).reason) == ("ingress.unmapped", "unreadable: ValueError")


def test_transactions_are_typed_by_kind_and_status() -> None:
    [authorized] = said("order_transactions_create_authorized")
    [failed] = said("order_transactions_create_failed")
    [void] = said("order_transactions_create_void")

    assert (authorized.type, failed.type) == ("payment.authorized", "payment.failed")
    assert (data(failed).reason, void.type) == ("card_declined", "ingress.unmapped")


def test_a_dispute_has_a_date_and_an_end() -> None:
    [opened], [closed] = said("disputes_create"), said("disputes_update_won")

    assert (opened.type, data(opened).reason) == ("payment.disputed", "product_not_received")
    assert data(opened).due_at == datetime(2026, 3, 9, 8, tzinfo=UTC)
    assert (closed.type, data(closed).reason) == ("payment.dispute_closed", "won")
    assert opened.subject == closed.subject
    [loose] = said("disputes_create", body("disputes_create", order_id=None))
    assert data(loose).order is None


def test_goods_are_returned_when_the_return_is_closed_not_when_it_is_asked_for() -> None:
    types = [said(f"returns_{verb}")[0].type for verb in ("request", "approve", "close")]

    assert types == ["order.changed", "order.changed", "order.returned"]


def test_erasure_names_the_customer_and_the_orders() -> None:
    [redact], [export], [shop] = (
        said("customers_redact"),
        said("customers_data_request"),
        said("shop_redact"),
    )

    assert (data(redact).scope, data(redact).orders) == ("customer", (ORDER, "5731946209999"))
    assert redact.subject == f"identity/shopify/{SHOP}/7320118845561"
    assert (data(export).scope, data(export).orders) == ("export", (ORDER,))
    assert (data(shop).scope, data(shop).identity) == ("shop", None)


def test_a_merge_links_and_an_unsubscription_withdraws() -> None:
    [merged] = said("customers_merge")
    [withdrawn] = said("customers_email_marketing_consent_update")

    assert (data(merged).a.subject, data(merged).b.subject) == ("7320118845561", "7320118800001")
    assert (data(withdrawn).purpose, data(withdrawn).scope) == ("marketing", "purpose")


@pytest.mark.parametrize(
    "name",
    [
        "customers_merge_failed",
        "customers_update",
        "customers_sms_marketing_consent_update",
        "app_uninstalled",
    ],
)
def test_what_has_no_word_is_kept_with_its_reason(name: str) -> None:
    [event] = said(name)

    assert (event.type, data(event).reason[:8]) == ("ingress.unmapped", "shopify ")


def test_a_test_notification_is_synthetic_and_orders_nothing() -> None:
    [event] = said("test_notification")

    assert (event.type, data(event).synthetic) == ("ingress.unmapped", True)


def test_the_same_event_over_two_subscriptions_is_one_fact() -> None:
    [one] = said("orders_create")
    [other] = said("orders_create", x_shopify_webhook_id="another-subscription")

    assert one.id == other.id


def test_one_event_over_two_topics_is_two_facts() -> None:
    shared = {"x_shopify_event_id": "e-1"}
    [fulfilled] = said("orders_fulfilled", **shared)
    [created, _] = said("fulfillments_create", **shared)

    assert fulfilled.type == created.type
    assert fulfilled.id != created.id


def test_without_ids_the_topic_the_id_and_the_version_are_the_identity() -> None:
    headers = {"x-shopify-topic": "orders/updated", "x-shopify-shop-domain": SHOP}
    bare = delivery("orders_updated")
    newer = delivery("orders_updated", body("orders_updated", updated_at="2026-11-20T05:00:00Z"))
    by_delivery = {**headers, "x-shopify-webhook-id": "w-1"}

    ids = [
        channel.read(replace(request, headers=told))[0].id
        for request, told in (
            (bare, headers),
            (bare, headers),
            (newer, headers),
            (bare, by_delivery),
        )
    ]

    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


@pytest.mark.parametrize("headers", [{}, {"x-shopify-shop-domain": "evil.example"}])
def test_a_delivery_without_its_shop_or_topic_is_kept(headers: dict[str, str]) -> None:
    known = {"x-shopify-topic": "orders/create"}
    request = Request(body=delivery("orders_create").body, headers=known | headers, now=NOW)
    [homeless] = channel.read(request)
    [topicless] = channel.read(replace(request, headers={"x-shopify-shop-domain": SHOP}))
    [long] = said("orders_create", x_shopify_topic="t" * 9000, x_shopify_event_id="e" * 9000)

    assert data(homeless).reason == "shopify delivery without its shop's domain"
    assert data(topicless).reason == "shopify delivery without a topic"
    assert long.type == "ingress.unmapped"


def test_the_account_of_the_url_names_the_shop_where_no_header_does() -> None:
    request = Request(
        body=delivery("orders_create").body,
        headers={"x-shopify-topic": "orders/create"},
        account=SHOP,
        now=NOW,
    )

    [event] = channel.read(request)

    assert data(event).shop == f"shopify:{SHOP}"


@pytest.mark.parametrize("prefix", ["shopify-", "x-shopify-"])
@pytest.mark.parametrize("key", ["new", "old"])
def test_both_header_families_and_both_secrets_of_a_rotation(prefix: str, key: str) -> None:
    request = delivery("orders_create")
    signature = channel.sign(request, key)["x-shopify-hmac-sha256"]
    headers = {k.replace("x-shopify-", prefix): v for k, v in request.headers.items()}

    signed = replace(request, headers={**headers, f"{prefix}hmac-sha256": signature})

    assert len(channel.receive(signed, SECRETS)) == 1


def test_the_secret_of_one_shop_does_not_speak_for_another() -> None:
    shops = Accounts("shopify", {SHOP: {"client_secret": "a"}, "other": {"client_secret": "b"}})
    request = delivery("orders_create")
    forged = replace(request, headers={**request.headers, **channel.sign(request, "b")})

    with pytest.raises(InvalidSignature):
        channel.receive(forged, shops)


def test_the_same_fact_comes_over_the_partner_bus() -> None:
    request = delivery("orders_create")
    metadata = {k.title(): v for k, v in request.headers.items()}
    envelope = {"source": f"{channel.aws_sources[0]}/1/hub", "detail-type": "shopifyWebhook"}

    handed = channel.unwrap(
        {**envelope, "detail": {"payload": request.json, "metadata": metadata}}, NOW
    )

    assert channel.read(handed)[0].id == channel.read(request)[0].id
    [empty] = channel.read(channel.unwrap({**envelope, "detail": None}, NOW))
    assert empty.type == "ingress.unmapped"


SALE = {"id": 1, "kind": "sale", "status": "success", "amount": "100.00", "currency": "USD"}
CAPTURE = {"id": 2, "kind": "capture", "status": "success", "amount": "52.00", "currency": "USD"}
DECLINED = {"id": 3, "kind": "sale", "status": "failure", "amount": "152.00", "currency": "USD"}
REFUND = {
    "id": 6640011,
    "kind": "refund",
    "status": "success",
    "amount": "49.00",
    "currency": "USD",
}


def answer(document: Any, status: int = 200) -> Response:
    return Response(status, {}, json.dumps(document).encode())


def verified(event: Event, response: Response) -> p.Payment:
    payment = channel.reread_payment(event, response)
    assert payment is not None
    return payment


def test_a_payment_is_read_again_from_the_admin_api() -> None:
    _, paid = said("orders_paid")

    call = channel.reread(paid, TOKEN)

    assert call.method == "GET"
    assert call.url == (
        f"https://{SHOP}/admin/api/{API_VERSION}/orders/{ORDER}/transactions.json"
        "?in_shop_currency=true"
    )
    assert call.headers == {"x-shopify-access-token": "shpat_1"}


def test_all_that_was_taken_is_what_the_order_paid() -> None:
    _, paid = said("orders_paid")

    payment = verified(paid, answer({"transactions": [SALE, CAPTURE, DECLINED]}))

    assert (payment.assurance, payment.amount, payment.raw) == (
        "verified",
        Decimal("152.00"),
        None,
    )
    assert payment.payment_id == data(paid).payment_id


@pytest.mark.parametrize(
    "response",
    [
        answer({"transactions": [DECLINED, REFUND]}),
        answer({"transactions": [SALE, {**CAPTURE, "currency": "EUR"}]}),
        answer({"transactions": [{**SALE, "amount": "lots"}]}),
        answer({"transactions": "none"}),
        answer({"errors": "Not Found"}, 404),
        answer({"transactions": [SALE]}, 500),
    ],
)
def test_a_payment_that_the_api_does_not_state_stays_a_claim(response: Response) -> None:
    _, paid = said("orders_paid")

    assert channel.reread_payment(paid, response) is None


def test_an_order_of_nothing_is_paid_by_nothing() -> None:
    _, free = said("orders_paid", body("orders_paid", total_price="0.00"))

    assert verified(free, answer({"transactions": []})).amount == Decimal("0.00")


def test_a_refund_is_confirmed_by_its_own_transaction_alone() -> None:
    first, second = said("refunds_create")
    response = answer({"transactions": [SALE, REFUND]})

    assert verified(first, response).amount == Decimal("49.00")
    assert channel.reread_payment(second, response) is None
    assert (
        channel.reread_payment(first, answer({"transactions": [{**SALE, "id": 6640011}]})) is None
    )


def test_a_dispute_is_read_again_by_its_id() -> None:
    [opened] = said("disputes_create")
    stated = {"dispute": {"id": 285332461, "status": "won", "amount": "152.00", "currency": "USD"}}
    pending = {"dispute": {**stated["dispute"], "status": "under_review"}}

    assert channel.reread(opened, TOKEN).url.endswith("/shopify_payments/disputes/285332461.json")
    assert channel.reread_payment(opened, answer(stated)) is None
    assert verified(opened, answer(pending)).assurance == "verified"


def test_the_token_goes_to_shopify_alone() -> None:
    _, paid = said("orders_paid")
    elsewhere = replace(paid, data=data(paid).model_copy(update={"account": "evil.example"}))
    orderless = replace(paid, data=data(paid).model_copy(update={"order": None}))
    [placed] = said("orders_create")

    for event in (elsewhere, orderless, placed):
        with pytest.raises(Unsupported):
            channel.reread(event, TOKEN)


@pytest.mark.parametrize("amount", ["free", "-1.00", "NaN", "1e400", None, True, {}, 59.0])
def test_an_amount_that_is_none_costs_one_unmapped(amount: Any) -> None:
    request = delivery("orders_paid", body("orders_paid", total_price=amount))

    types = [event.type for event in channel.read(request)]

    assert types in (["ingress.unmapped"], ["order.paid", "payment.captured"])


@pytest.mark.parametrize("when", ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "soon", 7])
def test_a_time_that_cannot_be_is_suspect_and_not_fatal(when: Any) -> None:
    times = dict.fromkeys(("created_at", "updated_at", "processed_at"), when)

    [event] = said("orders_create", body("orders_create", **times))

    assert event.type == "order.placed"


SAMPLES = sorted(path.stem for path in EVENTS.glob("*.json"))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_missing_field_is_never_an_exception(name: str) -> None:
    whole = body(name)
    for field in whole:
        less = {key: value for key, value in whole.items() if key != field}
        types = [event.type for event in said(name, less)]
        assert "ingress.unmapped" not in types or len(types) == 1
    for strange in ([], "text", None, 1, [whole], {"id": "9" * 5000, **whole} | {"id": "9" * 5000}):
        assert said(name, strange)
