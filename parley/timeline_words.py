"""Every type of event in one line that a person understands."""

from collections.abc import Iterator, Mapping
from string import Formatter
from typing import Any

from chalicelib.events import moment_of

Data = Mapping[str, Any]

_ORDER = "order {number}"
_PARCEL = "parcel {parcel}"
_WORDS: Mapping[str, str] = {
    "ingress.unmapped": "is kept whole, unread: {reason}",
    "message.received": "{content}",
    "message.echoed": "said from the app: {content}",
    "message.edited": "edits: {content}",
    "message.deleted": "takes a message back",
    "message.sent": "a message left",
    "message.accepted": "{channel} took a message",
    "message.delivered": "a message arrived",
    "message.read": "a message was read",
    "message.failed": "a message failed: {failure}",
    "message.classified": "reads: {reading}",
    "postback.received": "presses “{title}”",
    "reaction.added": "reacts {emoji}",
    "reaction.removed": "takes a reaction back",
    "referral.received": "came by {medium}: {ref}",
    "comment.created": "comments: {content}",
    "comment.edited": "edits a comment: {content}",
    "comment.deleted": "deletes a comment",
    "mention.created": "mentions the shop: {content}",
    "review.created": "reviews: {content}",
    "share.created": "shares: {content}",
    "conversation.opened": "opens a conversation",
    "consent.granted": "agrees to {purpose}",
    "consent.withdrawn": "wants no more of {purpose}",
    "contact.recorded": "a {medium} contact: {summary}",
    "handoff.requested": "asks for a person: {reason}",
    "handoff.completed": "the conversation was handed over",
    "identity.linked": "two names are one person: {evidence}",
    "identity.unlinked": "two names are two people: {evidence}",
    "customer.erasure_requested": "asks to be forgotten",
    "order.requested": "asked for in the chat: {amount}",
    "order.placed": f"{_ORDER} is placed: {{amount}}",
    "order.changed": f"{_ORDER} changes",
    "order.paid": f"{_ORDER} is said to be paid",
    "order.fulfilled": f"{_ORDER} is handed over: {{parcels}}",
    "order.cancelled": f"{_ORDER} is cancelled",
    "order.returned": f"{_ORDER} comes back",
    "order.confirmed": f"{_ORDER} is confirmed",
    "order.updated": f"{_ORDER}: {{milestone}}",
    "payment.authorized": "{amount} authorised, {assurance}",
    "payment.captured": "{amount} captured, {assurance}",
    "payment.failed": "{amount} failed, {assurance}: {reason}",
    "payment.refunded": "{amount} refunded, {assurance}",
    "payment.disputed": "{amount} disputed, {assurance}: {reason}",
    "payment.dispute_closed": "the dispute over {amount} is closed, {assurance}",
    "parcel.registered": f"{_PARCEL} is known",
    "parcel.handed_over": f"{_PARCEL} is handed over",
    "parcel.in_transit": f"{_PARCEL} is under way{{place}}",
    "parcel.out_for_delivery": f"{_PARCEL} is out for delivery{{place}}",
    "parcel.attempt_failed": f"{_PARCEL} met nobody{{place}}",
    "parcel.available_for_pickup": f"{_PARCEL} waits to be picked up{{place}}",
    "parcel.delivered": f"{_PARCEL} is delivered{{place}}",
    "parcel.exception": f"{_PARCEL} is in trouble{{place}}",
    "parcel.returned": f"{_PARCEL} goes back{{place}}",
    "parcel.eta_changed": f"{_PARCEL} comes at another time",
    "case.opened": "opens case {case_id}, severity {severity}, a first answer due by {due}",
    "case.assigned": "case {case_id} has a person",
    "case.waiting_customer": "case {case_id} waits for the customer",
    "case.warned": "case {case_id} is nearly late",
    "case.breached": "case {case_id}: nobody answered in time",
    "case.escalated": "case {case_id} goes higher",
    "case.bypassed": "case {case_id} was answered elsewhere",
    "case.resolved": "case {case_id} is resolved",
    "case.reopened": "case {case_id} is open again",
    "reply.requested": "wants the customer told: {text_key}{text}",
    "reply.planned": "will tell {milestone} on {channel}: {reason}",
    "reply.blocked": "cannot tell {milestone}: {reason}",
    "shipper.notified": "{carrier} was asked to {action}: {result}",
    "channel.degraded": "{channel} cannot send: {reason}",
    "channel.recovered": "{channel} sends again",
}

_MILESTONES = {  # the others are words already
    "shipped": "on its way",
    "out_for_delivery": "out for delivery",
    "ready_for_pickup": "ready for pickup",
    "attempt_failed": "nobody was at home",
    "exception": "in trouble",
}


def gist(type: str, data: Data, titles: Mapping[str, str] | None = None) -> str:
    """One line for one event; `titles` name products by SKU. The type, where nobody wrote words."""
    words = _WORDS.get(type, type.replace(".", " "))
    computed = {name: make(data, titles or {}) for name, make in _COMPUTED.items() if name in words}
    names = {name for _, name, _, _ in Formatter().parse(words) if name}
    return words.format(**{name: computed.get(name, data.get(name) or "") for name in names})


def types() -> frozenset[str]:
    """Every type that has words."""
    return frozenset(_WORDS)


def money(data: Data) -> str:
    """`80.00 USD`, of a payment's amount or an order's total."""
    return f"{data.get('amount') or data.get('total') or '?'} {data.get('currency') or ''}".strip()


def _goods(lines: Any, titles: Mapping[str, str]) -> str:
    each = (f"{n['quantity']} × {n.get('title') or titles.get(n['sku'], n['sku'])}" for n in lines)
    return " + ".join(each)


def _content(data: Data, titles: Mapping[str, str]) -> str:
    return " · ".join(filter(None, _parts(data.get("content", ()), titles))) or "says nothing"


def _parts(content: Any, titles: Mapping[str, str]) -> Iterator[str]:
    for part in content:
        match part:
            case {"kind": "text", "text": str(text)}:
                yield f"“{text}”"
            case {"kind": "order_lines", "lines": lines}:
                yield _goods(lines, titles)
            case {"kind": kind}:
                yield f"[{part.get('media') or part.get('title') or kind}]"


def _reading(data: Data, titles: Mapping[str, str]) -> str:
    if data.get("abstained"):
        return "nothing to act on"
    numbers = data.get("entities", {}).get("order_numbers", ())
    severity = f"severity {data['severity']}" if data.get("complaint") else ""
    told = (data["intent"].replace("_", " "), *(f"order #{n}" for n in numbers[:1]), severity)
    return " · ".join(filter(None, told))


def _number(data: Data, titles: Mapping[str, str]) -> str:
    return str(data.get("order_number") or data.get("order_id", "?"))


def _parcel(data: Data, titles: Mapping[str, str]) -> str:
    return f"{str(data.get('carrier', '')).upper()} …{str(data.get('tracking_number', ''))[-6:]}"


def _parcels(data: Data, titles: Mapping[str, str]) -> str:
    return ", ".join(_parcel(ref, titles) for ref in data.get("parcels", ())) or "no parcel named"


def _place(data: Data, titles: Mapping[str, str]) -> str:
    scan = data.get("scan") or {}
    said = ", ".join(str(scan[name]) for name in ("text", "place") if scan.get(name))
    return f": {said}" if said else ""


def _assurance(data: Data, titles: Mapping[str, str]) -> str:
    where = str(data.get("provider", "its provider")).capitalize()
    return f"read again at {where}" if data.get("assurance") == "verified" else "says who posted it"


def _due(data: Data, titles: Mapping[str, str]) -> str:
    clock = (data.get("clocks") or {}).get("first_response") or {}
    return f"{moment_of(clock['due_at']).astimezone():%H:%M}" if clock else "some time"


_COMPUTED = {
    "assurance": _assurance,
    "amount": lambda data, titles: money(data),
    "content": _content,
    "due": _due,
    "failure": lambda data, titles: str((data.get("error") or {}).get("code", "?")),
    "medium": lambda data, titles: {"qr": "QR code"}.get(data["medium"], data["medium"]),
    "milestone": lambda data, titles: _MILESTONES.get(data["milestone"], data["milestone"]),
    "number": _number,
    "parcel": _parcel,
    "parcels": _parcels,
    "place": _place,
    "reading": _reading,
}
