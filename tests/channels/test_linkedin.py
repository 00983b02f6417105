"""What is particular to LinkedIn."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib import payloads as p
from chalicelib.channels.linkedin import channel
from chalicelib.credentials import Accounts, Credentials
from chalicelib.errors import InvalidSignature, MalformedPayload, Unsupported, WrongMethod
from chalicelib.outbound import Outcome, Outgoing, Response
from chalicelib.signing import sha256_hex
from chalicelib.source import Request
from tests import samples
from tests.samples import EVENTS

US, HER = "urn:li:organization:77001122", "urn:li:person:MinaOk4f0r"
POST = "urn:li:activity:7400000000000000001"
MINA = p.Identity(channel="linkedin", scope=US, subject=HER)
AUTHOR, BUSINESS = p.Author(kind="customer", identity=MINA), p.Author(kind="business")
KEYS = Credentials("linkedin/default", {"access_token": "li-token"})
SECRET = "linkedin-client-secret-for-tests"
CODE = "890e4665-4dfe-4ab1-b689-ed553bceeed0"
AT = datetime(2026, 11, 23, 11, 40, tzinfo=UTC)


def comment(number: int) -> str:
    return f"urn:li:comment:({POST},7400000000000000{number})"


def heard_from(document: Any) -> list[Any]:
    sample = samples.Sample("linkedin", "made", json.dumps(document).encode())
    return list(channel.receive(samples.signed(sample), samples.secrets("linkedin")))


def body(name: str) -> Any:
    return json.loads((EVENTS / "linkedin" / f"{name}.json").read_text())


def heard(name: str) -> list[Any]:
    return heard_from(body(name))


def only(name: str) -> Any:
    [event] = heard(name)
    return event


def types(events: list[Any]) -> list[str]:
    return [event.type for event in events]


# -- the handshake and the signature -----------------------------------------------------------


def asked(**query: str) -> Request:
    return Request(method="GET", query=query)


def test_the_challenge_is_answered_as_its_vector_says() -> None:
    accounts = Accounts("linkedin", {"default": {"client_secret": SECRET}})
    answer = channel.handshake(asked(challengeCode=CODE), accounts)
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert json.loads(answer.body) == {
        "challengeCode": CODE,
        "challengeResponse": "68ac1f1548fe7af8f6ac8afa7694cba199d99b8f837e37e659826def43e26c59",
    }


def test_a_child_app_is_answered_with_its_own_secret() -> None:
    child = {"client_secret": "child", "application_id": "42"}
    accounts = Accounts("linkedin", {"default": {"client_secret": "parent"}, "child": child})
    for app, secret in (("42", "child"), ("7", "parent"), ("", "parent")):
        answer = channel.handshake(asked(challengeCode=CODE, applicationId=app), accounts)
        proof = json.loads(answer.body)["challengeResponse"]
        assert proof == sha256_hex(secret, CODE.encode())


@pytest.mark.parametrize("code", ["", "x" * 200, "hmacsha256={}", '{"type":"LEAD_ACTION"}'])
def test_nothing_is_signed_that_could_be_a_delivery(code: str) -> None:
    accounts = Accounts("linkedin", {"default": {"client_secret": SECRET}})
    with pytest.raises(MalformedPayload):
        channel.handshake(asked(challengeCode=code), accounts)


def test_other_methods_are_not_a_handshake() -> None:
    with pytest.raises(WrongMethod):
        channel.handshake(replace(asked(challengeCode=CODE), method="OPTIONS"), Accounts("x", {}))


def test_both_readings_of_the_signature_are_known_and_no_third() -> None:
    data = json.dumps(body("comment")).encode()
    accounts = Accounts("linkedin", {"default": {"client_secret": SECRET}})

    def heard_with(signature: str) -> list[Any]:
        request = Request(body=data, headers={"x-li-signature": signature}, now=AT)
        return channel.receive(request, accounts)

    bare, prefixed = sha256_hex(SECRET, b"hmacsha256=" + data), sha256_hex(SECRET, data)
    assert heard_with(bare) == heard_with(f"hmacsha256={prefixed}") == heard_with(bare.upper())
    for forged in (prefixed, f"hmacsha256={bare}", "hmacsha256="):
        with pytest.raises(InvalidSignature):
            heard_with(forged)


# -- what members say --------------------------------------------------------------------------


def test_a_comment_is_said_in_our_words() -> None:
    event = only("comment")
    assert event.type == "comment.created"
    assert event.subject == f"post/linkedin/{US}/{POST}"
    assert event.source == f"/channels/linkedin/{US}"
    assert (event.time, event.timesuspect) == (AT, False)
    said = event.data
    assert (said.text, said.author) == ("The tins I received are damaged", AUTHOR)
    assert (said.direction, said.visibility) == ("in", "public")
    assert said.message_id == comment(101)
    assert said.conversation_id == f"linkedin/{US}/{POST}/{comment(101)}"
    permalink = f"https://www.linkedin.com/feed/update/{POST}"
    assert said.public == p.PublicPost(post_id=POST, permalink=permalink)


def test_a_urn_is_the_same_with_and_without_its_prefix_inside() -> None:
    document = body("comment")
    del document["notifications"][0]["decoratedGeneratedActivity"]["comment"]["entity"]
    assert heard_from(document)[0].data.message_id == comment(101)


def test_the_words_may_stand_in_a_message() -> None:
    assert only("comment_message_text").data.text == "Nobody answers"


def test_an_answer_belongs_to_the_thread_it_is_in() -> None:
    for event in heard("comment_reply"):
        assert event.data.reply_to == comment(101)
        assert event.data.conversation_id == f"linkedin/{US}/{POST}/{comment(101)}"


def test_a_comment_that_linkedin_tells_nothing_of_is_a_comment() -> None:
    said = only("comment_bare").data
    assert (said.message_id, said.author) == (comment(105), p.Author(kind="customer"))
    assert said.content == (p.UnsupportedPart(type="comment"),)


def test_a_comment_without_its_post_names_it_all_the_same() -> None:
    document = body("comment")
    del document["notifications"][0]["sourcePost"]
    assert heard_from(document)[0].data.public.post_id == POST


def test_a_comment_is_edited_and_deleted() -> None:
    edited, gone = only("comment_edited"), only("comment_deleted")
    assert (edited.type, edited.data.text) == ("comment.edited", "Two tins I received are damaged")
    assert (gone.type, gone.data.content) == ("comment.deleted", ())
    assert edited.data.message_id == gone.data.message_id == comment(101)
    assert gone.time == AT + timedelta(minutes=2)


def test_what_the_organisation_says_is_never_a_members() -> None:
    events = [*heard("admin_comment"), only("comment_own")]
    assert types(events) == ["comment.created", "comment.created", "comment.edited"]
    for event in events:
        assert (event.data.direction, event.data.author) == ("out", BUSINESS)
    assert events[0].data.conversation_id == only("comment").data.conversation_id


def test_a_mention_is_a_conversation_below_their_post() -> None:
    event = only("mention")
    theirs = "urn:li:share:7400000000000000200"
    assert (event.type, event.data.author) == ("mention.created", AUTHOR)
    assert event.data.text == "@Marigold never answered my ticket"
    assert event.data.public.post_id == event.data.message_id == theirs
    assert event.data.conversation_id == f"linkedin/{US}/{theirs}"


def test_a_share_is_about_our_post() -> None:
    told, untold = heard("share")
    assert types([told, untold]) == ["share.created"] * 2
    assert (told.data.text, told.data.public.post_id) == ("Worth a cup", POST)
    assert untold.data.content == (p.UnsupportedPart(type="share"),)
    assert untold.data.message_id == "urn:li:share:7400000000000000202"


def test_a_like_names_who_and_what() -> None:
    post, below, nobody = heard("like")
    assert types([post, below, nobody]) == ["reaction.added"] * 3
    assert (post.data.author, post.data.message_id) == (AUTHOR, POST)
    assert below.data.message_id == comment(106)
    assert (nobody.data.author, nobody.data.message_id) == (p.Author(kind="customer"), POST)
    assert only("like_own").data.author == BUSINESS


def test_a_batch_of_ten_is_heard() -> None:
    assert [e.data.text for e in heard("batch")] == [f"number {n}" for n in range(10)]


def test_a_number_and_a_text_name_the_same_notification() -> None:
    document = body("comment")
    document["notifications"][0]["notificationId"] = str(
        document["notifications"][0]["notificationId"]
    )
    assert heard_from(document)[0].id == only("comment").id


@pytest.mark.parametrize(
    ("name", "reason", "account"),
    [
        ("lead", "linkedin LEAD_ACTION CREATED", US),
        ("lead_unowned", "linkedin LEAD_ACTION DELETED", "default"),
        ("another_type", "linkedin ORGANIZATION_FOLLOWERS", "default"),
    ],
)
def test_what_we_have_no_word_for_says_why(name: str, reason: str, account: str) -> None:
    event = only(name)
    assert (event.type, event.data.reason) == ("ingress.unmapped", reason)
    assert event.data.account == account


def test_a_strange_notification_costs_its_neighbours_nothing() -> None:
    events = heard("others")
    assert [e.data.text for e in events if e.type == "comment.created"] == ["The good one"]
    reasons = [e.data.reason for e in events if e.type == "ingress.unmapped"]
    assert reasons == [
        "linkedin MENTORED", "unexpected shape", "unexpected shape", "unexpected shape",
        "unreadable: ValueError",
    ]  # fmt: skip


# -- what we say -------------------------------------------------------------------------------


def outgoing(conversation: str, **more: Any) -> Outgoing:
    return replace(Outgoing("key-1", MINA, US, conversation, "We are sorry"), **more)


def test_an_answer_goes_below_the_comment_that_began_the_thread() -> None:
    call = channel.compose(outgoing(only("comment").data.conversation_id), KEYS)
    where = "urn%3Ali%3Acomment%3A(urn%3Ali%3Aactivity%3A7400000000000000001%2C7400000000000000101)"
    assert call.url == f"https://api.linkedin.com/rest/socialActions/{where}/comments"
    assert call.headers["authorization"] == "Bearer li-token"
    assert call.headers["linkedin-version"] == "202607"
    assert call.headers["x-restli-protocol-version"] == "2.0.0"
    assert json.loads(call.body) == {
        "actor": US,
        "object": POST,
        "parentComment": comment(101),
        "message": {"text": "We are sorry"},
    }


def test_an_answer_to_a_mention_goes_below_their_post() -> None:
    call = channel.compose(outgoing(only("mention").data.conversation_id, text="x" * 2000), KEYS)
    where = "urn%3Ali%3Ashare%3A7400000000000000200"
    assert call.url == f"https://api.linkedin.com/rest/socialActions/{where}/comments"
    said = json.loads(call.body)
    assert said["object"] == "urn:li:share:7400000000000000200" and "parentComment" not in said
    assert len(said["message"]["text"]) == 1250


def test_there_are_no_templates() -> None:
    with pytest.raises(Unsupported):
        channel.compose(outgoing("linkedin/a/b", means="template"), KEYS)


def test_an_accepted_comment_has_its_id() -> None:
    answer = Response(201, {"x-restli-id": "7400000000000000999"})
    assert channel.outcome(answer) == Outcome("sent", "7400000000000000999")


@pytest.mark.parametrize(
    ("status", "message", "verdict", "wait"),
    [
        (400, "bad urn", "permanent", None),
        (401, "expired", "reauthorise", None),
        (403, "not an administrator", "stop", None),
        (404, "gone", "permanent", None),
        (429, "short throttle", "retry", None),
        (429, "Resource level throttle APPLICATION DAY limit is reached", "retry", 44_400),
        (500, "", "unknown", None),
        (503, "", "retry", None),
    ],
)
def test_every_status_has_its_verdict(
    status: int, message: str, verdict: str, wait: int | None
) -> None:
    headers = {"date": "Mon, 23 Nov 2026 11:40:00 GMT"}
    refused = Response(status, headers, json.dumps({"message": message}).encode())
    outcome = channel.outcome(refused)
    assert (outcome.verdict, outcome.retry_after_s) == (verdict, wait)
    assert (outcome.code, outcome.title) == (str(status), message or None)


def test_a_day_without_a_date_has_no_end_we_know() -> None:
    spent = Response(429, {}, b'{"message": "MEMBER DAY limit"}')
    assert channel.outcome(spent).retry_after_s is None
