import pytest

from parley.clock import parse
from parley.screen import Misused


@pytest.mark.parametrize(
    ("move", "seconds"),
    [("+4h", 14400), ("-30m", -1800), ("+1d12h", 129600), ("+90s", 90), ("+0s", 0)],
)
def test_a_move_is_read_as_a_person_writes_it(move: str, seconds: int) -> None:
    assert parse(move) == seconds


@pytest.mark.parametrize("move", ["4h", "+", "+h", "+4", "+4w", "+-4h", "+4h ", ""])
def test_anything_else_is_refused(move: str) -> None:
    with pytest.raises(Misused, match="no move of the clock"):
        parse(move)
