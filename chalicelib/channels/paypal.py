"""PayPal webhooks: https://developer.paypal.com/api/rest/webhooks/rest/

The signature covers `transmission id|time|webhook id|CRC-32 of the body`. A CRC is no MAC: whoever
saw one delivery can make another body of the same CRC. So a delivery is refused once it is old,
and every payment in it is a claim until the API has stated it.
"""

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from chalicelib import payloads as p
from chalicelib.channels._channel import Channel
from chalicelib.channels._payment import claimed
from chalicelib.channels._paypal import READERS, Told, id_of
from chalicelib.channels._paypal_roots import ROOTS
from chalicelib.channels._paypal_stated import path, stated
from chalicelib.channels._rsa import certified_key, rsa_signature, rsa_signed
from chalicelib.credentials import DEFAULT, Accounts, Credentials
from chalicelib.errors import InvalidSignature
from chalicelib.events import Event, iso
from chalicelib.outbound import Call, Outgoing, Response
from chalicelib.signing import basic
from chalicelib.source import (
    SHAPE_ERRORS,
    Fact,
    Item,
    NoWord,
    Request,
    SignedSource,
    each,
    fingerprint,
    ident,
    when_iso,
)

_OLDEST = timedelta(minutes=15)
_CERT = re.compile(
    r"https://api(?:-m)?(\.sandbox)?\.paypal\.com/v1/notifications/certs/[A-Za-z0-9-]+", re.ASCII
)
_TEST_CERT = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-TEST"


class PayPal(SignedSource, Channel):
    name = "paypal"
    title = "PayPal"
    docs = "https://developer.paypal.com/api/rest/webhooks/"
    emits = frozenset(
        (
            "payment.authorized payment.captured payment.failed payment.refunded"
            " payment.disputed payment.dispute_closed message.received"
        ).split()
    )
    signature = "RSA-SHA256 of id, time, webhook id and the body's CRC; certificate fetched"
    signing_key = "test_signer"
    shared_key = False
    dedupe = "event id"
    deadline = timedelta(seconds=10)
    retry_horizon = timedelta(days=3)
    means = ("free",)
    hosts = frozenset(
        f"{host}.paypal.com" for host in ("api", "api.sandbox", "api-m", "api-m.sandbox")
    )

    def sign(self, request: Request, key: str) -> Mapping[str, str]:
        """`key`: a webhook's id on the first line, then a private key and its certificates."""
        webhook, _, pem = key.partition("\n")
        headers = {
            "paypal-transmission-id": str(uuid5(NAMESPACE_URL, request.body.hex())),
            "paypal-transmission-time": iso(request.now),
            "paypal-cert-url": _TEST_CERT,
            "paypal-auth-algo": "SHA256withRSA",
        }
        message = signed_message(replace(request, headers=headers), webhook)
        return {**headers, "paypal-transmission-sig": rsa_signature(pem, message)}

    def signed(self, request: Request, key: str) -> Request:
        """With the certificate that the door would fetch."""
        _, certificate, rest = key.partition("-----BEGIN CERTIFICATE-----")
        fetched = {_TEST_CERT: (certificate + rest).encode()}
        return replace(super().signed(request, key), fetched=fetched)

    def wants(self, request: Request, accounts: Accounts) -> tuple[Call, ...]:
        """The certificate, from PayPal alone, for a delivery that could be genuine."""
        url = request.headers.get("paypal-cert-url", "")
        if not _CERT.fullmatch(url) or not _recent(request) or url in request.fetched:
            return ()
        return (Call("GET", url),)

    def verify(self, request: Request, accounts: Accounts) -> Credentials:
        holders = list(accounts.holding("webhook_id", request.account))
        url = request.headers.get("paypal-cert-url", "")
        place = _CERT.fullmatch(url)
        if not place or not _recent(request) or url not in request.fetched:
            raise InvalidSignature(self.name)
        signer = f"messageverificationcerts{place[1] or ''}.paypal.com"
        for holder in holders:
            if _is_signed(request, holder, request.fetched[url], signer):
                return holder
        raise InvalidSignature(self.name)

    def may_claim(self, signer: Credentials, account: str, accounts: Accounts) -> bool:
        """A webhook's id is one account's; the default one may stand in for a named one."""
        return signer.owner in (account, DEFAULT)

    def items(self, document: Any, request: Request) -> Iterator[Item]:
        account = request.account or DEFAULT
        yield Item(document, account, ident(document["id"]), self.name)
        resource = document.get("resource")
        if not isinstance(resource, dict) or "DISPUTE" not in str(document.get("event_type")):
            return
        for n, said in enumerate(each(resource.get("messages"))):
            if isinstance(said, dict) and said.get("posted_by") == "BUYER":
                told = (id_of(resource), said.get("time_posted"), said.get("content"))
                yield Item(document, account, fingerprint(*told), self.name, {"message": n})

    def facts(self, item: Item, request: Request) -> Iterable[Fact]:
        kind = str(item.value.get("event_type") or "event without a type")[:100]
        if not (reader := READERS.get(kind)):
            raise NoWord(f"paypal {kind}")
        yield from reader(Told(item))

    def compose(self, message: Outgoing, credentials: Credentials) -> Call:
        """An answer to the buyer inside their dispute."""
        dispute = p.path(message.conversation_id.rpartition("/")[2])
        where = f"{_api(credentials)}/v1/customer/disputes/{dispute}/send-message"
        words = {"message": message.text[: self.text_limit]}
        once = str(uuid5(NAMESPACE_URL, message.key))
        return Call.json(where, words, {**_key(credentials), "paypal-request-id": once})

    def reread(self, payment: Event, credentials: Credentials) -> Call:
        """Asks the API for the order, capture, sale, authorisation, refund or dispute."""
        where = path(payment.type, claimed(payment))
        return Call("GET", f"{_api(credentials)}{where}", _key(credentials))

    def reread_payment(self, payment: Event, response: Response) -> p.Payment | None:
        """The API's own amount and order; None unless the API states the same outcome."""
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


def token(credentials: Credentials) -> Call:
    """What PayPal gives an access token for; it lives nine hours."""
    login = basic(credentials.one("client_id"), credentials.one("client_secret"))
    form = {"content-type": "application/x-www-form-urlencoded", **login}
    where = f"{_api(credentials)}/v1/oauth2/token"
    return Call("POST", where, form, b"grant_type=client_credentials")


def _api(credentials: Credentials) -> str:
    sandbox = credentials.get("environment", "live") == "sandbox"
    return f"https://api-m{'.sandbox' if sandbox else ''}.paypal.com"


def _key(credentials: Credentials) -> dict[str, str]:
    if access := credentials.get("access_token"):
        return {"authorization": f"Bearer {access}"}
    return basic(credentials.one("client_id"), credentials.one("client_secret"))


def signed_message(request: Request, webhook: str) -> bytes:
    """What PayPal signs; the algorithm that the request names is not asked."""
    told = [request.headers.get(f"paypal-transmission-{name}", "") for name in ("id", "time")]
    parts = [*told, webhook, str(zlib.crc32(request.body))]
    return "|".join(parts).encode("utf-8", "surrogatepass")


def _recent(request: Request) -> bool:
    """Each attempt has its own time; what was captured long ago is not sent again."""
    at = when_iso(request.headers.get("paypal-transmission-time"))
    return at is not None and abs(request.now - at) <= _OLDEST


def _is_signed(request: Request, holder: Credentials, chain: bytes, signer: str) -> bool:
    signature = request.headers.get("paypal-transmission-sig", "")
    try:
        roots = holder.get("trusted_roots", ROOTS)
        key = certified_key(chain, roots, signer, request.now)
    except ValueError:
        return False
    messages = [signed_message(request, webhook) for webhook in holder.live("webhook_id")]
    return any(rsa_signed(key, signature, message) for message in messages)


channel = PayPal()
