"""Accounts and their secrets: no secret, no entry; nobody speaks for another."""

from typing import Any

import pytest

from chalicelib.credentials import Accounts, Credentials
from chalicelib.errors import Misconfigured, UnknownSource

ENTRIES: dict[str, dict[str, str | list[str]]] = {
    "default": {"secret": "shared", "token": "t0"},
    "brand-a": {"secret": ["new-a", "old-a"]},
    "brand-b": {"token": "t-b"},
}
ACCOUNTS = Accounts("line", ENTRIES)


def holders(key: str, account: str | None, accounts: Accounts = ACCOUNTS) -> list[str]:
    return [holder.owner for holder in accounts.holding(key, account)]


def test_the_account_of_the_url_is_the_only_one_that_may_have_signed() -> None:
    assert holders("secret", "brand-a") == ["brand-a"]


def test_an_account_without_a_secret_of_its_own_uses_the_default_one() -> None:
    assert holders("secret", "brand-b") == ["default"]


def test_without_an_account_everybody_with_the_key_may_have_signed_the_default_first() -> None:
    assert holders("secret", None) == ["default", "brand-a"]


def test_an_account_nobody_configured_is_unknown() -> None:
    with pytest.raises(UnknownSource):
        holders("secret", "nobody")


@pytest.mark.parametrize(
    "entries", [{}, {"default": {}}, {"default": {"secret": ""}}, {"default": {"secret": []}}]
)
def test_no_secret_is_our_failure(entries: dict[str, dict[str, str | list[str]]]) -> None:
    with pytest.raises(Misconfigured):
        holders("secret", None, Accounts("line", entries))


def test_several_secrets_live_at_once_the_newest_first() -> None:
    found = ACCOUNTS.of("brand-a")
    assert found.live("secret") == ("new-a", "old-a")
    assert found.one("secret") == "new-a"


def test_an_account_speaks_with_its_own_values_over_the_default_ones() -> None:
    assert ACCOUNTS.of("brand-b").one("token") == "t-b"
    assert ACCOUNTS.of("brand-a").one("token") == "t0"
    assert ACCOUNTS.of("elsewhere").one("secret") == "shared"


def test_a_setting_may_be_missing() -> None:
    assert ACCOUNTS.of("brand-a").get("colour", "green") == "green"


@pytest.mark.parametrize("value", ["", [], ["", ""], None, 7, True, {"a": "b"}, [7, None], [["x"]]])
def test_what_is_no_text_is_no_secret(value: Any) -> None:
    with pytest.raises(Misconfigured):
        Credentials("line/a", {"secret": value}).live("secret")


def test_of_several_values_only_texts_are_live() -> None:
    values: Any = {"secret": ["new", 7, "", None, "old"]}
    assert Credentials("line/a", values).live("secret") == ("new", "old")


def test_nobody_speaks_for_an_account_that_has_a_secret_of_its_own() -> None:
    default = next(ACCOUNTS.holding("secret", "brand-b"))
    [own] = ACCOUNTS.holding("secret", "brand-a")
    assert ACCOUNTS.may_speak(own, "brand-a", "secret")
    assert ACCOUNTS.may_speak(default, "brand-b", "secret")
    assert ACCOUNTS.may_speak(default, "a new account", "secret")
    assert not ACCOUNTS.may_speak(default, "brand-a", "secret")


def test_no_secret_is_shown_by_accident() -> None:
    shown = repr(ACCOUNTS) + repr(ACCOUNTS.of("brand-a")) + str(ACCOUNTS.of("default"))
    assert not [word for word in ("shared", "new-a", "old-a", "t0", "t-b") if word in shown]
