"""What a person sees: consoles, progress, and failures that name the next command."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

Say = Callable[[str], None]
"""Told what happens now, in a few words; each call is one step of the bar."""

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


class Failure(Exception):
    """The outcome is wrong: exit code 1. `next` is a command that helps."""

    code = 1

    def __init__(self, message: str, next: str = "") -> None:
        super().__init__(message)
        self.next = next


class Misused(Failure):
    """The command line was wrong: exit code 2."""

    code = 2


class Unready(Failure):
    """The machine, the hub or AWS is not ready for this: exit code 3."""

    code = 3


def show(failure: Failure) -> None:
    """Print a failure and what to do about it, on stderr."""
    err.print(f"[red]✗[/] {escape(str(failure))}")
    if failure.next:
        err.print(f"  next: [bold]{escape(failure.next)}[/]")


def emit(document: Any) -> None:
    """One JSON document on one line of stdout."""
    typer.echo(json.dumps(document, ensure_ascii=False, default=str))


def silent(step: str) -> None:
    """Nobody watches."""


@contextmanager
def steps(total: int, *, quiet: bool = False) -> Iterator[Say]:
    """A bar of `total` steps on stderr. More steps than promised keep it full; quiet shows none."""
    columns = (
        SpinnerColumn(),
        BarColumn(bar_width=24),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=quiet) as bar:
        task = bar.add_task("starting", total=total)

        def say(step: str) -> None:
            bar.update(task, advance=1, description=escape(step))

        yield say
