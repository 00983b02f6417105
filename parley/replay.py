"""`parley replay`: samples sent as their platform would send them, freshly signed."""

import json
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer
import urllib3
from rich.markup import escape
from urllib3.exceptions import HTTPError

from chalicelib import sources
from chalicelib.credentials import Accounts
from chalicelib.errors import HubError
from chalicelib.source import Request, SignedSource
from parley.places import SECRETS
from parley.screen import Failure, Misused, Unready, emit, err, out
from parley.stage import running

_TYPES = {".json": "application/json", ".xml": "text/xml", ".txt": "text/plain"}


def replay(
    paths: Annotated[list[Path], typer.Argument(help="Samples, or folders of them.")],
    to: Annotated[str, typer.Option(help="Base URL; default: the running hub.")] = "",
    times: Annotated[int, typer.Option(min=1, help="Send each that often.")] = 1,
    shuffle: Annotated[bool, typer.Option("--shuffle", help="In any order.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per delivery.")] = False,
) -> None:
    """Send sample deliveries, signed with events/secrets.json as of now.

    Example: parley replay events/line --times 2 --shuffle
    """
    queue = [sample for sample in samples(paths) for _ in range(times)]
    if shuffle:
        random.shuffle(queue)
    base = (to or str(running()["url"])).rstrip("/")
    refused = sum(not _told(sample, *deliver(sample, base), as_json) for sample in queue)
    if refused:
        raise Failure(f"{refused} of {len(queue)} deliveries were refused", "parley tail")


@dataclass(frozen=True)
class Sample:
    """One body as a platform posts it; `channel` is the name of its folder."""

    path: Path
    channel: str
    body: bytes
    headers: Mapping[str, str]


def samples(paths: list[Path]) -> Iterator[Sample]:
    """Every sample below `paths`, in order. Misused for what is none."""
    for path in paths:
        if not path.exists():
            raise Misused(f"{path} does not exist", "ls events")
        found = [path] if path.is_file() else sorted(p for p in path.rglob("*") if _is_sample(p))
        if not found or not all(_is_sample(each) for each in found):
            known = ", ".join(sources.inbound())
            raise Misused(f"{path}: samples lie in a folder named after who sends them: {known}")
        yield from map(read, found)


def read(path: Path) -> Sample:
    """A sample and the headers beside it: `<name>.headers`, JSON or `Key: value` lines."""
    beside = path.with_suffix(".headers")
    given = _headers(beside.read_text()) if beside.exists() else {}
    headers = {"content-type": _TYPES[path.suffix], **given}
    return Sample(path, path.parent.name, path.read_bytes(), headers)


def signed(sample: Sample, now: datetime, secrets: Mapping[str, Any]) -> Request:
    """The sample as its platform would send it now, signed; Unready without a secret."""
    source = sources.get(sample.channel)
    request = Request(body=sample.body, headers=sample.headers, now=now)
    if not isinstance(source, SignedSource):
        return request
    accounts = Accounts(sample.channel, secrets.get(sample.channel, {}))
    try:
        holder = next(iter(accounts.holding(source.signing_key, None)))
        return source.signed(request, holder.one(source.signing_key))
    except HubError as error:
        raise Unready(f"events/secrets.json: {error}", "parley doctor") from error


def deliver(sample: Sample, base: str) -> tuple[int, float, str]:
    """Status, seconds and the answer's text. Unready when nobody answers."""
    request = signed(sample, datetime.now(UTC), local_secrets())
    query = f"?{urlencode(request.query)}" if request.query else ""
    url = f"{base}/webhooks/{sample.channel}{query}"
    began = time.monotonic()
    try:
        answer = urllib3.request(
            "POST", url, body=request.body, headers=request.headers, retries=False, timeout=35
        )
    except HTTPError as error:
        raise Unready(f"nothing answers at {base}", "parley serve") from error
    return answer.status, time.monotonic() - began, answer.data.decode(errors="replace")


def local_secrets(path: Path = SECRETS) -> dict[str, Any]:
    """The secrets of stage local, by source and account."""
    try:
        found: dict[str, Any] = json.loads(path.read_text())
        return found
    except (OSError, ValueError) as error:
        raise Unready(f"{path}: {error}", "parley doctor") from error


def _is_sample(path: Path) -> bool:
    return path.suffix in _TYPES and path.parent.name in sources.inbound()


def _headers(text: str) -> dict[str, str]:
    if text.lstrip().startswith("{"):
        return {name.lower(): str(value) for name, value in json.loads(text).items()}
    pairs = (line.partition(":") for line in text.splitlines() if line.strip())
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _told(sample: Sample, status: int, took: float, answer: str, as_json: bool) -> bool:
    well = 200 <= status < 300
    name = f"{sample.channel}/{sample.path.name}"
    if as_json:
        emit({"sample": name, "status": status, "ms": round(took * 1000), "answer": answer})
    else:
        colour = "green" if well else "red"
        where = out if well else err
        said = "" if well else escape(answer[:100])
        where.print(f"[{colour}]{status}[/] {escape(name):<48} [dim]{took * 1000:.0f} ms[/] {said}")
    return well
