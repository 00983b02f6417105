"""Keys and certificates of platforms: fetched from declared hosts, kept, never redirected."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

from chalicelib.errors import InvalidSignature, Unavailable
from chalicelib.outbound import Call, Response

LIFE = timedelta(hours=1)
MOST = 64


class Sends(Protocol):
    def send(self, call: Call, cause: str = "") -> Response: ...


class Fetched:
    """`fetch(call, hosts)`: the body of a 2xx answer, at most an hour old.

    InvalidSignature for a host that the source does not declare (a forger names his own);
    Unavailable when the platform does not answer, so that it sends its delivery again.
    """

    def __init__(self, http: Callable[[], Sends], now: Callable[[], datetime]) -> None:
        self._http, self._now = http, now
        self._kept: dict[str, tuple[datetime, bytes]] = {}

    def __call__(self, call: Call, hosts: frozenset[str]) -> bytes:
        if urlsplit(call.url).hostname not in hosts:
            raise InvalidSignature("a key from a host nobody declared")
        kept = self._kept.get(call.url)
        if kept is None or abs(self._now() - kept[0]) >= LIFE:
            kept = (self._now(), self._fetch(call))
            self._keep(call.url, kept)
        return kept[1]

    def _fetch(self, call: Call) -> bytes:
        answer = self._http().send(call)
        if not 200 <= answer.status < 300:
            raise Unavailable(f"no key: {answer.status}")
        return answer.body

    def _keep(self, url: str, found: tuple[datetime, bytes]) -> None:
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._kept[url] = found
