"""Bodies and signature vectors collected from platforms; counted as skipped where absent."""

from typing import Any

import pytest

from chalicelib import sources
from chalicelib.source import Request, SignedSource
from tests import samples
from tests.samples import NOW, SHARED, Sample

BODIES = samples.of_shared()
VECTORS = list(samples.vectors())
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="PARLEY_SHARED is not here")


@needs_shared
def test_there_are_bodies_and_vectors_to_hold_us_against() -> None:
    assert len(BODIES) > 100
    assert len(VECTORS) > 10


@samples.each_of(BODIES)
def test_a_collected_body_is_a_fact_or_unmapped_with_its_reason(sample: Sample) -> None:
    for event in samples.received(sample.source, sample.request):
        if event.type == "ingress.unmapped":
            reason: str = event.data.reason  # type: ignore[attr-defined]
            assert not reason.startswith("unreadable"), (reason, event.data)


@pytest.mark.parametrize(
    ("name", "vector"), VECTORS, ids=lambda v: v if isinstance(v, str) else v["name"]
)
def test_a_published_signature_is_judged_as_its_vector_says(name: str, vector: Any) -> None:
    source = sources.get(name)
    assert isinstance(source, SignedSource)
    if (request := _request(vector)) is None:
        pytest.skip("no inbound signature")
    accepted = source.matches(request, _secret(vector))
    assert accepted is _expected(source, vector)


def _request(vector: dict[str, Any]) -> Request | None:
    headers = vector.get("headers") or {vector.get("header", ""): vector.get("value", "")}
    lower = {name.lower(): str(value) for name, value in headers.items() if name}
    if not _secret(vector) or not lower or not ({"body", "body_file"} & set(vector)):
        return None
    stamp = lower.get("webhook-timestamp") or lower.get("svix-timestamp") or vector.get("now")
    now = NOW.fromtimestamp(int(stamp), NOW.tzinfo) if stamp else NOW
    return Request(body=_body(vector), headers=lower, now=now)


def _secret(vector: dict[str, Any]) -> str:
    """17TRACK signs with the key that its API takes."""
    return str(vector.get("secret") or vector.get("api_key") or "")


def _body(vector: dict[str, Any]) -> bytes:
    if "body" in vector:
        return str(vector["body"]).encode()
    return (vector["folder"] / vector["body_file"]).read_bytes().rstrip(b"\n")


def _expected(source: SignedSource, vector: dict[str, Any]) -> bool:
    legacy = vector.get("header") == "X-Hub-Signature"
    refused = str(vector.get("expect", True)).startswith(("False", "invalid"))
    return not refused and not legacy
