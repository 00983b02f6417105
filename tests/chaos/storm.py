"""Trouble at any call of any gateway: a process that dies, a call that ends in an error."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Moment = Literal["before", "after"]
MOMENTS: tuple[Moment, ...] = ("before", "after")

AGAIN = object()
"""What a strike says after a call whose answer is lost: it is made again, and that one counts."""


class Crash(BaseException):
    """The process is gone. Nothing of it goes on, and nobody hears of it."""


@dataclass
class Storm:
    """Counts calls, and does at one of them what it was told to."""

    calls: list[str] = field(default_factory=list)
    """What was called so far, in order: who, which call, about what."""
    struck: bool = False
    _at: tuple[int, Moment] | None = None
    _strike: Callable[[], object] = lambda: None

    def strike(self, place: int, moment: Moment, strike: Callable[[], object]) -> None:
        """Once, at the call of that place: before its effect, or after it."""
        self._at, self._strike = (place, moment), strike

    def call(self, name: str, work: Callable[[], Any]) -> Any:
        place = len(self.calls)
        self.calls.append(name)
        self._meet(place, "before")
        answer = work()
        return work() if self._meet(place, "after") is AGAIN else answer

    def fork(self) -> "Storm":
        return Storm(list(self.calls))

    def _meet(self, place: int, moment: Moment) -> object:
        if (place, moment) != self._at or self.struck:
            return None
        self.struck = True
        return self._strike()


class Watched:
    """A gateway whose every call a storm may meet."""

    def __init__(self, storm: Storm, gateway: Any, who: Callable[[], str]) -> None:
        self._storm, self._gateway, self._who = storm, gateway, who

    def __getattr__(self, method: str) -> Callable[..., Any]:
        real = getattr(self._gateway, method)

        def call(*args: Any, **named: Any) -> Any:
            if args and args[0] == []:  # nothing to publish or write is no call
                return real(*args, **named)
            name = f"{self._who()} {method} {_about(args)}"
            return self._storm.call(name, lambda: real(*args, **named))

        return call


def dies() -> None:
    raise Crash


def reads(call: str) -> bool:
    """Whether a call, by its name, has no effect."""
    return call.split()[1] in ("get", "query", "due")


def _about(args: Sequence[Any]) -> str:
    match args:
        case [[first, *_], *_]:
            return _short(getattr(first, "type", None) or _place(first))
        case [dict(item), *_]:
            return _short(_place(item))
        case [str(pk), str(sk), *_]:
            return _short(f"{pk} {sk}")
        case [str(pk), *_]:
            return _short(pk)
        case [call, *_]:
            return _short(f"{call.method} {call.url.removeprefix('https://')}")
    return ""


def _place(item: Any) -> str:
    if isinstance(item, dict) and "pk" in item:
        return f"{item['pk']} {item['sk']}"
    return " ".join(str(word) for place in dict(item).values() for word in place)


def _short(text: str) -> str:
    return text if len(text) <= 70 else f"{text[:44]}~{text[-25:]}"
