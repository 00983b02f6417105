"""How long a text is on X: https://docs.x.com/fundamentals/counting-characters"""

import re
from collections.abc import Iterator
from itertools import accumulate

_RUN = re.compile(r"([\x21-\x7e]+)")
"""Where a link may be: what is not ASCII ends one."""
_LINK = re.compile(r"\w\.[a-z]|://", re.IGNORECASE)
_SURE = re.compile(r"https?://[\w.-]+\.(?:com|net|org|[a-z]{2})(?:[/?#:]\S*)?", re.IGNORECASE)
_MARKS = ".,;:!?'\"()[]"
_SHORTENED = 23
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
"""Code points that weigh one; all others weigh two."""


def weight(text: str) -> int:
    """At least what X counts: an emoji made of several code points counts as one there."""
    return sum(_weighed(piece) for piece in _RUN.split(text))


def cut(text: str, most: int) -> str:
    """As much of the beginning as weighs no more than `most`; a link whole or not at all."""
    return "".join(_within(text, most))


def _within(text: str, most: int) -> Iterator[str]:
    for piece in _RUN.split(text):
        if (left := most - _weighed(piece)) < 0:
            yield from () if _LINK.search(piece) else _letters(piece, most)
            return
        most = left
        yield piece


def _letters(piece: str, most: int) -> Iterator[str]:
    weights = accumulate(map(_weight, piece))
    return (letter for letter, so_far in zip(piece, weights, strict=True) if so_far <= most)


def _weighed(piece: str) -> int:
    """X shortens links; of what may be none by its list of domains, all letters count."""
    letters = sum(map(_weight, piece))
    if not _LINK.search(piece):
        return letters
    link = piece.strip(_MARKS)
    beside = len(piece) - len(link)
    return beside + (_SHORTENED if _SURE.fullmatch(link) else max(_SHORTENED, letters - beside))


def _weight(letter: str) -> int:
    return 1 if any(first <= ord(letter) <= last for first, last in _LIGHT) else 2
