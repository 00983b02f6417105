"""Payments, refunds and disputes of Shopify: https://shopify.dev/docs/api/admin-rest"""

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.channels._shopify_delivery import Delivery, currency_of
from chalicelib.source import Fact, NoWord, each, when_iso

_MONEY = {
    ("authorization", "success"): "payment.authorized",
    ("sale", "success"): "payment.captured",
    ("capture", "success"): "payment.captured",
    ("refund", "success"): "payment.refunded",
    **{
        (kind, status): "payment.failed"
        for kind in ("authorization", "sale", "capture")
        for status in ("failure", "error")
    },
}
_CLOSED = {"accepted", "won", "lost", "charge_refunded"}


def money_type(transaction: Mapping[str, Any]) -> str | None:
    """The payment type of an order transaction, by its kind and status; None while it is open."""
    return _MONEY.get((transaction["kind"], transaction["status"]))


def dispute_type(dispute: Mapping[str, Any]) -> str:
    """`payment.disputed` until the bank decided."""
    return "payment.dispute_closed" if dispute["status"] in _CLOSED else "payment.disputed"


def refunded(said: Delivery) -> Iterator[Fact]:
    """Each transaction that gave money back; a refund without one only touches its order."""
    body, at = said.body, said.at("processed_at", "created_at")
    moves = [t for t in each(body.get("transactions")) if money_type(t) == "payment.refunded"]
    for move in moves:
        currency = move.get("currency") or currency_of(body)
        reason = str(body.get("note") or "")[:500] or None
        payment = said.payment(
            move["id"], body["order_id"], move["amount"], currency, reason=reason
        )
        yield Fact("payment.refunded", payment, at)
    if not moves:
        yield Fact("order.changed", said.touched(body["order_id"]), at)


def transaction(said: Delivery) -> Iterator[Fact]:
    body = said.body
    if not (type := money_type(body)):
        raise NoWord("shopify order_transactions without an outcome")
    reason = body.get("error_code") if type == "payment.failed" else None
    payment = said.payment(
        body["id"], body["order_id"], body["amount"], body["currency"], reason=reason
    )
    yield Fact(type, payment, said.at("processed_at", "created_at"))


def disputed(said: Delivery) -> Iterator[Fact]:
    body, type = said.body, dispute_type(said.body)
    closed = type == "payment.dispute_closed"
    payment = said.payment(
        body["id"],
        body.get("order_id"),
        body["amount"],
        body["currency"],
        reason=body["status"] if closed else body.get("reason"),
        due_at=when_iso(body.get("evidence_due_by")),
    )
    yield Fact(type, payment, said.at("finalized_on" if closed else "initiated_at"))
