"""What Stripe's API states about a payment that was claimed: https://docs.stripe.com/api"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chalicelib import payloads as p
from chalicelib.channels._stripe import DISPUTE_OVER, amount, currency_of, order_of, payment_id
from chalicelib.source import each

API = "https://api.stripe.com"
_RESOURCES = {
    "pi": "payment_intents/{id}",
    "ch": "charges/{id}",
    "py": "charges/{id}",
    "re": "refunds/{id}?expand[]=charge",
    "pyr": "refunds/{id}?expand[]=charge",
    "dp": "disputes/{id}?expand[]=charge",
    "du": "disputes/{id}?expand[]=charge",
    "cs": "checkout/sessions/{id}",
}


def resource(type: str, claim: p.Payment) -> str | None:
    """Path of what to ask for; None for an id that is none of Stripe's money."""
    prefix = claim.payment_id.partition("_")[0]
    if type == "payment.refunded" and prefix in ("ch", "py"):
        return f"/v1/refunds?charge={p.path(claim.payment_id)}&limit=100&expand[]=data.charge"
    if type == "payment.failed" and prefix == "pi" and not _cancelled(claim):
        return f"/v1/charges?payment_intent={p.path(claim.payment_id)}&limit=100"
    found = _RESOURCES.get(prefix)
    return f"/v1/{found}".replace("{id}", p.path(claim.payment_id)) if found else None


def stated(type: str, claim: p.Payment, said: Mapping[str, Any]) -> dict[str, Any] | None:
    """The fields of the payment as the API has them; None unless it states the same outcome."""
    for thing in _candidates(claim, said):
        cents = _STATED[type](thing)
        currency = currency_of(thing)
        if cents is not None and currency == claim.currency:
            return {
                "payment_id": payment_id(thing),
                "amount": amount(cents, currency),
                "currency": currency,
                "order": order_of(thing, claim.account) or claim.order,
            }
    return None


def _cancelled(claim: p.Payment) -> bool:
    return (claim.reason or "").startswith("canceled")


def _candidates(claim: p.Payment, said: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The thing itself; of a list of refunds the one that was claimed, of charges any."""
    if said.get("object") != "list":
        if payment_id(said) == claim.payment_id:
            yield said
        return
    for thing in each(said["data"]):
        same_sum = amount(thing["amount"], currency_of(thing)) == claim.amount
        if same_sum if thing["object"] == "refund" else payment_id(thing) == claim.payment_id:
            yield thing


def _captured(thing: Mapping[str, Any]) -> Any:
    match thing:
        case {"object": "payment_intent", "status": "succeeded", "amount_received": taken}:
            return taken
        case {"object": "charge", "status": "succeeded", "captured": True}:
            return thing.get("amount_captured", thing["amount"])
        case {"object": "checkout.session", "payment_status": "paid" | "no_payment_required"}:
            return thing["amount_total"]
    return None


def _authorized(thing: Mapping[str, Any]) -> Any:
    """Also when the money has been taken since: it had been authorised."""
    match thing:
        case {
            "object": "payment_intent",
            "status": "requires_capture" | "processing" | "succeeded" as status,
        }:
            return thing["amount_capturable" if status == "requires_capture" else "amount"]
        case {"object": "charge", "status": "succeeded" | "pending"}:
            return thing["amount"]
        case {"object": "checkout.session", "status": "complete"}:
            return thing["amount_total"]
    return None


def _failed(thing: Mapping[str, Any]) -> Any:
    match thing:
        case {"object": "payment_intent", "status": "canceled" | "requires_payment_method"}:
            return thing["amount"]
        case {"object": "charge", "status": "failed"}:
            return thing["amount"]
        case {"object": "charge", "captured": False, "refunded": True}:  # it was let go
            return thing["amount"]
        case {"object": "refund", "status": "failed" | "canceled"}:
            return thing["amount"]
        case {"object": "checkout.session", "payment_status": "unpaid"}:
            return thing["amount_total"]
    return None


def _refunded(thing: Mapping[str, Any]) -> Any:
    match thing:
        case {"object": "refund", "status": "succeeded"}:
            return thing["amount"]
    return None


def _disputed(thing: Mapping[str, Any]) -> Any:
    return thing["amount"] if thing["object"] == "dispute" else None


def _closed(thing: Mapping[str, Any]) -> Any:
    return _disputed(thing) if thing["status"] in DISPUTE_OVER else None


_STATED: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "payment.captured": _captured,
    "payment.authorized": _authorized,
    "payment.failed": _failed,
    "payment.refunded": _refunded,
    "payment.disputed": _disputed,
    "payment.dispute_closed": _closed,
}
