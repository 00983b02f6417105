"""EasyPost trackers: https://docs.easypost.com/docs/webhooks and https://docs.easypost.com/docs/trackers"""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unicodedata import normalize

from chalicelib import payloads as p
from chalicelib.carriers._carrier import Carrier
from chalicelib.credentials import DEFAULT, Credentials
from chalicelib.errors import Unsupported
from chalicelib.outbound import Call, Outcome, Response, Shipment, judge
from chalicelib.signing import sha256_hex
from chalicelib.slugs import number, slug
from chalicelib.source import (
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

_API = "https://api.easypost.com/v2"
_MOVES = {
    "unknown": "parcel.registered",  # the tracker exists; the carrier has said nothing yet
    "pre_transit": "parcel.registered",
    "in_transit": "parcel.in_transit",
    "out_for_delivery": "parcel.out_for_delivery",
    "available_for_pickup": "parcel.available_for_pickup",
    "delivered": "parcel.delivered",
    "return_to_sender": "parcel.returned",
    "failure": "parcel.exception",
    "cancelled": "parcel.exception",
    "error": "parcel.exception",
}
_NAMES = {
    "ups": "UPS",
    "usps": "USPS",
    "fedex": "FedEx",
    "dhl": "DHLExpress",
    "dhlecommerce": "DhlEcs",
    "canadapost": "CanadaPost",
    "royalmail": "RoyalMail",
    "australiapost": "AustraliaPost",
}


class EasyPost(SignedSource, Carrier):
    name = "easypost"
    family = "carriers"
    title = "EasyPost"
    docs = "https://docs.easypost.com/docs/webhooks"
    emits = frozenset(
        [
            "parcel.registered",
            "parcel.in_transit",
            "parcel.out_for_delivery",
            "parcel.available_for_pickup",
            "parcel.delivered",
            "parcel.returned",
            "parcel.exception",
            "parcel.eta_changed",
        ]
    )
    signature = "HMAC-SHA256 of the body, hex (key in NFKD)"
    signing_key = "webhook_secret"
    dedupe = "event id"
    deadline = timedelta(seconds=7)
    retry_horizon = timedelta(days=1)
    actions = frozenset({"ship"})
    resend = "never"  # only trackers are made once; a shipment has no idempotency key

    def sign(self, request: Request, key: str) -> Mapping[str, str]:
        made = sha256_hex(normalize("NFKD", key), request.body)
        return {"x-hmac-signature": f"hmac-sha256-hex={made}"}

    def items(self, document: Any, request: Request) -> Iterator[Item]:
        account = request.account or document.get("user_id") or DEFAULT
        yield Item(document, ident(account), _id(document), self.name)

    def facts(self, item: Item, request: Request) -> Iterable[Fact]:
        match item.value:
            case {"description": "tracker.created" | "tracker.updated", "result": tracker}:
                yield from _moved(item, tracker)
            case {"description": str(kind)}:
                raise NoWord(f"easypost {kind[:100]}")

    def ask(self, shipment: Shipment, credentials: Credentials) -> Call:
        """Follow the parcel that has a number; else a shipment to buy, `reference` our key."""
        if shipment.action != "ship":
            raise Unsupported(f"easypost cannot {shipment.action}: its API has no such call")
        login = b64encode(f"{credentials.one('api_key')}:".encode()).decode()
        auth = {"authorization": f"Basic {login}"}
        if shipment.tracking_number:
            return Call.json(f"{_API}/trackers", {"tracker": _tracker(shipment)}, auth)
        if not shipment.ship_to:
            raise Unsupported("easypost ships nothing without a tracking number or an address")
        wanted = {"reference": shipment.key, "to_address": {"street1": shipment.ship_to}}
        return Call.json(f"{_API}/shipments", {"shipment": wanted}, auth)

    def outcome(self, response: Response) -> Outcome:
        """`message_id` is the tracking number, else EasyPost's own id."""
        said, outcome = response.json, judge(response)
        if outcome.verdict == "sent":
            known = said.get("tracking_code") or said.get("id")
            return replace(outcome, message_id=known if isinstance(known, str) else None)
        error = said.get("error")
        told = error if isinstance(error, dict) else {}
        code, title = str(told.get("code") or outcome.code), str(told.get("message") or "")
        if response.status == 402:  # the wallet is empty: nothing will be shipped until it is not
            return Outcome("stop", code=code, title=title)
        return replace(outcome, code=code, title=title or None)


def _id(event: Mapping[str, Any]) -> str:
    if known := event.get("id"):
        return ident(known)
    tracker = event.get("result") or {}
    return fingerprint(event.get("description"), tracker.get("id"), tracker.get("updated_at"))


def _moved(item: Item, tracker: Mapping[str, Any]) -> Iterator[Fact]:
    """The state the tracker reached, at its newest scan, whatever order updates come in."""
    if not (type := _MOVES.get(tracker["status"])):
        raise NoWord(f"easypost tracker of status {str(tracker['status'])[:100]}")
    updated = when_iso(tracker.get("updated_at"))
    scan = _newest(each(tracker.get("tracking_details")))
    parcel = p.Parcel(
        **item.said,
        carrier=slug(tracker.get("carrier")),
        tracking_number=number(tracker["tracking_code"]),
        tracking_url=tracker.get("public_url"),
        eta_until=when_iso(tracker.get("est_delivery_date")),
        scan=scan,
    )
    yield Fact(type, parcel, scan.at if scan else updated)
    before = item.value.get("previous_attributes") or {}
    if "est_delivery_date" in before and parcel.eta_until:
        yield Fact("parcel.eta_changed", parcel, updated)


def _newest(details: Iterable[Any]) -> p.Scan | None:
    """The latest scan by its own time; of two at once the later in the list."""
    timed = [(at, n, d) for n, d in enumerate(details) if (at := when_iso(d.get("datetime")))]
    return _scan(*max(timed, key=lambda one: one[:2])) if timed else None


def _scan(at: datetime, _: int, detail: Mapping[str, Any]) -> p.Scan:
    where = detail.get("tracking_location") or {}
    place = ", ".join(where[k] for k in ("city", "state", "country") if where.get(k))
    code, text = detail.get("status_detail"), detail.get("message")
    return p.Scan(at=at, place=place or None, code=code, text=text)


def _tracker(shipment: Shipment) -> dict[str, Any]:
    """Without a name that EasyPost knows, it finds the carrier by the number."""
    known = _NAMES.get(shipment.carrier or "")
    wanted = {"tracking_code": shipment.tracking_number}
    return {**wanted, "carrier": known} if known else wanted


carrier = EasyPost()
