"""Virtual environments that are made once, and again when their requirements change."""

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from parley.screen import Say, Unready, silent


def python_of(path: Path) -> Path:
    """The interpreter of an environment."""
    return path / "bin" / "python"


def is_ready(path: Path, requirements: Path) -> bool:
    """Whether `path` holds exactly what `requirements` asks, for this Python."""
    return _stamp(path).exists() and _stamp(path).read_text() == _mark(requirements)


def ensure(path: Path, requirements: Path, say: Say = silent) -> Path:
    """The interpreter of an environment with `requirements`; made when it is missing or stale.

    Requirements are complete and pinned, so nothing is resolved. Unready when pip fails.
    """
    if not is_ready(path, requirements):
        say(f"installing {requirements.name} into {path.name}")
        shutil.rmtree(path, ignore_errors=True)
        venv.create(path, with_pip=False, symlinks=True)
        _install(path, requirements)
        _stamp(path).write_text(_mark(requirements))
    return python_of(path)


def _install(path: Path, requirements: Path) -> None:
    if importlib.util.find_spec("pip") is None:
        raise Unready(f"{sys.executable} has no pip", "python -m ensurepip")
    pip = [sys.executable, "-m", "pip", "--python", str(python_of(path)), "install", "--quiet"]
    options = ["--no-deps", "--no-compile", "--disable-pip-version-check", "-r", str(requirements)]
    done = subprocess.run([*pip, *options], capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(path, ignore_errors=True)
        last = (done.stderr.strip() or done.stdout.strip()).rpartition("\n")[2]
        raise Unready(f"pip could not install {requirements.name}: {last}", "parley doctor")


def _stamp(path: Path) -> Path:
    return path / "parley.stamp"


def _mark(requirements: Path) -> str:
    return f"{sys.version} {hashlib.sha256(requirements.read_bytes()).hexdigest()}"
