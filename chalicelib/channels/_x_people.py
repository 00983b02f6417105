"""Users of X, as either API writes them, and what both escape."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib import payloads as p
from chalicelib.channels._meta import BUSINESS, named, person, words
from chalicelib.source import Item, each, ident, when, when_iso

_MOST = 2**53
_LEGACY = "%a %b %d %H:%M:%S %z %Y"


@dataclass(frozen=True)
class Users:
    """Who is told of around an element."""

    item: Item

    def author(self, subject: Any) -> p.Author:
        """The business itself, or a customer with as much of a profile as came along."""
        known = named(subject, "")
        if known == self.item.account:
            return BUSINESS
        user = self.profile(known)
        counts = user.get("public_metrics")
        counts = counts if isinstance(counts, dict) else user
        verified = user.get("verified")
        return p.Author(
            kind="customer",
            identity=self.identity(known) if known else None,
            display_name=words(user.get("name")),
            followers=count(counts.get("followers_count")),
            verified=verified if isinstance(verified, bool) else None,
        )

    def identity(self, subject: Any) -> p.Identity:
        """ValueError for nobody."""
        return person("x", self.item.account, ident(subject))

    def profile(self, subject: str) -> Mapping[str, Any]:
        """{} for who is not told of."""
        return next((user for user in self._told() if id_of(user) == subject), {})

    def others(self, *known: Any) -> list[str]:
        """Ids of everybody told of but `known`."""
        return [found for user in self._told() if (found := id_of(user)) and found not in known]

    def _told(self) -> Iterator[Mapping[str, Any]]:
        value, around = self.item.value, self.item.envelope
        included = around.get("includes")
        included = included.get("users") if isinstance(included, dict) else None
        several = around.get("users")
        several = list(several.values()) if isinstance(several, dict) else []
        beside = [value.get(key) for key in ("user", "author", "source", "target")]
        for user in [*each(included), *several, *beside]:
            if found := unwrapped(user):
                yield found


def unwrapped(user: Any) -> Mapping[str, Any]:
    """A user without the `data` that the Activity API puts around some; {} for none."""
    match user:
        case {"data": dict(inner)}:
            return inner
    return user if isinstance(user, dict) else {}


def id_of(user: Any) -> str:
    """A user's id; `id` itself is rounded where numbers are floats. Empty for none."""
    found = unwrapped(user)
    return named(found.get("id_str") or found.get("id"), "")


def count(value: Any) -> int | None:
    """A counter; None for what cannot be one."""
    plain = isinstance(value, int) and not isinstance(value, bool)
    return value if plain and 0 <= value < _MOST else None


def plain(text: Any) -> str | None:
    """A text as it was written: X escapes three characters of HTML."""
    said = words(text)
    if said is None or "&" not in said:
        return said
    return said.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def moment(element: Mapping[str, Any]) -> datetime | None:
    """When it happened, by whichever of X's fields says so."""
    for key in ("timestamp_ms", "created_timestamp", "created_at_msec"):
        if found := when(element.get(key)):
            return found
    written = element.get("created_at")
    return when_iso(written) or _legacy(written)


def _legacy(written: Any) -> datetime | None:
    try:
        return datetime.strptime(written, _LEGACY)
    except (TypeError, ValueError):
        return None
