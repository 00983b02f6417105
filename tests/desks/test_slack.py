"""A case on a Slack channel."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.credentials import Credentials
from chalicelib.desks.slack import desk
from chalicelib.outbound import Notice, Response

BOT = Credentials("slack/default", {"bot_token": "xoxb-1", "channel": "C024BE91L"})
HOOK = Credentials("slack/default", {"webhook_url": "https://hooks.slack.com/services/T/B/x"})
NOTICE = Notice(
    key="case-1-opened",
    case_id="case-1",
    event="case.opened",
    title="New case: order #1042",
    severity=3,
    about=("order/s/1", "parcel/ups/1Z"),
    customer="Ines",
    due_at=datetime(2026, 11, 23, 13, 0, tzinfo=UTC),
    facts={"channel": "line"},
)


def message(notice: Notice, keys: Credentials = BOT) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(desk.tell(notice, keys).body)
    return told


def test_a_bot_posts_to_its_channel() -> None:
    call, told = desk.tell(NOTICE, BOT), message(NOTICE)

    assert call.url == "https://slack.com/api/chat.postMessage"
    assert call.headers["authorization"] == "Bearer xoxb-1"
    assert (told["channel"], told["text"]) == ("C024BE91L", "New case: order #1042")
    assert told["metadata"] == {
        "event_type": "case_opened",
        "event_payload": {"case_id": "case-1", "key": "case-1-opened"},
    }


def test_without_a_bot_the_incoming_webhook_is_used() -> None:
    call = desk.tell(NOTICE, HOOK)

    assert call.url == "https://hooks.slack.com/services/T/B/x"
    assert "authorization" not in call.headers
    assert "channel" not in message(NOTICE, HOOK)


def test_the_blocks_say_how_bad_who_what_and_until_when() -> None:
    header, section, context = message(NOTICE)["blocks"]

    assert header["text"] == {"type": "plain_text", "text": NOTICE.title, "emoji": False}
    assert [field["text"] for field in section["fields"]] == [
        "*Severity*\n3 · high",
        "*Customer*\nInes",
        "*About*\norder/s/1\nparcel/ups/1Z",
        "*Due*\n<!date^1795438800^{date_short_pretty} {time}|2026-11-23T13:00:00.000Z>",
    ]
    assert context["elements"][0]["text"] == "case.opened · case-1 · channel: line"


def test_a_notice_of_little_is_still_a_message() -> None:
    bare = Notice(key="k", case_id="c", event="channel.degraded", title="", severity=99)

    header, section, _ = message(bare)["blocks"]

    assert header["text"]["text"] == "channel.degraded"
    assert [field["text"] for field in section["fields"]] == ["*Severity*\n4 · critical"]


def test_a_customers_words_call_nobody() -> None:
    loud = replace(NOTICE, title="<!channel> & <https://evil.example|home>", customer="<@U1>")

    told = message(loud)

    assert told["text"] == "&lt;!channel&gt; &amp; &lt;https://evil.example|home&gt;"
    assert told["blocks"][1]["fields"][1]["text"] == "*Customer*\n&lt;@U1&gt;"


def test_long_words_fit_slacks_blocks() -> None:
    long = replace(NOTICE, title="t" * 9000, about=("a" * 9000,), facts={"f": "f" * 9000})

    header, section, context = message(long)["blocks"]

    assert len(header["text"]["text"]) == 150
    assert max(len(field["text"]) for field in section["fields"]) == 2000
    assert len(context["elements"][0]["text"]) == 3000


@pytest.mark.parametrize(
    ("status", "body", "verdict", "code"),
    [
        (200, b'{"ok": true, "channel": "C1", "ts": "1503435956.000247"}', "sent", None),
        (200, b'{"ok": true}', "sent", None),
        (200, b"ok", "sent", None),
        (200, b'{"ok": false, "error": "ratelimited"}', "retry", "ratelimited"),
        (200, b'{"ok": false, "error": "internal_error"}', "retry", "internal_error"),
        (200, b'{"ok": false, "error": "invalid_auth"}', "reauthorise", "invalid_auth"),
        (200, b'{"ok": false, "error": "token_revoked"}', "reauthorise", "token_revoked"),
        (200, b'{"ok": false, "error": "channel_not_found"}', "permanent", "channel_not_found"),
        (200, b'{"ok": false, "error": "msg_too_long"}', "permanent", "msg_too_long"),
        (200, b'{"ok": false, "error": "something_new"}', "permanent", "something_new"),
        (400, b"invalid_payload", "permanent", "invalid_payload"),
        (403, b"action_prohibited", "permanent", "action_prohibited"),
        (404, b"no_service", "permanent", "no_service"),
        (410, b"channel_is_archived", "permanent", "channel_is_archived"),
        (429, b'{"ok": false, "error": "ratelimited"}', "retry", "ratelimited"),
        (429, b"", "retry", "429"),
        (500, b"\xff<html>", "unknown", "500"),
    ],
)
def test_an_answer_has_a_verdict(status: int, body: bytes, verdict: str, code: str | None) -> None:
    outcome = desk.outcome(Response(status, {"retry-after": "30"}, body))

    assert (outcome.verdict, outcome.code) == (verdict, code)
    assert outcome.retry_after_s == (30 if verdict == "retry" else None)


def test_the_timestamp_of_the_message_is_its_id() -> None:
    body = b'{"ok": true, "ts": "1503435956.000247"}'

    assert desk.outcome(Response(200, {}, body)).message_id == "1503435956.000247"
