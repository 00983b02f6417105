"""One spelling for a carrier and for a number, whoever says them."""

from typing import Any

import pytest

from chalicelib.slugs import number, slug


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("UPS", "ups"),
        ("UPSDAP", "ups"),
        ("United Parcel Service", "ups"),
        ("FedEx", "fedex"),
        ("FedEx SmartPost", "fedex"),
        ("USPS", "usps"),
        ("U.S. Postal Service", "usps"),
        ("DHL Express", "dhl"),
        ("DHLExpress", "dhl"),
        ("DHL eCommerce", "dhlecommerce"),
        ("Canada Post", "canadapost"),
        ("CanadaPost", "canadapost"),
        ("ＵＰＳ", "ups"),
        ("ヤマト運輸", "yamato"),
        ("Grünbote & Söhne", "grünbotesöhne"),
        ("", "other"),
        (" - ", "other"),
        (None, "other"),
        (7, "other"),
    ],
)
def test_a_carrier_has_one_slug(name: Any, expected: str) -> None:
    assert slug(name) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("1z 999 aa1", "1Z999AA1"), (940010, "940010"), (" rl-1\t", "RL-1")]
)
def test_a_number_is_upper_case_without_spaces(text: Any, expected: str) -> None:
    assert number(text) == expected


@pytest.mark.parametrize("text", ["", "  ", None, True, [], 1.5])
def test_what_is_no_number_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match="tracking number"):
        number(text)
