"""What the reactions need of the world, as small as they need it. Gateways fit; so do fakes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from chalicelib.credentials import Accounts
from chalicelib.events import Event
from chalicelib.outbound import Call, Response

Item = dict[str, Any]


class Publisher(Protocol):
    """The bus: returns when every event is safe."""

    def publish(self, events: Iterable[Event]) -> None: ...


class Table(Protocol):
    """As much of the table as the reactions use (`gateways.table` says what each call means)."""

    def put(self, item: Item) -> None: ...
    def put_new(self, item: Item) -> bool: ...
    def put_newer(self, item: Item, field: str) -> bool: ...
    def put_older(self, item: Item, field: str) -> bool: ...
    def put_all(self, items: Sequence[Item]) -> None: ...
    def get(self, pk: str, sk: str) -> Item | None: ...
    def query(self, pk: str, prefix: str = "") -> list[Item]: ...
    def due(self, shard: str, until: str) -> list[Item]: ...
    def change(
        self,
        pk: str,
        sk: str,
        set: Mapping[str, Any],
        *,
        when: Mapping[str, Any],
        remove: Iterable[str] = (),
    ) -> Item | None: ...


class Queue(Protocol):
    """A queue of what should be done, perhaps later."""

    def send(self, body: dict[str, Any], delay_s: int = 0) -> None: ...


class Http(Protocol):
    """The way out."""

    def send(self, call: Call, cause: str = "") -> Response: ...


class Keys(Protocol):
    """Secrets by source; `fresher` looks at the store again, rarely."""

    def of(self, source: str, *, fresher: bool = False) -> Accounts: ...
