"""JSON as platforms write it and as it must stay: fractions keep their text, UTF-8 or escaped."""

import json
from typing import Any

from pydantic_core import to_json

from chalicelib.money import Numeral


def text_of(value: Any) -> str:
    """JSON text of a provider's value; what UTF-8 lacks (a lone surrogate) stays escaped."""
    try:
        return to_json(value).decode()
    except ValueError:
        return json.dumps(value, separators=(",", ":"))


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def read_json(body: bytes) -> Any:
    """JSON in UTF-8; fractions are `Numeral`. ValueError or RecursionError for what is not."""
    return _JSON.decode(body.decode().removeprefix("\ufeff"))


_JSON = json.JSONDecoder(parse_float=Numeral, parse_constant=_no_constant)
