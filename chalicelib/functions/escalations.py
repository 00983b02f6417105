"""A complaint reaches a human in time: opens a case, tells the desks, and watches its clock."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import unquote

from chalice.app import Blueprint

from chalicelib import payloads as p
from chalicelib import wiring
from chalicelib.domain import cases, orders
from chalicelib.domain.outbox import Plan, as_json, shard_of
from chalicelib.events import Cause, Event, iso, moment_of
from chalicelib.functions import _cases
from chalicelib.functions._facts import fact, facts, key
from chalicelib.functions._outbox import Outbox
from chalicelib.functions._ports import Item, Queue, Table
from chalicelib.functions._shell import ANY, Patterns, run
from chalicelib.jsons import text_of
from chalicelib.outbound import Notice

bp = Blueprint(__name__)
ORPHAN_WAIT = timedelta(minutes=15)
"""How long an exception of a parcel that no order names waits for its order."""
_NOTICE_FRESH = timedelta(days=3)
_SOON = timedelta(minutes=2)


@dataclass(frozen=True)
class Escalations:
    """One case per issue and episode; later contacts attach."""

    table: Table
    outbox: Outbox
    clocks: Queue
    settings: Callable[[], dict[str, Any]]
    consumes: ClassVar[Patterns] = {
        "message.classified": {"complaint": [True]},
        "order.updated": {"milestone": ["exception"]},
        "parcel.exception": ANY,
        "payment.disputed": {"assurance": ["verified"]},
        "handoff.requested": ANY,
        "message.failed": {"audience": ["buyer", "shipper"]},
        "channel.degraded": {"audience": ["buyer", "shipper"]},
    }
    emits: ClassVar[Patterns] = {"case.opened": ANY, "case.breached": ANY, "reply.requested": ANY}
    causes: ClassVar[Mapping[str, str]] = {
        "reply.requested": "message.classified handoff.requested"
    }
    plans: ClassVar[str] = "desk"

    def __call__(self, event: Event, now: datetime) -> Iterator[Event]:
        match event.data:
            case p.Parcel() as parcel:
                self._orphan(event, parcel, now)
            case p.ChannelState() as state:
                since = f"degraded-{event.effective:%Y-%m-%dT%H}"
                self._tell(_cases.degraded(event, state), event.subject, since, event, now)
            case p.Status(about=str(about)) if about.startswith("case/"):
                self._tell(_cases.unreachable(event, about), about, "unreachable", event, now)
            case _:
                if found := self._contact(event):
                    yield from self._heard(event, *found, now)

    def wake(self, body: dict[str, Any], now: datetime) -> Iterator[Event]:
        """A clock fell due: `{"clock": [pk, sk]}`."""
        pk, sk = body["clock"]
        item = self.table.get(pk, sk)
        if item is None or now < moment_of(item["due_at"]):
            return
        if sk.startswith("CLOCK#orphan#"):
            yield from self._still_orphan(item, now)
        else:
            yield from self._overdue(item, now)
        self.table.change(pk, sk, {"fired": True}, when={"pk": pk}, remove=("gsi1pk", "gsi1sk"))

    def _contact(self, event: Event) -> tuple[str, cases.Contact] | None:  # noqa: C901 (a table)
        """(issue, contact) of what was heard; None for what opens nothing."""
        match event.data:
            case p.Classified(abstained=False, complaint=True) as read:
                return self._issue(read), _cases.complaint(event, read)
            case p.OrderUpdated() as order:
                issue = _cases.order_issue(order.shop, order.order_number)
                about = (_cases.order_name(order.order_number),)
                again = f"{order.milestone}/{order.occasion}"
                return issue, _cases.trouble(event, "parcel", 2, about, order.customer, again)
            case p.Payment(order=p.OrderRef() as ref):
                issue = self._order_issue(ref)
                return issue, _cases.trouble(event, "dispute", 3, (event.subject,))
            case p.Payment():
                return event.subject, _cases.trouble(event, "dispute", 3, (event.subject,))
            case p.Handoff() as wish:
                return event.subject, _cases.asked(event, wish)
            case p.Status(about=str(about)) as failed:
                issue = self._issue_of(about)
                return issue, _cases.trouble(event, "unreachable", 1, (about,), failed.identity)
        return None

    def _issue(self, read: p.Classified) -> str:
        """Order, else post, else person (EVENTS, issue key)."""
        if read.entities.order_numbers:
            return _cases.order_issue(
                self.settings().get("shop", "shop"), read.entities.order_numbers[0]
            )
        if read.visibility == "public" and read.public:
            return "post/" + p.path(read.channel, read.account, read.public.post_id)
        if read.identity:
            return f"identity/{read.identity.path}"
        return f"conversation/{read.conversation_id}"

    def _order_issue(self, ref: p.OrderRef) -> str:
        pk = key("ORDER", p.path(ref.shop, ref.order_id))
        known = orders.fold(facts(self.table.query(pk, "FACT#"))).latest
        number = known.order_number if known else None
        return _cases.order_issue(ref.shop, number or ref.order_id)

    def _issue_of(self, subject: str) -> str:
        match subject.split("/"):
            case ["order", shop, order_id]:
                return self._order_issue(p.OrderRef(shop=unquote(shop), order_id=unquote(order_id)))
        return subject

    def _heard(
        self, event: Event, issue: str, contact: cases.Contact, now: datetime
    ) -> Iterator[Event]:
        self.table.put_older(_cases.contact_item(issue, contact), "at")
        found = cases.episodes(issue, self._contacts(issue))
        episode = cases.episode_of(contact.id, found)
        if episode is None:
            return
        subject = "case/" + p.path(episode.case_id)
        data = _cases.case(episode)
        if episode.witness.id == contact.id:
            yield event.causes("case.opened", data, subject, now=now, discriminator=subject)
        told = self._tell(_cases.notice(episode, "opened"), subject, "opened", event, now)
        if not told and contact.kind != "parcel":  # of its parcel the customer hears by itself
            what = "trouble" if contact.by_hub else "contact"
            self._tell(_cases.notice(episode, what), subject, f"{what}-{contact.id}", event, now)
        self._watch(issue, episode, event, now)
        if episode.first_customer and episode.first_customer.id == contact.id:
            yield _cases.acknowledgement(event, episode, subject, now)

    def _contacts(self, issue: str) -> list[cases.Contact]:
        return [
            _cases.contact_of(item) for item in self.table.query(key("CASE", issue), "CONTACT#")
        ]

    def _watch(self, issue: str, episode: cases.Episode, event: Event, now: datetime) -> None:
        """The clock of the first response; another due time is another generation."""
        due = episode.first_response_due
        sk = f"CLOCK#first_response#{episode.case_id}#{episode.generation}"
        self._set_clock(
            key("CASE", issue), sk, due, {"issue": issue, **_cases.kept(event.cause)}, now
        )

    def _orphan(self, event: Event, parcel: p.Parcel, now: datetime) -> None:
        """A parcel that an order names is the order's matter, told by `order.updated`."""
        pk = key("PARCEL", orders.parcel_path(parcel.carrier, parcel.tracking_number))
        if not self.table.query(pk, "ORDER#"):
            due = event.recordedtime + ORPHAN_WAIT
            known = {"event": fact(pk, event)["event"]}
            self._set_clock(pk, f"CLOCK#orphan#{event.id}", due, known, now)

    def _still_orphan(self, item: Item, now: datetime) -> Iterator[Event]:
        if self.table.query(item["pk"], "ORDER#"):
            return
        [event] = facts([{"sk": "FACT#", "event": item["event"]}])
        contact = _cases.trouble(event, "parcel", 2, (event.subject,))
        yield from self._heard(event, event.subject, contact, now)

    def _overdue(self, item: Item, now: datetime) -> Iterator[Event]:
        _, _, case_id, generation = item["sk"].split("#", 3)
        found = cases.episodes(item["issue"], self._contacts(item["issue"]))
        episode = next((e for e in found if e.case_id == case_id), None)
        if episode is None or episode.generation != generation or episode.answered_at:
            return
        subject = "case/" + p.path(case_id)
        cause = _cases.cause_of(item)
        data, name = _cases.case(episode), item["sk"]
        yield cause.then("case.breached", data, subject, now=now, discriminator=name)
        self._tell(_cases.notice(episode, "breached"), subject, "breached", cause, now)

    def _set_clock(
        self, pk: str, sk: str, due: datetime, more: dict[str, Any], now: datetime
    ) -> None:
        shard = shard_of("CLOCK", pk + sk)
        item = {"pk": pk, "sk": sk, "gsi1pk": shard, "gsi1sk": iso(due), "due_at": iso(due), **more}
        if self.table.put_new(item) and due - now < _SOON:
            self.clocks.send({"clock": [pk, sk]}, int((due - now).total_seconds()) + 1)

    def _tell(
        self, notice: Notice, subject: str, milestone: str, event: Event | Cause, now: datetime
    ) -> bool:
        """Every desk of the settings, once per milestone; True when this cause told one."""
        cause = event.cause if isinstance(event, Event) else event
        told = False
        for desk in self.settings().get("desks", ()):
            plan = Plan(
                subject=subject,
                milestone=milestone,
                occasion=desk,
                audience="desk",
                via=desk,
                account="default",
                body="",
                cause=cause,
                send_at=now,
                fresh_until=now + _NOTICE_FRESH,
            )
            body = text_of({**as_json(notice), "key": plan.key, "at": iso(cause.time)})
            told |= self.outbox.plan(replace(plan, body=body), now)
        return told


@bp.lambda_function(name="escalations")
def escalations(batch: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda: records of the escalations and the clocks queue."""
    outbox = Outbox(wiring.table(), wiring.outbox_queue())
    reaction = Escalations(wiring.table(), outbox, wiring.clocks_queue(), wiring.settings().read)
    return run(reaction, batch, context, reaction.wake)
