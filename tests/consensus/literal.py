"""Rules C2 to C5 read aloud: one decision at a time, in fractions, every completion tried."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache


@dataclass(frozen=True)
class Criterion:
    """What a decision has to meet."""

    method: str
    threshold: str | None = None
    quorum: int | None = None
    decisive_only: bool = False

    def options(self) -> dict[str, object]:
        return {"threshold": self.threshold, "quorum": self.quorum, "decisive_only": self.decisive_only}


def part(threshold: str | None) -> Fraction:
    text = threshold or "66%"
    return Fraction(text[:-1]) / 100 if text.endswith("%") else Fraction(text)


@cache
def passes(criterion: Criterion, required: int, yes: Fraction, no: Fraction, abstain: Fraction) -> bool:
    """Whether a decision passes, as the rules say it."""
    cast = yes + no + abstain
    if criterion.method == "simple_majority":
        divisor = yes + no if criterion.decisive_only else cast
        enough = cast >= (criterion.quorum or 0)
        return cast > 0 and enough and divisor > 0 and yes / divisor > Fraction(1, 2)
    if criterion.method == "supermajority":
        enough = cast >= (criterion.quorum or 0)
        return required > 0 and enough and yes / required >= part(criterion.threshold)
    quorum = required if criterion.quorum is None else criterion.quorum
    return cast >= quorum and no == 0 and yes > 0


def completions(remaining: int) -> Iterator[tuple[int, int, int]]:
    """How many of the remaining voters say yes, no, abstain; the others do not vote."""
    for yes in range(remaining + 1):
        for no in range(remaining - yes + 1):
            for abstain in range(remaining - yes - no + 1):
                yield yes, no, abstain


def fewest(criterion: Criterion, required: int, yes: int, no: int, abstain: int) -> int | None:
    """The fewest further votes that pass a decision; ``None`` if none do: it is deadlocked (C5)."""
    found = [
        sum(more)
        for more in completions(max(0, required - yes - no - abstain))
        if passes(criterion, required, Fraction(yes + more[0]), Fraction(no + more[1]), Fraction(abstain + more[2]))
    ]
    return min(found, default=None)
