"""Stories: `events/scenarios/<name>.yaml`, what platforms deliver, and what must come of it.

Nothing in a story grows stale: its times are counted back from the run's beginning, its ids are
made from the run's id. The same run told twice says the same facts.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from typing import Any

import yaml  # type: ignore[import-untyped]

from chalicelib import sources
from chalicelib.events import Event, caused_id, iso
from chalicelib.source import Request
from parley.places import EVENTS
from parley.screen import Misused

SCENARIOS = EVENTS / "scenarios"
_SLOT = re.compile(r"\$\{(\w+)(?: ([\w-]+))?\}")
_SPAN = re.compile(r"-?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_CORRUPTION = b" "


@dataclass(frozen=True)
class Step:
    """One delivery: who says what, where, and when it happened, counted back from the run."""

    who: str
    says: str
    to: str
    at: str
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    times: int = 1
    corrupt: bool = False


@dataclass(frozen=True)
class Expected:
    """What must have come of it. Milestones are in order."""

    told: Mapping[str, list[str]] = field(default_factory=dict)
    orders: Mapping[str, list[str]] = field(default_factory=dict)
    shippers: Mapping[str, list[str]] = field(default_factory=dict)
    desks: Mapping[str, list[str]] = field(default_factory=dict)
    superseded: list[str] = field(default_factory=list)
    cases: int = 0


@dataclass(frozen=True)
class Story:
    """A scenario as its author wrote it."""

    title: str
    about: str
    steps: tuple[Step, ...]
    expect: Mapping[str, Any]
    names: Mapping[str, str] = field(default_factory=dict)
    answers: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Delivery:
    """A step of one run, ready to be signed and sent."""

    step: Step
    at: datetime
    body: bytes
    headers: Mapping[str, str]

    @property
    def request(self) -> Request:
        """Unsigned, as it stands at its own moment."""
        return Request(body=self.body, headers=self.headers, now=self.at)

    @cached_property
    def facts(self) -> list[Event]:
        """What its adapter reads in it; nothing of what will be refused."""
        return [] if self.step.corrupt else sources.get(self.step.to).read(self.request)

    def sent(self, body: bytes) -> bytes:
        """The bytes that travel, given those that were signed."""
        return body + _CORRUPTION if self.step.corrupt else body

    @property
    def status(self) -> int:
        """What the hub must answer."""
        return 401 if self.step.corrupt else 200


class Run:
    """A story told once: `id` makes its names, `base` its times (aware; cut to the second)."""

    def __init__(self, story: Story, id: str, base: datetime) -> None:
        self.story, self.id = story, id
        self.base = base.astimezone(UTC).replace(microsecond=0)
        self.names = {name: self._made(name, form) for name, form in story.names.items()}

    @cached_property
    def deliveries(self) -> tuple[Delivery, ...]:
        """Every step once, in order; `times` is the player's."""
        return tuple(map(self._delivery, self.story.steps))

    @property
    def answers(self) -> list[dict[str, Any]]:
        """What the recorder must answer."""
        return [self._filled(answer, self.base) for answer in self.story.answers]

    @property
    def expect(self) -> Expected:
        return Expected(**self._filled(self.story.expect, self.base))

    def _delivery(self, step: Step) -> Delivery:
        at = self.base + span(step.at)
        body = json.dumps(self._filled(step.body, at), ensure_ascii=False).encode()
        headers = {"content-type": "application/json", **self._filled(step.headers, at)}
        return Delivery(step, at, body, headers)

    def _made(self, name: str, form: str) -> str:
        number = int(sha256(f"{self.id}/{name}".encode()).hexdigest(), 16)
        digits = iter(f"1{number}")
        return re.sub("#", lambda _: next(digits), form)

    def _filled(self, value: Any, at: datetime) -> Any:
        match value:
            case str() if whole := _SLOT.fullmatch(value):
                return self._slot(whole, at)
            case str():
                return _SLOT.sub(lambda slot: str(self._slot(slot, at)), value)
            case Mapping():
                return {self._filled(k, at): self._filled(v, at) for k, v in value.items()}
            case list() | tuple():
                return [self._filled(each, at) for each in value]
        return value

    def _slot(self, slot: re.Match[str], at: datetime) -> Any:
        word, of = slot[1], slot[2] or ""
        if word in _TIMES:
            return _TIMES[word](self.base + span(of) if of else at)
        if word == "asked":
            return self._asked(of)
        if word == "int":
            return int(self._named(of))
        return self._named(word)

    def _named(self, name: str) -> str:
        if name not in self.names:
            raise Misused(f"the story names no ${{{name}}}")
        return self.names[name]

    def _asked(self, name: str) -> str:
        """Id of the `order.requested` that follows from a delivery: what Shopify's order names."""
        step = next((step for step in self.story.steps if step.name == name), None)
        if step is None:
            raise Misused(f"the story has no delivery {name!r}")
        return caused_id(self._delivery(step).facts[0].id, "order.requested")


def _millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)


_TIMES = {"iso": iso, "unix": lambda at: str(int(at.timestamp())), "ms": _millis}


def span(text: str) -> timedelta:
    """`-5h30m` as a time span; Misused for what is none."""
    found = _SPAN.fullmatch(text)
    if not found or not any(found.groups()):
        raise Misused(f"{text!r} is no span such as -5h30m")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    length = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return -length if text.startswith("-") else length


def names() -> list[str]:
    """Every story there is."""
    return sorted(path.stem for path in SCENARIOS.glob("*.yaml"))


def load(name: str) -> Story:
    """The story of that name. Misused for one that is not there, or that cannot be read."""
    path = SCENARIOS / f"{name}.yaml"
    if not path.is_file():
        raise Misused(f"no story {name!r}; there are: {', '.join(names())}", "ls events/scenarios")
    try:
        return _story(yaml.safe_load(path.read_text()))
    except (yaml.YAMLError, TypeError) as error:
        raise Misused(f"events/scenarios/{path.name}: {error}") from error


def _story(told: Mapping[str, Any]) -> Story:
    steps = tuple(Step(**step) for step in told["steps"])
    answers = tuple(told.get("answers", ()))
    known = {f.name: told[f.name] for f in fields(Story) if f.name in told}
    return Story(**{**known, "steps": steps, "answers": answers})
