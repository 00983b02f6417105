"""What PayPal's API states about a payment that was claimed: https://developer.paypal.com/docs/api

Nothing of the claim but its id and the kind of its event is believed: a webhook's signature covers
a CRC of the body, and bodies with the same CRC are easily made.
"""

from collections.abc import Mapping
from typing import Any

from chalicelib import payloads as p
from chalicelib.channels._paypal import id_of, order_of, total_of
from chalicelib.errors import Unsupported
from chalicelib.jsons import read_json
from chalicelib.source import SHAPE_ERRORS

_PATHS = {  # (v1, v2)
    "capture": ("/v1/payments/capture/", "/v2/payments/captures/"),
    "sale": ("/v1/payments/sale/", "/v1/payments/sale/"),
    "authorization": ("/v1/payments/authorization/", "/v2/payments/authorizations/"),
    "refund": ("/v1/payments/refund/", "/v2/payments/refunds/"),
    "order": ("/v1/payments/orders/", "/v2/checkout/orders/"),
    "dispute": ("/v1/customer/disputes/", "/v1/customer/disputes/"),
}
_GOOD = {"COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"}
_STATED = {
    "payment.captured": _GOOD,
    "payment.authorized": {
        *_GOOD,
        *("CREATED", "PENDING", "APPROVED", "SAVED", "AUTHORIZED"),
        *("CAPTURED", "PARTIALLY_CAPTURED"),
    },
    "payment.failed": {"DENIED", "DECLINED", "FAILED", "VOIDED", "EXPIRED", "CANCELLED"},
    "payment.refunded": {"COMPLETED"},
    "payment.dispute_closed": {"RESOLVED"},
}
"""Statuses (v1: `state`) that bear a claim out; what was authorised may be taken by now."""


def path(type: str, claim: p.Payment) -> str:
    """Where the API keeps what was claimed; Unsupported where the event is not at hand."""
    try:
        event = read_json((claim.raw or "").encode())
        kind, second = str(event["event_type"]), event.get("resource_version") == "2.0"
    except SHAPE_ERRORS as error:
        raise Unsupported("a payment without its event cannot be read again") from error
    what = _what(type, kind)
    second = second or kind.startswith(("CHECKOUT.", "INVOICING."))
    return _PATHS[what][second] + p.path(claim.payment_id)


def _what(type: str, kind: str) -> str:
    if type.startswith("payment.dispute"):
        return "dispute"
    if type == "payment.refunded" or kind.startswith("PAYMENT.REFUND."):
        return "refund"
    if type == "payment.captured" and not kind.startswith("PAYMENT."):
        return "capture"
    if kind.startswith("CHECKOUT."):
        return "order"
    return kind.split(".")[1].lower()


def stated(type: str, claim: p.Payment, said: Mapping[str, Any]) -> dict[str, Any] | None:
    """The fields of the payment as the API has them; None unless it states the same outcome."""
    status = str(said.get("status") or said.get("state")).upper()
    if id_of(said) != claim.payment_id or status not in _STATED.get(type, {status}):
        return None
    amount, currency = total_of(said)
    return {"amount": amount, "currency": currency, "order": order_of(said, claim.account)}
