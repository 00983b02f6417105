"""What an event of PayPal's says: https://developer.paypal.com/api/rest/webhooks/event-names/

v1 resources tell amounts as `{total, currency}`, v2 ones as `{value, currency_code}`; a v1 refund
may be below zero.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from chalicelib import payloads as p
from chalicelib.channels._payment import named
from chalicelib.money import money
from chalicelib.source import Fact, Item, NoWord, each, ident, when_iso

Sum = tuple[Decimal, str]
_REFERENCES = ("custom_id", "custom", "invoice_id", "invoice_number")


def amount_of(told: Mapping[str, Any]) -> Sum:
    """(amount, currency) of either generation, never negative."""
    currency = ident(told.get("currency_code") or told["currency"])
    value = told["total"] if "total" in told else told["value"]
    return money(ident(value).removeprefix("-"), currency), currency


def total_of(resource: Mapping[str, Any]) -> Sum:
    """Of an order, of a dispute or of anything with an `amount`."""
    if units := resource.get("purchase_units"):
        sums = [amount_of(unit["amount"]) for unit in each(units)]
        if any(currency != sums[0][1] for _, currency in sums):
            raise ValueError("two currencies")
        return sum((amount for amount, _ in sums), Decimal()), sums[0][1]
    return amount_of(resource.get("dispute_amount") or resource["amount"])


def order_of(resource: Mapping[str, Any], account: str) -> p.OrderRef | None:
    """What we called the order: `<shop>/<order>` in `custom_id`, else the invoice's number."""
    units = each(resource.get("purchase_units") or resource.get("disputed_transactions"))
    about = [resource, *units]
    told = [one[key] for one in about for key in _REFERENCES if one.get(key)]
    whole = next((text for text in told if "/" in str(text)), None)
    invoice = next((one[k] for one in about for k in _REFERENCES[2:] if one.get(k)), None)
    return named(whole or invoice or next(iter(told), None), f"paypal:{account}")


def id_of(resource: Mapping[str, Any]) -> str:
    return ident(resource.get("dispute_id") or resource.get("id") or resource["order_id"])


class Told:
    """One event, and the payment that it makes."""

    def __init__(self, item: Item) -> None:
        self.item: Item = item
        self.resource: Mapping[str, Any] = item.value["resource"]
        self.kind: str = item.value["event_type"]

    @property
    def at(self) -> datetime | None:
        return when_iso(self.item.value.get("create_time"))

    def payment(self, payment_id: Any, total: Sum, reason: Any = None, **more: Any) -> p.Payment:
        return p.Payment(
            **self.item.said,
            payment_id=ident(payment_id),
            provider="paypal",
            order=order_of(self.resource, self.item.account),
            amount=total[0],
            currency=total[1],
            reason=str(reason)[:500] if reason else None,
            **more,
        )


def _moved(type: str, told: Told) -> Iterator[Fact]:
    resource = told.resource
    created = when_iso(resource.get("create_time")) if type != "payment.refunded" else None
    why = _why(type, told)
    yield Fact(type, told.payment(id_of(resource), total_of(resource), why), created or told.at)


def _why(type: str, told: Told) -> Any:
    resource, last = told.resource, told.kind.rpartition(".")[2].lower()
    if type == "payment.refunded":
        return "reversed" if last == "reversed" else resource.get("note_to_payer")
    details = (resource.get("status_details") or {}).get("reason") or resource.get("reason_code")
    return None if type == "payment.captured" else details or last


def _completed(told: Told) -> Iterator[Fact]:
    """A completed order names its captures, each by its own id."""
    units = each(told.resource.get("purchase_units"))
    payments = [unit.get("payments") or {} for unit in units]
    captures = [one for found in payments for one in each(found.get("captures"))]
    done = [one for one in captures if one["status"] == "COMPLETED"]
    for one in done:
        taken = told.payment(one["id"], amount_of(one["amount"]))
        yield Fact("payment.captured", taken, when_iso(one.get("create_time")) or told.at)
    if not done:
        yield from _moved("payment.authorized", told)


def _withdrawn(told: Told) -> Iterator[Fact]:
    """An approval that nobody captured in time; it seldom names an amount."""
    units = each(told.resource.get("purchase_units"))
    if not all(unit.get("amount") for unit in units):
        raise NoWord("paypal CHECKOUT.PAYMENT-APPROVAL.REVERSED without an amount")
    yield from _moved("payment.failed", told)


def _invoice(type: str, moves: str, sums: str, told: Told) -> Iterator[Fact]:
    """Each transaction of an invoice that went through PayPal."""
    bill = told.resource.get("invoice") or told.resource
    listed = bill.get(moves) or []
    if isinstance(listed, Mapping):  # v2 wraps them
        listed = listed.get("transactions")
    whole = (bill.get(sums) or {}).get("paypal") or {}
    for one in each(listed):
        if name := one.get("transaction_id") or one.get("payment_id") or one.get("refund_id"):
            yield Fact(type, told.payment(name, amount_of(one.get("amount") or whole)), told.at)


def _disputed(told: Told) -> Iterator[Fact]:
    resource = told.resource
    if "message" in told.item.envelope:
        yield _message(told, resource["messages"][told.item.envelope["message"]])
        return
    over = resource.get("status") == "RESOLVED" or told.kind.endswith(".RESOLVED")
    end = (resource.get("dispute_outcome") or {}).get("outcome_code") or "RESOLVED"
    payment = told.payment(
        id_of(resource),
        total_of(resource),
        end if over else resource.get("reason"),
        due_at=None if over else when_iso(resource.get("seller_response_due_date")),
    )
    yield Fact("payment.dispute_closed" if over else "payment.disputed", payment, told.at)


def _message(told: Told, said: Mapping[str, Any]) -> Fact:
    """A buyer's words in a dispute, who is known by the dispute alone."""
    account, dispute = told.item.account, id_of(told.resource)
    buyer = p.Identity(channel="paypal", scope=account, subject=dispute)
    message = p.Message(
        **told.item.said,
        message_id=told.item.id,
        conversation_id=f"paypal/{account}/{dispute}",
        author=p.Author(kind="customer", identity=buyer),
        content=(p.Text(text=said["content"]),),
    )
    return Fact("message.received", message, when_iso(said.get("time_posted")))


_STEPS = {
    "COMPLETED": "payment.captured",
    "PENDING": "payment.authorized",
    "DENIED": "payment.failed",
    "DECLINED": "payment.failed",
    "REFUNDED": "payment.refunded",
    "REVERSED": "payment.refunded",
}
_MOVES = {
    **{f"PAYMENT.CAPTURE.{step}": type for step, type in _STEPS.items()},
    **{f"PAYMENT.SALE.{step}": type for step, type in _STEPS.items()},
    "PAYMENT.AUTHORIZATION.CREATED": "payment.authorized",
    "PAYMENT.AUTHORIZATION.VOIDED": "payment.failed",
    "PAYMENT.ORDER.CREATED": "payment.authorized",
    "PAYMENT.ORDER.CANCELLED": "payment.failed",
    "PAYMENT.REFUND.COMPLETED": "payment.refunded",
    "PAYMENT.REFUND.FAILED": "payment.failed",
    "CHECKOUT.ORDER.APPROVED": "payment.authorized",
    "CHECKOUT.ORDER.PROCESSED": "payment.authorized",
    "CHECKOUT.ORDER.VOIDED": "payment.failed",
}
READERS: Mapping[str, Callable[[Told], Iterator[Fact]]] = {
    **{kind: partial(_moved, type) for kind, type in _MOVES.items()},
    "CHECKOUT.ORDER.COMPLETED": _completed,
    "CHECKOUT.PAYMENT-APPROVAL.REVERSED": _withdrawn,
    "INVOICING.INVOICE.PAID": partial(_invoice, "payment.captured", "payments", "paid_amount"),
    "INVOICING.INVOICE.REFUNDED": partial(
        _invoice, "payment.refunded", "refunds", "refunded_amount"
    ),
    **dict.fromkeys(
        (
            "CUSTOMER.DISPUTE.CREATED CUSTOMER.DISPUTE.UPDATED CUSTOMER.DISPUTE.RESOLVED"
            " RISK.DISPUTE.CREATED"
        ).split(),
        _disputed,
    ),
}
