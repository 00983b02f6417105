"""What everything that posts to us has in common: channels, carriers and desks.

A source verifies raw bytes, answers handshakes, and says every element of a delivery as facts in
our words. It is pure: no I/O, no clock (`Request.now`), no AWS.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from typing import Any, ClassVar, Literal, final

from pydantic import BaseModel

from chalicelib import signing
from chalicelib.credentials import DEFAULT, Accounts, Credentials
from chalicelib.errors import InvalidSignature, MalformedPayload, WrongMethod
from chalicelib.events import Event, event_id, plausible, subject_of
from chalicelib.jsons import read_json, text_of
from chalicelib.outbound import Call
from chalicelib.payloads import Unmapped, path

SHAPE_ERRORS = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What reading a strange item raises; pydantic's ValidationError is a ValueError."""


@dataclass(frozen=True)
class Request:
    """One HTTP delivery, or one that AWS handed over. Header names are lower-case."""

    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    now: datetime = field(default_factory=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    method: str = "POST"
    account: str | None = None
    fetched: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """Bodies of the calls that the source said it `wants`, by URL."""

    @cached_property
    def json(self) -> Any:
        """The body; fractions are `Numeral`. MalformedPayload for what is not JSON in UTF-8."""
        try:
            return read_json(self.body)
        except (ValueError, RecursionError) as error:
            raise MalformedPayload("not JSON") from error


@dataclass(frozen=True)
class Answer:
    """What the platform is told."""

    body: str = "ok"
    status: int = 200
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fact:
    """One thing an item says, in our words; `at` is the platform's time, if it gave one."""

    type: str
    data: BaseModel
    at: datetime | None = None


class NoWord(Exception):
    """An item that is well understood and has no type of ours; `reason` goes on the bus."""


@dataclass(frozen=True)
class Item:
    """One element of a delivery: what the provider calls one thing.

    `id` is the provider's own id of it, or a `fingerprint` of the declared dedupe identity;
    `envelope` holds the keys around it that its reader needs (`raw` carries them too).
    """

    value: Any
    account: str
    id: str
    channel: str
    envelope: Mapping[str, Any] = field(default_factory=dict)

    @property
    def raw(self) -> str:
        """The item's own text with its envelope: what `data.raw` holds."""
        return text_of({**self.envelope, "item": self.value} if self.envelope else self.value)

    @cached_property
    def said(self) -> dict[str, Any]:
        """The fields every platform's payload begins with."""
        return {"channel": self.channel, "account": self.account, "raw": self.raw}


class Source(ABC):
    """Somebody who posts to `/webhooks/<name>`. Class attributes are the declared facts of it."""

    name: ClassVar[str]
    title: ClassVar[str]
    family: ClassVar[Literal["channels", "carriers", "desks"]] = "channels"
    docs: ClassVar[str]
    emits: ClassVar[frozenset[str]]
    """Every type this source can say, `ingress.unmapped` aside."""
    handshake_kind: ClassVar[str] = "none"
    signature: ClassVar[str]
    dedupe: ClassVar[str]
    """What makes two deliveries the same thing."""
    deadline: ClassVar[timedelta] = timedelta(seconds=5)
    retry_horizon: ClassVar[timedelta]
    """How long the platform goes on sending what we did not accept."""
    time_unit: ClassVar[Literal["s", "ms", "iso"]] = "iso"
    transport: ClassVar[Literal["http", "aws"]] = "http"
    """How it speaks: `aws` for one that nobody may post as (a bus or a queue vouches for it)."""
    aws_sources: ClassVar[tuple[str, ...]] = ()
    """EventBridge sources (prefixes) whose events this source reads without HTTP."""

    hosts: ClassVar[frozenset[str]] = frozenset()
    """Where keys may be fetched from; nothing else is ever asked, whatever a header says."""

    def wants(self, request: Request, accounts: Accounts) -> tuple[Call, ...]:
        """Calls whose answers `verify` needs and `request.fetched` lacks: certificates, keys.

        Asked again until it wants nothing (a token first, then a key); the answers are cached.
        """
        return ()

    @abstractmethod
    def verify(self, request: Request, accounts: Accounts) -> Credentials:
        """Who signed this; InvalidSignature unless the platform itself sent it."""

    @abstractmethod
    def items(self, document: Any, request: Request) -> Iterable[Item]:
        """Every element of one delivery, in order: platforms batch."""

    @abstractmethod
    def facts(self, item: Item, request: Request) -> Iterable[Fact]:
        """What one item says. Nothing, NoWord or a shape error makes it `ingress.unmapped`."""

    def may_claim(self, signer: Credentials, account: str, accounts: Accounts) -> bool:
        """Whether who signed may speak for the account named in the body."""
        return True

    def handshake(self, request: Request, accounts: Accounts) -> Answer:
        """Answer the GET or OPTIONS some platforms send before they trust a URL."""
        raise WrongMethod(f"{self.name} sends no {request.method}")

    def document(self, request: Request) -> Any:
        """The verified body, read; MalformedPayload where it cannot be."""
        return request.json

    def answer(self, request: Request) -> Answer:
        """What an accepted delivery is told."""
        return Answer()

    def owns(self, envelope: Mapping[str, Any]) -> bool:
        """Whether what AWS handed over is this source's to `unwrap`."""
        return str(envelope.get("source", "")).startswith(self.aws_sources or ("\0",))

    def unwrap(self, envelope: Mapping[str, Any], now: datetime) -> Request:
        """The delivery inside an EventBridge event of `aws_sources`."""
        raise WrongMethod(f"{self.name} does not come from AWS")

    @final
    def receive(self, request: Request, accounts: Accounts) -> list[Event]:
        """The one door in: nothing is read that was not verified."""
        signer = self.verify(request, accounts)
        items = self._items(request)
        if not all(self.may_claim(signer, item.account, accounts) for item in items):
            raise InvalidSignature(f"{self.name}: signed for another account")
        return self._translated(items, request)

    @final
    def read(self, request: Request) -> list[Event]:
        """The same for a delivery that AWS vouches for (partner bus, queue)."""
        return self._translated(self._items(request), request)

    def _translated(self, items: list[Item], request: Request) -> list[Event]:
        try:
            return [event for item in items for event in self._translate(item, request)]
        except RecursionError as error:
            raise MalformedPayload("nested too deeply") from error

    def _items(self, request: Request) -> list[Item]:
        document = self.document(request)
        found: list[Item] = []
        try:
            found.extend(self.items(document, request))
        except SHAPE_ERRORS:
            found.append(self.whole(document, request))
        return found

    def whole(self, document: Any, request: Request) -> Item:
        """A delivery whose shape nobody promised, as one item."""
        account = request.account or DEFAULT
        return Item(_Strange(document), account, fingerprint(text_of(document)), self.name)

    def _translate(self, item: Item, request: Request) -> list[Event]:
        try:
            if isinstance(item.value, _Strange):
                raise NoWord("unexpected shape")
            facts = _some(self, item, request)
            return [self._event(item, n, fact, request) for n, fact in enumerate(facts)]
        except NoWord as error:
            return [self._unmapped(item, str(error), request)]
        except SHAPE_ERRORS as error:
            return [self._unmapped(item, f"unreadable: {type(error).__name__}", request)]

    def _event(self, item: Item, n: int, fact: Fact, request: Request) -> Event:
        ident = event_id(item.channel, item.account, item.id, n, fact.type)
        time, suspect = plausible(fact.at, request.now)
        return Event(
            id=ident,
            type=fact.type,
            source=f"/{self.family}/{path(item.channel, item.account)}",
            subject=subject_of(fact.data),
            time=time,
            recordedtime=request.now,
            data=fact.data,
            correlationid=ident,
            timesuspect=suspect,
        )

    def _unmapped(self, item: Item, reason: str, request: Request) -> Event:
        value = item.value.document if isinstance(item.value, _Strange) else item.value
        whole = Item(value, _plain(item.account), item.id, item.channel, item.envelope)
        data = Unmapped(**whole.said, reason=_plain(reason), item=_plain(item.id))
        return self._event(whole, 0, Fact("ingress.unmapped", data), request)


class SignedSource(Source):
    """A platform that signs with a shared secret: we sign too, and compare."""

    signing_key: ClassVar[str]
    """Which of the account's secrets signs."""
    shared_key: ClassVar[bool] = True
    """Whether the platform signs with the secret we hold. Where it has a private key of its own,
    `sign` takes a test key's, and `verify` the public one."""

    @abstractmethod
    def sign(self, request: Request, key: str) -> Mapping[str, str]:
        """The headers the platform would add to this request, given its secret."""

    def signed(self, request: Request, key: str) -> Request:
        """The request as the platform would send it; overridden where the query is signed."""
        return replace(request, headers={**request.headers, **self.sign(request, key)})

    def matches(self, request: Request, key: str) -> bool:
        """Whether `key` made the signature of this request."""
        expected = self.sign(request, key)
        return all(signing.same(request.headers.get(h, ""), v) for h, v in expected.items())

    def verify(self, request: Request, accounts: Accounts) -> Credentials:
        for holder in accounts.holding(self.signing_key, request.account):
            if any(self.matches(request, key) for key in holder.live(self.signing_key)):
                return holder
        raise InvalidSignature(self.name)

    def may_claim(self, signer: Credentials, account: str, accounts: Accounts) -> bool:
        return accounts.may_speak(signer, account, self.signing_key)


@dataclass(frozen=True)
class _Strange:
    document: Any


def _some(source: Source, item: Item, request: Request) -> list[Fact]:
    if not (facts := list(source.facts(item, request))):
        raise NoWord("no word for it")
    return facts


def _plain(text: str) -> str:
    """Short, and without what UTF-8 lacks: for ids and reasons that a stranger may have chosen."""
    return text[:200].encode("utf-8", "backslashreplace").decode()


def fingerprint(*fields: Any) -> str:
    """An id for what has none: sha256 of the fields the source declares as its identity."""
    return sha256(text_of(fields).encode()).hexdigest()


def when(value: Any) -> datetime | None:
    """Unix time as platforms write it: int or digits, seconds below 10^11, else milliseconds.

    None for what no clock can show (year 0, a word, nothing).
    """
    try:
        number = int(value)
        seconds = number / 1000 if abs(number) >= 10**11 else number
        return datetime.fromtimestamp(seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def when_iso(value: Any) -> datetime | None:
    """An ISO 8601 time with its offset; None for what is not one (also for one without zone)."""
    try:
        at = datetime.fromisoformat(value)
        return at.astimezone(UTC) if at.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        return None


def each(value: Any) -> Iterator[Any]:
    """Elements of a list; what is no list is one strange element; nothing is none."""
    if isinstance(value, list):
        yield from value
    elif value is not None:
        yield value


def ident(value: Any) -> str:
    """A provider's id, text or number, as text; ValueError for anything else or nothing."""
    if type(value) is str and value:
        return value
    if type(value) is int:
        return str(value)
    raise ValueError("not an id")
