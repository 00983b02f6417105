"""What is particular to WooCommerce; what every source promises is in tests/contract."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chalicelib import payloads as p
from chalicelib.channels.woocommerce import channel
from chalicelib.credentials import Accounts, Credentials
from chalicelib.errors import InvalidSignature, UnknownSource, Unsupported
from chalicelib.events import Event
from chalicelib.outbound import Outgoing, Response
from chalicelib.source import Request
from tests.samples import SHARED

EVENTS = Path(__file__).parents[2] / "events" / "woocommerce"
NOW = datetime(2026, 12, 31, tzinfo=UTC)
HOST = "lumen-lamps.example"
SHOP = f"woocommerce:{HOST}"
SECRETS = Accounts("woocommerce", {"default": {"webhook_secret": ["a&b<c", "old"]}})
KEYS = Credentials(
    "woocommerce/x",
    {"url": f"https://{HOST}/", "consumer_key": "ck_1", "consumer_secret": "cs_1"},
)


def body(name: str, **changes: Any) -> Any:
    return {**json.loads((EVENTS / f"{name}.json").read_text()), **changes}


def delivery(name: str, document: Any = None, **headers: str) -> Request:
    known = json.loads((EVENTS / f"{name}.headers").read_text())
    told = {k.lower(): v for k, v in known.items()}
    told |= {k.replace("_", "-"): v for k, v in headers.items()}
    raw = json.dumps(body(name) if document is None else document).encode()
    return Request(body=raw, headers=told, now=NOW)


def said(name: str, document: Any = None, **headers: str) -> list[Event]:
    return channel.read(delivery(name, document, **headers))


def data(event: Event) -> Any:
    return event.data


def test_an_order_is_told_whole() -> None:
    placed, paid, captured = said("order_created")
    order = data(placed)

    assert [e.type for e in (placed, paid, captured)] == [
        "order.placed",
        "order.paid",
        "payment.captured",
    ]
    assert placed.subject == paid.subject == f"order/woocommerce:{HOST}/1727"
    assert (placed.time, paid.time) == (
        datetime(2026, 2, 20, 9, 0, tzinfo=UTC),
        datetime(2026, 2, 20, 9, 0, 8, tzinfo=UTC),
    )
    assert (order.total, order.currency, order.note) == (
        Decimal("152.00"),
        "USD",
        "Please ring twice",
    )
    assert [(line.sku, line.title, str(line.price)) for line in order.lines] == [
        ("LAMP-DUNE-S", "Dune table lamp – Size: S", "59.00"),
        ("23", "E27 filament bulb", "6.50"),
    ]
    assert order.customer == p.Identity(channel="woocommerce", scope=HOST, subject="31")
    assert order.ship_to.startswith("Ines, Okafor, 18 Harbour Lane")
    assert (order.version, order.conversation_id) == (
        "2026-02-20T09:00:08.000Z",
        f"woocommerce/{HOST}/1727",
    )


def test_a_guest_is_known_by_the_address_that_was_typed() -> None:
    placed, state = said("order_created_pending")

    assert data(placed).customer.subject == "ines@example.com"
    assert (state.type, data(state).request) == ("order.changed", "K7WQ3M5N2RV6T8X9YABCDEFGHJ")
    nobody = said("order_created_pending", body("order_created_pending", billing=None, shipping={}))
    assert (data(nobody[0]).customer, data(nobody[0]).ship_to) == (None, None)


@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("order_created_draft", ["ingress.unmapped"]),
        ("order_updated_on_hold", ["order.placed", "order.changed"]),
        ("order_updated_completed", ["order.placed", "order.fulfilled", "payment.captured"]),
        ("order_updated_cancelled", ["order.placed", "order.cancelled"]),
        ("order_updated_failed", ["order.placed", "order.changed", "payment.failed"]),
        (
            "order_updated_refunded",
            ["order.placed", "order.changed", "payment.captured"] + ["payment.refunded"] * 2,
        ),
        ("order_deleted", ["order.changed"]),
        ("order_restored", ["order.placed", "order.paid", "payment.captured"]),
        ("action_order_status_changed", ["order.changed"]),
        ("action_add_to_cart", ["ingress.unmapped"]),
        ("customer_updated", ["ingress.unmapped"]),
        ("product_updated", ["ingress.unmapped"]),
        ("coupon_created", ["ingress.unmapped"]),
    ],
)
def test_the_status_decides_what_an_order_says(name: str, types: list[str]) -> None:
    assert [event.type for event in said(name)] == types


def test_what_has_no_word_is_kept_with_its_topic() -> None:
    assert data(said("product_updated")[0]).reason == "woocommerce product.updated"
    bare = replace(delivery("product_updated"), headers={})
    assert data(channel.read(bare)[0]).reason == "woocommerce delivery without a topic"


@pytest.mark.parametrize("name", ["order_created", "action_order_status_changed"])
def test_an_order_is_one_also_without_its_topic(name: str) -> None:
    bare = replace(delivery(name), headers={})

    types = [event.type for event in channel.read(bare)]
    assert types[0].startswith("order.")


def test_parcels_are_those_of_the_tracking_extension() -> None:
    state = said("order_updated_completed")[1]

    assert data(state).parcels == (
        p.ParcelRef(carrier="ups", tracking_number="1Z999AA10123456784"),
    )


def test_refunds_are_positive_and_each_its_own() -> None:
    first, second = said("order_updated_refunded")[3:]

    assert [(data(e).payment_id, str(data(e).amount)) for e in (first, second)] == [
        ("1730", "59.00"),
        ("1731", "93.00"),
    ]
    assert data(first).reason == "One lamp arrived broken"
    assert data(first).order == p.OrderRef(shop=SHOP, order_id="1727")


def test_yen_have_no_hundredths() -> None:
    placed = said("order_created_yen")[0]

    assert placed.detail()["data"]["total"] == "3000"


def test_a_later_delivery_names_the_same_placing_and_payment_and_a_new_state() -> None:
    before, after = said("order_created"), said("order_updated_completed")

    assert (before[0].id, before[2].id) == (after[0].id, after[2].id)
    assert before[1].id != after[1].id


def test_the_same_delivery_over_two_webhooks_is_one_fact() -> None:
    other = {"x_wc_webhook_delivery_id": "other", "x_wc_webhook_id": "18"}

    assert [e.id for e in said("order_created", **other)] == [e.id for e in said("order_created")]
    again = said("action_order_status_changed", **other)
    assert again[0].id != said("action_order_status_changed")[0].id


def test_the_signed_link_names_the_shop_before_any_header() -> None:
    [event, *_] = said("order_created", x_wc_webhook_source="https://evil.example/")
    assert data(event).shop == SHOP

    [deleted] = said("order_deleted", x_wc_webhook_source="")
    assert data(deleted).account == "default"


# -- signatures --------------------------------------------------------------------------------


def test_the_ping_of_an_activation_is_welcome_and_says_nothing() -> None:
    ping = Request(body=b"webhook_id=123", now=NOW)

    assert channel.receive(ping, Accounts("woocommerce")) == []
    assert channel.receive(replace(ping, account="default"), SECRETS) == []
    assert channel.answer(ping).status == 200
    with pytest.raises(UnknownSource):
        channel.receive(replace(ping, account="nobody"), SECRETS)


@pytest.mark.parametrize("raw", [b"webhook_id=1&order=2", b"webhook_id=", b"webhook_id=1\n{}"])
def test_no_other_form_is_a_ping(raw: bytes) -> None:
    with pytest.raises(InvalidSignature):
        channel.receive(Request(body=raw, now=NOW), SECRETS)


@pytest.mark.parametrize("key", ["a&b<c", "a&amp;b&lt;c", "old"])
def test_a_secret_counts_as_it_was_typed(key: str) -> None:
    request = delivery("order_created")
    signature = {"x-wc-webhook-signature": channel.sign(request, key)["x-wc-webhook-signature"]}
    signed = replace(request, headers={**request.headers, **signature})

    assert channel.receive(signed, SECRETS)
    assert channel.matches(signed, key)


def test_html_that_wordpress_does_not_decode_stays_as_it_is() -> None:
    signed = channel.signed(Request(body=b"{}", now=NOW), "&eacute;&#39;&#x22;")

    assert channel.matches(signed, "&eacute;'\"")


VECTORS = SHARED / "samples" / "woocommerce" / "vectors.json"


@pytest.mark.skipif(not VECTORS.is_file(), reason="PARLEY_SHARED is not here")
def test_collected_vectors_are_judged_as_they_say() -> None:
    for vector in json.loads(VECTORS.read_text()):
        raw = vector.get("body", "").encode()
        raw = raw or (VECTORS.parent / vector["body_file"]).read_bytes().rstrip(b"\n")
        headers = {k.lower(): v for k, v in vector["headers"].items()}
        secret = vector.get("secret") or vector.get("secret_stored") or "any"
        accounts = Accounts("woocommerce", {"default": {"webhook_secret": secret}})
        channel.receive(Request(body=raw, headers=headers, now=NOW), accounts)


# -- outbound ----------------------------------------------------------------------------------


def test_an_answer_is_a_note_that_the_shop_mails() -> None:
    to = p.Identity(channel="woocommerce", scope=HOST, subject="31")
    message = Outgoing("k", to, HOST, f"woocommerce/{HOST}/1727", "On its way")

    call = channel.compose(message, KEYS)

    assert call.url == f"https://{HOST}/wp-json/wc/v3/orders/1727/notes"
    assert json.loads(call.body) == {"note": "On its way", "customer_note": True}
    assert call.headers["authorization"] == "Basic Y2tfMTpjc18x"
    with pytest.raises(Unsupported):
        channel.compose(replace(message, conversation_id="woocommerce/evil.example/1"), KEYS)


def test_a_note_that_was_kept_has_an_id() -> None:
    made = channel.outcome(Response(201, {}, b'{"id": 281}'))

    assert (made.verdict, made.message_id) == ("sent", "281")
    assert channel.outcome(Response(401, {}, b"{}")).verdict == "reauthorise"


def answer(document: Any, status: int = 200) -> Response:
    return Response(status, {}, json.dumps(document).encode())


@pytest.mark.parametrize(
    ("name", "n", "amount"),
    [
        ("order_created", 2, "150.00"),
        ("order_updated_failed", 2, "150.00"),
        ("order_updated_refunded", 3, "59.00"),
    ],
)
def test_a_payment_is_read_again_from_the_shop(name: str, n: int, amount: str) -> None:
    event = said(name)[n]

    call = channel.reread(event, KEYS)
    payment: Any = channel.reread_payment(event, answer(body(name, total="150.00")))

    assert (call.method, call.url) == ("GET", f"https://{HOST}/wp-json/wc/v3/orders/1727")
    assert (payment.assurance, str(payment.amount), payment.raw) == ("verified", amount, None)


@pytest.mark.parametrize(
    ("name", "n", "response"),
    [
        ("order_created", 2, answer(body("order_created", date_paid_gmt=None))),
        ("order_created", 2, answer(body("order_created", id=2))),
        ("order_created", 2, answer({"code": "no"}, 404)),
        ("order_created", 2, answer([])),
        ("order_updated_failed", 2, answer(body("order_created"))),
        ("order_updated_refunded", 3, answer(body("order_created"))),
    ],
)
def test_what_the_shop_does_not_state_stays_a_claim(name: str, n: int, response: Response) -> None:
    assert channel.reread_payment(said(name)[n], response) is None


def test_our_key_goes_to_the_configured_shop_alone() -> None:
    placed, _, captured = said("order_created")
    elsewhere = replace(captured, data=data(captured).model_copy(update={"account": "evil.tld"}))
    orderless = replace(captured, data=data(captured).model_copy(update={"order": None}))

    for event in (placed, elsewhere, orderless):
        with pytest.raises(Unsupported):
            channel.reread(event, KEYS)


def test_a_broken_refund_costs_nothing_else() -> None:
    types = [e.type for e in said("order_created", body("order_created", refunds=["x"]))]

    assert types == ["order.placed", "order.paid", "payment.captured", "ingress.unmapped"]
