"""Where the real gateways are plugged in. The only file that reads the environment, and the clock.

Clients are made once, and in a Lambda at import: its INIT has a full CPU.
"""

import logging
import os
from datetime import UTC, datetime, timedelta
from functools import cache
from time import monotonic
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config

from chalicelib.events import to_ms
from chalicelib.gateways.bus import Bus, S3Claims
from chalicelib.gateways.lines import Lines
from chalicelib.gateways.queues import Queue, Visibility
from chalicelib.gateways.secrets import Secrets, Stored, parameter_text, secret_text

if TYPE_CHECKING:
    from chalicelib.gateways.fetched import Fetched
    from chalicelib.gateways.http import Http
    from chalicelib.gateways.table import Table

_CONFIG = Config(
    connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3}
)
_BUS_CONFIG = Config(
    connect_timeout=2, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 1}
)
"""The bus resends by itself, entry by entry, and must come to the spill queue while we run."""
_CLOCK_LIFE_S = 1.0


def setting(name: str) -> str:
    """`PARLEY_<NAME>` of this function's environment; empty when the template sets none."""
    return os.environ.get(f"PARLEY_{name}", "")


def is_local() -> bool:
    return setting("STAGE") == "local"


@cache
def client(service: str) -> Any:
    """One client a service, for the life of the process."""
    config = _BUS_CONFIG if service == "events" else _CONFIG
    return _session().create_client(service, config=config)


@cache
def _session() -> Any:
    return botocore.session.get_session()


@cache
def table() -> "Table":
    from chalicelib.gateways.table import Table  # the webhook path never needs it

    return Table(client("dynamodb"), setting("TABLE"))


@cache
def bus() -> Bus:
    return Bus(
        client("events"),
        _Lazy("sqs"),
        S3Claims(_Lazy("s3"), setting("BUCKET")),
        bus=setting("BUS"),
        spill_url=setting("SPILL_QUEUE"),
    )


@cache
def outbox_queue() -> Queue:
    return Queue(client("sqs"), setting("OUTBOX_QUEUE"))


@cache
def clocks_queue() -> Queue:
    return Queue(client("sqs"), setting("CLOCKS_QUEUE"))


@cache
def visibility() -> Visibility:
    return Visibility(_Lazy("sqs"))


@cache
def verify_secrets() -> Secrets:
    return Secrets(Stored(secret_text(client("secretsmanager"), setting("VERIFY_SECRET")), now))


@cache
def send_secrets() -> Secrets:
    return Secrets(Stored(secret_text(client("secretsmanager"), setting("SEND_SECRET")), now))


@cache
def settings() -> Stored:
    return Stored(parameter_text(client("ssm"), setting("SETTINGS")), now)


@cache
def http() -> "Http":
    """The way out. On stage local, and only there, a recorder may stand in for the world."""
    from chalicelib.gateways.http import Http

    return Http(setting("OUTBOUND") if is_local() else "")


@cache
def fetched() -> "Fetched":
    from chalicelib.gateways.fetched import Fetched  # most sources need no key from outside

    return Fetched(http, now)


@cache
def lines() -> Lines:
    """The front door's log."""
    return Lines(logging.getLogger("parley"))


@cache
def log() -> Any:
    """The reactions' log. Ids only: no secret, signature, text or identity."""
    from aws_lambda_powertools import Logger

    return Logger(service="parley", level="INFO")


def now() -> datetime:
    """The only clock. On stage local `parley clock +4h` moves it."""
    return to_ms(datetime.now(UTC) + (_offset() if is_local() else timedelta()))


class _Lazy:
    """A client made when it is first needed: most invocations never spill, claim or back off."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __getattr__(self, name: str) -> Any:
        return getattr(client(self._service), name)


_moved: tuple[float, timedelta] = (float("-inf"), timedelta())


def _offset() -> timedelta:
    global _moved
    if monotonic() - _moved[0] > _CLOCK_LIFE_S:
        item = table().get("CLOCK", "OFFSET") or {}
        _moved = (monotonic(), timedelta(seconds=float(item.get("seconds", 0))))
    return _moved[1]


if os.environ.get("AWS_LAMBDA_FUNCTION_NAME"):
    bus()
