"""By trying everything: the fewest ballots that, changed to any of some kinds, make somebody else win."""

from __future__ import annotations

from itertools import combinations_with_replacement, permutations, product
from typing import TYPE_CHECKING, Any

import numpy as np

from crowdvote_analysis.star.counts import Counts
from crowdvote_analysis.star.outcome import decide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.integer[Any]]

STAR = 10**8
WHOLE = tuple(star * STAR for star in range(6))


class Election:
    """Ballots as they are decided: by the sums of what each of them adds to the counts.

    Args:
        ballots: One row a ballot, one column a choice, in units of 1e-8 star.
        protocol: Name of the tie protocol.
    """

    def __init__(self, ballots: Sequence[Sequence[int]], protocol: str = "starvote") -> None:
        self._ballots, self._protocol = np.array(ballots), protocol
        self._names = "abcdefgh"[: self._ballots.shape[1]]
        self._pairs = list(permutations(range(len(self._names)), 2))
        self._sums = self._added(self._ballots).sum(axis=0)
        self._known: dict[bytes, str | None] = {}
        self.winner = self._decided(self._sums)

    def fewest(self, kinds: Sequence[Sequence[int]], up_to: int) -> int | None:
        """The fewest changes of ballots to some of these kinds that make somebody else win; none up to a number."""
        cast, number = np.unique(self._ballots, axis=0, return_counts=True)
        out, put = self._added(cast), self._added(np.array(kinds))
        for many in range(1, up_to + 1):
            given = put[list(combinations_with_replacement(range(len(put)), many))].sum(axis=1)
            for chosen in combinations_with_replacement(range(len(cast)), many):
                if any(chosen.count(one) > number[one] for one in chosen):
                    continue
                if self._somebody_else_wins(self._sums - out[list(chosen)].sum(axis=0) + given):
                    return many
        return None

    def _added(self, ballots: Ints) -> Ints:
        prefers = [ballots[:, one] > ballots[:, other] for one, other in self._pairs]
        return np.column_stack([ballots, ballots == 5 * STAR, *prefers]).astype(np.int64)

    def _somebody_else_wins(self, sums: Ints) -> bool:
        clear = self._clear_winners(sums)
        if (self.winner is not None) and ((clear >= 0) & (clear != self._names.index(self.winner))).any():
            return True
        return any(self._decided(row) not in (None, self.winner) for row in np.unique(sums[clear < 0], axis=0))

    def _clear_winners(self, sums: Ints) -> Ints:
        """Who wins where nothing is tied that could matter; -1 elsewhere."""
        choices = len(self._names)
        totals, rows = sums[:, :choices], np.arange(len(sums))
        first, second, *rest = np.argsort(-totals, axis=1).T
        matrix = np.full((choices, choices), -1)
        for place, pair in enumerate(self._pairs):
            matrix[pair] = 2 * choices + place
        lead = sums[rows, matrix[first, second]] - sums[rows, matrix[second, first]]
        clear = lead != 0
        if rest:
            clear &= totals[rows, second] > totals[rows, rest[0]]
        return np.where(clear, np.where(lead > 0, first, second), -1)

    def _decided(self, sums: Ints) -> str | None:
        if (key := sums.tobytes()) not in self._known:
            names, numbers = self._names, sums.tolist()
            totals, fives, prefers = (
                numbers[: len(names)],
                numbers[len(names) : 2 * len(names)],
                dict(zip(self._pairs, numbers[2 * len(names) :], strict=True)),
            )
            preferred: dict[str, dict[str, int]] = {name: {} for name in names}
            for (one, other), number in prefers.items():
                preferred[names[one]][names[other]] = number
            counts = Counts(
                len(self._ballots),
                dict(zip(names, totals, strict=True)),
                dict(zip(names, fives, strict=True)),
                preferred,
            )
            self._known[key] = decide(counts, self._protocol).winner
        return self._known[key]


def kinds(choices: int, stars: Sequence[int] = WHOLE) -> list[tuple[int, ...]]:
    """All ballots with some stars for each choice."""
    return list(product(stars, repeat=choices))
