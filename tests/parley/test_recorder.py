"""The recorder answers as platforms do, and remembers."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
import urllib3

from parley.recorder import Recorder, load_answers
from parley.screen import Unready

PUSH = "api.line.me/v2/bot/message/push"
HELLO: dict[str, Any] = {
    "to": "U4af4980629",
    "messages": [{"type": "text", "text": "On its way"}],
}


def call(
    http: urllib3.PoolManager, recorder: Recorder, where: str, document: Any, **headers: str
) -> tuple[int, Any, urllib3.HTTPHeaderDict]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = http.request("POST", f"{recorder.url}/{where}", json=document, headers=sent)
    return answer.status, answer.json(), answer.headers


def prepare(http: urllib3.PoolManager, recorder: Recorder, *answers: dict[str, Any]) -> int:
    url = f"{recorder.url}/_recorder/answers"
    return http.request("POST", url, json=list(answers)).status


def test_line_names_each_sent_message(recorder: Recorder, http: urllib3.PoolManager) -> None:
    two = {**HELLO, "messages": HELLO["messages"] * 2}

    status, said, _ = call(http, recorder, PUSH, two)

    assert status == 200
    assert len({sent["id"] for sent in said["sentMessages"]}) == 2


def test_line_takes_a_retry_key_once(recorder: Recorder, http: urllib3.PoolManager) -> None:
    first, _, _ = call(http, recorder, PUSH, HELLO, X_Line_Retry_Key="k-1")
    again, _, headers = call(http, recorder, PUSH, HELLO, X_Line_Retry_Key="k-1")
    other, _, _ = call(http, recorder, PUSH, HELLO, X_Line_Retry_Key="k-2")

    assert (first, again, other) == (200, 409, 200)
    assert headers["x-line-accepted-request-id"]


def test_line_takes_a_reply_token_once(recorder: Recorder, http: urllib3.PoolManager) -> None:
    reply = {"replyToken": "t-1", "messages": HELLO["messages"]}
    where = "api.line.me/v2/bot/message/reply"

    first, *_ = call(http, recorder, where, reply)
    again, said, _ = call(http, recorder, where, reply)

    assert (first, again) == (200, 400)
    assert "reply token" in said["message"].lower()


def test_whatsapp_names_contact_and_message(recorder: Recorder, http: urllib3.PoolManager) -> None:
    text = {"messaging_product": "whatsapp", "to": "+15550001111", "text": {"body": "Hi"}}

    _, said, _ = call(http, recorder, "graph.facebook.com/v25.0/1/messages", text)

    assert said["contacts"] == [{"input": "+15550001111", "wa_id": "15550001111"}]
    assert said["messages"][0]["id"].startswith("wamid.")
    assert recorder.calls[0]["channel"] == "whatsapp"


@pytest.mark.parametrize(
    ("where", "document", "channel", "expected"),
    [
        (
            "graph.facebook.com/v25.0/me/messages",
            {"recipient": {"id": "psid"}, "message": {"text": "Hi"}},
            "messenger",
            {"recipient_id": "psid"},
        ),
        ("slack.com/api/chat.postMessage", {"channel": "C1"}, "slack", {"ok": True}),
        (
            "api.easypost.com/v2/trackers",
            {"tracker": {"tracking_code": "EZ1", "carrier": "UPS"}},
            "easypost",
            {"tracking_code": "EZ1", "object": "Tracker"},
        ),
        ("events.pagerduty.com/v2/enqueue", {"dedup_key": "d"}, "pagerduty", {"dedup_key": "d"}),
        ("example.com/hook", {"a": 1}, "example.com", {}),
    ],
)
def test_each_platform_answers_in_its_own_words(
    recorder: Recorder,
    http: urllib3.PoolManager,
    where: str,
    document: Any,
    channel: str,
    expected: dict[str, Any],
) -> None:
    status, said, _ = call(http, recorder, where, document)

    assert 200 <= status < 300
    assert expected.items() <= said.items()
    assert recorder.calls[0]["channel"] == channel


def test_the_same_call_gets_the_same_answer(recorder: Recorder, http: urllib3.PoolManager) -> None:
    first = call(http, recorder, "slack.com/api/chat.postMessage", {"channel": "C1"})
    again = call(http, recorder, "slack.com/api/chat.postMessage", {"channel": "C1"})

    assert first[:2] == again[:2]


def test_a_call_is_a_line_without_its_token(
    recorder: Recorder, http: urllib3.PoolManager, tmp_path: Path
) -> None:
    call(http, recorder, f"{PUSH}?x=1", HELLO, Authorization="Bearer s3cret", X_Parley_Cause="EV1")

    [line] = [json.loads(text) for text in (tmp_path / "outbox.jsonl").read_text().splitlines()]
    assert list(line) == ["at", "channel", "method", "url", "body", "status", "cause"]
    assert line["url"] == f"https://{PUSH}?x=1"
    assert line["body"] == HELLO
    assert (line["channel"], line["method"], line["status"]) == ("line", "POST", 200)
    assert line["cause"] == "EV1"
    assert "s3cret" not in json.dumps(recorder.calls)


def test_a_body_that_is_no_text_is_kept_whole(
    recorder: Recorder, http: urllib3.PoolManager
) -> None:
    http.request("POST", f"{recorder.url}/example.com/", body=b"\xff\x00")

    assert recorder.calls[0]["body"] == "/wA="


def test_a_form_is_read_as_its_fields(recorder: Recorder, http: urllib3.PoolManager) -> None:
    fields = {"a": "1 2", "b": "€"}
    http.request(
        "POST", f"{recorder.url}/api.stripe.com/v1/x", fields=fields, encode_multipart=False
    )

    assert recorder.calls[0]["body"] == fields


def test_a_prepared_failure_is_given_as_often_as_told(
    recorder: Recorder, http: urllib3.PoolManager
) -> None:
    busy = {"host": "api.line.me", "status": 429, "headers": {"Retry-After": "7"}, "times": 2}
    assert prepare(http, recorder, busy) == 201

    answers = [call(http, recorder, PUSH, HELLO) for _ in range(3)]

    assert [status for status, *_ in answers] == [429, 429, 200]
    assert answers[0][2]["retry-after"] == "7"


def test_the_newest_prepared_answer_that_fits_wins(
    recorder: Recorder, http: urllib3.PoolManager
) -> None:
    path = "/admin/api/*/transactions.json"
    prepare(http, recorder, {"host": "*.myshopify.com", "body": {"n": 1}})
    prepare(http, recorder, {"host": "*.myshopify.com", "path": path, "body": {"n": 2}})

    def asked(what: str) -> Any:
        return call(http, recorder, f"a.myshopify.com/admin/api/2026-01/{what}.json", {})[1]

    assert asked("orders/1/transactions") == {"n": 2}
    assert asked("shop") == {"n": 1}


def test_a_held_back_answer_outlives_an_impatient_caller(
    recorder: Recorder, http: urllib3.PoolManager
) -> None:
    prepare(http, recorder, {"hang": True})
    began = time.monotonic()

    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        http.request("POST", f"{recorder.url}/{PUSH}", json=HELLO, timeout=0.3)

    assert time.monotonic() - began < 3
    assert len(recorder.calls) == 1


def test_a_wrong_prepared_answer_is_refused(
    recorder: Recorder, http: urllib3.PoolManager, tmp_path: Path
) -> None:
    assert prepare(http, recorder, {"stauts": 500}) == 400
    with pytest.raises(Unready, match=r"answers\.json"):
        load_answers(tmp_path / "answers.json")


def test_what_was_said_can_be_asked_and_forgotten(
    recorder: Recorder, http: urllib3.PoolManager
) -> None:
    url = f"{recorder.url}/_recorder/calls"
    call(http, recorder, PUSH, HELLO)

    assert len(http.request("GET", url).json()) == 1
    assert http.request("DELETE", url).status == 204
    assert http.request("GET", url).json() == []
    assert http.request("GET", f"{recorder.url}/_recorder/what").status == 404
