"""What happened, line by line (E5): ``[TIMESTAMP] [LEVEL] [EVENT_TYPE] [USER] - MESSAGE``."""

from __future__ import annotations

import logging
import time
from logging.handlers import TimedRotatingFileHandler
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SYSTEM = "system"
DAYS = 30

_LOGGER = "crowdvote.events"


class EventLog:
    """Events in a file, a new one every day (UTC); those of the last 30 days are kept.

    Whoever logs sees to it that no password, key or name of an anonymous member is in a message (P1).

    Args:
        folder: Where ``events.log`` lies; made if it is not there, for nobody else to read.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = folder / "events.log"
        self._handler = TimedRotatingFileHandler(
            self.path, when="midnight", backupCount=DAYS, utc=True, encoding="utf-8", delay=True
        )
        layout = logging.Formatter("[%(asctime)s] [%(levelname)s] [%(event)s] [%(user)s] - %(message)s")
        layout.converter = time.gmtime
        layout.default_msec_format = "%s.%03dZ"
        self._handler.setFormatter(layout)
        # Of its own rather than by name: two logs of one process do not write into each other's files.
        self._logger = logging.Logger(_LOGGER, logging.INFO)
        self._logger.addHandler(self._handler)

    def write(self, event: str, user: str, message: str, level: int = logging.INFO) -> None:
        """Write one line.

        Args:
            event: Its type, such as ``LOGIN``.
            user: Who did it: the name of a user, or ``system``.
            message: What was done, with times and counts.
            level: How much it matters.
        """
        self._logger.log(level, "%s", _one_line(message), extra={"event": event, "user": _one_line(user)})

    def close(self) -> None:
        """Close the file."""
        self._handler.close()


def _one_line(text: str) -> str:
    """Line ends and other characters that are not shown would let a text pretend to be a line of its own."""
    return "".join(sign if sign.isprintable() else " " for sign in text)
