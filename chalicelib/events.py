"""The event contract: one CloudEvents 1.0 envelope, types with one author each, derived ids.

Payload shapes are in `payloads`. Nothing here uses a random number or a clock: an id is derived
from what caused the fact, so a platform's retry is the same event.
"""

import json
from base64 import b32encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

from pydantic import BaseModel
from pydantic_core import to_json

from chalicelib import payloads as p

_MESSAGE = (
    "message.received message.echoed message.edited message.deleted comment.created"
    " comment.edited comment.deleted mention.created review.created share.created"
)
_STATUS = "message.sent message.delivered message.read message.failed message.accepted"
_ORDER = (
    "order.placed order.changed order.paid order.fulfilled order.cancelled order.returned"
    " order.requested order.confirmed"
)
_PAYMENT = (
    "payment.authorized payment.captured payment.failed payment.refunded payment.disputed"
    " payment.dispute_closed"
)
_PARCEL = (
    "parcel.registered parcel.handed_over parcel.in_transit parcel.out_for_delivery"
    " parcel.attempt_failed parcel.available_for_pickup parcel.delivered parcel.exception"
    " parcel.returned parcel.eta_changed"
)
_CASE = (
    "case.opened case.assigned case.waiting_customer case.warned case.breached case.escalated"
    " case.bypassed case.resolved case.reopened"
)

TYPES: Mapping[str, type[BaseModel]] = {
    "ingress.unmapped": p.Unmapped,
    **dict.fromkeys(_MESSAGE.split(), p.Message),
    **dict.fromkeys(_STATUS.split(), p.Status),
    **dict.fromkeys(_ORDER.split(), p.Order),
    **dict.fromkeys(_PAYMENT.split(), p.Payment),
    **dict.fromkeys(_PARCEL.split(), p.Parcel),
    **dict.fromkeys(_CASE.split(), p.Case),
    "postback.received": p.Press,
    "reaction.added": p.Reaction,
    "reaction.removed": p.Reaction,
    "referral.received": p.Referral,
    "conversation.opened": p.Opened,
    "consent.granted": p.Consent,
    "consent.withdrawn": p.Consent,
    "contact.recorded": p.Recorded,
    "handoff.requested": p.Handoff,
    "handoff.completed": p.Handoff,
    "identity.linked": p.Link,
    "identity.unlinked": p.Link,
    "customer.erasure_requested": p.Erasure,
    "message.classified": p.Classified,
    "order.updated": p.OrderUpdated,
    "reply.requested": p.ReplyRequested,
    "reply.planned": p.ReplyPlanned,
    "reply.blocked": p.ReplyPlanned,
    "shipper.notified": p.Notified,
    "channel.degraded": p.ChannelState,
    "channel.recovered": p.ChannelState,
}
"""Every type this version says, with the model of its `data`. A new type is a new row."""

_KEPT = (
    "id", "type", "source", "subject", "time", "recordedtime", "correlationid", "causationid",
    "hops", "timesuspect",
)  # fmt: skip
_BUSINESS = {"payment", "parcel", "channel", "shipper"}
_FUTURE = timedelta(minutes=5)
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


def event_id(channel: str, account: str, provider_id: str, n: int, type: str) -> str:
    """Id of a fact that a platform said; `n` counts the events of one provider item."""
    return _digest([channel, account, provider_id, n, type])


def caused_id(cause: str, type: str, discriminator: str = "") -> str:
    """Id of a fact that the hub concluded from the event `cause`."""
    return _digest([cause, type, discriminator])


def _digest(parts: list[Any]) -> str:
    return b32encode(sha256(_compact(parts)).digest()[:20])[:26].decode()


def _compact(parts: list[Any]) -> bytes:
    """UTF-8 of the compact JSON array; a lone surrogate, which UTF-8 lacks, stays escaped."""
    try:
        return to_json(parts)
    except ValueError:
        return json.dumps(parts, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Event:
    """A fact, in the envelope it has on the bus. `time` is the platform's, `recordedtime` ours."""

    id: str
    type: str
    source: str
    subject: str
    time: datetime
    recordedtime: datetime
    data: BaseModel
    correlationid: str
    causationid: str | None = None
    hops: int = 0
    timesuspect: bool = False
    replayid: str | None = None

    @property
    def effective(self) -> datetime:
        """The time folds use: the platform's, but never more than 5 min ahead of our clock."""
        return min(self.time, self.recordedtime + _FUTURE)

    @property
    def rank(self) -> tuple[datetime, str]:
        """Order among facts; the least is the witness of its slot."""
        return (self.effective, self.id)

    @property
    def classification(self) -> str:
        if getattr(self.data, "visibility", "") == "public":
            return "public"
        return "business" if self.type.partition(".")[0] in _BUSINESS else "personal"

    def detail(self) -> dict[str, Any]:
        """The CloudEvent as JSON values."""
        optional = {
            "causationid": self.causationid,
            "timesuspect": self.timesuspect or None,
        }
        return {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": self.type,
            "subject": self.subject,
            "time": iso(self.time),
            "recordedtime": iso(self.recordedtime),
            "dataschema": f"urn:parley:{self.type}:1",
            "datacontenttype": "application/json",
            "partitionkey": self.subject.partition("/")[2],
            "correlationid": self.correlationid,
            "hops": self.hops,
            "dataclassification": self.classification,
            **{key: value for key, value in optional.items() if value is not None},
            "data": p.plain(self.data),
        }

    def compact(self) -> dict[str, Any]:
        """As a fact is kept in the table: without `raw` and what `parse` does not need."""
        told = self.detail()
        kept = {key: told[key] for key in _KEPT if key in told}
        return {**kept, "data": {k: v for k, v in told["data"].items() if not k.startswith("raw")}}

    @classmethod
    def parse(cls, detail: Mapping[str, Any], replayid: str | None = None) -> "Event":
        """An event as it came from the bus. Unknown fields are ignored, unknown types opaque."""
        model = TYPES.get(detail["type"], p.Opaque)
        return cls(
            id=detail["id"],
            type=detail["type"],
            source=detail["source"],
            subject=detail["subject"],
            time=moment_of(detail["time"]),
            recordedtime=moment_of(detail["recordedtime"]),
            data=model.model_validate(detail["data"], extra=_tolerance(model)),
            correlationid=detail["correlationid"],
            causationid=detail.get("causationid"),
            hops=detail.get("hops", 0),
            timesuspect=detail.get("timesuspect", False),
            replayid=replayid,
        )

    def causes(
        self, type: str, data: BaseModel, subject: str, *, now: datetime, discriminator: str = ""
    ) -> "Event":
        """The fact `type` that the hub concludes from this one; the same cause, the same id."""
        return self.cause.then(type, data, subject, now=now, discriminator=discriminator)

    @property
    def cause(self) -> "Cause":
        return Cause(self.id, self.correlationid, self.hops, self.time, self.timesuspect)


class Cause(NamedTuple):
    """As much of an event as its effects need to remember."""

    id: str
    correlationid: str
    hops: int
    time: datetime
    timesuspect: bool = False

    def then(
        self, type: str, data: BaseModel, subject: str, *, now: datetime, discriminator: str = ""
    ) -> Event:
        """What follows from it (EVENTS, caused ids)."""
        story = subject if subject.startswith(("order/", "case/")) else self.correlationid
        return Event(
            id=caused_id(self.id, type, discriminator),
            type=type,
            source=f"/parley/{AUTHORS.get(type, 'hub')}",
            subject=subject,
            time=self.time,
            recordedtime=to_ms(now),
            data=data,
            correlationid=story,
            causationid=self.id,
            hops=self.hops + 1,
            timesuspect=self.timesuspect,
        )


AUTHORS: Mapping[str, str] = {  # of what the hub concludes; platforms author the rest
    "message.classified": "triage",
    "order.requested": "orders",
    "order.confirmed": "orders",
    "order.updated": "orders",
    "reply.planned": "replies",
    "reply.blocked": "replies",
    "shipper.notified": "sender",
    "message.accepted": "sender",
    "message.failed": "sender",
    "channel.degraded": "sender",
    "channel.recovered": "sender",
    "parcel.registered": "sender",
    "consent.withdrawn": "triage",
    "consent.granted": "triage",
    "handoff.requested": "triage",
    "reply.requested": "escalations",
    **dict.fromkeys(_PAYMENT.split(), "payments"),
    **dict.fromkeys(_CASE.split(), "escalations"),
}


def _tolerance(model: type[BaseModel]) -> Any:
    return "allow" if model is p.Opaque else "ignore"


def iso(at: datetime) -> str:
    """RFC 3339 in UTC, always with milliseconds so that texts sort as times do."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment_of(text: str) -> datetime:
    """What `iso` wrote, read again."""
    return datetime.fromisoformat(text).astimezone(UTC)


def plausible(at: datetime | None, now: datetime) -> tuple[datetime, bool]:
    """(time, suspect): a platform's time, or ours where it said none or one that cannot be."""
    if at is None or not _EARLIEST <= at <= now + timedelta(days=1):
        return now, True
    return to_ms(at), False


def to_ms(at: datetime) -> datetime:
    """In UTC, without what the envelope does not carry: a fact read back equals itself."""
    at = at.astimezone(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def subject_of(data: Any) -> str:  # noqa: C901 (a table)
    """Whom or what a platform's fact is about (EVENTS, subject)."""
    match data:
        case p.Message(visibility="public"):
            root = (data.public.post_id if data.public else None) or data.message_id
            return "post/" + p.path(data.channel, data.account, root)
        case p.Message() | p.Reaction():
            return _person(data.to or data.author.identity, data)
        case p.Press():
            return _person(data.author.identity, data)
        case p.Referral() | p.Opened() | p.Consent() | p.Recorded() | p.Status() | p.Erasure():
            return _person(data.identity, data)
        case p.Handoff():
            return _person(data.identity, data)
        case p.Link():
            return f"identity/{data.a.path}"
        case p.Order() | p.OrderUpdated():
            return "order/" + p.path(data.shop, data.order_id)
        case p.Payment():
            return "payment/" + p.path(data.provider, data.payment_id)
        case p.Parcel():
            return "parcel/" + p.path(data.carrier, data.tracking_number)
        case p.Case():
            return "case/" + p.path(data.case_id)
    return "channel/" + p.path(data.channel, data.account)


def _person(identity: p.Identity | None, data: Any) -> str:
    if identity:
        return f"identity/{identity.path}"
    return "channel/" + p.path(data.channel, data.account)
