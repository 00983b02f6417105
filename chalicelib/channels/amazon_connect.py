"""Amazon Connect: https://docs.aws.amazon.com/connect/latest/adminguide/contact-events.html

Contact events say what becomes of a call or a chat; matches of Contact Lens rules say in a few
words what it was about. Both are delivered at best effort: late, twice, in any order, or never.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from chalicelib import payloads as p
from chalicelib.channels._aws import OverAws, camel
from chalicelib.credentials import DEFAULT
from chalicelib.source import Fact, Item, NoWord, Request, fingerprint, ident, when_iso

_CONTACT = "Amazon Connect Contact Event"
_NEVER = datetime(1971, 1, 1, tzinfo=UTC)
_MEDIA: Mapping[str, Literal["voice", "chat"]] = {
    "VOICE": "voice",
    "CHAT": "chat",  # also SMS and WhatsApp
    "EMAIL": "chat",  # in writing
}
_STATES = {  # by event type: our word, and where its time stands
    "INITIATED": ("initiated", ("initiationTimestamp",)),
    "CONNECTED_TO_SYSTEM": ("connected_to_system", ("connectedToSystemTimestamp",)),
    "QUEUED": ("queued", ("queueInfo", "enqueueTimestamp")),
    "CONNECTED_TO_AGENT": ("connected", ("agentInfo", "connectedToAgentTimestamp")),
    "PAUSED": ("paused", ()),
    "RESUMED": ("resumed", ()),
    "DISCONNECTED": ("disconnected", ("disconnectTimestamp",)),
    "COMPLETED": ("completed", ("agentInfo", "afterContactWorkEndTimestamp")),
}


class AmazonConnect(OverAws):
    name = "amazon_connect"
    title = "Amazon Connect"
    docs = "https://docs.aws.amazon.com/connect/latest/adminguide/contact-events.html"
    emits = frozenset(["contact.recorded"])
    signature = "none: EventBridge vouches for it"
    dedupe = "contactId, eventType and its time; of a rule the contact, the rule and its action"
    aws_sources = ("aws.connect",)

    def items(self, document: Any, request: Request) -> Iterator[Item]:
        detail = camel(document["detail"])
        account = _last(detail.get("instanceArn")) or DEFAULT
        yield Item(document, account, _id(document, detail), self.name)

    def facts(self, item: Item, request: Request) -> Iterable[Fact]:
        envelope, detail = item.value, camel(item.value["detail"])
        kind = str(envelope.get("detail-type") or "event without a type")[:100]
        if kind == _CONTACT:
            yield _contact(item, envelope, detail)
        elif kind.startswith("Contact Lens") and kind.endswith("Rules Matched"):
            yield _matched(item, kind, detail, when_iso(envelope.get("time")))
        else:
            raise NoWord(f"amazon_connect {kind}")


def _id(envelope: Mapping[str, Any], detail: Mapping[str, Any]) -> str:
    if contact := detail.get("contactId"):
        at = _at(detail, envelope)
        return f"{ident(contact)}/{detail.get('eventType')}/{at.isoformat() if at else ''}"
    if contact := detail.get("contactArn"):
        rule = (detail.get("ruleName"), detail.get("actionName"))
        return fingerprint(contact, envelope.get("detail-type"), *rule)
    return ident(envelope["id"])


def _contact(item: Item, envelope: Mapping[str, Any], detail: Mapping[str, Any]) -> Fact:
    kind, medium = str(detail["eventType"]), str(detail["channel"]).upper()
    if kind not in _STATES:
        raise NoWord(f"amazon_connect {kind[:100]}: says nothing of the contact's course")
    if medium not in _MEDIA:
        raise NoWord(f"amazon_connect {medium[:100]}: no contact with a customer")
    at, agent = _at(detail, envelope), detail.get("agentInfo") or {}
    recorded = p.Recorded(
        **item.said,
        contact_id=detail.get("initialContactId") or detail["contactId"],
        medium=_MEDIA[medium],
        state=_state(kind, detail),
        identity=_customer(item, detail),
        agent=_last(agent.get("agentArn")),
        queued_ms=_queued(kind, detail, at),
    )
    return Fact("contact.recorded", recorded, at)


def _state(kind: str, detail: Mapping[str, Any]) -> str:
    """Who waited for somebody and spoke to nobody gave up."""
    if kind == "DISCONNECTED" and detail.get("queueInfo") and not detail.get("agentInfo"):
        return "abandoned"
    return _STATES[kind][0]


def _customer(item: Item, detail: Mapping[str, Any]) -> p.Identity | None:
    """As the contact flow knows them; a telephone number is nobody's identity."""
    known = detail.get("customerId")
    if not known:
        return None
    return p.Identity(channel=item.channel, scope=item.account, subject=ident(known))


def _at(detail: Mapping[str, Any], envelope: Mapping[str, Any]) -> datetime | None:
    """The event's own time, else EventBridge's; 1970 is how Connect writes "not yet"."""
    _, place = _STATES.get(str(detail.get("eventType")), ("", ()))
    return _time(detail, *place) or when_iso(envelope.get("time"))


def _time(detail: Mapping[str, Any], *place: str) -> datetime | None:
    found: Any = detail if place else None
    for step in place:
        found = (found or {}).get(step)
    at = when_iso(found)
    return at if at and at > _NEVER else None


def _queued(kind: str, detail: Mapping[str, Any], at: datetime | None) -> int | None:
    """How long they waited, in ms: until somebody answered, or until they gave up."""
    since = _time(detail, "queueInfo", "enqueueTimestamp")
    if kind not in ("CONNECTED_TO_AGENT", "DISCONNECTED") or not since or not at:
        return None
    until = _time(detail, "agentInfo", "connectedToAgentTimestamp") or at
    waited = (until - since).total_seconds() * 1000
    return int(waited) if waited >= 0 else None


def _matched(item: Item, kind: str, detail: Mapping[str, Any], at: datetime | None) -> Fact:
    """A rule is named after what was heard; its name and its action are all that is told."""
    said = [str(detail[key]) for key in ("ruleName", "actionName") if detail.get(key)]
    written = "Chat" in kind or "Email" in kind
    recorded = p.Recorded(
        **item.said,
        contact_id=ident(_last(detail["contactArn"])),
        medium="chat" if written else "voice",
        state="rule_matched",
        agent=_last(detail.get("agentArn")),
        summary=": ".join(said).replace("_", " ") or None,
    )
    return Fact("contact.recorded", recorded, at)


def _last(arn: Any) -> str | None:
    """What an ARN names: its part after the last slash."""
    return arn.rpartition("/")[2] or None if isinstance(arn, str) else None


channel = AmazonConnect()
