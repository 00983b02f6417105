"""`parley outbox`: what the hub said to platforms, carriers and desks."""

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from parley.places import home
from parley.screen import Unready, emit, out

_LOG = "outbox.jsonl"
_LOOK_EVERY_S = 0.2
_WORDS = ("text", "body", "content", "title", "summary", "tracking_code", "description")


def outbox(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on for ever.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
) -> None:
    """List what the embedded hub said to the outside, oldest first.

    Example: parley outbox --follow
    """
    log = home() / _LOG
    if not log.exists():
        raise Unready("no embedded hub has run here", "parley serve")
    for call in lines(log, follow=follow):
        emit(call) if as_json else out.print(_line(call), soft_wrap=True)


def lines(log: Path, *, follow: bool) -> Iterator[dict[str, Any]]:
    """Calls in a recorder's log; with `follow`, for ever, also after the log began anew."""
    position = 0
    while True:
        with log.open("rb") as file:
            position = min(position, log.stat().st_size)
            file.seek(position)
            for line in file:
                if line.endswith(b"\n"):
                    position += len(line)
                    yield json.loads(line)
        if not follow:
            return
        time.sleep(_LOOK_EVERY_S)


def words(document: Any) -> str:
    """What a call says in words: the texts found anywhere in its body, in order."""
    return " · ".join(dict.fromkeys(_texts(document)))


def _texts(node: Any, name: str = "") -> Iterator[str]:
    match node:
        case Mapping():
            for key, value in node.items():
                yield from _texts(value, str(key))
        case list():
            for value in node:
                yield from _texts(value, name)
        case str() if name in _WORDS and node.strip():
            yield node.strip()


def _line(call: Mapping[str, Any]) -> str:
    status = int(call["status"])
    colour = "green" if status < 300 else "yellow" if status in (409, 429) else "red"
    said = words(call["body"]).replace("\n", " ") or call["url"].removeprefix("https://")
    head = f"[dim]{call['at'][11:19]}[/] [bold]{escape(call['channel']):<18}[/]"
    return f"{head} [{colour}]{status}[/] {escape(said[:160])}"
