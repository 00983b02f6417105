"""What a case is made of: contacts out of events; and how it is said to bus, desk and customer."""

from datetime import datetime
from typing import Any, Literal
from urllib.parse import unquote

from chalicelib import payloads as p
from chalicelib.domain import cases
from chalicelib.events import Cause, Event, caused_id, iso, moment_of
from chalicelib.functions._facts import key
from chalicelib.functions._ports import Item
from chalicelib.outbound import Notice

_TITLES = {
    "opened": "New case",
    "contact": "The customer wrote",
    "trouble": "More went wrong",
    "breached": "Nobody answered in time",
}


def order_issue(shop: str, number: str) -> str:
    """An order by the number that customers know, so that their words find it without a look-up."""
    return "order/" + p.path(shop, number.strip().lstrip("#").upper())


def order_name(number: str) -> str:
    """One name for an order, whether a customer or the shop wrote its number."""
    return f"order #{number.strip().lstrip('#')}"


def complaint(event: Event, read: p.Classified) -> cases.Contact:
    return cases.Contact(
        at=event.effective,
        id=event.id,
        kind="message",
        severity=read.severity,
        channel=read.channel,
        account=read.account,
        visibility=read.visibility,
        customer=read.identity.path if read.identity else "",
        conversation_id=read.conversation_id,
        about=tuple(map(order_name, read.entities.order_numbers)),
    )


def asked(event: Event, wish: p.Handoff) -> cases.Contact:
    return cases.Contact(
        at=event.effective,
        id=event.id,
        kind="handoff",
        severity=1,
        channel=wish.channel,
        account=wish.account,
        customer=wish.identity.path if wish.identity else "",
        conversation_id=wish.conversation_id,
    )


def trouble(
    event: Event,
    kind: str,
    severity: int,
    about: tuple[str, ...],
    customer: p.Identity | None = None,
    again: str = "",
) -> cases.Contact:
    """The hub itself saw something go wrong; it is told elsewhere, so nobody is acknowledged.

    `again` names what may be told by several events: it is one contact.
    """
    return cases.Contact(
        at=event.effective,
        id=caused_id(event.subject, again) if again else event.id,
        kind=kind,
        severity=severity,
        channel="parley",
        about=about,
        customer=customer.path if customer else "",
        by_hub=True,
    )


def contact_item(issue: str, contact: cases.Contact) -> Item:
    kept = {k: v for k, v in vars(contact).items() if v not in ("", (), 0)}
    return {
        **kept,
        "pk": key("CASE", issue),
        "sk": f"CONTACT#{contact.id}",
        "at": iso(contact.at),
        "about": list(contact.about),
    }


def contact_of(item: Item) -> cases.Contact:
    plain = {k: v for k, v in item.items() if k not in ("pk", "sk")}
    severity, at = int(item.get("severity", 0)), moment_of(item["at"])
    return cases.Contact(**{**plain, "at": at, "severity": severity, "about": tuple(item["about"])})


def case(episode: cases.Episode) -> p.Case:
    first = episode.witness
    clock = p.Clock(due_at=episode.first_response_due, state="running")
    return p.Case(
        case_id=episode.case_id,
        state=episode.state,
        issue=episode.issue[:2048],
        customer=person(first.customer),
        conversation_id=first.conversation_id or None,
        account=first.account or None,
        origin=origin(first),
        about=episode.about,
        severity=episode.severity,
        clocks=p.Clocks(first_response=clock),
    )


def origin(first: cases.Contact) -> p.Origin:
    public = first.visibility == "public"
    seen: Literal["public", "private"] = "public" if public else "private"
    return p.Origin(channel=first.channel, visibility=seen, kind=first.kind)


def person(path: str) -> p.Identity | None:
    if not path:
        return None
    channel, scope, subject = map(unquote, path.split("/"))
    return p.Identity(channel=channel, scope=scope, subject=subject)


def acknowledgement(event: Event, episode: cases.Episode, subject: str, now: datetime) -> Event:
    first = episode.first_customer
    assert first is not None
    identity = person(first.customer)
    assert identity is not None
    data = p.ReplyRequested(
        to=identity,
        conversation_id=first.conversation_id or None,
        purpose="case",
        about=subject,
        text_key="case.acknowledged",
        params={"case_id": episode.case_id},
    )
    return event.causes("reply.requested", data, subject, now=now, discriminator=subject)


def notice(episode: cases.Episode, what: str) -> Notice:
    latest = episode.contacts[-1]
    return Notice(
        key=f"{episode.case_id}-{what}",
        case_id=episode.case_id,
        event=f"case.{what}",
        title=f"{_TITLES[what]}: {', '.join(episode.about) or episode.issue}",
        severity=episode.severity,
        about=episode.about,
        customer=latest.customer,
        due_at=episode.first_response_due,
        facts={"channel": latest.channel, "contacts": str(len(episode.contacts))},
    )


def degraded(event: Event, state: p.ChannelState) -> Notice:
    return Notice(
        key=event.id,
        case_id=event.subject,
        event="channel.degraded",
        title=f"{state.channel} ({state.account}) cannot send: {state.reason}",
        severity=3,
    )


def unreachable(event: Event, case: str) -> Notice:
    return Notice(
        key=event.id,
        case_id=unquote(case.partition("/")[2]),
        event="case.unreachable",
        title="The customer could not be told that we have the case",
        severity=1,
        about=(case,),
    )


def kept(cause: Cause) -> dict[str, Any]:
    return {"cause": [cause.id, cause.correlationid, cause.hops, iso(cause.time)]}


def cause_of(item: Item) -> Cause:
    ident, correlation, hops, time = item["cause"]
    return Cause(ident, correlation, int(hops), moment_of(time))
