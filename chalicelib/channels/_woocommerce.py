"""What a WooCommerce order says: https://woocommerce.github.io/woocommerce-rest-api-docs/#orders

A body is the order as it is when it is delivered, under whatever topic: its status decides.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from html import unescape
from typing import Any

from chalicelib import payloads as p
from chalicelib.events import iso
from chalicelib.money import money
from chalicelib.slugs import number, slug
from chalicelib.source import Fact, Item, each, fingerprint, ident, when_iso

_ADDRESS = "first_name last_name company address_1 address_2 city state postcode country".split()
_TRACKING = "_wc_shipment_tracking_items"
"""Where the Shipment Tracking extension keeps an order's parcels."""
_DRAFTS = {"checkout-draft", "auto-draft", "draft", "new"}
_BY_STATUS = {
    "completed": "order.fulfilled",
    "cancelled": "order.cancelled",
    "trash": "order.cancelled",
}


def gmt(text: Any) -> datetime | None:
    """A `…_gmt` time, which bears no zone."""
    return when_iso(f"{text}Z") if isinstance(text, str) else None


class Delivery:
    """One order as it was delivered, and the payloads that it gives."""

    def __init__(self, item: Item) -> None:
        self.item: Item = item
        self.body: Mapping[str, Any] = item.value
        self.shop = f"woocommerce:{item.account}"
        self.changed = gmt(self.body.get("date_modified_gmt"))

    def touched(self, order_id: Any, **more: Any) -> p.Order:
        """An order of which only the id was said."""
        return p.Order(**self.item.said, shop=self.shop, order_id=ident(order_id), **more)

    def order(self) -> p.Order:
        body, currency = self.body, ident(self.body["currency"])
        order_id = ident(body["id"])
        return self.touched(
            order_id,
            order_number=body.get("number"),
            lines=tuple(_line(line, currency) for line in each(body.get("line_items"))),
            total=money(body["total"], currency),
            currency=currency,
            customer=_customer(body, self.item.account),
            conversation_id="/".join(("woocommerce", self.item.account, order_id)),
            request=_meta(body, "parley_request"),
            parcels=tuple(dict.fromkeys(_parcels(body))),
            placed_at=gmt(body.get("date_created_gmt")),
            ship_to=_address(body.get("shipping")),
            note=body.get("customer_note") or None,
            version=iso(self.changed) if self.changed else None,
        )

    def payment(self, payment_id: Any, amount: Any, **more: Any) -> p.Payment:
        body, currency = self.body, ident(self.body["currency"])
        return p.Payment(
            **self.item.said,
            payment_id=ident(payment_id),
            provider="woocommerce",
            order=p.OrderRef(shop=self.shop, order_id=ident(body["id"])),
            amount=money(amount, currency),
            currency=currency,
            **more,
        )


def placed(said: Delivery) -> Iterator[Fact]:
    yield Fact("order.placed", said.order(), gmt(said.body.get("date_created_gmt")))


def now_is(said: Delivery) -> Iterator[Fact]:
    """Where the order stands, by its status."""
    status, order = said.body["status"], said.order()
    paid = status == "processing" and gmt(said.body.get("date_paid_gmt"))
    type = _BY_STATUS.get(status) or ("order.paid" if paid else "order.changed")
    yield Fact(type, order, said.changed)
    if status == "failed":
        failed = said.payment(order.order_id, said.body["total"], reason="failed")
        yield Fact("payment.failed", failed, said.changed)


def paid(said: Delivery) -> Iterator[Fact]:
    body = said.body
    yield Fact(
        "payment.captured",
        said.payment(body["id"], body["total"], reason=body.get("payment_method") or None),
        gmt(body["date_paid_gmt"]),
    )


def refunded(said: Delivery) -> Iterator[Fact]:
    """One refund; WooCommerce tells it below zero and without a time."""
    refund = said.body["refunds"][said.item.envelope["refund"]]
    amount = str(refund["total"]).removeprefix("-")
    reason = str(refund.get("reason") or "")[:500] or None
    yield Fact("payment.refunded", said.payment(refund["id"], amount, reason=reason), said.changed)


def _line(line: Mapping[str, Any], currency: str) -> p.Line:
    sku = line.get("sku") or line.get("variation_id") or line.get("product_id") or line["id"]
    title = line.get("name")
    return p.Line(
        sku=ident(sku),
        title=unescape(title) if title else None,
        quantity=line["quantity"],
        price=money(line["price"], currency),
        currency=currency,
    )


def _customer(body: Mapping[str, Any], host: str) -> p.Identity | None:
    """A customer of the shop; a guest is known by the address that was typed."""
    subject = body.get("customer_id") or str((body.get("billing") or {}).get("email", "")).lower()
    if not subject:
        return None
    return p.Identity(channel="woocommerce", scope=host, subject=ident(subject))


def _meta(body: Mapping[str, Any], key: str) -> Any:
    notes = each(body.get("meta_data"))
    return next((note.get("value") for note in notes if note.get("key") == key), None)


def _parcels(body: Mapping[str, Any]) -> Iterator[p.ParcelRef]:
    for one in each(_meta(body, _TRACKING) or None):
        by = one.get("tracking_provider") or one.get("custom_tracking_provider")
        tracking = number(one["tracking_number"])
        yield p.ParcelRef(carrier=slug(by), tracking_number=tracking)


def _address(address: Any) -> str | None:
    if not address:
        return None
    return ", ".join(str(address[key]) for key in _ADDRESS if address.get(key)) or None


def items(order: Mapping[str, Any], host: str, topic: str) -> Iterator[Item]:
    """What has an identity of its own: that it was placed, was paid, each refund, its state.

    Any later delivery tells the first three again, by the same ids: a shop sends nothing twice,
    and a block checkout is a draft when it is created.
    """
    told: dict[str, Any] = {"topic": topic}
    order_id = order["id"]
    if order["status"] in _DRAFTS:
        yield _item(order, host, (topic, order_id, order.get("date_modified_gmt")), told)
        return
    yield _item(order, host, ("placed", order_id), {**told, "says": "placed"})
    state = (topic, order_id, order.get("date_modified_gmt"))
    yield _item(order, host, state, {**told, "says": "state"})
    if order.get("date_paid_gmt"):
        yield _item(order, host, ("paid", order_id), {**told, "says": "paid"})
    for n, refund in enumerate(each(order.get("refunds"))):
        known = refund.get("id") if isinstance(refund, dict) else refund
        one = {**told, "says": "refund", "refund": n}
        yield _item(order, host, ("refund", order_id, known), one)


def _item(
    order: Mapping[str, Any], host: str, identity: tuple[Any, ...], told: Mapping[str, Any]
) -> Item:
    return Item(order, host, fingerprint(host, *identity), "woocommerce", told)


READERS = {
    "placed": placed,
    "state": now_is,
    "paid": paid,
    "refund": refunded,
}
