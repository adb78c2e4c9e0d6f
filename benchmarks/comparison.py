"""Something that is measured, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.measure import in_turns

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Result:
    """One row of the table.

    Attributes:
        ours, peer: What was measured of each, in words.
        ratio: The number that is held against the bars.
    """

    ours: str
    peer: str
    ratio: float


@dataclass(frozen=True)
class Comparison:
    """Something that is measured.

    Attributes:
        name: For the command line.
        work: What is done.
        against: What it is measured against.
        bar: What has to be reached, and the goal beyond it, where there is one.
        unit: Of the ratio: ``×`` of the peer's time (less is better), ``× faster`` (more is better), s or GB.
        measure: Does it, at a part of the full size and with a number of runs.
    """

    name: str
    work: str
    against: str
    bar: tuple[float, float | None]
    unit: str
    measure: Callable[[float, int], Result]

    def reached(self, ratio: float) -> str:
        """Which of the two was reached."""
        bar, goal = self.bar
        better = (lambda wanted: ratio >= wanted) if self.unit == "× faster" else (lambda wanted: ratio <= wanted)
        return "goal" if goal is not None and better(goal) else "bar" if better(bar) else "missed"


def seconds(value: float) -> str:
    """A time in words."""
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def timed(ours: Callable[[], object], peer: Callable[[], object], runs: int) -> Result:
    """Our time as a part of the peer's, in turns."""
    timing = in_turns(ours, peer, runs)
    return Result(seconds(timing.ours), seconds(timing.peer), timing.ours / timing.peer)


def faster(ours: Callable[[], object], peer: Callable[[], object], runs: int, peer_runs: int) -> Result:
    """How many times faster we are than a peer that is too slow to be run as often."""
    timing = in_turns(ours, peer, runs, peer_runs)
    return Result(seconds(timing.ours), seconds(timing.peer), timing.peer / timing.ours)
