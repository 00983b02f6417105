"""Workers forked from the zygote behave like a Python started afresh."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from parley.zygote import Zygote

SCRIPT = """
import json, os, sys
told = {"argv": sys.argv, "path": sys.path[0], "folder": os.getcwd(), "mine": os.environ["MINE"]}
print(json.dumps({**told, "pid": os.getpid(), "line": sys.stdin.readline()}), flush=True)
print("to stderr", file=sys.stderr)
sys.stdin.read()
"""


@pytest.fixture
def zygote() -> Iterator[Zygote]:
    made = Zygote(Path(sys.executable))
    yield made
    made.stop()


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "_worker.py"
    path.write_text(SCRIPT)
    return path


def worker(zygote: Zygote, script: Path) -> subprocess.Popen[str]:
    given = {"PATH": os.environ["PATH"], "MINE": "1", "PARLEY_ZYGOTE": str(zygote.address)}
    return subprocess.Popen(
        [zygote.launcher, script],
        cwd=script.parent,
        env=given,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def wait_for(zygote: Zygote) -> None:
    deadline = time.monotonic() + 10
    while not zygote.address.exists() and time.monotonic() < deadline:
        time.sleep(0.02)


@pytest.mark.parametrize("started", [False, True])
def test_a_worker_has_its_own_streams_folder_and_environment(
    zygote: Zygote, script: Path, started: bool
) -> None:
    if started:
        zygote.start({"PATH": os.environ["PATH"], "MINE": "not this"})
        wait_for(zygote)

    with worker(zygote, script) as process:
        out, err = process.communicate("hello\n", timeout=20)

    told = json.loads(out)
    assert (told["line"], told["mine"]) == ("hello\n", "1")
    assert (told["argv"], told["path"]) == ([str(script)], str(script.parent))
    assert told["folder"] == str(script.parent)
    assert "to stderr" in err
    assert process.returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only")
def test_a_worker_ends_with_who_asked_for_it(zygote: Zygote, script: Path) -> None:
    zygote.start({"PATH": os.environ["PATH"]})
    wait_for(zygote)
    with worker(zygote, script) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write("hello\n")
        process.stdin.flush()
        forked = json.loads(process.stdout.readline())["pid"]
        assert forked != process.pid
        process.kill()

        deadline = time.monotonic() + 5
        while Path(f"/proc/{forked}").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not Path(f"/proc/{forked}").exists()
