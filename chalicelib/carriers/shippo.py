"""Shippo tracking webhooks: https://docs.goshippo.com/docs/tracking/webhooks"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from chalicelib import payloads as p
from chalicelib.carriers._carrier import Carrier
from chalicelib.carriers._tracker import followed, mark, marked
from chalicelib.credentials import DEFAULT, Accounts, Credentials
from chalicelib.errors import InvalidSignature, Unsupported
from chalicelib.outbound import Call, Outcome, Response, Shipment, judge
from chalicelib.signing import same, sha256_hex
from chalicelib.slugs import number, slug
from chalicelib.source import (
    Fact,
    Item,
    NoWord,
    Request,
    SignedSource,
    fingerprint,
    when_iso,
)

_API = "https://api.goshippo.com"
_HEADER = "shippo-auth-signature"
_SIGNED = re.compile(r"t=([0-9]{1,12}), ?v1=[0-9a-f]{64}", re.ASCII)
_MOVES = {
    "UNKNOWN": "parcel.registered",
    "PRE_TRANSIT": "parcel.registered",
    "TRANSIT": "parcel.in_transit",
    "DELIVERED": "parcel.delivered",
    "RETURNED": "parcel.returned",
    "FAILURE": "parcel.exception",
}
_FINER = {
    "package_accepted": "parcel.handed_over",
    "out_for_delivery": "parcel.out_for_delivery",
    "pickup_available": "parcel.available_for_pickup",
    "delivery_attempted": "parcel.attempt_failed",
    "notice_left": "parcel.attempt_failed",
    "location_inaccessible": "parcel.attempt_failed",
    "address_issue": "parcel.exception",
    "package_damaged": "parcel.exception",
}
"""Substatuses of a parcel on its way that say more than that."""
_TOKENS = {
    "ups": "ups",
    "usps": "usps",
    "fedex": "fedex",
    "dhl": "dhl_express",
    "dhlecommerce": "dhl_ecommerce",
    "canadapost": "canada_post",
    "royalmail": "royal_mail",
    "australiapost": "australia_post",
    "ontrac": "ontrac",
    "lasership": "lasership",
}


class Shippo(SignedSource, Carrier):
    name = "shippo"
    family = "carriers"
    title = "Shippo"
    docs = "https://docs.goshippo.com/docs/tracking/webhooks"
    emits = frozenset([*_MOVES.values(), *_FINER.values()])
    signature = "HMAC-SHA256 of t.body, hex; where Shippo has set up none, a token in our URL"
    signing_key = "webhook_secret"
    dedupe = "parcel, tracking_status.object_id and eta; of a label its id and status"
    deadline = timedelta(seconds=3)
    retry_horizon = timedelta(0)  # 5xx are sent again; nobody says for how long
    actions = frozenset({"ship"})
    resend = "keyed"  # a number is followed twice: the same scans under the same ids

    def sign(self, request: Request, key: str) -> Mapping[str, str]:
        return {_HEADER: _signature(str(int(request.now.timestamp())), request.body, key)}

    def matches(self, request: Request, key: str) -> bool:
        """`t` is signed, but Shippo names no window for it: it only has to be a number."""
        given = request.headers.get(_HEADER, "")
        found = _SIGNED.fullmatch(given)
        if not found:
            return False
        return same(given.replace(" ", ""), _signature(found[1], request.body, key))

    def verify(self, request: Request, accounts: Accounts) -> Credentials:
        """By the signature; where none comes, by `?token=` and the account's `url_token`."""
        if _HEADER in request.headers or "token" not in request.query:
            return super().verify(request, accounts)
        for holder in accounts.holding("url_token", request.account):
            if any(same(request.query["token"], token) for token in holder.live("url_token")):
                return holder
        raise InvalidSignature(self.name)

    def items(self, document: Any, request: Request) -> Iterator[Item]:
        yield Item(document, request.account or DEFAULT, _id(document), self.name)

    def facts(self, item: Item, request: Request) -> Iterable[Fact]:
        match item.value:
            case {"event": str(kind), "data": dict() as data} if _rehearsed(item.value, data):
                yield Fact("ingress.unmapped", _test(item, kind))
            case {"event": "track_updated", "data": dict() as track}:
                yield _moved(item, track)
            case {"event": "transaction_created" | "transaction_updated", "data": dict() as label}:
                yield _labelled(item, label)
            case {"event": str(kind)}:
                raise NoWord(f"shippo {kind[:100]}")

    def ask(self, shipment: Shipment, credentials: Credentials) -> Call:
        """Follow the parcel; our order comes back with each of its scans."""
        wanted = followed(shipment, self.name)
        if not (token := _TOKENS.get(shipment.carrier or "")):
            raise Unsupported(f"shippo knows no carrier {shipment.carrier}")
        said = {"carrier": token, "tracking_number": wanted, "metadata": mark(shipment)}
        body = {key: value for key, value in said.items() if value}
        auth = {"authorization": f"ShippoToken {credentials.one('api_token')}"}
        return Call.json(f"{_API}/tracks/", body, auth)

    def outcome(self, response: Response) -> Outcome:
        """`message_id` is the tracking number; `title` what Shippo says is wrong."""
        outcome, said = judge(response), response.json
        if outcome.verdict == "sent":
            known = said.get("tracking_number")
            return replace(outcome, message_id=known if isinstance(known, str) else None)
        told = said.get("detail")
        return replace(outcome, title=told if isinstance(told, str) else None)


def _signature(stamp: str, body: bytes, key: str) -> str:
    return f"t={stamp},v1={sha256_hex(key, f'{stamp}.'.encode() + body)}"


def _id(event: Mapping[str, Any]) -> str:
    data = event["data"]
    parcel = (event.get("event"), data.get("carrier"), data.get("tracking_number"))
    match data.get("tracking_status"):
        case {"object_id": str(scan)} if scan:
            return fingerprint(*parcel, scan, data.get("eta"))
        case dict() as status:
            dated = (status.get("status"), status.get("status_date"), data.get("eta"))
            return fingerprint(*parcel, *dated)
        case status:
            return fingerprint(*parcel, data.get("object_id"), data.get("status"), status)


def _rehearsed(event: Mapping[str, Any], data: Mapping[str, Any]) -> bool:
    """Shippo's test mode, also of the parcels it makes up for it (`SHIPPO_TRANSIT`)."""
    return True in (event.get("test"), data.get("test")) or data.get("carrier") == "shippo"


def _test(item: Item, kind: str) -> p.Unmapped:
    reason = f"shippo test of {kind[:100]}"
    return p.Unmapped(**item.said, reason=reason, item=item.id, synthetic=True)


def _moved(item: Item, track: Mapping[str, Any]) -> Fact:
    status = track.get("tracking_status") or {"status": "UNKNOWN"}  # followed, not yet scanned
    finer = status.get("substatus") or {}
    if not (type := _MOVES.get(status["status"])):
        raise NoWord(f"shippo tracking of status {str(status['status'])[:100]}")
    if type == "parcel.in_transit":
        type = _FINER.get(finer.get("code") or "", type)
    parcel = p.Parcel(
        **item.said,
        carrier=slug(track.get("carrier")),
        tracking_number=number(track["tracking_number"]),
        orders=marked(track.get("metadata")),
        eta_until=when_iso(track.get("eta")),
        scan=_scan(status, finer),
    )
    return Fact(type, parcel, when_iso(status.get("status_date")))


def _scan(status: Mapping[str, Any], finer: Mapping[str, Any]) -> p.Scan | None:
    if not (at := when_iso(status.get("status_date"))):
        return None
    where = status.get("location") or {}
    place = ", ".join(where[k] for k in ("city", "state", "country") if where.get(k))
    code, text = finer.get("code") or status["status"], status.get("status_details")
    return p.Scan(at=at, place=place or None, code=code, text=text)


def _labelled(item: Item, label: Mapping[str, Any]) -> Fact:
    """A label that was bought is a parcel; one that is waited for, or given back, is none."""
    if label.get("status") != "SUCCESS" or not label.get("tracking_number"):
        raise NoWord(f"shippo label of status {str(label.get('status'))[:100]}")
    rate, state = label.get("rate"), label.get("tracking_status")
    parcel = p.Parcel(
        **item.said,
        carrier=slug(rate.get("provider") if isinstance(rate, dict) else None),
        tracking_number=number(label["tracking_number"]),
        tracking_url=label.get("tracking_url_provider"),
        orders=marked(label.get("metadata")),
        eta_until=when_iso(label.get("eta")),
    )
    type = _MOVES.get(state, "parcel.registered") if isinstance(state, str) else "parcel.registered"
    return Fact(type, parcel, when_iso(label.get("object_updated")))


carrier = Shippo()
