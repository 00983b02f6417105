"""Secrets and settings from their stores, cached: stale beats none, and nothing is logged."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.credentials import Accounts
from chalicelib.errors import Misconfigured

LIFE = timedelta(minutes=5)
AGAIN = timedelta(seconds=30)


class Stored:
    """One JSON document of a store, kept for `LIFE`, refreshed on demand at most every `AGAIN`."""

    def __init__(self, fetch: Callable[[], str], now: Callable[[], datetime]) -> None:
        self._fetch, self._now = fetch, now
        self._document: dict[str, Any] | None = None
        self._fetched: datetime | None = None

    def read(self, *, fresher: bool = False) -> dict[str, Any]:
        """The document; Misconfigured when it was never to be had."""
        if self._fetched is None or self._age() >= (AGAIN if fresher else LIFE):
            self._refresh()
        if self._document is None:
            raise Misconfigured("the store did not answer")
        return self._document

    def _age(self) -> timedelta:
        assert self._fetched is not None
        return abs(self._now() - self._fetched)

    def _refresh(self) -> None:
        try:
            self._document = _object(self._fetch())
        except (ClientError, BotoCoreError, ValueError) as error:
            if self._document is None:
                raise Misconfigured(f"the store: {type(error).__name__}") from error
        self._fetched = self._now()


class Secrets:
    """`{source: {"default" | account: {key: value | [live values]}}}` of one store."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored

    def of(self, source: str, *, fresher: bool = False) -> Accounts:
        """Every account of a source; Misconfigured for what is no object of objects."""
        entries = self._stored.read(fresher=fresher).get(source, {})
        if not isinstance(entries, dict) or not all(isinstance(e, dict) for e in entries.values()):
            raise Misconfigured(f"{source}: secrets are kept by account and key")
        return Accounts(source, entries)


def _object(text: str) -> dict[str, Any]:
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("no JSON object")
    return document


def secret_text(client: Any, name: str) -> Callable[[], str]:
    """How to fetch a secret of Secrets Manager."""
    return lambda: str(client.get_secret_value(SecretId=name)["SecretString"])


def parameter_text(client: Any, name: str) -> Callable[[], str]:
    """How to fetch a parameter of SSM."""
    return lambda: str(client.get_parameter(Name=name)["Parameter"]["Value"])
