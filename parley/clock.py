"""`parley clock`: the embedded hub's time, moved so that deadlines of hours pass in seconds."""

import json
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from parley.screen import Failure, Misused, emit, out
from parley.stage import LOCAL, Stage, named, reached

_KEY = {"pk": {"S": "CLOCK"}, "sk": {"S": "OFFSET"}}
_MOVE = re.compile(r"([+-])((?:\d+[dhms])+)")
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_KNOWN_AFTER_S = 1.1  # workers look at the offset once a second


def clock(
    move: Annotated[
        str, typer.Argument(help="+4h, -30m, +1d12h, or reset; nothing shows it.", metavar="[MOVE]")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show or move the time of the embedded hub; what falls due is then done.

    Example: parley clock +4h
    """
    if move not in ("", "reset"):
        parse(move)
    with reached(named(LOCAL)) as stage:
        seconds = advance(stage, move) if move else offset(stage)
    now = datetime.now(UTC) + timedelta(seconds=seconds)
    if as_json:
        emit({"offset_s": seconds, "now": now.isoformat(timespec="seconds")})
    else:
        out.print(f"the hub's time is {now:%Y-%m-%d %H:%M:%S} UTC ({seconds:+.0f} s)")


def advance(stage: Stage, move: str) -> float:
    """Move the stage's clock and run its sweep; the new offset in seconds. Misused for nonsense."""
    seconds = 0.0 if move == "reset" else offset(stage) + parse(move)
    item = {**_KEY, "seconds": {"N": f"{seconds:.0f}"}}
    stage.client("dynamodb").put_item(TableName=stage.outputs["TableName"], Item=item)
    time.sleep(_KNOWN_AFTER_S)
    answer = stage.client("lambda").invoke(FunctionName=stage.functions["Sweep"], Payload=b"{}")
    if answer.get("FunctionError"):
        raise Failure(f"the sweep failed: {json.loads(answer['Payload'].read())}", "parley doctor")
    return seconds


def offset(stage: Stage) -> float:
    """How far the stage's clock is ahead, in seconds."""
    table = stage.outputs["TableName"]
    found = stage.client("dynamodb").get_item(TableName=table, Key=_KEY, ConsistentRead=True)
    return float(found.get("Item", {}).get("seconds", {"N": "0"})["N"])


def parse(move: str) -> float:
    """Seconds of `+4h`, `-30m`, `+1d12h`; Misused for anything else."""
    if not (found := _MOVE.fullmatch(move)):
        raise Misused(f"{move!r} is no move of the clock", "parley clock +4h")
    parts = re.findall(r"(\d+)([dhms])", found[2])
    total = sum((timedelta(**{_UNITS[unit]: int(n)}) for n, unit in parts), timedelta())
    return total.total_seconds() * (1 if found[1] == "+" else -1)
