"""Giving a calculation up: when it has taken too long, or when nobody wants it any more.

Counts call ``go_on`` between two pieces of work. It costs next to nothing where nobody has set a limit, as in programs
and on the command line, which has Ctrl+C; pages set one.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from crowdvote_analysis.errors import CrowdVoteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# How long a page works on one thing that somebody asks for, in seconds.
PAGE_SECONDS = 60.0
# After so many seconds people begin to wonder whether anything happens.
_NOTICED = 1.0


class CalculationGivenUp(CrowdVoteError):  # noqa: N818 - nothing went wrong
    """Somebody gave a calculation up, or it took longer than it may."""


class _Patience:
    """How long is waited, from now on; the arguments are those of ``patience``."""

    def __init__(self, seconds: float, is_given_up: Callable[[], bool], notice: Callable[[], None]) -> None:
        self._seconds, self._is_given_up, self._notice = seconds, is_given_up, notice
        self._began, self._noticed = time.monotonic(), False

    def look(self) -> None:
        """Raise when there is none left."""
        waited = time.monotonic() - self._began
        if waited > _NOTICED and not self._noticed:
            self._noticed = True
            self._notice()
        if self._is_given_up():
            raise CalculationGivenUp(
                "It was given up, as you asked. Change something, or reload the page, to begin again."
            )
        if waited > self._seconds:
            raise CalculationGivenUp(
                f"It was given up after {self._seconds:,.0f} seconds, the longest that a page works on one thing, so "
                "that others get their turn. On the command line it may take as long as it takes: see crowdvote --help."
            )


_PATIENCE: ContextVar[_Patience | None] = ContextVar("patience", default=None)


@contextmanager
def patience(
    seconds: float = PAGE_SECONDS,
    is_given_up: Callable[[], bool] = lambda: False,
    notice: Callable[[], None] = lambda: None,
) -> Iterator[None]:
    """Let calculations inside be given up.

    Args:
        seconds: How long they may take together.
        is_given_up: Whether somebody has given them up, asked often.
        notice: Called once, when they take longer than anybody waits without a word.
    """
    token = _PATIENCE.set(_Patience(seconds, is_given_up, notice))
    try:
        yield
    finally:
        _PATIENCE.reset(token)


def go_on() -> None:
    """Go on with a calculation, if whoever asked for it still has patience.

    Raises:
        CalculationGivenUp: They have not.
    """
    waiting = _PATIENCE.get()
    if waiting is not None:
        waiting.look()
