"""Log lines of the front door: ids only, through the runtime's own JSON format.

Lambda writes a record's extras as JSON fields (`LogFormat: JSON`), so the webhook path starts
without a logging library; the reactions use Powertools' Logger, of the same methods.
"""

import logging


class Lines:
    """`info("accepted", source="line")`: a word, and ids beside it."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def info(self, word: str, **ids: object) -> None:
        """Something happened as it should."""
        self._logger.info(word, extra=ids)

    def warning(self, word: str, **ids: object) -> None:
        """Something was refused, or is out of order."""
        self._logger.warning(word, extra=ids)
