"""`parley dlq`: messages that nobody could handle. Look, send again, or let go with a reason."""

from getpass import getuser
from typing import Annotated

import typer
from rich.table import Table

from parley.dead import Dead, chosen, delete, journal, looked_at, source
from parley.screen import Misused, emit, out
from parley.stage import LOCAL, named, reached

app = typer.Typer(no_args_is_help=True, help="Messages that nobody could handle.")

OfStage = Annotated[str, typer.Option("--stage", help="Whose queues.")]
Only = Annotated[str, typer.Option("--id", help="Only the message with this id.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object per message.")]
Name = Annotated[str, typer.Argument(help="A dead-letter queue, such as TriageDLQ, or a function.")]


@app.command("list")
def list_(stage: OfStage = LOCAL, as_json: Json = False) -> None:
    """Show what lies in every dead-letter queue; looking changes nothing.

    Example: parley dlq list --stage prod
    """
    with reached(named(stage)) as there:
        found = looked_at(there)
    if as_json:
        for dead in found:
            emit(dead.about)
    elif found:
        out.print(_table(found))
        out.print("send them again: [bold]parley dlq redrive NAME[/]")
    else:
        out.print("[green]✓[/] every dead-letter queue is empty")


@app.command()
def redrive(name: Name, stage: OfStage = LOCAL, id: Only = "", as_json: Json = False) -> None:
    """Send messages to their function's queue again: that function alone sees them.

    Example: parley dlq redrive TriageDLQ
    """
    with reached(named(stage)) as there:
        for dead in chosen(there, name, id):
            target = source(there, dead.queue)
            there.client("sqs").send_message(QueueUrl=target.url, MessageBody=dead.body)
            delete(there, dead)
            _tell(dead, f"to {target.name}", as_json)


@app.command()
def discard(
    name: Name,
    reason: Annotated[str, typer.Option(help="Why; it goes into the stage's log.")],
    stage: OfStage = LOCAL,
    id: Only = "",
    as_json: Json = False,
) -> None:
    """Delete messages for good. Who, what and why is written to the stage's log first.

    Example: parley dlq discard OrdersDLQ --id 6f2c… --reason "test order"
    """
    if not reason.strip():
        raise Misused("a reason is needed", "parley dlq discard --help")
    with reached(named(stage)) as there:
        for dead in chosen(there, name, id):
            journal(there, {**dead.about, "discarded_by": getuser(), "reason": reason})
            delete(there, dead)
            _tell(dead, "discarded", as_json)


def _tell(dead: Dead, done: str, as_json: bool) -> None:
    if as_json:
        emit({**dead.about, "done": done})
    else:
        out.print(f"[green]✓[/] {dead.queue.name} {dead.id} {done}")


def _table(found: list[Dead]) -> Table:
    table = Table("queue", "message", "since", "type", "event", "error")
    for dead in found:
        about = dead.about
        table.add_row(*(str(value) for value in about.values()))
    return table
