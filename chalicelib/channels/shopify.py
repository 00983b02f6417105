"""Shopify webhooks, over HTTP or its EventBridge bus: https://shopify.dev/docs/apps/build/webhooks"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from chalicelib import payloads as p
from chalicelib.channels._channel import Channel
from chalicelib.channels._shopify import READERS
from chalicelib.channels._shopify_delivery import Delivery
from chalicelib.channels._shopify_money import dispute_type, money_type
from chalicelib.credentials import DEFAULT, Credentials
from chalicelib.errors import Unsupported
from chalicelib.events import Event
from chalicelib.jsons import text_of
from chalicelib.money import money
from chalicelib.outbound import Call, Response
from chalicelib.signing import same, sha256_base64
from chalicelib.source import (
    SHAPE_ERRORS,
    Fact,
    Item,
    NoWord,
    Request,
    SignedSource,
    fingerprint,
)

API_VERSION = "2026-04"
_DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]*\.myshopify\.com", re.ASCII)


class Shopify(SignedSource, Channel):
    name = "shopify"
    title = "Shopify"
    docs = "https://shopify.dev/docs/api/webhooks"
    emits = frozenset(
        [
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
            "customer.erasure_requested",
            "identity.linked",
            "consent.withdrawn",
        ]
    )
    signature = "HMAC-SHA256 of the body, base64"
    signing_key = "client_secret"
    dedupe = "X-Shopify-Event-Id and topic, else X-Shopify-Webhook-Id, else topic, id, updated_at"
    deadline = timedelta(seconds=5)
    retry_horizon = timedelta(hours=4)
    aws_sources = ("aws.partner/shopify.com",)

    def sign(self, request: Request, key: str) -> Mapping[str, str]:
        return {"x-shopify-hmac-sha256": sha256_base64(key, request.body)}

    def matches(self, request: Request, key: str) -> bool:
        return same(_header(request, "hmac-sha256"), sha256_base64(key, request.body))

    def items(self, document: Any, request: Request) -> Iterator[Item]:
        topic = _header(request, "topic").lower()
        shop = _header(request, "shop-domain").lower() or request.account or DEFAULT
        envelope = {"topic": topic, "shop_domain": shop}
        if triggered := _header(request, "triggered-at"):
            envelope["triggered_at"] = triggered
        yield Item(document, shop, _id(topic, document, request), self.name, envelope)

    def facts(self, item: Item, request: Request) -> Iterable[Fact]:
        topic = str(item.envelope["topic"])[:100]
        if _header(request, "test").lower() == "true":
            yield Fact("ingress.unmapped", _test_notification(item, topic))
        elif not _DOMAIN.fullmatch(item.account):
            raise NoWord("shopify delivery without its shop's domain")
        elif reader := READERS.get(topic):
            yield from reader(Delivery(item))
        else:
            raise NoWord(f"shopify {topic or 'delivery without a topic'}")

    def unwrap(self, envelope: Mapping[str, Any], now: datetime) -> Request:
        detail = envelope.get("detail") or {}
        told = detail.get("metadata") or {}
        headers = {str(name).lower(): str(value) for name, value in told.items()}
        return Request(body=text_of(detail.get("payload")).encode(), headers=headers, now=now)

    def reread(self, payment: Any, credentials: Credentials) -> Call:
        """Asks the Admin API what became of the money that the `payment.*` event speaks of."""
        claim = _claim(payment)
        if not _DOMAIN.fullmatch(claim.account):  # the header is not signed, and gets the token
            raise Unsupported("not a shop of Shopify's")
        where = f"https://{claim.account}/admin/api/{API_VERSION}/{_resource(payment.type, claim)}"
        return Call("GET", where, {"x-shopify-access-token": credentials.one("access_token")})

    def reread_payment(self, payment: Any, response: Response) -> p.Payment | None:
        """The claim with the API's own amount; None unless the API states the same outcome."""
        claim = _claim(payment)
        try:
            stated = _stated(payment.type, claim, response.json)
        except SHAPE_ERRORS:
            return None
        if response.status != 200 or not stated:
            return None
        amount, currency = stated
        word = {"assurance": "verified", "amount": amount, "currency": currency, "raw": None}
        return claim.model_copy(update=word)


def _header(request: Request, name: str) -> str:
    """A header of Shopify's Events (`shopify-…`), else of its webhooks (`x-shopify-…`)."""
    headers = request.headers
    return headers.get(f"shopify-{name}") or headers.get(f"x-shopify-{name}", "")


def _id(topic: str, document: Any, request: Request) -> str:
    """One event may say several topics, and several subscriptions one topic."""
    if event := _header(request, "event-id"):
        return f"{event}/{topic}"
    if delivery := _header(request, "webhook-id"):
        return delivery
    return fingerprint(topic, document.get("id"), document.get("updated_at") or document)


def _test_notification(item: Item, topic: str) -> p.Unmapped:
    reason = f"shopify test notification of {topic}"
    return p.Unmapped(**item.said, reason=reason, item=item.id[:2048], synthetic=True)


def _claim(payment: Event) -> p.Payment:
    if not isinstance(payment.data, p.Payment):
        raise Unsupported(f"{payment.type} is no payment")
    return payment.data


def _resource(type: str, claim: p.Payment) -> str:
    if type.startswith("payment.dispute"):
        return f"shopify_payments/disputes/{p.path(claim.payment_id)}.json"
    if not claim.order:
        raise Unsupported("a payment without its order cannot be read again")
    order = p.path(claim.order.order_id)
    return f"orders/{order}/transactions.json?in_shop_currency=true"


def _stated(type: str, claim: p.Payment, document: Any) -> tuple[Decimal, str] | None:
    if type.startswith("payment.dispute"):
        dispute = document["dispute"]
        same_end = dispute_type(dispute) == type
        return _money(dispute) if same_end else None
    agreeing = [t for t in document["transactions"] if money_type(t) == type]
    if claim.order and claim.payment_id == claim.order.order_id:
        return _whole(claim, [_money(t) for t in agreeing])
    return next((_money(t) for t in agreeing if str(t["id"]) == claim.payment_id), None)


def _whole(claim: p.Payment, moves: list[tuple[Decimal, str]]) -> tuple[Decimal, str] | None:
    """`orders/paid` names no transaction: all that was taken; an order of 0.00 has none."""
    if not moves:
        return None if claim.amount else (claim.amount, claim.currency)
    currency = moves[0][1]
    if any(other != currency for _, other in moves):
        return None
    return sum((amount for amount, _ in moves), Decimal()), currency


def _money(said: Mapping[str, Any]) -> tuple[Decimal, str]:
    currency = str(said["currency"])
    return money(said["amount"], currency), currency


channel = Shopify()
