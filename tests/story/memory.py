"""The hub in memory, with a door to knock at and the world's usual answers outside."""

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

from chalicelib import sources
from chalicelib.events import Event, iso
from chalicelib.functions._door import Door
from chalicelib.functions.journal import Journal
from chalicelib.outbound import Call, Response
from parley.places import SETTINGS
from parley.platforms import Said, answer, channel_of
from parley.recorder import Canned
from parley.replay import local_secrets
from parley.story import Delivery, Run
from parley.story_evidence import Evidence
from parley.story_play import signed
from tests.fakes import NOON, Outside, on_the_wire
from tests.world import World

secrets = cache(local_secrets)


class Elsewhere(Outside):
    """Platforms that answer as they do when all is well; canned answers first."""

    def __init__(self, answers: Iterable[dict[str, Any]]) -> None:
        super().__init__()
        self.canned = [Canned(**each) for each in answers]
        self.kept: list[dict[str, Any]] = []

    def send(self, call: Call, cause: str = "") -> Response:
        host, _, target = call.url.removeprefix("https://").partition("/")
        said = Said(call.method, host, f"/{target}", dict(call.headers), call.body)
        prepared = next((c for c in self.canned if c.fits(said)), None)
        status, document = (prepared.status, prepared.body) if prepared else answer(said)
        self.kept.append(_kept(said, cause, status))
        return Response(status, {}, _bytes(document))


class Town(World):
    """The world of a run: every delivery comes signed, through the door."""

    def __init__(self, run: Run, seed: int = 0) -> None:
        self.elsewhere = Elsewhere(run.answers)
        super().__init__(self.elsewhere, seed)
        self.keys.document = secrets()
        self.settings.update(json.loads(SETTINGS.read_text()))
        self.clock.at = run.base
        self.shuffled = False
        self.door = Door(
            find=sources.get,
            keys=self.keys,
            bus=self,
            log=_Silent(),
            table=lambda: self.table,
            now=self.clock,
            pause=lambda seconds: None,
        )

    def post(self, delivery: Delivery) -> int:
        request = signed(delivery, self.clock(), secrets())
        return self.door.answer(delivery.step.to, request).status

    def settle(self) -> None:
        self.drain(shuffled=self.shuffled)

    def evidence(self) -> Evidence:
        events = [event.detail() for event in self.bus]
        return Evidence(events, list(self.elsewhere.kept), list(self.table.items.values()))

    def publish(self, events: Iterable[Event]) -> None:
        self.hear(events)

    def hear(self, events: Iterable[Event]) -> None:
        told = list(events)
        Journal(self.table)(on_the_wire(event) for event in told)
        super().hear(told)


def _kept(said: Said, cause: str, status: int) -> dict[str, Any]:
    call = {"channel": channel_of(said), "method": said.method, "url": said.url}
    return {**call, "at": iso(NOON), "body": said.content, "cause": cause, "status": status}


def _bytes(document: Any) -> bytes:
    return document.encode() if isinstance(document, str) else json.dumps(document).encode()


class _Silent:
    def __getattr__(self, name: str) -> Any:
        return lambda *args, **told: None
