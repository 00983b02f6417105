"""AfterShip Tracking, Returns and Shipping: https://www.aftership.com/docs/tracking/webhook"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib import payloads as p
from chalicelib.carriers._carrier import Carrier
from chalicelib.carriers._tracker import followed, mark, marked, newest, promised
from chalicelib.credentials import DEFAULT, Credentials
from chalicelib.outbound import Call, Outcome, Response, Shipment, judge
from chalicelib.signing import same, sha256_base64
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
    when,
    when_iso,
)

_API = "https://api.aftership.com/tracking/2026-07"
_PREFIXES = {
    "aftership-hmac-sha256": "",  # Tracking
    "as-signature-hmac-sha256": "",  # Returns, Warranty
    "am-webhook-signature": "hmac-sha256=",  # Shipping; Returns of organisations before 2022-10
}
_MOVES = {
    "Pending": "parcel.registered",
    "InfoReceived": "parcel.registered",
    "InTransit": "parcel.in_transit",
    "OutForDelivery": "parcel.out_for_delivery",
    "AttemptFail": "parcel.attempt_failed",
    "AvailableForPickup": "parcel.available_for_pickup",
    "Delivered": "parcel.delivered",
    "Exception": "parcel.exception",
    "Expired": "parcel.exception",  # nothing heard of it for 30 days
}
_FINER = {
    "InTransit_002": "parcel.handed_over",
    "Exception_010": "parcel.returned",
    "Exception_011": "parcel.returned",
}
_SLUGS = {
    **{known: known for known in ("ups", "usps", "fedex", "dhl")},
    "australiapost": "australia-post",
    "canadapost": "canada-post",
    "japanpost": "japan-post",
    "royalmail": "royal-mail",
    "sfexpress": "sf-express",
}
"""Of other carriers AfterShip finds the name itself, by the number."""
_MARK = "parley"
_KNOWN_ALREADY = 4003


class AfterShip(SignedSource, Carrier):
    name = "aftership"
    family = "carriers"
    title = "AfterShip"
    docs = "https://www.aftership.com/docs/tracking/webhook/webhook-overview"
    emits = frozenset([*_MOVES.values(), *_FINER.values(), "parcel.eta_changed"])
    signature = "HMAC-SHA256 of the body, base64"
    signing_key = "webhook_secret"
    dedupe = "event_id; id of a return or warranty event; label and time of Shipping"
    deadline = timedelta(seconds=10)
    retry_horizon = timedelta(hours=68)
    time_unit = "s"
    actions = frozenset({"ship"})
    resend = "keyed"  # a parcel is followed once: asked again, it says that it is known

    def sign(self, request: Request, key: str) -> Mapping[str, str]:
        return {"aftership-hmac-sha256": sha256_base64(key, request.body)}

    def matches(self, request: Request, key: str) -> bool:
        """Each product signs the same way, in a header of its own."""
        made = sha256_base64(key, request.body)
        alike = [
            same(request.headers.get(header, ""), prefix + made)
            for header, prefix in _PREFIXES.items()
        ]
        return any(alike)

    def items(self, document: Any, request: Request) -> Iterator[Item]:
        yield Item(document, request.account or DEFAULT, _id(document), self.name)

    def facts(self, item: Item, request: Request) -> Iterable[Fact]:
        match item.value:
            case {"event": "edd_revise", "msg": dict() as msg} if _eta(msg):
                at = when(item.value.get("ts"))
                yield Fact("parcel.eta_changed", _parcel(item, msg, None), at)
            case {"event": str(), "msg": dict() as msg}:
                yield _moved(item, msg)
            case {"event_type": "create_a_label", "data": {"tracking_numbers": [_, *_]}}:
                yield from _labelled(item)
            case {"event": str(kind)} | {"event_type": str(kind)}:
                raise NoWord(f"aftership {kind[:100]}")

    def ask(self, shipment: Shipment, credentials: Credentials) -> Call:
        """Follow the parcel; our order comes back with each of its scans."""
        wanted = {
            "tracking_number": followed(shipment, self.name),
            "order_number": shipment.order_number,
            "custom_fields": {_MARK: found} if (found := mark(shipment)) else None,
            "slug": _SLUGS.get(shipment.carrier or ""),
        }
        body = {key: value for key, value in wanted.items() if value}
        return Call.json(f"{_API}/trackings", body, {"as-api-key": credentials.one("api_key")})

    def outcome(self, response: Response) -> Outcome:
        """`message_id` is the tracking number, else AfterShip's own id; `code` its meta code."""
        outcome, meta, data = judge(response), *_told(response)
        known = data.get("tracking_number") or data.get("id")
        if outcome.verdict == "sent" or meta.get("code") == _KNOWN_ALREADY:
            return Outcome("sent", message_id=known if isinstance(known, str) else None)
        code, title = str(meta.get("code") or outcome.code), meta.get("message")
        return replace(outcome, code=code, title=title if isinstance(title, str) else None)


def _id(event: Mapping[str, Any]) -> str:
    if known := event.get("event_id") or event.get("id"):
        return ident(known)
    label = event.get("data") or {}
    kind = event.get("event") or event.get("event_type")
    return fingerprint(kind, label.get("id"), event.get("date_time") or event.get("ts") or label)


def _moved(item: Item, msg: Mapping[str, Any]) -> Fact:
    """Where the parcel is, by its newest checkpoint, whatever order updates come in."""
    tag, subtag = msg["tag"], msg.get("subtag")
    if not (type := _FINER.get(subtag or "") or _MOVES.get(tag)):
        raise NoWord(f"aftership tracking of tag {str(tag)[:100]}")
    told = when(item.value.get("ts"))
    scan = _scan(newest(each(msg.get("checkpoints")), lambda c: c.get("checkpoint_time")), told)
    return Fact(type, _parcel(item, msg, scan), scan.at if scan else told)


def _parcel(item: Item, msg: Mapping[str, Any], scan: p.Scan | None) -> p.Parcel:
    eta_from, eta_until = _eta(msg) or (None, None)
    return p.Parcel(
        **item.said,
        carrier=slug(msg.get("slug")),
        tracking_number=number(msg["tracking_number"]),
        tracking_url=msg.get("courier_tracking_link") or msg.get("aftership_tracking_url"),
        orders=marked((msg.get("custom_fields") or {}).get(_MARK)),
        eta_from=eta_from,
        eta_until=eta_until,
        scan=scan,
    )


def _scan(checkpoint: Mapping[str, Any] | None, told: datetime | None) -> p.Scan | None:
    """Carriers leave out the zone; then AfterShip's own time is the moment when it was so."""
    if checkpoint is None or not (at := when_iso(checkpoint["checkpoint_time"]) or told):
        return None
    parts = [checkpoint.get(k) for k in ("city", "state", "country_region_name")]
    place = checkpoint.get("location") or ", ".join(part for part in parts if part)
    code, text = checkpoint.get("subtag"), checkpoint.get("message")
    return p.Scan(at=at, place=place or None, code=code, text=text)


def _eta(msg: Mapping[str, Any]) -> tuple[datetime | None, datetime | None] | None:
    """(from, until): the latest estimate it names, else AfterShip's own, else the carrier's."""
    latest = msg.get("latest_estimated_delivery") or {}
    spans = [(latest.get("datetime_min"), latest.get("datetime_max") or latest.get("datetime"))]
    for source in ("aftership", "courier"):
        found = msg.get(f"{source}_estimated_delivery_date") or {}
        last = found.get("estimated_delivery_date_max") or found.get("estimated_delivery_date")
        spans.append((found.get("estimated_delivery_date_min"), last))
    dated = ((promised(first, "00:00:00"), promised(last)) for first, last in spans)
    return next((span for span in dated if span[1]), None)


def _labelled(item: Item) -> Iterator[Fact]:
    """A label of AfterShip Shipping: each of its numbers is a parcel."""
    label = item.value["data"]
    account = (label.get("rate") or {}).get("shipper_account") or {}
    for each_number in label["tracking_numbers"]:
        carrier, known = slug(account.get("slug")), number(each_number)
        parcel = p.Parcel(**item.said, carrier=carrier, tracking_number=known)
        yield Fact("parcel.registered", parcel, when_iso(item.value.get("date_time")))


def _told(response: Response) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """`meta` and `data` of an answer, empty where they are no objects."""
    meta, data = (response.json.get(key) for key in ("meta", "data"))
    return (meta if isinstance(meta, dict) else {}), (data if isinstance(data, dict) else {})


carrier = AfterShip()
