"""What is particular to WeChat Pay; what every source promises is in tests/contract."""

import json
from base64 import b64decode, b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from chalicelib import payloads as p
from chalicelib.channels import _rsa
from chalicelib.channels._wechatpay import seal, unseal
from chalicelib.channels.wechatpay import channel
from chalicelib.credentials import Accounts, Credentials
from chalicelib.errors import InvalidSignature, MalformedPayload, Misconfigured, Unsupported
from chalicelib.events import Event
from chalicelib.outbound import Response
from chalicelib.source import Request
from tests import samples
from tests.samples import SHARED

EVENTS = Path(__file__).parents[2] / "events" / "wechatpay"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECRETS = samples.secrets("wechatpay")
ENTRY = SECRETS.entries["default"]
KEYS = SECRETS.of("default")
SIGNER = KEYS.one("test_signer")
LAMPS = p.OrderRef(shop="woocommerce:lumen-lamps.example", order_id="1727")
PAID, BACK = "4200017270202602200000000001", "50000017270202602240000000001"


def body(name: str, **changes: Any) -> Any:
    document = json.loads((EVENTS / f"{name}.json").read_text())
    return {**document, "resource": {**document["resource"], **changes}}


def signed(name: str, **changes: Any) -> Request:
    raw = json.dumps(body(name, **changes)).encode()
    return channel.signed(Request(body=raw, now=NOW), SIGNER)


def said(name: str, **changes: Any) -> list[Event]:
    return channel.receive(signed(name, **changes), SECRETS)


def data(event: Event) -> Any:
    return event.data


# -- what is said ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "type", "ident", "amount", "reason"),
    [
        ("transaction_success", "payment.captured", PAID, "152.00", None),
        ("transaction_success_yen", "payment.captured", PAID, "3000", None),
        ("transaction_closed", "payment.failed", PAID, "152.00", "CLOSED"),
        ("refund_success", "payment.refunded", BACK, "59.00", None),
        ("refund_abnormal", "payment.failed", BACK, "59.00", "refund: ABNORMAL"),
        ("refund_closed", "payment.failed", BACK, "59.00", "refund: CLOSED"),
        ("payscore_user_paid", "payment.captured", "4200017280202602210000000001", "59.00", None),
    ],
)
def test_fen_become_an_amount(
    name: str, type: str, ident: str, amount: str, reason: str | None
) -> None:
    [event] = said(name)

    assert (event.type, event.subject) == (type, f"payment/wechatpay/{ident}")
    assert (data(event).amount, data(event).reason) == (Decimal(amount), reason)
    assert (data(event).account, data(event).assurance) == ("1900017270", "claimed")


def test_the_order_is_in_attach_or_is_the_merchants_number() -> None:
    [whole], [bare], [none] = (
        said("transaction_success"),
        said("refund_success"),
        said("transaction_success", attach="", out_trade_no=None),
    )

    assert data(whole).order == LAMPS
    assert data(bare).order == p.OrderRef(shop="wechatpay:1900017270", order_id="LL1727")
    assert data(none).order is None


def test_times_are_the_payments_own_else_the_notifications() -> None:
    assert said("transaction_success")[0].time == datetime(2026, 2, 20, 9, 0, 5, tzinfo=UTC)
    assert said("refund_abnormal")[0].time == datetime(2026, 2, 20, 9, 0, 6, tzinfo=UTC)


def test_the_raw_text_is_the_opened_one() -> None:
    assert json.loads(data(said("refund_success")[0]).raw)["resource"]["refund_id"] == BACK


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("coupon_use", "wechatpay COUPON.USE"),
        ("payscore_user_confirm", "wechatpay PAYSCORE.USER_CONFIRM"),
    ],
)
def test_what_moves_no_money_is_kept_with_its_reason(name: str, reason: str) -> None:
    [event] = said(name)

    assert (event.type, data(event).reason) == ("ingress.unmapped", reason)


@pytest.mark.parametrize("fen", [152.0, "15200", True, None, -1])
def test_an_amount_that_is_none_is_kept_unread(fen: Any) -> None:
    [event] = said("transaction_success", amount={"total": fen, "currency": "CNY"})

    assert (event.type, data(event).reason[:10]) == ("ingress.unmapped", "unreadable")


def test_the_old_api_is_kept_when_signed_and_refused_when_not() -> None:
    raw = (EVENTS / "refund_v2.xml").read_bytes()
    request = Request(body=raw, headers={"content-type": "text/xml"}, now=NOW)

    [event] = channel.receive(channel.signed(request, SIGNER), SECRETS)
    assert data(event).reason == "wechatpay notification of the old API (v2)"
    with pytest.raises(InvalidSignature):
        channel.receive(request, SECRETS)
    with pytest.raises(MalformedPayload):
        channel.receive(channel.signed(replace(request, body=b"<xml"), SIGNER), SECRETS)


def test_the_answer_is_wechat_pays_own() -> None:
    answer = channel.answer(Request())

    assert (answer.status, json.loads(answer.body)["code"]) == (200, "SUCCESS")


# -- signatures and seals ----------------------------------------------------------------------


def refused(request: Request, accounts: Accounts = SECRETS) -> bool:
    try:
        channel.receive(request, accounts)
    except InvalidSignature:
        return True
    return False


@pytest.mark.parametrize(
    "headers",
    [
        {"signature": ""},
        {"signature": "é"},
        {"signature": "WECHATPAY/SIGNTEST/AAAA"},
        {"serial": "PUB_KEY_ID_other"},
        {"nonce": "other"},
        {"nonce": "\udcff"},
        {"timestamp": "1"},
        {"timestamp": "soon"},
        {"timestamp": ""},
    ],
)
def test_every_header_counts(headers: dict[str, str]) -> None:
    request = signed("transaction_success")
    told = {f"wechatpay-{name}": value for name, value in headers.items()}

    assert refused(replace(request, headers={**request.headers, **told}))


@pytest.mark.parametrize(
    ("seconds", "late"), [(300, False), (-300, False), (301, True), (-301, True)]
)
def test_five_minutes_on_both_sides(seconds: int, late: bool) -> None:
    request = replace(signed("transaction_success"), now=NOW + timedelta(seconds=seconds))

    assert refused(request) is late


def accounts(**changes: Any) -> Accounts:
    return Accounts("wechatpay", {"default": {**ENTRY, **changes}})


def test_several_platform_keys_and_seals_live_during_a_rotation() -> None:
    other = KEYS.one("platform_keys").replace("0000017270", "0000000000")
    both = accounts(
        platform_keys=[other, KEYS.one("platform_keys")],
        api_v3_key=["another-key-of-the-merchants-own", KEYS.one("api_v3_key")],
    )

    assert channel.receive(signed("transaction_success"), both)[0].type == "payment.captured"
    assert refused(signed("transaction_success"), accounts(platform_keys=other))


def test_what_another_key_sealed_is_kept_whole() -> None:
    other = accounts(api_v3_key="another-key-of-the-merchants-own")
    [event] = channel.receive(signed("transaction_success"), other)

    assert data(event).reason == "wechatpay TRANSACTION.SUCCESS: sealed with another key"
    assert "ciphertext" in json.loads(data(event).raw)["resource"]


@pytest.mark.parametrize(
    "broken", [{"platform_keys": "no key"}, {"platform_keys": ""}, {"api_v3_key": ""}]
)
def test_a_key_that_is_missing_is_our_failure(broken: dict[str, str]) -> None:
    with pytest.raises(Misconfigured):
        channel.receive(signed("transaction_success"), accounts(**broken))


def test_a_merchant_with_a_key_of_its_own_is_not_spoken_for() -> None:
    own = {**ENTRY, "platform_keys": KEYS.one("platform_keys").replace("017270", "000000")}
    two = Accounts("wechatpay", {"default": ENTRY, "1900017270": own})

    assert refused(signed("transaction_success"), two)


@pytest.mark.parametrize("field", ["ciphertext", "nonce", "associated_data"])
def test_a_seal_that_was_touched_does_not_open(field: str) -> None:
    key = KEYS.one("api_v3_key")
    sealed = seal({"mchid": "1"}, "transaction", key)
    touched = {**sealed, field: "x" * 12}

    assert unseal(sealed, key) == {"mchid": "1"}
    assert unseal(touched, key) is None
    assert unseal({**sealed, "nonce": None}, key) is None
    assert unseal(sealed, "too short") is None


def test_a_notification_that_was_sealed_before_is_sent_as_it_is() -> None:
    request = signed("transaction_success")

    assert channel.signed(replace(request, headers={}), SIGNER).body == request.body


VECTORS = SHARED / "samples" / "wechatpay" / "vectors.json"


@pytest.mark.skipif(not VECTORS.is_file(), reason="PARLEY_SHARED is not here")
def test_the_vector_of_the_platforms_own_library_is_opened() -> None:
    [vector] = json.loads(VECTORS.read_text())
    request = Request(
        body=(VECTORS.parent / vector["body_file"]).read_bytes().rstrip(b"\n"),
        headers={k.lower(): v for k, v in vector["headers"].items()},
        now=datetime.fromtimestamp(int(vector["now"]), UTC),
    )
    known = {
        "platform_keys": vector["platform_certificate_pem"],
        "api_v3_key": vector["api_v3_key"],
    }

    [event] = channel.receive(request, Accounts("wechatpay", {"default": known}))

    assert data(event).reason == "wechatpay PAYSCORE.USER_OPEN_SERVICE"
    opened = json.loads(data(event).raw)["resource"]
    assert opened == json.loads(vector["resource_plaintext"])
    assert refused(replace(request, body=request.body + b" "), accounts(**known))


# -- read again --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("transaction_success", f"/v3/pay/transactions/id/{PAID}?mchid=1900017270"),
        ("transaction_closed", f"/v3/pay/transactions/id/{PAID}?mchid=1900017270"),
        ("refund_success", "/v3/refund/domestic/refunds/LL1727-R1"),
    ],
)
def test_a_payment_is_read_again_in_the_merchants_name(name: str, path: str) -> None:
    [event] = said(name)

    call = channel.reread(event, KEYS)

    assert (call.method, call.url) == ("GET", f"https://api.mch.weixin.qq.com{path}")
    scheme, _, words = call.headers["authorization"].partition(" ")
    told = dict(word.split("=", 1) for word in words.split(","))
    assert scheme == "WECHATPAY2-SHA256-RSA2048"
    assert (told["mchid"], told["serial_no"]) == ('"1900017270"', '"0017270"')
    stamp, nonce = (told[name].strip('"') for name in ("timestamp", "nonce_str"))
    assert stamp == str(int(NOW.timestamp()))
    public: Any = load_pem_private_key(KEYS.one("merchant_key").encode(), None).public_key()
    message = f"GET\n{path}\n{stamp}\n{nonce}\n\n".encode()
    assert _rsa.rsa_signed(public, told["signature"].strip('"'), message)


def test_only_a_merchant_with_its_notification_is_read_again() -> None:
    [event] = said("transaction_success")
    bare = replace(event, data=data(event).model_copy(update={"raw": None}))
    nobody = Credentials("wechatpay/x", {"mchid": "x/../y", "merchant_key": "k"})

    with pytest.raises(Unsupported):
        channel.reread(bare, KEYS)
    with pytest.raises(Unsupported):
        channel.reread(event, nobody)


def answer(document: Any, status: int = 200) -> Response:
    return Response(status, {}, json.dumps(document).encode())


def transaction(**changes: Any) -> Any:
    return body("transaction_success", **changes)["resource"]


def refund(status: str = "SUCCESS", **changes: Any) -> Any:
    told = {"refund_id": BACK, "out_trade_no": "LL1727", "status": status}
    return {**told, "amount": {"refund": 5800, "total": 15200, "currency": "CNY"}, **changes}


@pytest.mark.parametrize(
    ("name", "stated", "amount"),
    [
        ("transaction_success", transaction(amount={"total": 100}), "1.00"),
        ("transaction_success", transaction(trade_state="REFUND"), "152.00"),
        ("transaction_closed", transaction(trade_state="PAYERROR"), "152.00"),
        ("refund_success", refund(), "58.00"),
        ("refund_abnormal", refund("ABNORMAL"), "58.00"),
    ],
)
def test_the_apis_word_is_what_counts(name: str, stated: Any, amount: str) -> None:
    payment: Any = channel.reread_payment(said(name)[0], answer(stated))

    assert (payment.assurance, payment.amount, payment.raw) == ("verified", Decimal(amount), None)


@pytest.mark.parametrize(
    ("name", "response"),
    [
        ("transaction_success", answer(transaction(trade_state="NOTPAY"))),
        ("transaction_success", answer(transaction(transaction_id="1"))),
        ("transaction_success", answer(transaction(), 404)),
        ("transaction_success", answer({"code": "ORDER_NOT_EXIST"})),
        ("refund_success", answer(refund("PROCESSING"))),
    ],
)
def test_what_the_api_does_not_state_stays_a_claim(name: str, response: Response) -> None:
    assert channel.reread_payment(said(name)[0], response) is None


# -- the platform's own tools ------------------------------------------------------------------


@pytest.mark.stranger
def test_a_strangers_library_opens_what_we_seal_and_checks_what_we_sign() -> None:
    theirs = pytest.importorskip("wechatpayv3.utils")
    request = signed("transaction_success")
    resource = json.loads(request.body)["resource"]

    opened = theirs.aes_decrypt(
        nonce=resource["nonce"],
        ciphertext=resource["ciphertext"],
        associated_data=resource["associated_data"],
        apiv3_key=KEYS.one("api_v3_key"),
    )
    assert json.loads(opened)["transaction_id"] == PAID
    stamp, nonce, signature = (
        request.headers[f"wechatpay-{name}"] for name in ("timestamp", "nonce", "signature")
    )
    _, _, public = KEYS.one("platform_keys").partition(" ")
    key = theirs.load_public_key(public)
    assert theirs.rsa_verify(stamp, nonce, request.body.decode(), signature, key)
    again = b64encode(b64decode(signature)[::-1]).decode()
    assert not theirs.rsa_verify(stamp, nonce, request.body.decode(), again, key)
