"""How WeChat and WeCom seal a body: AES-256-CBC, with the receiver's id inside.

https://developer.work.weixin.qq.com/document/path/90968
"""

import hashlib
import hmac
from base64 import b64decode, b64encode

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from chalicelib.errors import Misconfigured

_BLOCK = 32
"""They pad to 32 bytes, twice the block of AES."""
_SALT = 16


def seal(content: bytes, receiver: str, encoding_aes_key: str) -> str:
    """`content` for `receiver`, as the text of `Encrypt`.

    The salt is derived, not random: the same answer to a repeated delivery is the same bytes.
    """
    key = key_of(encoding_aes_key)
    told = len(content).to_bytes(4) + content + receiver.encode()
    salted = hmac.digest(key, told, hashlib.sha256)[:_SALT] + told
    short = _BLOCK - len(salted) % _BLOCK
    encryptor = _cipher(key).encryptor()
    return b64encode(encryptor.update(salted + bytes([short]) * short)).decode()


def unseal(sealed: str, encoding_aes_key: str) -> tuple[bytes, str]:
    """(content, receiver) of an `Encrypt`; ValueError for what this key did not seal."""
    decryptor = _cipher(key_of(encoding_aes_key)).decryptor()
    padded = decryptor.update(b64decode(sealed, validate=True)) + decryptor.finalize()
    if not padded or not 1 <= padded[-1] <= _BLOCK:
        raise ValueError("not padded")
    told = padded[_SALT : -padded[-1]]
    size = int.from_bytes(told[:4])
    if len(told) < 4 + size:
        raise ValueError("not whole")
    return told[4 : 4 + size], told[4 + size :].decode()


def key_of(encoding_aes_key: str) -> bytes:
    """The 32 bytes in 43 characters; Misconfigured for anything else."""
    try:
        key = b64decode(encoding_aes_key + "=", validate=True)
    except ValueError as error:
        raise Misconfigured("encoding_aes_key is not base64") from error
    if len(key) != 32:
        raise Misconfigured("encoding_aes_key is not 43 characters")
    return key


def _cipher(key: bytes) -> Cipher[CBC]:
    return Cipher(AES(key), CBC(key[:16]))
