"""The log: an item an event, in few calls, without what platforms sent."""

from typing import Any

import pytest

from chalicelib import sources
from chalicelib.events import Event
from chalicelib.functions.journal import entry
from chalicelib.functions.journal import journal as journal_handler
from chalicelib.source import SignedSource
from tests import samples
from tests.functions import facts
from tests.functions.facts import said
from tests.functions.hub import Hub, enveloped, records
from tests.functions.rest import Context
from tests.functions.units import size
from tests.gateways.aws import Aws, packed
from tests.samples import NOW


@pytest.fixture
def hub(aws: Aws) -> Hub:
    return Hub(aws)


def journal(*bodies: Any) -> Any:
    return journal_handler(records(*bodies), Context())


def test_the_journal_keeps_an_item_an_event_and_copies_once(aws: Aws) -> None:
    events = [facts.CART, facts.PLACED, facts.CART, facts.SCANNED]
    assert journal(*map(enveloped, events)) == {"batchItemFailures": []}
    assert aws.wire.sent == ["BatchWriteItem"] and len(aws.items()) == 3
    assert aws.said() == []


def test_a_hundred_events_are_four_calls(aws: Aws) -> None:
    journal(*(enveloped(said("x", message_id=str(n))) for n in range(1)))
    aws.wire.sent.clear()
    events = [samples_event(n) for n in range(100)]
    assert journal(*map(enveloped, events)) == {"batchItemFailures": []}
    assert aws.wire.sent == ["BatchWriteItem"] * 4 and len(aws.items()) == 101


def samples_event(n: int) -> Event:
    return facts.CART.causes("order.requested", facts.PLACED.data, "order/a", now=NOW,
                             discriminator=str(n))  # fmt: skip


def test_what_the_journal_cannot_read_fails_alone(aws: Aws) -> None:
    told = journal("{}", enveloped(facts.CART), '{"detail": 7}')
    assert [f["itemIdentifier"] for f in told["batchItemFailures"]] == ["0", "2"]
    assert len(aws.items()) == 1


def test_a_table_that_refuses_brings_the_whole_batch_again(aws: Aws) -> None:
    aws.wire.fail("BatchWriteItem", "throttled", times=3)
    told = journal(enveloped(facts.CART), enveloped(facts.PLACED))
    assert [f["itemIdentifier"] for f in told["batchItemFailures"]] == ["0", "1"]


def test_an_unknown_type_is_kept_opaque(aws: Aws) -> None:
    strange = enveloped(facts.CART)
    strange["detail"] |= {"type": "moon.landed", "data": {"channel": "nasa", "crew": [1, 2]}}
    assert journal(strange) == {"batchItemFailures": []}
    [item] = aws.items()
    assert (item["type"]["S"], item["channel"]["S"]) == ("moon.landed", "nasa")


SIGNED = [s for s in samples.of_project() if isinstance(sources.get(s.source), SignedSource)]


def test_no_entry_is_larger_than_a_kilobyte_or_holds_what_the_platform_sent() -> None:
    for sample in SIGNED:
        source, request = sources.get(sample.source), samples.signed(sample)
        for event in source.receive(request, samples.secrets(sample.source)):
            item = entry(event)
            assert size(packed(item)) <= 1024, (str(sample), item)
            assert "raw" not in item
