"""What each Shopify topic says in our words: https://shopify.dev/docs/api/webhooks"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Literal

from chalicelib import payloads as p
from chalicelib.channels._shopify_delivery import VOID, Delivery, numbers, parcels, urls
from chalicelib.channels._shopify_money import disputed, refunded, transaction
from chalicelib.slugs import number, slug
from chalicelib.source import Fact, NoWord, each, ident, when_iso

_MOVES = {
    "label_printed": "parcel.registered",
    "label_purchased": "parcel.registered",
    "confirmed": "parcel.registered",
    "carrier_picked_up": "parcel.handed_over",
    "in_transit": "parcel.in_transit",
    "delayed": "parcel.in_transit",
    "out_for_delivery": "parcel.out_for_delivery",
    "attempted_delivery": "parcel.attempt_failed",
    "ready_for_pickup": "parcel.available_for_pickup",
    "picked_up": "parcel.delivered",
    "delivered": "parcel.delivered",
    "failure": "parcel.exception",
}
_MOMENT = {"order.placed": "created_at", "order.cancelled": "cancelled_at"}


def _order(type: str, said: Delivery) -> Iterator[Fact]:
    yield Fact(type, said.order(), said.at(_MOMENT.get(type, "updated_at"), "updated_at"))


def _paid(said: Delivery) -> Iterator[Fact]:
    order, at = said.order(), said.at("updated_at")
    yield Fact("order.paid", order, at)
    claim = said.payment(order.order_id, order.order_id, order.total, said.body["currency"])
    yield Fact("payment.captured", claim, at)


def _edited(said: Delivery) -> Iterator[Fact]:
    edit = said.body["order_edit"]
    at = when_iso(edit.get("committed_at") or edit.get("created_at")) or said.triggered
    yield Fact("order.changed", said.touched(edit["order_id"]), at)


def _touched(type: str, said: Delivery) -> Iterator[Fact]:
    body = said.body
    order_id = body["order"]["id"] if body.get("order") else body["order_id"]
    yield Fact(type, said.touched(order_id), said.at("updated_at", "created_at"))


def _deleted(said: Delivery) -> Iterator[Fact]:
    yield Fact("order.changed", said.touched(said.body["id"]), said.triggered)


def _fulfillment(type: str, said: Delivery) -> Iterator[Fact]:
    body, at = said.body, said.at("updated_at", "created_at")
    order_id = body["order_id"]
    if body.get("status") in VOID:
        yield Fact("order.changed", said.touched(order_id), at)
        return
    refs = parcels([body])
    yield Fact(type, said.touched(order_id, parcels=refs), at)
    status = body.get("shipment_status")
    scan = p.Scan(at=at, code=status) if at and status in _MOVES else None
    links = {number(n): url for n, url in zip(numbers(body), urls(body), strict=False)}
    for ref in refs:
        url = links.get(ref.tracking_number)
        parcel = said.parcel(ref, order_id, tracking_url=url, scan=scan)
        yield Fact(_MOVES.get(str(status), "parcel.registered"), parcel, at)


def _fulfillment_event(said: Delivery) -> Iterator[Fact]:
    """Shopify names no tracking number here: the fulfilment stands in for its parcel."""
    body, at = said.body, said.at("happened_at", "created_at")
    if not (type := _MOVES.get(body["status"])):
        raise NoWord("shopify fulfillment_events of an unknown status")
    place = ", ".join(str(body[k]) for k in ("city", "province", "country") if body.get(k))
    code, text = body["status"], body.get("message")
    scan = p.Scan(at=at, place=place or None, code=code, text=text) if at else None
    ref = p.ParcelRef(carrier="shopify", tracking_number=number(body["fulfillment_id"]))
    eta = when_iso(body.get("estimated_delivery_at"))
    yield Fact(type, said.parcel(ref, body["order_id"], scan=scan, eta_until=eta), at)


def _returning(said: Delivery) -> Iterator[Fact]:
    tracking = said.body["shipping_deliverable"]["tracking"]
    carrier = slug(tracking.get("carrier_name"))
    ref = p.ParcelRef(carrier=carrier, tracking_number=number(tracking["tracking_number"]))
    parcel = said.parcel(ref, tracking_url=tracking.get("tracking_url"))
    yield Fact("parcel.registered", parcel, said.triggered)


def _erasure(
    scope: Literal["customer", "shop", "export"], orders: str, said: Delivery
) -> Iterator[Fact]:
    body = said.body
    asked = p.Erasure(
        **said.item.said,
        identity=said.customer(body["customer"]["id"]) if scope != "shop" else None,
        orders=tuple(ident(order) for order in each(body.get(orders))),
        scope=scope,
    )
    yield Fact("customer.erasure_requested", asked, said.triggered)


def _merged(said: Delivery) -> Iterator[Fact]:
    body = said.body
    if str(body["status"]).lower() != "completed":
        raise NoWord("shopify customers/merge that did not happen")
    kept, gone = (
        said.customer(body[f"admin_graphql_api_customer_{which}_id"].rpartition("/")[2])
        for which in ("kept", "deleted")
    )
    link = p.Link(**said.item.said, a=kept, b=gone, evidence="customers/merge")
    yield Fact("identity.linked", link, said.triggered)


def _consent(kind: str, said: Delivery) -> Iterator[Fact]:
    body, consent = said.body, said.body[f"{kind}_marketing_consent"]
    if consent["state"] not in ("unsubscribed", "redacted"):
        raise NoWord("shopify marketing consent that withdraws nothing")
    at = when_iso(consent.get("consent_updated_at")) or said.triggered
    withdrawn = p.Consent(
        **said.item.said,
        identity=said.customer(body.get("customer_id") or body["id"]),
        purpose="marketing",
        scope="purpose",
        source=f"shopify {kind}",
        at=at,
    )
    yield Fact("consent.withdrawn", withdrawn, at)


READERS: Mapping[str, Callable[[Delivery], Iterator[Fact]]] = {
    "orders/create": partial(_order, "order.placed"),
    "orders/updated": partial(_order, "order.changed"),
    "orders/partially_fulfilled": partial(_order, "order.changed"),
    "orders/fulfilled": partial(_order, "order.fulfilled"),
    "orders/cancelled": partial(_order, "order.cancelled"),
    "orders/paid": _paid,
    "orders/edited": _edited,
    "orders/delete": _deleted,
    "fulfillments/create": partial(_fulfillment, "order.fulfilled"),
    "fulfillments/update": partial(_fulfillment, "order.changed"),
    "fulfillment_events/create": _fulfillment_event,
    "reverse_deliveries/attach_deliverable": _returning,
    "refunds/create": refunded,
    "order_transactions/create": transaction,
    "disputes/create": disputed,
    "disputes/update": disputed,
    **{
        f"returns/{verb}": partial(_touched, "order.changed")
        for verb in ("request", "approve", "decline", "cancel", "update", "reopen")
    },
    "returns/process": partial(_touched, "order.returned"),
    "returns/close": partial(_touched, "order.returned"),
    "customers/redact": partial(_erasure, "customer", "orders_to_redact"),
    "customers/data_request": partial(_erasure, "export", "orders_requested"),
    "shop/redact": partial(_erasure, "shop", ""),
    "customers/merge": _merged,
    "customers_email_marketing_consent/update": partial(_consent, "email"),
    "customers_sms_marketing_consent/update": partial(_consent, "sms"),
}
"""Topics we have words for. A goods return is `order.returned` once processed, not when asked."""
