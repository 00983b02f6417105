"""What is particular to eBay; what every source promises is in tests/contract."""

import json
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from chalicelib import payloads as p
from chalicelib.channels import _ebay_key
from chalicelib.channels.ebay import channel
from chalicelib.credentials import Accounts, Credentials
from chalicelib.errors import InvalidSignature, MalformedPayload, Misconfigured, WrongMethod
from chalicelib.events import Event
from chalicelib.outbound import Outgoing, Response
from chalicelib.source import Request
from tests import samples
from tests.samples import SHARED

EVENTS = Path(__file__).parents[2] / "events" / "ebay"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECRETS = samples.secrets("ebay")
SIGNER = SECRETS.of("default").one("test_signer")
SHOP, ORDER = "ebay:lumen_lamps", "27-10427-17270"
KEYS = Credentials("ebay/lumen_lamps", {"access_token": "v^1.1#user"})
API = "https://api.ebay.com"


def body(name: str, **changes: Any) -> Any:
    document = json.loads((EVENTS / f"{name}.json").read_text())
    document["notification"]["data"].update(changes)
    return document


def said(name: str, account: str | None = "lumen_lamps", **changes: Any) -> list[Event]:
    raw = json.dumps(body(name, **changes)).encode()
    return channel.read(Request(body=raw, account=account, now=NOW))


def data(event: Event) -> Any:
    return event.data


# -- what is said ------------------------------------------------------------------------------


def test_a_confirmed_order_was_placed_and_paid() -> None:
    placed, paid = said("order_confirmation", account=None)

    assert (placed.type, paid.type) == ("order.placed", "order.paid")
    assert placed.subject == f"order/{SHOP}/{ORDER}"
    assert placed.time == datetime(2026, 2, 20, 9, 0, 0, 110000, tzinfo=UTC)


def test_another_attempt_is_the_same_fact_with_other_bytes() -> None:
    first, second = said("order_confirmation"), said("order_confirmation_attempt2")

    assert [e.id for e in first] == [e.id for e in second]


def test_a_shipment_names_its_parcel_where_it_has_one() -> None:
    order, parcel = said("item_marked_shipped")
    [untracked] = said("item_marked_shipped_untracked")

    assert data(order).parcels == (
        p.ParcelRef(carrier="ups", tracking_number="1Z999AA10123456784"),
    )
    assert (parcel.type, data(parcel).orders) == (
        "parcel.registered",
        (p.OrderRef(shop=SHOP, order_id=ORDER),),
    )
    assert (untracked.type, data(untracked).parcels) == ("order.fulfilled", ())


@pytest.mark.parametrize(
    ("name", "type"),
    [
        ("order_cancellation_requested", "order.changed"),
        ("order_cancellation_closed", "order.cancelled"),
        ("order_return_requested", "order.changed"),
        ("order_return_delivered", "order.returned"),
        ("order_inquiry", "order.changed"),
    ],
)
def test_what_is_asked_for_is_not_yet_done(name: str, type: str) -> None:
    [event] = said(name)

    assert (event.type, event.subject) == (type, f"order/{SHOP}/{ORDER}")


def test_an_inquiry_with_an_amount_disputes_money() -> None:
    [opened], [closed] = said("order_inquiry_claimed"), said("order_inquiry_closed")

    assert (opened.type, closed.type) == ("payment.disputed", "payment.dispute_closed")
    assert (data(opened).amount, data(opened).reason) == (Decimal("118.00"), "item not received")
    assert data(opened).due_at == datetime(2026, 2, 24, 9, tzinfo=UTC)
    assert (data(opened).order, data(closed).order) == (
        p.OrderRef(shop=SHOP, order_id=ORDER),
        None,
    )


def test_a_members_message_opens_a_conversation() -> None:
    [event] = said("new_message", account=None)
    message = data(event)

    assert (event.type, event.subject) == ("message.received", "identity/ebay/members/ines_reads")
    assert (message.text, message.direction) == ("Where is my lamp?", "in")
    assert message.conversation_id == "ebay/lumen_lamps/124017270"
    assert event.time == datetime(2026, 2, 20, 8, 59, 58, tzinfo=UTC)


def test_media_come_with_their_kind() -> None:
    [event] = said("new_message_media")

    assert [(part.media, part.name) for part in data(event).content] == [
        ("image", "broken.jpg"),
        ("file", "invoice.pdf"),
    ]


def test_ebay_itself_is_no_customer_and_we_are_none() -> None:
    [system], [own] = said("new_message_from_ebay"), said("new_message_own")

    assert (data(system).author.kind, data(system).author.identity) == ("system", None)
    assert (own.type, data(own).direction, data(own).author.kind) == (
        "message.echoed",
        "out",
        "business",
    )
    assert own.subject == "identity/ebay/members/ines_reads"


def test_a_question_is_a_message_about_a_listing() -> None:
    [event] = said("buyer_question")

    assert (event.type, data(event).text) == (
        "message.received",
        "Does the Dune lamp come in blue?",
    )
    assert data(event).conversation_id == "ebay/lumen_lamps/2874170"


def test_feedback_is_a_public_review() -> None:
    [event] = said("feedback_received")
    [silent] = said(
        "feedback_received", commentType="NEUTRAL", commentText="", commentingUserName=""
    )

    assert (event.type, data(event).visibility) == ("review.created", "public")
    assert data(event).rating == p.Rating(recommended=False)
    assert (data(silent).rating, data(silent).content) == (p.Rating(), ())
    assert data(silent).author.identity is None


def test_a_deleted_account_is_erased_by_its_name_and_its_id() -> None:
    [event] = said("account_deletion")

    assert (event.type, event.subject) == (
        "customer.erasure_requested",
        "identity/ebay/members/ines_reads",
    )
    assert data(event).identity.aliases == ("LAMPBuyerId1",)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("authorization_revocation", "ebay AUTHORIZATION_REVOCATION"),
        ("feedback_left", "ebay FEEDBACK_LEFT"),
        ("offer_activity", "ebay OFFER_ACTIVITY"),
        ("account_deletion_nobody", "ebay MARKETPLACE_ACCOUNT_DELETION of nobody"),
    ],
)
def test_what_has_no_word_is_kept_with_its_topic(name: str, reason: str) -> None:
    [event] = said(name)

    assert (event.type, data(event).reason) == ("ingress.unmapped", reason)


@pytest.mark.parametrize("broken", [None, 7, {"user": 7}])
def test_notifications_without_a_seller_are_the_default_accounts(broken: Any) -> None:
    document = body("offer_activity")
    document["notification"]["data"] = broken
    [event] = channel.read(Request(body=json.dumps(document).encode(), now=NOW))

    assert data(event).account == "default"


# -- challenge ---------------------------------------------------------------------------------


def challenge(query: dict[str, str], accounts: Accounts = SECRETS, method: str = "GET") -> Any:
    return channel.handshake(Request(method=method, query=query, now=NOW), accounts)


def test_the_challenge_is_answered_with_the_registered_address() -> None:
    answer = challenge(
        {"challenge_code": "a8628072-3d33-45ee-9004-bee86830a22d"},
        Accounts(
            "ebay",
            {
                "default": {
                    "verification_token": "71745723-d031-455c-bfa5-f90d11b4f20a",
                    "endpoint": "http://www.testendpoint.com/webhook",
                }
            },
        ),
    )

    assert (answer.status, answer.content_type) == (200, "application/json")
    assert json.loads(answer.body) == {
        "challengeResponse": "ca527df75caa230092d7e90484071e8f05d63068f1317973d6a3a42593734bbb"
    }


def test_other_handshakes_are_refused() -> None:
    with pytest.raises(MalformedPayload):
        challenge({})
    with pytest.raises(WrongMethod):
        challenge({"challenge_code": "x"}, method="OPTIONS")
    with pytest.raises(Misconfigured):
        challenge({"challenge_code": "x"}, Accounts("ebay"))
    assert challenge({"challenge_code": "\udcff"}).status == 200


def test_a_notification_is_acknowledged_without_a_body() -> None:
    assert (channel.answer(Request()).status, channel.answer(Request()).body) == (204, "")


# -- signatures --------------------------------------------------------------------------------


def signed(name: str = "new_message", **more: Any) -> Request:
    raw = (EVENTS / f"{name}.json").read_bytes()
    return channel.signed(Request(body=raw, now=NOW, **more), SIGNER)


def refused(request: Request, accounts: Accounts = SECRETS) -> bool:
    try:
        channel.receive(request, accounts)
    except InvalidSignature:
        return True
    return False


def test_a_token_is_wanted_first_and_then_the_key() -> None:
    request = signed()
    url = f"{API}/commerce/notification/v1/public_key/00000000-parley-test"
    bare = replace(request, fetched={})

    [first] = channel.wants(bare, SECRETS)
    assert (first.method, first.url) == ("POST", f"{API}/identity/v1/oauth2/token")
    assert first.body == (
        b"grant_type=client_credentials&scope=https://api.ebay.com/oauth/api_scope"
    )
    with_token = replace(bare, fetched={first.url: b'{"access_token": "v^1.1#app"}'})
    [second] = channel.wants(with_token, SECRETS)
    assert (second.method, second.url) == ("GET", url)
    assert second.headers["authorization"] == "Bearer v^1.1#app"
    [blind] = channel.wants(replace(bare, fetched={first.url: b"?"}), SECRETS)
    assert blind.headers["authorization"] == "Bearer "
    assert channel.wants(request, SECRETS) == ()
    assert refused(bare)
    assert not refused(request)


def test_a_sandbox_has_its_own_keys() -> None:
    entry = {**SECRETS.entries["default"], "environment": "sandbox"}
    sandbox = Accounts("ebay", {"default": entry})

    [call] = channel.wants(replace(signed(), fetched={}), sandbox)

    assert call.url.startswith("https://api.sandbox.ebay.com/")
    assert not refused(signed(), sandbox)


def encoded(told: Any) -> str:
    return b64encode(json.dumps(told).encode()).decode()


@pytest.mark.parametrize(
    "header",
    [
        "",
        "é",
        "AAAA",
        encoded([]),
        encoded({"kid": "k"}),
        encoded({"kid": 7, "signature": "AAAA"}),
        encoded({"kid": "../../oauth", "signature": "AAAA"}),
        encoded({"kid": "00000000-parley-test", "signature": "AAAA"}),
        encoded({"kid": "00000000-parley-test", "signature": "é"}),
    ],
)
def test_no_other_header_is_believed(header: str) -> None:
    request = replace(signed(), headers={"x-ebay-signature": header})

    assert refused(request)
    wanted = channel.wants(replace(request, fetched={}), SECRETS)
    assert bool(wanted) is (header == encoded({"kid": "00000000-parley-test", "signature": "AAAA"}))


RSA = rsa.generate_private_key(65537, 2048)


def told_key(**changes: Any) -> bytes:
    return json.dumps({**json.loads(_ebay_key.answer_for(SIGNER)), **changes}).encode()


RSA_KEY = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{}",
        b"[]",
        told_key(digest="MD5"),
        told_key(digest="SHA256"),
        told_key(key="AAAA"),
        told_key(key=RSA_KEY),
    ],
)
def test_no_other_key_is_believed(answer: bytes) -> None:
    request = signed()

    assert refused(replace(request, fetched=dict.fromkeys(request.fetched, answer)))


def test_only_keys_of_curves_sign() -> None:
    pem = RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    with pytest.raises(ValueError):
        _ebay_key.header(pem, "k", b"")


def test_without_an_application_a_notification_is_sent_again() -> None:
    with pytest.raises(Misconfigured):
        channel.receive(signed(), Accounts("ebay", {"default": {}}))


VECTORS = SHARED / "samples" / "ebay" / "vectors.json"


@pytest.mark.skipif(not VECTORS.is_file(), reason="PARLEY_SHARED is not here")
def test_collected_vectors_are_judged_as_they_say() -> None:
    judged = 0
    for vector in json.loads(VECTORS.read_text()):
        if "headers" not in vector:
            continue
        headers = {k.lower(): v for k, v in vector["headers"].items()}
        told = _ebay_key.read_header(headers["x-ebay-signature"])
        assert told
        url = f"{API}/commerce/notification/v1/public_key/{told.key_id}"
        request = Request(
            body=(VECTORS.parent / vector["body_file"]).read_bytes(),
            headers=headers,
            fetched={url: json.dumps(vector["public_key_response"]).encode()},
            now=NOW,
        )
        assert refused(request) is not vector["expected_valid"], vector["name"]
        judged += 1
    assert judged == 10


# -- outbound ----------------------------------------------------------------------------------


def test_an_answer_goes_into_the_members_conversation() -> None:
    to = p.Identity(channel="ebay", scope="members", subject="ines_reads")
    message = Outgoing("k", to, "lumen_lamps", "ebay/lumen_lamps/124017270", "It left us.")

    call = channel.compose(message, KEYS)

    assert call.url == f"{API}/commerce/message/v1/send_message"
    assert json.loads(call.body) == {"conversationId": "124017270", "messageText": "It left us."}
    assert call.headers["authorization"] == "Bearer v^1.1#user"


@pytest.mark.parametrize(
    ("status", "told", "verdict", "ident"),
    [
        (200, {"messageId": "34290017299"}, "sent", "34290017299"),
        (204, {}, "sent", None),
        (401, {"errors": [{"errorId": 1001}]}, "reauthorise", None),
        (429, {"errors": [{"errorId": 2001}]}, "retry", None),
        (400, {"errors": [{"errorId": 355004}]}, "permanent", None),
    ],
)
def test_what_an_answer_means(status: int, told: Any, verdict: str, ident: str | None) -> None:
    outcome = channel.outcome(Response(status, {}, json.dumps(told).encode()))

    assert (outcome.verdict, outcome.message_id) == (verdict, ident)


def answer(document: Any, status: int = 200) -> Response:
    return Response(status, {}, json.dumps(document).encode())


INQUIRY = {
    "inquiryId": "5217270",
    "state": "OPEN",
    "claimAmount": {"value": 109.5, "currency": "USD"},
}


def test_a_dispute_is_read_again_from_the_inquiry() -> None:
    [opened], [closed] = said("order_inquiry_claimed"), said("order_inquiry_closed")

    call = channel.reread(opened, KEYS)
    payment: Any = channel.reread_payment(opened, answer(INQUIRY))

    assert (call.method, call.url) == ("GET", f"{API}/post-order/v2/inquiry/5217270")
    assert call.headers["authorization"] == "IAF v^1.1#user"
    assert (payment.assurance, payment.amount) == ("verified", Decimal("109.50"))
    assert channel.reread_payment(closed, answer(INQUIRY)) is None
    assert channel.reread_payment(closed, answer({**INQUIRY, "state": "CLOSED"}))


@pytest.mark.parametrize(
    "response",
    [
        answer(INQUIRY, 404),
        answer({**INQUIRY, "inquiryId": "1"}),
        answer({"inquiryId": "5217270"}),
        answer({**INQUIRY, "claimAmount": "lots"}),
    ],
)
def test_what_the_api_does_not_state_stays_a_claim(response: Response) -> None:
    [opened] = said("order_inquiry_claimed")

    assert channel.reread_payment(opened, response) is None
