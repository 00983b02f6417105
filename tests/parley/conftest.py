"""Real servers on loopback, the real command line, and one embedded hub for all its tests."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import urllib3
from typer.testing import CliRunner, Result

from parley.cli import app
from parley.hub import EmbeddedHub
from parley.loopback import Loopback, Received, Reply
from parley.places import ROOT
from parley.recorder import Recorder

Run = Callable[..., Result]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "embedded: needs the embedded AWS, which starts in seconds")


class Platform(Loopback):
    """A real server that remembers what came and answers with `answer`."""

    def __init__(self) -> None:
        super().__init__()
        self.received: list[Received] = []
        self.answer = Reply(200, (("X-Seen", "yes"), ("Content-Type", "text/plain")), b"thanks")

    def reply(self, received: Received) -> Reply:
        self.received.append(received)
        return self.answer


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without a running hub, whatever runs from this checkout."""
    monkeypatch.setenv("PARLEY_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def run(home: Path) -> Run:
    """`run("outbox", "--json")`: the command line, in this process."""
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def platform() -> Iterator[Platform]:
    server = Platform()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    server = Recorder(log=tmp_path / "outbox.jsonl")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def http() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=False, timeout=10) as pool:
        yield pool


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code, to be edited while a hub runs from it; built layers are shared."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("app.py", "requirements.txt"):
        shutil.copy(ROOT / name, copy)
    for name in ("chalicelib", ".chalice", "events"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    (ROOT / "build").mkdir(exist_ok=True)
    (copy / "build").symlink_to(ROOT / "build", target_is_directory=True)
    return copy


@pytest.fixture(scope="session")
def hub(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedHub]:
    with EmbeddedHub(root=checkout, home=tmp_path_factory.mktemp("hub")) as running:
        yield running
