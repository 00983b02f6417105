"""A desk that is told by webhook."""

import json
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from chalicelib.credentials import Credentials
from chalicelib.desks.standard_webhooks import desk
from chalicelib.outbound import Notice, Response

SECRET = "whsec_" + b64encode(b"a secret of the desk, 32 bytes..").decode()
KEYS = Credentials("standard_webhooks/default", {"url": "https://desk.example", "secret": SECRET})
AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NOTICE = Notice(
    key="case-1-opened",
    case_id="case-1",
    event="case.opened",
    title="New case: order #1042",
    severity=3,
    about=("order/s/1",),
    customer="identity/line/a/u",
    due_at=datetime(2026, 11, 23, 13, 0, tzinfo=UTC),
    at=AT,
    facts={"channel": "line"},
)


def test_a_notice_is_told_under_its_key() -> None:
    call = desk.tell(NOTICE, KEYS)

    assert (call.url, call.headers["webhook-id"], desk.resend) == (
        "https://desk.example",
        "case-1-opened",
        "keyed",
    )
    assert json.loads(call.body) == {
        "type": "case.opened",
        "timestamp": "2026-11-23T12:00:00.000Z",
        "data": {
            "case_id": "case-1",
            "title": "New case: order #1042",
            "severity": 3,
            "about": ["order/s/1"],
            "customer": "identity/line/a/u",
            "facts": {"channel": "line"},
            "due_at": "2026-11-23T13:00:00.000Z",
        },
    }


def test_a_notice_may_have_no_due_date() -> None:
    assert "due_at" not in json.loads(desk.tell(replace(NOTICE, due_at=None), KEYS).body)["data"]


@pytest.mark.stranger
def test_the_reference_library_accepts_a_notice() -> None:
    call = desk.tell(replace(NOTICE, at=datetime.now(UTC), title="\ud83d broken"), KEYS)

    assert Webhook(SECRET).verify(call.body, dict(call.headers))["type"] == "case.opened"


@pytest.mark.parametrize(
    ("status", "verdict"), [(200, "sent"), (410, "stop"), (504, "unknown"), (400, "permanent")]
)
def test_an_answer_has_a_verdict(status: int, verdict: str) -> None:
    assert desk.outcome(Response(status)).verdict == verdict
