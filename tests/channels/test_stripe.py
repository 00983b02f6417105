"""What is particular to Stripe; what every source promises is in tests/contract."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chalicelib import payloads as p
from chalicelib.channels._payment import named, noted
from chalicelib.channels.stripe import channel
from chalicelib.credentials import Accounts, Credentials
from chalicelib.errors import InvalidSignature, Misconfigured, Unsupported
from chalicelib.events import Event
from chalicelib.outbound import Response
from chalicelib.source import Request
from tests import samples
from tests.samples import SHARED

EVENTS = Path(__file__).parents[2] / "events" / "stripe"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECRETS = Accounts("stripe", {"default": {"webhook_secret": ["whsec_new", "whsec_old"]}})
KEY = Credentials("stripe/default", {"api_key": "sk_test_1"})
PI = "pi_3QLamp1aB2cD3eF0Dune0001"
CH = "ch_3QLamp1aB2cD3eF0Dune0001"
RE = "re_3QLamp1aB2cD3eF0Back0001"
LAMPS = p.OrderRef(shop="shopify:lumen-lamps.myshopify.com", order_id="5731946201234")


def body(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text())


def said(name: str, **changes: Any) -> list[Event]:
    """What a sample says, with changes to the object inside."""
    document = body(name)
    if changes:
        document["data"]["object"].update(changes)
    return channel.read(Request(body=json.dumps(document).encode(), now=NOW))


def one(name: str, **changes: Any) -> tuple[str, Any]:
    [event] = said(name, **changes)
    return event.type, event.data


def thing(name: str, **changes: Any) -> Any:
    return {**body(name)["data"]["object"], **changes}


def answer(document: Any, status: int = 200) -> Response:
    return Response(status, {}, json.dumps(document).encode())


def verified(event: Event, document: Any) -> Any:
    return channel.reread_payment(event, answer(document))


@pytest.mark.parametrize(
    ("name", "type", "amount", "reason"),
    [
        ("payment_intent_succeeded", "payment.captured", "152.00", None),
        (
            "payment_intent_amount_capturable_updated",
            "payment.authorized",
            "152.00",
            "requires_capture",
        ),
        ("payment_intent_processing", "payment.authorized", "152.00", "processing"),
        ("payment_intent_payment_failed", "payment.failed", "152.00", "insufficient_funds"),
        ("payment_intent_canceled", "payment.failed", "152.00", "canceled: abandoned"),
        ("charge_succeeded", "payment.captured", "152.00", None),
        ("charge_succeeded_uncaptured", "payment.authorized", "152.00", None),
        ("charge_captured_in_part", "payment.captured", "93.00", None),
        ("charge_pending", "payment.authorized", "152.00", None),
        ("charge_failed", "payment.failed", "152.00", "generic_decline"),
        ("charge_expired", "payment.failed", "152.00", "expired"),
        ("checkout_session_completed", "payment.captured", "152.00", None),
        ("checkout_session_completed_unpaid", "payment.authorized", "152.00", "unpaid"),
        ("checkout_session_async_payment_failed", "payment.failed", "152.00", None),
    ],
)
def test_session_intent_and_charge_tell_one_payment(
    name: str, type: str, amount: str, reason: str | None
) -> None:
    [event] = said(name)
    claim: Any = event.data

    assert (event.type, event.subject) == (type, f"payment/stripe/{PI}")
    assert (claim.amount, claim.reason, claim.order) == (Decimal(amount), reason, LAMPS)
    assert (claim.provider, claim.assurance) == ("stripe", "claimed")
    assert event.time == datetime(2025, 11, 22, 8, 26, 40, tzinfo=UTC)


def test_a_charge_without_an_intent_is_its_own_payment_and_yen_have_no_hundredths() -> None:
    _, claim = one("charge_succeeded_yen")

    assert (claim.payment_id, claim.amount, claim.currency) == (CH, Decimal("3000"), "JPY")
    assert claim.order == p.OrderRef(shop="woocommerce:lumen-lamps.example", order_id="727")


@pytest.mark.parametrize(
    ("currency", "cents", "amount"),
    [
        ("isk", 50000, "500.00"),
        ("ugx", 50000, "500.00"),
        ("mga", 5000, "5000.00"),
        ("kwd", 5120, "5.120"),
        ("krw", 5000, "5000"),
    ],
)
def test_minor_units_are_those_of_stripe(currency: str, cents: int, amount: str) -> None:
    _, claim = one("charge_succeeded", currency=currency, amount_captured=cents)

    assert claim.amount == Decimal(amount)


@pytest.mark.parametrize("cents", ["15200", 152.0, True, None, -1])
def test_an_amount_that_is_none_is_kept_unread(cents: Any) -> None:
    type, told = one("payment_intent_succeeded", amount_received=cents)

    assert (type, told.reason[:10]) == ("ingress.unmapped", "unreadable")


def test_a_refund_has_its_own_id_also_where_its_charge_tells_it() -> None:
    (first, refund), (second, listed) = one("refund_created"), one("charge_refunded_listed")

    assert first == second == "payment.refunded"
    assert refund.payment_id == listed.payment_id == RE
    assert refund.amount == listed.amount == Decimal("59.00")
    assert refund.reason == "requested_by_customer"


def test_a_charge_that_names_no_refund_says_what_is_new() -> None:
    document = body("charge_refunded")
    document["data"]["object"]["amount_refunded"] = 9900
    document["data"]["previous_attributes"]["amount_refunded"] = 5900
    [event] = channel.read(Request(body=json.dumps(document).encode(), now=NOW))

    assert (event.data.payment_id, event.data.amount) == (CH, Decimal("40.00"))  # type: ignore[attr-defined]


def test_a_refund_moves_money_when_it_succeeds() -> None:
    pending, failed = one("refund_updated_pending"), one("refund_failed")

    assert pending[0] == "ingress.unmapped"
    assert pending[1].reason == "stripe refund pending: no money has moved yet"
    assert (failed[0], failed[1].reason) == ("payment.failed", "refund: lost_or_stolen_card")


def test_a_dispute_has_a_date_and_an_end() -> None:
    [opened], [closed] = said("charge_dispute_created"), said("charge_dispute_closed")
    first, last = opened.data, closed.data
    assert isinstance(first, p.Payment) and isinstance(last, p.Payment)

    assert (opened.type, first.reason) == ("payment.disputed", "product_not_received")
    assert first.due_at == datetime.fromtimestamp(1764800000, UTC)
    assert (closed.type, last.reason, last.due_at) == ("payment.dispute_closed", "won", None)
    assert opened.subject == closed.subject


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("charge_updated", "stripe charge.updated"),
        ("payment_intent_created", "stripe payment_intent.created"),
        ("invoice_paid", "stripe invoice.paid"),
        ("customer_updated", "stripe customer.updated"),
        ("checkout_session_completed_setup", "stripe checkout.session without a payment"),
        ("thin_meter_error", "stripe v1.billing.meter.error_report_triggered"),
        ("thin_charge_succeeded", "stripe thin v1.charge.succeeded: its object was not fetched"),
    ],
)
def test_what_moves_no_money_is_kept_with_its_reason(name: str, reason: str) -> None:
    [event] = said(name)

    assert (event.type, event.data.reason) == ("ingress.unmapped", reason)  # type: ignore[attr-defined]


def test_a_dashboards_test_moves_nothing() -> None:
    type, told = one("test_notification")

    assert (type, told.synthetic) == ("ingress.unmapped", True)


def test_a_connected_account_is_an_account_of_its_own() -> None:
    _, claim = one("connect_charge_succeeded")

    assert claim.account == "acct_1LampBranch001"
    assert claim.order is None


@pytest.mark.parametrize(
    ("metadata", "order"),
    [
        ({"order_id": "7"}, ("stripe:default", "7")),
        ({"order_id": "7", "site_url": 3}, ("stripe:default", "7")),
        ({"order_id": 7}, None),
        ({}, None),
        ("7", None),
    ],
)
def test_metadata_name_the_order(metadata: Any, order: Any) -> None:
    found = noted(metadata, "stripe:default")

    assert (found and (found.shop, found.order_id)) == order


def test_a_reference_names_its_shop_or_is_an_order_of_the_account() -> None:
    assert named("woocommerce:a.example/7", "paypal:x") == p.OrderRef(
        shop="woocommerce:a.example", order_id="7"
    )
    assert named("INV-7", "paypal:x") == p.OrderRef(shop="paypal:x", order_id="INV-7")
    assert named(None, "paypal:x") is None
    cart = one("checkout_session_completed", client_reference_id="cart-9")
    assert cart[1].order is None


# -- signatures --------------------------------------------------------------------------------


def signed(name: str = "charge_succeeded", key: str = "whsec_old", **more: Any) -> Request:
    request = Request(body=(EVENTS / f"{name}.json").read_bytes(), now=NOW, **more)
    return channel.signed(request, key)


@pytest.mark.parametrize("key", ["whsec_new", "whsec_old"])
def test_every_live_secret_verifies(key: str) -> None:
    assert channel.receive(signed(key=key), SECRETS)


def test_one_of_several_signatures_is_enough() -> None:
    request = signed()
    stamp, _, good = request.headers["stripe-signature"].partition(",")
    header = f"{stamp},v1={'0' * 64},{good},v0=abc"

    assert channel.receive(replace(request, headers={"stripe-signature": header}), SECRETS)


@pytest.mark.parametrize(
    "change",
    [
        lambda h: h.replace("v1=", "v0="),
        lambda h: h + "," + h,
        lambda h: h + ",t=1",
        lambda h: h.replace("t=", "t=+"),
        lambda h: h.replace("t=", "t=٣"),
        lambda h: h.replace("t=", "t=99999"),
        lambda h: h.partition(",")[2],
        lambda h: h.partition(",")[0],
        lambda h: "v1",
    ],
)
def test_any_other_header_is_refused(change: Any) -> None:
    request = signed()
    header = change(request.headers["stripe-signature"])

    with pytest.raises(InvalidSignature):
        channel.receive(replace(request, headers={"stripe-signature": header}), SECRETS)


@pytest.mark.parametrize(
    ("seconds", "accepted"), [(300, True), (-300, True), (301, False), (-301, False)]
)
def test_five_minutes_on_both_sides(seconds: int, accepted: bool) -> None:
    request = replace(signed(), now=NOW + timedelta(seconds=seconds))
    if accepted:
        assert channel.receive(request, SECRETS)
    else:
        with pytest.raises(InvalidSignature):
            channel.receive(request, SECRETS)


VECTORS = SHARED / "samples" / "stripe" / "vectors.json"


@pytest.mark.skipif(not VECTORS.is_file(), reason="PARLEY_SHARED is not here")
def test_collected_vectors_are_judged_as_they_say() -> None:
    for vector in json.loads(VECTORS.read_text()):
        now = datetime.fromtimestamp(vector["now"], UTC)
        request = Request(body=vector["body"].encode(), headers=vector["headers"], now=now)
        expected = not vector["expect"].startswith("invalid")
        assert channel.matches(request, vector["secret"]) is expected, vector["name"]


# -- thin events -------------------------------------------------------------------------------

HOLDER = Accounts("stripe", {"default": {"webhook_secret": "whsec_old", "api_key": "sk_1"}})


def thin(**changes: Any) -> Request:
    document = {**body("thin_charge_succeeded"), **changes}
    request = Request(body=json.dumps(document).encode(), now=NOW)
    return channel.signed(request, "whsec_old")


def test_a_thin_events_object_is_wanted_once_and_then_told() -> None:
    request = thin(context="acct_platform/acct_1")
    [call] = channel.wants(request, HOLDER)
    assert call.url == f"https://api.stripe.com/v1/charges/{CH}#evt_test_65LampThin0001"
    assert call.headers == {"authorization": "Bearer sk_1", "stripe-account": "acct_1"}

    charge = json.dumps(thing("charge_succeeded")).encode()
    informed = replace(request, fetched={call.url: charge})
    assert channel.wants(informed, HOLDER) == ()
    [event] = channel.receive(informed, HOLDER)
    assert (event.type, event.subject) == ("payment.captured", f"payment/stripe/{PI}")
    assert event.data.account == "acct_1"  # type: ignore[attr-defined]
    assert event.time == datetime(2025, 11, 22, 8, 26, 40, 330000, tzinfo=UTC)


@pytest.mark.parametrize(
    "request_",
    [
        signed(),
        replace(thin(), headers={}),
        thin(type="v1.billing.meter.error_report_triggered"),
        thin(type=7),
        thin(related_object={"url": "https://evil.example/v1/charges/ch_1"}),
        thin(related_object={"url": "/v1/charges/../../oauth"}),
        thin(related_object=None),
        thin(id="evt#1"),
        channel.signed(Request(body=b'["v2.core.event"]', now=NOW), "whsec_old"),
    ],
)
def test_nothing_else_is_fetched(request_: Request) -> None:
    assert channel.wants(request_, HOLDER) == ()


def test_without_an_api_key_the_event_is_sent_again() -> None:
    with pytest.raises(Misconfigured):
        channel.wants(thin(), SECRETS)


# -- read again --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("payment_intent_succeeded", f"payment_intents/{PI}"),
        ("payment_intent_canceled", f"payment_intents/{PI}"),
        ("payment_intent_payment_failed", f"charges?payment_intent={PI}&limit=100"),
        ("charge_succeeded_yen", f"charges/{CH}"),
        ("charge_refunded", f"refunds?charge={CH}&limit=100&expand[]=data.charge"),
        ("refund_created", f"refunds/{RE}?expand[]=charge"),
        ("charge_dispute_created", "disputes/dp_1QLampDisputed0001?expand[]=charge"),
    ],
)
def test_a_payment_is_read_again_from_the_api(name: str, path: str) -> None:
    [event] = said(name)

    call = channel.reread(event, KEY)

    assert (call.method, call.url) == ("GET", f"https://api.stripe.com/v1/{path}")
    assert call.headers == {"authorization": "Bearer sk_test_1"}


def test_a_connected_accounts_payment_is_read_in_its_name() -> None:
    [event] = said("connect_charge_succeeded")

    assert channel.reread(event, KEY).headers["stripe-account"] == "acct_1LampBranch001"


def test_only_stripes_own_ids_are_asked_for() -> None:
    [event] = said("charge_succeeded")
    claim: Any = event.data
    strange = replace(event, data=claim.model_copy(update={"payment_id": "INV-1"}))

    with pytest.raises(Unsupported):
        channel.reread(strange, KEY)
    with pytest.raises(Unsupported):
        channel.reread(said("customer_updated")[0], KEY)


def charges(*found: Any) -> Any:
    return {"object": "list", "data": list(found)}


INTENT = thing("payment_intent_succeeded")
SESSION = thing("checkout_session_completed", payment_intent=None)


@pytest.mark.parametrize(
    ("name", "stated", "amount"),
    [
        ("payment_intent_succeeded", {**INTENT, "amount_received": 15000}, "150.00"),
        ("payment_intent_amount_capturable_updated", INTENT, "152.00"),
        (
            "payment_intent_amount_capturable_updated",
            {**INTENT, "status": "requires_capture", "amount_capturable": 9900},
            "99.00",
        ),
        ("charge_succeeded", INTENT | {"amount_received": 15200}, "152.00"),
        ("payment_intent_payment_failed", charges(thing("charge_failed")), "152.00"),
        (
            "payment_intent_payment_failed",
            charges(thing("charge_succeeded"), thing("charge_failed")),
            "152.00",
        ),
        ("charge_expired", charges(thing("charge_expired")), "152.00"),
        ("payment_intent_canceled", thing("payment_intent_canceled"), "152.00"),
        ("refund_created", thing("refund_created"), "59.00"),
        ("refund_failed", thing("refund_failed"), "59.00"),
        ("charge_dispute_created", thing("charge_dispute_closed"), "152.00"),
        ("charge_dispute_closed", thing("charge_dispute_closed"), "152.00"),
    ],
)
def test_the_apis_word_is_what_counts(name: str, stated: Any, amount: str) -> None:
    [event] = said(name)

    payment = verified(event, stated)

    assert (payment.assurance, payment.amount, payment.raw) == ("verified", Decimal(amount), None)


@pytest.mark.parametrize(
    ("name", "stated"),
    [
        ("payment_intent_succeeded", INTENT | {"status": "processing"}),
        ("payment_intent_succeeded", INTENT | {"id": "pi_other"}),
        ("payment_intent_succeeded", INTENT | {"currency": "eur"}),
        ("payment_intent_succeeded", {"object": "payment_intent"}),
        ("payment_intent_amount_capturable_updated", INTENT | {"status": "canceled"}),
        ("payment_intent_payment_failed", charges(thing("charge_succeeded"))),
        ("refund_created", thing("refund_updated_pending")),
        ("charge_dispute_closed", thing("charge_dispute_created")),
    ],
)
def test_a_payment_that_the_api_does_not_state_stays_a_claim(name: str, stated: Any) -> None:
    [event] = said(name)

    assert verified(event, stated) is None


def test_another_status_than_200_confirms_nothing() -> None:
    [event] = said("payment_intent_succeeded")

    assert channel.reread_payment(event, answer(INTENT, 404)) is None


def test_a_refund_of_a_charge_finds_its_id_and_its_order() -> None:
    [event] = said("charge_refunded")
    listed = thing("refund_created", charge=thing("charge_succeeded"))

    payment = verified(event, charges({**listed, "id": "re_other", "amount": 1}, listed))

    assert (payment.payment_id, payment.order) == (RE, LAMPS)


@pytest.mark.parametrize(
    ("name", "stated", "confirmed"),
    [
        ("checkout_session_completed", SESSION, True),
        ("checkout_session_completed_unpaid", SESSION, True),
        ("checkout_session_async_payment_failed", SESSION | {"payment_status": "unpaid"}, True),
        ("checkout_session_async_payment_failed", SESSION, False),
        ("checkout_session_completed_unpaid", SESSION | {"status": "open"}, False),
    ],
)
def test_a_session_without_an_intent_speaks_for_itself(
    name: str, stated: Any, confirmed: bool
) -> None:
    [event] = said(name, payment_intent=None)

    assert channel.reread(event, KEY).url.endswith("/checkout/sessions/cs_test_a1LampDune0001")
    assert bool(verified(event, stated)) is confirmed


@pytest.mark.parametrize(
    ("name", "stated"),
    [
        ("charge_succeeded_yen", thing("charge_succeeded_yen")),
        ("charge_succeeded_uncaptured", thing("charge_succeeded_uncaptured", payment_intent=None)),
    ],
)
def test_a_charge_without_an_intent_speaks_for_itself(name: str, stated: Any) -> None:
    [event] = said(name, payment_intent=None)

    assert verified(event, stated).assurance == "verified"
    assert verified(event, {**stated, "status": "failed"}) is None


# -- the platform's own library ----------------------------------------------------------------


@pytest.mark.stranger
def test_stripes_library_signs_what_we_verify_and_verifies_what_we_sign() -> None:
    stripe = pytest.importorskip("stripe")
    text = (EVENTS / "charge_succeeded.json").read_text()
    stamp = int(NOW.timestamp())
    header = stripe.WebhookSignature.generate_signature_header(text, "whsec_old", stamp)
    request = Request(body=text.encode(), headers={"stripe-signature": header}, now=NOW)

    assert channel.receive(request, SECRETS)
    ours = channel.sign(request, "whsec_old")["stripe-signature"]
    assert stripe.WebhookSignature.verify_header(text, ours, "whsec_old")


@pytest.mark.stranger
@pytest.mark.parametrize("sample", sorted(EVENTS.glob("*.json")), ids=lambda path: path.stem)
def test_stripes_library_reads_the_same_events(sample: Path) -> None:
    stripe = pytest.importorskip("stripe")
    text = sample.read_text()
    header = stripe.WebhookSignature.generate_signature_header(text, "whsec_old")
    [event] = channel.read(Request(body=text.encode(), now=NOW))
    if sample.stem.startswith("thin"):
        client = stripe.StripeClient("sk_test_1")
        note = client.parse_event_notification(text, header, "whsec_old")
        [call] = channel.wants(thin(), HOLDER)
        assert note.related_object.url in (
            call.url.partition("#")[0][22:],
            "/v1/billing/meters/mtr_1",
        )
        return
    theirs = stripe.Webhook.construct_event(text, header, "whsec_old")
    told = theirs.data.object.to_dict()
    if isinstance(event.data, p.Payment) and event.data.currency not in ("JPY",):
        assert int(event.data.amount * 100) <= told.get("amount", told.get("amount_total"))
    assert str(theirs.id) in (event.data.raw or "")  # type: ignore[attr-defined]


def test_the_samples_are_signed_by_the_test_secret() -> None:
    for sample in samples.of_project():
        if sample.source == "stripe":
            assert channel.receive(samples.signed(sample), samples.secrets("stripe"))
