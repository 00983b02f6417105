"""Stripe webhooks, snapshot (v1) and thin (v2) events: https://docs.stripe.com/webhooks"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from chalicelib import payloads as p
from chalicelib.channels._channel import Channel
from chalicelib.channels._payment import claimed
from chalicelib.channels._stripe import READERS, Told
from chalicelib.channels._stripe_stated import API, resource, stated
from chalicelib.credentials import DEFAULT, Accounts, Credentials
from chalicelib.errors import InvalidSignature, Unsupported
from chalicelib.events import Event
from chalicelib.jsons import read_json
from chalicelib.outbound import Call, Response
from chalicelib.signing import fresh, same, stamped, stamped_signature
from chalicelib.source import (
    SHAPE_ERRORS,
    Fact,
    Item,
    NoWord,
    Request,
    SignedSource,
    ident,
    when,
    when_iso,
)

_HEADER = "stripe-signature"
_DASHBOARD_TEST = "evt_00000000000000"
_FETCHABLE = re.compile(r"/v1/[a-z_]+(?:/[a-z_]+)?/[A-Za-z0-9_]+", re.ASCII)


class Stripe(SignedSource, Channel):
    name = "stripe"
    title = "Stripe"
    docs = "https://docs.stripe.com/webhooks"
    emits = frozenset(
        (
            "payment.authorized payment.captured payment.failed payment.refunded"
            " payment.disputed payment.dispute_closed"
        ).split()
    )
    signature = "HMAC-SHA256 of t.body, hex (v1)"
    signing_key = "webhook_secret"
    dedupe = "event id"
    deadline = timedelta(seconds=10)
    retry_horizon = timedelta(days=3)
    time_unit = "s"
    hosts = frozenset({"api.stripe.com"})

    def sign(self, request: Request, key: str) -> Mapping[str, str]:
        stamp = str(int(request.now.timestamp()))
        return {_HEADER: f"t={stamp},v1={stamped_signature(key, stamp, request.body)}"}

    def matches(self, request: Request, key: str) -> bool:
        """Whether one `v1` is this key's, and its time is ours within five minutes."""
        stamp, signatures = stamped(request.headers.get(_HEADER, ""))
        expected = stamped_signature(key, stamp, request.body)
        alike = [same(one, expected) for one in signatures]
        return any(alike) and fresh(stamp, request.now.timestamp())

    def wants(self, request: Request, accounts: Accounts) -> tuple[Call, ...]:
        """The object that a thin event about money only names. Nobody unsigned is asked for."""
        if b'"v2.core.event"' not in request.body:
            return ()
        try:
            signer = self.verify(request, accounts)
        except InvalidSignature:
            return ()
        call = _related(request.json, signer)
        return (call,) if call and call.url not in request.fetched else ()

    def items(self, document: Any, request: Request) -> Iterator[Item]:
        account = document.get("account") or _connected(document) or request.account or DEFAULT
        yield Item(document, ident(account), ident(document["id"]), self.name)

    def facts(self, item: Item, request: Request) -> Iterable[Fact]:
        event = item.value
        kind = str(event.get("type") or "event without a type")[:100]
        if item.id == _DASHBOARD_TEST:
            reason = f"stripe test notification of {kind}"
            said = p.Unmapped(**item.said, reason=reason, item=item.id, synthetic=True)
            yield Fact("ingress.unmapped", said)
        elif not (reader := READERS.get(kind.removeprefix("v1."))):
            raise NoWord(f"stripe {kind}")
        else:
            yield from reader(_told(item, request))

    def reread(self, payment: Event, credentials: Credentials) -> Call:
        """Asks the API for the intent, charge, refund, dispute or session that was claimed."""
        claim = claimed(payment)
        if not (path := resource(payment.type, claim)):
            raise Unsupported("not an id of Stripe's")
        return _get(path, claim.account, credentials)

    def reread_payment(self, payment: Event, response: Response) -> p.Payment | None:
        """The claim with the API's own amount; None unless the API states the same outcome."""
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


def _told(item: Item, request: Request) -> Told:
    """A snapshot holds its object; a thin event's was fetched before."""
    event = item.value
    if event["object"] == "event":
        data, at = event["data"], when(event.get("created"))
        return Told(item, data["object"], data.get("previous_attributes") or {}, at)
    url = _url(event)
    if not url or url not in request.fetched:
        raise NoWord(f"stripe thin {event['type']}: its object was not fetched")
    return Told(item, read_json(request.fetched[url]), {}, when_iso(event.get("created")))


def _connected(document: Mapping[str, Any]) -> str | None:
    """The account of a thin event's context (`acct_…`, or a path that ends in one)."""
    context = document.get("context")
    return context.rpartition("/")[2] if isinstance(context, str) else None


def _related(event: Any, signer: Credentials) -> Call | None:
    if not isinstance(event, dict) or not (url := _url(event)):
        return None
    kind = event.get("type")
    if not isinstance(kind, str) or kind.removeprefix("v1.") not in READERS:
        return None
    account = _connected(event) or DEFAULT
    return _get(url.removeprefix(API), account, signer)


def _url(event: Mapping[str, Any]) -> str | None:
    """Where the object is; the fragment, which nobody is sent, keeps events apart in the cache."""
    match event:
        case {"object": "v2.core.event", "id": str(name), "related_object": {"url": str(path)}}:
            known = _FETCHABLE.fullmatch(path) and name.replace("_", "").isalnum()
            return f"{API}{path}#{name}" if known else None
    return None


def _get(path: str, account: str, credentials: Credentials) -> Call:
    headers = {"authorization": f"Bearer {credentials.one('api_key')}"}
    if account.startswith("acct_"):
        headers["stripe-account"] = account
    return Call("GET", f"{API}{path}", headers)


channel = Stripe()
