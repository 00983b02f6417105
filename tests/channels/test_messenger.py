"""What is particular to Messenger."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib import payloads as p
from chalicelib.channels.messenger import channel
from chalicelib.credentials import Credentials
from chalicelib.errors import Unsupported
from chalicelib.outbound import Outcome, Outgoing, Response, Template
from tests import samples
from tests.samples import EVENTS

PAGE, OTHER_PAGE, PSID = "310045500112233", "310045500112244", "7320045510098111"
MINA = p.Identity(channel="messenger", scope=PAGE, subject=PSID)
KEYS = Credentials("messenger/default", {"access_token": "page-token"})
SENT_AT = datetime(2026, 11, 23, 11, 40, tzinfo=UTC)
TOMORROW = SENT_AT + timedelta(hours=24)


def heard_from(document: Any) -> list[Any]:
    sample = samples.Sample("messenger", "made", json.dumps(document).encode())
    return list(channel.receive(samples.signed(sample), samples.secrets("messenger")))


def body(name: str) -> Any:
    return json.loads((EVENTS / "messenger" / f"{name}.json").read_text())


def heard(name: str) -> list[Any]:
    return heard_from(body(name))


def only(name: str) -> Any:
    [event] = heard(name)
    return event


def types(events: list[Any]) -> list[str]:
    return [event.type for event in events]


# -- messages ----------------------------------------------------------------------------------


def test_a_text_is_said_in_our_words() -> None:
    event = only("text")
    assert event.type == "message.received"
    assert event.subject == f"identity/messenger/{PAGE}/{PSID}"
    assert event.source == f"/channels/messenger/{PAGE}"
    assert (event.time, event.timesuspect) == (SENT_AT, False)
    said = event.data
    assert said.text == "My parcel came open. Two tins are missing."
    assert said.author == p.Author(kind="customer", identity=MINA)
    assert said.conversation_id == f"messenger/{PAGE}/{PSID}"
    assert said.window_until == TOMORROW
    assert set(json.loads(said.raw)) == {"id", "time", "of", "item"}


def test_numbers_and_texts_name_the_same_people() -> None:
    document = body("text")
    entry = document["entry"][0]
    entry["id"] = int(PAGE)
    entry["messaging"][0]["sender"]["id"] = int(PSID)
    [event] = heard_from(document)
    assert event.id == only("text").id
    assert event.data == only("text").data.model_copy(update={"raw": event.data.raw})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text_unicode", (p.Text(text="Läckert te! 🍵 お茶"),)),
        ("quick_reply", (p.Text(text="#1042"), p.Postback(payload="ORDER:1042", title="#1042"))),
        ("image", (p.Media(media="image", url="https://scontent.example.net/broken-tin.jpg"),)),
        (
            "attachments",
            (
                p.Text(text="Everything I have"),
                p.Media(media="video", url="https://video.example.net/a.mp4"),
                p.Media(media="audio", url="https://cdn.example.net/a.mp3"),
                p.Media(media="file", url="https://cdn.example.net/invoice.pdf"),
                p.UnsupportedPart(type="poll"),
            ),
        ),
        ("location", (p.Location(latitude=59.9139, longitude=10.7522, name="Mina's Location"),)),
        (
            "link",
            (
                p.Media(
                    media="share", url="https://marigold.example/returns", name="Our returns page"
                ),
            ),
        ),
        (
            "reel",
            (p.Media(media="share", url="https://video.example.net/reel.mp4", name="Brewing"),),
        ),
        ("sticker", (p.Sticker(id="369239263222822"),)),
        (
            "product",
            (
                p.Text(text="Do you have this in blue?"),
                p.Media(
                    media="share",
                    media_id="MUG-01",
                    url="https://cdn.example.net/mug.jpg",
                    name="Mug",
                ),
            ),
        ),
        ("unsupported", (p.UnsupportedPart(type="message"),)),
    ],
)
def test_every_kind_of_message_has_its_parts(name: str, content: tuple[Any, ...]) -> None:
    event = only(name)
    assert event.type == "message.received"
    assert event.data.content == content


def test_an_old_sticker_is_one_part_with_or_without_its_picture() -> None:
    pictured, bare = heard("sticker_legacy")
    assert pictured.data.content == (p.Sticker(id="369239263222822"),)
    assert bare.data.content == (p.Sticker(id="369239343222814"),)


def test_a_reply_names_what_it_answers() -> None:
    assert only("reply").data.reply_to == "m_Zk9tOURS0001"


def test_a_message_can_be_edited_and_deleted() -> None:
    edited, gone = only("edit"), only("delete")
    assert (edited.type, edited.data.message_id) == ("message.edited", "m_Zk9tHERS0001")
    assert edited.data.text == "Three tins, I meant"
    assert (gone.type, gone.data.message_id) == ("message.deleted", "m_Zk9tHERS0002")
    assert gone.data.content == ()


def test_every_edit_is_another_fact() -> None:
    document = body("edit")
    document["entry"][0]["messaging"][0]["message_edit"]["num_edit"] = 2
    assert heard_from(document)[0].id != only("edit").id


def test_a_strange_element_costs_its_neighbours_nothing() -> None:
    events = heard("bad_items")
    received = [e.data.content for e in events if e.type == "message.received"]
    assert received == [
        (p.Text(text="The first good one"),),
        (p.UnsupportedPart(type="attachment"),),
        (p.UnsupportedPart(type="message"),),
        (p.Text(text="The last good one"),),
    ]
    assert types(events).count("ingress.unmapped") == 8
    assert [e.data.payload for e in events if e.type == "postback.received"] == [""]


def test_a_batch_is_heard_page_by_page_and_message_by_message() -> None:
    events = heard("batch")
    assert [e.data.text for e in events] == ["one", "two", "three", "four", "five"]
    assert [e.data.account for e in events] == [PAGE, PAGE, OTHER_PAGE, OTHER_PAGE, PAGE]
    assert [e.data.channel for e in events] == ["messenger"] * 4 + ["facebook_page"]


def test_a_message_in_another_batch_is_the_same_event() -> None:
    alone, batch = body("text"), body("batch")
    batch["entry"][0]["messaging"] += alone["entry"][0]["messaging"]
    assert heard_from(batch)[2].id == only("text").id


@pytest.mark.parametrize("entries", [[], None, {}])
def test_a_body_without_entries_is_kept(entries: Any) -> None:
    assert types(heard_from({"object": "page", "entry": entries})) == ["ingress.unmapped"]


# -- what a customer does ----------------------------------------------------------------------


def test_a_button_says_its_payload_and_opens_the_window() -> None:
    first, old = heard("postback")
    assert (first.type, first.data.payload) == ("postback.received", "ESCALATE")
    assert first.data.title == "Talk to a person"
    assert first.data.window_until == TOMORROW
    assert old.data.message_id is None


@pytest.mark.parametrize(
    ("name", "before", "ref", "source", "medium", "ad_id"),
    [
        ("postback_referral", ["postback.received"], "qr-box-42", "SHORTLINK", "qr", None),
        ("referral", [], "newsletter-12", "SHORTLINK", "link", None),
        ("referral_ad", [], "120299001122334455", "ADS", "ad", "120299001122334455"),
        (
            "message_referral",
            ["message.received"],
            "120299001122334455",
            "ADS",
            "ad",
            "120299001122334455",
        ),
        ("optin", ["conversation.opened"], "checkout-1042", "optin", "link", None),
    ],
)
def test_a_referral_is_heard_in_every_place_it_travels(
    name: str, before: list[str], ref: str, source: str, medium: str, ad_id: str | None
) -> None:
    *others, event = heard(name)
    assert types(others) == before
    data = event.data
    assert (data.ref, data.source, data.medium, data.ad_id) == (ref, source, medium, ad_id)
    assert (data.identity, data.window_until) == (MINA, TOMORROW)


def test_an_ad_without_a_number_is_an_ad() -> None:
    document = body("referral_ad")
    del document["entry"][0]["messaging"][0]["referral"]["ad_id"]
    [event] = heard_from(document)
    assert (event.data.ref, event.data.medium, event.data.ad_id) == ("", "ad", None)


def test_a_guest_of_the_plugin_is_linked_to_the_customer_they_become() -> None:
    guest = p.Identity(channel="messenger", scope=PAGE, subject="user_ref:guest-551")
    opened = only("optin_guest")
    assert (opened.type, opened.data.identity) == ("conversation.opened", guest)
    message, link = heard("prior_message")
    assert message.type == "message.received"
    assert (link.type, link.data.a, link.data.b) == ("identity.linked", MINA, guest)


def test_marketing_messages_are_wanted_or_not() -> None:
    wanted, stopped = only("notifications_on"), only("notifications_off")
    assert (wanted.type, stopped.type) == ("consent.granted", "consent.withdrawn")
    assert wanted.data.identity == stopped.data.identity == MINA
    assert (stopped.data.purpose, stopped.data.scope) == ("marketing", "purpose")


def test_a_reaction_opens_the_window_and_its_end_does_not() -> None:
    added, removed = only("reaction"), only("reaction_removed")
    assert (added.type, added.data.emoji) == ("reaction.added", "❤️")
    assert added.data.window_until == TOMORROW
    assert (removed.type, removed.data.window_until) == ("reaction.removed", None)


def test_a_linked_account_is_another_name_of_the_customer() -> None:
    event = only("account_linked")
    theirs = p.Identity(channel="authorization_code", scope=PAGE, subject="mg-7781-code")
    assert (event.type, event.data.a, event.data.b) == ("identity.linked", MINA, theirs)


# -- receipts ----------------------------------------------------------------------------------


def test_a_delivery_is_a_watermark_and_the_messages_it_names() -> None:
    until, first, second = heard("delivery")
    assert types([until, first, second]) == ["message.delivered"] * 3
    mark = SENT_AT + timedelta(milliseconds=900)
    assert (until.data.watermark, until.data.message_id, until.time) == (mark, None, mark)
    assert [e.data.message_id for e in (first, second)] == ["m_Zk9tOURS0001", "m_Zk9tOURS0002"]
    assert first.data.watermark is None
    assert types(heard("delivery_no_mids")) == ["message.delivered"]


def test_reading_is_a_watermark_that_opens_nothing() -> None:
    event = only("read")
    assert (event.type, event.data.status) == ("message.read", "read")
    assert event.data.watermark == SENT_AT + timedelta(milliseconds=1100)
    assert event.time == SENT_AT + timedelta(milliseconds=1200)


# -- what is ours, or not for us ---------------------------------------------------------------


def test_our_own_message_comes_back_as_an_echo_with_our_key() -> None:
    event = only("echo")
    said = event.data
    assert (event.type, said.direction, said.author.kind) == ("message.echoed", "out", "business")
    assert (said.to, said.conversation_id) == (MINA, f"messenger/{PAGE}/{PSID}")
    assert said.trace == "7Q2KXN4M5R6T7V8W9YABCDEFGH"
    assert said.window_until is None


def test_what_people_say_in_the_inbox_is_an_echo_without_a_key() -> None:
    text, template, reaction = heard("echo_inbox")
    assert types([text, template]) == ["message.echoed"] * 2
    assert text.data.trace is None
    assert template.data.content == (p.UnsupportedPart(type="template"),)
    assert (reaction.data.author.kind, reaction.data.to) == ("business", MINA)


def test_an_old_echo_names_the_customer_first() -> None:
    document = body("echo")
    item = document["entry"][0]["messaging"][0]
    item["sender"], item["recipient"] = item["recipient"], item["sender"]
    assert heard_from(document)[0].data.to == MINA


def test_the_page_never_talks_to_itself_even_when_an_echo_does_not_say_so() -> None:
    document = body("echo")
    del document["entry"][0]["messaging"][0]["message"]["is_echo"]
    assert types(heard_from(document)) == ["message.echoed"]


def test_a_standby_copy_is_marked_and_is_not_the_message_itself() -> None:
    message, press, echo = heard("standby")
    assert types([message, press, echo]) == [
        "message.received", "postback.received", "message.echoed",
    ]  # fmt: skip
    assert message.data.standby is press.data.standby is echo.data.standby is True
    document = body("standby")
    document["entry"][0]["messaging"] = document["entry"][0].pop("standby")
    owned = heard_from(document)[0]
    assert (owned.data.standby, owned.data.message_id) == (None, message.data.message_id)
    assert owned.id != message.id


def test_the_thread_changes_hands() -> None:
    passed, taken = only("pass_thread_control"), only("take_thread_control")
    asked = only("request_thread_control")
    assert (passed.type, taken.type, asked.type) == (
        "handoff.completed", "handoff.completed", "handoff.requested",
    )  # fmt: skip
    assert (passed.data.source, passed.data.to) == ("app:1112223334445", "human")
    assert passed.data.reason == "asked for a person"
    assert (taken.data.source, taken.data.to) == ("app:1112223334445", "primary")
    assert (asked.data.source, asked.data.to) == ("bot", "app:998877665544")
    assert asked.data.reason == "request_thread_control"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("app_roles", "messenger app_roles"),
        ("policy", "messenger policy-enforcement"),
        ("account_unlinked", "messenger account_linking unlinked"),
        ("template_status", "messenger message_template_status_update"),
    ],
)
def test_what_we_have_no_word_for_says_why(name: str, reason: str) -> None:
    event = only(name)
    assert (event.type, event.data.reason) == ("ingress.unmapped", reason)


def test_what_the_dashboard_posts_is_synthetic() -> None:
    change, message = only("dashboard_test"), only("dashboard_test_message")
    assert (change.type, change.data.synthetic) == ("ingress.unmapped", True)
    assert (message.type, message.data.synthetic) == ("message.received", True)


def test_the_feed_of_the_page_arrives_here_and_is_its_own_channel() -> None:
    events = heard("page_feed")
    assert {event.data.channel for event in events} == {"facebook_page"}
    assert {event.source for event in events} == {f"/channels/facebook_page/{PAGE}"}


# -- what we say -------------------------------------------------------------------------------


def outgoing(**more: Any) -> Outgoing:
    said = Outgoing("key-1", MINA, PAGE, f"messenger/{PAGE}/{PSID}", "On its way")
    return replace(said, **more)


def composed(**more: Any) -> Any:
    return json.loads(channel.compose(outgoing(**more), KEYS).body)


def test_a_text_is_a_response_with_our_key_to_come_back() -> None:
    call = channel.compose(outgoing(), KEYS)
    assert call.url == f"https://graph.facebook.com/v25.0/{PAGE}/messages"
    assert call.headers["authorization"] == "Bearer page-token"
    assert json.loads(call.body) == {
        "recipient": {"id": PSID},
        "messaging_type": "RESPONSE",
        "message": {"text": "On its way", "metadata": "key-1"},
    }


def test_outside_the_window_an_update_is_a_utility_template() -> None:
    said = composed(means="template", template=Template("order_shipped", ("#1042",), "en-US"))
    assert said == {
        "recipient": {"id": PSID},
        "messaging_type": "UTILITY",
        "message": {
            "template": {
                "name": "order_shipped",
                "language": {"code": "en_US"},
                "components": [{"type": "body", "parameters": [{"type": "text", "text": "#1042"}]}],
            },
            "metadata": "key-1",
        },
    }


def test_a_template_without_parameters_has_no_components() -> None:
    said = composed(means="template", template=Template("thanks"))
    assert said["message"]["template"] == {"name": "thanks", "language": {"code": "en"}}


def test_a_guest_is_reached_by_the_plugins_reference() -> None:
    guest = MINA.model_copy(update={"subject": "user_ref:guest-551"})
    assert composed(to=guest)["recipient"] == {"user_ref": "guest-551"}


def test_a_long_text_is_cut_where_the_platform_would_refuse_it() -> None:
    assert len(composed(text="x" * 3000)["message"]["text"]) == 2000


@pytest.mark.parametrize("means", ["template", "response"])
def test_what_messenger_cannot_carry_is_refused(means: Any) -> None:
    with pytest.raises(Unsupported):
        channel.compose(outgoing(means=means), KEYS)


# -- what the platform answers -----------------------------------------------------------------


def refused(code: int, sub: int | None = None) -> Outcome:
    error = {"error": {"message": "no", "code": code, "error_subcode": sub}}
    return channel.outcome(Response(400, body=json.dumps(error).encode()))


def test_an_accepted_message_has_its_id() -> None:
    answer = Response(200, body=b'{"recipient_id":"1","message_id":"m_X"}')
    assert channel.outcome(answer) == Outcome("sent", "m_X")


@pytest.mark.parametrize(
    ("code", "sub", "verdict", "wait"),
    [
        (1, None, "unknown", None),
        (2, None, "unknown", None),
        (1200, None, "unknown", None),
        (2, 2018344, "permanent", None),
        (4, None, "retry", None),
        (4, 2018022, "retry", None),
        (32, None, "retry", None),
        (613, None, "retry", None),
        (80001, None, "retry", None),
        (80006, None, "retry", None),
        (10, 2018278, "template", None),
        (10, 2018065, "template", None),
        (10, 2018108, "permanent", None),
        (10, 1893063, "retry", 1800),
        (10, None, "stop", None),
        (100, None, "permanent", None),
        (100, 2018001, "permanent", None),
        (100, 2018034, "permanent", None),
        (100, 2018109, "permanent", None),
        (190, 463, "reauthorise", None),
        (200, None, "stop", None),
        (230, None, "stop", None),
        (368, None, "stop", None),
        (551, 1545041, "permanent", None),
        (200, 1545041, "permanent", None),
    ],
)
def test_every_code_of_the_table_has_its_verdict(
    code: int, sub: int | None, verdict: str, wait: int | None
) -> None:
    outcome = refused(code, sub)
    assert (outcome.verdict, outcome.retry_after_s) == (verdict, wait)
