"""The functions of the running hub: their code replaced, their workers warmed."""

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import urllib3

from parley.proxy import LANES
from parley.screen import Failure
from parley.stage import Stage

_NOTHING = json.dumps({"Records": []})
_API = "APIHandler"


class Functions:
    """Every Lambda function of one local stage; the front door answers at `api_url`."""

    def __init__(self, stage: Stage, api_url: str) -> None:
        self._stage = stage
        self._url = api_url
        self._code = b""

    @property
    def names(self) -> tuple[str, ...]:
        """Logical ids, the front door first."""
        return tuple(sorted(self._stage.functions, key=lambda name: (name != _API, name)))

    def replace(self, code: bytes) -> None:
        """Give every function this code; its next call starts a new worker."""
        self._code = code
        client = self._stage.client("lambda")
        for name in self.names:
            client.update_function_code(FunctionName=self._stage.functions[name], ZipFile=code)

    def exchange(self, code: bytes) -> None:
        """Replace the code; back to the old one, and Failure, when the front door is not well."""
        old = self._code
        self.replace(code)
        if trouble := self._knock():
            self.replace(old)
            _complain([trouble])

    def restart(self) -> None:
        """The same code in new workers, which read their settings again."""
        self.replace(self._code)

    def warm(self) -> None:
        """Start a worker of every function. Failure names those that cannot start, and why."""
        with ThreadPoolExecutor(LANES) as pool:
            front = [pool.submit(self._knock) for _ in range(LANES)]
            rest = [pool.submit(self._wake, name) for name in self.names if name != _API]
            _complain(each.result() for each in (*front, *rest))

    def _knock(self) -> str:
        answer = urllib3.request("GET", f"{self._url}/health", retries=False, timeout=60)
        if answer.status != 200:
            return f"{_API}: {answer.status} {answer.data[:300]!r}"
        urllib3.request("POST", f"{self._url}/webhooks/line", retries=False, timeout=60)
        return ""  # refused, unsigned as it is: but now its clients and secrets are there

    def _wake(self, name: str) -> str:
        function = self._stage.functions[name]
        answer = self._stage.client("lambda").invoke(FunctionName=function, Payload=_NOTHING)
        if not answer.get("FunctionError"):
            return ""
        said = str(json.loads(answer["Payload"].read() or b"{}").get("errorMessage"))
        return f"{name}: {said}"


def _complain(found: Iterable[str]) -> None:
    if troubles := sorted({trouble for trouble in found if trouble}):
        raise Failure("functions that do not start:\n  " + "\n  ".join(troubles))
