"""`parley tail`: the bus, live. A queue and a rule of its own that go when it ends."""

import json
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Annotated, Any
from urllib.parse import unquote

import typer
from botocore.exceptions import ClientError
from rich.markup import escape

from parley.outbox import words
from parley.screen import emit, err, out
from parley.stage import LOCAL, Stage, named, reached

_EVERYTHING = {"source": [{"exists": True}]}
_COLOURS = {
    "message": "cyan",
    "order": "green",
    "payment": "magenta",
    "parcel": "blue",
    "case": "red",
    "reply": "yellow",
    "shipper": "yellow",
    "ingress": "bright_red",
}
_GIST = (
    *("status", "milestone", "intent", "order_number", "total", "currency", "amount"),
    *("assurance", "tracking_number", "carrier", "state", "severity", "action", "result"),
    *("reason", "text_key", "channel"),
)


def tail(
    stage: Annotated[str, typer.Option(help="Whose bus.")] = LOCAL,
    count: Annotated[int, typer.Option(min=0, help="Stop after this many; 0 goes on.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Whole events, one a line.")] = False,
) -> None:
    """Watch events as they pass over the bus, until Ctrl-C.

    Example: parley tail --json --count 5
    """
    signal.signal(signal.SIGTERM, _interrupt)
    with reached(named(stage)) as there, suppress(KeyboardInterrupt), listening(there) as queue:
        err.print(f"[dim]listening on {there.outputs['BusName']}; Ctrl-C ends[/]")
        for n, event in enumerate(events(there, queue), start=1):
            emit(event) if as_json else out.print(line(event), no_wrap=True, overflow="ellipsis")
            if n == count:
                return


@contextmanager
def listening(stage: Stage, name: str = "") -> Iterator[str]:
    """URL of a queue that receives everything on the stage's bus; both go at the end."""
    name = name or f"{stage.stack}-tail-{os.getpid()}"
    sqs, bus = stage.client("sqs"), {"EventBusName": stage.outputs["BusName"]}
    queue = sqs.create_queue(QueueName=name, Attributes={"MessageRetentionPeriod": "3600"})
    url = str(queue["QueueUrl"])
    try:
        _point(stage, url, name, bus)
        yield url
    finally:
        rules = stage.client("events")
        with suppress(ClientError):
            rules.remove_targets(Rule=name, Ids=["tail"], **bus)
            rules.delete_rule(Name=name, **bus)
        sqs.delete_queue(QueueUrl=url)


def events(stage: Stage, queue: str, wait: int = 1) -> Iterator[dict[str, Any]]:
    """CloudEvents as they come to `queue`, for ever."""
    sqs = stage.client("sqs")
    asked = {"QueueUrl": queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": wait}
    while True:
        for message in sqs.receive_message(**asked).get("Messages", ()):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            yield json.loads(message["Body"])["detail"]


def line(event: Mapping[str, Any]) -> str:
    """One event on one line, with rich's markup."""
    kind = str(event["type"])
    colour = _COLOURS.get(kind.partition(".")[0], "white")
    time = f"[dim]{str(event.get('recordedtime') or event.get('time'))[11:23]}[/]"
    hops = "›" * int(event.get("hops", 0))
    subject = escape(_short(str(event.get("subject", ""))))
    ident = f"[dim]{escape(str(event['id'])[:6])}[/]"
    gist = escape(_gist(event.get("data") or {}))
    return f"{time} {ident} {hops:<3} [{colour}]{kind:<22}[/] {subject:<25} {gist}"


def _gist(data: Mapping[str, Any]) -> str:
    said = words({"text": data.get("text"), "content": data.get("content")})
    facts = (f"{name}={data[name]}" for name in _GIST if data.get(name) not in (None, "", False))
    return f"“{said[:80]}”" if said else " ".join(facts)[:110]


def _short(subject: str) -> str:
    """Its kind and its last part: `order 1001`, `identity U4af4980629`."""
    kind, _, rest = subject.partition("/")
    last = unquote(rest.rpartition("/")[2])
    return f"{kind} {last}" if len(last) <= 16 else f"{kind} …{last[-15:]}"


def _point(stage: Stage, url: str, name: str, bus: Mapping[str, str]) -> None:
    sqs, rules = stage.client("sqs"), stage.client("events")
    wanted = {"QueueUrl": url, "AttributeNames": ["QueueArn"]}
    arn = sqs.get_queue_attributes(**wanted)["Attributes"]["QueueArn"]
    rule = rules.put_rule(Name=name, EventPattern=json.dumps(_EVERYTHING), **bus)["RuleArn"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": _policy(arn, rule)})
    rules.put_targets(Rule=name, Targets=[{"Id": "tail", "Arn": arn}], **bus)


def _policy(queue: str, rule: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
