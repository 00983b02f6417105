"""The one door out: claims an outbox item, calls the platform, carrier or desk, says how it ended.

A call whose end nobody knows is never simply made again: `resend` of the channel decides
(DESIGN §1.5). Whoever wakes a finished item hears its end again, so a crash loses no result.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import uuid4

from chalice.app import Blueprint

from chalicelib import payloads as p
from chalicelib import wiring
from chalicelib.domain.outbox import CALLING, OVER, TRACE, Planned, backoff
from chalicelib.errors import HubError, NotSent, TimedOut, Unsupported
from chalicelib.events import Event, iso, moment_of
from chalicelib.functions._delivery import Deliveries, Delivery
from chalicelib.functions._facts import key
from chalicelib.functions._ports import Queue, Table
from chalicelib.functions._shell import ANY, Patterns, run
from chalicelib.outbound import Call, Outcome

bp = Blueprint(__name__)
PAUSE = timedelta(minutes=15)
MOST_ATTEMPTS = 10
_DUE_GONE = ("gsi1pk", "gsi1sk")


def _token() -> str:
    return uuid4().hex


@dataclass(frozen=True)
class Sender:
    """Woken by `{"outbox": [pk, sk]}`: from the planner, from itself, or from the sweep."""

    table: Table
    queue: Queue
    deliveries: Deliveries
    token: Callable[[], str] = field(default=_token)
    """Names one claim and no other, so that a lost answer is told from a lost race."""
    consumes: ClassVar[Patterns] = {}
    emits: ClassVar[Patterns] = {
        "message.accepted": ANY,
        "message.failed": {"audience": ["buyer", "desk", "shipper"]},
        "shipper.notified": ANY,
        "channel.degraded": {"audience": ["buyer", "desk", "shipper"]},
        "reply.blocked": ANY,
    }

    def __call__(self, event: Event, now: datetime) -> Iterator[Event]:
        raise Unsupported("sender wakes on its queue alone")

    def wake(self, body: dict[str, Any], now: datetime) -> Iterator[Event]:
        pk, sk = body["outbox"]
        items = [Planned.read(item) for item in self.table.query(pk)]
        mine = next((item for item in items if item.sk == sk), None)
        if mine is None:
            return
        if mine.state in OVER:
            yield from self._said_again(mine, now)
        elif mine.state == "planned":
            yield from self._planned(mine, items, now)
        elif mine.until and now < mine.until:
            self._wait(mine, mine.until, now)
        elif mine.state == "calling":
            yield from self._unknown(mine, now)
        else:
            yield from self._traced(mine, now)

    def _planned(self, mine: Planned, items: list[Planned], now: datetime) -> Iterator[Event]:
        if now < mine.send_at:
            self._wait(mine, mine.send_at, now)
        elif now > mine.fresh_until:
            yield from self._end(mine, "blocked", now, reason="stale")
        elif mine.superseded_by(items):
            yield from self._end(mine, "superseded", now, reason="superseded")
        elif paused := self._paused(mine, now):
            self._postpone(mine, paused, now)
        elif mine.attempts and self._arrived(mine):
            yield from self._end(mine, "sent", now)
        else:
            yield from self._claimed(mine, now)

    def _claimed(self, mine: Planned, now: datetime) -> Iterator[Event]:
        """Whoever sets the owner calls; a second caller finds the state changed.

        The means are kept with the claim: after a crash they decide what may be repeated.
        """
        delivery = self.deliveries.of(mine, now)
        claim = {"state": "calling", "owner": self.token(), "until": iso(now + CALLING)}
        if delivery.means:
            claim["means"] = delivery.means
        when = {"state": "planned", "attempts": mine.attempts}
        if self.table.change(mine.pk, mine.sk, claim, when=when):
            claimed = replace(mine, state="calling", means=delivery.means)
            yield from self._called(claimed, delivery, now)

    def _called(self, mine: Planned, delivery: Delivery, now: datetime) -> Iterator[Event]:
        if self.deliveries.in_response(mine, now):
            yield from self._end(mine, "sent", now)
            return
        try:
            call = delivery.call()
        except Unsupported as error:
            refusal = Outcome("permanent", code="unsupported", title=str(error))
            yield from self._failed(mine, refusal, now)
        except HubError:  # a secret is missing: nothing was said, so nothing is unknown
            self._retry(mine, now)
            raise
        else:
            yield from self._made(mine, delivery, call, now)

    def _made(
        self, mine: Planned, delivery: Delivery, call: Call, now: datetime
    ) -> Iterator[Event]:
        try:
            response = self.deliveries.http.send(call, delivery.cause)
        except NotSent:
            self._retry(mine, now)
        except TimedOut:
            yield from self._unknown(mine, now)
        else:
            yield from self._judged(mine, delivery, delivery.speaker.outcome(response), now)

    def _judged(
        self, mine: Planned, delivery: Delivery, outcome: Outcome, now: datetime
    ) -> Iterator[Event]:
        match outcome.verdict:
            case "sent":
                yield from self._end(mine, "sent", now, message_id=outcome.message_id)
            case "retry" if mine.attempts + 1 < MOST_ATTEMPTS:
                self._retry(mine, now, outcome.retry_after_s)
            case "template" if body := delivery.as_template():
                self._replan(mine, now, {"body": body})
            case "unknown":
                yield from self._unknown(mine, now)
            case "reauthorise" | "stop":
                yield from self._stopped(mine, outcome, now)
            case _:
                yield from self._failed(mine, outcome, now)

    def _unknown(self, mine: Planned, now: datetime) -> Iterator[Event]:
        match self.deliveries.resend(mine):
            case "keyed":  # the platform drops a repeat of the same key
                self._retry(mine, now)
            case "traced":
                until = now + TRACE
                change = {"state": "unknown", "until": iso(until), "gsi1sk": iso(until)}
                self.table.change(mine.pk, mine.sk, change, when={"state": "calling"})
                self._wait(mine, until, now)
            case _:
                yield from self._failed(mine, Outcome("permanent", code="unknown"), now)

    def _traced(self, mine: Planned, now: datetime) -> Iterator[Event]:
        """The platform's own status bears our key, if the call arrived after all."""
        if self._arrived(mine):
            yield from self._end(mine, "sent", now, was="unknown")
        else:
            yield from self._failed(mine, Outcome("permanent", code="unknown"), now)

    def _arrived(self, mine: Planned) -> bool:
        """Whether a status that bears our key says that an earlier call came through."""
        if self.deliveries.resend(mine) != "traced":
            return False
        return self.table.get(key("SENT", mine.key), "STATUS") is not None

    def _failed(self, mine: Planned, outcome: Outcome, now: datetime) -> Iterator[Event]:
        title = outcome.title[:200] if outcome.title else None
        told = {"code": outcome.code or "refused", **({"title": title} if title else {})}
        yield from self._end(mine, "failed", now, was=mine.state, **told)

    def _stopped(self, mine: Planned, outcome: Outcome, now: datetime) -> Iterator[Event]:
        """The account cannot send at all: everything for it waits, and a desk is told once."""
        where, until = _account(mine), now + PAUSE
        item = {"pk": where, "sk": "PAUSE", "until": iso(until), "key": mine.key}
        fresh = self.table.put_newer({**item, "expires": int(until.timestamp())}, "until")
        self._postpone(mine, until, now)
        if fresh:
            data = p.ChannelState(
                channel=mine.via,
                account=mine.account,
                audience=mine.audience,
                reason=outcome.code or outcome.verdict,
                until=until,
            )
            subject = "channel/" + p.path(mine.via, mine.account)
            hour = f"{mine.via}/{mine.account}/{now:%Y-%m-%dT%H}"
            yield mine.cause.then("channel.degraded", data, subject, now=now, discriminator=hour)

    def _paused(self, mine: Planned, now: datetime) -> datetime | None:
        pause = self.table.get(_account(mine), "PAUSE")
        until = moment_of(pause["until"]) if pause else now
        return until if until > now else None

    def _retry(self, mine: Planned, now: datetime, after_s: int | None = None) -> None:
        wait = timedelta(seconds=after_s) if after_s is not None else backoff(mine.attempts)
        self._replan(mine, now + wait, {"attempts": mine.attempts + 1})
        self._wait(mine, now + wait, now)

    def _replan(self, mine: Planned, at: datetime, more: dict[str, Any]) -> None:
        """Planned again; the sweep finds it when the wake-up is lost."""
        change = {"state": "planned", "send_at": iso(at), "gsi1sk": iso(at), **more}
        self.table.change(mine.pk, mine.sk, change, when={"state": "calling"})
        if "body" in more:
            self.queue.send({"outbox": [mine.pk, mine.sk]})

    def _postpone(self, mine: Planned, at: datetime, now: datetime) -> None:
        change = {"state": "planned", "send_at": iso(at), "gsi1sk": iso(at)}
        self.table.change(mine.pk, mine.sk, change, when={"state": mine.state})
        self._wait(mine, at, now)

    def _wait(self, mine: Planned, until: datetime, now: datetime) -> None:
        """A wait is no failure; what is further away than SQS reaches is the sweep's."""
        seconds = int((until - now).total_seconds()) + 1
        if seconds <= 900:
            self.queue.send({"outbox": [mine.pk, mine.sk]}, seconds)

    def _end(
        self, mine: Planned, state: str, now: datetime, was: str | None = None, **told: Any
    ) -> Iterator[Event]:
        kept = {name: value for name, value in told.items() if value is not None}
        change = {"state": state, "ended_at": iso(now), **kept}
        when = {"state": was or mine.state}
        item = self.table.change(mine.pk, mine.sk, change, when=when, remove=_DUE_GONE)
        if item:
            yield from self._results(mine, item, now)
        else:  # it was ended before: perhaps by ourselves, and only the answer was lost
            yield from self._said_again(mine, now)

    def _said_again(self, mine: Planned, now: datetime) -> Iterator[Event]:
        item = self.table.get(mine.pk, mine.sk)
        if item and item["state"] in OVER:
            yield from self._results(mine, item, now)

    def _results(self, mine: Planned, item: dict[str, Any], now: datetime) -> Iterator[Event]:
        for type_, data in self.deliveries.results(mine, item):
            yield mine.cause.then(type_, data, mine.subject, now=now, discriminator=mine.key)


def _account(mine: Planned) -> str:
    return key("CHANNEL", p.path(mine.via, mine.account))


@bp.lambda_function(name="sender")
def sender(batch: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda: outbox items that fell due."""
    table = wiring.table()
    deliveries = Deliveries(table, wiring.http(), wiring.send_secrets())
    reaction = Sender(table, wiring.outbox_queue(), deliveries)
    return run(reaction, batch, context, reaction.wake)
