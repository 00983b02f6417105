"""One profile remembers: who was seen where, what they agreed to, how far a message came.

Everything here is a register: the latest fact wins, in any order of arrival.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from chalice.app import Blueprint

from chalicelib import payloads as p
from chalicelib import sources, wiring
from chalicelib.errors import UnknownSource
from chalicelib.events import Event, iso
from chalicelib.functions._facts import keep, key
from chalicelib.functions._ports import Table
from chalicelib.functions._shell import Patterns, of, run

bp = Blueprint(__name__)
STATUS_RANK = {"accepted": 0, "sent": 1, "failed": 2, "delivered": 3, "read": 4, "played": 5}
"""A message's status is a rank and never falls (EVENTS, law 2)."""
_SEEN = (
    "message.received postback.received reaction.added referral.received conversation.opened"
    " contact.recorded comment.created mention.created review.created"
)
_CONSENTS = "consent.granted consent.withdrawn"
_STATUSES = "message.sent message.delivered message.read message.failed message.echoed"


@dataclass(frozen=True)
class Profiles:
    """Writes one item an event; says nothing that it hears."""

    table: Table
    consumes: ClassVar[Patterns] = of(f"{_SEEN} {_STATUSES} {_CONSENTS} identity.linked")
    emits: ClassVar[Patterns] = {}

    def __call__(self, event: Event, now: datetime) -> Iterable[Event]:
        match event.data:
            case p.Consent() as consent:
                self.table.put_newer(_consent(event, consent), "rank")
            case p.Status() as status:
                if status.message_id or status.trace or status.watermark:
                    self.table.put_newer(_status(event, status), "rank")
            case p.Message(direction="out", trace=str(trace)):
                self.table.put_newer(_traced(event, trace), "rank")
            case p.Link() as link:
                self._linked(event, link)
            case _:
                self._seen(event)
        return ()

    def _seen(self, event: Event) -> None:
        data: Any = event.data
        author = getattr(data, "author", None)
        identity = author.identity if author else getattr(data, "identity", None)
        if identity is None or (author and author.kind != "customer"):
            return
        self.table.put_newer(_sight(event, data, identity), "rank")

    def _linked(self, event: Event, link: p.Link) -> None:
        for identity in (link.a, link.b):
            keep(self.table, key("IDENTITY", identity.path), event)


def _sight(event: Event, data: Any, identity: p.Identity) -> dict[str, Any]:
    """The last time somebody spoke here: windows and reply tokens are computed from it."""
    token = getattr(data, "reply_token", None)
    conversation = getattr(data, "conversation_id", None)
    optional = {
        "conversation_id": conversation,
        "display_name": getattr(getattr(data, "author", None), "display_name", None),
        "lang": getattr(data, "lang", None),
        "token": token.token if token else None,
        "token_until": iso(token.expires_at) if token else None,
        "aliases": list(identity.aliases) or None,
    }
    return {
        "pk": key("IDENTITY", identity.path),
        "sk": key(_place(data), data.account),
        "rank": f"{iso(event.effective)}#{event.id}",
        "last_at": iso(event.effective),
        **{name: value for name, value in optional.items() if value is not None},
    }


def _place(data: Any) -> str:
    """CONV where it opens the channel's window, or the channel needs none; else only a sight."""
    if getattr(data, "visibility", "private") == "public":
        return "POST"
    if getattr(data, "window_until", None) or not _windowed(data.channel):
        return "CONV"
    return "SIGHT"


def _windowed(name: str) -> bool:
    try:
        return sources.channel(name).window is not None
    except UnknownSource:
        return False


def _consent(event: Event, consent: p.Consent) -> dict[str, Any]:
    """The latest wins; of two at one moment, the withdrawal (EVENTS, law 5)."""
    withdrawn = event.type == "consent.withdrawn"
    return {
        "pk": key("IDENTITY", consent.identity.path),
        "sk": key("CONSENT", consent.purpose),
        "rank": f"{iso(event.effective)}#{int(withdrawn)}#{event.id}",
        "withdrawn": withdrawn,
        "source": consent.source,
    }


def _status(event: Event, status: p.Status) -> dict[str, Any]:
    known = status.trace or status.message_id or f"{status.conversation_id}@watermark"
    where = known if status.trace else p.path(status.channel, status.account, known)
    return _delivery(where, STATUS_RANK[status.status], status.status, event)


def _traced(event: Event, trace: str) -> dict[str, Any]:
    return _delivery(trace, STATUS_RANK["sent"], "sent", event)


def _delivery(where: str, rank: int, status: str, event: Event) -> dict[str, Any]:
    return {
        "pk": key("SENT", where),
        "sk": "STATUS",
        "rank": f"{rank}#{iso(event.effective)}#{event.id}",
        "status": status,
        "at": iso(event.effective),
    }


@bp.lambda_function(name="profiles")
def profiles(batch: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda: records of the profiles queue."""
    return run(Profiles(wiring.table()), batch, context)
