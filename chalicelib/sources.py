"""The registry: a module in `channels`, `carriers` or `desks` is the integration of its name."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TypeVar

from chalicelib import carriers, channels, desks
from chalicelib.carriers._carrier import Carrier
from chalicelib.channels._channel import Channel
from chalicelib.desks._desk import Desk
from chalicelib.errors import UnknownSource
from chalicelib.source import Source

_T = TypeVar("_T")
_KINDS = {"channel": channels, "carrier": carriers, "desk": desks}


@cache
def names(kind: str) -> tuple[str, ...]:
    """Ids of every channel, carrier or desk."""
    found = (module.name for module in iter_modules(_KINDS[kind].__path__))
    return tuple(sorted(name for name in found if not name.startswith("_")))


@cache
def get(name: str) -> Source:
    """Who posts to `/webhooks/<name>`; UnknownSource when nobody does."""
    for kind in _KINDS:
        if name in names(kind):
            found = _load(kind, name)
            if isinstance(found, Source):
                return found
    raise UnknownSource(name)


@cache
def inbound() -> tuple[str, ...]:
    """Every name that `/webhooks/` knows."""
    every = {name for kind in _KINDS for name in names(kind)}
    return tuple(sorted(name for name in every if _listens(name)))


@cache
def channel(name: str) -> Channel:
    """The channel a customer is answered on."""
    return _of("channel", name, Channel)  # type: ignore[type-abstract]


@cache
def carrier(name: str) -> Carrier:
    return _of("carrier", name, Carrier)


@cache
def desk(name: str) -> Desk:
    return _of("desk", name, Desk)


def _of(kind: str, name: str, type_: type[_T]) -> _T:
    if name not in names(kind):
        raise UnknownSource(f"{kind} {name}")
    found = _load(kind, name)
    if not isinstance(found, type_):
        raise UnknownSource(f"{kind} {name}")
    return found


def _load(kind: str, name: str) -> object:
    return getattr(import_module(f"{_KINDS[kind].__name__}.{name}"), kind)


def _listens(name: str) -> bool:
    try:
        return bool(get(name))
    except UnknownSource:
        return False
