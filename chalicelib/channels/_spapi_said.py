"""What each SP-API notification says: https://developer-docs.amazon.com/sp-api/docs/notification-type-values

Orders carry no customer and no prices (those are asked for with the order), so lines stay out.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib import payloads as p
from chalicelib.slugs import number, slug
from chalicelib.source import Fact, Item, NoWord, each, ident, when, when_iso

_AMAZON = "Amazon Logistics"
_STATES = {  # upper-case: older notifications write them so
    "UPCOMINGORDER": ("order.placed",),
    "PENDINGAVAILABILITY": ("order.placed",),
    "PENDING": ("order.placed",),
    "UNSHIPPED": ("order.placed", "order.paid"),  # Amazon has taken the money
    "SHIPPING": ("order.placed", "order.paid"),  # the same, in MFN_ORDER_STATUS_CHANGE
    "SHIPPED": ("order.fulfilled",),
    "CANCELED": ("order.cancelled",),
}
_MILESTONES = {
    "ORDER_PREPARING": "parcel.registered",
    "CARRIER_ASSIGNED": "parcel.registered",
    "SHIPPED": "parcel.in_transit",
    "IN_TRANSIT": "parcel.in_transit",
    "OUT_FOR_DELIVERY": "parcel.out_for_delivery",
    "AVAILABLE_FOR_PICKUP": "parcel.available_for_pickup",
    "DELIVERY_ATTEMPTED": "parcel.attempt_failed",
    "DELIVERED": "parcel.delivered",
    "DELAYED": "parcel.in_transit",
    "LOST": "parcel.exception",
    "DAMAGED": "parcel.exception",
    "UNDELIVERABLE": "parcel.exception",
    "RETURNED": "parcel.returned",
}


@dataclass(frozen=True)
class Notice:
    """One notification; `said` is what its payload holds, keys in camel case."""

    item: Item
    said: Mapping[str, Any]
    at: datetime | None

    @property
    def shop(self) -> str:
        return f"amazon:{ident(self.said['sellerId'])}"

    def order(self, order_id: Any, **more: Any) -> p.Order:
        """What is known of the order: Amazon's id is also the number that its customer sees."""
        known = ident(order_id)
        return p.Order(**self.item.said, shop=self.shop, order_id=known, order_number=known, **more)

    def parcel(self, carrier: Any, known: Any, **more: Any) -> p.Parcel:
        name, tracking = slug(carrier), number(known)
        return p.Parcel(**self.item.said, carrier=name, tracking_number=tracking, **more)

    def ref(self, order_id: Any) -> tuple[p.OrderRef, ...]:
        return (p.OrderRef(shop=self.shop, order_id=ident(order_id)),)


def _order_change(notice: Notice) -> Iterator[Fact]:
    said, summary = notice.said, notice.said.get("summary") or {}
    trigger = said.get("orderChangeTrigger") or {}
    placed, note = when_iso(summary.get("purchaseDate")), trigger.get("changeReason")
    order = notice.order(said["amazonOrderId"], placed_at=placed, note=note)
    wanted = said.get("orderChangeType") == "BuyerRequestedChange"
    types = ("order.changed",) if wanted else _types(summary.get("orderStatus"))
    yield from (Fact(type, order, notice.at) for type in types)


def _order_status(notice: Notice) -> Iterator[Fact]:
    said = notice.said
    order = notice.order(said["amazonOrderId"], placed_at=when(said.get("purchaseDate")))
    yield from (Fact(type, order, notice.at) for type in _types(said["orderStatus"]))


def _types(status: Any) -> tuple[str, ...]:
    return _STATES.get(str(status).upper(), ("order.changed",))


def _milestone(notice: Notice) -> Iterator[Fact]:
    detail = notice.said["trackingDetail"]
    latest = detail["latestMilestone"]
    code = latest["status"]["code"]
    if not (type := _MILESTONES.get(code)):
        raise NoWord(f"amazon_spapi milestone {str(code)[:100]}")
    at = when_iso(latest.get("occurredAt")) or notice.at
    eta = _estimate(detail)
    parcel = notice.parcel(
        _AMAZON,
        detail["identifier"]["aftn"],
        tracking_url=detail.get("trackingUrl"),
        eta_from=when_iso(eta.get("startTime")),
        eta_until=when_iso(eta.get("endTime")),
        scan=_scan(latest, at),
    )
    yield Fact(type, parcel, at)


def _estimate(detail: Mapping[str, Any]) -> Mapping[str, Any]:
    told = each(detail.get("trackingEstimates"))
    dates = (one for one in told if one.get("type") == "ESTIMATED_DELIVERY_DATE")
    return next((one.get("estimatedInterval") or {} for one in dates), {})


def _scan(milestone: Mapping[str, Any], at: datetime | None) -> p.Scan | None:
    if not at:
        return None
    status, where = milestone["status"], (milestone.get("location") or {}).get("address") or {}
    place = ", ".join(where[k] for k in ("city", "region", "countryCode") if where.get(k))
    code, text = status.get("subCode") or status["code"], status.get("description")
    return p.Scan(at=at, place=place or None, code=code, text=text)


def _fba_shipment(notice: Notice) -> Iterator[Fact]:
    """Amazon made a shipment of the order, or gave it up: then the order changed, no parcel did."""
    said = notice.said
    if str(said["shipmentStatus"]).lower().startswith("cancel"):
        yield Fact("order.changed", notice.order(said["amazonOrderId"]), notice.at)
        return
    orders = notice.ref(said["amazonOrderId"])
    parcel = notice.parcel(_AMAZON, said["amazonShipmentId"], orders=orders)
    yield Fact("parcel.registered", parcel, notice.at)


def _fulfillment(notice: Notice) -> Iterator[Fact]:
    """Multi-channel fulfilment: the seller's own order, shipped by Amazon."""
    said, shipment = notice.said, notice.said.get("fulfillmentShipment") or {}
    order_id = said["sellerFulfillmentOrderId"]
    at = when_iso(said.get("statusUpdatedDateTime")) or notice.at
    shipped = shipment.get("fulfillmentShipmentStatus") == "SHIPPED"
    parcels = list(_packages(notice, shipment, notice.ref(order_id)))
    refs = tuple(
        p.ParcelRef(carrier=one.carrier, tracking_number=one.tracking_number) for one in parcels
    )
    yield Fact(_course(said, shipped), notice.order(order_id, parcels=refs), at)
    moved = "parcel.handed_over" if shipped else "parcel.registered"
    yield from (Fact(moved, parcel, at) for parcel in parcels)


def _course(said: Mapping[str, Any], shipped: bool) -> str:
    if str(said.get("eventType")).upper() == "RETURN":
        return "order.returned"
    if said.get("fulfillmentOrderStatus") == "CANCELLED":
        return "order.cancelled"
    return "order.fulfilled" if shipped else "order.changed"


def _packages(
    notice: Notice, shipment: Mapping[str, Any], orders: tuple[p.OrderRef, ...]
) -> Iterator[p.Parcel]:
    eta = when_iso(shipment.get("estimatedArrivalDateTime"))
    for package in each(shipment.get("fulfillmentShipmentPackages")):
        code = str(package.get("carrierCode") or "")
        carrier = _AMAZON if code.upper().startswith("AMZN") else code
        if package.get("trackingNumber"):
            yield notice.parcel(carrier, package["trackingNumber"], orders=orders, eta_until=eta)


def _settlement(notice: Notice) -> Iterator[Fact]:
    raise NoWord("amazon_spapi TRANSACTION_UPDATE: Amazon settles with the seller, net of fees")


READERS: Mapping[str, Callable[[Notice], Iterator[Fact]]] = {
    "ORDER_CHANGE": _order_change,
    "ORDER_STATUS_CHANGE": _order_status,
    "MFN_ORDER_STATUS_CHANGE": _order_status,
    "SHIPMENT_TRACKING_MILESTONE_CHANGED": _milestone,
    "SHIPMENT_TRACKING_MILESTONE": _milestone,
    "FBA_OUTBOUND_SHIPMENT_STATUS": _fba_shipment,
    "FULFILLMENT_ORDER_STATUS": _fulfillment,
    "TRANSACTION_UPDATE": _settlement,
}
