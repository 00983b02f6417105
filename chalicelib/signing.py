"""Signature schemes that several platforms share, each written once. Bytes in, bytes compared."""

import hashlib
import hmac
from base64 import b64decode, b64encode


def sha256_hex(key: str | bytes, message: bytes) -> str:
    """Lower-case hex HMAC-SHA256 (Meta, EasyPost, Slack, AfterShip)."""
    return hmac.digest(_bytes(key), message, hashlib.sha256).hex()


def sha256_base64(key: str | bytes, message: bytes) -> str:
    """Base64 HMAC-SHA256 (LINE, Shopify, WooCommerce, Standard Webhooks v1)."""
    return b64encode(hmac.digest(_bytes(key), message, hashlib.sha256)).decode()


def same(given: str, expected: str) -> bool:
    """Constant-time comparison of header texts; any text may be given, also non-ASCII."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def webhook_key(secret: str) -> bytes:
    """The key in a Standard Webhooks secret: `whsec_` + base64, padding optional.

    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    ValueError for what is not base64, or empty.
    """
    text = secret.removeprefix("whsec_")
    key = b64decode(text + "=" * (-len(text) % 4), validate=True)
    if not key:
        raise ValueError("empty key")
    return key


def webhook_signature(secret: str, ident: str, timestamp: str, body: bytes) -> str:
    """Standard Webhooks v1: `v1,` + base64 HMAC-SHA256 over `id.timestamp.body`."""
    signed = f"{ident}.{timestamp}.".encode("utf-8", "surrogatepass") + body
    return "v1," + sha256_base64(webhook_key(secret), signed)


def stamped_signature(key: str, stamp: str, body: bytes) -> str:
    """Lower-case hex HMAC-SHA256 over `stamp.body`, keyed with the secret's text (Stripe)."""
    return sha256_hex(key, stamp.encode() + b"." + body)


def stamped(header: str) -> tuple[str, tuple[str, ...]]:
    """Digits of `t` and every `v1` of `t=…,v1=…,v1=…`; ("", ()) unless it is just such a list.

    Two `t` would let a reader and a signer mean different ones, so they are none.
    """
    pairs = [element.split("=") for element in header.split(",")]
    if any(len(pair) != 2 for pair in pairs):
        return "", ()
    stamps = [value for name, value in pairs if name == "t"]
    if len(stamps) != 1 or not stamps[0].isascii() or not stamps[0].isdigit():
        return "", ()
    return stamps[0], tuple(value for name, value in pairs if name == "v1")


def fresh(stamp: str, now: float, tolerance_s: int = 300) -> bool:
    """Whether a stamp of Unix seconds is within the tolerance of `now`, on both sides."""
    digits = stamp.isascii() and stamp.isdigit() and len(stamp) <= 12
    return digits and abs(now - int(stamp)) <= tolerance_s


def basic(user: str, password: str) -> dict[str, str]:
    """The header of HTTP's basic authentication."""
    return {"authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


def _bytes(key: str | bytes) -> bytes:
    return key.encode() if isinstance(key, str) else key
