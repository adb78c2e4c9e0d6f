"""Many small cores by the equilibrium rule (Y4) at once: setting one up takes longer than its arithmetic.

Cores of one level have nothing to do with each other, so each gives the same bits whatever else is settled beside it:
their equations are inverted one by one, in matrices whose size depends on the core alone, and sums have one order.
"""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from crowdvote_analysis.delegation import equilibrium
from crowdvote_analysis.delegation.arrays import UNITS_PER_STAR, not_empty
from crowdvote_analysis.delegation.averages import Balance, matrix
from crowdvote_analysis.delegation.participation import Towards, came_along

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crowdvote_analysis.delegation.arrays import Bits, Flags, Floats, Ints
    from crowdvote_analysis.delegation.averages import Calculation
    from crowdvote_analysis.delegation.blocks import Block
    from crowdvote_analysis.delegation.elimination import Elimination
    from crowdvote_analysis.delegation.participation import Order
    from crowdvote_analysis.delegation.thinning import Thinned

# Members of a core that is settled together with others: below, libraries of linear algebra work in one thread, and
# the time that a full matrix takes does not count yet.
LARGEST = 128
_STEP = 16  # matrices are as large as the next multiple
_AT_ONCE = 4_000_000  # cells of the matrices that are held


def settle_small_cores(block: Block, order: Order, calculation: Calculation, edges: Ints) -> None:
    """Give the members of some cores their ballots.

    Args:
        block: The graph.
        order: Its levels and cores.
        calculation: The ballots so far; whoever the cores inherit from outside is settled.
        edges: The live edges of the members of the cores, which are of one level, sorted by follower.
    """
    inner = order.core[block.dst[edges]] == order.core[block.src[edges]]
    within, outside = edges[inner], edges[~inner]
    match, brought = came_along(block, outside, calculation.has, calculation.tags)
    outside, brought = outside[match], brought[match]
    cores = _Cores(block, order, np.unique(block.src[edges]), within, outside)
    units, error, held = _solved(cores, calculation)
    _put(calculation, cores, units, error)
    hand_round_tags(block, calculation, within, outside, brought)
    calculation.inherited[outside] = calculation.inherited[within] = True
    calculation.balances += cores.balances(held, error)


class _Cores:
    """Cores as one system: members of a core stand together, in the order of their nodes.

    Attributes:
        members: Nodes.
        which: The core, by member.
        starts: The first member of each core, and their number.
        rows, columns: Who inherits from whom inside, as places among the members.
        receiver, source: Who inherits from which node outside.
        sources: Number of inherited ballots by member.
    """

    def __init__(self, block: Block, order: Order, members: Ints, within: Ints, outside: Ints) -> None:
        _, which, sizes = np.unique(order.core[members], return_inverse=True, return_counts=True)
        self.members = members[np.argsort(which, kind="stable")]
        self.which = np.repeat(np.arange(len(sizes)), sizes)
        self.starts = np.concatenate([[0], np.cumsum(sizes)])
        place = np.empty(len(block.member), dtype=np.int64)
        place[self.members] = np.arange(len(members))
        self.rows, self.columns = place[block.src[within]], place[block.dst[within]]
        self.receiver, self.source, self._outside = place[block.src[outside]], block.dst[outside], outside
        self.sources = np.bincount(self.rows, minlength=len(members)) + np.bincount(
            self.receiver, minlength=len(members)
        )

    def __len__(self) -> int:
        return len(self.starts) - 1

    def inside(self, core: int) -> tuple[Ints, Ints]:
        """Who inherits from whom inside a core, as places among its own members."""
        first, last = self._inner[core : core + 2]
        mine, start = self._by_core[first:last], self.starts[core]
        return self.rows[mine] - start, self.columns[mine] - start

    @cached_property
    def _by_core(self) -> Ints:
        return np.argsort(self.which[self.rows], kind="stable")

    @cached_property
    def _inner(self) -> list[int]:
        bounds: list[int] = np.searchsorted(self.which[self.rows][self._by_core], np.arange(len(self) + 1)).tolist()
        return bounds

    def balances(self, held: Mapping[int, Elimination | Thinned | None], error: Ints) -> list[Balance]:
        """What is kept of each core, to trace weights through it; ``held`` and ``error`` as there."""
        entering = np.argsort(self.which[self.receiver], kind="stable")
        bounds = np.searchsorted(self.which[self.receiver][entering], np.arange(len(self) + 1)).tolist()
        return [
            Balance(
                self.members[first:last],
                *self.inside(core),
                self.sources[first:last],
                self._outside[entering[bounds[core] : bounds[core + 1]]],
                held.get(core),
                int(error[core]),
            )
            for core, (first, last) in enumerate(pairwise(self.starts.tolist()))
        ]


def _solved(cores: _Cores, calculation: Calculation) -> tuple[Ints, Ints, dict[int, Elimination | Thinned | None]]:
    """The stars, choice by member; a bound of their error, by core; what was solved by elimination, by core."""
    choices, count = len(calculation.units), len(cores.members)
    total, rough = np.zeros((choices, count), dtype=np.int64), np.zeros((choices, count))
    for choice, units in enumerate(calculation.units):
        given = units[cores.source]
        np.add.at(total[choice], cores.receiver, given)
        rough[choice] = np.bincount(cores.receiver, given, minlength=count)
    stars, error = np.zeros_like(total), np.zeros(len(cores), dtype=np.int64)
    sizes = np.diff(cores.starts)
    padded = -(-sizes // _STEP) * _STEP
    left: list[int] = []
    for size in np.unique(padded).tolist():
        alike = np.flatnonzero(padded == size)
        at_once = max(1, _AT_ONCE // (size * size))
        for first in range(0, len(alike), at_once):
            some = alike[first : first + at_once]
            stack = _Stack(cores, some, size)
            found = stack.solve(total, rough)
            if found is None:
                left += some.tolist()
                continue
            places, units, bound, done = found
            stars[:, places] = units
            error[some] = bound
            left += some[~done].tolist()
    held: dict[int, Elimination | Thinned | None] = {}
    for core in left:
        here = slice(*cores.starts[core : core + 2].tolist())
        rows, columns = cores.inside(core)
        inside = matrix(rows, columns, int(sizes[core]))
        stars[:, here], error[core], held[core] = equilibrium.solve(
            inside, cores.sources[here], total[:, here], rough[:, here]
        )
    return stars, error, held


class _Stack:
    """Some cores as matrices of one size, filled up with members that have nothing.

    Args:
        cores: All of them.
        some: Which.
        size: Rows and columns of a matrix.
    """

    def __init__(self, cores: _Cores, some: Ints, size: int) -> None:
        number = np.full(len(cores), -1, dtype=np.int64)
        number[some] = np.arange(len(some))
        self._shape = (len(some), size)
        self._mine = np.flatnonzero(number[cores.which] >= 0)
        which = cores.which[self._mine]
        self._at = number[which], self._mine - cores.starts[which]
        edges = np.flatnonzero(number[cores.which[cores.rows]] >= 0)
        row, column, core = cores.rows[edges], cores.columns[edges], cores.which[cores.rows[edges]]
        self._inside = np.zeros((len(some), size, size), dtype=np.int64)
        self._inside[number[core], row - cores.starts[core], column - cores.starts[core]] = 1
        self._sources = self._filled(cores.sources, 1)

    def _filled(self, values: Any, otherwise: int) -> Any:
        filled = np.full(self._shape, otherwise, dtype=values.dtype)
        filled[self._at] = values[self._mine]
        return filled

    def solve(self, total: Ints, rough: Floats) -> tuple[Ints, Ints, Ints, Flags] | None:
        """The stars, as ``equilibrium.solve`` gives them.

        Returns:
            The members; their stars, choice by member; a bound of the error, by core; whether the core could be solved
            so. Nothing where one of the systems is singular.
        """
        steps = self._inside / self._sources[:, :, None]
        try:
            inverse = np.linalg.inv(np.eye(self._shape[1]) - steps)
        except np.linalg.LinAlgError:
            return None
        waited = _times(inverse, np.ones(self._shape))
        missed = np.abs(1.0 - (waited - _times(steps, waited))).max(axis=1)
        with np.errstate(all="ignore"):
            growth = np.where(missed < equilibrium.SURE, waited.max(axis=1) / (1 - missed), np.inf)
        worst = np.zeros(self._shape[0])
        stars = np.zeros((len(total), len(self._mine)), dtype=np.int64)
        for choice, (whole, roughly) in enumerate(zip(total, rough, strict=True)):
            units, residual = self._corrected(inverse, self._filled(whole, 0), self._filled(roughly, 0))
            stars[choice], worst = units[self._at], np.maximum(worst, residual)
        done: Flags = (growth <= equilibrium.HELD) & (worst <= equilibrium.RESIDUAL)
        bound = np.zeros(len(done), dtype=np.int64)
        bound[done] = np.ceil(2 * growth[done] * np.maximum(worst[done], 1.0)).astype(np.int64)
        return self._mine, np.clip(stars, 0, 5 * UNITS_PER_STAR), bound, done

    def _corrected(self, inverse: Floats, outside: Ints, rough: Floats) -> tuple[Ints, Floats]:
        """The stars for one choice, and by how much they are not the average of their sources; see ``equilibrium``."""
        units, found = np.zeros_like(outside), _times(inverse, rough / self._sources)
        going = np.ones(len(units), dtype=np.bool_)
        worst = np.full(len(units), np.inf)
        for _ in range(equilibrium.CORRECTIONS + 1):
            going &= np.isfinite(found).all(axis=1)
            units[going] += np.rint(found[going]).astype(np.int64)
            residual = (outside + _times(self._inside, units) - self._sources * units) / self._sources
            missed = np.abs(residual).max(axis=1)
            worst[going] = missed[going]
            going &= missed > 1.0
            if not going.any():
                break
            found = _times(inverse, residual)
        return units, worst


def _times(matrices: Any, vectors: Any) -> Any:
    """Each matrix times its vector, summed in one order whatever the number of threads."""
    return np.einsum("kij,kj->ki", matrices, vectors)


def _put(calculation: Calculation, cores: _Cores, units: Ints, error: Ints) -> None:
    """Put the ballots of the members in, but for their tags."""
    entering, members = cores.which[cores.receiver], cores.members
    largest_error, depth = np.zeros(len(cores), dtype=np.int64), np.zeros(len(cores), dtype=np.int64)
    np.maximum.at(largest_error, entering, calculation.error[cores.source])
    np.maximum.at(depth, entering, calculation.depth[cores.source])
    approximate = np.diff(cores.starts) > equilibrium.LARGEST_EXACT
    np.logical_or.at(approximate, entering, calculation.approximate[cores.source])
    rated = np.zeros((len(cores), calculation.rated.shape[1]), dtype=np.uint64)
    np.bitwise_or.at(rated, entering, calculation.rated[cores.source])
    calculation.units[:, members] = units
    calculation.error[members] = (error + largest_error)[cores.which]
    calculation.approximate[members] = approximate[cores.which]
    calculation.has[members] = True
    calculation.sources[members] = cores.sources
    calculation.rated[members] = rated[cores.which]
    # In a loop everybody inherits from everybody: the core counts as one step above the deepest ballot it inherits
    # (D11).
    calculation.depth[members] = 1 + depth[cores.which]


def hand_round_tags(block: Block, calculation: Calculation, within: Ints, outside: Ints, brought: Bits) -> None:
    """Hand tags on inside cores until nobody gets another."""
    np.bitwise_or.at(calculation.tags, block.src[outside], brought)
    waiting, towards = within, Towards(block.dst, within)
    while len(waiting):
        news = calculation.tags[block.dst[waiting]] & block.mask[waiting]
        grows = not_empty(news & ~calculation.tags[block.src[waiting]])
        np.bitwise_or.at(calculation.tags, block.src[waiting][grows], news[grows])
        waiting = towards.any_of(block.src[waiting][grows])
