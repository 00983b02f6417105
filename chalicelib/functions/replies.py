"""What the customer is told: one message per (subject, milestone, audience), where they wrote.

Windows are computed here, at read, from the last time the customer spoke. What cannot be said is
said to be so (`reply.blocked` with its reason), never dropped.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from chalice.app import Blueprint

from chalicelib import payloads as p
from chalicelib import sources, wiring
from chalicelib.channels._channel import Channel
from chalicelib.domain import wording
from chalicelib.domain.outbox import FRESH, Plan, as_json, partition, sort_key
from chalicelib.errors import UnknownSource
from chalicelib.events import Event, moment_of
from chalicelib.functions._facts import key
from chalicelib.functions._outbox import Outbox
from chalicelib.functions._ports import Item, Table
from chalicelib.functions._shell import ANY, Patterns, run
from chalicelib.jsons import text_of
from chalicelib.outbound import Outgoing, Template

bp = Blueprint(__name__)


@dataclass(frozen=True)
class Wish:
    """Something to say, before it is known whether it can be said."""

    subject: str
    milestone: str
    key: str
    identity: p.Identity | None
    conversation_id: str | None
    params: dict[str, str] = field(default_factory=dict)
    text: str | None = None
    occasion: str = ""
    lang: str | None = None
    fresh_for: timedelta = FRESH


class Blocked(Exception):
    """Why it cannot be said."""


@dataclass(frozen=True)
class Replies:
    """Plans; `sender` speaks."""

    table: Table
    outbox: Outbox
    channel: Callable[[str], Channel] = sources.channel
    consumes: ClassVar[Patterns] = {"order.updated": ANY, "reply.requested": ANY}
    emits: ClassVar[Patterns] = {"reply.planned": ANY, "reply.blocked": ANY}
    plans: ClassVar[str] = "buyer"

    def __call__(self, event: Event, now: datetime) -> Iterator[Event]:
        wish = _wish(event)
        try:
            plan, message = self._plan(event, wish, now)
        except Blocked as why:
            if not self._planned_before(wish):
                yield _said(event, "reply.blocked", wish, None, str(why), now)
            return
        if self.outbox.plan(plan, now):
            yield _said(event, "reply.planned", wish, message, _why(message), now)

    def _plan(self, event: Event, wish: Wish, now: datetime) -> tuple[Plan, Outgoing]:
        fresh_until = event.effective + wish.fresh_for
        if now > fresh_until:
            raise Blocked("stale")
        message = self._message(wish, now)
        plan = Plan(
            subject=wish.subject,
            milestone=wish.milestone,
            occasion=wish.occasion,
            audience="buyer",
            via=message.to.channel,
            account=message.account,
            body="",
            cause=event.cause,
            send_at=event.recordedtime,
            fresh_until=fresh_until,
        )
        message = replace(message, key=plan.key)
        body = {**as_json(message), "to": p.plain(message.to)}
        return replace(plan, body=text_of(body)), message

    def _message(self, wish: Wish, now: datetime) -> Outgoing:
        if not wish.identity or not wish.conversation_id:
            raise Blocked("unreachable")
        channel = self._speaking(wish.identity.channel)
        _, _, rest = wish.conversation_id.partition("/")
        account, _, counterpart = rest.partition("/")
        if not counterpart:
            raise Blocked("unreachable")
        known = self.table.query(key("IDENTITY", wish.identity.path))
        if any(i.get("withdrawn") for i in known if i["sk"] in ("CONSENT#all", "CONSENT#order")):
            raise Blocked("consent")
        seen = next((i for i in known if i["sk"] == key("CONV", account)), None)
        means = _means(channel, seen, wish, now)
        lang = wish.lang or (seen or {}).get("lang") or "en"
        return Outgoing(
            key="",
            to=wish.identity,
            account=account,
            conversation_id=wish.conversation_id,
            text=wish.text or wording.say(wish.key, wish.params, lang),
            means=means,
            template=_template(wish, lang) if means == "template" else None,
        )

    def _speaking(self, name: str) -> Channel:
        try:
            channel = self.channel(name)
        except UnknownSource as error:
            raise Blocked("unreachable") from error
        if not channel.means:
            raise Blocked("unreachable")
        return channel

    def _planned_before(self, wish: Wish) -> bool:
        """A late copy of a fact that was told in time is no news."""
        place = sort_key(wish.milestone, wish.occasion, "buyer")
        return self.table.get(partition(wish.subject), place) is not None


def _wish(event: Event) -> Wish:
    match event.data:
        case p.OrderUpdated() as order:
            return Wish(
                subject=event.subject,
                milestone=order.milestone,
                occasion=order.occasion,
                key=f"order.{order.milestone}",
                identity=order.customer,
                conversation_id=order.conversation_id,
                params=_params(order),
                lang=order.lang,
            )
        case p.ReplyRequested() as asked:
            milestone = (asked.text_key or "answer").rpartition(".")[2]
            return Wish(
                subject=asked.about,
                milestone=milestone,
                occasion="" if asked.text_key else event.id,
                key=asked.text_key or "",
                identity=asked.to,
                conversation_id=asked.conversation_id,
                params=dict(asked.params),
                text=asked.text,
            )
    raise ValueError(f"nothing to say about {event.type}")


def _params(order: p.OrderUpdated) -> dict[str, str]:
    first = order.parcels[0].tracking_number if order.parcels else ""
    return {
        "order_number": order.order_number,
        "total": str(order.total or ""),
        "amount": str(order.amount or ""),
        "currency": order.currency or "",
        "tracking": order.tracking_url or first,
    }


def _means(
    channel: Channel, seen: Item | None, wish: Wish, now: datetime
) -> Literal["free", "template"]:
    if channel.window is None or (seen and now < moment_of(seen["last_at"]) + channel.window):
        return "free"
    if "template" in channel.means and wish.key:
        return "template"
    raise Blocked("window")


def _template(wish: Wish, lang: str) -> Template:
    params = tuple(wish.params.get(name, "") for name in wording.fields(wish.key))
    return Template(wording.template_name(wish.key), params, lang)


def _why(message: Outgoing) -> str:
    if message.means == "template":
        return "template: the window is closed"
    return "free: the channel the customer used"


def _said(
    event: Event, type: str, wish: Wish, message: Outgoing | None, reason: str, now: datetime
) -> Event:
    data = p.ReplyPlanned(
        outbox=message.key if message else "-",
        about=wish.subject,
        milestone=wish.milestone,
        audience="buyer",
        channel=wish.identity.channel if wish.identity else "-",
        account=message.account if message else None,
        identity=wish.identity,
        means=message.means if message else None,
        reason=reason,
    )
    name = f"{wish.milestone}/{wish.occasion}"
    return event.causes(type, data, event.subject, now=now, discriminator=name)


@bp.lambda_function(name="replies")
def replies(batch: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda: records of the replies queue."""
    outbox = Outbox(wiring.table(), wiring.outbox_queue())
    return run(Replies(wiring.table(), outbox), batch, context)
