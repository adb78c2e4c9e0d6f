"""The numbers a STAR election is decided by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crowdvote_analysis.star.units import FIVE_STARS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crowdvote_analysis.star.ballots import Ballots


_SMALL = 1 << 14


@dataclass(frozen=True)
class Counts:
    """Everything a tie protocol may look at. All numbers are exact integers.

    Attributes:
        vote_count: Number of ballots tallied.
        totals: Sum of stars by choice, in units of 1e-8 star. The keys are all the choices, in display order.
        five_stars: Number of ballots that give exactly 5.00000000 stars, by choice (K9).
        preferred: ``preferred[a][b]`` is the number of ballots with more stars for ``a`` than for ``b``.
    """

    vote_count: int
    totals: Mapping[str, int]
    five_stars: Mapping[str, int]
    preferred: Mapping[str, Mapping[str, int]]

    def plus(self, other: Counts, times: int) -> Counts:
        """These counts with those of further ballots added so many times; -1 takes them out."""
        return Counts(
            self.vote_count + times * other.vote_count,
            {choice: total + times * other.totals[choice] for choice, total in self.totals.items()},
            {choice: fives + times * other.five_stars[choice] for choice, fives in self.five_stars.items()},
            {
                one: {two: ballots + times * other.preferred[one][two] for two, ballots in row.items()}
                for one, row in self.preferred.items()
            },
        )

    @property
    def choices(self) -> tuple[str, ...]:
        """All choice ids, in display order."""
        return tuple(self.totals)


def count(ballots: Ballots) -> Counts:
    """Count scores, five-star ballots and pairwise preferences of one decision, exactly."""
    stars, unit = ballots.stars, FIVE_STARS // ballots.five
    # Whole stars of millions of ballots fit into 32 bits, which are added twice as fast.
    wide = np.uint32 if ballots.five < _SMALL and ballots.vote_count < _SMALL**2 else np.uint64
    # One array for all comparisons: making a new one each time costs more than comparing.
    holds = np.empty(ballots.vote_count, dtype=np.bool_)

    def number(compare: np.ufunc, one: object, other: object) -> int:
        return int(np.count_nonzero(compare(one, other, out=holds)))

    return Counts(
        vote_count=ballots.vote_count,
        totals={choice: int(own.sum(dtype=wide)) * unit for choice, own in zip(ballots.choices, stars, strict=True)},
        five_stars={
            choice: number(np.equal, own, ballots.five) for choice, own in zip(ballots.choices, stars, strict=True)
        },
        preferred={
            choice: {other: number(np.greater, stars[a], stars[b]) for b, other in enumerate(ballots.choices) if b != a}
            for a, choice in enumerate(ballots.choices)
        },
    )
