"""`parley serve`: the embedded hub until Ctrl-C, with edits live in seconds."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.markup import escape
from rich.table import Table

from parley.cloud import LOOPBACK
from parley.emulator import NOT_EMULATED
from parley.hub import STEPS, EmbeddedHub
from parley.places import ROOT, home
from parley.reload import CODE, CONFIGURATION, DEPLOYED, Watch, check_syntax
from parley.screen import Failure, Misused, emit, err, out, steps

_LOOK_EVERY_S = 0.3


def _loopback(base: str) -> str:
    """It receives tokens, so it is on this machine."""
    if base and urlsplit(base).hostname not in LOOPBACK:
        raise Misused(f"{base} is not on this machine", "parley serve --help")
    return base


def serve(
    port: Annotated[int, typer.Option(help="Where webhooks are taken.")] = 8000,
    aws_port: Annotated[int, typer.Option(help="Where the embedded AWS answers.")] = 4566,
    state: Annotated[
        Path | None, typer.Option(help="Keep the records here; written on a clean stop only.")
    ] = None,
    outbound: Annotated[
        str,
        typer.Option(
            envvar="PARLEY_OUTBOUND",
            callback=_loopback,
            help="Take calls to platforms at this base URL on this machine, not in the recorder.",
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object when ready.")] = False,
) -> None:
    """Run the whole hub on this machine until Ctrl-C. No Docker, no AWS account.

    Example: parley serve --port 8080 --state ~/hub
    """
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    hub = EmbeddedHub(port=port, aws_port=aws_port, home=home(), state=state, outbound=outbound)
    began = time.monotonic()
    with _stopped_at_the_end(hub, state), steps(STEPS, quiet=as_json) as say:
        hub.start(say)
        say("ready")
        emit(hub.about) if as_json else _print(hub, state, time.monotonic() - began)
        _watch(hub)


@contextmanager
def _stopped_at_the_end(hub: EmbeddedHub, state: Path | None) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        err.print("stopping" + (f"; keeping the records in {state}" if state else ""))
    finally:
        hub.stop()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _watch(hub: EmbeddedHub) -> None:
    code, configuration, deployed = (Watch(ROOT, w) for w in (CODE, CONFIGURATION, DEPLOYED))
    while True:
        time.sleep(_LOOK_EVERY_S)
        if changed := code.changed():
            _reload(hub, changed)
        if configuration.changed():
            hub.configure()
            hub.functions.restart()
            err.print("[green]✓[/] secrets and settings are live")
        if changed := deployed.changed():
            err.print(f"[yellow]![/] {escape(_names(changed))} changed: restart to deploy that")


def _reload(hub: EmbeddedHub, changed: list[Path]) -> None:
    began = time.monotonic()
    try:
        check_syntax(changed, ROOT)
        hub.refresh()
    except Failure as error:
        err.print(f"[red]✗[/] {escape(str(error))}\n  the code from before goes on")
    else:
        took = time.monotonic() - began
        err.print(f"[green]✓[/] {escape(_names(changed))} live after {took:.1f} s")


def _names(changed: list[Path]) -> str:
    names = ", ".join(str(path.relative_to(ROOT)) for path in changed[:3])
    return f"{names} and {len(changed) - 3} more" if len(changed) > 3 else names


def _outside(hub: EmbeddedHub) -> str:
    if hub.outside_url == hub.recorder_url:
        return f"{hub.recorder_url}  a recorder; what was said: parley outbox"
    return f"{hub.outside_url}/{{host}}/{{path}}  as PARLEY_OUTBOUND says"


def _print(hub: EmbeddedHub, state: Path | None, took: float) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2))
    for name, value in (
        ("webhooks", f"{hub.url}/webhooks/{{channel}}"),
        ("AWS", f"{hub.aws_url}  (us-east-1, any credentials)"),
        ("outside", _outside(hub)),
        ("bus", f"{hub.outputs['BusName']}  watch it: parley tail"),
        ("table", hub.outputs["TableName"]),
        ("records", f"{state}, on a clean stop" if state else "in memory; --state DIR keeps them"),
        ("log", str(hub.emulator.log)),
    ):
        table.add_row(f"[bold]{name}[/]", escape(value))
    for name, kind in hub.outputs.left_out.items():
        table.add_row("[yellow]left out[/]", escape(f"{name} ({kind}): {NOT_EMULATED[kind]}"))
    out.print(f"[green]✓[/] the hub is ready after {took:.0f} s; Ctrl-C stops it")
    out.print(table)
    err.print("edits to app.py and chalicelib/ become live by themselves")
