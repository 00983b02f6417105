"""A story as a person reads it: who did what, what the hub made of it, what was said outside."""

import json
import textwrap
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from rich.text import Text

from chalicelib import sources
from chalicelib.events import moment_of
from parley.places import EVENTS
from parley.story import Delivery
from parley.story_evidence import Effect, Evidence
from parley.story_play import Answered, title
from parley.timeline_words import gist

WIDTH = 100
_ACTOR = 9
"""Where the actors begin; their words begin further right."""
_WORDS = 26
_TIMES = 8
_NEVER = 1e9
_QUIET = frozenset({"order.confirmed", "reply.planned", "reply.requested", "message.accepted"})
"""Told by what follows from them."""
_SPOKEN = ("message.", "comment.", "mention.", "review.", "referral.", "postback.", "contact.")
_COLOURS = {"channels": "magenta", "carriers": "yellow", "desks": "red"}


@dataclass(frozen=True)
class Beat:
    """One line of a scene: who, what, and how long after the delivery."""

    who: str
    words: str
    style: str
    after: float | None = None


@dataclass(frozen=True)
class Scene:
    """A delivery and everything that came of it."""

    delivery: Delivery
    statuses: tuple[int, ...]
    beats: tuple[Beat, ...]


def scenes(
    deliveries: Sequence[Delivery], answered: Sequence[Answered], seen: Evidence
) -> list[Scene]:
    """The story in the order in which it was told."""
    beats = _Beats(deliveries, seen)
    found = []
    for place, delivery in enumerate(deliveries):
        given = tuple(a.status for a in answered if a.delivery is delivery)
        found.append(Scene(delivery, given, tuple(beats.of(place, given))))
    return found


def lines(scene: Scene, width: int = WIDTH) -> Iterator[Text]:
    """A scene as lines of text, styled; `width` columns at most."""
    step = scene.delivery.step
    local = scene.delivery.at.astimezone()
    often = f" (delivered {_times(len(scene.statuses))})" if len(scene.statuses) > 1 else ""
    who, style = _speaker(scene.delivery)
    head = Text(f" {local:%H:%M}  ", style="bold")
    head.append(f"{who:<{_WORDS - _ACTOR - 1}}  ", style=f"bold {style}")
    first, *more = textwrap.wrap(step.says + often, width - _WORDS)
    yield head.append(first, style="bold")
    for part in more:
        yield Text(f"       │{'':<{_WORDS - 8}}", style="dim").append(part, style="bold")
    for n, beat in enumerate(scene.beats, start=1):
        yield from _beat(beat, last=n == len(scene.beats), width=width)


class _Beats:
    """Everything that was said and done, by the delivery it goes back to."""

    def __init__(self, deliveries: Sequence[Delivery], seen: Evidence) -> None:
        self._seen = seen
        self._places = _roots(deliveries)
        self._facts: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
        self._effects: dict[int, list[Effect]] = defaultdict(list)
        for event in seen.facts.values():
            self._facts[self._place(event["id"])].append(event)
        for effect in seen.effects:
            self._effects[self._place(effect.item["cause"][0])].append(effect)

    def of(self, place: int, statuses: Sequence[int]) -> Iterator[Beat]:
        """What came of one delivery, in the order in which it happened."""
        facts = sorted(self._facts[place], key=lambda e: e["recordedtime"])
        if not facts:
            yield _refusal(statuses)
            return
        began = moment_of(facts[0]["recordedtime"])
        beats = [*_spoken(facts), *_concluded(facts, began)]
        beats += [_done(effect, began) for effect in self._effects[place]]
        beats.sort(key=lambda beat: beat.after or 0.0)
        yield from beats or [Beat("hub", "on record; no news for anybody", "dim")]

    def _place(self, ident: str) -> int:
        """The delivery that a fact goes back to; -1 for one that no delivery led to."""
        while ident not in self._places:
            cause = self._seen.facts.get(ident, {}).get("causationid")
            if cause is None:
                return -1
            ident = cause
        return self._places[ident]


def _roots(deliveries: Sequence[Delivery]) -> dict[str, int]:
    """Which delivery was the first to say a fact, by the fact's id."""
    found: dict[str, int] = {}
    for place, delivery in enumerate(deliveries):
        for event in delivery.facts:
            found.setdefault(event.id, place)
    return found


def _refusal(statuses: Sequence[int]) -> Beat:
    shown = ", ".join(map(str, statuses))
    return Beat(f"✗ {shown}", "refused at the door; nothing reached the bus", "red")


def _spoken(facts: Sequence[Mapping[str, Any]]) -> Iterator[Beat]:
    """The customer's own words; what a shop or a carrier said is in the scene's caption."""
    for fact in facts:
        if "causationid" not in fact and fact["type"].startswith(_SPOKEN):
            yield Beat("", gist(fact["type"], fact["data"], _titles()), "italic", 0.0)


def _concluded(facts: Sequence[Mapping[str, Any]], began: datetime) -> Iterator[Beat]:
    for fact in facts:
        if "causationid" in fact and fact["type"] not in _QUIET and not _idle(fact):
            who = fact["source"].rpartition("/")[2]
            words = gist(fact["type"], fact["data"], _titles())
            after = (moment_of(fact["recordedtime"]) - began).total_seconds()
            yield Beat(who, words, "bright_red" if fact["type"].startswith("case.") else "", after)


def _idle(fact: Mapping[str, Any]) -> bool:
    """A reading that led to nothing; and what the call outside tells better."""
    data = fact["data"]
    return bool(data.get("abstained")) or fact["type"] == "shipper.notified"


def _done(effect: Effect, began: datetime) -> Beat:
    said = _said(effect)
    if not effect.calls:
        why = {"superseded": "is not said: newer news is out"}.get(effect.state, effect.state)
        return Beat("replies", f"{said} {why}", "dim", _NEVER)
    call = effect.calls[0]
    after = (moment_of(call["at"]) - began).total_seconds()
    colour = "bold green" if effect.of("buyer") else "bold red" if effect.of("desk") else "yellow"
    status = "" if call["status"] < 300 else f" ({call['status']})"
    return Beat(f"→ {title(effect.item['via'])}", said + status, colour, after)


def _said(effect: Effect) -> str:
    body = effect.body
    if effect.of("shipper"):
        where = f" to {body['ship_to']}" if body.get("ship_to") else ""
        return f"please {body['action']} order {body['order_number']}{where}"
    return f"“{body.get('text') or body.get('title')}”"


def _beat(beat: Beat, *, last: bool, width: int) -> Iterator[Text]:
    room = width - _WORDS - _TIMES - 1
    folded = textwrap.wrap(beat.words, room) or [""]
    times = f"{beat.after:>6.2f} s" if beat.after and beat.after < _NEVER else ""
    for n, part in enumerate(folded):
        line = Text(f"       {_branch(beat, last=last, first=n == 0)} ", style="dim")
        line.append(f"{beat.who if n == 0 else '':<{_WORDS - _ACTOR}}", style=_who_style(beat))
        line.append(f"{part:<{room}}" if times and n == 0 else part, style=beat.style)
        if times and n == 0:
            line.append(times, style="dim")
        yield line


def _branch(beat: Beat, *, last: bool, first: bool) -> str:
    if not first or not beat.who:
        return " " if last else "│"
    return "└" if last else "├"


def _who_style(beat: Beat) -> str:
    return beat.style if beat.who[:1] in "→✗" else "dim"


def _speaker(delivery: Delivery) -> tuple[str, str]:
    """Who speaks, with the channel where there is room; people, systems and forgers in colours."""
    step = delivery.step
    named = f"{step.who} · {title(step.to)}"
    who = step.who if step.who == title(step.to) or len(named) >= _WORDS - _ACTOR else named
    if step.corrupt:
        return who, "red"
    person = any(fact.subject.startswith("identity/") for fact in delivery.facts)
    return who, "cyan" if person else _COLOURS.get(sources.get(step.to).family, "white")


@cache
def _titles() -> dict[str, str]:
    """Products of the demonstration's catalogue, by SKU."""
    told = json.loads((EVENTS / "catalog.json").read_text())
    return {product["sku"]: product["title"] for product in told["products"]}


def _times(count: int) -> str:
    return {2: "twice", 3: "three times"}.get(count, f"{count} times")
