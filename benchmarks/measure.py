"""Two ways to the same answer, timed in turns, so that a busy machine slows both."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Timing:
    """Seconds, the median of some runs.

    Attributes:
        ours: This package.
        peer: What it is measured against.
        runs: Number of runs of each.
    """

    ours: float
    peer: float
    runs: int


def in_turns(ours: Callable[[], Any], peer: Callable[[], Any], runs: int, peer_runs: int | None = None) -> Timing:
    """Time both in turns.

    Args:
        ours: One of them.
        peer: The other.
        runs: How often each is run.
        peer_runs: How often the peer is run, where that is less.
    """
    peer_runs = runs if peer_runs is None else peer_runs
    seconds: tuple[list[float], list[float]] = ([], [])
    for run in range(max(runs, peer_runs)):
        for call, times, wanted in ((peer, seconds[1], peer_runs), (ours, seconds[0], runs)):
            if run < wanted:
                times.append(once(call))
    return Timing(median(seconds[0]), median(seconds[1]), runs)


def once(call: Callable[[], Any]) -> float:
    """Seconds of one call; what it returns is dropped before the clock of another starts."""
    gc.collect()
    started = time.perf_counter()
    result = call()
    seconds = time.perf_counter() - started
    del result
    return seconds
