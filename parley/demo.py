"""`parley demo`: a story told to the embedded hub over HTTP, then told again in no order at all."""

import textwrap
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import uuid4

import typer
from rich.markup import escape
from rich.text import Text

from parley import story as stories
from parley.demo_hub import LiveHub, heard
from parley.emulator import NOT_EMULATED
from parley.hub import STEPS, EmbeddedHub
from parley.places import home
from parley.screen import Failure, emit, err, out, steps
from parley.story import Run
from parley.story_evidence import Evidence
from parley.story_play import Answered, Check, outcome, refused, tell, tell_again, unchanged
from parley.timeline import WIDTH, lines, scenes


@dataclass
class Told:
    """Everything that one demonstration saw."""

    run: Run
    began: float
    answered: list[Answered] = field(default_factory=list)
    again: list[Answered] = field(default_factory=list)
    seen: Evidence = field(default_factory=lambda: Evidence((), (), ()))
    then: Evidence = field(default_factory=lambda: Evidence((), (), ()))
    laps: dict[str, float] = field(default_factory=dict)

    def lap(self, name: str, at: float | None = None) -> None:
        """Remember how long after the beginning something was over, in seconds."""
        self.laps[name] = round((at or time.monotonic()) - self.began, 1)

    @property
    def first(self) -> list[Check]:
        return outcome(self.run, self.answered, self.seen)

    @property
    def second(self) -> list[Check]:
        return [refused(self.again), *unchanged(self.seen, self.then)]

    @property
    def wrong(self) -> list[str]:
        """What is not as it should be."""
        return [detail for check in (*self.first, *self.second) for detail in check.details]


def demo(
    story: Annotated[str, typer.Argument(help="A file of events/scenarios.")] = "parcel",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object at the end.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the hub running.")] = False,
) -> None:
    """Play a story on this machine: real signatures, an embedded AWS, nothing to install.

    Example: parley demo parcel --keep
    """
    told = Told(Run(stories.load(story), uuid4().hex, datetime.now(UTC)), time.monotonic())
    hub = EmbeddedHub(home=home() if keep else None)
    with steps(STEPS, quiet=as_json) as say:
        hub.start(say)
    told.lap("hub ready")
    try:
        _play(told, hub, as_json)
        if as_json:
            emit(_document(told))
        if keep:
            _stay(hub)
    finally:
        hub.stop()
    if told.wrong:
        raise Failure(f"{len(told.wrong)} things are not as they should be", "parley demo --keep")


def _play(told: Told, hub: EmbeddedHub, quiet: bool) -> None:
    if not quiet:
        _print_title(told.run, hub)
    hub.recorder.prepare(told.run.answers)
    with heard(hub) as live:
        _tell(told, live, quiet)
        if not quiet:
            _print_story(told)
        _tell_again(told, live, quiet)
        if not quiet:
            _print_again(told)


def _tell(told: Told, live: LiveHub, quiet: bool) -> None:
    with steps(len(told.run.deliveries) + 1, quiet=quiet) as say:
        told.answered = tell(told.run, live, say)
        say("reading the log")
        told.seen = live.evidence()
    told.lap("first event", live.first_heard)
    told.lap("story told")


def _tell_again(told: Told, live: LiveHub, quiet: bool) -> None:
    total = 2 * len(told.answered)
    with steps(total + 1, quiet=quiet) as say:
        told.again = tell_again(told.run, live, seed=total, say=say)
        told.then = live.evidence()
    told.lap("told again")


def _print_title(run: Run, hub: EmbeddedHub) -> None:
    out.print(f"\n[bold]{escape(run.story.title)}[/]")
    about = textwrap.wrap(run.story.about, _width())
    left_out = (f"Left out here: {n} ({NOT_EMULATED[k]})." for n, k in hub.outputs.left_out.items())
    for line in (*about, *left_out, "Seconds on the right count from each delivery."):
        out.print(Text(line, style="dim"), soft_wrap=True)
    out.print()


def _print_story(told: Told) -> None:
    for scene in scenes(told.run.deliveries, told.answered, told.seen):
        for line in lines(scene, _width()):
            out.print(line, soft_wrap=True)
        out.print()
    _print_checks("What came of it, against the script", told.first)


def _print_again(told: Told) -> None:
    _print_checks("Told again: every delivery twice, shuffled, without a pause", told.second)
    laps = " · ".join(f"{name} {seconds:.0f} s" for name, seconds in told.laps.items())
    out.print(f"[dim]{escape(laps)}[/]", soft_wrap=True)


def _print_checks(title: str, checks: Sequence[Check]) -> None:
    out.print(f"[bold]{title}[/]")
    for check in checks:
        mark = "[green]✓[/]" if check.holds else "[red]✗[/]"
        out.print(f" {mark} {escape(check.claim)}", soft_wrap=True)
        for detail in check.details:
            out.print(f"   [red]{escape(detail)}[/]", soft_wrap=True)
    out.print()


def _document(told: Told) -> dict[str, Any]:
    checks = [
        {"claim": check.claim, "holds": check.holds, "details": check.details}
        for check in (*told.first, *told.second)
    ]
    return {
        "story": told.run.story.title,
        "run": told.run.id,
        "holds": not told.wrong,
        "checks": checks,
        "facts": list(told.seen.facts.values()),
        "calls": list(told.seen.calls),
        "seconds": told.laps,
    }


def _stay(hub: EmbeddedHub) -> None:
    err.print(f"the hub stays at {hub.url} (AWS at {hub.aws_url}); Ctrl-C ends it")
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        err.print("stopping")


def _width() -> int:
    """Of the terminal, at most 100; a pipe is as wide as we like."""
    return min(WIDTH, out.width) if out.is_terminal else WIDTH
