"""What WeChat Pay says, sealed and opened: https://pay.weixin.qq.com/doc/v3/merchant/4012791861

A notification's `resource` is AES-256-GCM under the merchant's APIv3 key. Amounts are integers of
the minor unit (fen).
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chalicelib import payloads as p
from chalicelib.channels._payment import named
from chalicelib.jsons import read_json, text_of
from chalicelib.money import from_minor
from chalicelib.source import SHAPE_ERRORS, Fact, Item, each, ident, when_iso


def unseal(resource: Mapping[str, Any], api_v3_key: str) -> Any:
    """What is in a `resource`; None for what this key did not seal."""
    try:
        told = b64decode(resource["ciphertext"], validate=True)
        beside = (resource.get("associated_data") or "").encode()
        plain = AESGCM(api_v3_key.encode()).decrypt(resource["nonce"].encode(), told, beside)
        return read_json(plain)
    except (InvalidTag, *SHAPE_ERRORS):
        return None


def seal(resource: Any, kind: str, api_v3_key: str) -> dict[str, Any]:
    """A `resource` as WeChat Pay seals it; tests and `parley replay` only."""
    plain = text_of(resource).encode()
    nonce = sha256(plain).hexdigest()[:12]
    told = AESGCM(api_v3_key.encode()).encrypt(
        nonce.encode(), plain, kind.encode("utf-8", "surrogatepass")
    )
    return {
        "original_type": kind,
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": b64encode(told).decode(),
        "associated_data": kind,
        "nonce": nonce,
    }


class Told:
    """One notification, opened, and the payment that it makes."""

    def __init__(self, item: Item) -> None:
        self.item: Item = item
        self.resource: Mapping[str, Any] = item.value["resource"]
        self.created = when_iso(item.value.get("create_time"))

    def fact(
        self, type: str, payment_id: Any, minor: Any, at: Any, reason: str | None = None
    ) -> Fact:
        resource, merchant = self.resource, f"wechatpay:{self.item.account}"
        currency = currency_of(resource)
        payment = p.Payment(
            **self.item.said,
            payment_id=ident(payment_id),
            provider="wechatpay",
            order=order_of(resource, merchant),
            amount=whole(minor, currency),
            currency=currency,
            reason=reason,
        )
        return Fact(type, payment, when_iso(at) or self.created)


def order_of(resource: Mapping[str, Any], merchant: str) -> p.OrderRef | None:
    """`attach` where it is `<shop>/<order>`, else the merchant's own number."""
    attach = resource.get("attach")
    told = attach if "/" in str(attach) else None
    return named(told or resource.get("out_trade_no") or resource.get("out_order_no"), merchant)


def currency_of(resource: Mapping[str, Any]) -> str:
    amount = resource.get("amount")
    return ident((amount or {}).get("currency") or "CNY")


def whole(minor: Any, currency: str) -> Any:
    """An integer of minor units as an amount; ValueError for anything else."""
    if type(minor) is not int:
        raise ValueError("not an amount")
    return from_minor(minor, currency)


def _transaction(told: Told) -> Iterator[Fact]:
    resource = told.resource
    state, total = resource["trade_state"], resource["amount"]["total"]
    done = state == "SUCCESS"
    yield told.fact(
        "payment.captured" if done else "payment.failed",
        resource["transaction_id"],
        total,
        resource.get("success_time"),
        None if done else str(state)[:100],
    )


def _refund(told: Told) -> Iterator[Fact]:
    resource = told.resource
    status = resource["refund_status"]
    done = status == "SUCCESS"
    yield told.fact(
        "payment.refunded" if done else "payment.failed",
        resource["refund_id"],
        resource["amount"]["refund"],
        resource.get("success_time"),
        None if done else f"refund: {str(status)[:100]}",
    )


def _score(told: Told) -> Iterator[Fact]:
    """A service order that was paid later, in one or more transactions."""
    for one in each(told.resource["collection"]["details"]):
        yield told.fact(
            "payment.captured", one["transaction_id"], one["amount"], one.get("paid_time")
        )


READERS: Mapping[str, Callable[[Told], Iterator[Fact]]] = {
    "TRANSACTION.SUCCESS": _transaction,
    "REFUND.SUCCESS": _refund,
    "REFUND.ABNORMAL": _refund,
    "REFUND.CLOSED": _refund,
    "PAYSCORE.USER_PAID": _score,
}
