"""What a run warns of, for its manifest: tables of a sweep say it where nobody reads logs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class _Texts(logging.Handler):
    """Keeps the texts of warnings, each once, in their order."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a warning; what failed stands elsewhere, with its reason."""
        text = record.getMessage()
        if record.levelno == logging.WARNING and text not in self.texts:
            self.texts.append(text)


@contextmanager
def listening() -> Iterator[list[str]]:
    """Give a list that the warnings of this process are added to while the context lasts."""
    logger, handler = logging.getLogger("segrun"), _Texts()
    logger.addHandler(handler)
    try:
        yield handler.texts
    finally:
        logger.removeHandler(handler)
