"""The process that Lambda workers are forked from, and the program that asks it for one."""

import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

_ZYGOTE = Path(__file__).with_name("_zygote.py")
_LAUNCHER = Path(__file__).with_name("_launcher.py")


class Zygote:
    """`launcher` stands in for `python`; before `start` and after `stop` it simply runs it."""

    def __init__(self, python: Path) -> None:
        self._python = python
        self._folder = Path(tempfile.mkdtemp(prefix="parley-"))  # short: a socket's name is limited
        self.address = self._folder / "zygote"
        self.launcher = self._folder / "python"
        self.launcher.write_text(self._script())
        self.launcher.chmod(0o755)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, environment: Mapping[str, str]) -> None:
        """Start; it imports the packages by itself while its caller goes on.

        Only on Linux: macOS ends a process that forks after its frameworks were loaded.
        """
        if sys.platform != "linux":
            return
        self._process = subprocess.Popen(
            [str(self._python), "-P", str(_ZYGOTE), str(self.address)],
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def stop(self) -> None:
        """End it. Workers end with those who asked for them."""
        process, self._process = self._process, None
        if process and process.stdin:
            process.stdin.close()
            process.kill()
            process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _script(self) -> str:
        words = [self._python, "-I", "-S", "-E", _LAUNCHER, self._python]
        command = " ".join(shlex.quote(str(word)) for word in words)
        return f'#!/bin/sh\nexec {command} "$1"\n'
