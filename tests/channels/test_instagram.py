"""What is particular to Instagram."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib import payloads as p
from chalicelib import sources
from chalicelib.channels.instagram import channel
from chalicelib.credentials import Credentials
from chalicelib.errors import Unsupported
from chalicelib.outbound import Outcome, Outgoing, Response
from tests import samples
from tests.samples import EVENTS

SHOP, OTHER_SHOP, IGSID = "17841400044556677", "17841400044556688", "8840011223344556"
MINA = p.Identity(channel="instagram", scope=SHOP, subject=IGSID)
LOGIN = Credentials("instagram/default", {"access_token": "ig-token", "app_secret": "secret"})
FACEBOOK = Credentials("instagram/default", {"access_token": "page-token", "page_id": "3100455"})
SENT_AT = datetime(2026, 11, 23, 11, 40, tzinfo=UTC)
TOLD = SENT_AT + timedelta(seconds=3)
TOMORROW = SENT_AT + timedelta(hours=24)
CDN = "https://lookaside.example.net/ig_messaging_cdn/?asset_id="


def heard_from(document: Any, name: str = "instagram") -> list[Any]:
    sample = samples.Sample(name, "made", json.dumps(document).encode())
    return list(sources.get(name).receive(samples.signed(sample), samples.secrets(name)))


def body(name: str) -> Any:
    return json.loads((EVENTS / "instagram" / f"{name}.json").read_text())


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
    assert event.subject == f"identity/instagram/{SHOP}/{IGSID}"
    assert event.source == f"/channels/instagram/{SHOP}"
    assert (event.time, event.timesuspect) == (SENT_AT, False)
    said = event.data
    assert said.text == "Where is my order #1042?"
    assert said.author == p.Author(kind="customer", identity=MINA)
    assert said.conversation_id == f"instagram/{SHOP}/{IGSID}"
    assert said.window_until == TOMORROW


def image(number: int) -> p.Media:
    return p.Media(media="image", url=f"{CDN}{number}")


@pytest.mark.parametrize(
    ("name", "contents"),
    [
        ("text_unicode", [(p.Text(text="届きました！ 🍵 tack så mycket"),)]),
        ("quick_reply", [(p.Text(text="#1042"), p.Postback(payload="ORDER:1042", title="#1042"))]),
        ("image", [(image(11),)]),
        (
            "attachments",
            [
                (
                    p.Text(text="All of it"),
                    p.Media(media="video", url=f"{CDN}12"),
                    p.Media(media="audio", url=f"{CDN}13"),
                    p.Media(media="file", url=f"{CDN}14"),
                    p.UnsupportedPart(type="unsupported_type"),
                )
            ],
        ),
        (
            "share",
            [
                (p.Media(media="share", url=f"{CDN}15"),),
                (p.Media(media="share", url=f"{CDN}16", name="Winter teas"),),
            ],
        ),
        ("reel", [(p.Media(media="share", url=f"{CDN}17", name="Brewing"),)]),
        ("unsupported", [(p.UnsupportedPart(type="message"),)]),
        (
            "story_reply",
            [(p.Text(text="Is this tin still in the shop?"), p.Story(url=f"{CDN}18"))],
        ),
        ("story_mention", [(p.Story(url=f"{CDN}19"),)]),
    ],
)
def test_every_kind_of_message_has_its_parts(name: str, contents: list[Any]) -> None:
    events = heard(name)
    assert {event.type for event in events} == {"message.received"}
    assert [event.data.content for event in events] == contents


def test_a_reply_names_the_message_it_answers_and_a_reply_to_a_story_none() -> None:
    assert only("reply").data.reply_to == "aWdfOURS0001"
    assert only("story_reply").data.reply_to is None


def test_a_message_can_be_edited_and_unsent() -> None:
    edited, gone = only("edit"), only("unsend")
    assert (edited.type, edited.data.text) == ("message.edited", "Three tins, I meant")
    assert (gone.type, gone.data.message_id) == ("message.deleted", "aWdfHERS0002")
    assert gone.data.content == ()


def test_a_message_may_come_as_the_value_of_a_change() -> None:
    message, standby = heard("message_as_change")
    assert types([message, standby]) == ["message.received"] * 2
    assert (message.data.author.identity, message.data.standby) == (MINA, None)
    assert standby.data.standby is True


def test_the_same_message_by_another_way_is_the_same_event() -> None:
    document = body("text")
    entry = document["entry"][0]
    entry["changes"] = [{"field": "messages", "value": entry.pop("messaging")[0]}]
    assert heard_from(document)[0].id == only("text").id


def test_a_batch_is_heard_account_by_account() -> None:
    events = heard("batch")
    assert [e.data.text for e in events] == ["one", "two", "three", "four"]
    assert [e.data.account for e in events] == [SHOP, SHOP, OTHER_SHOP, SHOP]


def test_a_strange_element_costs_its_neighbours_nothing() -> None:
    events = heard("bad_items")
    said = [e.data.content for e in events if e.type in ("message.received", "comment.created")]
    assert said == [
        (p.Text(text="The first good one"),),
        (p.UnsupportedPart(type="story"),),
        (p.Text(text="The last good one"),),
        (p.Text(text="The last good comment"),),
    ]
    assert types(events).count("ingress.unmapped") == 13


@pytest.mark.parametrize("document", [[], {}, {"object": "instagram", "entry": []}, None])
def test_a_body_without_entries_is_kept(document: Any) -> None:
    assert types(heard_from(document)) == ["ingress.unmapped"]


# -- what a customer does ----------------------------------------------------------------------


def test_an_ice_breaker_says_its_payload_and_opens_the_window() -> None:
    event = only("postback")
    assert (event.type, event.data.payload) == ("postback.received", "ORDER_STATUS")
    assert (event.data.title, event.data.window_until) == ("Where is my order?", TOMORROW)


@pytest.mark.parametrize(
    ("name", "before", "ref", "source", "medium", "ad_id"),
    [
        ("postback_referral", ["postback.received"], "qr-box-42", "SHORTLINK", "qr", None),
        ("referral", [], "qr-box-42", "SHORTLINK", "qr", None),
        ("referral_link", [], "bio", "IGME-SOURCE-LINK", "link", None),
        ("message_ad", ["message.received"], "winter", "ADS", "ad", "120299001122334455"),
        ("message_product", ["message.received"], "66001122", "PRODUCT", "link", None),
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


def test_a_reaction_opens_the_window_and_its_end_does_not() -> None:
    added, removed = only("reaction"), only("reaction_removed")
    assert (added.type, added.data.emoji) == ("reaction.added", "❤️")
    assert added.data.window_until == TOMORROW
    assert (removed.type, removed.data.window_until) == ("reaction.removed", None)


def test_what_is_seen_is_one_message_not_all_before_it() -> None:
    event = only("seen")
    assert (event.type, event.data.message_id) == ("message.read", "aWdfOURS0001")
    assert event.data.watermark is None
    assert event.time == SENT_AT + timedelta(milliseconds=900)


# -- what is ours, or not for us ---------------------------------------------------------------


def test_our_own_message_comes_back_as_an_echo_about_the_customer() -> None:
    event = only("echo")
    said = event.data
    assert (event.type, said.direction, said.author.kind) == ("message.echoed", "out", "business")
    assert (said.to, said.conversation_id) == (MINA, f"instagram/{SHOP}/{IGSID}")
    assert said.window_until is None


def test_what_the_business_does_with_itself_is_never_a_customers() -> None:
    echo, press = only("echo_self"), only("postback_self")
    assert echo.type == "message.echoed"
    assert press.data.author == p.Author(kind="business")
    assert press.data.window_until is None


def test_a_standby_copy_is_marked_and_is_not_the_message_itself() -> None:
    message, press = heard("standby")
    assert types([message, press]) == ["message.received", "postback.received"]
    assert message.data.standby is press.data.standby is True
    document = body("standby")
    document["entry"][0]["messaging"] = document["entry"][0].pop("standby")
    assert heard_from(document)[0].id != message.id


def test_the_thread_changes_hands() -> None:
    passed, asked = only("pass_thread_control"), only("request_thread_control")
    assert (passed.type, asked.type) == ("handoff.completed", "handoff.requested")
    assert (passed.data.source, passed.data.to) == ("app:1112223334445", "human")


def test_what_the_dashboard_posts_is_synthetic() -> None:
    for name in ("dashboard_test", "dashboard_test_change"):
        events = heard(name)
        assert events[0].type == "message.received"
        assert all(event.data.synthetic for event in events)
    flat = only("dashboard_test_flat")
    assert (flat.type, flat.data.synthetic) == ("ingress.unmapped", True)
    assert flat.data.reason == "dashboard test, unreadable: KeyError"


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("story_insights", ["instagram story_insights"]),
        ("edit_of_nobody", ["instagram message_edit of nobody"]),
        ("names_only", ["page comments without its value", "page mentions without its value"]),
    ],
)
def test_what_we_have_no_word_for_says_why(name: str, reasons: list[str]) -> None:
    assert [event.data.reason for event in heard(name)] == reasons


# -- in public ---------------------------------------------------------------------------------


def test_a_comment_is_said_in_our_words() -> None:
    event = only("comment")
    assert event.type == "comment.created"
    assert event.subject == f"post/instagram/{SHOP}/18000000000000001"
    assert event.time == TOLD
    said = event.data
    assert said.text == "My parcel came open!"
    assert said.author == p.Author(kind="customer", identity=MINA, display_name="mina.okafor")
    assert (said.direction, said.visibility, said.window_until) == ("in", "public", None)
    assert said.public == p.PublicPost(post_id="18000000000000001")
    assert (said.message_id, said.reply_to) == ("17900000000000001", None)


def test_every_shape_of_a_comment_is_read() -> None:
    flat, live = only("comment_flat"), only("live_comment")
    assert (flat.type, flat.data.text) == ("comment.created", "Still no answer")
    assert (live.type, live.data.text) == ("comment.created", "Can I order now?")
    assert [e.data.text for e in heard("comment_array")] == ["one", "two"]


def test_flat_or_nested_it_is_the_same_comment() -> None:
    document = body("comment_flat")
    entry = document["entry"][0]
    entry["changes"] = [{key: entry.pop(key) for key in ("field", "value")}]
    assert heard_from(document) == heard("comment_flat")
    assert heard_from([document]) == heard("comment_flat")


def test_a_reply_below_an_ad_belongs_to_the_thread_it_answers() -> None:
    first, reply, own = only("comment"), only("comment_reply_ad"), only("comment_own")
    assert (reply.data.message_id, reply.data.reply_to) == (
        "17900000000000005", "17900000000000001",
    )  # fmt: skip
    assert own.data.conversation_id == first.data.conversation_id
    assert reply.data.conversation_id.rpartition("/")[2] == "17900000000000001"


def test_our_own_comment_is_never_a_customers() -> None:
    own = only("comment_own")
    assert (own.data.direction, own.data.author) == ("out", p.Author(kind="business"))
    document = body("comment_own")
    del document["entry"][0]["changes"][0]["value"]["from"]["self_ig_scoped_id"]
    assert heard_from(document)[0].data.direction == "out"


def test_a_comment_without_author_or_words_is_a_comment() -> None:
    nobody, wordless = heard("comment_bare")
    assert nobody.data.author == p.Author(kind="customer")
    assert nobody.data.public.post_id == nobody.data.message_id
    assert wordless.data.content == (p.UnsupportedPart(type="comment"),)


def test_a_mention_is_known_by_its_ids_alone() -> None:
    comment, caption = heard("mention")
    assert types([comment, caption]) == ["mention.created"] * 2
    assert (comment.data.message_id, caption.data.message_id) == (
        "17900000000000010", "18000000000000011",
    )  # fmt: skip
    assert comment.data.public.post_id == "18000000000000010"
    assert comment.data.content == (p.UnsupportedPart(type="mention"),)


# -- at another channel's URL ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["text", "comment", "comment_flat", "batch", "mention"])
@pytest.mark.parametrize("url", ["messenger", "facebook_page"])
def test_the_same_body_says_the_same_at_the_pages_url(name: str, url: str) -> None:
    assert heard_from(body(name), url) == heard(name)


def test_a_body_of_a_page_says_the_same_here() -> None:
    assert heard("page") == heard_from(body("page"), "messenger")
    assert {event.data.channel for event in heard("page")} == {"messenger", "facebook_page"}


# -- what we say -------------------------------------------------------------------------------


def outgoing(conversation: str = f"instagram/{SHOP}/{IGSID}", **more: Any) -> Outgoing:
    return replace(Outgoing("key-1", MINA, SHOP, conversation, "On its way"), **more)


def test_a_text_goes_by_the_host_of_the_login() -> None:
    expected = {"recipient": {"id": IGSID}, "message": {"text": "On its way"}}
    login = channel.compose(outgoing(), LOGIN)
    assert login.url == f"https://graph.instagram.com/v25.0/{SHOP}/messages"
    assert login.headers["authorization"] == "Bearer ig-token"
    facebook = channel.compose(outgoing(), FACEBOOK)
    assert facebook.url == "https://graph.facebook.com/v25.0/3100455/messages"
    assert json.loads(login.body) == json.loads(facebook.body) == expected


def test_a_text_is_cut_at_bytes_and_never_within_a_character() -> None:
    for text, kept in (("x" * 3000, 1000), ("茶" * 3000, 333), ("a" + "🍵" * 3000, 250)):
        said = json.loads(channel.compose(outgoing(text=text), LOGIN).body)["message"]["text"]
        assert len(said) == kept and text.startswith(said)


@pytest.mark.parametrize("name", ["comment", "comment_own"])
def test_an_answer_to_a_comment_goes_below_the_top_of_its_thread(name: str) -> None:
    call = channel.compose(outgoing(only(name).data.conversation_id), LOGIN)
    assert call.url == "https://graph.instagram.com/v25.0/17900000000000001/replies"
    assert json.loads(call.body) == {"message": "On its way"}


def test_an_answer_in_public_is_short() -> None:
    call = channel.compose(outgoing(only("comment").data.conversation_id, text="x" * 999), LOGIN)
    assert len(json.loads(call.body)["message"]) == 300


def test_a_mention_is_answered_with_facebook_login_only() -> None:
    comment, caption = (event.data.conversation_id for event in heard("mention"))
    call = channel.compose(outgoing(comment), FACEBOOK)
    assert call.url == f"https://graph.facebook.com/v25.0/{SHOP}/mentions"
    assert json.loads(call.body) == {
        "media_id": "18000000000000010",
        "comment_id": "17900000000000010",
        "message": "On its way",
    }
    said = json.loads(channel.compose(outgoing(caption), FACEBOOK).body)
    assert said == {"media_id": "18000000000000011", "message": "On its way"}
    with pytest.raises(Unsupported):
        channel.compose(outgoing(comment), LOGIN)


def test_there_are_no_templates() -> None:
    with pytest.raises(Unsupported):
        channel.compose(outgoing(means="template"), LOGIN)


# -- what the platform answers -----------------------------------------------------------------


def test_an_accepted_message_has_its_id() -> None:
    answer = Response(200, body=b'{"recipient_id":"1","message_id":"aWdfX"}')
    assert channel.outcome(answer) == Outcome("sent", "aWdfX")
    assert channel.outcome(Response(200, body=b'{"id":"179"}')) == Outcome("sent", "179")


@pytest.mark.parametrize(
    ("code", "sub", "verdict"),
    [
        (1, None, "unknown"),
        (2, None, "unknown"),
        (4, None, "retry"),
        (613, None, "retry"),
        (80002, None, "retry"),
        (10, 2534022, "permanent"),
        (10, None, "stop"),
        (100, 2534014, "permanent"),
        (100, None, "permanent"),
        (190, None, "reauthorise"),
        (200, 2534122, "stop"),
        (100, 2534029, "stop"),
        (368, None, "stop"),
        (551, None, "permanent"),
    ],
)
def test_every_code_of_the_table_has_its_verdict(code: int, sub: int | None, verdict: str) -> None:
    error = {"error": {"message": "no", "code": code, "error_subcode": sub}}
    assert channel.outcome(Response(400, body=json.dumps(error).encode())).verdict == verdict
