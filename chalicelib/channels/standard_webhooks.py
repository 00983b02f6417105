"""Standard Webhooks, the way in for any other system: https://www.standardwebhooks.com

A store, a till, a bot, a payment provider or a shipper posts `{type, timestamp, data}` with a type
and a payload of our own contract, and it is a fact on the bus. Symmetric signatures (v1) only:
an asymmetric one (v1a) is passed by.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ValidationError

from chalicelib import payloads as p
from chalicelib.channels._channel import Channel
from chalicelib.credentials import DEFAULT, Credentials
from chalicelib.errors import Misconfigured, Unsupported
from chalicelib.events import TYPES, Event
from chalicelib.money import money
from chalicelib.outbound import Call, Response
from chalicelib.signing import same, webhook_signature
from chalicelib.source import (
    SHAPE_ERRORS,
    Fact,
    Item,
    NoWord,
    Request,
    SignedSource,
    each,
    fingerprint,
    when_iso,
)

_TOLERANCE_S = 300
_OURS = {"raw", "raw_encoding", "dataref", "outbox", "audience", "about", "trace"}
"""What only the hub says of itself; not taken from outside."""
_AMOUNTS = ("amount", "total", "price")


class StandardWebhooks(SignedSource, Channel):
    name = "standard_webhooks"
    title = "Standard Webhooks"
    docs = "https://github.com/standard-webhooks/standard-webhooks"
    emits = frozenset(
        [
            "message.received",
            "message.echoed",
            "message.edited",
            "message.deleted",
            "message.sent",
            "message.delivered",
            "message.read",
            "message.failed",
            "postback.received",
            "reaction.added",
            "reaction.removed",
            "referral.received",
            "comment.created",
            "comment.edited",
            "comment.deleted",
            "mention.created",
            "review.created",
            "share.created",
            "conversation.opened",
            "consent.withdrawn",
            "contact.recorded",
            "order.placed",
            "order.changed",
            "order.paid",
            "order.fulfilled",
            "order.cancelled",
            "order.returned",
            "payment.authorized",
            "payment.captured",
            "payment.failed",
            "payment.refunded",
            "payment.disputed",
            "payment.dispute_closed",
            "parcel.registered",
            "parcel.handed_over",
            "parcel.in_transit",
            "parcel.out_for_delivery",
            "parcel.attempt_failed",
            "parcel.available_for_pickup",
            "parcel.delivered",
            "parcel.exception",
            "parcel.returned",
            "parcel.eta_changed",
            "handoff.requested",
            "handoff.completed",
            "identity.linked",
            "customer.erasure_requested",
        ]
    )
    """What adapters author (EVENTS): nobody outside says what the hub concludes."""
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
        said, data = item.value.get("type"), item.value.get("data")
        if not isinstance(said, str) or said not in self.emits:
            raise NoWord(f"standard_webhooks {str(said or 'without a type')[:100]}")
        if not isinstance(data, dict):
            raise NoWord(f"{said}: data is no object")
        for key, ours in (("channel", self.name), ("account", item.account)):
            if data.get(key, ours) != ours:
                raise NoWord(f"{said}: speaks for another {key}")
        yield Fact(said, _payload(said, item), when_iso(item.value.get("timestamp")))

    def reread(self, payment: Any, credentials: Credentials) -> Call:
        """GET `reread_url` (it holds `{payment_id}`) with `reread_key` as bearer."""
        claim = _claim(payment)
        url = credentials.one("reread_url").replace("{payment_id}", p.path(claim.payment_id))
        auth = {"authorization": f"Bearer {credentials.one('reread_key')}"}
        return Call("GET", url, {"accept": "application/json", **auth})

    def reread_payment(self, payment: Any, response: Response) -> p.Payment | None:
        """`{status, amount, currency}`; the status is the type's last word (`captured`)."""
        claim, said = _claim(payment), response.json
        if response.status != 200 or f"payment.{said.get('status')}" != payment.type:
            return None
        try:
            currency = str(said["currency"])
            amount = money(said["amount"], currency)
        except SHAPE_ERRORS:
            return None
        word = {"assurance": "verified", "amount": amount, "currency": currency, "raw": None}
        return claim.model_copy(update=word)


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


def _payload(type: str, item: Item) -> BaseModel:
    told = {key: value for key, value in item.value["data"].items() if key not in _OURS}
    if type.startswith("payment."):
        told["assurance"] = "claimed"  # whatever the sender says of itself
    try:
        return TYPES[type].model_validate({**_priced(told), **item.said})
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise NoWord(f"{type}: {where[:100]}: {first['type']}") from error


def _priced(said: Mapping[str, Any], depth: int = 2) -> dict[str, Any]:
    """With money in its currency's digits, also in the lines of an order or of a cart."""
    priced = dict(said)
    for key in ("lines", "content"):
        if key in said and depth:
            priced[key] = [_priced(one, depth - 1) for one in each(said[key])]
    if isinstance(currency := said.get("currency"), str):
        found = {key: said[key] for key in _AMOUNTS if said.get(key) is not None}
        priced |= {key: money(value, currency) for key, value in found.items()}
    return priced


def _claim(payment: Event) -> p.Payment:
    if not isinstance(payment.data, p.Payment):
        raise Unsupported(f"{payment.type} is no payment")
    return payment.data


channel = StandardWebhooks()
