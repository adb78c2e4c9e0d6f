"""Large cores in which a few members hold on to what enters them: those are eliminated, the rest is left to iteration.

Thirty accounts can follow each other so that a walk takes millions of millions of steps to leave them, and make the
equations of everybody in their core as good as singular. Eliminated without subtraction (Grassmann, Taksar and Heyman
1985; here on sparse rows), they leave a smaller chain that hands on quickly and gives the same ballots. Members whose
elimination makes no followings more (those on rings and chains) go along with them.

Who is eliminated follows from the graph alone: where a walk that began anywhere still is after many steps.
"""

from __future__ import annotations

import heapq
import math
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from crowdvote_analysis.delegation.elimination import LARGEST, Chain, Elimination

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scipy.sparse import csr_array

    from crowdvote_analysis.delegation.arrays import Floats, Ints

_STEPS = 256  # after which most of what entered should have left
_LEFT = 0.05  # the part of it that may still be inside
_HELD = 1 - 1e-6  # the part of what is left whose holders are eliminated
_WORK = 30_000_000  # products of a row and a column: some seconds


class _Eliminated(NamedTuple):
    """A member who was eliminated: whom they hand on to, and who hands on to them."""

    member: int
    pivot: float
    to: Ints
    parts: Floats
    given_by: Ints
    given: Floats


class Thinned:
    """A core without the members who hold on to what enters them.

    Args:
        chain: The whole core.
        absorb: Solves ``x - steps @ x = right`` for steps that hand on quickly.

    Attributes:
        gone: Number of members who were eliminated.
        rest: What is left; nobody hands on to themself.
        is_whole: Whether what is left holds on as well, and is small enough to be eliminated whole.
    """

    def __init__(self, chain: Chain, absorb: Callable[[csr_array, Floats], Floats]) -> None:
        self._absorb = absorb
        self._rows = _rows(chain.steps)
        self._columns: list[set[int]] = [set() for _ in self._rows]
        for member, row in enumerate(self._rows):
            for other in row:
                self._columns[other].add(member)
        self._leaving: list[float] = chain.leaving.tolist()
        self._gone: list[_Eliminated] = []
        self._work = 0
        self._is_gone = np.zeros(len(self._rows), dtype=np.bool_)
        self._eliminate(range(len(self._rows)), freely=False)
        self._take_stock()
        while not self._is_quick and self._work < _WORK:
            self._eliminate(self._holders(), freely=True)
            self._eliminate(self._members.tolist(), freely=False)
            self._take_stock()
        self.gone = len(self._gone)
        self._whole = None if self._is_quick or len(self._members) > LARGEST else Elimination(self.rest)
        self.is_whole = self._whole is not None

    @property
    def rest_size(self) -> int:
        """Number of members who are left."""
        return len(self._members)

    def stars(self, given: Floats) -> Floats:
        """The stars of the members; ``given`` is what they inherit from outside, over their number of sources."""
        given = given.copy()
        for gone in self._gone:
            given[gone.given_by] += gone.given * (given[gone.member] / gone.pivot)
        stars = given.copy()
        right = given[self._members] / self._scale
        stars[self._members] = self._whole.stars(right) if self._whole else self._absorb(self.rest.steps, right)
        for gone in reversed(self._gone):
            stars[gone.member] = (given[gone.member] + gone.parts @ stars[gone.to]) / gone.pivot
        return stars

    def passed(self, entered: Floats) -> Floats:
        """How much weight passes through each member when ``entered`` enters the core."""
        entered = entered.copy()
        for gone in self._gone:
            entered[gone.to] += gone.parts * (entered[gone.member] / gone.pivot)
        passed = entered.copy()
        enters = entered[self._members]
        rest = self._whole.passed(enters) if self._whole else self._absorb(self.rest.steps.T.tocsr(), enters)
        passed[self._members] = rest / self._scale
        for gone in reversed(self._gone):
            passed[gone.member] = (entered[gone.member] + gone.given @ passed[gone.given_by]) / gone.pivot
        return passed

    def _eliminate(self, members: Iterable[int], *, freely: bool) -> None:
        """Take members out, those first that make fewest followings more; only where none are made, unless freely."""
        waiting = [(self._grows(member), member) for member in members]
        heapq.heapify(waiting)
        while waiting and self._work < _WORK:
            grows, member = heapq.heappop(waiting)
            if self._is_gone[member]:
                continue
            now = self._grows(member)
            if now > grows:
                heapq.heappush(waiting, (now, member))
            elif freely or now <= 0:
                self._take_out(member)

    def _grows(self, member: int) -> int:
        """How many followings more there can be without a member."""
        row, column = self._rows[member], self._columns[member]
        own = member in row
        return (len(row) - own) * (len(column) - own) - len(row) - len(column) + 2 * own

    def _take_out(self, member: int) -> None:
        row, column = self._rows[member], sorted(self._columns[member] - {member})
        row.pop(member, None)
        to = sorted(row)
        # What would be 1 minus the part that stays, said without subtraction.
        pivot = sum(row[other] for other in to) + self._leaving[member] or math.nan  # too small for floats
        given = []
        for giver in column:
            theirs = self._rows[giver]
            given.append(part := theirs.pop(member))
            part /= pivot
            for other in to:
                theirs[other] = theirs.get(other, 0.0) + part * row[other]
            self._leaving[giver] += part * self._leaving[member]
        for other in to:
            self._columns[other].discard(member)
            self._columns[other].update(column)
        self._work += len(column) * (len(to) + 1)
        self._is_gone[member] = True
        self._rows[member], self._columns[member] = {}, set()
        parts = np.array([row[other] for other in to])
        self._gone.append(_Eliminated(member, pivot, _ints(to), parts, _ints(column), np.array(given)))

    def _take_stock(self) -> None:
        """Say what is left, and whether it hands on quickly."""
        from scipy.sparse import csr_array

        self._members = np.flatnonzero(~self._is_gone)
        place = np.cumsum(~self._is_gone) - 1
        lengths, columns, parts, scale = [0], [], [], []
        for member in self._members.tolist():
            row = self._rows[member]
            others = sorted(other for other in row if other != member)
            scale.append(sum(row[other] for other in others) + self._leaving[member] or math.nan)
            columns += others
            parts += [row[other] / scale[-1] for other in others]
            lengths.append(len(others))
        size = len(self._members)
        self._scale = np.array(scale)
        steps = csr_array((np.array(parts), place[_ints(columns)], np.cumsum(lengths)), shape=(size, size))
        self.rest = Chain(steps, np.array(self._leaving)[self._members] / self._scale)
        self._mass = np.ones(size)
        handing = steps.T.tocsr()
        for _ in range(_STEPS):
            self._mass = handing @ self._mass
        self._is_quick = bool(self._mass.sum() <= _LEFT * size)

    def _holders(self) -> list[int]:
        """Who holds nearly all of what is left after many steps, at most half of the members."""
        by_mass = np.argsort(-self._mass, kind="stable")
        part = np.cumsum(self._mass[by_mass]) / self._mass.sum()
        enough = int(np.searchsorted(part, _HELD)) + 1
        holders: list[int] = self._members[by_mass[: min(enough, -(-len(by_mass) // 2))]].tolist()
        return holders


def _rows(steps: csr_array) -> list[dict[int, float]]:
    columns, parts, bounds = steps.indices.tolist(), steps.data.tolist(), steps.indptr.tolist()
    return [dict(zip(columns[first:last], parts[first:last], strict=True)) for first, last in pairwise(bounds)]


def _ints(numbers: list[int]) -> Ints:
    return np.array(numbers, dtype=np.int64)
