"""What WeChat Pay's API states about a payment: https://pay.weixin.qq.com/doc/v3/merchant/4012791880"""

from collections.abc import Mapping
from typing import Any

from chalicelib import payloads as p
from chalicelib.channels._rsa import rsa_signature
from chalicelib.channels._wechatpay import currency_of, order_of, whole
from chalicelib.credentials import Credentials
from chalicelib.errors import Unsupported
from chalicelib.events import Event
from chalicelib.jsons import read_json
from chalicelib.outbound import Call
from chalicelib.source import SHAPE_ERRORS, ident

API = "https://api.mch.weixin.qq.com"
_STATED = {
    "payment.captured": {"SUCCESS", "REFUND"},  # what was refunded since had been taken
    "payment.refunded": {"SUCCESS"},
    "payment.failed": {"PAYERROR", "CLOSED", "REVOKED", "ABNORMAL"},
}


def path(type: str, claim: p.Payment, merchant: str) -> str:
    """Where the API keeps it: a refund by our own number, which the notification told."""
    try:
        resource = read_json((claim.raw or "").encode())["resource"]
        if "out_refund_no" in resource:
            return f"/v3/refund/domestic/refunds/{p.path(ident(resource['out_refund_no']))}"
    except SHAPE_ERRORS as error:
        raise Unsupported("a payment without its notification cannot be read again") from error
    return f"/v3/pay/transactions/id/{p.path(claim.payment_id)}?mchid={p.path(merchant)}"


def signed_call(where: str, merchant: str, event: Event, credentials: Credentials) -> Call:
    """A GET with the merchant's signature, which is good for five minutes of `recordedtime`."""
    stamp, nonce = str(int(event.recordedtime.timestamp())), event.id
    message = f"GET\n{where}\n{stamp}\n{nonce}\n\n".encode()
    signature = rsa_signature(credentials.one("merchant_key"), message)
    told = {
        "mchid": merchant,
        "nonce_str": nonce,
        "signature": signature,
        "timestamp": stamp,
        "serial_no": credentials.one("merchant_serial"),
    }
    words = ",".join(f'{name}="{value}"' for name, value in told.items())
    auth = {"authorization": f"WECHATPAY2-SHA256-RSA2048 {words}", "accept": "application/json"}
    return Call("GET", f"{API}{where}", auth)


def stated(type: str, claim: p.Payment, said: Mapping[str, Any]) -> dict[str, Any] | None:
    """The fields of the payment as the API has them; None unless it states the same outcome."""
    refund = "refund_id" in said
    state = said["status"] if refund else said["trade_state"]
    known = said["refund_id"] if refund else said["transaction_id"]
    if state not in _STATED[type] or known != claim.payment_id:
        return None
    currency = currency_of(said)
    amount = whole(said["amount"]["refund" if refund else "total"], currency)
    order = order_of(said, f"wechatpay:{claim.account}")
    return {"amount": amount, "currency": currency, "order": order}
