"""Systems that speak in our own types: a fact in their words is the fact in ours.

The signature and the envelope are the transport's (`standard_webhooks`, `cloudevents`).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ValidationError

from chalicelib import payloads as p
from chalicelib.channels._channel import Channel
from chalicelib.credentials import Credentials
from chalicelib.errors import Unsupported
from chalicelib.events import TYPES, Event
from chalicelib.money import money
from chalicelib.outbound import Call, Response
from chalicelib.source import SHAPE_ERRORS, Fact, Item, NoWord, SignedSource, each

_OURS = {"raw", "raw_encoding", "dataref", "outbox", "audience", "about", "trace"}
"""What only the hub says of itself; not taken from outside."""
_AMOUNTS = ("amount", "total", "price")


class OwnWords(SignedSource, Channel):
    """A store, a till, a bot, a payment provider or a shipper that follows our contract."""

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

    def said(self, type: Any, data: Any, item: Item, at: datetime | None) -> Iterator[Fact]:
        """The fact that `type` and `data` state; NoWord for what is none, with its reason."""
        if not isinstance(type, str) or type not in self.emits:
            raise NoWord(f"{self.name} {str(type or 'without a type')[:100]}")
        if not isinstance(data, dict):
            raise NoWord(f"{type}: data is no object")
        for key, ours in (("channel", self.name), ("account", item.account)):
            if data.get(key, ours) != ours:
                raise NoWord(f"{type}: speaks for another {key}")
        yield Fact(type, _payload(type, data, item), at)

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


def _payload(type: str, data: Mapping[str, Any], item: Item) -> BaseModel:
    told = {key: value for key, value in data.items() if key not in _OURS}
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
