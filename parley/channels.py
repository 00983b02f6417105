"""`parley channels`: who we hear, whom we answer and how; read from the classes themselves."""

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Annotated

import typer
from rich.table import Table

from chalicelib import sources
from chalicelib.channels._channel import Channel
from chalicelib.source import Source
from parley.places import EVENTS
from parley.screen import emit, out

_COLUMNS = (
    "who", "hears", "by", "handshake", "signature", "answers", "window", "resend", "samples",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One line of the matrix. `window` is how long free text may follow the customer's message."""

    name: str
    title: str
    family: str
    docs: str
    hears: tuple[str, ...]
    by: str
    handshake: str
    signature: str
    answers: tuple[str, ...]
    window: str
    resend: str
    samples: int

    @property
    def cells(self) -> tuple[str, ...]:
        """What `_COLUMNS` shows, as text."""
        heard = sorted({type.partition(".")[0] for type in self.hears})
        answers = ", ".join(self.answers) or "no"
        many = str(self.samples)
        shown = (self.title, ", ".join(heard), self.by, self.handshake, self.signature)
        return (*shown, answers, self.window, self.resend, many)


def channels(
    markdown: Annotated[bool, typer.Option("--markdown", help="As the README shows it.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per source.")] = False,
) -> None:
    """Show every channel, carrier and desk that may post to us, and how each is answered.

    Example: parley channels --markdown
    """
    found = [row(sources.get(name)) for name in sources.inbound()]
    if as_json:
        for each in found:
            emit(asdict(each))
    elif markdown:
        typer.echo(as_markdown(found))
    else:
        out.print(_table(found))


def row(source: Source) -> Row:
    """What a source declares of itself, and how many samples lie in its folder."""
    speaks = source if isinstance(source, Channel) and source.means else None
    return Row(
        name=source.name,
        title=source.title,
        family=source.family,
        docs=source.docs,
        hears=tuple(sorted(source.emits)),
        by=_transport(source),
        handshake=source.handshake_kind,
        signature=source.signature,
        answers=speaks.means if speaks else (),
        window=_span(speaks.window) if speaks else "",
        resend=speaks.resend if speaks else "",
        samples=_samples(source.name),
    )


def as_markdown(rows: list[Row]) -> str:
    """The matrix for a README."""
    lines = [_COLUMNS, ("---",) * len(_COLUMNS)]
    for each in rows:
        first, *rest = each.cells
        lines.append((f"[{first}]({each.docs})", *rest))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _transport(source: Source) -> str:
    """What it speaks over; some say the same over both."""
    if source.transport == "aws":
        return "AWS"
    return "HTTP, AWS" if source.aws_sources else "HTTP"


def _span(window: timedelta | None) -> str:
    if window is None:
        return "any time"
    hours = int(window.total_seconds() // 3600)
    return f"{hours // 24} d" if hours % 24 == 0 and hours > 24 else f"{hours} h"


def _samples(name: str) -> int:
    return sum(path.suffix in (".json", ".xml", ".txt") for path in (EVENTS / name).glob("*"))


def _table(rows: list[Row]) -> Table:
    """Narrower than the README's: how many types are heard, not which."""
    table = Table(*_COLUMNS, title=f"{len(rows)} sources")
    for each in rows:
        title, _, *rest = each.cells
        table.add_row(title, f"{len(each.hears)} types", *rest)
    return table
