"""A shipper that is asked by webhook."""

import json
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from chalicelib.carriers.standard_webhooks import carrier
from chalicelib.channels.standard_webhooks import channel
from chalicelib.credentials import Accounts, Credentials
from chalicelib.errors import Misconfigured
from chalicelib.outbound import Response, Shipment
from chalicelib.source import Request

SECRET = "whsec_" + b64encode(b"a secret of the shipper, 32 byte").decode()
OLD = "whsec_" + b64encode(b"an older secret, also 32 bytes..").decode()
KEYS = Credentials(
    "standard_webhooks/default", {"url": "https://ship.example/in", "secret": [SECRET, OLD]}
)
AT = datetime(2026, 11, 23, 12, 0, 0, 5000, tzinfo=UTC)
ASKED = Shipment(
    key="K7WQ3M",
    action="readdress",
    shop="s",
    order_id="1",
    order_number="#1",
    ship_to="Häfen",
    at=AT,
)


@pytest.mark.parametrize("action", sorted(carrier.actions))
def test_every_action_is_a_request_under_the_shipments_key(action: Any) -> None:
    call = carrier.ask(replace(ASKED, action=action), KEYS)

    assert (call.method, call.url) == ("POST", "https://ship.example/in")
    assert (call.headers["webhook-id"], carrier.resend) == ("K7WQ3M", "keyed")
    data = {
        "action": action,
        "shop": "s",
        "order_id": "1",
        "order_number": "#1",
        "ship_to": "Häfen",
    }
    told = {"type": "shipment.requested", "timestamp": "2026-11-23T12:00:00.005Z", "data": data}
    assert json.loads(call.body) == told


def test_a_later_attempt_has_the_same_id_and_a_new_time() -> None:
    first = carrier.ask(ASKED, KEYS)
    again = carrier.ask(replace(ASKED, at=AT + timedelta(hours=1)), KEYS)

    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] != again.headers["webhook-timestamp"]


@pytest.mark.parametrize("secret", [SECRET, OLD])
def test_we_would_accept_our_own_under_each_secret_of_a_rotation(secret: str) -> None:
    call = carrier.ask(ASKED, KEYS)
    request = Request(body=call.body, headers=call.headers, now=AT)

    assert channel.receive(request, Accounts("standard_webhooks", {"default": {"secret": secret}}))


@pytest.mark.parametrize("secret", [SECRET, OLD])
@pytest.mark.stranger
def test_the_reference_library_accepts_what_we_send(secret: str) -> None:
    call = carrier.ask(replace(ASKED, at=datetime.now(UTC)), KEYS)

    assert Webhook(secret).verify(call.body, dict(call.headers))["type"] == "shipment.requested"


def test_without_a_time_or_a_key_nothing_is_signed() -> None:
    with pytest.raises(ValueError, match="time of its attempt"):
        carrier.ask(replace(ASKED, at=None), KEYS)
    with pytest.raises(Misconfigured):
        carrier.ask(ASKED, Credentials("x", {"url": "https://ship.example", "secret": "whsec_???"}))


@pytest.mark.parametrize(
    ("status", "body", "verdict", "known"),
    [
        (202, b'{"tracking_number": "RL1", "id": "j-1"}', "sent", "RL1"),
        (200, b'{"id": "j-1"}', "sent", "j-1"),
        (204, b"", "sent", None),
        (200, b'{"id": 7}', "sent", None),
        (401, b'{"id": "x"}', "reauthorise", None),
        (410, b"", "stop", None),
        (422, b"", "permanent", None),
        (429, b"", "retry", None),
        (502, b"", "unknown", None),
    ],
)
def test_an_answer_has_a_verdict(status: int, body: bytes, verdict: str, known: str | None) -> None:
    outcome = carrier.outcome(Response(status, {"retry-after": "30"}, body))

    assert (outcome.verdict, outcome.message_id) == (verdict, known)
    assert outcome.retry_after_s == (30 if verdict == "retry" else None)
