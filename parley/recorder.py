"""Stands in for every platform, carrier and desk on stage local, and remembers what was said.

Calls come to `{base}/{host}/{path}`. `/_recorder/answers` takes canned answers, failures among
them; `/_recorder/calls` tells what was said; DELETE on either forgets.
"""

import fnmatch
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from parley.loopback import Loopback, Received, Reply
from parley.platforms import Said, answer, channel_of
from parley.screen import Unready

_ADMIN = "/_recorder/"
_SECRET = {"authorization", "x-shopify-access-token", "x-api-key", "api-key", "cookie"}
_HANG_S = 60.0


@dataclass
class Canned:
    """An answer somebody prepared. `host` and `path` may hold `*`; the newest that fits is given.

    `times` limits how often (None: for ever); `delay` holds it back that many seconds;
    `hang` never answers in time.
    """

    method: str = "*"
    host: str = "*"
    path: str = "*"
    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int | None = None
    delay: float = 0.0
    hang: bool = False

    def fits(self, said: Said) -> bool:
        """Whether this answers that call."""
        if self.times == 0:
            return False
        pairs = ((said.method, self.method), (said.host, self.host), (said.path, self.path))
        return all(fnmatch.fnmatchcase(value, pattern) for value, pattern in pairs)


class Recorder(Loopback):
    """The outside world on one loopback port. `log` receives one JSON object per line."""

    def __init__(self, port: int = 0, *, log: Path | None = None) -> None:
        super().__init__(port)
        self.calls: list[dict[str, Any]] = []
        self._answers: list[Canned] = []
        self._spent: set[str] = set()
        self._log = log
        self._lock = Lock()

    def prepare(self, answers: Iterable[Mapping[str, Any]]) -> None:
        """Give these answers from now on. Unready for one with an unknown field."""
        try:
            self._answers.extend(Canned(**each) for each in answers)
        except TypeError as error:
            raise Unready(f"a canned answer is wrong: {error}") from error

    def forget(self) -> None:
        """Forget the calls and what they used up; prepared answers stay."""
        with self._lock:
            self.calls.clear()
            self._spent.clear()

    def reply(self, received: Received) -> Reply:
        """What the platform would answer; every call but those to `/_recorder/` is recorded."""
        if received.target.startswith(_ADMIN):
            return self._admin(received)
        said = _said(received)
        canned = self._canned(said)
        reply = _given(canned) if canned else self._well(said)
        self._record(said, reply)
        if canned:
            time.sleep(_HANG_S if canned.hang else canned.delay)
        return reply

    def _canned(self, said: Said) -> Canned | None:
        with self._lock:
            found = next((c for c in reversed(self._answers) if c.fits(said)), None)
            if found and found.times:
                found.times -= 1
            return found

    def _well(self, said: Said) -> Reply:
        if said.host == "api.line.me" and (refusal := self._line_refusal(said)):
            return refusal
        return _json(*answer(said))

    def _line_refusal(self, said: Said) -> Reply | None:
        """LINE takes a retry key once in 24 h, and a reply token once."""
        retry, token = said.headers.get("x-line-retry-key"), said.document.get("replyToken")
        with self._lock:
            if retry and self._is_spent(f"key {retry}"):
                first = {"x-line-accepted-request-id": str(uuid5(NAMESPACE_URL, retry))}
                return _json(409, {"message": "The retry key is already accepted"}, first)
            if token and self._is_spent(f"token {token}"):
                return _json(400, {"message": "Invalid reply token"})
        return None

    def _is_spent(self, name: str) -> bool:
        spent = name in self._spent
        self._spent.add(name)
        return spent

    def _record(self, said: Said, reply: Reply) -> None:
        call = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "channel": channel_of(said),
            "method": said.method,
            "url": said.url,
            "body": said.content,
            "status": reply.status,
            "cause": said.headers.get("x-parley-cause", ""),
        }
        with self._lock:
            self.calls.append({**call, "headers": _without_secrets(said.headers)})
            if self._log:
                with self._log.open("a") as log:
                    log.write(json.dumps(call, ensure_ascii=False) + "\n")

    def _admin(self, received: Received) -> Reply:
        what = received.target.removeprefix(_ADMIN)
        match received.method, what:
            case "GET", "calls":
                return _json(200, self.calls)
            case "DELETE", "calls":
                self.forget()
            case "DELETE", "answers":
                self._answers.clear()
            case "POST", "answers":
                return self._prepared(received.body)
            case _:
                return _json(404, {"error": "try /_recorder/calls or /_recorder/answers"})
        return Reply(204)

    def _prepared(self, body: bytes) -> Reply:
        try:
            given = json.loads(body)
            self.prepare(given if isinstance(given, list) else [given])
        except (ValueError, TypeError, Unready) as error:
            return _json(400, {"error": str(error)})
        return _json(201, {"answers": len(self._answers)})


def load_answers(path: Path) -> list[dict[str, Any]]:
    """Canned answers from a JSON file: a list of objects with Canned's fields."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise Unready(f"{path}: {error}") from error
    return list(found)


def _said(received: Received) -> Said:
    host, _, target = received.target.removeprefix("/").partition("/")
    headers = {name.lower(): value for name, value in received.headers}
    return Said(received.method, host, f"/{target}", headers, received.body)


def _given(canned: Canned) -> Reply:
    return _json(canned.status, canned.body, canned.headers)


def _json(status: int, document: Any, headers: Mapping[str, str] | None = None) -> Reply:
    plain = isinstance(document, str)
    text = document if plain else json.dumps(document, ensure_ascii=False)
    kind = "text/plain" if plain else "application/json"
    given = {"content-type": f"{kind}; charset=utf-8", **(headers or {})}
    return Reply(status, tuple(given.items()), text.encode())


def _without_secrets(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: "***" if name in _SECRET else value for name, value in headers.items()}
