"""17TRACK push: https://api.17track.net/en/doc?version=v2.4"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from chalicelib import payloads as p
from chalicelib.carriers._carrier import Carrier
from chalicelib.carriers._tracker import followed, mark, marked
from chalicelib.credentials import DEFAULT, Credentials
from chalicelib.outbound import Call, Outcome, Response, Shipment, judge
from chalicelib.slugs import number, slug
from chalicelib.source import (
    Fact,
    Item,
    NoWord,
    Request,
    SignedSource,
    each,
    fingerprint,
    when_iso,
)

_API = "https://api.17track.net/track/v2.4"
_MOVES = {
    "NotFound": "parcel.registered",
    "InfoReceived": "parcel.registered",
    "InTransit": "parcel.in_transit",
    "OutForDelivery": "parcel.out_for_delivery",
    "AvailableForPickup": "parcel.available_for_pickup",
    "DeliveryFailure": "parcel.attempt_failed",
    "Delivered": "parcel.delivered",
    "Exception": "parcel.exception",
    "Expired": "parcel.exception",  # on its way for too long to be believed
}
_FINER = {
    "InTransit_PickedUp": "parcel.handed_over",
    "Exception_Returning": "parcel.returned",
    "Exception_Returned": "parcel.returned",
}
_KEYS = {"ups": 100002, "usps": 21051, "fedex": 100003, "dhl": 100001}
_CARRIERS = {key: name for name, key in _KEYS.items()}
_KNOWN_ALREADY = -18019901
_VERDICTS: Mapping[int, Outcome] = {
    **dict.fromkeys((-18010001, -18010002, -18010004, -18010005), Outcome("reauthorise")),
    -18010003: Outcome("retry"),
    -18019907: Outcome("retry", retry_after_s=3600),  # the day's limit
    -18019908: Outcome("stop"),  # the quota is used up
}


class Track17(SignedSource, Carrier):
    name = "track17"
    family = "carriers"
    title = "17TRACK"
    docs = "https://api.17track.net/en/doc?version=v2.4"
    emits = frozenset([*_MOVES.values(), *_FINER.values()])
    signature = "SHA-256 of body/key, hex"
    signing_key = "api_key"
    dedupe = "parcel, its status, its latest event's time and its estimate"
    retry_horizon = timedelta(0)  # nobody says how often it is sent again
    actions = frozenset({"ship"})
    resend = "keyed"  # a number is registered once: asked again, it says that it is

    def sign(self, request: Request, key: str) -> Mapping[str, str]:
        """A plain hash, as 17TRACK wants it; the key stands last, so nothing can be appended."""
        return {"sign": sha256(request.body + b"/" + key.encode()).hexdigest()}

    def items(self, document: Any, request: Request) -> Iterator[Item]:
        yield Item(document, request.account or DEFAULT, _id(document), self.name)

    def facts(self, item: Item, request: Request) -> Iterable[Fact]:
        match item.value:
            case {"event": "TRACKING_UPDATED", "data": dict() as data}:
                yield _moved(item, data)
            case {"event": str(kind)}:
                raise NoWord(f"17track {kind[:100]}")

    def ask(self, shipment: Shipment, credentials: Credentials) -> Call:
        """Register the number; our order comes back with each of its scans, as its `tag`."""
        wanted = {
            "number": followed(shipment, self.name),
            "carrier": _KEYS.get(shipment.carrier or ""),
            "tag": mark(shipment),
        }
        body = [{key: value for key, value in wanted.items() if value}]
        return Call.json(f"{_API}/register", body, {"17token": credentials.one("api_key")})

    def outcome(self, response: Response) -> Outcome:
        """A refusal comes with 200: its code is the item's, else the request's."""
        outcome, data = judge(response), response.json.get("data")
        told = data if isinstance(data, dict) else {}
        accepted = [one for one in each(told.get("accepted")) if isinstance(one, dict)]
        if outcome.verdict == "sent" and accepted:
            return Outcome("sent", message_id=_text(accepted[0].get("number")))
        refused = next((o for o in each(told.get("rejected")) if isinstance(o, dict)), {})
        error = refused.get("error") or next(each(told.get("errors")), None) or response.json
        return _refused(outcome, error if isinstance(error, dict) else {}, refused)


def _refused(outcome: Outcome, error: Mapping[str, Any], item: Mapping[str, Any]) -> Outcome:
    code = error.get("code")
    if code == _KNOWN_ALREADY:
        return Outcome("sent", message_id=_text(item.get("number")))
    if outcome.verdict == "sent" or code in _VERDICTS:
        outcome = _VERDICTS.get(code or 0, Outcome("permanent"))
    known = str(code) if code else outcome.code
    return replace(outcome, code=known, title=_text(error.get("message")))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _id(push: Mapping[str, Any]) -> str:
    data = push["data"]
    info = data.get("track_info") or {}
    status, event = info.get("latest_status") or {}, info.get("latest_event") or {}
    return fingerprint(
        push.get("event"),
        data.get("number"),
        data.get("carrier"),
        status.get("status"),
        status.get("sub_status"),
        event.get("time_utc") or event.get("time_iso") or event.get("time_raw"),
        (info.get("time_metrics") or {}).get("estimated_delivery_date"),
    )


def _moved(item: Item, data: Mapping[str, Any]) -> Fact:
    info = data["track_info"]
    status, provider = info["latest_status"], _provider(data)
    type = _FINER.get(status.get("sub_status") or "") or _MOVES.get(status["status"])
    if not type:
        raise NoWord(f"17track tracking of status {str(status['status'])[:100]}")
    synced = when_iso(provider.get("latest_sync_time"))
    scan = _scan(info.get("latest_event"), synced)
    eta = (info.get("time_metrics") or {}).get("estimated_delivery_date") or {}
    parcel = p.Parcel(
        **item.said,
        carrier=_carrier(data.get("carrier"), provider),
        tracking_number=number(data["number"]),
        orders=marked(data.get("tag")),
        eta_from=when_iso(eta.get("from")),
        eta_until=when_iso(eta.get("to")),
        scan=scan,
    )
    return Fact(type, parcel, scan.at if scan else synced)


def _provider(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the carrier in charge said; of several on one way, the one of the number's own."""
    told = list(each((data["track_info"].get("tracking") or {}).get("providers")))
    mine = [one for one in told if (one.get("provider") or {}).get("key") == data.get("carrier")]
    found: Mapping[str, Any] = next(iter(mine or told), {})
    return found


def _carrier(key: Any, provider: Mapping[str, Any]) -> str:
    named = (provider.get("provider") or {}).get("name")
    return slug(_CARRIERS.get(key) or named or f"17track {key}")


def _scan(event: Mapping[str, Any] | None, synced: datetime | None) -> p.Scan | None:
    """Many carriers leave out the zone; then 17TRACK's last look is the moment when it was so."""
    if event is None or not (at := _moment(event) or synced):
        return None
    translated = (event.get("description_translation") or {}).get("description")
    code, text = event.get("sub_status"), event.get("description") or translated
    return p.Scan(at=at, place=event.get("location"), code=code, text=text)


def _moment(event: Mapping[str, Any]) -> datetime | None:
    raw = event.get("time_raw") or {}
    zoned = f"{raw.get('date')}T{raw.get('time')}{raw.get('timezone') or ''}"
    return when_iso(event.get("time_utc")) or when_iso(event.get("time_iso")) or when_iso(zoned)


carrier = Track17()
