"""Who signed a notification of eBay's: https://developer.ebay.com/api-docs/commerce/notification

The header names a key; eBay gives it to an application that has asked for a token first.
"""

import json
import re
from base64 import b64decode, b64encode
from functools import lru_cache
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from chalicelib.credentials import Credentials
from chalicelib.outbound import Call
from chalicelib.signing import basic

SCOPE = "https://api.ebay.com/oauth/api_scope"
_KEY_ID = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_ARMOUR = re.compile(r"-----(?:BEGIN|END) PUBLIC KEY-----|\s")
_DIGESTS = {"SHA1": SHA1, "SHA256": SHA256}


class Signed(NamedTuple):
    """What the header holds: the key's id and a DER signature."""

    key_id: str
    signature: bytes


def read_header(text: str) -> Signed | None:
    """`X-EBAY-SIGNATURE`: base64 of `{kid, signature, …}`; None for anything else."""
    try:
        told = json.loads(b64decode(text, validate=True))
        key_id, signature = told["kid"], b64decode(told["signature"], validate=True)
        return Signed(key_id, signature) if _KEY_ID.fullmatch(key_id) else None
    except (ValueError, LookupError, TypeError):
        return None


def api(credentials: Credentials) -> str:
    sandbox = credentials.get("environment", "live") == "sandbox"
    return f"https://api{'.sandbox' if sandbox else ''}.ebay.com"


def key_url(credentials: Credentials, key_id: str) -> str:
    return f"{api(credentials)}/commerce/notification/v1/public_key/{key_id}"


def token(credentials: Credentials, grant: str = f"client_credentials&scope={SCOPE}") -> Call:
    """What eBay gives a token for: its application's, or a seller's of a `refresh_token=…`."""
    login = basic(credentials.one("client_id"), credentials.one("client_secret"))
    form = {"content-type": "application/x-www-form-urlencoded", **login}
    where = f"{api(credentials)}/identity/v1/oauth2/token"
    return Call("POST", where, form, f"grant_type={grant}".encode())


def is_signed(signed: Signed, answer: bytes, body: bytes) -> bool:
    """Whether the key in eBay's `answer` made the signature, with the digest that it states."""
    try:
        key, digest = _key(answer)
        key.verify(signed.signature, body, ec.ECDSA(_DIGESTS[digest]()))
    except (InvalidSignature, ValueError, LookupError, TypeError):
        return False
    return True


@lru_cache(64)
def _key(answer: bytes) -> tuple[ec.EllipticCurvePublicKey, str]:
    """The PEM comes on one line, which no reader of PEM takes: what is between is DER."""
    told = json.loads(answer)
    key = serialization.load_der_public_key(b64decode(_ARMOUR.sub("", told["key"])))
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ValueError("not a key of a curve")
    return key, str(told["digest"])


@lru_cache(4)
def _private(pem: str) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("not a key of a curve")
    return key


def header(pem: str, key_id: str, body: bytes) -> str:
    """The header that a private key makes; tests and `parley replay` only."""
    signature = b64encode(_private(pem).sign(body, ec.ECDSA(SHA1()))).decode()
    told = {"alg": "ecdsa", "kid": key_id, "signature": signature, "digest": "SHA1"}
    return b64encode(json.dumps(told).encode()).decode()


def answer_for(pem: str) -> bytes:
    """How eBay would tell the public part of a private key."""
    der = (
        _private(pem)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    key = f"-----BEGIN PUBLIC KEY-----{b64encode(der).decode()}-----END PUBLIC KEY-----"
    return json.dumps({"key": key, "algorithm": "ECDSA", "digest": "SHA1"}).encode()
