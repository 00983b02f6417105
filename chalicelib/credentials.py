"""The secrets of one source, by account: `{"default" | account: {key: value | [live values]}}`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from chalicelib.errors import Misconfigured, UnknownSource

Values = str | list[str]
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Credentials:
    """One account's secrets. Several live values of a key make a rotation without a deploy."""

    owner: str
    values: Mapping[str, Values] = field(repr=False)

    def live(self, key: str) -> tuple[str, ...]:
        """Every value in force, newest first; Misconfigured when there is none."""
        value = self.values.get(key)
        several = value if isinstance(value, list) else [value]
        found = tuple(v for v in several if v and isinstance(v, str))
        if not found:
            raise Misconfigured(f"{self.owner}: no {key}")
        return found

    def one(self, key: str) -> str:
        """The value to send or sign with."""
        return self.live(key)[0]

    def get(self, key: str, default: str = "") -> str:
        """A setting that may be missing."""
        return self.one(key) if self.values.get(key) else default


@dataclass(frozen=True, slots=True)
class Accounts:
    """Every account of one source."""

    source: str
    entries: Mapping[str, Mapping[str, Values]] = field(default_factory=dict, repr=False)

    def of(self, account: str) -> Credentials:
        """What to speak with as `account`: its own values over the default ones."""
        merged = {**self.entries.get(DEFAULT, {}), **self.entries.get(account, {})}
        return Credentials(f"{self.source}/{account}", merged)

    def holding(self, key: str, account: str | None) -> Iterator[Credentials]:
        """Who may have signed: the account of the URL, else every account that has `key`.

        UnknownSource for an account nobody configured; Misconfigured when nobody has the key.
        """
        if account and account not in self.entries:
            raise UnknownSource(f"{self.source}/{account}")
        names = [account] if account else sorted(self.entries, key=lambda name: name != DEFAULT)
        holders = [name for name in names if self.entries[name].get(key)]
        if not holders and account and self.entries.get(DEFAULT, {}).get(key):
            holders = [DEFAULT]
        if not holders:
            raise Misconfigured(f"{self.source}/{account or DEFAULT}: no {key}")
        for name in holders:
            yield Credentials(name, self.entries[name])

    def may_speak(self, signer: Credentials, account: str, key: str) -> bool:
        """False when `account` has a secret of its own and somebody else signed for it."""
        own = self.entries.get(account, {}).get(key)
        return not own or signer.owner == account or own == signer.values.get(key)
