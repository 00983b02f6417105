"""What is particular to the feed of a Facebook Page."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from chalicelib import payloads as p
from chalicelib import sources
from chalicelib.channels.facebook_page import channel
from chalicelib.credentials import Credentials
from chalicelib.errors import Unsupported
from chalicelib.outbound import Outcome, Outgoing, Response
from tests import samples
from tests.samples import EVENTS

PAGE, POST = "310045500112233", "310045500112233_5501"
MINA = p.Identity(channel="facebook_page", scope=PAGE, subject="7002233441")
KEYS = Credentials("facebook_page/default", {"access_token": "page-token"})
WRITTEN = datetime(2026, 11, 23, 11, 40, tzinfo=UTC)
TOLD = datetime(2026, 11, 23, 11, 40, 3, tzinfo=UTC)


def heard_from(document: Any, name: str = "facebook_page") -> list[Any]:
    sample = samples.Sample(name, "made", json.dumps(document).encode())
    return list(sources.get(name).receive(samples.signed(sample), samples.secrets(name)))


def body(name: str) -> Any:
    return json.loads((EVENTS / "facebook_page" / f"{name}.json").read_text())


def heard(name: str) -> list[Any]:
    return heard_from(body(name))


def only(name: str) -> Any:
    [event] = heard(name)
    return event


def types(events: list[Any]) -> list[str]:
    return [event.type for event in events]


# -- comments ----------------------------------------------------------------------------------


def test_a_comment_is_said_in_our_words() -> None:
    event = only("comment")
    assert event.type == "comment.created"
    assert event.subject == f"post/facebook_page/{PAGE}/{POST}"
    assert (event.time, event.timesuspect) == (WRITTEN, False)
    said = event.data
    assert said.text == "Still waiting for order #1042 after two weeks!"
    assert said.author == p.Author(kind="customer", identity=MINA, display_name="Mina Okafor")
    assert (said.direction, said.visibility) == ("in", "public")
    assert said.public == p.PublicPost(
        post_id=POST, permalink="https://www.facebook.com/marigold/posts/5501"
    )
    assert (said.message_id, said.reply_to) == ("5501_9001", POST)


def test_a_thread_below_a_post_is_one_conversation() -> None:
    first, reply, own = only("comment"), only("comment_reply"), only("comment_own")
    thread = f"facebook_page/{PAGE}/{POST}/5501_9001"
    assert {e.data.conversation_id for e in (first, reply, own)} == {thread}
    assert {e.subject for e in (first, reply, own)} == {first.subject}


def test_the_pages_own_words_are_never_a_customers() -> None:
    for name in ("comment_own", "post_own"):
        event = only(name)
        assert event.type == "comment.created"
        assert (event.data.direction, event.data.author) == ("out", p.Author(kind="business"))


def test_an_author_meta_keeps_to_itself_is_nobody_we_know() -> None:
    event = only("comment_anonymous")
    assert event.data.author == p.Author(kind="customer")
    assert event.data.direction == "in"


def test_an_author_in_the_old_form_is_the_same_person() -> None:
    assert only("comment_old_sender").data.author.identity == MINA


@pytest.mark.parametrize(
    ("name", "contents"),
    [
        (
            "comment_photo",
            [
                (p.Media(media="image", url="https://scontent.example.net/broken.jpg"),),
                (
                    p.Text(text="And a film"),
                    p.Media(media="video", url="https://video.example.net/broken.mp4"),
                ),
            ],
        ),
        ("comment_sticker", [(p.UnsupportedPart(type="comment"),)]),
        (
            "photo",
            [
                (
                    p.Text(text="My cup"),
                    p.Media(media="image", url="https://scontent.example.net/cup.jpg"),
                ),
                (
                    p.Media(media="image", url="https://scontent.example.net/1.jpg"),
                    p.Media(media="image", url="https://scontent.example.net/2.jpg"),
                ),
            ],
        ),
        (
            "share",
            [
                (
                    p.Text(text="Look at this"),
                    p.Media(media="share", url="https://www.facebook.com/marigold/posts/5501"),
                )
            ],
        ),
    ],
)
def test_everything_in_a_post_is_a_part(name: str, contents: list[tuple[Any, ...]]) -> None:
    assert [event.data.content for event in heard(name)] == contents


@pytest.mark.parametrize(
    ("name", "type", "message_id"),
    [
        ("comment_edited", "comment.edited", "5501_9001"),
        ("comment_removed", "comment.deleted", "5501_9001"),
        ("visitor_post", "comment.created", f"{PAGE}_5600"),
        ("post_edited", "comment.edited", f"{PAGE}_5600"),
        ("post_removed", "comment.deleted", f"{PAGE}_5600"),
        ("share", "share.created", f"{PAGE}_5604"),
        ("mention_post", "mention.created", "8811_7701"),
        ("mention_comment", "mention.created", "7701_31"),
        ("mention_removed", "comment.deleted", "8811_7701"),
    ],
)
def test_speech_is_created_edited_and_deleted(name: str, type: str, message_id: str) -> None:
    event = only(name)
    assert (event.type, event.data.message_id) == (type, message_id)
    assert bool(event.data.content) == (type != "comment.deleted")


def test_an_edit_has_the_time_we_were_told_and_is_named_by_its_words() -> None:
    event = only("comment_edited")
    assert event.time == TOLD
    document = body("comment_edited")
    document["entry"][0]["time"] += 60
    assert heard_from(document)[0].id == event.id
    document["entry"][0]["changes"][0]["value"]["message"] = "Never mind"
    assert heard_from(document)[0].id != event.id


# -- reactions and reviews ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "type", "emoji", "message_id"),
    [
        ("reaction", "reaction.added", "angry", POST),
        ("reaction_changed", "reaction.added", "sad", POST),
        ("reaction_removed", "reaction.removed", "sad", POST),
        ("reaction_comment", "reaction.added", "love", "5501_9001"),
        ("like", "reaction.added", "like", POST),
    ],
)
def test_a_reaction_is_public_and_names_what_it_is_about(
    name: str, type: str, emoji: str, message_id: str
) -> None:
    event = only(name)
    assert (event.type, event.data.emoji, event.data.message_id) == (type, emoji, message_id)
    assert (event.data.visibility, event.data.author.identity) == ("public", MINA)


def test_a_recommendation_is_a_review() -> None:
    event = only("review_negative")
    assert event.type == "review.created"
    said = event.data
    assert said.rating == p.Rating(recommended=False)
    assert said.text == "The tins came open and nobody answers."
    assert (said.author.identity, said.author.display_name) == (MINA, "Mina Okafor")
    assert (said.message_id, said.public.post_id) == ("66001", "66001")


def test_stars_are_of_five_and_words_are_not_needed() -> None:
    said = only("review_positive").data
    assert said.rating == p.Rating(value=Decimal(5), of=5, recommended=True)
    assert (said.message_id, said.content) == ("66002", ())


def test_a_review_that_changed_its_mind_is_a_review() -> None:
    edited, gone = only("review_edited"), only("review_removed")
    assert (edited.type, edited.data.rating.recommended) == ("review.created", True)
    assert edited.time == TOLD
    assert (gone.type, gone.data.message_id) == ("comment.deleted", "66001")


def test_what_others_say_below_a_review_is_a_comment() -> None:
    event = only("review_comment")
    assert (event.type, event.data.public.post_id) == ("comment.created", "66001")
    assert event.data.conversation_id == f"facebook_page/{PAGE}/66001/66001_1"


# -- the rest ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        (
            "comment_hidden",
            ["facebook_page feed comment hide", "facebook_page feed comment unhide"],
        ),
        ("page_liked", ["facebook_page feed like add"]),
        ("leadgen", ["facebook_page leadgen"]),
        (
            "names_only",
            [
                "page feed without its value",
                "page about without its value",
                "facebook_page parking",
            ],
        ),
    ],
)
def test_what_we_have_no_word_for_says_why(name: str, reasons: list[str]) -> None:
    events = heard(name)
    assert [event.data.reason for event in events] == reasons
    assert set(types(events)) == {"ingress.unmapped"}


def test_a_strange_change_costs_its_neighbours_nothing() -> None:
    events = heard("bad_items")
    created = [e.data.text for e in events if e.type == "comment.created"]
    assert created == ["The first good one", "The last good one"]
    assert types(events).count("ingress.unmapped") == 8


def test_changes_of_two_pages_are_heard_in_order() -> None:
    events = heard("batch")
    assert [e.data.text for e in events] == ["one", "two", "three", "four"]
    assert [e.data.account for e in events] == [PAGE] * 2 + ["310045500112244"] * 2


def test_what_the_dashboard_posts_is_synthetic() -> None:
    post, reaction = heard("dashboard_test")
    assert (post.type, post.data.synthetic) == ("comment.created", True)
    assert (reaction.type, reaction.data.synthetic) == ("ingress.unmapped", True)


@pytest.mark.parametrize("name", ["comment", "conversations", "batch"])
def test_the_same_body_says_the_same_at_the_messenger_url(name: str) -> None:
    assert heard_from(body(name), "messenger") == heard(name)


# -- what we say -------------------------------------------------------------------------------


def outgoing(conversation: str, **more: Any) -> Outgoing:
    return replace(Outgoing("key-1", MINA, PAGE, conversation, "We are sorry"), **more)


@pytest.mark.parametrize("name", ["comment", "comment_reply"])
def test_an_answer_goes_below_the_comment_that_began_the_thread(name: str) -> None:
    call = channel.compose(outgoing(only(name).data.conversation_id), KEYS)
    assert call.url == "https://graph.facebook.com/v25.0/5501_9001/comments"
    assert json.loads(call.body) == {"message": "We are sorry"}


def test_an_answer_to_a_post_goes_below_the_post() -> None:
    call = channel.compose(outgoing(only("visitor_post").data.conversation_id), KEYS)
    assert call.url == f"https://graph.facebook.com/v25.0/{PAGE}_5600/comments"


def test_there_are_no_templates_in_public() -> None:
    with pytest.raises(Unsupported):
        channel.compose(outgoing("facebook_page/1/2", means="template"), KEYS)


def test_an_accepted_comment_has_its_id() -> None:
    assert channel.outcome(Response(200, body=b'{"id":"5501_9100"}')) == Outcome(
        "sent", "5501_9100"
    )


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (1, "unknown"),
        (32, "retry"),
        (100, "permanent"),
        (200, "stop"),
        (368, "stop"),
        (190, "reauthorise"),
    ],
)
def test_every_code_has_its_verdict(code: int, verdict: str) -> None:
    refused = Response(400, body=json.dumps({"error": {"code": code}}).encode())
    assert channel.outcome(refused).verdict == verdict
