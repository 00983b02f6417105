"""What a bundle is built for: a Python, an architecture, and whether it is this very machine."""

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Arch = Literal["arm64", "x86_64"]

CURRENT = f"{sys.version_info.major}.{sys.version_info.minor}"
HOST: Arch = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
GLIBC = {"3.10": 26, "3.11": 26}  # Lambda's base image: Amazon Linux 2 up to 3.11, then 2023
NEWEST_GLIBC = 34
VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"


class NoInterpreter(RuntimeError):
    """The Python asked for is not installed, so nothing can be packaged or compiled for it."""

    def __init__(self, python: str) -> None:
        super().__init__(
            f"no working python{python} was found; install it, or package for {CURRENT}"
        )


@dataclass(frozen=True)
class Target:
    """One runtime. `native` takes the wheels that fit this machine instead of Lambda's."""

    python: str = CURRENT
    arch: Arch = HOST
    native: bool = False

    @property
    def name(self) -> str:
        """A short name that is safe in a path, such as `py3.12-arm64`."""
        return f"py{self.python}-{self.arch}{'-native' if self.native else ''}"

    @property
    def runs_here(self) -> bool:
        return self.native or (self.arch == HOST and sys.platform == "linux")

    @property
    def machine(self) -> str:
        """The architecture as wheels and shared objects spell it."""
        return "aarch64" if self.arch == "arm64" else "x86_64"

    @property
    def platforms(self) -> list[str]:
        """Wheel platforms the runtime accepts; empty where pip may look at this machine."""
        if self.native:
            return []
        newest = GLIBC.get(self.python, NEWEST_GLIBC)
        exact = [f"manylinux_2_{n}_{self.machine}" for n in range(newest, 4, -1)]
        return [*exact, f"manylinux2014_{self.machine}"]


@cache
def interpreter(python: str) -> str:
    """Path of an interpreter of that version that really runs. Raises NoInterpreter."""
    if python == CURRENT:
        return sys.executable
    for path in _candidates(python):
        if _version(path) == python:
            return path
    raise NoInterpreter(python)


def installed(pythons: list[str]) -> list[str]:
    """Those of `pythons` that this machine can package for."""
    return [python for python in pythons if _found(python)]


def _found(python: str) -> bool:
    try:
        return bool(interpreter(python))
    except NoInterpreter:
        return False


def _candidates(python: str) -> Iterator[str]:
    if path := shutil.which(f"python{python}"):
        yield path
    for home in sorted((Path.home() / ".pyenv" / "versions").glob(f"{python}.*"), reverse=True):
        yield str(home / "bin" / "python")


def _version(path: str) -> str:
    try:  # a version manager's shim exists and fails where its version is not switched on
        run = subprocess.run([path, "-c", VERSION], capture_output=True, text=True, timeout=30)
    except OSError:
        return ""
    return run.stdout.strip()
