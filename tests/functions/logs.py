"""A log that keeps what it is told, as the runtime would write it."""

import json
import logging
from typing import Any

from chalicelib.gateways.lines import Lines

_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class Records(logging.Handler):
    """Log records as JSON fields."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        extras = {k: v for k, v in vars(record).items() if k not in _STANDARD}
        assert record.exc_info is None, "a traceback shows what the customer wrote"
        self.found.append({"level": record.levelname, "message": record.getMessage(), **extras})

    @property
    def text(self) -> str:
        """All of it, as it would be stored."""
        return json.dumps(self.found, ensure_ascii=False)


def kept(name: str) -> tuple[Lines, Records]:
    """The front door's log, and what it was told."""
    logger, records = logging.Logger(name, logging.INFO), Records()
    logger.addHandler(records)
    return Lines(logger), records
