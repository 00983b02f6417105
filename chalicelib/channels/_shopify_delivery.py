"""A Shopify delivery, and the payloads its body gives: https://shopify.dev/docs/api/webhooks"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from chalicelib import payloads as p
from chalicelib.events import iso
from chalicelib.money import money
from chalicelib.slugs import number, slug
from chalicelib.source import Item, each, ident, when_iso

VOID = {"cancelled", "error", "failure"}
"""States of a fulfilment that sends nothing."""
_ADDRESS = ("name", "address1", "address2", "city", "province", "zip", "country")


class Delivery:
    """One delivery: its body, its shop, and the payloads both give."""

    def __init__(self, item: Item) -> None:
        self.item: Item = item
        self.body: Mapping[str, Any] = item.value
        self.shop = f"shopify:{item.account}"
        self.triggered = when_iso(item.envelope.get("triggered_at"))

    def at(self, *fields: str) -> datetime | None:
        """The first of the body's own times that is one, else when Shopify sent it."""
        times = (when_iso(self.body.get(field)) for field in fields)
        return next((at for at in times if at), self.triggered)

    def ref(self, order_id: Any) -> p.OrderRef:
        return p.OrderRef(shop=self.shop, order_id=ident(order_id))

    def customer(self, customer_id: Any) -> p.Identity:
        subject = ident(customer_id)
        return p.Identity(channel="shopify", scope=self.item.account, subject=subject)

    def touched(self, order_id: Any, **more: Any) -> p.Order:
        """An order of which only the id was said."""
        return p.Order(**self.item.said, shop=self.shop, order_id=ident(order_id), **more)

    def order(self) -> p.Order:
        body, currency = self.body, self.body["currency"]
        return self.touched(
            body["id"],
            order_number=body.get("name"),
            lines=tuple(_line(line, currency) for line in each(body.get("line_items"))),
            total=money(body["total_price"], currency),
            currency=currency,
            customer=self.customer(body["customer"]["id"]) if body.get("customer") else None,
            request=_noted(body, "parley_request"),
            parcels=parcels(each(body.get("fulfillments"))),
            placed_at=when_iso(body.get("processed_at") or body.get("created_at")),
            ship_to=_address(body.get("shipping_address")),
            note=body.get("note"),
            version=_version(body.get("updated_at")),
            lang=body.get("customer_locale"),
        )

    def payment(
        self, payment_id: Any, order_id: Any, amount: Any, currency: str, **more: Any
    ) -> p.Payment:
        return p.Payment(
            **self.item.said,
            payment_id=ident(payment_id),
            provider="shopify",
            order=self.ref(order_id) if order_id is not None else None,
            amount=money(amount, currency),
            currency=currency,
            **more,
        )

    def parcel(self, ref: p.ParcelRef, order_id: Any = None, **more: Any) -> p.Parcel:
        orders = (self.ref(order_id),) if order_id is not None else ()
        return p.Parcel(**self.item.said, **dict(ref), orders=orders, **more)


def _line(line: Mapping[str, Any], currency: str) -> p.Line:
    sku = line.get("sku") or line.get("variant_id") or line["id"]
    return p.Line(
        sku=ident(sku),
        title=line.get("title"),
        quantity=line["quantity"],
        price=money(line["price"], currency),
        currency=currency,
    )


def parcels(fulfillments: Iterable[Mapping[str, Any]]) -> tuple[p.ParcelRef, ...]:
    """Every parcel that these fulfilments put on the way, each once."""
    going = [one for one in fulfillments if one.get("status") not in VOID]
    found = [(slug(one.get("tracking_company")), n) for one in going for n in numbers(one)]
    refs = (p.ParcelRef(carrier=by, tracking_number=number(text)) for by, text in found)
    return tuple(dict.fromkeys(refs))


def numbers(fulfillment: Mapping[str, Any]) -> list[Any]:
    """Its tracking numbers as they were typed."""
    found = fulfillment.get("tracking_numbers") or [fulfillment.get("tracking_number")]
    return [text for text in each(found) if text]


def urls(fulfillment: Mapping[str, Any]) -> list[Any]:
    """Its tracking pages, in the order of its numbers."""
    return list(each(fulfillment.get("tracking_urls") or fulfillment.get("tracking_url")))


def _noted(body: Mapping[str, Any], name: str) -> Any:
    notes = each(body.get("note_attributes"))
    return next((note.get("value") for note in notes if note.get("name") == name), None)


def _address(address: Any) -> str | None:
    if not address:
        return None
    return ", ".join(str(address[key]) for key in _ADDRESS if address.get(key)) or None


def _version(updated_at: Any) -> str | None:
    """In UTC at one width: shops change their offset twice a year, and versions compare as text."""
    at = when_iso(updated_at)
    return iso(at) if at else None


def currency_of(refund: Mapping[str, Any]) -> str:
    """The shop's, for a refund whose transactions name none (Shopify's own example)."""
    sets = [refund.get("total_duties_set")]
    sets += [line.get("subtotal_set") for line in each(refund.get("refund_line_items"))]
    if not (found := [s["shop_money"]["currency_code"] for s in sets if s]):
        raise ValueError("no currency")
    return str(found[0])
