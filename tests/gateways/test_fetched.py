"""Keys of platforms come from declared hosts, once an hour, or the delivery waits."""

import pytest

from chalicelib.errors import InvalidSignature, TimedOut, Unavailable
from chalicelib.gateways.fetched import MOST, Fetched
from chalicelib.outbound import Call, Response
from tests.fakes import Clock, Outside

HOSTS = frozenset({"api.pay.example"})
KEY = Call("GET", "https://api.pay.example/certs/1")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def fetched(outside: Outside, clock: Clock) -> Fetched:
    return Fetched(lambda: outside, clock)


def test_a_key_is_fetched_once_an_hour(clock: Clock) -> None:
    outside = Outside(lambda call: Response(200, {}, b"key"))
    fetch = fetched(outside, clock)
    for _ in range(3):
        assert fetch(KEY, HOSTS) == b"key"
        clock.forward(minutes=29)
    assert len(outside.calls) == 1
    clock.forward(minutes=29)
    fetch(KEY, HOSTS)
    assert len(outside.calls) == 2


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/certs/1",
        "https://api.pay.example.evil.example/1",
        "https://api.pay.example@evil.example/1",
        "https://169.254.169.254/latest/meta-data",
        "https:///certs/1",
        "certs/1",
        "",
    ],
)
def test_a_host_that_nobody_declared_is_never_asked(clock: Clock, url: str) -> None:
    outside = Outside()
    with pytest.raises(InvalidSignature):
        fetched(outside, clock)(Call("GET", url), HOSTS)
    assert outside.calls == []


@pytest.mark.parametrize("status", [301, 302, 404, 429, 500])
def test_a_platform_that_gives_no_key_sends_its_delivery_again(clock: Clock, status: int) -> None:
    outside = Outside(lambda call: Response(status, {"location": "https://evil.example"}, b"no"))
    fetch = fetched(outside, clock)
    for _ in range(2):
        with pytest.raises(Unavailable):
            fetch(KEY, HOSTS)
    assert len(outside.calls) == 2, "what is no key is not kept"


def test_a_platform_that_does_not_answer_does_so_too(clock: Clock) -> None:
    def silent(call: Call) -> Response:
        raise TimedOut("x")

    with pytest.raises(Unavailable):
        fetched(Outside(silent), clock)(KEY, HOSTS)


def test_a_forger_who_names_many_keys_fills_no_memory(clock: Clock) -> None:
    fetch = fetched(Outside(), clock)
    for number in range(3 * MOST):
        fetch(Call("GET", f"https://api.pay.example/certs/{number}"), HOSTS)
    assert len(fetch._kept) <= MOST
