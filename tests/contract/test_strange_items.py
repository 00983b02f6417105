"""Bad input costs its neighbours nothing: one field removed, retyped or blown up at a time."""

import json
from collections.abc import Iterator
from typing import Any

from chalicelib.events import Event
from chalicelib.source import Request
from tests import samples
from tests.samples import NOW, Sample

SAMPLES = [s for s in samples.of_project() if s.body.startswith((b"{", b"["))]
WORST = [
    None, "", " ", "x" * 5000, "\ud800", "\x00", -1, 0, 10**40, 1e300, True, [], {}, [[]], [None],
    "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "not a number", "NaN", "1e9999",
]  # fmt: skip


@samples.each_of(SAMPLES)
def test_one_field_less_is_a_fact_or_kept_whole(sample: Sample) -> None:
    for document in without_one_field(json.loads(sample.body)):
        heard(sample, document)


@samples.each_of(SAMPLES)
def test_one_field_of_a_strange_kind_is_a_fact_or_kept_whole(sample: Sample) -> None:
    for number, document in enumerate(places(json.loads(sample.body))):
        heard(sample, document(WORST[number % len(WORST)]))


def heard(sample: Sample, document: Any) -> list[Event]:
    """Never an exception; what comes out can travel."""
    body = json.dumps(document).encode()
    request = Request(body=body, headers=dict(sample.headers), now=NOW)
    events = samples.received(sample.source, request)
    for event in events:
        assert Event.parse(json.loads(json.dumps(event.detail()).encode())) == event
    return events


def without_one_field(value: Any) -> Iterator[Any]:  # noqa: C901 (both kinds of node)
    """The document once for every field, without it."""
    if isinstance(value, dict):
        for key in value:
            yield {k: v for k, v in value.items() if k != key}
            for inner in without_one_field(value[key]):
                yield {**value, key: inner}
    if isinstance(value, list):
        for n, each in enumerate(value):
            yield value[:n] + value[n + 1 :]
            for inner in without_one_field(each):
                yield [*value[:n], inner, *value[n + 1 :]]


def places(value: Any) -> Iterator[Any]:  # noqa: C901 (both kinds of node)
    """For every field, how to put something else in its place."""
    if isinstance(value, dict):
        for key in value:
            yield lambda new, key=key: {**value, key: new}
            for inner in places(value[key]):
                yield lambda new, key=key, inner=inner: {**value, key: inner(new)}
    if isinstance(value, list):
        for n, each in enumerate(value):
            yield lambda new, n=n: [*value[:n], new, *value[n + 1 :]]
            for inner in places(each):
                yield lambda new, n=n, inner=inner: [*value[:n], inner(new), *value[n + 1 :]]
