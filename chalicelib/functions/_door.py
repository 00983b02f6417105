"""What a webhook goes through: size, source, signature, facts, bus, and then the answer."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from traceback import extract_tb
from typing import Any, TypeVar

from chalicelib.channels._channel import Channel
from chalicelib.credentials import DEFAULT, Accounts
from chalicelib.errors import (
    HubError,
    InvalidSignature,
    Rejected,
    TooLarge,
    Unavailable,
    WrongVerifyToken,
)
from chalicelib.events import Event, iso
from chalicelib.functions._facts import key
from chalicelib.functions._ports import Keys, Publisher, Table
from chalicelib.outbound import Call
from chalicelib.source import Answer, Request, Source

_T = TypeVar("_T")
MOST_BYTES = 5_000_000
ANSWER_MARGIN = timedelta(seconds=1.5)
_POLL_S = 0.1
_ANSWERED = ("message.received", "postback.received", "conversation.opened", "referral.received")
"""What a person said, and may be answered inside the response."""
_MOST_FETCHES = 3
REFUSED = {
    400: "bad request",
    401: "unauthorized",
    403: "forbidden",
    404: "not found",
    405: "method not allowed",
    413: "too large",
}
"""Constant bodies: a refusal says nothing that its sender did not know."""


def _nowhere(call: Call, hosts: frozenset[str]) -> bytes:
    raise Unavailable("no way to fetch keys")


@dataclass(frozen=True)
class Door:
    """The front door. 2xx only when every fact is safe; 4xx never again; 5xx try again."""

    find: Callable[[str], Source]
    keys: Keys
    bus: Publisher
    log: Any
    table: Callable[[], Table]
    now: Callable[[], datetime]
    pause: Callable[[float], None]
    fetch: Callable[[Call, frozenset[str]], bytes] = _nowhere

    def answer(self, name: str, request: Request) -> Answer:
        """Whatever happens, an answer; a log line with ids only."""
        try:
            return self._answered(name, request)
        except Exception as error:  # what is no HubError is our defect: it is sent again
            status = error.status if isinstance(error, HubError) else HubError.status
            self._refused(name, request, error, status)
            return Answer(REFUSED.get(status, "try again later"), status)

    def _answered(self, name: str, request: Request) -> Answer:
        if len(request.body) > MOST_BYTES:
            raise TooLarge(name)
        source = self.find(name)
        if request.method != "POST":
            return self._trusting(name, lambda accounts: source.handshake(request, accounts))
        events = self._received(source, request)
        slot = self._slot(source, events)
        self.bus.publish(events)
        self.log.info("accepted", source=name, events=len(events), ids=[e.id for e in events[:5]])
        return self._in_response(source, request, slot) or source.answer(request)

    def _received(self, source: Source, request: Request) -> list[Event]:
        informed = self._informed(source, request, self.keys.of(source.name))
        return self._trusting(source.name, lambda accounts: source.receive(informed, accounts))

    def _trusting(self, name: str, read: Callable[[Accounts], _T]) -> _T:
        """What fails may be of a secret just rotated: look once more, rarely."""
        known = self.keys.of(name)
        try:
            return read(known)
        except (InvalidSignature, WrongVerifyToken):
            fresh = self.keys.of(name, fresher=True)
            if fresh == known:
                raise
            return read(fresh)

    def _informed(self, source: Source, request: Request, accounts: Accounts) -> Request:
        """The request with the keys it names, from the hosts that the source declares."""
        for _ in range(_MOST_FETCHES):
            wanted = source.wants(request, accounts)
            if not wanted:
                break
            found = {call.url: self.fetch(call, source.hosts) for call in wanted}
            request = replace(request, fetched={**request.fetched, **found})
        return request

    def _slot(self, source: Source, events: list[Event]) -> tuple[str, str] | None:
        """Where `sender` may leave the answer to this delivery, while we wait for it."""
        if not isinstance(source, Channel) or source.in_response is None:
            return None
        asked = next((event for event in events if event.type in _ANSWERED), None)
        if asked is None:  # a receipt waits for nothing, and no answer may vanish into it
            return None
        place = (key("SLOT", asked.subject), asked.id)
        until = self.now() + source.in_response - ANSWER_MARGIN
        item = {"pk": place[0], "sk": place[1], "state": "open", "until": iso(until)}
        self.table().put_new({**item, "expires": int(until.timestamp()) + 3600})
        return place

    def _in_response(
        self, source: Source, request: Request, slot: tuple[str, str] | None
    ) -> Answer | None:
        if slot is None or not isinstance(source, Channel) or source.in_response is None:
            return None
        text = self._awaited(slot, request.now + source.in_response - ANSWER_MARGIN)
        if text is None:
            return None
        account = self.keys.of(source.name).of(request.account or DEFAULT)
        return source.answer_with(text, request, account)

    def _awaited(self, slot: tuple[str, str], until: datetime) -> str | None:
        """Polls until the platform would give up; closes the slot, so exactly one side answers.

        Sent again, a delivery gets the answer of its first time, or none.
        """
        while self.now() < until:
            item = self.table().get(*slot)
            if item and item["state"] != "open":
                return item.get("text")
            self.pause(_POLL_S)
        closed = self.table().change(*slot, {"state": "closed"}, when={"state": "open"})
        item = None if closed else self.table().get(*slot)
        return str(item["text"]) if item and item["state"] == "filled" else None

    def _refused(self, name: str, request: Request, error: Exception, status: int) -> None:
        """Never the traceback of a defect: it shows what the customer wrote."""
        known = name if name.isidentifier() else "?"
        self.log.warning(
            _word(error), source=known[:40], error=type(error).__name__, status=status,
            method=request.method, bytes=len(request.body), at=_place(error),
        )  # fmt: skip


def _word(error: Exception) -> str:
    if isinstance(error, Rejected):
        return "refused"
    return "unavailable" if isinstance(error, HubError) else "broken"


def _place(error: Exception) -> str:
    frame = extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"
