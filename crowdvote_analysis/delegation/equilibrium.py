"""Loops by the equilibrium rule (Y4): the ballots that no further averaging would change.

Members of a core solve one sparse linear system: number of sources × own stars = sum of the sources' stars. A
floating-point
solver proposes, exact integers check and correct: the residual is formed in units of 1e-18 without any rounding, so
the answer is that of the system and not of the solver.
"""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from crowdvote_analysis.delegation.arrays import UNITS_PER_STAR
from crowdvote_analysis.delegation.elimination import LARGEST, Chain, Elimination
from crowdvote_analysis.delegation.thinning import Thinned
from crowdvote_analysis.errors import CrowdVoteError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scipy.sparse import csr_array
    from scipy.sparse.linalg import SuperLU

    from crowdvote_analysis.delegation.arrays import Floats, Ints
    from crowdvote_analysis.delegation.averages import Balance

RESIDUAL = 10**6  # units: 1e-12 star (Y4)
CORRECTIONS = 8
_ITERATIONS, _RESTARTS = 500, 4
_PRECISION = 1e-10
LARGEST_EXACT = 64  # members of a core whose stars are worked out as fractions where rounding needs it
# Steps in a core beyond which floats that subtract tell too little; the second where another way takes long.
HELD, HELD_TOO_LONG = 10**6, 10**8
_FLOAT_ERROR = 10**4  # units by member or step: ten times what rounding floats can do to five stars
_TOO_ROUGH = 10**9  # units: a fifth of half a place
SURE = 0.5  # by how much a number of steps may miss its equations and still bound what is true
_LEFT_OVER = 1e-9  # part of the weight that may be misplaced
_SMALL = 500  # members of a core that elimination settles in no time
_TOGETHER = 20_000  # members of a core whose choices are worked out at once, and not on a core of the machine each


def solve(
    inside: csr_array, sources: Ints, outside: Ints, rough: Floats
) -> tuple[Ints, int, Elimination | Thinned | None]:
    """The stars of the members of a core.

    Args:
        inside: 1 where the member of the row inherits from the member of the column.
        sources: Number of inherited ballots by member, from inside and outside the core.
        outside: Sum of the ballots inherited from outside, choice by member, in units of 1e-18 modulo 2**64.
        rough: The same sum as a float, which places it among its equals modulo 2**64.

    Returns:
        Stars in units of 1e-18, choice by member; a bound of their distance from the solution, in units; and what they
        were solved by where that was elimination, to trace weights by it.

    Raises:
        CrowdVoteError: Thousands of members hold on to what enters them for so long that no float can say where it
            goes.
    """
    averaging = _averaging(inside, sources)
    system = _System(averaging)
    growth = _growth(system)
    if growth <= (HELD if len(sources) <= LARGEST else HELD_TOO_LONG):
        if len(sources) > _TOGETHER:
            corrected = partial(_corrected, system, inside.astype(np.int64), sources)
            one = [(given[None], roughly[None]) for given, roughly in zip(outside, rough, strict=True)]
            with ThreadPoolExecutor(os.cpu_count()) as threads:
                solved = list(threads.map(lambda choice: corrected(*choice), one))
        else:  # all choices at once: beginning a step takes longer than its arithmetic
            solved = [_corrected(system, inside.astype(np.int64), sources, outside, rough)]
        worst = max((residual for _, residual in solved), default=0.0)
        if worst <= RESIDUAL:
            units = np.concatenate([stars for stars, _ in solved]) if solved else np.zeros_like(outside)
            return units, math.ceil(2 * growth * max(worst, 1.0)), None
    held, error = _without_subtraction(averaging, inside, sources)
    with np.errstate(all="ignore"):  # numbers too small for floats are noticed below
        stars = np.array([held.stars(given / sources) for given in rough]).reshape(outside.shape)
    if not np.isfinite(stars).all():
        raise _hopeless(len(sources))
    return np.clip(np.rint(stars).astype(np.int64), 0, 5 * UNITS_PER_STAR), error, held


def _corrected(system: _System, whole: csr_array, sources: Ints, outside: Ints, rough: Floats) -> tuple[Ints, float]:
    """The stars for some choices, each within 1e-12 star of the average of its sources if the solver can do it.

    Returns:
        The stars, choice by member, and by how much they are not that average at most; infinite where the solver fails.
    """
    units, worst = np.zeros_like(outside), 0.0
    open_, found = np.arange(len(outside)), system.absorb(rough / sources)
    for last in range(CORRECTIONS, -1, -1):
        if not np.isfinite(found).all():
            return units, math.inf
        units[open_] += np.rint(found).astype(np.int64)
        # Sums wrap around modulo 2**64, but what is left of them is small once the stars are nearly right, so the
        # residual is exact.
        residual = (outside[open_] + (whole @ units[open_].T).T - sources * units[open_]) / sources
        missed = np.abs(residual).max(axis=1, initial=0.0)
        going = missed > 1.0
        worst = max(worst, float(missed[~going].max(initial=0.0)), float(missed.max(initial=0.0)) if not last else 0.0)
        if not going.any():
            break
        open_, found = open_[going], system.absorb(residual[going])
    return np.clip(units, 0, 5 * UNITS_PER_STAR), worst


def _without_subtraction(averaging: csr_array, inside: csr_array, sources: Ints) -> tuple[Elimination | Thinned, int]:
    """A core that holds on to what enters it, ready to be solved, and a bound of the error of its stars in units.

    Raises:
        CrowdVoteError: It cannot be told to 8 places.
    """
    chain = Chain(averaging, (sources - np.diff(inside.indptr)) / sources)
    if len(sources) <= LARGEST:
        return Elimination(chain), _FLOAT_ERROR * len(sources)
    thinned = Thinned(chain, _refined)
    left = thinned.rest_size if thinned.is_whole else _growth(_System(thinned.rest.steps))
    error = _FLOAT_ERROR * (thinned.gone + left)
    if not error <= _TOO_ROUGH:
        raise _hopeless(len(sources))
    return thinned, math.ceil(error)


def _hopeless(members: int) -> CrowdVoteError:
    return CrowdVoteError(
        f"a loop of {members:,} members holds on to what enters it for so long that its equilibrium (rule Y4) cannot "
        "be told to 8 places. A thousand or more of them follow almost nobody but each other: take some of their "
        "followings out."
    )


def _growth(system: _System) -> float:
    """The expected number of steps until a walk leaves the core, at most: so much can a residual grow.

    Where everything is at least 0, a vector that misses by less than 1 - d is at least d times the true one.
    """
    ones = np.ones(system.steps.shape[0])
    for precision in (1e-2, 1e-8):  # two digits will do, if they can be trusted
        with np.errstate(all="ignore"):  # numbers that run away are noticed below
            steps = system.absorb(ones, precision)
            missed = float(_largest(ones - (steps - system.steps @ steps)))
        if missed < SURE:  # and so a number
            return float(steps.max(initial=1.0)) / (1 - missed)
    return math.inf


def solve_exactly(inside: csr_array, sources: Ints, outside: Sequence[Fraction]) -> list[Fraction]:
    """The stars of the members of a small core for one choice, by elimination with fractions."""
    size = len(outside)
    rows: list[dict[int, Fraction]] = []
    for member in range(size):
        followees = inside.indices[inside.indptr[member] : inside.indptr[member + 1]].tolist()
        row = {followee: Fraction(-1) for followee in followees}
        row[member] = row.get(member, Fraction(0)) + int(sources[member])
        row[size] = outside[member]
        rows.append(row)
    # The diagonal outweighs each row, so that no pivot is ever 0.
    for pivot in range(size):
        top = rows[pivot]
        for below in rows[pivot + 1 :]:
            factor = below.pop(pivot, None)
            if factor:
                factor /= top[pivot]
                for column, value in top.items():
                    if column > pivot:
                        below[column] = below.get(column, Fraction(0)) - factor * value
    stars: list[Fraction] = [Fraction(0)] * size
    for member in reversed(range(size)):
        row = rows[member]
        rest = sum((value * stars[column] for column, value in row.items() if member < column < size), Fraction(0))
        stars[member] = (row[size] - rest) / row[member]
    return stars


def trace(balance: Balance, weight: Floats, left_over: float = _LEFT_OVER) -> Floats:
    """How much weight passes through each member of a core when ``weight`` enters it (I3).

    What a member holds goes to their sources in equal parts, inside the core again and again, until it has left.

    Args:
        balance: The core.
        weight: What enters, by member.
        left_over: Part of the weight that may be misplaced, where floats can tell so little.

    Raises:
        CrowdVoteError: The core holds on to what enters it for too long.
    """
    entered = np.abs(weight).sum()
    if not entered:
        return np.zeros_like(weight)
    if balance.held is not None:
        return balance.held.passed(weight)
    averaging = _averaging(balance.inside, balance.sources)
    handing = _System(averaging.T.tocsr())
    passed = np.zeros_like(weight)
    with np.errstate(all="ignore"):  # numbers that run away are noticed below
        for _ in range(CORRECTIONS):
            # What a walk has left over is missing where it would have gone: so much can the weights be wrong.
            left = weight - (passed - handing.steps @ passed)
            missing = np.abs(left).sum()
            if not missing > left_over * entered:
                break
            passed = passed + handing.absorb(left)
    if missing <= _LEFT_OVER * entered:
        return passed
    return _without_subtraction(averaging, balance.inside, balance.sources)[0].passed(weight)


def _averaging(inside: csr_array, sources: Ints) -> csr_array:
    averaging = inside.astype(np.float64)
    averaging.data /= np.repeat(sources.astype(np.float64), np.diff(averaging.indptr))
    return averaging


class _System:
    """The equations ``x - steps @ x = right`` of a core, for many right sides: factorised once, where they are at all.

    Args:
        steps: The part that goes from the member of the row to the member of the column; nobody's goes to themself.
    """

    def __init__(self, steps: csr_array) -> None:
        self.steps = steps

    def absorb(self, right: Floats, precision: float = _PRECISION) -> Floats:
        """Solve the equations, for one right side or for some, a row each: by elimination if small, else by iteration.

        An iteration that lost its way (its own account of the residual can drift from the true one) begins anew from
        where it is. What it cannot do is done by elimination, or told by numbers that are none where that could take
        for ever.
        """
        if right.ndim == 1:
            alone: Floats = self.absorb(right[None], precision)[0]
            return alone
        size = right.shape[1]
        if not right.size:
            return right
        solution, open_ = np.zeros_like(right), np.arange(len(right))
        if size > _SMALL:
            goal = precision * _largest(right)
            with np.errstate(all="ignore"):  # an iteration that runs away is noticed below
                left = right
                for _ in range(_RESTARTS):
                    solution[open_] += _iterated(self.steps, left, goal[open_])
                    left = right[open_] - (solution[open_] - _step(self.steps, solution[open_]))
                    going = ~(_largest(left) <= 1e3 * goal[open_])
                    open_, left = open_[going], left[going]
                    if not len(open_):
                        return solution
        if size > max(_SMALL, LARGEST) or self._factors is None:
            solution[open_] = np.nan
            return solution
        for row in open_.tolist():  # one by one: together, their sums would depend on how many they are
            solution[row] = self._factors.solve(right[row], "T")
        return solution

    @cached_property
    def _factors(self) -> SuperLU | None:
        """The equations, factorised: slow on large tangles, but it always ends; none where floats see no solution.

        They are factorised by columns, as their transpose: rows of the one are columns of the other.
        """
        from scipy.sparse import csc_array
        from scipy.sparse.linalg import splu

        size, indptr = self.steps.shape[0], self.steps.indptr
        own = indptr[:-1] + np.arange(size, dtype=indptr.dtype)  # in front of each row, the member themself
        indices, data = (
            np.insert(self.steps.indices, indptr[:-1], np.arange(size)),
            np.empty(len(self.steps.data) + size),
        )
        others = np.ones(len(data), dtype=np.bool_)
        others[own] = False
        data[own], data[others] = 1.0, -self.steps.data
        try:
            return splu(csc_array((data, indices, np.append(own, len(data))), shape=self.steps.shape))
        except RuntimeError:  # exactly singular
            return None


def _refined(steps: csr_array, right: Floats) -> Floats:
    """Solve ``x - steps @ x = right`` where little is held on to."""
    system, solution = _System(steps), np.zeros_like(right)
    for _ in range(CORRECTIONS):
        solution = solution + system.absorb(right - (solution - steps @ solution))
    return solution


def _iterated(averaging: csr_array, right: Floats, goal: Floats) -> Floats:
    """BiCGSTAB (van der Vorst 1992) for some right sides, a row each, until nothing above its ``goal`` should be left.

    Written out here because sums must not depend on the number of threads, as those of BLAS do, nor on what is solved
    beside a row, and in place, because fresh memory costs as much as the arithmetic.
    """
    found, open_ = np.zeros_like(right), np.arange(len(right))
    solution, step, moved = np.zeros_like(right), np.zeros_like(right), np.zeros_like(right)
    left, scratch = right.copy(), np.empty_like(right)
    rho: Floats = np.ones((len(right), 1))
    alpha, omega = rho, rho
    for _ in range(_ITERATIONS):
        going = _largest(left) > goal
        if not going.all():
            found[open_[~going]] = solution[~going]
            if not going.any():
                return found
            open_, goal, right, scratch = open_[going], goal[going], right[going], scratch[going]
            solution, step, moved, left = (each[going] for each in (solution, step, moved, left))
            rho, alpha, omega = (each[going] for each in (rho, alpha, omega))
        before, rho = rho, _product(right, left, scratch)
        # step = left + beta * (step - omega * moved)
        step -= np.multiply(moved, omega, out=scratch)
        step *= _ratio(rho, before) * _ratio(alpha, omega)
        step += left
        np.subtract(step, _step(averaging, step), out=moved)
        alpha = _ratio(rho, _product(right, moved, scratch))
        solution += np.multiply(step, alpha, out=scratch)
        left -= np.multiply(moved, alpha, out=scratch)
        turned = _step(averaging, left)
        np.subtract(left, turned, out=turned)
        omega = _ratio(_product(turned, left, scratch), _product(turned, turned, scratch))
        solution += np.multiply(left, omega, out=scratch)
        left -= np.multiply(turned, omega, out=scratch)
    found[open_] = solution
    return found


def _step(averaging: csr_array, rows: Floats) -> Floats:
    """The average of their sources' numbers for every member, in each row."""
    averaged: Floats = (averaging @ rows[0])[None] if len(rows) == 1 else np.ascontiguousarray((averaging @ rows.T).T)
    return averaged


def _largest(rows: Floats) -> Floats:
    largest: Floats = np.maximum(rows.max(axis=-1, initial=0.0), -rows.min(axis=-1, initial=0.0))
    return largest


def _product(one: Floats, other: Floats, scratch: Floats) -> Floats:
    """The products of rows, a column; each row is summed by itself, as it would be alone."""
    product: Floats = np.multiply(one, other, out=scratch).sum(axis=1, keepdims=True)
    return product


def _ratio(top: Floats, bottom: Floats) -> Floats:
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom != 0)
