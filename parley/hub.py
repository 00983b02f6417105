"""The whole hub on this machine: the bundle that ships, on an embedded AWS, on loopback ports."""

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from infra.build import BuildFailed
from infra.layer import LayerFailed
from parley import bundle, venv
from parley.alone import alone
from parley.bundle import Bundle
from parley.deploy import Outputs, deploy
from parley.functions import Functions
from parley.idle import wait_idle
from parley.loopback import check_free, free_port
from parley.ministack import MiniStack
from parley.places import ANSWERS, CACHE, REQUIREMENTS_AWS, ROOT, SECRETS, SETTINGS, VENV_AWS
from parley.places import home as default_home
from parley.proxy import Proxy
from parley.recorder import Recorder, load_answers
from parley.reload import check_imports
from parley.screen import Failure, Say, Unready, silent
from parley.stage import LOCAL, RUNNING, Stage
from parley.state import restore, save

STEPS = 150
"""How often `start` says what it does."""


class EmbeddedHub:
    """Use it as a context manager, or `start` and `stop` it. Ports of 0 take free ones.

    `home` keeps its log, its outbox and its workers' files; by default a folder of its own that
    goes when it stops. `state` is a folder whose records are loaded at start and written at a
    clean stop. `outbound` takes the calls to platforms instead of the recorder. Starting raises
    Unready for a machine, a port or a build that is not ready.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        aws_port: int = 0,
        home: Path | None = None,
        state: Path | None = None,
        outbound: str = "",
        root: Path = ROOT,
    ) -> None:
        aws_port = aws_port or free_port()
        self.home = home or default_home() / "runs" / str(aws_port)
        self.root = root
        self._own_home = home is None
        self._state = state
        self._outbound = outbound.rstrip("/")
        self._ports = (port, aws_port)
        self._ready = False
        self._parts: list[Proxy | Recorder | MiniStack] = []

    @property
    def url(self) -> str:
        """Where webhooks go: `{url}/webhooks/{channel}`."""
        return self.proxy.url

    @property
    def aws_url(self) -> str:
        """The endpoint for any AWS client: region us-east-1, any credentials."""
        return self.emulator.url

    @property
    def recorder_url(self) -> str:
        """Where calls to the outside go."""
        return self.recorder.url

    @property
    def outside_url(self) -> str:
        """Where the hub's own calls go: the recorder, or the `outbound` it was given."""
        return self._outbound or self.recorder_url

    @property
    def about(self) -> dict[str, Any]:
        """Its addresses and names, as `hub.json` in its home tells them."""
        return {
            "pid": os.getpid(),
            "emulator": self.emulator.pid,
            "url": self.url,
            "webhooks": f"{self.url}/webhooks/{{channel}}",
            "aws": self.aws_url,
            "recorder": self.recorder_url,
            "outside": self.outside_url,
            "bus": self.outputs["BusName"],
            "table": self.outputs["TableName"],
            "left_out": dict(self.outputs.left_out),
            "log": str(self.emulator.log),
        }

    def aws(self, service: Any) -> Any:
        """A boto3 client of the embedded AWS."""
        return self.stage.client(service)

    def start(self, progress: Say = silent) -> Self:
        """Make, deploy and warm everything; returns when `/health` answers 200."""
        try:
            self._listen()
            self._start(progress)
        except (BuildFailed, LayerFailed) as error:
            self.stop()
            raise Unready(str(error), "parley doctor") from error
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self, *, keep: bool = False) -> None:
        """End it. With `state` the records are written first; `keep` leaves its folder."""
        try:
            if self._state and self._ready:
                save(self.stage, self._state)
        finally:
            (self.home / RUNNING).unlink(missing_ok=True)
            for part in self._parts:
                part.stop()
            self._parts.clear()
            if self._own_home and not keep:
                shutil.rmtree(self.home, ignore_errors=True)

    def refresh(self) -> None:
        """Take the code as it lies now into the running hub; the next call runs it.

        Failure when it cannot be imported or does not start: then the old code goes on.
        """
        code = self._bundle.fresh_code(self.home / "fresh.zip")
        check_imports(code, self.emulator.python, self.emulator.layer, self.home / "check")
        with suppress(Failure):
            self.wait_idle(timeout=1)  # a worker that is replaced in the middle loses its batch
        self.functions.exchange(code)

    def configure(self) -> None:
        """Put events/secrets.json and events/settings.json where the functions read them."""
        outputs = self.stage.outputs
        if (secrets := self._file(SECRETS)).exists():
            for name in (outputs["VerifySecretName"], outputs["SendSecretName"]):
                value = secrets.read_text()
                self.aws("secretsmanager").put_secret_value(SecretId=name, SecretString=value)
        if (settings := self._file(SETTINGS)).exists():
            value = settings.read_text()
            where = outputs["SettingsName"]
            self.aws("ssm").put_parameter(Name=where, Value=value, Type="String", Overwrite=True)

    def wait_idle(self, timeout: float = 60) -> None:
        """Return when no queue holds or has lent a message. Failure after `timeout` seconds."""
        wait_idle(self.stage, timeout)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.stop(keep=kind is not None)

    def _listen(self) -> None:
        port, aws_port = self._ports
        check_free(aws_port)
        self.proxy = Proxy(port)
        self._parts.append(self.proxy)
        self.proxy.start()
        self.home.mkdir(parents=True, exist_ok=True)
        outbox = self.home / "outbox.jsonl"
        outbox.write_bytes(b"")
        self.recorder = Recorder(log=outbox)
        self._parts.append(self.recorder)
        self.recorder.start()
        if (answers := self._file(ANSWERS)).exists():
            self.recorder.prepare(load_answers(answers))
        self.emulator = MiniStack(venv.python_of(VENV_AWS), aws_port, self.home)
        self._parts.insert(0, self.emulator)
        self.stage = Stage(LOCAL, self.emulator.url)

    def _start(self, say: Say) -> None:
        with ThreadPoolExecutor(2) as together:
            emulating = together.submit(self._emulate, say)
            building = together.submit(bundle.prepare, self.root, say)
            emulating.result()
            self._bundle = building.result()
        self._bundle.lay(self.emulator.layer)
        self.emulator.preload()
        self.outputs = self._deploy(self._bundle, say)
        say("secrets and settings")
        self.configure()
        if self._state:
            restore(self.stage, self._state)
        self.functions = Functions(self.stage, self.outputs.api_url)
        self.functions.replace(self._bundle.code())
        say("warming every function")
        self.functions.warm()
        self.proxy.open(self.outputs.api_url)
        self._ready = True
        (self.home / RUNNING).write_text(json.dumps(self.about))

    def _emulate(self, say: Say) -> None:
        with alone(CACHE / "venv.lock"):
            venv.ensure(VENV_AWS, REQUIREMENTS_AWS, say)
        say("starting the embedded AWS")
        self.emulator.start()
        self.emulator.wait()

    def _deploy(self, made: Bundle, say: Say) -> Outputs:
        say("deploying")
        parameters = {"PublicUrl": self.url, "OutboundBase": self.outside_url}
        return deploy(
            LOCAL, endpoint_url=self.aws_url, parameters=parameters, built=made.built, progress=say
        )

    def _file(self, path: Path) -> Path:
        return self.root / path.relative_to(ROOT)
