"""The command line: every command, and what happens when one fails.

Exit codes: 0 well; 1 the outcome is wrong; 2 the command line is; 3 the machine is not ready.
"""

from typing import Any

import typer
from typer.core import TyperGroup

from parley import dlq
from parley.channels import channels
from parley.clock import clock
from parley.demo import demo
from parley.deploy_command import deploy_command
from parley.doctor import doctor
from parley.outbox import outbox
from parley.replay import replay
from parley.schemas import command as schemas_command
from parley.screen import Failure, show
from parley.serve import serve
from parley.tail import tail


class Commands(TyperGroup):
    """Shows a Failure as one sentence and the next command, never as a stack trace."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a Failure becomes its exit code."""
        try:
            return super().invoke(ctx)
        except Failure as failure:
            show(failure)
            raise typer.Exit(failure.code) from failure


app = typer.Typer(
    cls=Commands,
    name="parley",
    help="Parley: an event-driven hub for talking with customers. Run it, feed it, watch it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
app.command()(demo)
app.command()(serve)
app.command()(replay)
app.command()(tail)
app.command()(outbox)
app.command(context_settings={"ignore_unknown_options": True})(clock)
app.command()(channels)
app.command("schemas")(schemas_command)
app.command()(doctor)
app.command("deploy")(deploy_command)
app.add_typer(dlq.app, name="dlq")
