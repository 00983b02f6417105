"""What every source inherits: reading bytes, fan-out, and what becomes of what it cannot read."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import payloads as p
from chalicelib.credentials import Accounts, Credentials
from chalicelib.errors import InvalidSignature, MalformedPayload, WrongMethod
from chalicelib.events import Event
from chalicelib.jsons import text_of
from chalicelib.source import (
    Fact,
    Item,
    NoWord,
    Request,
    SignedSource,
    each,
    fingerprint,
    ident,
    when,
    when_iso,
)
from tests.fakes import NOON

ACCOUNTS = Accounts("toy", {"default": {"secret": "s"}, "own": {"secret": "mine"}})


class Toy(SignedSource):
    """Says a link for a number, nothing for nothing, and breaks in every way there is."""

    name = "toy"
    title = "Toy"
    docs = "https://toy.example"
    emits: ClassVar[frozenset[str]] = frozenset({"referral.received"})
    signature = dedupe = signing_key = "secret"
    retry_horizon = timedelta()

    def sign(self, request: Request, key: str) -> dict[str, str]:
        return {"x-toy": f"{key}:{len(request.body)}"}

    def items(self, document: Any, request: Request) -> Iterable[Item]:
        for value in document["items"]:
            yield Item(value, document.get("account", "default"), fingerprint(value), self.name)

    def facts(self, item: Item, request: Request) -> Iterable[Fact]:
        match item.value:
            case int(number):
                for _ in range(number):
                    data = p.Referral(
                        **item.said, conversation_id="c", ref="r", source="s", medium="qr"
                    )
                    yield Fact("referral.received", data, NOON)
            case "no word":
                raise NoWord("toy says nothing of it")
            case str(name):
                raise {"Key": KeyError, "Value": ValueError, "Type": TypeError,
                       "Attribute": AttributeError, "Zero": ZeroDivisionError}[name]  # fmt: skip


def heard(body: bytes, key: str = "s", account: str | None = None) -> list[Event]:
    request = Request(body=body, now=NOON, account=account)
    return Toy().receive(Toy().signed(request, key), ACCOUNTS)


def test_every_item_is_heard_in_order_and_each_fact_has_its_own_id() -> None:
    events = heard(b'{"items": [1, 3, 2]}')
    assert len(events) == 6 == len({event.id for event in events})
    assert [event.data.raw for event in events] == ["1", "3", "3", "3", "2", "2"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("strange", ["Key", "Value", "Type", "Attribute", "Zero"])
def test_what_breaks_its_reader_is_kept_whole_and_costs_nobody(strange: str) -> None:
    first, unread, last = heard(f'{{"items": [1, "{strange}", 1]}}'.encode())
    assert (first.type, unread.type, last.type) == (
        "referral.received",
        "ingress.unmapped",
        "referral.received",
    )
    assert isinstance(unread.data, p.Unmapped)
    assert unread.data.raw == f'"{strange}"' and "unreadable" in unread.data.reason


def test_what_has_no_word_is_kept_with_its_reason() -> None:
    [event] = heard(b'{"items": ["no word"]}')
    assert isinstance(event.data, p.Unmapped) and event.data.reason == "toy says nothing of it"


def test_an_item_that_says_nothing_is_kept() -> None:
    [event] = heard(b'{"items": [0]}')
    assert isinstance(event.data, p.Unmapped) and event.data.reason == "no word for it"


@pytest.mark.parametrize("body", [b"[]", b"7", b'{"items": 7}', b'{"things": [1]}', b"null"])
def test_a_delivery_of_another_shape_is_one_item(body: bytes) -> None:
    [event] = heard(body)
    assert isinstance(event.data, p.Unmapped) and event.data.reason == "unexpected shape"
    assert event.data.raw == text_of(Request(body=body).json)


def test_a_list_that_breaks_half_way_keeps_what_was_read_and_the_whole() -> None:
    class Breaking(Toy):
        def items(self, document: Any, request: Request) -> Iterable[Item]:
            yield from super().items({"items": document["items"][:1]}, request)
            raise KeyError("the rest")

    request = Request(body=b'{"items": [1, 2]}', now=NOON)
    events = Breaking().receive(Toy().signed(request, "s"), ACCOUNTS)
    assert [event.type for event in events] == ["referral.received", "ingress.unmapped"]


def test_nothing_is_read_before_it_is_verified() -> None:
    with pytest.raises(InvalidSignature):
        heard(b"not even JSON", key="wrong")
    with pytest.raises(MalformedPayload):
        heard(b"not even JSON")


def test_nobody_speaks_for_an_account_with_a_secret_of_its_own() -> None:
    body = b'{"items": [1], "account": "own"}'
    with pytest.raises(InvalidSignature):
        heard(body, key="s")
    assert [event.type for event in heard(body, key="mine")] == ["referral.received"]


def test_a_source_without_handshake_says_so() -> None:
    with pytest.raises(WrongMethod):
        Toy().handshake(Request(method="GET"), ACCOUNTS)
    with pytest.raises(WrongMethod):
        Toy().unwrap({}, NOON)


def test_may_claim_by_default_asks_the_accounts() -> None:
    assert Toy().may_claim(Credentials("own", {"secret": "mine"}), "own", ACCOUNTS)


# -- bytes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe{\x00}\x00", '"ü"'.encode("latin-1"), b'{"a": NaN}', b"Infinity",
     b"[" * 100_000, b'{"a":' * 100_000, b"{}{}", b"\x00", b"'a'"],
)  # fmt: skip
def test_what_is_no_json_in_utf8_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedPayload):
        _ = Request(body=body).json


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'"\\ud800"', "\ud800"),
        (b'"\\u0000"', "\x00"),
        (b"1" * 30, int("1" * 30)),
        (b'{"a": 1, "a": 2}', {"a": 2}),
    ],
)
def test_odd_json_is_json(body: bytes, value: Any) -> None:
    assert Request(body=body).json == value


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=9))
def test_the_text_of_a_value_is_its_json(value: Any) -> None:
    assert Request(body=text_of(value).encode()).json == value


def test_a_lone_surrogate_stays_escaped() -> None:
    assert text_of({"a": "\ud800"}) == '{"a":"\\ud800"}'
    assert len(fingerprint("\ud800")) == 64


# -- small readers -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1_700_000_000, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("1700000000", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        (1_700_000_000_500, datetime(2023, 11, 14, 22, 13, 20, 500_000, tzinfo=UTC)),
        (10**30, None),
        (-(10**30), None),
        ("soon", None),
        (None, None),
        (float("inf"), None),
        ([], None),
    ],
)
def test_unix_times(value: Any, expected: datetime | None) -> None:
    assert when(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-02-20T04:00:00-05:00", datetime(2026, 2, 20, 9, tzinfo=UTC)),
        ("2026-02-20T09:00:00Z", datetime(2026, 2, 20, 9, tzinfo=UTC)),
        ("2026-02-20T09:00:00", None),
        ("0000-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+23:59", None),
        ("9999-12-31T23:59:59-23:59", None),
        (7, None),
        (None, None),
    ],
)
def test_iso_times(value: Any, expected: datetime | None) -> None:
    assert when_iso(value) == expected


def test_each_takes_what_comes() -> None:
    assert (list(each([1, 2])), list(each(7)), list(each(None))) == ([1, 2], [7], [])


@pytest.mark.parametrize("value", [None, "", True, 1.5, [], {}])
def test_what_is_no_id(value: Any) -> None:
    with pytest.raises(ValueError):
        ident(value)


def test_an_id_is_text() -> None:
    assert (ident("a"), ident(7), ident(0)) == ("a", "7", "0")
