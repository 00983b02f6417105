"""Amounts are never rounded, never negative, and never were a float."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import payloads as p
from chalicelib.jsons import read_json
from chalicelib.money import Numeral, from_minor, money

CURRENCIES = {"USD": 2, "JPY": 0, "KRW": 0, "BHD": 3, "CLF": 4, "XYZ": 2}


@pytest.mark.parametrize(
    ("value", "currency", "expected"),
    [
        ("30", "USD", "30.00"),
        ("30.0", "USD", "30.00"),
        ("30.125", "USD", "30.125"),
        ("3000", "JPY", "3000"),
        ("3000.5", "JPY", "3000.5"),
        (30, "EUR", "30.00"),
        (Decimal("1e2"), "USD", "100.00"),
        ("1", "BHD", "1.000"),
        ("1", "bhd", "1.000"),
        ("0", "USD", "0.00"),
        (Numeral("19.99"), "USD", "19.99"),
        ("999999999999999.99", "USD", "999999999999999.99"),
    ],
)
def test_an_amount_has_its_currencys_digits_at_least(
    value: Any, currency: str, expected: str
) -> None:
    assert str(money(value, currency)) == expected


@pytest.mark.parametrize(
    "value",
    ["", "a", "NaN", "Infinity", "-1", "-0.01", "1e15", "1e99", "1e-99", "0x10", "1,50", None, True,
     1.5, [], {}, "\ud800", "1" * 5000, 10**20],
)  # fmt: skip
def test_what_is_no_amount_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):
        money(value, "USD")


@given(st.integers(0, 10**14), st.sampled_from(sorted(CURRENCIES)))
def test_minor_units_are_the_same_money(minor: int, currency: str) -> None:
    amount = from_minor(minor, currency)
    assert amount * 10 ** CURRENCIES[currency] == minor
    assert -int(amount.as_tuple().exponent) == CURRENCIES[currency]


@given(st.decimals(0, 10**14, places=3, allow_nan=False))
def test_no_digit_is_lost_on_the_way(amount: Decimal) -> None:
    [found] = read_json(f"[{amount}]".encode())
    assert money(found, "USD") == amount


def test_a_fraction_of_json_keeps_its_text() -> None:
    document = read_json(b'{"price": 1234567890.123456789, "count": 3}')
    assert document["price"].text == "1234567890.123456789"
    assert (type(document["count"]), isinstance(document["price"], float)) == (int, True)


def test_an_amount_travels_as_text() -> None:
    line = p.Line(sku="L", quantity=1, price=Decimal("30.00"), currency="USD")
    assert json.loads(json.dumps(p.plain(line)))["price"] == "30.00"
    assert p.Line.model_validate(p.plain(line)) == line


@pytest.mark.parametrize("price", ["-1", "NaN", "Infinity", "-Infinity"])
def test_a_payload_takes_no_such_amount(price: str) -> None:
    with pytest.raises(ValueError):
        p.Line(sku="L", quantity=1, price=Decimal(price), currency="USD")
