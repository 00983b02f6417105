"""The front door: 2xx when every fact is safe, 4xx never again, 5xx once more."""

import json
from collections.abc import Iterable
from dataclasses import replace

import pytest

from chalicelib.errors import Unavailable
from chalicelib.events import Event
from chalicelib.functions._door import MOST_BYTES
from chalicelib.gateways.secrets import Secrets, Stored
from chalicelib.source import Answer, Request
from tests.fakes import Clock, MemoryBus
from tests.functions.hall import SECRET, TEXT, Hall, assert_nothing_private, line_body, signed
from tests.samples import NOW


@pytest.fixture
def hall() -> Hall:
    return Hall()


# -- what is accepted --------------------------------------------------------------------------


def test_an_accepted_delivery_is_on_the_bus_and_told_ok(hall: Hall) -> None:
    assert hall.answer("line", signed(line_body())) == Answer("ok", 200)
    [event] = hall.bus
    assert event.type == "message.received" and event.data.text == TEXT  # type: ignore[attr-defined]
    [line] = hall.records.found
    expected = {"level": "INFO", "message": "accepted", "source": "line", "events": 1}
    assert line == {**expected, "ids": [event.id]}
    assert_nothing_private(hall.records, signed(line_body()))


def test_what_the_platform_sends_again_is_the_same_fact_again(hall: Hall) -> None:
    hall.answer("line", signed(line_body()))
    hall.answer("line", signed(line_body()))
    first, second = hall.bus
    assert first == second


def test_one_unreadable_element_is_kept_and_costs_its_neighbours_nothing(hall: Hall) -> None:
    body = json.loads(line_body())
    body["events"] = [body["events"][0], "strange", body["events"][0] | {"webhookEventId": "W2"}]
    assert hall.answer("line", signed(json.dumps(body).encode())).status == 200
    first, strange, second = (e.type for e in hall.bus)
    assert first == second == "message.received" and strange == "ingress.unmapped"


def test_a_batch_of_many_names_the_first_few_in_its_line(hall: Hall) -> None:
    body = json.loads(line_body())
    one = body["events"][0]
    body["events"] = [one | {"webhookEventId": f"W{n}"} for n in range(60)]
    hall.answer("line", signed(json.dumps(body).encode()))
    [line] = hall.records.found
    assert line["events"] == 60 and line["ids"] == [e.id for e in hall.bus[:5]]


# -- what is refused ---------------------------------------------------------------------------

CHALLENGE = {"hub.mode": "subscribe", "hub.challenge": "1158201444"}
RIGHT, WRONG = {"hub.verify_token": "the-verify-token"}, {"hub.verify_token": "other"}
REFUSALS: dict[str, tuple[int, str, Request]] = {
    "unknown channel": (404, "myspace", signed(line_body())),
    "a channel that is a module of ours": (404, "_channel", signed(line_body())),
    "a path for a channel": (404, "../errors", signed(line_body())),
    "unknown account": (404, "line", signed(line_body(), account="nobody")),
    "no signature": (401, "line", Request(line_body(), now=NOW)),
    "another's signature": (401, "line", signed(line_body(), key="other")),
    "signature of another body": (
        401,
        "line",
        replace(signed(b"{}"), body=line_body()),
    ),
    "wrong verify token": (403, "whatsapp", Request(method="GET", query=CHALLENGE | WRONG)),
    "no verify token": (400, "whatsapp", Request(method="GET", query=CHALLENGE)),
    "no challenge": (
        400,
        "whatsapp",
        Request(method="GET", query={"hub.mode": "subscribe"} | RIGHT),
    ),
    "a GET that the platform never sends": (405, "line", Request(method="GET")),
    "an OPTIONS that the platform never sends": (405, "line", Request(method="OPTIONS")),
    "above 5 MB": (413, "line", signed(b"{" + b" " * MOST_BYTES)),
    "above 5 MB and unsigned": (413, "line", Request(b"x" * (MOST_BYTES + 1), now=NOW)),
    "verified, but no JSON": (400, "line", signed(b"not json")),
    "verified and empty": (400, "line", signed(b"")),
    "verified, in latin-1": (400, "line", signed("é".encode("latin-1"))),
    "verified, nested too deeply": (400, "line", signed(b"[" * 100_000 + b"]" * 100_000)),
    "verified, with a number that is none": (400, "line", signed(b'{"a": NaN}')),
    "no secret configured": (503, "shopify", signed(b"{}", "shopify")),
    "a source nobody configured": (503, "easypost", signed(b"{}", "easypost")),
}


@pytest.mark.parametrize("trouble", REFUSALS)
def test_a_trouble_has_its_status_a_constant_body_and_one_line_of_ids(
    hall: Hall, trouble: str
) -> None:
    status, name, request = REFUSALS[trouble]
    hall.refused(name, request, status)


def test_a_body_of_exactly_5_mb_is_read(hall: Hall) -> None:
    body = line_body()
    assert hall.answer("line", signed(body + b" " * (MOST_BYTES - len(body)))).status == 200


def test_a_bus_and_spill_queue_that_are_down_are_503_and_sent_again() -> None:
    class Down(list[Event]):
        def publish(self, events: Iterable[Event]) -> None:
            raise Unavailable("bus and spill queue are down")

    hall = Hall(bus=Down())
    hall.refused("line", signed(line_body()), 503)


def test_a_secret_store_without_an_answer_is_503() -> None:
    def fetch() -> str:
        raise ValueError("down")

    hall = Hall(keys=Secrets(Stored(fetch, Clock(NOW))))
    hall.refused("line", signed(line_body()), 503)


def test_a_defect_of_ours_is_500_and_shows_nothing() -> None:
    class Broken(MemoryBus):
        def publish(self, events: Iterable[Event]) -> None:
            raise KeyError(f"{TEXT} {SECRET}")

    hall = Hall(bus=Broken())
    request = signed(line_body())
    assert hall.answer("line", request) == Answer("try again later", 500)
    [line] = hall.records.found
    assert line["message"] == "broken" and line["at"].startswith("test_door.py:")
    assert_nothing_private(hall.records, request)


def test_a_challenge_is_answered_as_the_platform_wants_it(hall: Hall) -> None:
    told = hall.answer("whatsapp", Request(method="GET", query=CHALLENGE | RIGHT))
    assert (told.status, told.body) == (200, "1158201444")
    assert list(hall.bus) == [] and hall.records.found == []


# -- secrets that change -----------------------------------------------------------------------


class Store:
    """A secret store that counts who asks."""

    def __init__(self, *values: str) -> None:
        self.values, self.asked = list(values), 0

    def __call__(self) -> str:
        self.asked += 1
        lines, meta = {"channel_secret": self.values}, {"verify_token": self.values}
        return json.dumps({"line": {"default": lines}, "whatsapp": {"default": meta}})


def test_a_rotated_secret_is_picked_up_by_the_first_delivery_that_needs_it() -> None:
    store, clock = Store("old"), Clock(NOW)
    hall = Hall(keys=Secrets(Stored(store, clock)))
    assert hall.answer("line", signed(line_body(), key="old")).status == 200
    store.values = ["new", "old"]
    clock.forward(seconds=31)
    assert hall.answer("line", signed(line_body(), key="new")).status == 200
    assert hall.answer("line", signed(line_body(), key="old")).status == 200
    assert store.asked == 2


def test_a_rotated_verify_token_is_picked_up_too() -> None:
    store, clock = Store("old"), Clock(NOW)
    hall = Hall(keys=Secrets(Stored(store, clock)))
    asked = Request(method="GET", query=CHALLENGE | {"hub.verify_token": "new"})
    assert hall.answer("whatsapp", asked).status == 403
    store.values = ["new"]
    clock.forward(seconds=31)
    assert hall.answer("whatsapp", asked).status == 200


def test_a_flood_of_forgeries_asks_the_store_every_thirty_seconds() -> None:
    store, clock = Store("old"), Clock(NOW)
    hall = Hall(keys=Secrets(Stored(store, clock)))
    hall.answer("line", signed(line_body(), key="old"))
    for _ in range(100):
        clock.forward(seconds=1)
        assert hall.answer("line", signed(line_body(), key="forged")).status == 401
    assert store.asked == 4
    assert len(hall.bus) == 1


def test_a_revoked_secret_is_refused_within_five_minutes() -> None:
    store, clock = Store("old"), Clock(NOW)
    hall = Hall(keys=Secrets(Stored(store, clock)))
    hall.answer("line", signed(line_body(), key="old"))
    store.values = ["new"]
    clock.forward(minutes=5)
    assert hall.answer("line", signed(line_body(), key="old")).status == 401
