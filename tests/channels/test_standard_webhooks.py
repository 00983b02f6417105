"""What is particular to Standard Webhooks; what every source promises is in tests/contract."""

import json
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from standardwebhooks import Webhook

from chalicelib import payloads as p
from chalicelib.channels.standard_webhooks import channel
from chalicelib.credentials import Accounts, Credentials
from chalicelib.errors import InvalidSignature, Misconfigured, Unsupported
from chalicelib.events import Event
from chalicelib.outbound import Response
from chalicelib.signing import webhook_signature
from chalicelib.source import Request

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECRET = "whsec_" + b64encode(b"a secret of the till, 32 bytes..").decode()
OLD = "whsec_" + b64encode(b"an older secret, also 32 bytes..").decode()
SECRETS = Accounts("standard_webhooks", {"default": {"secret": [SECRET, OLD]}})
TILL = {"shop": "store:7", "order_id": "1"}
PAID = {"payment_id": "p/1", "provider": "tills", "amount": "30", "currency": "USD"}


def post(document: Any, *, account: str | None = None, ident: str = "msg_1") -> Request:
    body = json.dumps(document).encode()
    return Request(body=body, headers={"webhook-id": ident}, now=NOW, account=account)


def signed(request: Request, key: str = SECRET) -> Request:
    return replace(request, headers={**request.headers, **channel.sign(request, key)})


def said(type: Any, data: Any, **more: Any) -> Event:
    [event] = channel.read(
        post({"type": type, "timestamp": "2026-11-23T11:59:00Z", "data": data}, **more)
    )
    return event


def reason(type: Any, data: Any, **more: Any) -> str:
    event = said(type, data, **more)
    assert isinstance(event.data, p.Unmapped)
    return event.data.reason


def test_a_till_says_an_order_in_our_words() -> None:
    event = said("order.placed", {**TILL, "total": 30, "currency": "USD"})

    assert (event.type, event.subject) == ("order.placed", "order/store:7/1")
    assert event.time == datetime(2026, 11, 23, 11, 59, tzinfo=UTC)
    assert event.source == "/channels/standard_webhooks/default"
    detail = event.detail()["data"]
    assert (detail["channel"], detail["account"], detail["total"]) == (
        "standard_webhooks",
        "default",
        "30.00",
    )


def test_money_is_normal_wherever_it_stands_with_its_currency() -> None:
    line = {"sku": "a", "quantity": 1, "price": 1.5, "currency": "USD"}
    order = said("order.placed", {**TILL, "lines": [line]})
    who = {"kind": "customer"}
    cart = {"kind": "order_lines", "lines": [line]}
    words = {"message_id": "m", "conversation_id": "c", "author": who, "content": [cart]}
    message = said("message.received", words)

    assert isinstance(order.data, p.Order) and str(order.data.lines[0].price) == "1.50"
    assert message.detail()["data"]["content"][0]["lines"][0]["price"] == "1.50"


def test_nobody_verifies_a_payment_by_saying_so() -> None:
    event = said("payment.captured", {**PAID, "assurance": "verified"})

    assert isinstance(event.data, p.Payment)
    assert (event.data.assurance, event.data.amount) == ("claimed", Decimal("30.00"))


def test_a_sender_cannot_point_into_our_bucket_or_close_our_outbox() -> None:
    status = {"status": "sent", "conversation_id": "c", "at": "2026-11-23T11:59:00Z"}
    forged = {"outbox": "o", "audience": "desk", "trace": "t", "dataref": "s3://b/k"}

    told = said("message.sent", {**status, **forged}).detail()["data"]

    assert not forged.keys() & told.keys()


@pytest.mark.parametrize(
    ("type", "data", "why"),
    [
        ("contact.created", {}, "standard_webhooks contact.created"),
        ("case.opened", {}, "standard_webhooks case.opened"),
        ("ingress.unmapped", {}, "standard_webhooks ingress.unmapped"),
        (None, {}, "standard_webhooks without a type"),
        ({"a": 1}, {}, "standard_webhooks {'a': 1}"),
        ("order.placed", "1", "order.placed: data is no object"),
        ("order.placed", {"shop": "s"}, "order.placed: order_id: missing"),
        ("order.placed", {**TILL, "x" * 9000: 1}, f"order.placed: {'x' * 100}: extra_forbidden"),
        ("order.placed", {**TILL, "lines": [1]}, "unreadable: TypeError"),
        (
            "order.placed",
            {**TILL, "lines": [{"lines": [{"lines": []}]}]},
            "order.placed: lines.0.sku: missing",
        ),
        ("payment.captured", {**PAID, "amount": "-1"}, "unreadable: ValueError"),
        ("payment.captured", {**PAID, "amount": None}, "payment.captured: amount: decimal_type"),
        ("order.placed", {**TILL, "channel": "line"}, "order.placed: speaks for another channel"),
    ],
)
def test_what_is_no_fact_of_ours_is_kept_with_its_reason(type: Any, data: Any, why: str) -> None:
    assert reason(type, data) == why


def test_the_account_is_the_urls_else_the_bodys() -> None:
    named = {**TILL, "account": "store-7"}

    assert said("order.placed", named).source == "/channels/standard_webhooks/store-7"
    assert said("order.placed", TILL, account="a").source == "/channels/standard_webhooks/a"
    assert reason("order.placed", named, account="a") == "order.placed: speaks for another account"


def test_an_account_with_its_own_secret_speaks_for_itself_alone() -> None:
    both = Accounts(
        "standard_webhooks", {"default": {"secret": OLD}, "store-7": {"secret": SECRET}}
    )
    document = {"type": "order.placed", "data": {**TILL, "account": "store-7"}}

    assert channel.receive(signed(post(document), SECRET), both)
    with pytest.raises(InvalidSignature):
        channel.receive(signed(post(document), OLD), both)


def test_the_webhook_id_names_the_fact_whatever_else_changes() -> None:
    order, other = {**TILL, "total": "1", "currency": "USD"}, {**TILL, "note": "again"}

    assert said("order.placed", order).id == said("order.placed", other).id
    assert said("order.placed", order).id != said("order.placed", order, ident="msg_2").id


def test_a_delivery_read_without_http_is_named_by_its_content() -> None:
    bare = replace(post({"type": "order.placed", "data": TILL}), headers={})

    assert channel.read(bare)[0].id == channel.read(bare)[0].id


@pytest.mark.parametrize("seconds", [-301, 301, 10**9])
def test_both_sides_of_the_window_are_closed(seconds: int) -> None:
    request = signed(post({"type": "x"}))

    with pytest.raises(InvalidSignature):
        channel.receive(replace(request, now=NOW + timedelta(seconds=seconds)), SECRETS)


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_the_window_is_five_minutes_wide_on_both_sides(seconds: int) -> None:
    request = signed(post({"type": "x"}))

    assert channel.receive(replace(request, now=NOW + timedelta(seconds=seconds)), SECRETS)


@pytest.mark.parametrize("stamp", ["", "now", "1614265330.0", "١٢٣", "9" * 5000, "-1"])
def test_a_timestamp_that_is_none_is_refused_though_it_is_signed(stamp: str) -> None:
    request = post({"type": "x"})
    headers = {**request.headers, "webhook-timestamp": stamp}
    signature = webhook_signature(SECRET, "msg_1", stamp, request.body)

    with pytest.raises(InvalidSignature):
        channel.receive(
            replace(request, headers={**headers, "webhook-signature": signature}), SECRETS
        )


def test_an_id_that_is_missing_is_refused() -> None:
    request = signed(post({"type": "x"}))
    headers = {k: v for k, v in request.headers.items() if k != "webhook-id"}

    with pytest.raises(InvalidSignature):
        channel.receive(replace(request, headers=headers), SECRETS)


@pytest.mark.parametrize("key", [SECRET, OLD, SECRET.rstrip("=")])
def test_one_good_signature_among_broken_ones_is_enough(key: str) -> None:
    request = signed(post({"type": "x"}), key)
    good = request.headers["webhook-signature"]
    several = f"nonsense , v1, v2,abc v1a,{good[3:]} é {good} v1,zzz"

    headers = {**request.headers, "webhook-signature": several}

    assert channel.receive(replace(request, headers=headers), SECRETS)


def test_an_asymmetric_signature_alone_is_not_enough() -> None:
    request = signed(post({"type": "x"}))
    relabelled = request.headers["webhook-signature"].replace("v1,", "v1a,")

    with pytest.raises(InvalidSignature):
        headers = {**request.headers, "webhook-signature": relabelled}
        channel.receive(replace(request, headers=headers), SECRETS)


def test_svix_is_the_same_scheme() -> None:
    request = signed(post({"type": "x"}))
    headers = {k.replace("webhook-", "svix-"): v for k, v in request.headers.items()}

    assert channel.receive(replace(request, headers=headers), SECRETS)


def test_a_secret_that_is_no_key_is_our_failure() -> None:
    request = signed(post({"type": "x"}))

    for broken in ("whsec_???", "whsec_"):
        with pytest.raises(Misconfigured):
            channel.receive(request, Accounts("standard_webhooks", {"default": {"secret": broken}}))


def test_a_sample_without_an_id_is_signed_under_one_of_its_own() -> None:
    request = replace(post({"type": "x"}), headers={})

    assert channel.receive(signed(request), SECRETS)
    assert channel.sign(request, SECRET) == channel.sign(request, SECRET)


@pytest.mark.stranger
def test_what_the_reference_library_signs_is_accepted() -> None:
    body = json.dumps({"type": "order.placed", "data": {**TILL, "note": "Grüße 👋"}})
    signature = Webhook(SECRET).sign("msg_2", NOW, body)
    headers = {
        "webhook-id": "msg_2",
        "webhook-timestamp": str(int(NOW.timestamp())),
        "webhook-signature": signature,
    }

    [event] = channel.receive(Request(body=body.encode(), headers=headers, now=NOW), SECRETS)

    assert event.type == "order.placed"


@pytest.mark.stranger
def test_what_we_sign_the_reference_library_accepts() -> None:
    request = replace(post({"type": "x", "data": {}}), now=datetime.now(UTC))

    assert Webhook(SECRET).verify(request.body, dict(channel.sign(request, SECRET))) == {
        "type": "x",
        "data": {},
    }


PROVIDER = Credentials(
    "standard_webhooks/default",
    {"reread_url": "https://pay.example/payments/{payment_id}?full=1", "reread_key": "rk"},
)


def stated(status: str, amount: Any = "30.00", code: int = 200) -> Response:
    return Response(
        code, {}, json.dumps({"status": status, "amount": amount, "currency": "USD"}).encode()
    )


def test_a_payment_is_read_again_where_its_provider_is_configured() -> None:
    call = channel.reread(said("payment.captured", PAID), PROVIDER)

    assert (call.method, call.url) == ("GET", "https://pay.example/payments/p%2F1?full=1")
    assert call.headers["authorization"] == "Bearer rk"


def test_the_provider_states_the_outcome_and_the_amount() -> None:
    claimed = said("payment.captured", PAID)

    verified = channel.reread_payment(claimed, stated("captured", "29.90"))

    assert verified is not None
    assert (verified.assurance, verified.amount, verified.raw) == (
        "verified",
        Decimal("29.90"),
        None,
    )


@pytest.mark.parametrize(
    "response",
    [
        stated("refunded"),
        stated("captured", code=404),
        stated("captured", amount="much"),
        stated("captured", amount=None),
        Response(200, {}, b"captured"),
        Response(200, {}, b'{"status": "captured", "amount": "30.00"}'),
    ],
)
def test_a_payment_that_its_provider_does_not_state_stays_a_claim(response: Response) -> None:
    assert channel.reread_payment(said("payment.captured", PAID), response) is None


def test_only_payments_are_read_again() -> None:
    with pytest.raises(Unsupported):
        channel.reread(said("order.placed", TILL), PROVIDER)
