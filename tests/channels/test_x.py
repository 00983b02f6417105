"""What is particular to X."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib import payloads as p
from chalicelib.channels._x_measure import cut, weight
from chalicelib.channels.x import channel
from chalicelib.credentials import Accounts, Credentials
from chalicelib.errors import MalformedPayload, Unsupported, WrongMethod
from chalicelib.outbound import Outcome, Outgoing, Response
from chalicelib.source import Request
from tests import samples
from tests.samples import EVENTS

US, HER = "1400000000000000001", "2700000000000000002"
MINA = p.Identity(channel="x", scope=US, subject=HER)
AUTHOR = p.Author(
    kind="customer", identity=MINA, display_name="Mina Okafor", followers=48200, verified=False
)
BUSINESS = p.Author(kind="business")
KEYS = Credentials("x/default", {"access_token": "x-token"})
SECRET = Accounts("x", {"default": {"consumer_secret": "x-consumer-secret-for-tests"}})
AT = datetime(2026, 11, 23, 11, 40, tzinfo=UTC)


def post(number: str) -> str:
    return f"3100000000000000{number}"


def message(number: str) -> str:
    return f"3200000000000000{number}"


def heard_from(document: Any) -> list[Any]:
    sample = samples.Sample("x", "made", json.dumps(document).encode())
    return list(channel.receive(samples.signed(sample), samples.secrets("x")))


def body(name: str) -> Any:
    return json.loads((EVENTS / "x" / f"{name}.json").read_text())


def heard(name: str) -> list[Any]:
    return heard_from(body(name))


def only(name: str) -> Any:
    [event] = heard(name)
    return event


def types(events: list[Any]) -> list[str]:
    return [event.type for event in events]


# -- the handshake -----------------------------------------------------------------------------


def asked(token: str | None) -> Request:
    return Request(method="GET", query={} if token is None else {"crc_token": token})


def test_the_challenge_is_answered_as_its_vector_says() -> None:
    answer = channel.handshake(asked("challenge_string"), SECRET)
    assert (answer.status, answer.content_type) == (200, "application/json")
    expected = "sha256=4ZWymzU2g7QsAH36r1td8P8ZBB5Q2ydCQG7V6bfjPVI="
    assert json.loads(answer.body) == {"response_token": expected}


@pytest.mark.parametrize("token", [None, "", "x" * 600, '{"data":{"event_type":"dm.received"}}'])
def test_nothing_is_signed_that_could_be_a_delivery(token: str | None) -> None:
    with pytest.raises(MalformedPayload):
        channel.handshake(asked(token), SECRET)


def test_other_methods_are_not_a_handshake() -> None:
    with pytest.raises(WrongMethod):
        channel.handshake(replace(asked("t"), method="OPTIONS"), SECRET)


# -- posts -------------------------------------------------------------------------------------


def test_a_mention_is_said_in_our_words() -> None:
    event = only("mention")
    assert event.type == "mention.created"
    assert event.subject == f"post/x/{US}/{post('001')}"
    assert event.source == f"/channels/x/{US}"
    assert (event.time, event.timesuspect) == (AT, False)
    said = event.data
    assert said.text == "@marigoldtea my parcel came open & two tins are gone"
    assert said.author == AUTHOR
    assert (said.direction, said.visibility, said.lang) == ("in", "public", "en")
    assert said.public == p.PublicPost(
        post_id=post("001"),
        permalink=f"https://x.com/minaok/status/{post('001')}",
        replies=2,
        shares=4,
        likes=41,
    )


def test_the_older_api_says_the_same_of_the_same_post() -> None:
    new, old = only("mention"), only("legacy_mention")
    assert old.id == new.id
    assert old.data.model_copy(update={"raw": new.data.raw}) == new.data
    assert old.time == new.time


def test_a_post_that_matches_two_subscriptions_is_one_fact() -> None:
    as_reply, as_mention = only("reply"), only("reply_as_mention")
    assert as_reply.type == as_mention.type == "comment.created"
    assert as_reply.id == as_mention.id


def test_an_answer_to_us_is_a_comment_in_the_thread_of_our_post() -> None:
    event = only("reply")
    assert event.subject == f"post/x/{US}/{post('900')}"
    assert event.data.reply_to == post("900")
    assert event.data.conversation_id == f"x/{US}/{post('900')}/{post('002')}"
    assert event.data.author == p.Author(kind="customer", identity=MINA)
    assert event.data.public.permalink == f"https://x.com/i/status/{post('002')}"
    assert only("reply_unsaid").type == "comment.created"


def test_a_quote_is_words_about_us_and_a_repost_only_a_share() -> None:
    quote, repost = only("quote"), only("repost")
    shared = p.Media(media="share", url=f"https://x.com/i/status/{post('900')}")
    assert quote.type == "mention.created"
    assert quote.data.content[1:] == (shared,) and "gift wrapping" in quote.data.text
    assert (repost.type, repost.data.content) == ("share.created", (shared,))


def test_everything_in_a_post_is_a_part() -> None:
    text, photo, film = only("photo").data.content
    assert text == p.Text(text="@marigoldtea look")
    assert photo == p.Media(
        media="image", url="https://pbs.example.net/media/1.jpg", media_id="3_1"
    )
    assert (film.media, film.url) == ("video", "https://pbs.example.net/media/2.jpg")


def test_an_edited_post_is_the_first_one_with_other_words() -> None:
    event = only("edited")
    assert (event.type, event.data.message_id) == ("comment.edited", post("001"))
    assert event.data.conversation_id.endswith(post("008"))


def test_a_long_post_is_whole_and_und_is_no_language() -> None:
    said = only("long").data
    assert (said.text, said.lang) == (
        "@marigoldtea It began so well, and then the box leaked.",
        None,
    )


def test_the_older_api_tells_kinds_apart_too() -> None:
    reply, quote, repost, own, long, film = heard("legacy_posts")
    assert types([reply, quote, repost, own, long, film]) == [
        "comment.created", "mention.created", "share.created",
        "comment.created", "mention.created", "mention.created",
    ]  # fmt: skip
    assert reply.time == AT
    assert (own.data.direction, own.data.author, own.data.to) == ("out", BUSINESS, MINA)
    assert long.data.text.endswith("the box leaked.")
    assert [part.kind for part in long.data.content] == ["text", "media"]
    assert film.data.content[1].media == "video"


def test_our_own_posts_are_never_a_customers() -> None:
    for name in ("own_post", "own_reply", "own_thread"):
        event = only(name)
        assert event.type == "comment.created"
        assert (event.data.direction, event.data.author) == ("out", BUSINESS)


def test_our_answer_belongs_to_the_conversation_it_answers() -> None:
    own = only("own_reply").data
    assert own.conversation_id == only("mention").data.conversation_id
    assert own.to == MINA
    assert only("own_thread").data.to is None


def test_a_post_that_is_gone_says_so() -> None:
    event = only("deleted")
    assert (event.type, event.data.message_id) == ("comment.deleted", post("901"))
    assert (event.data.direction, event.data.content) == ("out", ())
    own, theirs = heard("legacy_deleted")
    assert (own.data.direction, theirs.data.direction) == ("out", "in")
    assert theirs.data.author.identity == MINA


def test_what_is_said_below_a_broadcast_is_a_comment_nobody_can_answer() -> None:
    event = only("broadcast_chat")
    assert (event.type, event.data.text) == ("comment.created", "Do you ship to Oslo?")
    assert (event.data.author, event.data.public.post_id) == (AUTHOR, "1mGPaZaAdNqJN")
    with pytest.raises(Unsupported):
        channel.compose(outgoing(event.data.conversation_id), KEYS)


# -- direct messages ---------------------------------------------------------------------------


def test_a_direct_message_is_said_in_our_words() -> None:
    event = only("dm")
    assert event.type == "message.received"
    assert event.subject == f"identity/x/{US}/{HER}"
    assert event.time == AT
    said = event.data
    assert (said.text, said.author) == ("Where is my order #1042? <3", AUTHOR)
    assert said.conversation_id == f"x/{US}/{HER}"
    assert (said.message_id, said.window_until) == (message("001"), None)


def test_our_own_message_comes_back_as_an_echo() -> None:
    event = only("dm_sent")
    assert event.type == "message.echoed"
    assert (event.data.direction, event.data.author) == ("out", BUSINESS)
    assert (event.data.to, event.data.conversation_id) == (MINA, f"x/{US}/{HER}")


def test_the_older_api_delivers_several_messages_at_once() -> None:
    theirs, ours = heard("legacy_dm")
    assert types([theirs, ours]) == ["message.received", "message.echoed"]
    assert theirs.data.author == AUTHOR


def test_every_part_of_a_message_is_read() -> None:
    photo, place, chosen, unknown, empty = (e.data.content for e in heard("dm_attachments"))
    shown = p.Media(
        media="image", url="https://ton.example.net/1.jpg", media_id="3300000000000000001"
    )
    assert photo == (p.Text(text="Like this"), shown)
    assert place[1] == p.Location(latitude=59.9139, longitude=10.7522)
    assert chosen == (p.Text(text="#1042"), p.Postback(payload="ORDER:1042", title="#1042"))
    assert unknown == (p.UnsupportedPart(type="media"),)
    assert empty == (p.UnsupportedPart(type="message"),)


def test_an_encrypted_message_is_a_message_we_cannot_read() -> None:
    received, sent = only("chat"), only("chat_sent")
    assert (received.type, sent.type) == ("message.received", "message.echoed")
    assert received.data.content == (p.UnsupportedPart(type="encrypted chat"),)
    assert (received.data.author.identity, received.time) == (MINA, AT)
    assert (sent.data.to, sent.data.conversation_id) == (MINA, f"x/{US}/{HER}")


def test_what_a_customer_read_is_told_and_what_we_read_is_not() -> None:
    event = only("dm_read")
    assert (event.type, event.data.message_id) == ("message.read", message("002"))
    assert (event.data.identity, event.data.at) == (MINA, AT + timedelta(milliseconds=900))
    theirs, ours = heard("legacy_read")
    assert (theirs.type, ours.data.reason) == ("message.read", "x read by us")


# -- people ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "author", "to", "liked"),
    [
        ("like", AUTHOR, None, post("900")),
        ("like_by_somebody", p.Author(kind="customer"), None, post("900")),
        ("like_own", BUSINESS, MINA, post("001")),
        ("legacy_like", AUTHOR, None, post("900")),
    ],
)
def test_a_like_names_the_post_and_who_liked_it_where_x_says(
    name: str, author: p.Author, to: p.Identity | None, liked: str
) -> None:
    event = only(name)
    assert (event.type, event.data.emoji) == ("reaction.added", "like")
    assert (event.data.author, event.data.to, event.data.message_id) == (author, to, liked)
    assert event.time == AT


def test_a_follower_opens_a_conversation_and_who_leaves_wants_no_news() -> None:
    followed, left = only("follow"), only("unfollow")
    assert (followed.type, followed.data.identity) == ("conversation.opened", MINA)
    assert (left.type, left.data.identity) == ("consent.withdrawn", MINA)
    assert (left.data.purpose, left.data.scope) == ("marketing", "channel")


def test_a_block_withdraws_everything_and_its_end_grants_nothing() -> None:
    followed, left, by_us, blocked, unblocked, block_by_us, muted = heard("legacy_people")
    assert types([followed, left]) == ["conversation.opened", "consent.withdrawn"]
    assert (blocked.type, blocked.data.purpose) == ("consent.withdrawn", "all")
    reasons = [e.data.reason for e in (by_us, unblocked, block_by_us, muted)]
    assert reasons == ["x follow by us", "x unblock", "x block by us", "x mute_events"]


def test_a_relation_is_the_same_though_its_profiles_have_changed() -> None:
    document = body("legacy_people")
    document["follow_events"][0]["source"]["followers_count"] += 1
    assert [e.id for e in heard_from(document)][:3] == [e.id for e in heard("legacy_people")][:3]


@pytest.mark.parametrize(
    ("name", "reason", "account"),
    [
        ("dm_typing", "x direct_message_indicate_typing_events", US),
        ("dm_empty", "x dm.received", US),
        ("follow_by_us", "x follow by us", US),
        ("profile", "x profile.update.bio", US),
        ("revoked", "x oauth.revoke", US),
        ("legacy_revoked", "x user_event", "default"),
        ("legacy_replay", "x replay_job_status", "default"),
    ],
)
def test_what_we_have_no_word_for_says_why(name: str, reason: str, account: str) -> None:
    event = only(name)
    assert (event.type, event.data.reason) == ("ingress.unmapped", reason)
    assert event.data.account == account


@pytest.mark.parametrize(
    "document", [{"for_user_id": US}, {"data": [1]}, {"data": {"event_type": "dm.received"}}, [{}]]
)
def test_a_delivery_of_nothing_is_kept(document: Any) -> None:
    assert types(heard_from(document)) == ["ingress.unmapped"]


def test_a_strange_element_costs_its_neighbours_nothing() -> None:
    events = heard("bad_items")
    said = [e.data.content for e in events if e.type in ("mention.created", "message.received")]
    assert said == [
        (p.Text(text="The first good one"),),
        (p.UnsupportedPart(type="post"),),
        (p.Text(text="The last good one"),),
    ]
    assert types(events).count("ingress.unmapped") == 7


def test_the_account_of_the_url_may_be_that_of_the_body() -> None:
    accounts = Accounts("x", {US: {"consumer_secret": "s"}})
    request = Request(body=json.dumps(body("legacy_mention")).encode(), account=US, now=AT)
    [event] = channel.receive(channel.signed(request, "s"), accounts)
    assert event.type == "mention.created"


# -- what we say -------------------------------------------------------------------------------


def outgoing(conversation: str = f"x/{US}/{HER}", **more: Any) -> Outgoing:
    return replace(Outgoing("key-1", MINA, US, conversation, "On its way"), **more)


def test_a_private_answer_is_a_direct_message() -> None:
    call = channel.compose(outgoing(), KEYS)
    assert call.url == f"https://api.x.com/2/dm_conversations/with/{HER}/messages"
    assert call.headers["authorization"] == "Bearer x-token"
    assert json.loads(call.body) == {"text": "On its way"}


def test_a_public_answer_is_a_reply_to_the_customers_post() -> None:
    call = channel.compose(outgoing(only("mention").data.conversation_id), KEYS)
    assert call.url == "https://api.x.com/2/tweets"
    assert json.loads(call.body) == {
        "text": "On its way",
        "reply": {"in_reply_to_tweet_id": post("001")},
    }


def test_there_are_no_templates() -> None:
    with pytest.raises(Unsupported):
        channel.compose(outgoing(means="template"), KEYS)


def test_only_public_words_are_cut_as_x_counts_them() -> None:
    where = only("mention").data.conversation_id
    public = json.loads(channel.compose(outgoing(where, text="茶" * 900), KEYS).body)
    private = json.loads(channel.compose(outgoing(text="茶" * 900), KEYS).body)
    assert (len(public["text"]), len(private["text"])) == (140, 900)


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("Thank you, Mina.", 16),
        ("お茶です", 8),
        ("https://marigold.com/orders/1042/where-is-it?of=mina", 23),
        ("(https://t.co/x),", 26),
        ("see marigold.tea", 27),
        ("詳細はhttps://t.co/1をご覧ください", 43),
    ],
)
def test_a_text_weighs_what_x_counts(text: str, counted: int) -> None:
    assert weight(text) == counted


def test_a_link_is_whole_or_gone() -> None:
    link = "https://t.co/abcdef"
    assert cut(f"{'x' * 270} {link}", 280) == "x" * 270 + " "
    assert cut(f"{'x' * 250} {link}", 280) == f"{'x' * 250} {link}"


# -- what the platform answers -----------------------------------------------------------------


def test_an_accepted_message_has_its_id() -> None:
    assert channel.outcome(Response(201, body=b'{"data":{"id":"31"}}')) == Outcome("sent", "31")
    sent = Response(201, body=b'{"data":{"dm_conversation_id":"1-2","dm_event_id":"32"}}')
    assert channel.outcome(sent) == Outcome("sent", "32")
    assert channel.outcome(Response(200, body=b"{}")) == Outcome("sent")


def refused(status: int, kind: str = "", **headers: str) -> Outcome:
    problem = {"type": f"https://api.twitter.com/2/problems/{kind}", "detail": "no", "title": "No"}
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return channel.outcome(Response(status, told, json.dumps(problem).encode()))


@pytest.mark.parametrize(
    ("status", "kind", "verdict"),
    [
        (400, "invalid-request", "permanent"),
        (401, "", "reauthorise"),
        (402, "credits", "stop"),
        (403, "not-authorized-for-resource", "permanent"),
        (403, "client-forbidden", "stop"),
        (403, "unsupported-authentication", "stop"),
        (404, "resource-not-found", "permanent"),
        (429, "", "retry"),
        (429, "usage-capped", "stop"),
        (500, "", "unknown"),
        (503, "", "retry"),
    ],
)
def test_every_status_has_its_verdict(status: int, kind: str, verdict: str) -> None:
    outcome = refused(status, kind)
    assert (outcome.verdict, outcome.code, outcome.title) == (verdict, str(status), "no")


DATE, NOW_S = "Mon, 23 Nov 2026 11:40:00 GMT", int(AT.timestamp())


def test_a_limit_says_when_it_ends() -> None:
    soon = {"date": DATE, "x_rate_limit_reset": str(NOW_S + 60)}
    assert refused(429, **soon).retry_after_s == 60
    daily = {"x_user_limit_24hour_remaining": "0", "x_user_limit_24hour_reset": str(NOW_S + 7200)}
    assert refused(429, **soon, **daily).retry_after_s == 7200
    assert refused(429, date=DATE, x_rate_limit_reset=str(NOW_S - 5)).retry_after_s == 1


@pytest.mark.parametrize(
    "headers",
    [{}, {"date": "soon", "x_rate_limit_reset": "1"}, {"date": DATE, "x_rate_limit_reset": "x"}],
)
def test_a_limit_that_does_not_say_is_waited_out(headers: dict[str, str]) -> None:
    assert refused(429, **headers).retry_after_s is None


# -- strangers ---------------------------------------------------------------------------------


@pytest.mark.stranger
def test_xs_own_library_knows_what_we_compose() -> None:
    schemas = pytest.importorskip("xdk.schemas")
    reply = channel.compose(outgoing(only("mention").data.conversation_id), KEYS)
    read = schemas.CreatePostsRequest.model_validate_json(reply.body)
    assert (read.text, read.reply.in_reply_to_tweet_id) == ("On its way", post("001"))
    assert not read.model_extra and not read.reply.model_extra
    private = channel.compose(outgoing(), KEYS)
    name = "CreateDirectMessagesByParticipantIdRequest"
    assert getattr(schemas, name).model_validate_json(private.body).text == "On its way"


@pytest.mark.stranger
@pytest.mark.parametrize(
    "text",
    [
        "Thank you, Mina.",
        "お茶です " * 60,
        "🍵👨‍👩‍👧 " * 80,
        "See https://marigold.com/orders/1042/where?of=mina or www.example.co.uk! " * 9,
        "詳細はhttps://a.co/1をご覧ください、example.com、https://日本.jp/あ " * 9,
        "“Quotes” — and… Öl, a.b 3.5 foo@example.com #1042 " * 9,
    ],
)
def test_a_text_that_we_cut_is_valid_by_xs_rules(text: str) -> None:
    rules = pytest.importorskip("twitter_text")
    assert weight(text) >= rules.parse_tweet(text).weightedLength
    assert rules.parse_tweet(cut(text, 280)).valid
