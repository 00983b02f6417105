"""What every source promises. An adapter's author writes only what is particular to it."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib import sources
from chalicelib.credentials import Accounts
from chalicelib.errors import (
    InvalidSignature,
    MalformedPayload,
    Misconfigured,
    UnknownSource,
    WrongMethod,
)
from chalicelib.events import TYPES, Event
from chalicelib.source import Request, SignedSource
from tests import samples
from tests.samples import EVENTS, NOW, Sample

SAMPLES = samples.of_project()
SOURCES = sources.inbound()
SIGNED = [name for name in SOURCES if isinstance(sources.get(name), SignedSource)]
SHARED = [n for n in SIGNED if getattr(sources.get(n), "shared_key", False)]
each_shared = pytest.mark.parametrize("name", SHARED)
AWS = [name for name in SOURCES if sources.get(name).transport == "aws"]
COVERED = [s for s in SAMPLES if getattr(sources.get(s.source), "signs_body", s.source in SIGNED)]
each_sample = samples.each_of(SAMPLES)
each_source = pytest.mark.parametrize("name", SOURCES)
each_signed = pytest.mark.parametrize("name", SIGNED)
each_aws = pytest.mark.parametrize("name", AWS)


def heard(sample: Sample) -> list[Event]:
    """What the hub makes of a sample, signed where it is not AWS that vouches for it."""
    return samples.received(sample.source, sample.request)


def first(name: str) -> Sample:
    return next(s for s in SAMPLES if s.source == name)


@each_source
def test_a_source_is_named_after_its_file_and_declares_itself(name: str) -> None:
    source = sources.get(name)
    assert source.name == name
    assert source.title and source.docs.startswith("https://")
    assert source.signature and source.dedupe
    assert timedelta(0) < source.deadline <= timedelta(seconds=30)
    assert source.retry_horizon >= timedelta(0)
    assert source.emits <= set(TYPES) - {"ingress.unmapped"}


@each_source
def test_a_source_has_samples(name: str) -> None:
    assert [s for s in SAMPLES if s.source == name], f"put samples into {EVENTS.name}/{name}"


@each_source
def test_the_samples_show_every_type_that_the_source_declares_and_no_other(name: str) -> None:
    said = {e.type for s in SAMPLES if s.source == name for e in heard(s)}
    assert said - {"ingress.unmapped"} == set(sources.get(name).emits)


@each_sample
def test_a_sample_says_the_same_twice(sample: Sample) -> None:
    assert heard(sample) == heard(sample)


@each_sample
def test_a_later_delivery_of_a_sample_names_the_same_facts(sample: Sample) -> None:
    later = replace(sample.request, now=NOW + timedelta(minutes=3))
    again = samples.received(sample.source, later)
    assert [e.id for e in again] == [e.id for e in heard(sample)]


@each_sample
def test_no_two_facts_of_a_sample_share_an_id(sample: Sample) -> None:
    ids = [event.id for event in heard(sample)]
    assert len(ids) == len(set(ids))


@each_sample
def test_a_fact_survives_the_bus(sample: Sample) -> None:
    for event in heard(sample):
        assert Event.parse(json.loads(json.dumps(event.detail()))) == event


@each_sample
def test_a_fact_keeps_the_platforms_own_text(sample: Sample) -> None:
    for event in heard(sample):
        assert json.loads(event.data.raw)  # type: ignore[attr-defined]


@samples.each_of(COVERED)
def test_a_tampered_body_is_refused(sample: Sample) -> None:
    request = samples.signed(sample)
    tampered = replace(request, body=request.body[:-1] + b" }")
    with pytest.raises(InvalidSignature):
        sources.get(sample.source).receive(tampered, samples.secrets(sample.source))


@each_signed
@pytest.mark.parametrize(
    "forge",
    [
        lambda value: "",
        lambda value: value[:-1],
        lambda value: value + value,
        lambda value: f"{value},{value}",
        lambda value: "é" + value,
        lambda value: "md5=" + value,
        lambda value: "sha1=" + value.partition("=")[2],
        lambda value: "\udcff",
        lambda value: ",",
        lambda value: "v1,!!notbase64",
    ],
)
def test_a_forged_signature_is_refused_whatever_it_looks_like(name: str, forge: Any) -> None:
    request = samples.signed(first(name))
    source = sources.get(name)
    assert isinstance(source, SignedSource)
    key = samples.secrets(name).of("default").one(source.signing_key)
    for header, value in source.sign(first(name).request, key).items():
        if "signature" in header or "hmac" in header:
            forged = replace(request, headers={**request.headers, header: forge(value)})
            with pytest.raises(InvalidSignature):
                source.receive(forged, samples.secrets(name))


@each_signed
def test_nothing_is_trusted_without_its_signature(name: str) -> None:
    with pytest.raises(InvalidSignature):
        sources.get(name).receive(first(name).request, samples.secrets(name))


@each_shared
def test_a_secret_that_is_missing_is_our_failure_not_the_platforms(name: str) -> None:
    request = samples.signed(first(name))
    for entries in ({}, {"default": {}}, {"default": {"verify_token": "v"}}):
        with pytest.raises(Misconfigured):
            sources.get(name).receive(request, Accounts(name, entries))


@each_shared
def test_an_account_nobody_configured_is_not_found(name: str) -> None:
    request = replace(samples.signed(first(name)), account="nobody")
    with pytest.raises(UnknownSource):
        sources.get(name).receive(request, samples.secrets(name))


@each_shared
def test_every_live_secret_verifies_during_a_rotation(name: str) -> None:
    source = sources.get(name)
    assert isinstance(source, SignedSource)
    old = samples.secrets(name).of("default").one(source.signing_key)
    new = old[:-4] + "MjM="
    both = Accounts(name, {"default": {source.signing_key: [new, old]}})
    for key in (new, old):
        assert source.receive(samples.signed(first(name), key), both) is not None


@each_signed
@pytest.mark.parametrize("body", [b"i am not jason", b"\xff\xfe{}", b'{"a": NaN}', b"[" * 100_000])
def test_a_signed_body_that_is_nonsense_is_malformed(name: str, body: bytes) -> None:
    request = _signed_body(name, body)
    with pytest.raises(MalformedPayload):
        sources.get(name).receive(request, samples.secrets(name))


@each_signed
@pytest.mark.parametrize("body", [b"{}", b"[]", b"1", b"null", b'"text"', b'[{"a":1}]'])
def test_a_signed_body_of_no_known_shape_is_kept(name: str, body: bytes) -> None:
    events = sources.get(name).receive(_signed_body(name, body), samples.secrets(name))
    assert {event.type for event in events} <= {"ingress.unmapped"}
    assert len(events) <= 1


@each_source
def test_a_source_reads_its_own_samples_only(name: str) -> None:
    """No type of ours is said by reading another platform's body."""
    foreign = next(s for s in SAMPLES if s.source != name)
    request = replace(foreign.request, headers=dict(first(name).headers))
    events = samples.received(name, request)
    assert {event.type for event in events} <= {"ingress.unmapped"}


@each_aws
def test_what_aws_vouches_for_nobody_may_post(name: str) -> None:
    for request in (first(name).request, Request(body=b"{}", query={"token": ""}, now=NOW)):
        with pytest.raises(WrongMethod):
            sources.get(name).receive(request, Accounts(name, {"default": {"secret": "s"}}))


@each_aws
@pytest.mark.parametrize("body", [b"{}", b'{"detail": null}', b'{"detail": [1]}', b'{"a": 1}'])
def test_what_aws_hands_over_in_no_known_shape_is_kept(name: str, body: bytes) -> None:
    [event] = samples.received(name, Request(body=body, now=NOW))
    assert event.type == "ingress.unmapped"


def _signed_body(name: str, body: bytes) -> Request:
    source = sources.get(name)
    assert isinstance(source, SignedSource)
    key = samples.secrets(name).of("default").one(source.signing_key)
    request = Request(body=body, headers=dict(first(name).headers), now=NOW)
    return samples.sign(source, request, key)
