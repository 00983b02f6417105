"""Every rule of `infra/hub.yaml`, one by one: what must wake its function, and what must not.

Judged by two matchers: our own of `tests.fakes`, which the laws rely on, and EventBridge's
(`event-ruler`, a port of AWS's own) where it is installed; it takes no prefix, which one rule has.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
from pydantic import BaseModel

from chalicelib import payloads as p
from chalicelib.events import TYPES, Event
from tests.fakes import NOON, matches
from tests.rules import RULES, Rule

_BOB = p.Identity(channel="line", scope="U-brand", subject="U-bob")
_SAID: dict[str, Any] = {"channel": "line", "account": "U-brand"}
_LINE = p.Line(sku="LAMP", quantity=1, price=Decimal("30.00"), currency="USD")


def message(*content: Any) -> p.Message:
    author = p.Author(kind="customer", identity=_BOB)
    return p.Message(
        **_SAID,
        message_id="m",
        conversation_id="line/U-brand/U-bob",
        author=author,
        content=content,
    )


def payment(assurance: Any) -> p.Payment:
    money: dict[str, Any] = {"amount": Decimal("30.00"), "currency": "USD"}
    return p.Payment(**_SAID, payment_id="p", provider="till", assurance=assurance, **money)


def classified(complaint: bool) -> p.Classified:
    reading: dict[str, Any] = {"intent": "other", "confidence": 0.5, "complaint_p": 0.5}
    engine = p.Classifier(engine="words", model="1", rank=1)
    return p.Classified(
        **_SAID, message_id="m", conversation_id="c", complaint=complaint, severity=2,
        classifier=engine, **reading,
    )  # fmt: skip


def updated(milestone: Any) -> p.OrderUpdated:
    return p.OrderUpdated(
        shop="s", order_id="1", order_number="1", milestone=milestone, at=NOON, revision=1
    )


def status(audience: Any) -> p.Status:
    return p.Status(
        **_SAID, status="failed", conversation_id="c", at=NOON, message_id="m", audience=audience
    )


def degraded(audience: Any) -> p.ChannelState:
    return p.ChannelState(**_SAID, reason="401", audience=audience)


PARCEL = p.Parcel(**_SAID, carrier="ups", tracking_number="1Z")
ORDER = p.Order(**_SAID, shop="s", order_id="1")
CART = message(p.Text(text="these please"), p.OrderLines(lines=(_LINE,)))
TEXT = message(p.Text(text="order_lines"))
CONSENT = p.Consent(**_SAID, identity=_BOB, source="words")
HANDOFF = p.Handoff(**_SAID, conversation_id="c", reason="asked")
LINK = p.Link(**_SAID, a=_BOB, b=_BOB, evidence="accountLink")
ASKED = p.ReplyRequested(to=_BOB, purpose="case", about="case/C", text_key="case.acknowledged")
UNMAPPED = p.Unmapped(**_SAID, reason="r", item="i")

SAMPLES: dict[str, tuple[str, BaseModel]] = {
    "a text": ("message.received", TEXT),
    "a cart": ("message.received", CART),
    "an echo": ("message.echoed", TEXT),
    "an edit": ("message.edited", TEXT),
    "a comment": ("comment.created", TEXT),
    "a complaint": ("message.classified", classified(True)),
    "a question": ("message.classified", classified(False)),
    "an order": ("order.placed", ORDER),
    "a request": ("order.requested", ORDER),
    "a claim": ("payment.captured", payment("claimed")),
    "money": ("payment.captured", payment("verified")),
    "a claimed dispute": ("payment.disputed", payment("claimed")),
    "a dispute": ("payment.disputed", payment("verified")),
    "a scan": ("parcel.in_transit", PARCEL),
    "an exception": ("parcel.exception", PARCEL),
    "confirmed": ("order.updated", updated("confirmed")),
    "paid": ("order.updated", updated("paid")),
    "cancelled": ("order.updated", updated("cancelled")),
    "gone wrong": ("order.updated", updated("exception")),
    "a platform's failure": ("message.failed", status(None)),
    "an unreached buyer": ("message.failed", status("buyer")),
    "an unreached shipper": ("message.failed", status("shipper")),
    "an unreached desk": ("message.failed", status("desk")),
    "delivered": ("message.delivered", status(None)),
    "a dead channel": ("channel.degraded", degraded("buyer")),
    "a dead desk": ("channel.degraded", degraded("desk")),
    "a consent": ("consent.withdrawn", CONSENT),
    "a wish for a person": ("handoff.requested", HANDOFF),
    "a link": ("identity.linked", LINK),
    "a request to reply": ("reply.requested", ASKED),
    "unmapped": ("ingress.unmapped", UNMAPPED),
}
_BUYER_AND_SHIPPER = "an unreached buyer, an unreached shipper, a dead channel"
MATCHED: dict[str, str] = {
    "IntakeConnectRule": "",
    "IntakePartnerRule": "",
    "TriageRule": "a text, a cart, an edit, a comment",
    "PaymentsRule": "a claim, a claimed dispute",
    "OrdersRule": "an order, a scan, an exception",
    "OrdersMoneyRule": "money, a dispute",
    "OrdersCartRule": "a cart",
    "ShippersRule": "paid, cancelled",
    "EscalationsRule": "an exception, a wish for a person",
    "EscalationsFailureRule": _BUYER_AND_SHIPPER,
    "EscalationsComplaintRule": "a complaint",
    "EscalationsMilestoneRule": "gone wrong",
    "EscalationsDisputeRule": "a dispute",
    "RepliesRule": "confirmed, paid, cancelled, gone wrong, a request to reply",
    "ProfilesRule": "a text, a cart, an echo, a comment, a platform's failure, an unreached buyer,"
    " an unreached shipper, an unreached desk, delivered, a consent, a link",
    "JournalRule": ", ".join(SAMPLES),
}
"""By rule, the samples that wake its function; no other does."""


def on_bus(type: str, data: BaseModel) -> dict[str, Any]:
    """The event as EventBridge matches it."""
    event = Event("I", type, "/x", "channel/line/U-brand", NOON, NOON, data, "I")
    return _envelope(event, "parley." + type.partition(".")[0])


def _envelope(event: Event, source: str) -> dict[str, Any]:
    return {
        "version": "0",
        "id": "1",
        "account": "123456789012",
        "region": "us-east-1",
        "time": "2026-11-20T12:00:00Z",
        "source": source,
        "detail-type": event.type,
        "resources": [event.subject],
        "detail": json.loads(json.dumps(event.detail())),
    }


def ours(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    return matches(pattern, event)


def aws(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    if "prefix" in json.dumps(pattern):
        pytest.skip("event-ruler takes no prefix")
    whole = {"id": "1", "account": "1", "region": "r", "resources": [], **event}
    return bool(import_module("event_ruler").test_event_pattern(*map(json.dumps, (whole, pattern))))


MATCHERS = [
    pytest.param(ours, id="ours"),
    pytest.param(
        aws,
        id="event-ruler",
        marks=pytest.mark.skipif(not find_spec("event_ruler"), reason="event-ruler is absent"),
    ),
]
Matcher = Callable[[dict[str, Any], dict[str, Any]], bool]


@pytest.mark.parametrize("matcher", MATCHERS)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_lets_through_what_it_should_and_nothing_else(rule: Rule, matcher: Matcher) -> None:
    expected = set(filter(None, MATCHED[rule.name].split(", ")))
    found = {name for name, said in SAMPLES.items() if matcher(rule.pattern, on_bus(*said))}
    assert found == expected


def test_every_rule_is_in_the_table() -> None:
    assert {rule.name for rule in RULES} == set(MATCHED)


@pytest.mark.parametrize("matcher", MATCHERS)
def test_the_journal_hears_every_type(matcher: Matcher) -> None:
    [rule] = [rule for rule in RULES if rule.function == "journal"]
    event = Event("I", "x", "/x", "channel/a/b", NOON, NOON, UNMAPPED, "I")
    for type in TYPES:
        said = _envelope(replace(event, type=type), "parley." + type.partition(".")[0])
        assert matcher(rule.pattern, said), type


@pytest.mark.parametrize("matcher", MATCHERS)
@pytest.mark.parametrize(
    ("rule", "source", "type", "taken"),
    [
        ("IntakeConnectRule", "aws.connect", "Amazon Connect Contact Event", True),
        ("IntakeConnectRule", "aws.connect", "Amazon Connect Codeartifact Event", False),
        ("IntakeConnectRule", "parley.contact", "Amazon Connect Contact Event", False),
        ("IntakePartnerRule", "aws.partner/shopify.com/1/parley", "shopifyWebhook", True),
        ("IntakePartnerRule", "aws.partner/shopify.com/1/parley", "other", False),
        ("JournalRule", "aws.connect", "Amazon Connect Contact Event", False),
        ("JournalRule", "aws.partner/shopify.com/1/parley", "shopifyWebhook", False),
    ],
)
def test_what_comes_from_elsewhere(
    rule: str, source: str, type: str, taken: bool, matcher: Matcher
) -> None:
    [pattern] = [each.pattern for each in RULES if each.name == rule]
    event = {"source": source, "detail-type": type, "detail": {"metadata": {}}}
    assert matcher(pattern, event) is taken
