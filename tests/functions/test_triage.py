"""What a message means, said once, and at once what cannot wait."""

from typing import Any

import pytest

from chalicelib import payloads as p
from tests.functions import facts
from tests.functions.facts import said
from tests.functions.hub import Hub
from tests.gateways.aws import Aws


@pytest.fixture
def hub(aws: Aws) -> Hub:
    return Hub(aws)


def test_triage_says_what_a_message_means(hub: Hub, aws: Aws) -> None:
    assert hub.deliver("triage", said(facts.COMPLAINT)) == []
    [event] = aws.heard()
    assert event.type == "message.classified" and isinstance(event.data, p.Classified)
    assert event.data.complaint and event.data.entities.order_numbers == ("1042",)


@pytest.mark.parametrize(
    ("words", "types"),
    [
        ("STOP", ["message.classified", "consent.withdrawn"]),
        ("I want to talk to a human", ["message.classified", "handoff.requested"]),
        ("blue", ["message.classified"]),
    ],
)
def test_triage_says_at_once_what_cannot_wait(
    hub: Hub, aws: Aws, words: str, types: list[str]
) -> None:
    hub.deliver("triage", said(words))
    assert aws.said() == types


@pytest.mark.parametrize(
    "change",
    [
        {"synthetic": True},
        {"standby": True},
        {"author": p.Author(kind="business")},
        {"author": p.Author(kind="bot")},
    ],
)
def test_triage_does_not_read_what_no_customer_said(
    hub: Hub, aws: Aws, change: dict[str, Any]
) -> None:
    assert hub.deliver("triage", said(facts.COMPLAINT, **change)) == []
    assert aws.said() == []


def test_triage_takes_no_consent_from_a_public_word(hub: Hub, aws: Aws) -> None:
    hub.deliver("triage", said("stop", "facebook_page/comment"))
    assert aws.said() == ["message.classified"]
