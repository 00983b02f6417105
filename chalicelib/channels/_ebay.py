"""What a notification of eBay's says, by topic.

https://developer.ebay.com/develop/guides-v2/notifications. Few topics tell amounts or buyers:
an order is its number until somebody asks for it.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from chalicelib import payloads as p
from chalicelib.money import money
from chalicelib.slugs import number, slug
from chalicelib.source import Fact, Item, NoWord, each, ident, when_iso

MEMBERS = "members"
"""Scope of a person: a name is eBay's, not one seller's, and is erased for all of them."""
_CANCELLED = {
    f"CANCEL_CLOSED_{how}"
    for how in ("WITH_REFUND", "NO_REFUND", "FOR_COMMITMENT", "UNKNOWN_REFUND")
}
_RETURNED = {"ITEM_DELIVERED", "CLOSED", "RETURN_CLOSED"}
_MEDIA = {"IMAGE": "image", "VIDEO": "video", "AUDIO": "audio"}
_MOOD = {"POSITIVE": True, "NEGATIVE": False}


def is_over(told: Mapping[str, Any]) -> bool:
    """Whether an inquiry has been closed, in the notification's words or in the API's."""
    return any(str(told.get(k)).upper().startswith("CLOSED") for k in ("status", "state"))


def claim_of(told: Mapping[str, Any]) -> tuple[Decimal, str] | None:
    """(amount, currency) of an inquiry, where it is told."""
    if not (found := told.get("claimAmount")):
        return None
    currency = ident(found["currency"])
    return money(found["value"], currency), currency


class Told:
    """One notification, and the payloads that it gives."""

    def __init__(self, item: Item) -> None:
        note = item.value["notification"]
        self.item: Item = item
        self.data: Mapping[str, Any] = note["data"]
        self.at: datetime | None = when_iso(note.get("eventDate"))
        self.shop = f"ebay:{item.account}"

    def first(self, *keys: str) -> Any:
        """The first that is told of several names for one thing."""
        return next((self.data[key] for key in keys if self.data.get(key)), None)

    @property
    def order_id(self) -> str:
        return ident((self.data.get("order") or {}).get("orderId") or self._flat_order)

    @property
    def _flat_order(self) -> Any:
        return self.first("orderId", "legacyOrderId")

    def order(self, **more: Any) -> p.Order:
        return p.Order(**self.item.said, shop=self.shop, order_id=self.order_id, **more)


def member(name: Any, *aliases: str) -> p.Identity:
    return p.Identity(channel="ebay", scope=MEMBERS, subject=ident(name), aliases=aliases)


def _confirmed(told: Told) -> Iterator[Fact]:
    """A buyer has bought and paid."""
    yield Fact("order.placed", told.order(placed_at=told.at), told.at)
    yield Fact("order.paid", told.order(placed_at=told.at), told.at)


def _shipped(told: Told) -> Iterator[Fact]:
    if not (tracking := told.first("trackingNumber", "shipmentTrackingNumber")):
        yield Fact("order.fulfilled", told.order(), told.at)
        return
    by = slug(told.first("shippingCarrier", "shippingCarrierCode"))
    ref = p.ParcelRef(carrier=by, tracking_number=number(tracking))
    yield Fact("order.fulfilled", told.order(parcels=(ref,)), told.at)
    orders = (p.OrderRef(shop=told.shop, order_id=told.order_id),)
    yield Fact("parcel.registered", p.Parcel(**told.item.said, **dict(ref), orders=orders), told.at)


def _activity(type: str, ends: set[str], told: Told) -> Iterator[Fact]:
    """A cancellation or a return: asked for first, and done when its state says so."""
    states = [str(told.data.get(key)) for key in ("status", "state", "cancelStatus", "returnState")]
    yield Fact(type if ends & set(states) else "order.changed", told.order(), told.at)


def _inquiry(told: Told) -> Iterator[Fact]:
    """An item that did not come: money is disputed, where the amount is told."""
    if not (claimed := claim_of(told.data)):
        yield Fact("order.changed", told.order(note="item not received"), told.at)
        return
    payment = p.Payment(
        **told.item.said,
        payment_id=ident(told.data["inquiryId"]),
        provider="ebay",
        order=p.OrderRef(shop=told.shop, order_id=told.order_id) if told._flat_order else None,
        amount=claimed[0],
        currency=claimed[1],
        reason="item not received",
        due_at=when_iso(told.first("sellerMakeItRightByDate", "respondByDate")),
    )
    over = is_over(told.data)
    yield Fact("payment.dispute_closed" if over else "payment.disputed", payment, told.at)


def _message(told: Told) -> Iterator[Fact]:
    data, account = told.data, told.item.account
    sender = told.first("senderUserName", "buyerUserName")
    ours, system = sender == account, data.get("conversationType") == "FROM_EBAY"
    kind: Any = "system" if system else "business" if ours else "customer"
    thread = told.first("conversationId", "listingId", "messageId", "questionId")
    message = p.Message(
        **told.item.said,
        message_id=ident(told.first("messageId", "questionId")),
        conversation_id="/".join(("ebay", account, ident(thread))),
        direction="out" if ours else "in",
        author=p.Author(kind=kind, identity=member(sender) if kind == "customer" else None),
        to=member(data["recipientUserName"]) if ours else None,
        content=tuple(_parts(told)),
    )
    sent = when_iso(data.get("createdDate")) or told.at
    yield Fact("message.echoed" if ours else "message.received", message, sent)


def _parts(told: Told) -> Iterator[p.Part]:
    if text := told.first("messageBody", "question", "questionText"):
        yield p.Text(text=text)
    for one in each(told.data.get("messageMedia")):
        kind: Any = _MEDIA.get(str(one.get("mediaType")).upper(), "file")
        yield p.Media(media=kind, url=one.get("mediaUrl"), name=one.get("mediaName"))


def _feedback(told: Told) -> Iterator[Fact]:
    """A public word about us."""
    about = ident(told.first("feedbackId", "orderLineItemId", "orderId"))
    who = told.first("commentingUserName", "senderUserName", "buyerUserName")
    mood = str(told.first("commentType", "feedbackType", "rating")).upper()
    text = told.first("commentText", "comment", "feedbackText")
    message = p.Message(
        **told.item.said,
        message_id=about,
        conversation_id="/".join(("ebay", told.item.account, about)),
        visibility="public",
        author=p.Author(kind="customer", identity=member(who) if who else None),
        content=(p.Text(text=text),) if text else (),
        public=p.PublicPost(post_id=about),
        rating=p.Rating(recommended=_MOOD.get(mood)),
    )
    yield Fact("review.created", message, told.at)


def _deleted(told: Told) -> Iterator[Fact]:
    """A member has left eBay: what we know of them goes. Names and ids both name them."""
    names = [ident(name) for key in ("username", "userId") if (name := told.data.get(key))]
    if not names:
        raise NoWord("ebay MARKETPLACE_ACCOUNT_DELETION of nobody")
    asked = p.Erasure(**told.item.said, identity=member(*names))
    yield Fact("customer.erasure_requested", asked, told.at)


READERS: Mapping[str, Callable[[Told], Iterator[Fact]]] = {
    "ORDER_CONFIRMATION": _confirmed,
    "ITEM_MARKED_SHIPPED": _shipped,
    "ORDER_CANCELLATION_ACTIVITY": partial(_activity, "order.cancelled", _CANCELLED),
    "ORDER_RETURN_ACTIVITY": partial(_activity, "order.returned", _RETURNED),
    "ORDER_INQUIRY_ACTIVITY": _inquiry,
    "NEW_MESSAGE": _message,
    "BUYER_QUESTION": _message,
    "FEEDBACK_RECEIVED": _feedback,
    "MARKETPLACE_ACCOUNT_DELETION": _deleted,
}
