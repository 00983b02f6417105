"""What is particular to WhatsApp, and to every Meta webhook: its handshake, signature, errors."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from chalicelib import payloads as p
from chalicelib.channels import _meta
from chalicelib.channels.whatsapp import channel
from chalicelib.credentials import Accounts, Credentials
from chalicelib.errors import (
    InvalidSignature,
    MalformedPayload,
    UnknownSource,
    Unsupported,
    WrongMethod,
    WrongVerifyToken,
)
from chalicelib.outbound import Outcome, Outgoing, Response, Template
from chalicelib.source import Request
from tests import samples
from tests.samples import EVENTS, NOW

WABA, NUMBER = "190300550011223", "190300550011001"
PHONE, USER = "15550107734", "US.80214455101987"
MINA = p.Identity(channel="whatsapp", scope=WABA, subject=USER, aliases=(PHONE,))
KEYS = Credentials("whatsapp/default", {"access_token": "wa-token"})
SENT_AT = datetime(2026, 11, 23, 11, 40, tzinfo=UTC)


def heard_from(document: Any) -> list[Any]:
    sample = samples.Sample("whatsapp", "made", json.dumps(document).encode())
    return channel.receive(samples.signed(sample), samples.secrets("whatsapp"))


def body(name: str) -> Any:
    return json.loads((EVENTS / "whatsapp" / f"{name}.json").read_text())


def heard(name: str) -> list[Any]:
    return heard_from(body(name))


def only(name: str) -> Any:
    [event] = heard(name)
    return event


def types(events: list[Any]) -> list[str]:
    return [event.type for event in events]


# -- the handshake -----------------------------------------------------------------------------

TWO = Accounts(
    "whatsapp", {"default": {"verify_token": ["new", "old"]}, "77": {"verify_token": "b"}}
)


def challenged(account: str | None = None, method: str = "GET", **asked: str) -> Request:
    query = {"mode": "subscribe", "verify_token": "new", "challenge": "1158201444", **asked}
    named = {f"hub.{key}": value for key, value in query.items() if value}
    return Request(method=method, query=named, account=account)


@pytest.mark.parametrize("token", ["new", "old", "b"])
def test_a_challenge_is_echoed_as_plain_text_to_who_knows_a_live_token(token: str) -> None:
    answer = channel.handshake(challenged(verify_token=token), TWO)
    assert (answer.status, answer.body) == (200, "1158201444")
    assert answer.content_type.startswith("text/plain")


def test_a_url_with_an_account_knows_that_accounts_token_only() -> None:
    assert channel.handshake(challenged("77", verify_token="b"), TWO).body == "1158201444"
    with pytest.raises(WrongVerifyToken):
        channel.handshake(challenged("77", verify_token="new"), TWO)
    with pytest.raises(UnknownSource):
        channel.handshake(challenged("78"), TWO)


@pytest.mark.parametrize(
    "asked", [{"verify_token": "wrong"}, {"verify_token": "né"}, {"mode": "un"}]
)
def test_a_wrong_token_or_mode_is_forbidden(asked: dict[str, str]) -> None:
    with pytest.raises(WrongVerifyToken):
        channel.handshake(challenged(**asked), TWO)


@pytest.mark.parametrize("missing", ["mode", "verify_token", "challenge"])
def test_a_handshake_without_a_parameter_is_malformed(missing: str) -> None:
    with pytest.raises(MalformedPayload):
        channel.handshake(challenged(**{missing: ""}), TWO)


@pytest.mark.parametrize("challenge", ["<script>", "a b", "1\n", "é", "x" * 257])
def test_a_challenge_that_is_more_than_a_word_is_never_echoed(challenge: str) -> None:
    with pytest.raises(MalformedPayload):
        channel.handshake(challenged(challenge=challenge), TWO)


def test_meta_sends_no_options() -> None:
    with pytest.raises(WrongMethod):
        channel.handshake(challenged(method="OPTIONS"), TWO)


# -- the signature -----------------------------------------------------------------------------


def test_a_signature_is_hex_in_either_case() -> None:
    request = Request(body=b"{}")
    signed = channel.sign(request, "s")["x-hub-signature-256"]
    upper = "sha256=" + signed.removeprefix("sha256=").upper()
    assert channel.matches(replace(request, headers={"x-hub-signature-256": upper}), "s")


@pytest.mark.parametrize("header", ["x-hub-signature", "x-hub-signature-256"])
def test_the_old_sha1_signature_is_never_enough(header: str) -> None:
    # of the published example: key FAKE_SECRET, body {}
    old = {header: "sha1=1c99183cb7c44ea27fb834746086b65b89800db8"}
    assert not channel.matches(Request(body=b"{}", headers=old), "FAKE_SECRET")


def test_another_accounts_secret_does_not_speak_for_a_number() -> None:
    accounts = Accounts("whatsapp", {"default": {"app_secret": "a"}, NUMBER: {"app_secret": "b"}})
    raw = json.dumps(body("text")).encode()
    for key, heard in (("a", False), ("b", True)):
        request = Request(body=raw, headers=channel.sign(Request(body=raw), key), now=NOW)
        if heard:
            assert channel.receive(request, accounts)
        else:
            with pytest.raises(InvalidSignature):
                channel.receive(request, accounts)


# -- what customers say ------------------------------------------------------------------------


def test_a_text_is_said_in_our_words() -> None:
    event = only("text")
    assert event.type == "message.received"
    assert event.subject == f"identity/whatsapp/{WABA}/{USER}"
    assert event.source == f"/channels/whatsapp/{NUMBER}"
    assert (event.time, event.timesuspect) == (SENT_AT, False)
    said = event.data
    assert said.text == "Hi, where is my order #1042? It should have come yesterday."
    assert said.author == p.Author(kind="customer", identity=MINA, display_name="Mina Okafor")
    assert said.conversation_id == f"whatsapp/{NUMBER}/{USER}"
    assert said.account == NUMBER
    assert said.window_until == SENT_AT + timedelta(hours=24)
    assert set(json.loads(said.raw)) == {"id", "of", "metadata", "contact", "item"}


def test_twelve_messages_in_one_post_are_twelve_events_in_order() -> None:
    events = heard("batch")
    assert types(events) == ["message.received"] * 12
    assert [e.data.text for e in events] == [f"message {n} of 12" for n in range(1, 13)]
    assert len({event.id for event in events}) == 12


def test_a_message_in_another_batch_is_the_same_event() -> None:
    alone, batch = body("text"), body("batch")
    batch["entry"].append(alone["entry"][0])
    assert heard_from(batch)[-1].id == only("text").id


def test_a_strange_element_costs_its_neighbours_nothing() -> None:
    events = heard("bad_items")
    texts = [e.data.text for e in events if e.type == "message.received"]
    assert texts == ["The first good one", "Undated", "", "", "The last good one"]
    reasons = [e.data.reason for e in events if e.type == "ingress.unmapped"]
    assert reasons == [
        "unexpected shape",
        "whatsapp entry without changes",
        "unexpected shape",
        "whatsapp messages",
        "whatsapp messages",
        "unexpected shape",
        "unreadable: KeyError",
        "unreadable: ValueError",
        "unreadable: KeyError",
    ]
    assert types(events)[-1] == "message.delivered"


def test_a_message_without_a_time_keeps_the_window_of_its_arrival() -> None:
    undated = heard("bad_items")[8]
    assert undated.timesuspect
    assert undated.data.window_until == NOW + timedelta(hours=24)


@pytest.mark.parametrize("entries", [[], None, {}])
def test_a_body_without_entries_is_kept(entries: Any) -> None:
    assert types(heard_from({"object": "whatsapp_business_account", "entry": entries})) == [
        "ingress.unmapped"
    ]


def media(kind: Any, number: str, **more: Any) -> p.Media:
    return p.Media(media=kind, media_id=f"21003344556677{number}", **more)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text_unicode", (p.Text(text="Où est mon thé? 🍵 お茶"),)),
        (
            "image",
            (
                media(
                    "image",
                    "01",
                    mime="image/jpeg",
                    sha256="q8Tz0rXl3n1hWk8m1mJ9mZ0m3Hq2Xv5l0uW7s6y1abc=",
                    url="https://lookaside.example.net/whatsapp_business/attachments/?mid=2100334455667701",
                ),
                p.Text(text="It arrived like this"),
            ),
        ),
        (
            "video",
            (
                media(
                    "video",
                    "02",
                    mime="video/mp4",
                    sha256="mZ0m3Hq2Xv5l0uW7s6y1abcq8Tz0rXl3n1hWk8m1mJ9=",
                ),
            ),
        ),
        (
            "audio_voice",
            (
                media(
                    "audio",
                    "03",
                    mime="audio/ogg; codecs=opus",
                    sha256="Xl3n1hWk8m1mJ9mZ0m3Hq2Xv5l0uW7s6y1abcq8Tz0r=",
                ),
            ),
        ),
        (
            "document",
            (
                media(
                    "file",
                    "04",
                    mime="application/pdf",
                    name="invoice-1042.pdf",
                    sha256="n1hWk8m1mJ9mZ0m3Hq2Xv5l0uW7s6y1abcq8Tz0rXl3=",
                ),
                p.Text(text="The invoice"),
            ),
        ),
        ("sticker", (p.Sticker(id="2100334455667705"),)),
        ("location", (p.Location(latitude=59.9139, longitude=10.7522, name="Home"),)),
        (
            "contacts",
            (
                p.Contact(
                    name="Kari Nordmann", phones=("+47 555 01 234",), emails=("kari@example.org",)
                ),
                p.Contact(name="Porter", phones=("+47 555 04 321",)),
            ),
        ),
        (
            "text_product",
            (
                p.Text(text="Is this still available?"),
                p.Media(media="share", media_id="TEA-EG-100"),
            ),
        ),
        (
            "button",
            (
                p.Text(text="Stop promotions"),
                p.Postback(payload="STOP-PROMOTIONS", title="Stop promotions"),
            ),
        ),
        (
            "interactive_button",
            (
                p.Text(text="Track my order"),
                p.Postback(payload="track:1042", title="Track my order"),
            ),
        ),
        (
            "interactive_list",
            (p.Text(text="A refund"), p.Postback(payload="topic:refund", title="A refund")),
        ),
        (
            "interactive_flow",
            (
                p.Text(text="Sent"),
                p.Postback(payload='{"flow_token":"f-77","street":"Storgata 1"}', title="Sent"),
            ),
        ),
        ("interactive_call_permission", (p.UnsupportedPart(type="call_permission_reply"),)),
        ("unsupported", (p.UnsupportedPart(type="unsupported"),)),
    ],
)
def test_every_kind_of_message_has_its_parts(name: str, content: tuple[Any, ...]) -> None:
    event = only(name)
    assert event.type == "message.received"
    assert event.data.content == content


def test_a_button_without_a_title_is_its_payload_alone() -> None:
    document = body("button")
    document["entry"][0]["changes"][0]["value"]["messages"][0]["button"]["text"] = ""
    [event] = heard_from(document)
    assert event.data.content == (p.Postback(payload="STOP-PROMOTIONS", title=""),)


def test_half_an_emoji_does_not_cost_the_message() -> None:
    document = body("text")
    value = document["entry"][0]["changes"][0]["value"]
    value["messages"][0]["text"]["body"] = "tea \ud83c"
    value["contacts"][0]["profile"]["name"] = "Mina \ud83c"
    [event] = heard_from(document)
    assert event.data.text == "tea ?"
    assert "\\ud83c" in event.data.raw


def test_an_answer_without_its_content_is_heard_and_so_is_the_platforms_excuse() -> None:
    message, excuse = heard("interactive_missing")
    assert message.data.content == (p.UnsupportedPart(type="interactive"),)
    assert message.data.reply_to == "wamid.HBgLR09ORQ=="
    assert excuse.data.reason == "whatsapp error 131000: Something went wrong"


def test_a_cart_is_order_lines_with_exact_prices() -> None:
    lines, note = only("order").data.content
    assert note == p.Text(text="Gift wrap, please")
    assert lines.catalog_id == "771100220033"
    assert [(line.sku, line.quantity, line.price, line.currency) for line in lines.lines] == [
        ("TEA-EG-100", 2, Decimal("14.50"), "USD"),
        ("MUG-01", 1, Decimal("30.00"), "USD"),
    ]


def test_a_cart_in_yen_has_no_cents() -> None:
    [lines] = only("order_yen").data.content
    assert [(line.quantity, str(line.price)) for line in lines.lines] == [(3, "1200")]


def test_a_cart_that_cannot_be_counted_is_still_a_message() -> None:
    assert only("order_unreadable").data.content == (p.UnsupportedPart(type="order"),)


def test_an_answer_of_no_type_is_an_unsupported_part() -> None:
    document = body("interactive_button")
    document["entry"][0]["changes"][0]["value"]["messages"][0]["interactive"] = {}
    assert heard_from(document)[0].data.content == (p.UnsupportedPart(type="interactive"),)


def test_a_message_from_nobody_is_kept_whole() -> None:
    document = body("text")
    value = document["entry"][0]["changes"][0]["value"]
    del value["contacts"], value["messages"][0]["from"]
    [event] = heard_from(document)
    assert (event.type, event.data.reason) == ("ingress.unmapped", "unreadable: ValueError")


def test_an_entry_without_an_id_belongs_to_the_default_account() -> None:
    document = body("account_update")
    del document["entry"][0]["id"]
    assert heard_from(document)[0].data.account == "default"


# -- who they are, and how they came in --------------------------------------------------------


def test_a_customer_without_a_number_is_a_customer() -> None:
    said = only("text_user_id_only").data
    assert said.author.identity == p.Identity(
        channel="whatsapp", scope=WABA, subject="BR.5512098811"
    )
    assert said.conversation_id == f"whatsapp/{NUMBER}/BR.5512098811"


def test_a_message_that_names_nobody_is_from_the_only_contact() -> None:
    document = body("text")
    del document["entry"][0]["changes"][0]["value"]["messages"][0]["from"]
    assert heard_from(document)[0].data.author.identity == MINA


def test_each_message_carries_its_own_contact_only() -> None:
    document = body("text")
    value = document["entry"][0]["changes"][0]["value"]
    value["contacts"].append({"profile": {"name": "Leo"}, "wa_id": "4479460000"})
    value["messages"].append({**value["messages"][0], "id": "wamid.2", "from": "4479460000"})
    first, second = heard_from(document)
    assert "Leo" not in first.data.raw and "Mina" not in second.data.raw
    assert second.data.author.display_name == "Leo"


def test_what_is_said_in_a_group_opens_no_window() -> None:
    said = only("group_text").data
    assert said.conversation_id == f"whatsapp/{NUMBER}/Y2FwaV9ncm91cDoxNTU1"
    assert said.author.identity == MINA
    assert said.window_until is None


@pytest.mark.parametrize(
    ("name", "ref", "source", "medium", "ad_id"),
    [
        ("text_qr", "qr-box-42", "wa.me", "qr", None),
        ("text_ad", "120299001122334455", "ad", "ad", "120299001122334455"),
        ("text_post", "998877", "post", "link", None),
    ],
)
def test_how_a_customer_came_in_is_said_after_what_they_said(
    name: str, ref: str, source: str, medium: str, ad_id: str | None
) -> None:
    message, entered = heard(name)
    assert types([message, entered]) == ["message.received", "referral.received"]
    data = entered.data
    assert (data.ref, data.source, data.medium, data.ad_id) == (ref, source, medium, ad_id)
    assert data.identity == MINA
    assert data.window_until == SENT_AT + timedelta(hours=24)


def test_a_code_that_is_not_printed_as_a_qr_is_a_link() -> None:
    document = body("text_qr")
    message = document["entry"][0]["changes"][0]["value"]["messages"][0]
    message["text"]["body"] = "Hello [ref:mail-12]\n"
    assert heard_from(document)[1].data.medium == "link"
    message["text"]["body"] = "I wrote [ref:mail-12] before"
    assert len(heard_from(document)) == 1


def test_the_customers_names_are_linked_when_they_change() -> None:
    def named(subject: str, *aliases: str) -> p.Identity:
        return p.Identity(channel="whatsapp", scope=WABA, subject=subject, aliases=aliases)

    number, user_id, told = only("system_number"), only("system_user_id"), only("user_id_update")
    assert (number.data.a, number.data.b) == (named(PHONE), named("15550109900"))
    assert (user_id.data.a, user_id.data.b) == (named(USER), named("US.90000000000001"))
    assert (told.data.a, told.data.b) == (named(USER), named("US.90000000000001", PHONE))
    assert {number.type, user_id.type, told.type} == {"identity.linked"}


def test_a_change_of_number_is_heard_in_its_old_form_too() -> None:
    document = body("system_number")
    system = document["entry"][0]["changes"][0]["value"]["messages"][0]["system"]
    system["new_wa_id"] = system.pop("wa_id")
    assert heard_from(document)[0].data.b.subject == "15550109900"


def test_a_change_that_does_not_say_from_whom_is_kept() -> None:
    document = body("system_user_id")
    document["entry"][0]["changes"][0]["value"]["messages"][0]["system"]["body"] = "She changed"
    assert types(heard_from(document)) == ["ingress.unmapped"]


# -- what is not a message ---------------------------------------------------------------------


def test_edits_and_revocations_name_the_first_message() -> None:
    edited, gone = only("edit"), only("revoke")
    assert (edited.type, edited.data.message_id) == ("message.edited", "wamid.HBgLT1JJRw==")
    assert edited.data.text == "Where is order #1043, I meant"
    assert (gone.type, gone.data.message_id) == ("message.deleted", "wamid.HBgLT1JJRw==")
    assert edited.data.window_until is gone.data.window_until is None


def test_a_reaction_ends_with_an_empty_emoji_or_none() -> None:
    added = only("reaction")
    assert (added.type, added.data.emoji) == ("reaction.added", "❤️")
    assert types(heard("reaction_removed")) == ["reaction.removed"] * 2


def test_a_chat_that_was_opened_without_a_word_is_opened() -> None:
    event = only("request_welcome")
    assert (event.type, event.data.identity) == ("conversation.opened", MINA)


def test_what_a_colleague_says_on_the_phone_is_an_echo() -> None:
    said, reacted, gone = heard("echo")
    assert types([said, reacted, gone]) == ["message.echoed", "reaction.added", "message.deleted"]
    data = said.data
    assert (data.direction, data.author.kind, data.to) == ("out", "business", MINA)
    assert data.window_until is None
    assert reacted.data.to == MINA
    assert gone.data.direction == "out"


@pytest.mark.parametrize("answer", ["stop", "resume"])
def test_marketing_is_wanted_or_not_and_nothing_else_changes(answer: str) -> None:
    event = only(f"preferences_{answer}")
    assert event.type == {"stop": "consent.withdrawn", "resume": "consent.granted"}[answer]
    assert (event.data.identity, event.data.purpose, event.data.scope) == (
        MINA,
        "marketing",
        "purpose",
    )


@pytest.mark.parametrize(("key", "value"), [("category", "other"), ("value", "maybe")])
def test_a_preference_we_do_not_know_is_kept(key: str, value: str) -> None:
    document = body("preferences_stop")
    document["entry"][0]["changes"][0]["value"]["user_preferences"][0][key] = value
    assert types(heard_from(document)) == ["ingress.unmapped"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("account_update", "whatsapp account_update"),
        ("template_status", "whatsapp message_template_status_update"),
        ("history", "whatsapp history"),
        ("errors_only", "whatsapp error 130429: Rate limit hit"),
        ("status_other", "whatsapp status deleted"),
        ("system_identity", "whatsapp system customer_identity_changed"),
    ],
)
def test_what_we_have_no_word_for_says_why(name: str, reason: str) -> None:
    event = only(name)
    assert (event.type, event.data.reason) == ("ingress.unmapped", reason)


def test_what_the_dashboard_posts_is_synthetic() -> None:
    message = only("dashboard_test")
    assert (message.type, message.data.synthetic) == ("message.received", True)
    status, update = heard("dashboard_test_status")
    assert types([status, update]) == ["ingress.unmapped"] * 2
    assert status.data.reason == "dashboard test of message.sent"
    assert status.data.synthetic and update.data.synthetic


# -- what became of our messages ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "type", "status"),
    [
        ("status_sent", "message.sent", "sent"),
        ("status_delivered", "message.delivered", "delivered"),
        ("status_read", "message.read", "read"),
        ("status_played", "message.read", "played"),
    ],
)
def test_a_status_says_how_far_a_message_came(name: str, type: str, status: str) -> None:
    event = only(name)
    assert (event.type, event.data.status, event.data.identity) == (type, status, MINA)
    assert event.data.message_id == "wamid.HBgLT1VSLTEwNDI="
    assert event.data.at == event.time


def test_our_key_comes_back_as_the_trace_of_a_status() -> None:
    assert only("status_sent").data.trace == "7Q2KXN4M5R6T7V8W9YABCDEFGH"
    assert only("status_read").data.trace is None


def test_a_failure_has_its_code_and_whether_to_try_again() -> None:
    closed, limited = (e.data.error for e in heard("status_failed"))
    assert closed == p.Failure(code="131047", title="Re-engagement message", retryable=False)
    assert limited == p.Failure(code="130429", title="Rate limit hit", retryable=True)


def test_a_failure_that_says_nothing_is_a_failure() -> None:
    document = body("status_failed")
    for status in document["entry"][0]["changes"][0]["value"]["statuses"]:
        del status["errors"]
    assert [e.data.error for e in heard_from(document)] == [None, None]


def test_statuses_in_any_order_are_different_facts() -> None:
    events = heard("status_out_of_order")
    assert types(events) == ["message.read", "message.sent", "message.delivered"]
    assert len({event.id for event in events}) == 3


def test_a_group_member_read_it() -> None:
    event = only("status_group")
    assert event.data.identity == MINA
    assert event.data.conversation_id == f"whatsapp/{NUMBER}/Y2FwaV9ncm91cDoxNTU1"


# -- what we say -------------------------------------------------------------------------------


def outgoing(**more: Any) -> Outgoing:
    said = Outgoing("key-1", MINA, NUMBER, f"whatsapp/{NUMBER}/{USER}", "On its way")
    return replace(said, **more)


def composed(**more: Any) -> Any:
    return json.loads(channel.compose(outgoing(**more), KEYS).body)


def test_a_text_goes_to_the_number_with_our_key_to_come_back() -> None:
    call = channel.compose(outgoing(), KEYS)
    assert call.url == f"https://graph.facebook.com/v25.0/{NUMBER}/messages"
    assert call.headers["authorization"] == "Bearer wa-token"
    assert json.loads(call.body) == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": PHONE,
        "type": "text",
        "text": {"body": "On its way", "preview_url": False},
        "biz_opaque_callback_data": "key-1",
    }


def test_a_customer_without_a_number_is_reached_by_user_id() -> None:
    said = composed(to=MINA.model_copy(update={"aliases": ()}))
    assert said["recipient"] == USER and "to" not in said


def test_a_long_text_is_cut_where_the_platform_would_refuse_it() -> None:
    assert len(composed(text="x" * 5000)["text"]["body"]) == 4096


def test_a_template_carries_its_language_and_one_line_parameters() -> None:
    template = Template("order_shipped", ("#1042", "tomorrow\n  noon"), "pt-BR")
    assert composed(means="template", template=template)["template"] == {
        "name": "order_shipped",
        "language": {"code": "pt_BR"},
        "components": [
            {
                "type": "body",
                "parameters": [
                    {"type": "text", "text": "#1042"},
                    {"type": "text", "text": "tomorrow noon"},
                ],
            }
        ],
    }


def test_a_template_without_parameters_has_no_components() -> None:
    said = composed(means="template", template=Template("thanks"))
    assert said["template"] == {"name": "thanks", "language": {"code": "en"}}


@pytest.mark.parametrize("means", ["template", "token"])
def test_what_whatsapp_cannot_carry_is_refused(means: Any) -> None:
    with pytest.raises(Unsupported):
        channel.compose(outgoing(means=means), KEYS)


def test_an_account_that_is_no_number_stays_one_part_of_the_path() -> None:
    call = channel.compose(outgoing(account="../me?x="), KEYS)
    assert call.url == "https://graph.facebook.com/v25.0/..%2Fme%3Fx%3D/messages"


def test_calls_are_signed_with_the_app_secret_where_the_account_has_one() -> None:
    keys = Credentials("w", {"access_token": "EAAtest", "app_secret": "meta-app-secret-for-tests"})
    proof = "6b77f822b9b3c15a906900d92cc80ffbf86fd790195922b04819e3f03178ab9d"
    assert channel.compose(outgoing(), keys).url.endswith(f"/messages?appsecret_proof={proof}")


# -- what the platform answers -----------------------------------------------------------------


def refused(code: int, status: int = 400, **more: Any) -> Outcome:
    error = {"error": {"message": f"(#{code}) no", "code": code, **more}}
    return channel.outcome(Response(status, body=json.dumps(error).encode()))


def test_an_accepted_message_has_its_id() -> None:
    answer = {"messaging_product": "whatsapp", "messages": [{"id": "wamid.X"}]}
    assert channel.outcome(Response(200, body=json.dumps(answer).encode())) == Outcome(
        "sent", "wamid.X"
    )
    assert channel.outcome(Response(200, body=b"ok")) == Outcome("sent")


@pytest.mark.parametrize(
    ("codes", "verdict"),
    [
        ((4, 80007, 130429, 131056, 134101, 133016, 131049), "retry"),
        ((1, 2, 131000, 131016, 131057), "unknown"),
        ((131047, 470), "template"),
        ((130472, 131048, 131064, 132015), "permanent"),
        ((131026, 131021, 130403, 131050, 131030, 131062), "permanent"),
        ((100, 131008, 131009, 131051, 132000, 132001, 132005, 132007), "permanent"),
        ((132012, 132016, 132018, 131053, 137000), "permanent"),
        ((3, 10, 200, 250, 299, 131005, 368, 131031, 130497), "stop"),
        ((131042, 131045, 133010, 131037), "stop"),
        ((0, 190), "reauthorise"),
    ],
)
def test_every_code_of_the_table_has_its_verdict(codes: tuple[int, ...], verdict: str) -> None:
    assert {refused(code).verdict for code in codes} == {verdict}


def test_meta_knows_best_what_will_pass() -> None:
    assert refused(131026, is_transient=True).verdict == "retry"
    assert refused(2, is_transient=True).verdict == "unknown"
    assert refused(131026, is_transient=False).verdict == "permanent"


def test_a_retry_waits_as_long_as_the_platform_says() -> None:
    assert refused(131056).retry_after_s == 6
    rows = [{"type": "whatsapp", "estimated_time_to_regain_access": minutes} for minutes in (0, 7)]
    usage = {NUMBER: [*rows, {"type": "x"}, "strange"], "2": "strange"}
    headers = {"x-business-use-case-usage": json.dumps(usage)}
    limited = Response(400, headers, b'{"error":{"code":130429,"message":"slow down"}}')
    assert channel.outcome(limited) == Outcome("retry", None, "130429", "slow down", 7 * 60)


def test_an_unknown_code_is_read_by_its_status() -> None:
    assert refused(999999).verdict == "permanent"
    assert refused(999999, 500).verdict == "unknown"
    assert channel.outcome(Response(503, body=b"<html>")).verdict == "retry"
    assert channel.outcome(Response(401, body=b'{"error":"x"}')).verdict == "reauthorise"


def test_a_subcode_that_is_no_number_says_nothing() -> None:
    assert refused(100, error_subcode="x").verdict == "permanent"


def test_no_key_of_ours_is_read_into_what_cannot_be_one() -> None:
    assert _meta.traced("x" * 513) is _meta.traced(7) is _meta.traced("") is None
