"""Amounts: decimals in the currency's own units, never rounded, never negative (EVENTS, Money)."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import AfterValidator

# ISO 4217 (2024): currencies whose minor unit is not a hundredth.
_DIGITS = {
    **dict.fromkeys(
        ("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF").split(), 0
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}
_LARGEST = Decimal(10) ** 15


class Numeral(float):
    """A JSON number with a fraction that remembers how it was written."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> "Numeral":
        self = super().__new__(cls, text)
        self.text = text
        return self


def money(value: Any, currency: str) -> Decimal:
    """`value` (str, int, Decimal or Numeral) with at least the minor digits of `currency`.

    `money("30", "USD") == Decimal("30.00")`; more digits are kept. ValueError for what is not an
    amount of money: text, NaN, a negative, a float, 10^15 and above.
    """
    if isinstance(value, Numeral):
        value = value.text
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError("not an amount")
    try:
        amount = Decimal(value)
    except InvalidOperation as error:
        raise ValueError("not an amount") from error
    if not amount.is_finite() or amount < 0 or amount >= _LARGEST:
        raise ValueError("not an amount")
    return _with_digits(amount, _DIGITS.get(currency.upper(), 2))


def from_minor(value: int | str, currency: str) -> Decimal:
    """An integer of minor units (Stripe cents, WeChat Pay fen) as an amount."""
    digits = _DIGITS.get(currency.upper(), 2)
    return money(Decimal(int(value)).scaleb(-digits), currency)


def _with_digits(amount: Decimal, digits: int) -> Decimal:
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -18:
        raise ValueError("not an amount")
    return amount.quantize(Decimal(1).scaleb(-max(digits, -exponent)))


def _plain(amount: Decimal) -> Decimal:
    if not amount.is_finite() or amount < 0:
        raise ValueError("not an amount")
    return amount


Amount = Annotated[Decimal, AfterValidator(_plain)]
"""A payload's amount; JSON carries it as a decimal string."""
