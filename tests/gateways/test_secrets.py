"""Secrets and settings: fresh enough, stale rather than none, and never in a message."""

import json
from datetime import datetime, timedelta

import pytest

from chalicelib import wiring
from chalicelib.errors import Misconfigured
from chalicelib.gateways.secrets import Secrets, Stored, parameter_text, secret_text
from tests.fakes import Clock
from tests.gateways.aws import ENV, Aws

ONE = {"line": {"default": {"channel_secret": "one"}}}
TWO = {"line": {"default": {"channel_secret": ["two", "one"]}}}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def secrets(aws: Aws, clock: Clock) -> Secrets:
    aws.secret("verify", ONE)
    fetch = secret_text(wiring.client("secretsmanager"), ENV["PARLEY_VERIFY_SECRET"])
    return Secrets(Stored(fetch, clock))


def live(secrets: Secrets, *, fresher: bool = False) -> tuple[str, ...]:
    return secrets.of("line", fresher=fresher).of("default").live("channel_secret")


def test_a_secret_is_fetched_once_in_five_minutes(aws: Aws, clock: Clock, secrets: Secrets) -> None:
    assert live(secrets) == ("one",)
    aws.secret("verify", TWO)
    clock.forward(minutes=4, seconds=59)
    assert live(secrets) == ("one",) and aws.wire.sent == []
    clock.forward(seconds=1)
    assert live(secrets) == ("two", "one") and aws.wire.sent == ["GetSecretValue"]


def test_when_asked_for_it_is_fresher_but_at_most_every_thirty_seconds(
    aws: Aws, clock: Clock, secrets: Secrets
) -> None:
    live(secrets)
    aws.secret("verify", TWO)
    clock.forward(seconds=29)
    assert live(secrets, fresher=True) == ("one",)
    clock.forward(seconds=1)
    assert live(secrets, fresher=True) == ("two", "one")
    for _ in range(50):
        live(secrets, fresher=True)
    assert aws.wire.sent == ["GetSecretValue"], "a flood of forgeries costs one call"


@pytest.mark.parametrize("how", ["throttled", "dropped"])
def test_a_store_that_is_down_leaves_what_we_had(
    aws: Aws, clock: Clock, secrets: Secrets, how: str
) -> None:
    live(secrets)
    clock.forward(hours=9)
    aws.wire.fail("GetSecretValue", how, times=3)
    assert live(secrets) == ("one",)
    assert live(secrets) == ("one",) and len(aws.wire.sent) == 4, "1 + 3 attempts, then a rest"


@pytest.mark.parametrize("broken", ["not json", '["a list"]', "null"])
def test_a_document_that_cannot_be_read_leaves_what_we_had(
    aws: Aws, clock: Clock, secrets: Secrets, broken: str
) -> None:
    live(secrets)
    aws.secret("verify", broken)
    clock.forward(minutes=6)
    assert live(secrets) == ("one",)


@pytest.mark.parametrize("how", ["throttled", "dropped"])
def test_a_store_that_never_answered_is_misconfigured(aws: Aws, secrets: Secrets, how: str) -> None:
    aws.wire.fail("GetSecretValue", how, times=3)
    with pytest.raises(Misconfigured):
        live(secrets)
    assert live(secrets) == ("one",), "and is asked again at once"


@pytest.mark.parametrize("broken", ["not json", '["a list"]', "null", '"text"', ""])
def test_a_document_that_could_never_be_read_is_misconfigured(clock: Clock, broken: str) -> None:
    with pytest.raises(Misconfigured):
        Secrets(Stored(lambda: broken, clock)).of("line")


@pytest.mark.parametrize("entries", ["text", ["a"], {"default": "text"}, {"default": ["a"]}])
def test_accounts_of_a_strange_shape_are_misconfigured(clock: Clock, entries: object) -> None:
    secrets = Secrets(Stored(lambda: json.dumps({"line": entries}), clock))
    with pytest.raises(Misconfigured):
        secrets.of("line")


def test_a_secret_that_does_not_exist_is_misconfigured(aws: Aws, clock: Clock) -> None:
    fetch = secret_text(wiring.client("secretsmanager"), "nowhere")
    with pytest.raises(Misconfigured):
        Stored(fetch, clock).read()


def test_a_source_without_secrets_has_no_accounts(secrets: Secrets) -> None:
    assert secrets.of("easypost").entries == {}


def test_no_secret_is_in_what_is_shown_of_it(secrets: Secrets) -> None:
    accounts = secrets.of("line")
    assert "one" not in repr(accounts) and "one" not in repr(accounts.of("default"))


def test_a_clock_that_went_back_asks_again(clock: Clock) -> None:
    asked: list[datetime] = []

    def fetch() -> str:
        asked.append(clock())
        return "{}"

    stored = Stored(fetch, clock)
    stored.read()
    clock.at -= timedelta(hours=4)
    stored.read()
    assert len(asked) == 2


def test_settings_come_from_their_parameter(aws: Aws, clock: Clock) -> None:
    aws.settings({"desks": ["slack"]})
    stored = Stored(parameter_text(wiring.client("ssm"), ENV["PARLEY_SETTINGS"]), clock)
    assert stored.read() == {"desks": ["slack"]}


def test_wiring_knows_each_of_the_three_documents(aws: Aws) -> None:
    aws.secret("verify", ONE)
    aws.secret("send", TWO)
    aws.settings({"shop": "s"})
    assert live(wiring.verify_secrets()) == ("one",)
    assert live(wiring.send_secrets()) == ("two", "one")
    assert wiring.settings().read() == {"shop": "s"}
