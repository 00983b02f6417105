"""Every command helps, speaks JSON, and fails in a sentence."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer

from chalicelib import sources
from parley.cli import app
from tests.parley.conftest import Run


def commands(command: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        return [path]
    return [words for name, each in inner.items() for words in commands(each, (*path, name))]


ALL = commands(typer.main.get_command(app))


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_shows_an_example_and_takes_json(run: Run, words: tuple[str, ...]) -> None:
    done = run(*words, "--help")

    assert done.exit_code == 0
    assert f"Example: parley {' '.join(words)}" in " ".join(done.output.split())
    assert "--json" in done.output


@pytest.mark.parametrize(
    "words",
    [
        ("outbox",),
        ("tail",),
        ("clock",),
        ("clock", "+1h"),
        ("dlq", "list"),
        ("dlq", "redrive", "X"),
    ],
    ids=" ".join,
)
def test_without_a_hub_a_command_says_how_to_get_one(run: Run, words: tuple[str, ...]) -> None:
    done = run(*words)

    assert done.exit_code == 3
    assert "parley serve" in done.stderr
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    "words",
    [("nonsense",), ("clock", "4h"), ("clock", "+4x"), ("replay",), ("tail", "--count", "-1")],
    ids=" ".join,
)
def test_a_wrong_command_line_is_exit_code_2(run: Run, words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == 2


def test_a_stale_note_of_a_hub_is_no_hub(run: Run, home: Path) -> None:
    gone = {"pid": 2**22 - 1, "url": "http://127.0.0.1:1", "aws": "http://127.0.0.1:1"}
    (home / "hub.json").write_text(json.dumps(gone))

    assert run("dlq", "list").exit_code == 3


def test_the_outbox_is_read_as_lines_or_as_words(run: Run, home: Path) -> None:
    call = {
        "at": "2026-11-23T10:00:00.000Z",
        "channel": "whatsapp",
        "method": "POST",
        "url": "https://graph.facebook.com/v25.0/1/messages",
        "body": {"messaging_product": "whatsapp", "text": {"body": "On its way [1/2]"}},
        "status": 200,
        "cause": "EV1",
    }
    (home / "outbox.jsonl").write_text(json.dumps(call) + "\n" + '{"half a li')

    assert json.loads(run("outbox", "--json").stdout) == call
    assert "On its way [1/2]" in run("outbox").stdout


def test_the_matrix_names_everybody_who_may_post(run: Run) -> None:
    rows = [json.loads(line) for line in run("channels", "--json").stdout.splitlines()]

    assert tuple(row["name"] for row in rows) == sources.inbound()
    markdown = run("channels", "--markdown").stdout.splitlines()
    assert len(markdown) == len(rows) + 2
    assert all(line.startswith("| ") for line in markdown)


def test_the_doctor_names_what_is_wrong(run: Run, platform: object) -> None:
    port = platform.port  # type: ignore[attr-defined]
    done = run("doctor", "--port", port, "--json")

    found = {line["about"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert done.exit_code == 3
    assert found["Python"]["well"]
    assert not found[f"port {port}"]["well"]
    assert str(port + 1) in found[f"port {port}"]["next"]
