"""The routes: platforms' webhooks, and health. Everything else about them is in `_door`."""

import time
from functools import cache

from chalice.app import Blueprint, Response

from chalicelib import sources, wiring
from chalicelib.functions._door import Door
from chalicelib.source import Request

bp = Blueprint(__name__)
_METHODS = ["GET", "POST", "OPTIONS"]


@cache
def door() -> Door:
    """The front door, with the real world behind it."""
    return Door(
        find=sources.get,
        keys=wiring.verify_secrets(),
        bus=wiring.bus(),
        log=wiring.lines(),
        table=wiring.table,
        now=wiring.now,
        pause=time.sleep,
        fetch=lambda call, hosts: wiring.fetched()(call, hosts),
    )


@bp.route("/webhooks/{channel}", methods=_METHODS, content_types=["*/*"])
def webhook(channel: str) -> Response:
    """A delivery or handshake for the account that its body names."""
    return _answer(channel, None)


@bp.route("/webhooks/{channel}/{account}", methods=_METHODS, content_types=["*/*"])
def webhook_of_account(channel: str, account: str) -> Response:
    """A delivery or handshake for one account."""
    return _answer(channel, account)


@bp.route("/health")
def health() -> dict[str, str]:
    """Whether the function runs; no look at anything behind it."""
    return {"status": "ok"}


def _answer(channel: str, account: str | None) -> Response:
    told = door().answer(channel, _request(account))
    headers: dict[str, str | list[str]] = {"Content-Type": told.content_type, **told.headers}
    return Response(told.body, status_code=told.status, headers=headers)


def _request(account: str | None) -> Request:
    """The raw bytes as they came; Chalice has undone API Gateway's base64."""
    said = bp.current_request
    body = said.raw_body
    return Request(
        body=body if isinstance(body, bytes) else body.encode(),
        headers={name.lower(): value for name, value in said.headers.items()},
        query=dict(said.query_params or {}),
        method=said.method,
        account=account,
        now=wiring.now(),
    )
