"""What is particular to LINE."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib import payloads as p
from chalicelib.channels.line import channel
from chalicelib.credentials import Accounts, Credentials
from chalicelib.errors import InvalidSignature, WrongMethod
from chalicelib.events import Event
from chalicelib.outbound import Outgoing, Response
from chalicelib.source import Request
from tests import samples
from tests.samples import EVENTS, NOW

KEYS = Credentials("line/default", {"channel_secret": "s", "channel_access_token": "line-token"})
BRAND, ANNA = "Ub6f4e0d2c1a84f7d9e3350c2a1f0e9d8", "U5d1c8e7a90b24c3fa6e2b1d0c9f8e7a6"
ANNA_HERE = p.Identity(channel="line", scope=BRAND, subject=ANNA)


def heard(name: str) -> list[Event]:
    sample = samples.Sample("line", name, (EVENTS / "line" / f"{name}.json").read_bytes())
    return channel.receive(samples.signed(sample), samples.secrets("line"))


def only(name: str) -> Any:
    [event] = heard(name)
    return event


def outgoing(**more: Any) -> Outgoing:
    said = Outgoing("key-1", ANNA_HERE, BRAND, f"line/{BRAND}/{ANNA}", "On its way")
    return replace(said, **more)


def test_a_text_is_said_in_our_words() -> None:
    event = only("message_text")
    assert event.type == "message.received"
    assert event.subject == f"identity/line/{BRAND}/{ANNA}"
    assert event.time == datetime(2026, 11, 23, 12, 0, 1, tzinfo=UTC)
    assert event.data.text == "Where is my order #1042?"
    assert event.data.author.identity == ANNA_HERE
    assert event.data.conversation_id == f"line/{BRAND}/{ANNA}"
    assert event.data.reply_token.expires_at == NOW + timedelta(minutes=1)


def test_every_element_of_a_batch_is_heard_and_a_strange_one_costs_no_other() -> None:
    assert [event.type for event in heard("batch_of_two_people")] == [
        "message.received", "message.received", "ingress.unmapped", "ingress.unmapped",
        "message.received",
    ]  # fmt: skip


def test_a_redelivery_is_the_same_event_though_its_bytes_differ() -> None:
    body = json.loads((EVENTS / "line/message_text.json").read_text())
    body["events"][0] |= {"deliveryContext": {"isRedelivery": True}, "replyToken": "another"}
    again = samples.Sample("line", "again", json.dumps(body).encode())
    [event] = channel.receive(samples.signed(again), samples.secrets("line"))
    assert event.id == only("message_text").id


def test_an_event_without_an_id_is_named_by_what_it_says() -> None:
    first, second = heard("verify_console_dummy")
    assert first.id != second.id
    assert first.data.synthetic is second.data.synthetic is True  # type: ignore[attr-defined]


def test_pressing_verify_is_accepted_and_says_nothing() -> None:
    assert heard("verify_console") == []


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("message_image", p.Media(media="image", media_id="541000000000000006")),
        (
            "message_file",
            p.Media(media="file", media_id="541000000000000007", name="receipt.pdf", bytes=21380),
        ),
        ("message_sticker", p.Sticker(id="446/1988")),
        ("message_unknown_kind", p.UnsupportedPart(type="hologram")),
        (
            "message_location",
            p.Location(latitude=35.65910807942215, longitude=139.70372892916203, name="Home"),
        ),
    ],
)
def test_every_kind_of_message_has_its_part(name: str, part: Any) -> None:
    assert only(name).data.content == (part,)


def test_a_member_who_wants_to_stay_unknown_has_no_identity() -> None:
    event = only("message_room_without_user")
    assert event.data.author.identity is None
    assert event.subject == f"channel/line/{BRAND}"


def test_a_group_is_the_conversation_and_its_member_the_author() -> None:
    data = only("message_group").data
    assert data.conversation_id.endswith("/C4a5b6c7d8e9f00112233445566778899")
    assert data.author.identity.subject == "U0a9b8c7d6e5f40312233445566778899"


def test_another_apps_conversation_is_a_standby_copy() -> None:
    assert only("message_standby").data.standby is True


def test_unfollow_withdraws_consent_and_a_follow_may_be_a_return() -> None:
    assert only("unfollow").type == "consent.withdrawn"
    assert only("follow_unblocked").data.again is True


@pytest.mark.parametrize("name", ["beacon", "account_link_failed"])
def test_what_we_have_no_word_for_is_kept_with_its_reason(name: str) -> None:
    event = only(name)
    assert event.type == "ingress.unmapped"
    assert event.data.reason.startswith("line ")


def test_who_leaves_without_a_name_leaves_no_consent() -> None:
    body = json.loads((EVENTS / "line/unfollow.json").read_text())
    body["events"].append({**body["events"][0], "type": "accountLink", "source": {"groupId": "C1"}})
    body["events"][1]["link"] = {"result": "ok", "nonce": "n"}
    sample = samples.Sample("line", "x", json.dumps(body).encode())
    events = channel.receive(samples.signed(sample), samples.secrets("line"))
    assert [e.type for e in events] == ["consent.withdrawn", "ingress.unmapped"]


def test_one_accounts_secret_does_not_speak_for_another() -> None:
    other = "U" + "0" * 32
    accounts = Accounts("line", {other: {"channel_secret": "a"}, BRAND: {"channel_secret": "b"}})
    sample = samples.Sample("line", "t", (EVENTS / "line/message_text.json").read_bytes())
    assert channel.receive(samples.signed(sample, "b"), accounts)
    with pytest.raises(InvalidSignature):
        channel.receive(samples.signed(sample, "a"), accounts)


def test_line_sends_no_handshake() -> None:
    with pytest.raises(WrongMethod):
        channel.handshake(Request(method="GET"), samples.secrets("line"))


def test_a_push_bears_a_key_so_that_line_drops_a_repeat() -> None:
    call = channel.compose(outgoing(), KEYS)
    assert call.url == "https://api.line.me/v2/bot/message/push"
    assert json.loads(call.body) == {
        "to": ANNA,
        "messages": [{"type": "text", "text": "On its way"}],
    }
    assert call.headers["authorization"] == "Bearer line-token"
    assert (
        call.headers["x-line-retry-key"]
        == channel.compose(outgoing(), KEYS).headers["x-line-retry-key"]
    )


def test_a_reply_goes_by_its_token_and_bears_no_key() -> None:
    call = channel.compose(outgoing(means="token", token="tok"), KEYS)
    assert call.url.endswith("/reply")
    assert json.loads(call.body)["replyToken"] == "tok"
    assert "x-line-retry-key" not in call.headers


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, {"sentMessages": [{"id": "461230966842064897"}]}, "sent"),
        (200, {}, "sent"),
        (409, {"message": "The retry key is already accepted"}, "sent"),
        (429, {"message": "You have reached your monthly limit."}, "stop"),
        (429, {"message": "The API rate limit has been exceeded."}, "retry"),
        (400, {"message": "Invalid reply token"}, "retry"),
        (400, {"message": "The request body has 1 error(s)"}, "permanent"),
        (401, {"message": "Authentication failed"}, "reauthorise"),
        (500, {}, "unknown"),
    ],
)
def test_lines_answers_are_understood(status: int, body: dict[str, Any], verdict: str) -> None:
    outcome = channel.outcome(Response(status, {}, json.dumps(body).encode()))
    assert outcome.verdict == verdict
