"""Samples are sent as their platform would send them: its own verification accepts them."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from chalicelib import sources
from chalicelib.credentials import Accounts
from chalicelib.source import Request, SignedSource, Source
from parley.loopback import Reply, free_port
from parley.places import EVENTS
from parley.replay import local_secrets
from tests.parley.conftest import Platform, Run

FOLDERS = [name for name in sources.inbound() if sources.get(name).transport == "http"]


def as_request(platform: Platform, n: int = -1) -> Request:
    received = platform.received[n]
    headers = {name.lower(): value for name, value in received.headers}
    query = dict(parse_qsl(urlsplit(received.target).query))
    return Request(body=received.body, headers=headers, query=query, now=datetime.now(UTC))


def _informed(source: Source, request: Request) -> Request:
    """With the test key of a platform that signs with a key of its own."""
    if not source.hosts or not isinstance(source, SignedSource):
        return request
    signer = next(accounts(source).holding(source.signing_key, None)).one(source.signing_key)
    return replace(request, fetched=source.signed(request, signer).fetched)


def accounts(source: Source) -> Accounts:
    return Accounts(source.name, local_secrets()[source.name])


@pytest.mark.parametrize("name", FOLDERS)
def test_every_sample_is_accepted_by_its_own_platform(
    run: Run, platform: Platform, name: str
) -> None:
    source = sources.get(name)

    done = run("replay", EVENTS / name, "--to", platform.url)

    assert done.exit_code == 0, done.output
    assert platform.received
    for n, received in enumerate(platform.received):
        assert urlsplit(received.target).path == f"/webhooks/{name}"
        source.verify(_informed(source, as_request(platform, n)), accounts(source))


def test_one_file_can_be_sent_many_times_in_any_order(run: Run, platform: Platform) -> None:
    files = sorted((EVENTS / "line").glob("*.json"))[:3]

    done = run("replay", *files, "--times", 3, "--shuffle", "--json", "--to", platform.url)

    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["status"] for line in told] == [200] * 9
    bodies = sorted(received.body for received in platform.received)
    assert bodies == sorted(file.read_bytes() for file in files * 3)


def test_headers_beside_a_sample_are_sent(run: Run, platform: Platform, tmp_path: Path) -> None:
    folder = tmp_path / "line"
    folder.mkdir()
    (folder / "a.xml").write_text("<x/>")
    (folder / "a.headers").write_text("X-One: 1\nContent-Type: application/xml; charset=utf-8\n")

    run("replay", folder / "a.xml", "--to", platform.url)

    received = platform.received[0]
    assert received.header("x-one") == "1"
    assert received.header("content-type") == "application/xml; charset=utf-8"
    assert received.header("x-line-signature")


def test_a_refused_delivery_is_exit_code_1(run: Run, platform: Platform) -> None:
    platform.answer = Reply(401, (), b"unauthorised")

    done = run("replay", EVENTS / "line", "--to", platform.url)

    assert done.exit_code == 1
    assert "401" in done.stderr
    assert "Traceback" not in done.output


@pytest.mark.parametrize("path", ["no-such-file.json", "README.md", "events/secrets.json"])
def test_what_is_no_sample_is_exit_code_2(run: Run, path: str) -> None:
    done = run("replay", path, "--to", "http://127.0.0.1:1")

    assert done.exit_code == 2
    assert "✗" in done.stderr
    assert "Traceback" not in done.output


def test_nobody_there_is_exit_code_3(run: Run) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"

    assert run("replay", EVENTS / "line", "--to", nowhere).exit_code == 3
    assert run("replay", EVENTS / "line").exit_code == 3  # no hub runs either
