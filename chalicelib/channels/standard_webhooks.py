"""Standard Webhooks, the way in for any other system: https://www.standardwebhooks.com

A store, a till, a bot, a payment provider or a shipper posts `{type, timestamp, data}` with a type
and a payload of our own contract, and it is a fact on the bus. Symmetric signatures (v1) only:
an asymmetric one (v1a) is passed by.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from chalicelib.channels._own_words import OwnWords
from chalicelib.credentials import DEFAULT
from chalicelib.errors import Misconfigured
from chalicelib.signing import same, webhook_signature
from chalicelib.source import Fact, Item, Request, fingerprint, when_iso

_TOLERANCE_S = 300


class StandardWebhooks(OwnWords):
    name = "standard_webhooks"
    title = "Standard Webhooks"
    docs = "https://github.com/standard-webhooks/standard-webhooks"
    signature = "HMAC-SHA256 of id.timestamp.body, base64 (v1)"
    signing_key = "secret"
    dedupe = "webhook-id"
    deadline = timedelta(seconds=15)
    retry_horizon = timedelta(days=3)

    def sign(self, request: Request, key: str) -> Mapping[str, str]:
        ident = _header(request, "id") or f"msg_{fingerprint(request.body.hex())[:26]}"
        stamp = str(int(request.now.timestamp()))
        return {
            "webhook-id": ident,
            "webhook-timestamp": stamp,
            "webhook-signature": _signature(key, ident, stamp, request.body),
        }

    def matches(self, request: Request, key: str) -> bool:
        """Whether one element of the header is this key's `v1`; others, also broken, pass by."""
        ident, stamp = _header(request, "id"), _header(request, "timestamp")
        expected = _signature(key, ident, stamp, request.body)
        alike = [same(one, expected) for one in _header(request, "signature").split(" ")]
        return any(alike) and bool(ident) and _fresh(stamp, request)

    def items(self, document: Any, request: Request) -> Iterator[Item]:
        data = document.get("data")
        told = data.get("account") if isinstance(data, dict) else None
        account = request.account or told or DEFAULT
        known = _header(request, "id") or fingerprint(document)
        yield Item(document, str(account), known, self.name)

    def facts(self, item: Item, request: Request) -> Iterable[Fact]:
        said = item.value
        yield from self.said(
            said.get("type"), said.get("data"), item, when_iso(said.get("timestamp"))
        )


def _header(request: Request, name: str) -> str:
    """Svix sends the same scheme under its own name."""
    headers = request.headers
    return headers.get(f"webhook-{name}") or headers.get(f"svix-{name}", "")


def _signature(key: str, ident: str, stamp: str, body: bytes) -> str:
    try:
        return webhook_signature(key, ident, stamp, body)
    except ValueError as error:
        raise Misconfigured("standard_webhooks: secret is not base64") from error


def _fresh(stamp: str, request: Request) -> bool:
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return False
    return abs(request.now.timestamp() - int(stamp)) <= _TOLERANCE_S


channel = StandardWebhooks()
