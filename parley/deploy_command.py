"""`parley deploy`: what the operator sees while a stage is deployed."""

from collections.abc import Sequence
from typing import Annotated, Literal

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from chalicelib import sources
from infra.target import CURRENT
from parley.deploy import Outputs, deploy
from parley.emulator import NOT_EMULATED
from parley.screen import emit, err, out
from parley.stack import Change

COLOURS = {"Add": "green", "Modify": "yellow", "Remove": "red", "Replace": "red"}


def deploy_command(
    stage: Annotated[str, typer.Option(help="Names the stack: parley-STAGE.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    python: Annotated[str, typer.Option(help="Lambda's Python; must be installed here.")] = CURRENT,
    arch: Annotated[
        Literal["arm64", "x86_64"] | None, typer.Option(help="Default: .chalice/config.json's.")
    ] = None,
    public_url: Annotated[str | None, typer.Option(help="Base URL that platforms call.")] = None,
    alarm_topic: Annotated[str | None, typer.Option(help="SNS topic told by alarms.")] = None,
    partner_bus: Annotated[str | None, typer.Option(help="Shopify's partner event bus.")] = None,
    concurrency: Annotated[int | None, typer.Option(min=2, help="Workers per queue.")] = None,
    endpoint_url: Annotated[
        str | None, typer.Option(help="An AWS emulator on this machine instead of AWS.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outputs as JSON.")] = False,
) -> None:
    """Put a stage on AWS through CloudFormation; the change set is shown first.

    Example: parley deploy --stage prod --public-url https://hooks.example.com
    """
    given = {
        "PublicUrl": public_url,
        "AlarmTopicArn": alarm_topic,
        "PartnerBusName": partner_bus,
        "Concurrency": None if concurrency is None else str(concurrency),
    }
    with _Bar(ask=not yes, quiet=as_json) as bar:
        outputs = deploy(
            stage,
            endpoint_url=endpoint_url,
            parameters={name: value for name, value in given.items() if value is not None},
            confirm=bar.confirm,
            progress=bar.say,
            python=python,
            arch=arch,
        )
    (_print_json if as_json else _print)(stage, outputs)


class _Bar:
    """A bar that fills by resources once they are known, and steps aside for the question."""

    def __init__(self, *, ask: bool, quiet: bool) -> None:
        self._ask = ask
        columns = (SpinnerColumn(), BarColumn(bar_width=24), TextColumn("{task.description}"))
        self._progress = Progress(
            *columns, TimeElapsedColumn(), console=err, transient=True, disable=quiet
        )
        self._task = self._progress.add_task("starting", total=None)

    def __enter__(self) -> "_Bar":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def say(self, step: str) -> None:
        self._progress.update(self._task, advance=1, description=step)

    def confirm(self, changes: Sequence[Change]) -> bool:
        self._progress.stop()
        err.print(_table(changes))
        if self._ask and not typer.confirm("Carry this out?", err=True):
            return False
        self._progress.reset(self._task, total=len(changes))
        self._progress.start()
        return True


def _table(changes: Sequence[Change]) -> Table:
    """A row per action and type; the first deploy of a stage makes some 150 resources."""
    table = Table("action", "type", "logical ids", title=f"{len(changes)} changes")
    groups: dict[tuple[str, str], list[str]] = {}
    for change in changes:
        action = "Replace" if change.replaces else change.action
        groups.setdefault((action, change.type), []).append(change.logical_id)
    for (action, kind), names in groups.items():
        colour = COLOURS.get(action, "white")
        table.add_row(f"[{colour}]{action}[/]", kind, ", ".join(sorted(names)))
    return table


def _print(stage: str, outputs: Outputs) -> None:
    for name, kind in outputs.left_out.items():
        out.print(f"[yellow]left out[/] {name} ({kind}): {NOT_EMULATED[kind]}", soft_wrap=True)
    done = f"{len(outputs.changes)} changes" if outputs.changes else "nothing to change"
    out.print(f"[green]✓[/] parley-{stage}: {done}")
    for name, url in outputs.webhooks(sources.inbound()).items():
        out.print(f"  {name:<18} {url}", soft_wrap=True)
    out.print(f"secrets of the platforms go into: {outputs['VerifySecretName']}")


def _print_json(stage: str, outputs: Outputs) -> None:
    emit(
        {
            "stack": f"parley-{stage}",
            "api_url": outputs.api_url,
            "changes": len(outputs.changes),
            "left_out": dict(outputs.left_out),
            "outputs": dict(outputs.values),
            "webhooks": outputs.webhooks(sources.inbound()),
        }
    )
