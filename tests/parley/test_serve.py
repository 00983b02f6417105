"""`parley serve` as a person runs it: a process of its own, stopped by a signal."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import urllib3

from parley.hub import EmbeddedHub
from parley.loopback import free_port
from parley.places import ROOT
from parley.stage import local_client
from parley.state import save
from tests.parley.conftest import Platform

pytestmark = pytest.mark.embedded
ITEM = {"pk": {"S": "KEPT"}, "sk": {"S": "1"}}


@contextmanager
def serving(home: Path, *words: object) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """The process and what it said of itself when it was ready."""
    command = [sys.executable, "-m", "parley", "serve", "--json", *map(str, words)]
    where = {**os.environ, "PARLEY_HOME": str(home)}
    with subprocess.Popen(
        command, cwd=ROOT, env=where, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        try:
            yield process, json.loads(process.stdout.readline() or "{}")
        finally:
            process.terminate()


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_loads_the_records_and_leaves_nothing_running(hub: EmbeddedHub, tmp_path: Path) -> None:
    state = tmp_path / "state"
    hub.aws("dynamodb").put_item(TableName=hub.about["table"], Item=ITEM)
    save(hub.stage, state)
    before = (state / "table.jsonl.gz").stat().st_mtime_ns
    ports = ("--port", free_port(), "--aws-port", free_port())

    with serving(tmp_path, *ports, "--state", state) as (process, about):
        assert urllib3.request("GET", f"{about['url']}/health", timeout=30).status == 200
        found = local_client("dynamodb", about["aws"]).get_item(TableName=about["table"], Key=ITEM)
        assert found["Item"] == ITEM
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)

    assert process.returncode == 0
    assert "keeping the records" in said
    assert (state / "table.jsonl.gz").stat().st_mtime_ns > before
    assert not (tmp_path / "hub.json").exists()
    assert not runs(about["emulator"])


@pytest.mark.parametrize("option", ["--port", "--aws-port"])
def test_a_taken_port_is_exit_code_3_and_a_next_command(
    platform: Platform, tmp_path: Path, option: str
) -> None:
    with serving(tmp_path, option, platform.port) as (process, about):
        _, said = process.communicate(timeout=30)

    assert (process.returncode, about) == (3, {})
    assert f"port {platform.port} is taken" in said
    assert "next:" in said
    assert "Traceback" not in said
