"""Law 4: an item we cannot read costs its neighbours nothing, and is never lost.

A list of a sample is a batch when a strange element in it is one more item of the delivery. Every
batch of every source is found so, and the platforms that are known to batch must have one.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from chalicelib import sources
from chalicelib.events import Event
from chalicelib.source import Request, SignedSource
from tests import samples
from tests.samples import Sample

STRANGE: list[Any] = [None, 7, "text", [], {}, {"id": None}, {"id": {"a": [1]}}, [[[]]]]
BATCHING = ("facebook_page", "line", "messenger", "whatsapp")
SAMPLES = [s for s in samples.of_project() if s.body.startswith(b"{")]
Place = tuple[str | int, ...]


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_a_strange_element_costs_its_neighbours_nothing_and_is_kept(sample: Sample) -> None:
    plain = known(heard(sample, json.loads(sample.body)))
    for number, place in enumerate(batches(sample)):
        for at in range(len(elements(sample, place)) + 1):
            stranger = STRANGE[(number + at) % len(STRANGE)]
            found = known(heard(sample, with_stranger(sample, place, at, stranger)))
            added = [event for ident, event in found.items() if ident not in plain]
            assert {i: said(e) for i, e in found.items() if i in plain} == {
                i: said(e) for i, e in plain.items()
            }
            assert {event.type for event in added} <= {"ingress.unmapped"} and len(added) <= 1
            text = json.dumps(stranger).replace(" ", "")
            strangers = [e for e in found.values() if e.type == "ingress.unmapped"]
            assert any(text in raw(event) for event in strangers)


@pytest.mark.parametrize("name", BATCHING)
def test_platforms_that_batch_have_their_batches_found(name: str) -> None:
    assert any(batches(sample) for sample in SAMPLES if sample.source == name)


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_every_element_of_a_batch_is_heard_wherever_it_stands(sample: Sample) -> None:
    """Platforms re-batch: the last element alone says what it said among the others."""
    together = known(heard(sample, json.loads(sample.body)))
    for place in batches(sample):
        whole = elements(sample, place)
        apart: dict[str, Event] = {}
        for element in whole:
            apart |= known(heard(sample, put(json.loads(sample.body), place, [element])))
        assert apart.keys() >= together.keys()


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_a_platforms_retry_is_the_same_event(sample: Sample) -> None:
    """Ids come from what the platform said: never from when or how often it said so."""
    document = json.loads(sample.body)
    first, second = heard(sample, document), heard(sample, document, timedelta(hours=5))
    assert [event.id for event in first] == [event.id for event in second]
    assert len({event.id for event in first}) == len(first)


def heard(sample: Sample, document: Any, later: timedelta = timedelta()) -> list[Event]:
    source, now = sources.get(sample.source), sample.request.now + later
    if not isinstance(source, SignedSource):  # AWS hands it over, and vouches for it
        return source.read(source.unwrap(document, now))
    key = samples.secrets(sample.source).of("default").one(source.signing_key)
    body = json.dumps(document, ensure_ascii=False).encode()
    request = replace(sample.request, body=body, now=now)
    return source.receive(samples.sign(source, request, key), samples.secrets(sample.source))


def known(events: list[Event]) -> dict[str, Event]:
    return {event.id: event for event in events}


def raw(event: Event) -> str:
    return str(getattr(event.data, "raw", ""))


def said(event: Event) -> Any:
    return (event.type, event.subject, event.time, event.data.model_dump(exclude={"raw"}))


def elements(sample: Sample, place: Place) -> list[Any]:
    found = json.loads(sample.body)
    for step in place:
        found = found[step]
    assert isinstance(found, list)
    return found


def with_stranger(sample: Sample, place: Place, at: int, stranger: Any) -> Any:
    before = elements(sample, place)
    return put(json.loads(sample.body), place, [*before[:at], stranger, *before[at:]])


def put(document: Any, place: Place, value: list[Any]) -> Any:
    if not place:
        return value
    inner = document
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return document


@cache
def batches(sample: Sample) -> tuple[Place, ...]:
    """Lists in which a strange element is exactly one more item."""
    document = json.loads(sample.body)
    count = len(items(sample, document))
    candidates = [place for place in lists(document) if elements(sample, place)]
    return tuple(
        place
        for place in candidates
        if len(items(sample, with_stranger(sample, place, 0, {"id": None}))) == count + 1
    )


def items(sample: Sample, document: Any) -> list[Any]:
    request: Request = replace(sample.request, body=json.dumps(document).encode())
    try:
        return list(sources.get(sample.source).items(document, request))
    except Exception:
        return []


def lists(value: Any, place: Place = ()) -> Iterator[Place]:
    if isinstance(value, list):
        yield place
        yield from (found for n, each in enumerate(value) for found in lists(each, (*place, n)))
    if isinstance(value, dict):
        yield from (found for k, each in value.items() for found in lists(each, (*place, k)))
