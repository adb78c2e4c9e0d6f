"""Which cores of the machine a test uses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_HERE = hasattr(os, "sched_getaffinity")  # Linux
_ALL = os.sched_getaffinity(0) if _HERE else set()


def keep_to_one(worker: int) -> None:
    """Stay on one core; workers take them in turns.

    Polars hands every small step to a thread of its own, and handing over between cores costs more than the step.
    """
    if _HERE:
        os.sched_setaffinity(0, {sorted(_ALL)[worker % len(_ALL)]})


@contextmanager
def every_core() -> Iterator[None]:
    """Processes that are started in here may run side by side."""
    if not _HERE:
        yield
        return
    kept = os.sched_getaffinity(0)
    os.sched_setaffinity(0, _ALL)
    try:
        yield
    finally:
        os.sched_setaffinity(0, kept)
