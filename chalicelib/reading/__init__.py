"""What a free text means: the reader behind one door, so that a better one is one more module."""

from dataclasses import dataclass, field
from typing import Protocol

from chalicelib.payloads import Entities, Intent


@dataclass(frozen=True)
class Reading:
    """What was understood. `abstained` when nothing should act on it."""

    intent: Intent
    confidence: float
    complaint_p: float
    severity: int
    engine: str
    model: str
    rank: int
    complaint: bool = False
    ranked: tuple[tuple[Intent, float], ...] = ()
    reasons: tuple[str, ...] = ()
    lang: str | None = None
    abstained: bool = False
    entities: Entities = field(default_factory=Entities)


class Reader(Protocol):
    def read(self, text: str, lang: str | None = None) -> Reading:
        """The meaning of one message, in whatever language it is."""
        ...


def reader() -> Reader:
    """The embedded reader."""
    from chalicelib.reading.words import Words

    return Words()
