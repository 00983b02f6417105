"""What an event of Stripe's says about money: https://docs.stripe.com/api/events/types

The same money is told by its checkout session, its payment intent and its charge: all three bear
the intent's id, so that they are one payment. A refund and a dispute have an id of their own.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from chalicelib import payloads as p
from chalicelib.channels._payment import named, noted
from chalicelib.money import from_minor, money
from chalicelib.source import Fact, Item, NoWord, ident, when

_AS_IF_CENTS = {"ISK", "UGX"}
"""Without a minor unit, and still told in hundredths: docs.stripe.com/currencies#special-cases."""
_AS_IF_WHOLE = {"MGA"}
DISPUTE_OVER = {"won", "lost", "warning_closed", "prevented"}


def amount(value: Any, currency: str) -> Decimal:
    """Stripe's integer of minor units as an amount; ValueError for anything else."""
    if type(value) is not int:
        raise ValueError("not an amount")
    if currency in _AS_IF_CENTS:
        return money(Decimal(value).scaleb(-2), currency)
    return money(value, currency) if currency in _AS_IF_WHOLE else from_minor(value, currency)


def currency_of(thing: Mapping[str, Any]) -> str:
    return str.upper(thing["currency"])


def reference(value: Any) -> str | None:
    """An id, also of an object that was expanded in its place; None for nothing."""
    found = value.get("id") if isinstance(value, Mapping) else value
    return ident(found) if found else None


def payment_id(thing: Mapping[str, Any]) -> str:
    """The intent's where there is one: sessions, intents and charges name the same money."""
    if thing["object"] in ("charge", "checkout.session"):
        return reference(thing.get("payment_intent")) or ident(thing["id"])
    return ident(thing["id"])


def order_of(thing: Mapping[str, Any], account: str) -> p.OrderRef | None:
    """Of its metadata, its session's reference, or the metadata of its (expanded) charge."""
    shop = f"stripe:{account}"
    charge = thing.get("charge")
    told = noted(thing.get("metadata"), shop)
    if not told and "/" in str(thing.get("client_reference_id") or ""):  # else a cart, a person
        told = named(thing["client_reference_id"], shop)
    return told or (noted(charge.get("metadata"), shop) if isinstance(charge, Mapping) else None)


@dataclass(frozen=True)
class Told:
    """One event: the item, the object inside it, and the payment that they make."""

    item: Item
    thing: Mapping[str, Any]
    before: Mapping[str, Any]
    """Values of the attributes that changed, as they were."""
    at: datetime | None

    def fact(
        self, type: str, cents: Any, reason: Any = None, name: str | None = None, **more: Any
    ) -> Fact:
        currency = currency_of(self.thing)
        payment = p.Payment(
            **self.item.said,
            payment_id=name or payment_id(self.thing),
            provider="stripe",
            order=order_of(self.thing, self.item.account),
            amount=amount(cents, currency),
            currency=currency,
            reason=str(reason)[:500] if reason else None,
            **more,
        )
        return Fact(type, payment, self.at)


def _intent(type: str, cents: str, told: Told) -> Iterator[Fact]:
    thing = told.thing
    error = thing.get("last_payment_error") or {}
    why = error.get("decline_code") or error.get("code")
    if thing["status"] == "canceled":
        why = f"canceled: {thing.get('cancellation_reason') or 'without a reason'}"
    elif type == "payment.authorized":
        why = thing["status"]
    yield told.fact(type, thing[cents], why if type != "payment.captured" else None)


def _charge(type: str, told: Told) -> Iterator[Fact]:
    thing = told.thing
    if type == "payment.captured" and not thing["captured"]:
        type = "payment.authorized"
    taken = thing.get("amount_captured") if type == "payment.captured" else None
    why = (thing.get("outcome") or {}).get("reason") or thing.get("failure_code")
    why = why or ("expired" if type == "payment.failed" else None)
    cents = thing["amount"] if taken is None else taken
    yield told.fact(type, cents, why if type == "payment.failed" else None)


def _given_back(told: Told) -> Iterator[Fact]:
    """`charge.refunded` names the refund in older API versions only; else it is read again."""
    thing = told.thing
    listed = (thing.get("refunds") or {}).get("data") or []
    latest = max(listed, key=lambda refund: refund["created"], default=None)
    if latest:
        yield told.fact("payment.refunded", latest["amount"], latest.get("reason"), latest["id"])
        return
    more = thing["amount_refunded"] - (told.before.get("amount_refunded") or 0)
    yield told.fact("payment.refunded", more, None, ident(thing["id"]))


def _refund(told: Told) -> Iterator[Fact]:
    thing, status = told.thing, told.thing["status"]
    if status == "succeeded":
        yield told.fact("payment.refunded", thing["amount"], thing.get("reason"))
    elif status in ("failed", "canceled"):
        why = thing.get("failure_reason") or status
        yield told.fact("payment.failed", thing["amount"], f"refund: {why}")
    else:
        raise NoWord(f"stripe refund {str(status)[:100]}: no money has moved yet")


def _session(type: str, told: Told) -> Iterator[Fact]:
    thing = told.thing
    if thing.get("mode") == "setup" or thing.get("amount_total") is None:
        raise NoWord("stripe checkout.session without a payment")
    why = None
    if type == "payment.captured" and thing["payment_status"] == "unpaid":
        type, why = "payment.authorized", "unpaid"
    yield told.fact(type, thing["amount_total"], why)


def _dispute(told: Told) -> Iterator[Fact]:
    thing = told.thing
    over = thing["status"] in DISPUTE_OVER
    evidence = thing.get("evidence_details") or {}
    yield told.fact(
        "payment.dispute_closed" if over else "payment.disputed",
        thing["amount"],
        thing["status"] if over else thing.get("reason"),
        due_at=None if over else when(evidence.get("due_by")),
    )


READERS: Mapping[str, Callable[[Told], Iterator[Fact]]] = {
    "payment_intent.succeeded": partial(_intent, "payment.captured", "amount_received"),
    "payment_intent.amount_capturable_updated": partial(
        _intent, "payment.authorized", "amount_capturable"
    ),
    "payment_intent.processing": partial(_intent, "payment.authorized", "amount"),
    "payment_intent.payment_failed": partial(_intent, "payment.failed", "amount"),
    "payment_intent.canceled": partial(_intent, "payment.failed", "amount"),
    "charge.succeeded": partial(_charge, "payment.captured"),
    "charge.captured": partial(_charge, "payment.captured"),
    "charge.pending": partial(_charge, "payment.authorized"),
    "charge.failed": partial(_charge, "payment.failed"),
    "charge.expired": partial(_charge, "payment.failed"),
    "charge.refunded": _given_back,
    **dict.fromkeys(("refund.created", "refund.updated", "refund.failed"), _refund),
    "charge.refund.updated": _refund,
    "checkout.session.completed": partial(_session, "payment.captured"),
    "checkout.session.async_payment_succeeded": partial(_session, "payment.captured"),
    "checkout.session.async_payment_failed": partial(_session, "payment.failed"),
    **dict.fromkeys(
        [
            f"charge.dispute.{verb}"
            for verb in ("created", "updated", "closed", "funds_withdrawn", "funds_reinstated")
        ],
        _dispute,
    ),
}
"""Types that say something about money. An invoice's is said by its charge."""
