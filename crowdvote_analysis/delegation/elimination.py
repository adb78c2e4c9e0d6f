"""Loops that hold on to what enters them: elimination without subtraction.

Where members of a loop inherit so much from each other that a walk takes millions of steps to leave it, the equations
of the equilibrium are as good as singular, and solvers that subtract lose every digit. The elimination of Grassmann,
Taksar and Heyman (1985) adds and multiplies numbers above 0 only, so each answer keeps its leading digits, however many
the steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from crowdvote_analysis.delegation.arrays import Floats

LARGEST = 2_000  # members; the table of a core this size takes 32 MB, and its elimination some seconds


class Chain(NamedTuple):
    """How members of a core hand on what they hold.

    Attributes:
        steps: The part that goes from the member of the row to the member of the column.
        leaving: The part that leaves the core, by member; with the row of ``steps`` it sums to 1.
    """

    steps: csr_array
    leaving: Floats


class Elimination:
    """A core, ready to be solved.

    Args:
        chain: The core.
    """

    def __init__(self, chain: Chain) -> None:
        steps, leaving = chain.steps.toarray(), chain.leaving.copy()
        size = len(leaving)
        pivots = np.empty(size)
        for last in range(size - 1, -1, -1):
            # What would be 1 minus the chance to stay, said without subtraction.
            pivots[last] = steps[last, :last].sum() + leaving[last]
            if not pivots[last]:  # too small for floats; the caller finds no numbers
                pivots[last] = np.nan
            steps[last, :last] /= pivots[last]
            # In a core of few followings most of the table stays 0, and adding nothing there takes most of the time.
            heirs, followees = np.flatnonzero(steps[:last, last]), np.flatnonzero(steps[last, :last])
            if len(heirs) * len(followees) < last * last / 8:
                steps[np.ix_(heirs, followees)] += steps[heirs, last, None] * steps[last, followees]
            else:
                steps[:last, :last] += steps[:last, last, None] * steps[last, :last]
            leaving[:last] += steps[:last, last] * (leaving[last] / pivots[last])
        self._steps, self._pivots = steps, pivots

    def stars(self, given: Floats) -> Floats:
        """The stars of the members; ``given`` is what they inherit from outside, over their number of sources."""
        stars = given.copy()
        for last in range(len(stars) - 1, -1, -1):
            stars[last] /= self._pivots[last]
            stars[:last] += self._steps[:last, last] * stars[last]
        for member in range(1, len(stars)):
            stars[member] += self._steps[member, :member] @ stars[:member]
        return stars

    def passed(self, entered: Floats) -> Floats:
        """How much weight passes through each member when ``entered`` enters the core."""
        passed = entered.copy()
        for last in range(len(passed) - 1, 0, -1):
            passed[:last] += self._steps[last, :last] * passed[last]
        for member in range(len(passed)):
            passed[member] = (passed[member] + passed[:member] @ self._steps[:member, member]) / self._pivots[member]
        return passed
