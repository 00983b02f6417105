"""What is particular to PayPal; what every source promises is in tests/contract."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from chalicelib import payloads as p
from chalicelib.channels import _rsa
from chalicelib.channels.paypal import channel, signed_message, token
from chalicelib.credentials import Accounts, Credentials
from chalicelib.errors import InvalidSignature, Misconfigured, Unsupported
from chalicelib.events import Event
from chalicelib.outbound import Outgoing, Response
from chalicelib.source import Request
from tests import samples
from tests.samples import SHARED

EVENTS = Path(__file__).parents[2] / "events" / "paypal"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECRETS = samples.secrets("paypal")
DEFAULT = SECRETS.of("default")
SIGNER = DEFAULT.one("test_signer")
CERT = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-TEST"
CAPTURE, REFUND, ORDER = "7CP01234LAMPS567X", "5RF01234LAMPS567X", "9LM01234ORDER567X"
LAMPS = p.OrderRef(shop="woocommerce:lumen-lamps.example", order_id="1727")


def body(name: str, **changes: Any) -> Any:
    document = json.loads((EVENTS / f"{name}.json").read_text())
    return {**document, "resource": {**document["resource"], **changes}}


def said(name: str, **changes: Any) -> list[Event]:
    return channel.read(Request(body=json.dumps(body(name, **changes)).encode(), now=NOW))


def data(event: Event) -> Any:
    return event.data


# -- what is said ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "type", "ident", "amount", "reason"),
    [
        ("checkout_order_approved", "payment.authorized", ORDER, "152.00", "approved"),
        ("checkout_order_completed", "payment.captured", CAPTURE, "152.00", None),
        ("checkout_order_completed_bare", "payment.authorized", ORDER, "152.00", "completed"),
        ("payment_capture_completed", "payment.captured", CAPTURE, "152.00", None),
        ("payment_capture_pending", "payment.authorized", CAPTURE, "152.00", "ECHECK"),
        ("payment_capture_denied", "payment.failed", CAPTURE, "152.00", "denied"),
        (
            "payment_capture_refunded",
            "payment.refunded",
            REFUND,
            "59.00",
            "One lamp arrived broken",
        ),
        (
            "payment_capture_reversed_v1",
            "payment.refunded",
            "5RV01234LAMPS567X",
            "152.00",
            "reversed",
        ),
        (
            "payment_authorization_created",
            "payment.authorized",
            "3AU01234LAMPS567X",
            "152.00",
            "created",
        ),
        (
            "payment_authorization_voided",
            "payment.failed",
            "3AU01234LAMPS567X",
            "152.00",
            "voided",
        ),
        ("payment_order_created_v1", "payment.authorized", "O-9LAMPS0001", "152.00", "created"),
        ("payment_sale_completed_v1", "payment.captured", "8SL01234LAMPS567X", "3000", None),
        ("payment_sale_refunded_v1", "payment.refunded", "6RF01234LAMPS567X", "1500", None),
        ("payment_refund_failed", "payment.failed", REFUND, "59.00", "ECHECK"),
        ("invoicing_invoice_paid", "payment.captured", CAPTURE, "152.00", None),
        ("invoicing_invoice_paid_v1", "payment.captured", CAPTURE, "152.00", None),
        ("invoicing_invoice_refunded", "payment.refunded", REFUND, "59.00", None),
    ],
)
def test_money_of_both_generations(
    name: str, type: str, ident: str, amount: str, reason: str | None
) -> None:
    [event] = said(name)

    assert (event.type, event.subject) == (type, f"payment/paypal/{ident}")
    assert (data(event).amount, data(event).reason) == (Decimal(amount), reason)
    assert (data(event).assurance, data(event).provider) == ("claimed", "paypal")


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("payment_capture_completed", LAMPS),
        ("checkout_order_approved", LAMPS),
        ("payment_sale_completed_v1", LAMPS),
        ("customer_dispute_created", LAMPS),
        ("payment_capture_denied", p.OrderRef(shop="paypal:default", order_id="LL-1727")),
        ("payment_capture_reversed_v1", None),
    ],
)
def test_the_order_is_the_one_we_named(name: str, order: p.OrderRef | None) -> None:
    assert data(said(name)[0]).order == order


def test_a_capture_has_the_time_of_its_making_and_a_refund_that_of_its_event() -> None:
    assert said("payment_capture_completed")[0].time == datetime(2026, 2, 20, 9, 0, 5, tzinfo=UTC)
    assert said("payment_capture_refunded")[0].time == datetime(2026, 2, 24, 12, 0, 2, tzinfo=UTC)


def test_orders_of_several_units_are_summed_in_one_currency() -> None:
    dollars, euros = (
        {"currency_code": "USD", "value": "1.50"},
        {
            "currency_code": "EUR",
            "value": "1.50",
        },
    )
    two = [{"amount": dollars}, {"amount": dollars}]

    assert data(said("checkout_order_approved", purchase_units=two)[0]).amount == Decimal("3.00")
    mixed = said("checkout_order_approved", purchase_units=[{"amount": dollars}, {"amount": euros}])
    assert mixed[0].type == "ingress.unmapped"


def test_an_approval_that_ran_out_fails_where_it_has_an_amount() -> None:
    [bare] = said("checkout_payment_approval_reversed")
    assert data(bare).reason == "paypal CHECKOUT.PAYMENT-APPROVAL.REVERSED without an amount"

    unit = {"amount": {"currency_code": "USD", "value": "152.00"}}
    [event] = said("checkout_payment_approval_reversed", purchase_units=[unit])
    assert (event.type, event.subject) == ("payment.failed", f"payment/paypal/{ORDER}")


def test_a_dispute_has_a_date_an_end_and_the_buyers_words() -> None:
    opened, words = said("customer_dispute_created")
    updated, again = said("customer_dispute_updated")
    [closed] = said("customer_dispute_resolved")

    assert (opened.type, updated.type, closed.type) == (
        "payment.disputed",
        "payment.disputed",
        "payment.dispute_closed",
    )
    assert data(opened).due_at == datetime(2026, 3, 21, 10, tzinfo=UTC)
    assert (data(closed).reason, data(closed).due_at) == ("RESOLVED_BUYER_FAVOUR", None)
    assert (words.type, data(words).text) == ("message.received", "The lamps never came.")
    assert words.id == again.id
    assert words.subject == "identity/paypal/default/PP-D-1727"
    assert data(words).conversation_id == "paypal/default/PP-D-1727"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("billing_subscription_cancelled", "paypal BILLING.SUBSCRIPTION.CANCELLED"),
        ("merchant_onboarding_completed", "paypal MERCHANT.ONBOARDING.COMPLETED"),
        ("payment_refund_pending", "paypal PAYMENT.REFUND.PENDING"),
    ],
)
def test_what_moves_no_money_is_kept_with_its_reason(name: str, reason: str) -> None:
    [event] = said(name)

    assert (event.type, data(event).reason) == ("ingress.unmapped", reason)


def test_an_answer_goes_into_the_dispute() -> None:
    to = p.Identity(channel="paypal", scope="default", subject="PP-D-1727")
    message = Outgoing("k", to, "default", "paypal/default/PP-D-1727", "It is on its way")

    call = channel.compose(message, DEFAULT)

    where = "https://api-m.sandbox.paypal.com/v1/customer/disputes/PP-D-1727/send-message"
    assert (call.url, json.loads(call.body)) == (where, {"message": "It is on its way"})


# -- signatures --------------------------------------------------------------------------------


def signed(name: str = "payment_capture_completed", **more: Any) -> Request:
    raw = (EVENTS / f"{name}.json").read_bytes()
    return channel.signed(Request(body=raw, now=NOW, **more), SIGNER)


def refused(request: Request, accounts: Accounts = SECRETS) -> bool:
    try:
        channel.receive(request, accounts)
    except InvalidSignature:
        return True
    return False


def with_headers(**headers: str) -> Request:
    request = signed()
    told = {f"paypal-{k.replace('_', '-')}": v for k, v in headers.items()}
    fetched = {**request.fetched, headers.get("cert_url", ""): request.fetched[CERT]}
    return replace(request, headers={**request.headers, **told}, fetched=fetched)


def test_a_genuine_delivery_wants_its_certificate_and_is_accepted_with_it() -> None:
    request = signed()
    before = replace(request, fetched={})

    [call] = channel.wants(before, SECRETS)
    assert (call.method, call.url) == ("GET", CERT)
    assert channel.wants(request, SECRETS) == ()
    assert refused(before)
    assert not refused(request)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.sandbox.paypal.com.evil.example/v1/notifications/certs/CERT-1",
        "https://api.sandbox.paypal.com@evil.example/v1/notifications/certs/CERT-1",
        "https://evil.example/v1/notifications/certs/CERT-1",
        "http://api.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com/v1/notifications/certs/../../x",
        "https://api.paypal.com/v1/notifications/certs/CERT-1?x=1",
        "https://api.paypal.com/v1/notifications/certs/CERT-1\n",
        "",
    ],
)
def test_no_other_address_is_asked_or_believed(url: str) -> None:
    request = with_headers(cert_url=url)

    assert channel.wants(replace(request, fetched={}), SECRETS) == ()
    assert refused(request)


@pytest.mark.parametrize(
    "headers",
    [
        {"transmission_sig": ""},
        {"transmission_sig": "é"},
        {"transmission_sig": "!!!!"},
        {"transmission_sig": "AAAA"},
        {"transmission_id": "other"},
        {"transmission_id": "\udcff"},
        {"transmission_time": "2026-11-23T12:00:01Z"},
        {"transmission_time": "soon"},
        {"cert_url": CERT.replace("api.sandbox", "api")},  # signed by the sandbox's name
    ],
)
def test_every_signed_part_counts(headers: dict[str, str]) -> None:
    assert refused(with_headers(**headers))


def test_another_webhooks_delivery_is_refused_and_a_rotated_id_is_not() -> None:
    entry = dict(SECRETS.entries["default"])
    other = Accounts("paypal", {"default": {**entry, "webhook_id": "0000"}})
    both = Accounts(
        "paypal", {"default": {**entry, "webhook_id": ["0000", DEFAULT.one("webhook_id")]}}
    )

    assert refused(signed(), other)
    assert not refused(signed(), both)
    with pytest.raises(Misconfigured):
        channel.receive(signed(), Accounts("paypal", {"default": {}}))


def test_one_account_does_not_speak_for_another() -> None:
    entry = SECRETS.entries["default"]
    shops = Accounts("paypal", {"default": {**entry, "webhook_id": "0000"}, "branch": entry})

    assert refused(signed(), shops)
    assert not refused(signed(account="branch"), shops)


@pytest.mark.parametrize(("minutes", "late"), [(14, False), (-14, False), (16, True), (-16, True)])
def test_a_captured_delivery_grows_old(minutes: int, late: bool) -> None:
    request = replace(signed(), now=NOW + timedelta(minutes=minutes))

    assert refused(request) is late
    assert bool(channel.wants(replace(request, fetched={}), SECRETS)) is not late


def test_reserialised_bodies_are_refused() -> None:
    request = signed()

    assert refused(replace(request, body=json.dumps(request.json).encode()))


# -- certificates ------------------------------------------------------------------------------

KEY, OTHER = (rsa.generate_private_key(65537, 2048) for _ in range(2))
SANDBOX = "messageverificationcerts.sandbox.paypal.com"


def certificate(
    subject: str, issuer: str, key: Any, by: Any, ca: bool | None, until: int = 2100
) -> x509.Certificate:
    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    made = (
        x509.CertificateBuilder()
        .subject_name(named(subject))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(until, 1, 1, tzinfo=UTC))
    )
    if ca is not None:
        made = made.add_extension(x509.BasicConstraints(ca, None), True)
    return made.sign(by, hashes.SHA256())


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


ROOT = certificate("root", "root", OTHER, OTHER, True)
ROOTS = pem(ROOT).decode()
LEAF = certificate(SANDBOX, "root", KEY, OTHER, False)


def test_a_chain_may_be_longer() -> None:
    middle = certificate("middle", "root", KEY, OTHER, True)
    leaf = certificate(SANDBOX, "middle", KEY, KEY, False)

    key = _rsa.certified_key(pem(leaf, middle), ROOTS, SANDBOX, NOW)

    assert key.public_numbers() == KEY.public_key().public_numbers()


def endless() -> bytes:
    names = [SANDBOX, "a", "b", "c", "d", "e"]
    pairs = zip(names, [*names[1:], "root"], strict=True)
    return pem(*(certificate(one, by, KEY, KEY, True) for one, by in pairs))


@pytest.mark.parametrize(
    "chain",
    [
        pem(certificate("other.paypal.com", "root", KEY, OTHER, False)),
        pem(certificate(SANDBOX, "root", KEY, OTHER, False, until=2021)),
        pem(certificate(SANDBOX, "root", KEY, KEY, False)),
        pem(certificate(SANDBOX, SANDBOX, KEY, KEY, True)),
        pem(
            certificate(SANDBOX, "middle", KEY, KEY, False),
            certificate("middle", "root", KEY, OTHER, False),
        ),
        pem(
            certificate(SANDBOX, "middle", KEY, KEY, False),
            certificate("middle", "root", KEY, OTHER, None),
        ),
        pem(certificate(SANDBOX, "root", ec.generate_private_key(ec.SECP256R1()), OTHER, False)),
        endless(),
        b"",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ],
    ids=["name", "date", "forged", "own", "leaf above", "no constraints", "ec", "long", "no", "?"],
)
def test_no_other_certificate_is_believed(chain: bytes) -> None:
    with pytest.raises(ValueError):
        _rsa.certified_key(chain, ROOTS, SANDBOX, NOW)


def test_without_roots_of_its_own_an_account_believes_the_issuer_of_paypal() -> None:
    entry = {"webhook_id": DEFAULT.one("webhook_id")}

    assert refused(signed(), Accounts("paypal", {"default": entry}))


def test_only_rsa_keys_are_taken() -> None:
    curve = ec.generate_private_key(ec.SECP256R1())
    private = curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = curve.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    with pytest.raises(ValueError):
        _rsa.rsa_signature(private, b"")
    with pytest.raises(ValueError):
        _rsa.rsa_key(public.decode())
    assert _rsa.rsa_key(pem(LEAF).decode()) == KEY.public_key()


# -- collected vectors -------------------------------------------------------------------------

VECTORS = SHARED / "samples" / "paypal" / "vectors.json"
needs_vectors = pytest.mark.skipif(not VECTORS.is_file(), reason="PARLEY_SHARED is not here")


def vector(name: str) -> tuple[Request, Accounts, Any]:
    told = json.loads(VECTORS.read_text())
    found = next(v for v in told["vectors"] if v["name"] == name)
    headers = {k.lower(): v for k, v in found["headers"].items()}
    trust = told["trust"]
    chain = (trust["leaf_pem"] + trust["root_pem"]).encode()
    request = Request(
        body=(VECTORS.parent / found["body_file"]).read_bytes(),
        headers=headers,
        now=datetime.fromisoformat(headers["paypal-transmission-time"]),
        fetched={headers["paypal-cert-url"]: chain},
    )
    entry = {"webhook_id": found["webhook_id"], "trusted_roots": trust["root_pem"]}
    return request, Accounts("paypal", {"default": entry}), found


@needs_vectors
@pytest.mark.parametrize(
    "name",
    [
        "capture_completed_ok",
        "capture_refunded_ok",
        "body_reserialised",
        "evil_cert_host",
        "evil_cert_path_traversal",
        "wrong_webhook_id",
        "crc32_collision_forgery",
    ],
)
def test_collected_vectors_are_judged_as_they_say(name: str) -> None:
    request, accounts, found = vector(name)

    assert refused(request, accounts) is (found["expect"] != "valid")


@needs_vectors
def test_the_message_of_paypals_own_library_is_ours() -> None:
    request, _, found = vector("python_sdk_test_vector")

    assert signed_message(request, found["webhook_id"]).decode() == found["signed_message"]


@needs_vectors
def test_a_body_forged_to_the_same_crc_is_accepted_and_moves_nothing() -> None:
    """What the documented check cannot see, reading again does."""
    genuine, accounts, _ = vector("capture_completed_ok")
    forged, _, _ = vector("crc32_collision_forgery")
    [claim] = channel.receive(replace(genuine, body=forged.body), accounts)
    assert data(claim).amount == Decimal("1.00")
    assert data(claim).order.order_id == "INV-2024-0451"

    truth = Response(200, {}, json.dumps(genuine.json["resource"]).encode())
    payment: Any = channel.reread_payment(claim, truth)
    assert (payment.amount, payment.assurance) == (Decimal("120.50"), "verified")
    assert (
        channel.reread_payment(claim, Response(404, {}, b'{"name": "RESOURCE_NOT_FOUND"}')) is None
    )


# -- read again --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("checkout_order_approved", f"/v2/checkout/orders/{ORDER}"),
        ("checkout_order_completed", f"/v2/payments/captures/{CAPTURE}"),
        ("payment_capture_completed", f"/v2/payments/captures/{CAPTURE}"),
        ("payment_capture_refunded", f"/v2/payments/refunds/{REFUND}"),
        ("payment_refund_failed", f"/v2/payments/refunds/{REFUND}"),
        ("payment_capture_reversed_v1", "/v1/payments/refund/5RV01234LAMPS567X"),
        ("payment_authorization_created", "/v2/payments/authorizations/3AU01234LAMPS567X"),
        ("payment_order_created_v1", "/v1/payments/orders/O-9LAMPS0001"),
        ("payment_sale_completed_v1", "/v1/payments/sale/8SL01234LAMPS567X"),
        ("payment_sale_refunded_v1", "/v1/payments/refund/6RF01234LAMPS567X"),
        ("customer_dispute_created", "/v1/customer/disputes/PP-D-1727"),
        ("invoicing_invoice_paid_v1", f"/v2/payments/captures/{CAPTURE}"),
        ("invoicing_invoice_refunded", f"/v2/payments/refunds/{REFUND}"),
    ],
)
def test_a_payment_is_read_again_from_the_api(name: str, path: str) -> None:
    call = channel.reread(said(name)[0], DEFAULT)

    assert (call.method, call.url) == ("GET", f"https://api-m.sandbox.paypal.com{path}")


def test_live_is_the_default_and_a_token_is_preferred() -> None:
    [event] = said("payment_capture_completed")
    keys = Credentials("paypal/x", {"access_token": "A21", "client_id": "a", "client_secret": "b"})

    call, asked = channel.reread(event, keys), token(keys)

    assert call.url.startswith("https://api-m.paypal.com/")
    assert call.headers == {"authorization": "Bearer A21"}
    assert (asked.url, asked.body) == (
        "https://api-m.paypal.com/v1/oauth2/token",
        b"grant_type=client_credentials",
    )


def answer(document: Any, status: int = 200) -> Response:
    return Response(status, {}, json.dumps(document).encode())


def resource(name: str, **changes: Any) -> Any:
    return body(name, **changes)["resource"]


EURO = {"currency_code": "EUR", "value": "9.00"}


@pytest.mark.parametrize(
    ("name", "stated", "amount"),
    [
        ("payment_capture_completed", resource("payment_capture_completed", amount=EURO), "9.00"),
        (
            "payment_capture_completed",
            resource("payment_capture_completed", status="REFUNDED"),
            "152.00",
        ),
        ("payment_capture_pending", resource("payment_capture_completed"), "152.00"),
        ("payment_capture_denied", resource("payment_capture_denied"), "152.00"),
        ("payment_sale_completed_v1", resource("payment_sale_completed_v1"), "3000"),
        ("checkout_order_approved", resource("checkout_order_approved"), "152.00"),
        ("customer_dispute_created", resource("customer_dispute_resolved"), "152.00"),
        ("customer_dispute_resolved", resource("customer_dispute_resolved"), "152.00"),
        ("payment_sale_refunded_v1", resource("payment_sale_refunded_v1"), "1500"),
    ],
)
def test_the_apis_word_is_what_counts(name: str, stated: Any, amount: str) -> None:
    payment: Any = channel.reread_payment(said(name)[0], answer(stated))

    assert (payment.assurance, payment.amount, payment.raw) == ("verified", Decimal(amount), None)


@pytest.mark.parametrize(
    ("name", "response"),
    [
        (
            "payment_capture_completed",
            answer(resource("payment_capture_completed", status="PENDING")),
        ),
        ("payment_capture_completed", answer(resource("payment_capture_completed", id="other"))),
        ("payment_capture_completed", answer(resource("payment_capture_completed"), 401)),
        ("payment_capture_completed", answer({"name": "NOPE"})),
        ("customer_dispute_resolved", answer(resource("customer_dispute_created"))),
    ],
)
def test_what_the_api_does_not_state_stays_a_claim(name: str, response: Response) -> None:
    assert channel.reread_payment(said(name)[0], response) is None


def test_the_order_is_the_apis_too_and_not_the_claims() -> None:
    [event] = said("payment_capture_completed", custom_id="woocommerce:victim.example/1")
    payment: Any = channel.reread_payment(event, answer(resource("payment_capture_completed")))

    assert payment.order == LAMPS


def test_a_claim_without_its_event_cannot_be_read_again() -> None:
    [event] = said("payment_capture_completed")
    bare = replace(event, data=data(event).model_copy(update={"raw": None}))

    with pytest.raises(Unsupported):
        channel.reread(bare, DEFAULT)
