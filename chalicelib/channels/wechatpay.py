"""WeChat Pay APIv3 notifications: https://pay.weixin.qq.com/doc/v3/merchant/4012791861

`platform_keys` holds the platform's keys, one value each: a serial (`PUB_KEY_ID_…`) and the public
key in PEM, or a platform certificate alone. Notifications of the old API (v2, XML) bear no such
signature and are refused.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from chalicelib import payloads as p
from chalicelib.channels._channel import Channel
from chalicelib.channels._payment import claimed
from chalicelib.channels._rsa import rsa_key, rsa_signature, rsa_signed
from chalicelib.channels._wechatpay import READERS, Told, seal, unseal
from chalicelib.channels._wechatpay_stated import path, signed_call, stated
from chalicelib.channels._xml import read_xml
from chalicelib.credentials import DEFAULT, Accounts, Credentials
from chalicelib.errors import InvalidSignature, MalformedPayload, Misconfigured, Unsupported
from chalicelib.events import Event
from chalicelib.jsons import text_of
from chalicelib.outbound import Call, Response
from chalicelib.signing import fresh
from chalicelib.source import (
    SHAPE_ERRORS,
    Answer,
    Fact,
    Item,
    NoWord,
    Request,
    SignedSource,
    fingerprint,
    ident,
)

_SIGNER = "wechatpay signer"
_HEADERS = ("timestamp", "nonce", "serial", "signature")
_MERCHANT = re.compile(r"\d{6,32}", re.ASCII)


class WeChatPay(SignedSource, Channel):
    name = "wechatpay"
    title = "WeChat Pay"
    docs = "https://pay.weixin.qq.com/doc/v3/merchant/4012791861"
    emits = frozenset("payment.captured payment.failed payment.refunded".split())
    signature = "RSA-SHA256 of timestamp, nonce and body; AES-256-GCM resource"
    signing_key = "test_signer"
    shared_key = False
    dedupe = "id"
    deadline = timedelta(seconds=5)
    retry_horizon = timedelta(days=1)

    def sign(self, request: Request, key: str) -> Mapping[str, str]:
        """`key`: `<serial> <APIv3 key>` on the first line, then a private key in PEM."""
        words, _, pem = key.partition("\n")
        stamp = str(int(request.now.timestamp()))
        told = {"timestamp": stamp, "nonce": f"n{stamp}", "serial": words.split()[0]}
        headers = {f"wechatpay-{name}": value for name, value in told.items()}
        message = _message(replace(request, headers=headers))
        return {**headers, "wechatpay-signature": rsa_signature(pem, message)}

    def signed(self, request: Request, key: str) -> Request:
        """Sealed, where the resource is plain, as the platform sends it."""
        return super().signed(replace(request, body=_sealed(request, key.split()[1])), key)

    def verify(self, request: Request, accounts: Accounts) -> Credentials:
        stamp, _, serial, signature = _told(request)
        holders = list(accounts.holding("platform_keys", request.account))
        for holder in holders if fresh(stamp, request.now.timestamp()) else ():
            key = _platform_keys(holder.live("platform_keys")).get(serial)
            if key and rsa_signed(key, signature, _message(request)):
                vars(request)[_SIGNER] = holder  # who can open the resource
                return holder
        raise InvalidSignature(self.name)

    def may_claim(self, signer: Credentials, account: str, accounts: Accounts) -> bool:
        return accounts.may_speak(signer, account, "platform_keys")

    def document(self, request: Request) -> Any:
        """With its resource opened, where the account's key opens it; XML is of the old API."""
        if request.body.lstrip()[:1] == b"<":
            return {"v2": read_xml(request.body)}
        told, signer = request.json, vars(request).get(_SIGNER)
        if not signer or not isinstance(told, dict) or not isinstance(told.get("resource"), dict):
            return told
        for key in signer.live("api_v3_key"):
            if (opened := unseal(told["resource"], key)) is not None:
                return {**told, "resource": opened}
        return told

    def answer(self, request: Request) -> Answer:
        said = text_of({"code": "SUCCESS", "message": "成功"})
        return Answer(said, content_type="application/json; charset=utf-8")

    def items(self, document: Any, request: Request) -> Iterator[Item]:
        if "v2" in document:
            account = request.account or DEFAULT
            yield Item(document, account, fingerprint(document), self.name)
            return
        resource = document.get("resource")
        merchant = resource.get("mchid") if isinstance(resource, dict) else None
        account = request.account or merchant or DEFAULT
        yield Item(document, ident(account), ident(document["id"]), self.name)

    def facts(self, item: Item, request: Request) -> Iterable[Fact]:
        if "v2" in item.value:
            raise NoWord("wechatpay notification of the old API (v2)")
        kind = str(item.value["event_type"])[:100]
        if isinstance(item.value["resource"], dict) and "ciphertext" in item.value["resource"]:
            raise NoWord(f"wechatpay {kind}: sealed with another key")
        if not (reader := READERS.get(kind)):
            raise NoWord(f"wechatpay {kind}")
        yield from reader(Told(item))

    def reread(self, payment: Event, credentials: Credentials) -> Call:
        """Asks the API for the transaction or the refund, in the merchant's name."""
        claim = claimed(payment)
        merchant = credentials.get("mchid") or claim.account
        if not _MERCHANT.fullmatch(merchant):
            raise Unsupported("not a merchant of WeChat Pay's")
        return signed_call(path(payment.type, claim, merchant), merchant, payment, credentials)

    def reread_payment(self, payment: Event, response: Response) -> p.Payment | None:
        """The API's own amount; None unless the API states the same outcome."""
        claim = claimed(payment)
        if response.status != 200:
            return None
        try:
            word = stated(payment.type, claim, response.json)
        except SHAPE_ERRORS:
            return None
        if not word:
            return None
        return claim.model_copy(update={**word, "assurance": "verified", "raw": None})


def _told(request: Request) -> list[str]:
    return [request.headers.get(f"wechatpay-{name}", "") for name in _HEADERS]


def _message(request: Request) -> bytes:
    stamp, nonce, *_ = _told(request)
    return f"{stamp}\n{nonce}\n".encode("utf-8", "surrogatepass") + request.body + b"\n"


@lru_cache(16)
def _platform_keys(values: tuple[str, ...]) -> Mapping[str, RSAPublicKey]:
    """By serial; a certificate's is its own, in upper-case hex. Misconfigured for no key."""
    found = {}
    for value in values:
        serial, armour, rest = value.partition("-----BEGIN")
        try:
            key = rsa_key(armour + rest)
            found[serial.strip() or _serial(value)] = key
        except ValueError as error:
            raise Misconfigured("wechatpay: platform_keys holds no key") from error
    return found


def _serial(pem: str) -> str:
    return f"{x509.load_pem_x509_certificate(pem.encode()).serial_number:X}"


def _sealed(request: Request, api_v3_key: str) -> bytes:
    try:
        told = request.json
    except MalformedPayload:
        return request.body
    match told:
        case {"resource": {"ciphertext": _}}:
            return request.body
        case {"resource": resource, "event_type": str(kind)}:
            what = kind.partition(".")[0].lower()
            return text_of({**told, "resource": seal(resource, what, api_v3_key)}).encode()
    return request.body


channel = WeChatPay()
