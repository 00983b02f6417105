"""What the customer is told, where and how; what cannot be said is said to be so."""

from typing import Any

import pytest

from chalicelib import payloads as p
from chalicelib.domain.outbox import partition
from chalicelib.events import Event
from tests.functions import facts
from tests.functions.facts import heard, said
from tests.functions.hub import Hub
from tests.gateways.aws import Aws

OUTBOX = partition(facts.PLACED.subject)


@pytest.fixture
def hub(aws: Aws) -> Hub:
    return Hub(aws)


def reply(hub: Hub, event: Event, *, seen: bool = True) -> Any:
    """What `replies` said about an event, the customer having written or not."""
    if seen:
        hub.deliver("profiles", said("hello"))
    hub.deliver("replies", event)
    event = hub.aws.heard()[-1]
    assert isinstance(event.data, p.ReplyPlanned)
    return event.type, event.data.means, event.data.reason


def test_a_milestone_is_planned_where_the_customer_wrote(hub: Hub, aws: Aws) -> None:
    assert reply(hub, facts.updated())[:2] == ("reply.planned", "free")
    [body] = hub.planned()
    assert body == {"outbox": [OUTBOX, "paid##buyer"]}
    item = hub.item(*body["outbox"])
    assert (item["via"], item["account"]) == ("whatsapp", "190300550011001")
    assert "We have received your payment for order #1042." in item["body"]


def test_a_milestone_is_planned_once(hub: Hub, aws: Aws) -> None:
    hub.deliver("replies", facts.updated(), facts.updated())
    first, second = aws.heard()
    assert first == second and len(hub.planned()) == 1


def test_a_customer_who_wrote_too_long_ago_gets_the_template(hub: Hub) -> None:
    assert reply(hub, facts.updated(), seen=False)[:2] == ("reply.planned", "template")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"customer": None}, "unreachable"),
        ({"conversation_id": None}, "unreachable"),
        ({"conversation_id": "whatsapp"}, "unreachable"),
        ({"customer": p.Identity(channel="shopify", scope="s", subject="1")}, "unreachable"),
        ({"customer": p.Identity(channel="telex", scope="s", subject="1")}, "unreachable"),
    ],
)
def test_what_cannot_be_said_is_said_to_be_so(
    hub: Hub, aws: Aws, change: dict[str, Any], reason: str
) -> None:
    assert reply(hub, facts.updated(**change)) == ("reply.blocked", None, reason)
    assert hub.planned() == []


def test_who_does_not_want_it_is_not_told(hub: Hub) -> None:
    hub.deliver("profiles", heard("whatsapp/preferences_stop", purpose="all"))
    assert reply(hub, facts.updated()) == ("reply.blocked", None, "consent")


def test_old_news_are_not_told(hub: Hub) -> None:
    hub.clock.forward(hours=24, seconds=1)
    assert reply(hub, facts.updated()) == ("reply.blocked", None, "stale")


def test_a_late_copy_of_what_was_told_is_no_news(hub: Hub, aws: Aws) -> None:
    hub.deliver("replies", facts.updated())
    hub.clock.forward(hours=25)
    hub.deliver("replies", facts.updated())
    assert aws.said() == ["reply.planned"]
