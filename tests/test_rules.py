"""Every rule of `infra/hub.yaml`, one by one: what must wake its function, and what must not.

Judged by two matchers: our own of `tests.fakes`, which the laws and the chaos rely on, and
TestEventPattern of the embedded AWS. (PyPI's `event-ruler`, a port of AWS's own matcher, agrees
with both, but is built for Python 3.11 only.)
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import botocore.session
import pytest
from pydantic import BaseModel

from chalicelib import payloads as p
from chalicelib.events import TYPES, Event
from infra import template
from parley import venv
from parley.loopback import free_port
from parley.ministack import REGION, MiniStack
from parley.places import REQUIREMENTS_AWS, VENV_AWS
from tests.fakes import NOON, matches
from tests.rules import RULES, Rule

LONGEST = 2048
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


@dataclass(frozen=True)
class Aws:
    """EventBridge's own answer, as the embedded AWS gives it."""

    client: Any

    def __call__(self, pattern: dict[str, Any], event: dict[str, Any]) -> bool:
        whole = {"id": "1", "account": "1", "region": "r", "resources": [], "time": "2026", **event}
        said = self.client.test_event_pattern(
            EventPattern=json.dumps(pattern), Event=json.dumps(whole)
        )
        return bool(said["Result"])


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    home = tmp_path_factory.mktemp("aws")
    emulator = MiniStack(venv.ensure(VENV_AWS, REQUIREMENTS_AWS), free_port(), home)
    emulator.start()
    try:
        emulator.wait()
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        session = botocore.session.Session()
        yield Aws(session.create_client("events", REGION, endpoint_url=emulator.url, **keys))
    finally:
        emulator.stop()


@pytest.fixture(params=["ours", pytest.param("aws", marks=pytest.mark.embedded)])
def matcher(request: pytest.FixtureRequest) -> Any:
    return matches if request.param == "ours" else request.getfixturevalue("aws")


def named(rule: Rule) -> str:
    return rule.name


each_rule = pytest.mark.parametrize("rule", RULES, ids=named)
pickier = pytest.mark.parametrize("rule", [rule for rule in RULES if rule.data], ids=named)


@each_rule
def test_a_rule_lets_through_what_it_should_and_nothing_else(rule: Rule, matcher: Any) -> None:
    found = {name for name, said in SAMPLES.items() if matcher(rule.pattern, on_bus(*said))}
    assert found == wakes(rule)


def wakes(rule: Rule) -> set[str]:
    return set(filter(None, MATCHED[rule.name].split(", ")))


def test_every_rule_is_in_the_table() -> None:
    declared = template.hub()["Resources"].items()
    rules = {name for name, item in declared if item.get("Type") == "AWS::Events::Rule"}
    assert rules == {rule.name for rule in RULES} == set(MATCHED)


@each_rule
def test_every_rule_is_woken_by_something(rule: Rule) -> None:
    assert wakes(rule) or rule.name in {each[0] for each in ELSEWHERE}


@each_rule
def test_a_pattern_is_short_enough_and_lists_what_it_takes(rule: Rule) -> None:
    assert rule.length <= LONGEST
    loose = {"prefix", "suffix", "wildcard", "anything-but", "exists", "equals-ignore-case", "$or"}
    used = {word for word in loose if f'"{word}"' in json.dumps(rule.pattern)}
    assert used == ({"prefix"} if rule.function == "journal" else set())


@each_rule
def test_a_rule_takes_the_types_it_lists_and_no_others(rule: Rule) -> None:
    listed = rule.pattern.get("detail-type")
    for name in wakes(rule):
        event = on_bus(*SAMPLES[name])
        for type in TYPES:
            taken = matches(rule.pattern, {**event, "detail-type": type})
            assert taken == (listed is None or type in listed), (name, type)


@pickier
def test_a_near_miss_wakes_nobody(rule: Rule, matcher: Any) -> None:
    for name in wakes(rule):
        event = on_bus(*SAMPLES[name])
        assert matcher(rule.pattern, event)
        for data in near_misses(rule, event["detail"]["data"]):
            missed = {**event, "detail": {**event["detail"], "data": data}}
            assert not matcher(rule.pattern, missed), (name, data)
        astray = {**event, "detail": {**event["detail"], **event["detail"]["data"], "data": {}}}
        assert not matcher(rule.pattern, astray), name


def near_misses(rule: Rule, data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The field is missing, null, empty, another type, another case, or about another word."""
    for field in rule.data:
        rest = {name: value for name, value in data.items() if name != field}
        yield rest
        for odd in (None, "", [], {}, 1, "True", "VERIFIED", " paid", "order_lines", ["x"]):
            yield {**rest, field: odd}
        yield {**rest, field: json.dumps(data[field])}
        yield {**rest, field: {field: data[field]}}
        yield {**rest, field.upper(): data[field]}


def test_a_cart_is_a_part_of_its_own(matcher: Any) -> None:
    """Whatever else the message holds, and wherever: but not a part that only speaks of one."""
    [rule] = [rule for rule in RULES if rule.name == "OrdersCartRule"]
    cart, text = p.OrderLines(lines=(_LINE,)), p.Text(text="order_lines")
    for parts, taken in (
        ((cart,), True),
        ((text, cart, text), True),
        ((text,), False),
        ((), False),
    ):
        assert matcher(rule.pattern, on_bus("message.received", message(*parts))) is taken


@pytest.mark.embedded
def test_the_archive_keeps_what_nothing_of_ours_caused(aws: Aws) -> None:
    pattern = template.hub()["Resources"]["HubArchive"]["Properties"]["EventPattern"]
    root = on_bus("order.placed", ORDER)
    caused = {**root, "detail": {**root["detail"], "causationid": "C"}}
    assert aws(pattern, root)
    assert not aws(pattern, caused)


def test_the_journal_hears_every_type() -> None:
    [rule] = [rule for rule in RULES if rule.function == "journal"]
    event = Event("I", "x", "/x", "channel/a/b", NOON, NOON, UNMAPPED, "I")
    for type in TYPES:
        said = _envelope(replace(event, type=type), "parley." + type.partition(".")[0])
        assert matches(rule.pattern, said), type


SHOPIFY, CONNECT = "aws.partner/shopify.com/1/parley", "Amazon Connect Contact Event"
ELSEWHERE = [
    ("IntakeConnectRule", "aws.connect", CONNECT, True),
    ("IntakeConnectRule", "aws.connect", "Amazon Connect Codeartifact Event", False),
    ("IntakeConnectRule", "aws.connect.other", CONNECT, False),
    ("IntakeConnectRule", "parley.contact", CONNECT, False),
    ("IntakePartnerRule", SHOPIFY, "shopifyWebhook", True),
    ("IntakePartnerRule", SHOPIFY, "other", False),
    ("JournalRule", "aws.connect", CONNECT, False),
    ("JournalRule", SHOPIFY, "shopifyWebhook", False),
    ("JournalRule", "custom.parley.order", "order.placed", False),
    ("JournalRule", "parley", "order.placed", False),
    ("JournalRule", "PARLEY.order", "order.placed", False),
]


@pytest.mark.parametrize(("rule", "source", "type", "taken"), ELSEWHERE)
def test_what_comes_from_elsewhere(
    rule: str, source: str, type: str, taken: bool, matcher: Any
) -> None:
    [pattern] = [each.pattern for each in RULES if each.name == rule]
    event = {"source": source, "detail-type": type, "detail": {"metadata": {}}}
    assert matcher(pattern, event) is taken


@pytest.mark.parametrize(
    ("pattern", "value", "taken"),
    [
        ({"a": [True]}, {"a": True}, True),
        ({"a": [True]}, {"a": 1}, False),
        ({"a": [True]}, {"a": "true"}, False),
        ({"a": ["5"]}, {"a": 5}, False),
        ({"a": ["x"]}, {"a": "X"}, False),
        ({"a": ["x"]}, {"a": None}, False),
        ({"a": ["x"]}, {}, False),
        ({"a": ["x"]}, {"a": {}}, False),
        ({"a": ["x", "y"]}, {"a": "y"}, True),
        ({"a": ["x"]}, {"a": ["w", "x"]}, True),
        ({"a": ["x"]}, {"a": []}, False),
        ({"a": {"b": ["x"]}}, {"a": [{"b": "w"}, {"b": "x"}]}, True),
        ({"a": {"b": ["x"]}}, {"a": "x"}, False),
        ({"a": {"b": ["x"], "c": ["y"]}}, {"a": [{"b": "x", "c": "y"}]}, True),
        ({"a": {"b": ["x"], "c": ["y"]}}, {"a": [{"b": "x"}, {"c": "y"}]}, False),
        ({"a": [{"prefix": "x."}]}, {"a": "x.y"}, True),
        ({"a": [{"prefix": "x."}]}, {"a": "x"}, False),
        ({"a": [{"prefix": "x."}]}, {"a": 5}, False),
    ],
)
def test_what_every_matcher_holds(pattern: Any, value: Any, taken: bool, matcher: Any) -> None:
    """What AWS's own matcher says of the operators that our rules use."""
    event = {"source": "s", "detail-type": "t", "detail": value}
    assert matcher({"detail": pattern}, event) is taken
