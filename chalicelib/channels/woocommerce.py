"""WooCommerce webhooks: https://woocommerce.com/document/webhooks/

A webhook that is switched on posts an unsigned form first, and stays off without a 200; that form
says nothing to us. Nothing is ever sent twice: after five failures in a row it is switched off.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from chalicelib import payloads as p
from chalicelib.channels import _woocommerce as said
from chalicelib.channels._channel import Channel
from chalicelib.channels._payment import claimed
from chalicelib.credentials import DEFAULT, Accounts, Credentials
from chalicelib.errors import UnknownSource, Unsupported
from chalicelib.events import Event
from chalicelib.money import money
from chalicelib.outbound import Call, Outcome, Outgoing, Response, judge
from chalicelib.signing import basic, same, sha256_base64
from chalicelib.source import (
    SHAPE_ERRORS,
    Fact,
    Item,
    NoWord,
    Request,
    SignedSource,
    each,
    fingerprint,
)

_HEADER = "x-wc-webhook-signature"
_PING = re.compile(rb"webhook_id=\d{1,20}")
_ENTITIES = re.compile(r"&(?:lt|gt|amp|quot|#0*(?:34|39|60|62)|#x0*(?:22|27|3c|3e));", re.I)
_ORDER_ACTION = re.compile(r"woocommerce_(?:order_\w+|payment_complete|new_order)", re.ASCII)


class WooCommerce(SignedSource, Channel):
    name = "woocommerce"
    title = "WooCommerce"
    docs = "https://woocommerce.com/document/webhooks/"
    emits = frozenset(
        (
            "order.placed order.changed order.paid order.fulfilled order.cancelled"
            " payment.captured payment.failed payment.refunded"
        ).split()
    )
    handshake_kind = "form ping"
    signature = "HMAC-SHA256 of the body, base64"
    signing_key = "webhook_secret"
    dedupe = "source, topic, id, date_modified_gmt"
    deadline = timedelta(seconds=30)
    retry_horizon = timedelta(0)
    means = ("free",)

    def sign(self, request: Request, key: str) -> Mapping[str, str]:
        return {_HEADER: sha256_base64(_decoded(key), request.body)}

    def verify(self, request: Request, accounts: Accounts) -> Credentials:
        if _is_ping(request) and _HEADER not in request.headers:
            if request.account and request.account not in accounts.entries:
                raise UnknownSource(f"{self.name}/{request.account}")
            return Credentials(request.account or DEFAULT, {})
        return super().verify(request, accounts)

    def matches(self, request: Request, key: str) -> bool:
        """The shop signs with what was typed, also where it shows and stores it escaped."""
        given = request.headers.get(_HEADER, "")
        keys = {key, _decoded(key)}
        return any(same(given, sha256_base64(one, request.body)) for one in keys)

    def document(self, request: Request) -> Any:
        return None if _is_ping(request) else request.json

    def items(self, document: Any, request: Request) -> Iterator[Item]:
        if _is_ping(request):
            return
        topic = _topic(document, request)
        host = _host(document, request)
        if topic.startswith("order.") and isinstance(document.get("status"), str):
            yield from said.items(document, host, topic)
            return
        identity = [topic, document.get("id"), document.get("date_modified_gmt")]
        if topic.startswith("action."):
            delivery = request.headers.get("x-wc-webhook-delivery-id")
            identity = [topic, document.get("action"), document.get("arg"), delivery]
        yield Item(document, host, fingerprint(host, *identity), self.name, {"topic": topic})

    def facts(self, item: Item, request: Request) -> Iterable[Fact]:
        topic, body = str(item.envelope["topic"]), item.value
        if reader := said.READERS.get(item.envelope.get("says", "")):
            yield from reader(said.Delivery(item))
        elif topic in ("order.deleted", "order.restored"):
            order = said.Delivery(item)
            yield Fact("order.changed", order.touched(body["id"]), order.changed)
        elif topic.startswith("action.") and _ORDER_ACTION.fullmatch(body["action"]):
            yield Fact("order.changed", said.Delivery(item).touched(body["arg"]))
        else:
            raise NoWord(f"woocommerce {topic or 'delivery without a topic'}")

    def compose(self, message: Outgoing, credentials: Credentials) -> Call:
        """A note to the customer on their order: the shop mails it."""
        _, host, order = message.conversation_id.split("/")
        where = f"{_site(credentials, host)}/wp-json/wc/v3/orders/{p.path(order)}/notes"
        note = {"note": message.text[: self.text_limit], "customer_note": True}
        return Call.json(where, note, _key(credentials))

    def outcome(self, response: Response) -> Outcome:
        if response.status == 201 and "id" in response.json:
            return Outcome("sent", str(response.json["id"]))
        return judge(response)

    def reread(self, payment: Event, credentials: Credentials) -> Call:
        """Asks the shop for the order whose payment or refund was told."""
        claim = claimed(payment)
        if not claim.order:
            raise Unsupported("a payment without its order cannot be read again")
        site = _site(credentials, claim.account)
        order = p.path(claim.order.order_id)
        return Call("GET", f"{site}/wp-json/wc/v3/orders/{order}", _key(credentials))

    def reread_payment(self, payment: Event, response: Response) -> p.Payment | None:
        """The claim with the shop's own amount; None unless the shop states the same outcome."""
        claim = claimed(payment)
        if response.status != 200:
            return None
        try:
            if not (word := _stated(payment.type, claim, response.json)):
                return None
        except SHAPE_ERRORS:
            return None
        return claim.model_copy(update={**word, "assurance": "verified", "raw": None})


def _is_ping(request: Request) -> bool:
    return _PING.fullmatch(request.body) is not None


def _decoded(secret: str) -> str:
    """As `wp_specialchars_decode` with ENT_QUOTES does it: five characters and no others."""
    return _ENTITIES.sub(lambda found: unescape(found[0]), secret)


def _topic(document: Mapping[str, Any], request: Request) -> str:
    """As the header says it; a proxy may have lost it, and an order is one without."""
    if told := request.headers.get("x-wc-webhook-topic", ""):
        return told.lower()[:100]
    if "order_key" in document:
        return "order.updated"
    return f"action.{document['action']}"[:100] if "action" in document else ""


def _host(document: Mapping[str, Any], request: Request) -> str:
    """Of the order's own link, which is signed; else of the header, which is not."""
    links = each((document.get("_links") or {}).get("self"))
    own = next((link["href"] for link in links), None)
    source = own or request.headers.get("x-wc-webhook-source", "")
    return urlsplit(source).hostname or request.account or DEFAULT


def _site(credentials: Credentials, host: str) -> str:
    """The configured address of the shop; an event never says where our key goes."""
    site = credentials.one("url").rstrip("/")
    if urlsplit(site).hostname != host:
        raise Unsupported("not the shop that we have a key for")
    return site


def _key(credentials: Credentials) -> dict[str, str]:
    return basic(credentials.one("consumer_key"), credentials.one("consumer_secret"))


def _stated(type: str, claim: p.Payment, order: Mapping[str, Any]) -> dict[str, Any] | None:
    currency = str(order["currency"])
    if not claim.order or str(order["id"]) != claim.order.order_id:
        return None
    if type == "payment.refunded":
        found = [r for r in each(order["refunds"]) if str(r["id"]) == claim.payment_id]
        total = str(found[0]["total"]).removeprefix("-") if found else None
    else:
        so = order["status"] == "failed" if type == "payment.failed" else order["date_paid_gmt"]
        total = order["total"] if so else None
    return {"amount": money(total, currency), "currency": currency} if total else None


channel = WooCommerce()
