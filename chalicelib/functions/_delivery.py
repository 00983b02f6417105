"""One outbox item as a call: by channel, carrier or desk, with its credentials, and its result."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from chalicelib import payloads as p
from chalicelib import sources
from chalicelib.carriers._carrier import Carrier
from chalicelib.channels._channel import Channel
from chalicelib.credentials import Credentials
from chalicelib.desks._desk import Desk
from chalicelib.domain.outbox import Planned, as_json
from chalicelib.events import moment_of
from chalicelib.functions._facts import key
from chalicelib.functions._ports import Http, Keys, Table
from chalicelib.jsons import text_of
from chalicelib.outbound import (
    Call,
    Notice,
    Outgoing,
    Resend,
    Shipment,
    Template,
)


@dataclass(frozen=True)
class Delivery:
    """What is about to be said, and by whom."""

    speaker: Channel | Carrier | Desk
    content: Outgoing | Shipment | Notice
    credentials: Credentials
    cause: str

    @property
    def means(self) -> str | None:
        return self.content.means if isinstance(self.content, Outgoing) else None

    def call(self) -> Call:
        """What to send; Unsupported, or Misconfigured where a secret is missing."""
        match self.speaker, self.content:
            case Channel() as channel, Outgoing() as message:
                return channel.compose(message, self.credentials)
            case Carrier() as carrier, Shipment() as shipment:
                return carrier.ask(shipment, self.credentials)
            case Desk() as desk, Notice() as notice:
                return desk.tell(notice, self.credentials)
        raise TypeError(f"{self.speaker} cannot say {type(self.content).__name__}")

    def as_template(self) -> str | None:
        """The same message as its approved template, where it has one and was not that already."""
        message = self.content
        if not isinstance(message, Outgoing) or message.means == "template" or not message.template:
            return None
        body = {**as_json(replace(message, means="template")), "to": p.plain(message.to)}
        return text_of(body)


@dataclass(frozen=True)
class Deliveries:
    """Finds the speaker of an item by its audience."""

    table: Table
    http: Http
    keys: Keys
    channel: Callable[[str], Channel] = sources.channel
    carrier: Callable[[str], Carrier] = sources.carrier
    desk: Callable[[str], Desk] = sources.desk

    def of(self, mine: Planned, now: datetime) -> Delivery:
        """The item as a delivery; a reply token still fresh is taken for it."""
        credentials = self.keys.of(mine.via).of(mine.account)
        content = _content(mine)
        if isinstance(content, Outgoing):
            content = self._with_token(content, now)
        else:  # a receiver refuses a stale timestamp, so each attempt bears its own
            content = replace(content, at=now)
        return Delivery(self._speaker(mine), content, credentials, mine.cause.id)

    def in_response(self, mine: Planned, now: datetime) -> bool:
        """Whether the answer could still travel in the HTTP response: exactly one side wins."""
        if mine.audience != "buyer" or self.channel(mine.via).in_response is None:
            return False
        body = json.loads(mine.body)
        pk = key("SLOT", f"identity/{p.Identity.model_validate(body['to']).path}")
        waiting = [s for s in self.table.query(pk) if moment_of(s["until"]) > now]
        still = [s for s in waiting if s["state"] == "open"]
        filled = {"state": "filled", "text": body["text"], "owner": mine.key}
        latest = sorted(still, key=lambda slot: str(slot["until"]))[-1:]
        return any(self.table.change(pk, s["sk"], filled, when={"state": "open"}) for s in latest)

    def resend(self, mine: Planned) -> Resend:
        """What may be done when nobody knows how the call ended."""
        if mine.means == "token":  # a reply token works once and takes no key
            return "never"
        return self._speaker(mine).resend

    def results(self, mine: Planned, item: dict[str, Any]) -> Iterator[tuple[str, BaseModel]]:
        """What the end of an item is called on the bus."""
        if mine.audience == "shipper":
            yield "shipper.notified", _notified(mine, item)
        elif item["state"] == "sent":
            yield "message.accepted", _status(mine, item, "accepted")
        if item["state"] == "blocked" and mine.audience == "buyer":
            yield "reply.blocked", _blocked(mine, item)
        elif item["state"] in ("failed", "blocked"):
            yield "message.failed", _status(mine, item, "failed")

    def _speaker(self, mine: Planned) -> Channel | Carrier | Desk:
        match mine.audience:
            case "buyer":
                return self.channel(mine.via)
            case "shipper":
                return self.carrier(mine.via)
        return self.desk(mine.via)

    def _with_token(self, message: Outgoing, now: datetime) -> Outgoing:
        """Reply tokens are free and work once: taken by a conditional write, or not at all."""
        if "token" not in self.channel(message.to.channel).means or message.means != "free":
            return message
        place = (key("IDENTITY", message.to.path), key("CONV", message.account))
        seen = self.table.get(*place) or {}
        token = seen.get("token")
        if not token or moment_of(seen["token_until"]) <= now:
            return message
        taken = {"token_taken_by": message.key}
        gone = ("token", "token_until")
        if self.table.change(*place, taken, when={"token": token}, remove=gone):
            return replace(message, means="token", token=token)
        return message


def _content(mine: Planned) -> Outgoing | Shipment | Notice:
    body = json.loads(mine.body)
    if mine.audience == "buyer":
        template = body.pop("template", None)
        to = p.Identity.model_validate(body.pop("to"))
        made = Template(**{**template, "params": tuple(template["params"])}) if template else None
        return Outgoing(to=to, template=made, **body)
    times = {name: moment_of(body[name]) for name in ("at", "due_at") if body.get(name)}
    if mine.audience == "shipper":
        return Shipment(**{**body, **times})
    return Notice(**{**body, **times, "about": tuple(body["about"])})


def _status(mine: Planned, item: dict[str, Any], status: Any) -> p.Status:
    code = item.get("code") or item.get("reason")
    failure = p.Failure(code=code, title=item.get("title")) if code and status == "failed" else None
    body = json.loads(mine.body)
    return p.Status(
        channel=mine.via,
        account=mine.account,
        status=status,
        conversation_id=body.get("conversation_id") or mine.subject,
        at=moment_of(item["ended_at"]),
        message_id=item.get("message_id"),
        identity=p.Identity.model_validate(body["to"]) if "to" in body else None,
        error=failure,
        outbox=mine.key,
        audience=mine.audience,
        about=mine.subject,
    )


def _notified(mine: Planned, item: dict[str, Any]) -> p.Notified:
    body = json.loads(mine.body)
    parcel = None
    if body.get("carrier") and body.get("tracking_number"):
        parcel = p.ParcelRef(carrier=body["carrier"], tracking_number=body["tracking_number"])
    result = "accepted" if item["state"] == "sent" else item.get("code") or item["state"]
    return p.Notified(
        shop=body["shop"],
        order_id=body["order_id"],
        carrier=mine.via,
        action=body["action"],
        result=result,
        parcel=parcel,
        outbox=mine.key,
    )


def _blocked(mine: Planned, item: dict[str, Any]) -> p.ReplyPlanned:
    return p.ReplyPlanned(
        outbox=mine.key,
        about=mine.subject,
        milestone=mine.milestone,
        audience=mine.audience,
        channel=mine.via,
        account=mine.account,
        reason=item.get("reason", "blocked"),
    )
