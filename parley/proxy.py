"""The hub's address on this machine: a small proxy in front of the embedded API Gateway."""

import os

import urllib3
from urllib3.exceptions import HTTPError

from parley.loopback import Loopback, Received, Reply

_TIMEOUT = urllib3.Timeout(connect=2, read=35)
LANES = min(8, max(3, os.cpu_count() or 3))
_JSON = (("Content-Type", "application/json"),)


class Proxy(Loopback):
    """Passes every request on, bytes untouched. Until `open` it answers 503, `/health` included.

    `lanes` requests are under way at once, the rest wait: each one more would start one more
    Lambda worker, as on AWS, and a laptop has few cores.
    """

    def __init__(self, port: int = 0, lanes: int = LANES) -> None:
        super().__init__(port)
        self.lanes = lanes
        self._prefix = ""
        self._pool: urllib3.HTTPConnectionPool | None = None

    def open(self, base: str) -> None:
        """From now on requests go on to the URL `base`, without a trailing slash."""
        there = urllib3.util.parse_url(base)
        self._prefix = there.path or ""
        self._pool = urllib3.HTTPConnectionPool(
            there.host or "", there.port, maxsize=self.lanes, block=True, timeout=_TIMEOUT
        )

    def reply(self, received: Received) -> Reply:
        """The hub's answer; 503 while it starts, 502 when it went away."""
        if self._pool is None:
            return Reply(503, (*_JSON, ("Retry-After", "1")), b'{"status":"starting"}')
        try:
            return self._pass(self._pool, received)
        except HTTPError:
            return Reply(502, _JSON, b'{"status":"the embedded AWS did not answer"}')

    def _pass(self, pool: urllib3.HTTPConnectionPool, received: Received) -> Reply:
        headers = urllib3.HTTPHeaderDict()
        for name, value in (*received.headers, ("X-Forwarded-Proto", "http")):
            headers.add(name, value)
        answer = pool.urlopen(
            received.method,
            self._prefix + received.target,
            body=received.body,
            headers=headers,
            redirect=False,
            retries=False,
            decode_content=False,
        )
        return Reply(answer.status, tuple(answer.headers.items()), answer.data)
