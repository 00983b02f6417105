"""The hub in memory as AWS runs it: what nobody acknowledged comes again, and time goes on.

Every reaction runs in the shell of its Lambda, on batches of a queue that hides what it hands out;
the sweep ticks by the minute; platforms post again until they are answered. Time is counted, not
spent.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any

from chalicelib import sources
from chalicelib.credentials import Accounts
from chalicelib.errors import HubError
from chalicelib.events import Event, moment_of
from chalicelib.functions import intake, journal
from chalicelib.functions._door import Door
from chalicelib.functions._shell import Shell, decode
from chalicelib.functions.sweep import AHEAD, Sweep
from chalicelib.source import Request
from parley.places import SETTINGS
from parley.replay import local_secrets
from tests.chaos.outside import Platforms, status
from tests.chaos.queues import Queues, Record, as_batch
from tests.chaos.storm import Crash, Storm, Watched
from tests.fakes import Clock, consumed
from tests.world import World

POSTED_AGAIN = timedelta(seconds=60)
MINUTE = timedelta(minutes=1)
secrets = cache(local_secrets)


@dataclass(frozen=True)
class Post:
    """What a platform, or AWS itself, will do."""

    due: datetime
    to: str
    request: Request


class Hub(World):
    """Reactions behind queues, a door in front of them, a clock that jumps to what is next."""

    def __init__(self, platforms: Platforms, storm: Storm, start: datetime) -> None:
        self.who, self.storm, self.platforms = "", storm, platforms
        super().__init__(platforms, around=self._watched)
        self.clock = Clock(start)
        self.keys.document = secrets()
        self.settings.update(json.loads(SETTINGS.read_text()))
        self.queues = Queues(self.clock)
        self.posts: list[Post] = []
        self.ticked = start
        self.job: Callable[[], Any] = lambda: None
        """What the worker of the moment does; a second one would do the same."""
        platforms.trace = self._will_say
        self.shell = Shell(self.out, self.queues, self.clock, Silent())
        table, pause = (lambda: self.table), (lambda seconds: None)
        self.door = Door(sources.get, self.keys, self.out, Silent(), table, self.clock, pause)

    def _watched(self, name: str, gateway: Any) -> Any:
        return Watched(self.storm, gateway, lambda: self.who)

    def fork(self) -> "Hub":
        """Another hub to which the same has happened."""
        twin = Hub(self.platforms.fork(), self.storm.fork(), self.clock())
        twin.table.items = dict(self.table.items)
        twin.bus.extend(self.bus)
        twin.posts, twin.ticked = list(self.posts), self.ticked
        twin.queues = self.queues.fork(twin.clock)
        twin.shell = replace(twin.shell, hider=twin.queues)
        return twin

    # -- what happens next -------------------------------------------------------------------------

    def play(self, until: datetime | None = None) -> None:
        """What is due, soonest first, until nothing is left to happen (before `until`)."""
        while self.step(until):
            pass

    def step(self, until: datetime | None = None) -> bool:
        """The next thing that happens; whether there was one."""
        found = self._next()
        if not found or (until and found[0] >= until):
            return False
        due, act = found
        self.clock.at = max(self.clock.at, due)
        act()
        self._collect()
        return True

    def _next(self) -> tuple[datetime, Callable[[], None]] | None:
        coming = [(p.due, partial(self._post, p)) for p in self.posts]
        coming += [(due, partial(self._batch, name)) for due, name in self.queues.due()]
        coming += self._sweeps()
        return min(coming, key=lambda each: each[0], default=None)

    def _sweeps(self) -> list[tuple[datetime, Callable[[], None]]]:
        """A minute in which nothing falls due is not worth its sweep."""
        due = [moment_of(i["gsi1sk"]) for i in self.table.items.values() if "gsi1pk" in i]
        if not due or self.queues.only:
            return []
        first = max(min(due) - AHEAD, self.ticked, self.clock() - MINUTE)
        return [(first.replace(second=0, microsecond=0) + MINUTE, self._tick)]

    def _tick(self) -> None:
        self.who, self.ticked = "sweep", self.clock()
        watched = partial(self._watched, "")
        queues = {"OUTBOX": self.outbox_queue, "CLOCK": self.clocks_queue}
        sweep = Sweep(watched(self.table), {kind: watched(q) for kind, q in queues.items()})
        self.job = lambda: sweep(self.clock())
        self._run(self.job)

    def _post(self, post: Post) -> None:
        self.posts.remove(post)
        self.who = "api"
        self.job = lambda: self.door.answer(post.to, _signed(post, self.clock()))
        answered = self._run(self.job)
        if answered is None or answered.status >= 500:
            self.posts.append(replace(post, due=self.clock() + POSTED_AGAIN))

    @contextmanager
    def meanwhile(self) -> Iterator[None]:
        """Somebody else is at work, while a worker waits; it goes on as if nothing had been."""
        mine = (self.who, self.job, self.platforms.item)
        yield
        self.who, self.job, self.platforms.item = mine

    # -- queues ------------------------------------------------------------------------------------

    def _batch(self, queue: str) -> None:
        records = self.queues.receive(queue)
        self.who, self.job = queue, lambda: self.work(queue, records)
        if records and (answer := self._run(self.job)) is not None:
            self.queues.done(queue, records, answer)

    def work(self, queue: str, records: Sequence[Record]) -> dict[str, Any]:
        """What the queue's Lambda answers to a batch."""
        batch = as_batch(queue, records)
        if queue == "journal":
            return self._journal(batch)
        reaction, wake = self._reaction(queue)
        return self.shell.consume(reaction, batch, None, wake)

    def _journal(self, batch: dict[str, Any]) -> dict[str, Any]:
        write = journal.Journal(self._watched("", self.table))
        try:
            write(decode(json.loads(record["body"])) for record in batch["Records"])
        except HubError:
            failed = [{"itemIdentifier": record["messageId"]} for record in batch["Records"]]
            return {"batchItemFailures": failed}
        return {"batchItemFailures": []}

    def _reaction(self, queue: str) -> tuple[Any, Any]:
        match queue:
            case "outbox":
                return self.sender, self._send
            case "clocks":
                return self.escalations, self.escalations.wake
            case "intake":
                reaction = intake.Intake(self._watched("", self), intake.reading)
                return reaction, reaction.wake
        return next(r for r in self.reactions if _name(r) == queue), None

    def _send(self, body: dict[str, Any], now: datetime) -> Any:
        self.platforms.item = (body["outbox"][0], body["outbox"][1])
        return self.sender.wake(body, now)

    def _run(self, work: Callable[[], Any]) -> Any:
        """None where the process died or failed whole: nobody acknowledged anything."""
        try:
            return work()
        except (Crash, HubError):
            return None
        finally:
            self._collect()

    def _collect(self) -> None:
        for name, queue in (("outbox", self.outbox_queue), ("clocks", self.clocks_queue)):
            while queue:
                body, delay_s = queue.popleft()
                self.queues.put(name, body, timedelta(seconds=delay_s))

    # -- the bus, and what comes of it -------------------------------------------------------------

    def hear(self, events: Iterable[Event]) -> None:
        for event in events:
            self.bus.append(event)
            said = {"source": f"parley.{event.type.partition('.')[0]}", "detail": event.detail()}
            takers = [_name(r) for r in self.reactions if consumed(r, event)]
            for queue in takers:
                self.queues.put(queue, said)
            self.queues.put("journal", said, timedelta(seconds=5))

    def forward(self, entries: Sequence[dict[str, Any]]) -> None:
        self.hear(Event.parse(json.loads(entry["Detail"])) for entry in entries)

    def _will_say(self, wamid: str, trace: str) -> None:
        at = self.clock() + timedelta(seconds=5)
        self.posts.append(Post(at, "whatsapp", status(wamid, trace)))


def _name(reaction: Any) -> str:
    return type(reaction).__name__.lower()


def _signed(post: Post, now: datetime) -> Request:
    source: Any = sources.get(post.to)
    request = replace(post.request, now=now)
    accounts = Accounts(source.name, secrets().get(source.name, {}))
    holder = next(iter(accounts.holding(source.signing_key, None)))
    made = source.sign(request, holder.one(source.signing_key))
    return replace(request, headers={**request.headers, **made})


class Silent:
    """A log that nobody reads."""

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **told: None
