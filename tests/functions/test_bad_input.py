"""Bad input at the front door, for every source there is: facts or a refusal, never an error."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib import sources
from chalicelib.source import SignedSource
from tests import samples
from tests.functions.hall import Hall
from tests.samples import NOW

WELL = (200, 204)
"""An accepted delivery; eBay wants 204."""

BOMB = b"""<?xml version="1.0"?><!DOCTYPE z [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;">]><xml><ToUserName>&c;</ToUserName></xml>"""
BODIES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda body: b"",
    "cut short": lambda body: body[: len(body) // 2],
    "text": lambda body: b"hello",
    "a form": lambda body: b"payload=%7B%7D&a=1",
    "an xml bomb": lambda body: BOMB,
    "utf-16": lambda body: body.decode().encode("utf-16"),
    "latin-1": lambda body: b'{"text": "\xe9"}',
    "a byte order mark": lambda body: b"\xef\xbb\xbf" + body,
    "a NUL byte": lambda body: body + b"\x00",
    "NUL in every text": lambda body: body.replace(b'": "', b'": "\\u0000'),
    "a lone surrogate in every text": lambda body: body.replace(b'": "', b'": "\\ud800'),
    "3 MB": lambda body: body + b" " * 3_000_000,
    "deep": lambda body: b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "deep inside": lambda body: (
        body.replace(b"{", b'{"deep": ' + b"[" * 400 + b"]" * 400 + b",", 1)
        if body != b"{}"
        else body
    ),
    "null": lambda body: b"null",
    "a number": lambda body: b"7",
    "a list of nothing": lambda body: b"[]",
    "an object of nothing": lambda body: b"{}",
    "long ids": lambda body: body.replace(b'": "', b'": "' + b"x" * 1500),
    "longer ids": lambda body: body.replace(b'": "', b'": "' + b"x" * 5000),
    "amounts that are words": lambda body: body.replace(b'.00"', b'.00 only"'),
    "year 0": lambda body: body.replace(b"202", b"000"),
    "year 9999": lambda body: body.replace(b"2025-", b"9999-").replace(b"2026-", b"9999-"),
    "huge numbers": lambda body: body.replace(b": 1", b": 1" + b"0" * 40),
}
SAMPLES = {sample.source: sample for sample in reversed(samples.of_project())}
"""The first of each source; the contract sees to it that there is one."""
HEARD = [name for name in SAMPLES if isinstance(sources.get(name), SignedSource)]
JSON = [name for name in HEARD if SAMPLES[name].body.startswith(b"{")]


def hall_of(name: str) -> Hall:
    found = samples.secrets(name)
    return Hall({name: found.entries})


@pytest.mark.parametrize("name", HEARD)
def test_a_signed_body_of_any_kind_is_facts_or_refused_and_never_an_error(name: str) -> None:
    sample = SAMPLES[name]
    for kind, spoil in BODIES.items():
        body = spoil(sample.body)
        hall = hall_of(name)
        told = hall.answer(name, samples.signed(replace(sample, body=body)))
        assert told.status in (*WELL, 400, 401), (kind, told, hall.records.found)
        assert (told.status in WELL) == any(
            line["message"] == "accepted" for line in hall.records.found
        )
        for event in hall.bus:
            json.dumps(event.detail()).encode()
        assert told.status in WELL or list(hall.bus) == [], kind


FORGERIES: dict[str, Callable[[str], str | None]] = {
    "none": lambda value: None,
    "empty": lambda value: "",
    "short": lambda value: value[:-1],
    "long": lambda value: value + "0",
    "twice": lambda value: f"{value}{value}",
    "twice, as proxies join them": lambda value: f"{value},{value}",
    "not ASCII": lambda value: "ü" + value[1:],
    "not text at all": lambda value: "\udcff" * len(value),
    "another's": lambda value: value[::-1],
    "a NUL": lambda value: value + "\x00",
}


@pytest.mark.parametrize("name", HEARD)
def test_a_forged_signature_is_401_for_every_source(name: str) -> None:
    source, request = sources.get(name), samples.signed(SAMPLES[name])
    assert isinstance(source, SignedSource)
    key = samples.secrets(name).of("default").one(source.signing_key)
    headers = [h for h in source.sign(request, key) if "signature" in h or "hmac" in h]
    hall = hall_of(name)
    for header in headers:
        for forge in FORGERIES.values():
            value = forge(request.headers[header])
            kept_ = {**request.headers, header: value}
            forged = {k: v for k, v in kept_.items() if v is not None}
            assert hall.answer(name, replace(request, headers=forged)).status == 401
    assert list(hall.bus) == [] and all(r["status"] == 401 for r in hall.records.found)


@pytest.mark.parametrize("name", HEARD)
def test_an_unknown_account_is_404_for_every_source(name: str) -> None:
    request = replace(samples.signed(SAMPLES[name]), account="nobody")
    assert hall_of(name).answer(name, request).status == 404


@pytest.mark.parametrize("name", JSON)
def test_a_sample_without_any_one_field_is_accepted_by_every_source(name: str) -> None:
    sample = SAMPLES[name]
    document = json.loads(sample.body)
    for field in document:
        rest = {k: v for k, v in document.items() if k != field}
        body = json.dumps(rest).encode()
        hall = hall_of(name)
        told = hall.answer(name, samples.signed(replace(sample, body=body)))
        assert told.status in WELL, (field, hall.records.found)
        assert hall.bus or not any(rest.values()), (field, "lost")


# -- time --------------------------------------------------------------------------------------


@pytest.mark.parametrize("off", [timedelta(minutes=6), timedelta(minutes=-6)])
def test_a_signature_of_another_time_is_401_on_both_sides_of_the_window(off: timedelta) -> None:
    sample = SAMPLES["standard_webhooks"]
    request = samples.signed(sample)
    hall = hall_of("standard_webhooks")
    assert hall.answer("standard_webhooks", replace(request, now=NOW + off)).status == 401
    assert list(hall.bus) == []
