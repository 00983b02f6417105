"""RSA signatures (PKCS #1 v1.5, SHA-256) and the certificates behind them: PayPal, WeChat Pay."""

from base64 import b64decode, b64encode
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

_DEEPEST = 4


def rsa_signature(private_pem: str, message: bytes) -> str:
    """Base64 of the signature that a private key makes."""
    return b64encode(_private(private_pem).sign(message, PKCS1v15(), SHA256())).decode()


@lru_cache(8)
def _private(pem: str) -> RSAPrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), None)
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("not an RSA key")
    return key


def rsa_signed(key: RSAPublicKey, signature: str, message: bytes) -> bool:
    """Whether the key's owner made this base64 signature; any text may be given."""
    try:
        key.verify(b64decode(signature, validate=True), message, PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(64)
def rsa_key(pem: str) -> RSAPublicKey:
    """Of a public key or a certificate in PEM; ValueError for anything else."""
    if "BEGIN CERTIFICATE" in pem:
        key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    else:
        key = serialization.load_pem_public_key(pem.encode())  # type: ignore[assignment]
    if not isinstance(key, RSAPublicKey):
        raise ValueError("not an RSA key")
    return key


def certified_key(chain: bytes, roots: str, name: str, now: datetime) -> RSAPublicKey:
    """The key of the first certificate, which bears `name` and leads to one of `roots` (PEM).

    ValueError where it does not, where one on the way is out of date, or is no authority.
    """
    leaf, *others = _certificates(chain)
    anchors = _certificates(roots.encode())
    if name not in _names(leaf):
        raise ValueError("a certificate of another name")
    _lead(leaf, others, anchors, now)
    key = leaf.public_key()
    if not isinstance(key, RSAPublicKey):
        raise ValueError("not an RSA key")
    return key


@lru_cache(64)
def _certificates(pem: bytes) -> tuple[x509.Certificate, ...]:
    return tuple(x509.load_pem_x509_certificates(pem))


def _names(leaf: x509.Certificate) -> set[str | bytes]:
    return {a.value for a in leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)}


def _lead(
    leaf: x509.Certificate,
    others: Iterable[x509.Certificate],
    anchors: Iterable[x509.Certificate],
    now: datetime,
) -> None:
    one = leaf
    for _ in range(_DEEPEST):
        if not one.not_valid_before_utc <= now <= one.not_valid_after_utc:
            raise ValueError("a certificate out of date")
        if _issuer(one, anchors):
            return
        if not (above := _issuer(one, others)):
            break
        one = above
    raise ValueError("a certificate that nobody we trust has issued")


def _issuer(
    one: x509.Certificate, candidates: Iterable[x509.Certificate]
) -> x509.Certificate | None:
    for candidate in candidates:
        with suppress(InvalidSignature, ValueError, TypeError):
            one.verify_directly_issued_by(candidate)
            if _is_authority(candidate):
                return candidate
    return None


def _is_authority(certificate: x509.Certificate) -> bool:
    """Else every holder of any certificate could issue others."""
    with suppress(x509.ExtensionNotFound):
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    return False
