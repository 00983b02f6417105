"""Sample deliveries: `events/<source>/<what>.json|xml`, headers beside them in `<what>.headers`."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from chalicelib import sources
from chalicelib.credentials import Accounts
from chalicelib.events import Event
from chalicelib.source import Request, SignedSource

ROOT = Path(__file__).parent.parent
EVENTS = ROOT / "events"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SHARED = Path(os.environ.get("PARLEY_SHARED", ROOT.parent / "shared"))
FOLDERS = {"facebook-page": "messenger", "17track": "track17"}
"""Folders of the shared samples that arrive at a webhook of another name."""


@dataclass(frozen=True)
class Sample:
    """One delivery as the platform posts it."""

    source: str
    name: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.source}/{self.name}"

    @property
    def request(self) -> Request:
        """Unsigned, at a fixed moment."""
        return Request(body=self.body, headers=dict(self.headers), now=NOW)


def of_project() -> list[Sample]:
    """Every sample of `events/` that a source of ours hears."""
    return [s for name in sources.inbound() for s in _in(EVENTS / name, name)]


def of_shared() -> list[Sample]:
    """Bodies collected from platforms; none where that folder is absent."""
    if not SHARED.is_dir():
        return []
    heard = set(sources.inbound())
    named = {folder.name: FOLDERS.get(folder.name, folder.name) for folder in _folders()}
    return [s for f, name in named.items() if name in heard for s in _in(_samples() / f, name)]


def vectors() -> Iterator[tuple[str, dict[str, Any]]]:
    """(source, signature vector) of every shared vector of a source of ours."""
    for folder in _folders() if SHARED.is_dir() else ():
        name = FOLDERS.get(folder.name, folder.name)
        if name in sources.inbound() and (folder / "vectors.json").is_file():
            found = json.loads((folder / "vectors.json").read_text())
            for vector in found if isinstance(found, list) else found["vectors"]:
                yield name, {**vector, "folder": folder}


@cache
def secrets(source: str) -> Accounts:
    """The test secrets of a source: `events/secrets.json`."""
    return Accounts(source, json.loads((EVENTS / "secrets.json").read_text()).get(source, {}))


def each_of(found: list[Sample]) -> Callable[[Callable[[Sample], None]], Any]:
    """Hold a promise over every sample of a source, a test a source; a failure names its sample."""
    sources_of = sorted({sample.source for sample in found})

    def decorate(promise: Callable[[Sample], None]) -> Any:
        def held(source: str) -> None:
            for sample in (s for s in found if s.source == source):
                try:
                    promise(sample)
                except BaseException as error:
                    error.add_note(f"sample: {sample}")
                    raise

        held.__name__, held.__doc__ = promise.__name__, promise.__doc__
        return pytest.mark.parametrize("source", sources_of)(held)

    return decorate


def signed(sample: Sample, secret: str | None = None) -> Request:
    """The sample as the platform would send it, signed."""
    source = sources.get(sample.source)
    assert isinstance(source, SignedSource)
    key = secret or secrets(sample.source).of("default").one(source.signing_key)
    return sign(source, sample.request, key)


def received(name: str, request: Request) -> list[Event]:
    """What the hub makes of a request: signed by its platform, or handed over by AWS."""
    source, known = sources.get(name), secrets(name)
    if source.transport == "aws":
        return source.read(source.unwrap(json.loads(request.body), request.now))
    assert isinstance(source, SignedSource)
    key = known.of("default").one(source.signing_key)
    return source.receive(sign(source, request, key), known)


def sign(source: SignedSource, request: Request, key: str) -> Request:
    """Any request, with the headers that the platform would add."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    unsigned = replace(request, headers=headers)
    return source.signed(unsigned, key)


def _samples() -> Path:
    return SHARED / "samples"


def _folders() -> list[Path]:
    return sorted(path for path in _samples().iterdir() if path.is_dir())


def _in(folder: Path, source: str) -> list[Sample]:
    bodies = [p for p in sorted(folder.glob("*")) if p.suffix in (".json", ".xml", ".txt")]
    return [_sample(path, source) for path in bodies if not _aside(path)]


def _aside(path: Path) -> bool:
    return path.name == "vectors.json" or path.name.endswith(".headers.json")


def _sample(path: Path, source: str) -> Sample:
    beside = (path.with_suffix(suffix) for suffix in (".headers", ".headers.json"))
    headers = next((json.loads(p.read_text()) for p in beside if p.is_file()), {})
    lower = {name.lower(): str(value) for name, value in headers.items()}
    return Sample(source, path.stem, path.read_bytes().rstrip(b"\n"), tuple(lower.items()))
