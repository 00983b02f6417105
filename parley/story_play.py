"""Telling a story to a hub, in order or not, and holding what came of it against the script."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from chalicelib import sources
from chalicelib.credentials import Accounts
from chalicelib.errors import UnknownSource
from chalicelib.source import Request, SignedSource
from parley.screen import Say, silent
from parley.story import Delivery, Expected, Run
from parley.story_evidence import Evidence


class Hub(Protocol):
    """Where a story is told: the embedded hub, or the one in memory."""

    def post(self, delivery: Delivery) -> int: ...

    def settle(self) -> None:
        """Return when every reaction to what was posted is over."""

    def evidence(self) -> Evidence: ...


@dataclass(frozen=True)
class Check:
    """One thing that must be so. `details` name what is not as it should be."""

    claim: str
    details: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.details


@dataclass(frozen=True)
class Answered:
    """A delivery and the status it was given."""

    delivery: Delivery
    status: int


def signed(delivery: Delivery, now: datetime, secrets: Mapping[str, Any]) -> Request:
    """The delivery as its platform would post it at `now`; a corrupt one changed on its way."""
    source = sources.get(delivery.step.to)
    request = replace(delivery.request, now=now)
    if isinstance(source, SignedSource):
        accounts = Accounts(source.name, secrets.get(source.name, {}))
        holder = next(iter(accounts.holding(source.signing_key, None)))
        made = source.sign(request, holder.one(source.signing_key))
        request = replace(request, headers={**request.headers, **made})
    return replace(request, body=delivery.sent(request.body))


def tell(run: Run, hub: Hub, say: Say = silent) -> list[Answered]:
    """Every delivery in order, each as often as the script says, the hub at rest in between."""
    answered = []
    for delivery in run.deliveries:
        say(f"{delivery.step.who} {delivery.step.says}")
        for _ in range(delivery.step.times):
            answered.append(Answered(delivery, hub.post(delivery)))
        hub.settle()
    return answered


def tell_again(run: Run, hub: Hub, seed: int, say: Say = silent) -> list[Answered]:
    """Everything twice as often, in an order that nobody would choose, without a pause."""
    every = [d for d in run.deliveries for _ in range(2 * d.step.times)]
    random.Random(seed).shuffle(every)
    answered = []
    for delivery in every:
        say(f"again: {delivery.step.to}")
        answered.append(Answered(delivery, hub.post(delivery)))
    hub.settle()
    return answered


def outcome(run: Run, answered: Sequence[Answered], seen: Evidence) -> list[Check]:
    """Whether the story ended as its script says."""
    expect = run.expect
    return [
        _answers(answered),
        *_told(expect, seen),
        *_asked("shipper", expect.shippers, seen),
        *_asked("desk", expect.desks, seen),
        *_orders(expect, seen),
        _cases(expect, seen),
        _log(seen),
        _unplanned(seen),
        _stuck(seen),
    ]


def unchanged(before: Evidence, after: Evidence) -> list[Check]:
    """Whether a second telling left everything as it was."""
    then, now = before.picture(), after.picture()
    return [
        Check(
            f"{what}: {sum(then[what].values())}, as before", tuple(_moved(then[what], now[what]))
        )
        for what in then
    ]


def refused(answered: Sequence[Answered]) -> Check:
    """Whether each delivery was answered as its platform must be."""
    return _answers(answered)


def _answers(answered: Sequence[Answered]) -> Check:
    counts = Counter(each.status for each in answered)
    shown = ", ".join(f"{count} × {status}" for status, count in sorted(counts.items()))
    wrong = (
        f"{a.delivery.step.to} was answered {a.status}, not {a.delivery.status}: "
        f"{a.delivery.step.who} {a.delivery.step.says}"
        for a in answered
        if a.status != a.delivery.status
    )
    return Check(f"{len(answered)} deliveries answered: {shown}", tuple(dict.fromkeys(wrong)))


def _told(expect: Expected, seen: Evidence) -> Iterator[Check]:
    spoken = {e.item["via"] for e in seen.effects if e.of("buyer") and e.calls}
    for via in dict.fromkeys((*expect.told, *sorted(spoken))):
        told = [e.item["milestone"] for e in seen.effects if e.of("buyer", via) for _ in e.calls]
        yield _same(f"told on {title(via)}", expect.told.get(via, []), told)
    gone = [e.item["milestone"] for e in seen.effects if e.state == "superseded"]
    if gone or expect.superseded:
        yield _same("not told, because newer news was", expect.superseded, gone)


_ASKED = {"shipper": "asked of", "desk": "brought to"}


def _asked(audience: str, expected: Mapping[str, list[str]], seen: Evidence) -> Iterator[Check]:
    called = {e.item["via"] for e in seen.effects if e.of(audience) and e.calls}
    for via in dict.fromkeys((*expected, *sorted(called))):
        mine = [e for e in seen.effects if e.of(audience, via) for _ in e.calls]
        heard = [e.item["milestone"].partition("-")[0] for e in mine]
        yield _same(f"{_ASKED[audience]} {title(via)}", expected.get(via, []), heard)


def _orders(expect: Expected, seen: Evidence) -> Iterator[Check]:
    reached = {
        state.latest.order_number or key: [
            r.milestone for r in sorted(state.reached, key=lambda r: r.witness.rank)
        ]
        for key, state in seen.orders.items()
        if state.latest
    }
    for number in dict.fromkeys((*expect.orders, *reached)):
        yield _same(f"order {number}", expect.orders.get(number, []), reached.get(number, []))


def _cases(expect: Expected, seen: Evidence) -> Check:
    found = seen.cases
    told = {e.body["case_id"] for e in seen.effects if e.of("desk") and e.calls}
    wrong = [] if len(found) == expect.cases else [f"{len(found)} cases: {sorted(found)}"]
    wrong += [f"a desk never heard of {case}" for case in sorted(found - told)]
    claim = f"cases: {expect.cases}" + (", and a desk has it" if expect.cases else "")
    return Check(claim, tuple(wrong))


def _log(seen: Evidence) -> Check:
    lost = (f"{e['type']} {i}" for i, e in seen.facts.items() if i not in seen.logged)
    claim = f"all {len(seen.facts)} facts of the bus are in the log"
    return Check(claim, tuple(f"not in the log: {each}" for each in lost))


def _unplanned(seen: Evidence) -> Check:
    planned = {id(call) for effect in seen.effects for call in effect.calls}
    loose = (c for c in seen.messages if id(c) not in planned)
    again = (f"said more than once: {key}" for key, n in Counter(seen.outside()).items() if n > 1)
    wrong = (*(f"nobody planned {c['method']} {c['url']}" for c in loose), *again)
    return Check(f"{len(seen.messages)} messages left the hub, each planned, each once", wrong)


def _stuck(seen: Evidence) -> Check:
    wrong = tuple(f"{queue} holds {count}" for queue, count in seen.stuck.items())
    return Check("no dead-letter queue holds anything", wrong)


def title(name: str) -> str:
    """What a channel, carrier or desk is called among people."""
    try:
        return sources.get(name).title
    except UnknownSource:
        return name.capitalize()


def _same(claim: str, expected: list[str], found: list[str]) -> Check:
    shown = ", ".join(expected) or "nothing"
    if expected == found:
        return Check(f"{claim}: {shown}")
    return Check(f"{claim}: {shown}", (f"{claim}: {', '.join(found) or 'nothing'}",))


def _moved(then: Counter[str], now: Counter[str]) -> Iterator[str]:
    yield from (f"new: {each}" for each in (now - then).elements())
    yield from (f"gone: {each}" for each in (then - now).elements())
