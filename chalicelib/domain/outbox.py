"""Effects that were decided and not yet done: one item per (subject, milestone, audience).

    planned ──claim──► calling ──► sent | failed | unknown
       ▲                  │
       └──── retry ───────┘        planned ──► superseded | blocked

An expired `calling` means that nobody knows, never that it is free (DESIGN §1.5).
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

from chalicelib.events import Cause, caused_id, iso, moment_of

Audience = Literal["buyer", "desk", "shipper"]
State = Literal["planned", "calling", "sent", "failed", "unknown", "superseded", "blocked"]
OVER: frozenset[str] = frozenset({"sent", "failed", "superseded", "blocked"})
SHARDS = 8
CALLING = timedelta(seconds=60)
"""How long a call may take, with the crash of its caller noticed after it."""
TRACE = timedelta(minutes=10)
"""How long the trace of a call with an unknown end is waited for."""
KEPT = timedelta(days=60)
FRESH = timedelta(hours=24)
"""A message about a fact older than this is not sent, whoever re-delivers the fact."""
_NEWS = {
    "confirmed": 0,
    "paid": 1,
    "shipped": 2,
    "out_for_delivery": 3,
    "ready_for_pickup": 3,
    "attempt_failed": 4,
    "exception": 4,
    "delivered": 5,
}
"""Milestones that tell how far an order is: the further one supersedes an unsent one."""


@dataclass(frozen=True)
class Plan:
    """What to do, for whom, when, and until when it makes sense."""

    subject: str
    milestone: str
    audience: Audience
    via: str
    """The channel, carrier or desk that does it."""
    account: str
    body: str
    """JSON of what to say, as `sender` needs it."""
    cause: Cause
    send_at: datetime
    fresh_until: datetime
    occasion: str = ""

    @property
    def key(self) -> str:
        """Its name for ever: retry key, trace, id of what follows."""
        return caused_id(self.subject, f"{self.milestone}/{self.occasion}", self.audience)

    @property
    def pk(self) -> str:
        return partition(self.subject)

    @property
    def sk(self) -> str:
        return sort_key(self.milestone, self.occasion, self.audience)

    def item(self) -> dict[str, Any]:
        """As it is kept, in the index of what falls due."""
        cause = self.cause
        return {
            "pk": self.pk,
            "sk": self.sk,
            "gsi1pk": shard_of("OUTBOX", self.key),
            "gsi1sk": iso(self.send_at),
            "key": self.key,
            "state": "planned",
            "milestone": self.milestone,
            "audience": self.audience,
            "subject": self.subject,
            "via": self.via,
            "account": self.account,
            "body": self.body,
            "cause": [cause.id, cause.correlationid, cause.hops, iso(cause.time)],
            "send_at": iso(self.send_at),
            "fresh_until": iso(self.fresh_until),
            "attempts": 0,
            "owner": cause.id,
            "expires": int((self.send_at + KEPT).timestamp()),
        }


@dataclass(frozen=True)
class Planned:
    """A stored plan, read back."""

    pk: str
    sk: str
    key: str
    state: State
    milestone: str
    audience: Audience
    subject: str
    via: str
    account: str
    body: str
    cause: Cause
    send_at: datetime
    fresh_until: datetime
    attempts: int
    until: datetime | None = None
    means: str | None = None

    @classmethod
    def read(cls, item: dict[str, Any]) -> "Planned":
        ident, correlation, hops, time = item["cause"]
        plain = {k: item[k] for k in ("pk", "sk", "key", "state", "milestone", "audience")}
        return cls(
            **plain,
            subject=item["subject"],
            via=item["via"],
            account=item["account"],
            body=item["body"],
            cause=Cause(ident, correlation, int(hops), moment_of(time)),
            send_at=moment_of(item["send_at"]),
            fresh_until=moment_of(item["fresh_until"]),
            attempts=int(item["attempts"]),
            until=moment_of(item["until"]) if "until" in item else None,
            means=item.get("means"),
        )

    def superseded_by(self, others: list["Planned"]) -> bool:
        """Whether further news of the same order is planned or told already."""
        mine = _NEWS.get(self.milestone)
        if mine is None or self.audience != "buyer":
            return False
        rivals = (o for o in others if o.audience == "buyer" and o.state != "blocked")
        same = (o for o in rivals if self._parcel in ("", o._parcel))
        return any(_NEWS.get(o.milestone, -1) > mine for o in same if o.key != self.key)

    @property
    def _parcel(self) -> str:
        """The parcel that it is news of; empty for the whole order, which any parcel is news of."""
        return self.sk.split("#")[1].partition("@")[0]


def partition(subject: str) -> str:
    """Where everything planned about a subject is; a long one is hashed, keys have a limit."""
    if len(subject.encode()) <= 900:
        return f"OUTBOX#{subject}"
    return f"OUTBOX##{sha256(subject.encode()).hexdigest()}"


def sort_key(milestone: str, occasion: str, audience: str) -> str:
    """`milestone#occasion#audience`; a long occasion is hashed."""
    place = occasion if len(occasion.encode()) <= 200 else sha256(occasion.encode()).hexdigest()
    return f"{milestone}#{place}#{audience}"


def shard_of(kind: str, key: str) -> str:
    """Which of the due lists a thing is in: spread by hash, so that none is hot."""
    return f"DUE#{kind}#{int(sha256(key.encode()).hexdigest()[:4], 16) % SHARDS}"


def shards(kind: str) -> list[str]:
    """Every due list of a kind."""
    return [f"DUE#{kind}#{n}" for n in range(SHARDS)]


def backoff(attempts: int) -> timedelta:
    """Two seconds, doubling, at most ten minutes."""
    return timedelta(seconds=min(600, 2 ** (attempts + 1)))


def as_json(body: Any) -> dict[str, Any]:
    """A body's dataclass as JSON values."""
    return asdict(body)
