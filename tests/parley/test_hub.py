"""The embedded hub keeps the local contract: seen from outside, through HTTP and AWS clients."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import urllib3

from parley.hub import EmbeddedHub
from parley.places import ROOT
from parley.reload import CODE, Watch
from parley.replay import Sample, local_secrets, signed
from parley.screen import Failure
from parley.state import restore, save
from parley.tail import listening
from tests.parley.conftest import Run

pytestmark = pytest.mark.embedded
NUMBERS = count(int(time.time() * 1000))
SENT = {"type": "text", "quoteToken": "q", "text": "hello"}
POISON = json.dumps({"detail-type": "message.received", "detail": {"id": "POISON", "type": "x"}})


def message() -> tuple[str, bytes]:
    """A LINE text nobody sent before: its id, and the body LINE would post."""
    number = str(next(NUMBERS))
    event = {
        "type": "message",
        "mode": "active",
        "timestamp": int(time.time() * 1000),
        "source": {"type": "user", "userId": "U4af4980629"},
        "webhookEventId": f"01HUB{number:0>21}",
        "deliveryContext": {"isRedelivery": False},
        "message": {"id": number, **SENT},
    }
    return number, json.dumps({"destination": "U8e742f61d673b39c", "events": [event]}).encode()


def post(hub: EmbeddedHub, body: bytes) -> int:
    sample = Sample(Path("a.json"), "line", body, {"content-type": "application/json"})
    headers = signed(sample, datetime.now(UTC), local_secrets()).headers
    url = f"{hub.url}/webhooks/line"
    return urllib3.request("POST", url, body=body, headers=headers, retries=False).status


@pytest.fixture
def bus(hub: EmbeddedHub) -> Iterator[Callable[[int, float], list[dict[str, Any]]]]:
    """`bus(n, seconds)`: the first n `message.received` on a queue of our own."""
    with listening(hub.stage, f"test-{next(NUMBERS)}") as queue:
        yield lambda n, seconds: _heard(hub, queue, n, seconds)


def _heard(hub: EmbeddedHub, queue: str, n: int, seconds: float) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    deadline = time.monotonic() + seconds
    asked = {"QueueUrl": queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1}
    while len(found) < n and time.monotonic() < deadline:
        for each in hub.aws("sqs").receive_message(**asked).get("Messages", ()):
            hub.aws("sqs").delete_message(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"])
            event = json.loads(each["Body"])["detail"]
            if event["type"] == "message.received":
                found[event["id"]] = event
    return list(found.values())


def in_table(hub: EmbeddedHub, number: str) -> bool:
    pages = hub.aws("dynamodb").get_paginator("scan").paginate(TableName=hub.about["table"])
    return any(number == i.get("message_id", {}).get("S") for page in pages for i in page["Items"])


def until(true: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def test_a_signed_message_is_on_the_bus_and_in_the_table(
    hub: EmbeddedHub, bus: Callable[[int, float], list[dict[str, Any]]]
) -> None:
    post(hub, message()[1])
    hub.wait_idle()
    bus(1, 5)
    number, body = message()

    assert post(hub, body) == 200
    [event] = bus(1, 2)
    assert event["data"]["message_id"] == number
    assert until(lambda: in_table(hub, number), 5)


def test_a_hundred_posts_from_four_threads_are_a_hundred_events(
    hub: EmbeddedHub, bus: Callable[[int, float], list[dict[str, Any]]]
) -> None:
    sent = dict(message() for _ in range(100))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda body: post(hub, body), sent.values()))

    assert answers == [200] * 100
    assert {event["data"]["message_id"] for event in bus(100, 30)} == sent.keys()
    hub.wait_idle()


def test_what_is_unsigned_is_refused(hub: EmbeddedHub) -> None:
    url = f"{hub.url}/webhooks/line"

    assert urllib3.request("POST", url, body=b"{}", retries=False).status == 401
    assert urllib3.request("POST", f"{hub.url}/webhooks/nobody", retries=False).status == 404


def test_every_function_stands_ready(hub: EmbeddedHub) -> None:
    names = set(hub.stage.functions)

    assert {"APIHandler", "Triage", "Orders", "Journal", "Sender", "Sweep"} <= names
    assert urllib3.request("GET", f"{hub.url}/health", retries=False).status == 200
    log = hub.emulator.log.read_text()
    assert all(f"Lambda worker spawned for parley-local-{name}-" in log for name in names)


def test_an_edit_is_live_without_a_build_and_a_mistake_changes_nothing(
    hub: EmbeddedHub, checkout: Path
) -> None:
    api = checkout / "chalicelib" / "functions" / "api.py"
    before, watch = api.read_text(), Watch(checkout, CODE)
    health = f"{hub.url}/health"

    api.write_text(before.replace('"status": "ok"', '"status": "edited"'))
    built = sorted(path.stat().st_mtime_ns for path in checkout.glob("build/**/deployment.zip"))
    assert watch.changed() == [api]
    hub.refresh()
    assert urllib3.request("GET", health, retries=False).json() == {"status": "edited"}
    assert built == sorted(p.stat().st_mtime_ns for p in checkout.glob("build/**/deployment.zip"))

    api.write_text(before + "\nimport no_such_module\n")
    with pytest.raises(Failure, match=r"api\.py:\d+: ModuleNotFoundError"):
        hub.refresh()
    api.write_text(before.replace('{"status": "ok"}', "{}[0]"))
    with pytest.raises(Failure, match="APIHandler"):
        hub.refresh()
    assert urllib3.request("GET", health, retries=False).json() == {"status": "edited"}

    api.write_text(before)
    hub.refresh()


def test_what_nobody_could_handle_is_shown_sent_again_and_let_go(
    hub: EmbeddedHub, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_HOME", str(hub.home))
    dead = next(queue for queue in hub.stage.queues if queue.name == "TriageDLQ")
    for _ in range(2):
        hub.aws("sqs").send_message(QueueUrl=dead.url, MessageBody=POISON)

    listed = [json.loads(line) for line in run("dlq", "list", "--json").stdout.splitlines()]
    assert [(each["queue"], each["event"]) for each in listed] == [("TriageDLQ", "POISON")] * 2

    gone = run("dlq", "discard", "triage", "--id", listed[0]["id"], "--reason", "a test")
    assert gone.exit_code == 0, gone.output
    again = run("dlq", "redrive", "TriageDLQ", "--json")
    assert json.loads(again.stdout)["done"] == "to TriageQueue"
    assert run("dlq", "list", "--json").stdout == ""
    assert run("dlq", "redrive", "nobody").exit_code == 2

    group = hub.stage.resources["HubLogs"][1]
    [entry] = hub.aws("logs").filter_log_events(logGroupName=group)["events"][-1:]
    assert json.loads(entry["message"])["reason"] == "a test"
    triage = next(queue for queue in hub.stage.queues if queue.name == "TriageQueue")
    hub.aws("sqs").purge_queue(QueueUrl=triage.url)


def test_the_clock_moves_and_the_sweep_runs(
    hub: EmbeddedHub, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_HOME", str(hub.home))

    moved = run("clock", "+4h", "--json")
    assert json.loads(moved.stdout)["offset_s"] == 14400, moved.output
    assert json.loads(run("clock", "-1h", "--json").stdout)["offset_s"] == 10800
    assert json.loads(run("clock", "--json").stdout)["offset_s"] == 10800
    assert json.loads(run("clock", "reset", "--json").stdout)["offset_s"] == 0


def test_the_tail_shows_events_and_leaves_nothing_behind(hub: EmbeddedHub) -> None:
    command = [sys.executable, "-m", "parley", "tail", "--count", "1", "--json"]
    home = {**os.environ, "PARLEY_HOME": str(hub.home)}
    with subprocess.Popen(command, env=home, cwd=ROOT, stdout=subprocess.PIPE) as watching:
        assert until(lambda: _tails(hub) != [], 10)
        post(hub, message()[1])
        shown, _ = watching.communicate(timeout=20)

    assert json.loads(shown)["type"] == "message.received"
    assert _tails(hub) == []


def _tails(hub: EmbeddedHub) -> list[str]:
    bus = hub.about["bus"]
    rules = hub.aws("events").list_rules(EventBusName=bus, NamePrefix="parley-local-tail")
    return [rule["Name"] for rule in rules["Rules"]]


def test_records_come_back_after_a_stop(hub: EmbeddedHub, tmp_path: Path) -> None:
    table, bucket = hub.about["table"], hub.outputs["BucketName"]
    item = {"pk": {"S": "KEPT"}, "sk": {"S": "1"}, "b": {"B": b"\xff"}, "l": {"L": [{"N": "1"}]}}
    key = {name: item[name] for name in ("pk", "sk")}
    hub.aws("dynamodb").put_item(TableName=table, Item=item)
    hub.aws("s3").put_object(Bucket=bucket, Key="claims/1", Body=b"\x00raw")

    save(hub.stage, tmp_path)
    hub.aws("dynamodb").delete_item(TableName=table, Key=key)
    hub.aws("s3").delete_object(Bucket=bucket, Key="claims/1")
    restore(hub.stage, tmp_path)

    assert hub.aws("dynamodb").get_item(TableName=table, Key=key)["Item"] == item
    assert hub.aws("s3").get_object(Bucket=bucket, Key="claims/1")["Body"].read() == b"\x00raw"
