"""The embedded AWS as a child process: MiniStack, in an environment of its own."""

import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

from parley.screen import Unready
from parley.zygote import Zygote

REGION = "us-east-1"
_KEEPER = Path(__file__).with_name("_keeper.py")
_NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "SYSTEMROOT")


class MiniStack:
    """One emulator on one loopback port, with its log, its workers' files and its layer in `home`.

    Lambda workers inherit its environment: `PYTHONPATH` is the layer, which the emulator itself
    ignores (`-E`) and which wins over its own packages in every worker.
    """

    def __init__(self, python: Path, port: int, home: Path) -> None:
        self.python = python
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log = home / "ministack.log"
        self.layer = home / "layer"
        self._files = home / "workers"
        self._zygote = Zygote(python)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The emulator's process id while it runs."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start; `wait` tells when it answers."""
        shutil.rmtree(self._files, ignore_errors=True)
        self._files.mkdir(parents=True)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(self.python), "-E", "-P", str(_KEEPER)],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait(self, timeout: float = 30) -> None:
        """Return when it answers; Unready when it ends or stays silent for `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not self._answers():
            if self._process is None or self._process.poll() is not None:
                raise Unready(f"the emulator ended: {self._last_words()}", "parley doctor")
            if time.monotonic() > deadline:
                raise Unready(f"the emulator is silent; see {self.log}", "parley doctor")
            time.sleep(0.02)

    def preload(self) -> None:
        """From now on workers start fast. The layer has to be there."""
        self._zygote.start(self._environment())

    def stop(self) -> None:
        """End it and its workers, by force after 5 s; remove the workers' files."""
        process, self._process = self._process, None
        if process:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._zygote.stop()
        shutil.rmtree(self._files, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            with _NO_PROXY.open(f"{self.url}/_ministack/health", timeout=1):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"nothing in {self.log}"

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        return {
            **kept,
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "AWS_DEFAULT_REGION": REGION,
            "TMPDIR": str(self._files),
            "PYTHONPATH": str(self.layer),
            "PYTHONUTF8": "1",
            "PARLEY_PYTHON": str(self._zygote.launcher),
            "PARLEY_ZYGOTE": str(self._zygote.address),
            "LAMBDA_WARM_TTL_SECONDS": "86400",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
        }
