"""Calls to platforms, carriers and desks. No redirects, no address a customer could choose."""

from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
)

from chalicelib.errors import NotSent, TimedOut, Unsupported
from chalicelib.outbound import Call, Response

_TIMEOUT = urllib3.Timeout(connect=2.0, read=8.0)
_NEVER_LEFT = (ConnectTimeoutError, NewConnectionError, NameResolutionError)


class Http:
    """Makes calls. With `base` (stage local only) they go to `{base}/{host}/{path}` instead."""

    def __init__(self, base: str = "", timeout: urllib3.Timeout = _TIMEOUT) -> None:
        self._base = base.rstrip("/")
        self._pool = urllib3.PoolManager(timeout=timeout, retries=False)

    def send(self, call: Call, cause: str = "") -> Response:
        """The answer; NotSent when the call never left, TimedOut when nobody knows."""
        headers = dict(call.headers)
        if self._base:
            headers["x-parley-cause"] = cause
        try:
            answer = self._pool.request(
                call.method, self._target(call.url), headers=headers, body=call.body, redirect=False
            )
        except HTTPError as error:
            raise (NotSent if _never_left(error) else TimedOut)(type(error).__name__) from error
        names = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status, names, answer.data)

    def _target(self, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname:
            raise Unsupported("only https leaves the hub")
        if not self._base:
            return url
        return f"{self._base}/{url.removeprefix('https://')}"


def _never_left(error: HTTPError) -> bool:
    reason = error.reason if isinstance(error, MaxRetryError) else error
    return isinstance(reason, _NEVER_LEFT)
