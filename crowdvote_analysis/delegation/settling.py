"""Levels one after the other, each by what fits it: wide ones as frames, runs of narrow ones member by member."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from crowdvote_analysis.delegation.averages import average
from crowdvote_analysis.delegation.budget import Budget
from crowdvote_analysis.delegation.cores import cores_of, settle_core
from crowdvote_analysis.delegation.narrow import average_one_by_one
from crowdvote_analysis.delegation.small_cores import LARGEST, settle_small_cores
from crowdvote_analysis.errors import CyclicCoreTooLarge
from crowdvote_analysis.patience import go_on

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crowdvote_analysis.delegation.arrays import Ints
    from crowdvote_analysis.delegation.averages import Calculation
    from crowdvote_analysis.delegation.blocks import Block
    from crowdvote_analysis.delegation.cores import Core
    from crowdvote_analysis.delegation.participation import Order

# Setting up a frame costs as much as averaging so many followings one by one.
_NARROW = 128


def settle(
    block: Block,
    order: Order,
    calculation: Calculation,
    decision_ids: Sequence[str],
    work_limit: int,
    advance: Callable[[int], None] | None = None,
    refused: dict[int, CyclicCoreTooLarge] | None = None,
) -> None:
    """Work out the calculated ballots, whoever is inherited from before those who inherit.

    Args:
        block: The graph.
        order: Its levels and cores.
        calculation: The manual ballots; the calculated ones are put in.
        decision_ids: Decision by place in the block, for errors.
        work_limit: Steps the path rule may take for all cores of a decision (Y3).
        advance: Called with the number of members settled since the last call.
        refused: Where decisions that need more are noted, by place in the block; what becomes of their ballots means
            nothing. Without it they raise.

    Raises:
        CyclicCoreTooLarge: The path rule needs more than ``work_limit`` steps for one decision.
        CalculationGivenUp: Nobody waits for it any more.
    """
    advance = advance or (lambda _: None)
    cores = _Cores(block, order, calculation, decision_ids, work_limit, advance, refused)
    in_core = order.core[block.src[order.edges]] >= 0
    starts = order.starts.tolist()
    cores_before = np.concatenate([[0], np.cumsum(in_core)])[order.starts].tolist()
    level, levels = 0, len(starts) - 1
    while level < levels:
        go_on()
        edges = order.edges[starts[level] : starts[level + 1]]
        if cores_before[level] != cores_before[level + 1]:
            cored = in_core[starts[level] : starts[level + 1]]
            inside, edges = edges[cored], edges[~cored]
            average(block, calculation, edges)
            cores.settle(inside)
            level += 1
        elif len(edges) > _NARROW:
            average(block, calculation, edges)
            level += 1
        else:
            first = level
            while (
                level < levels
                and starts[level + 1] - starts[level] <= _NARROW
                and cores_before[level] == cores_before[level + 1]
            ):
                level += 1
            edges = order.edges[starts[first] : starts[level]]
            average_one_by_one(block, calculation, edges)
        if len(edges):  # members of cores have been told of
            advance(1 + int(np.count_nonzero(np.diff(block.src[edges]))))


class _Cores:
    """The cores of a block, settled one by one, each decision within its budget."""

    def __init__(
        self,
        block: Block,
        order: Order,
        calculation: Calculation,
        decision_ids: Sequence[str],
        work_limit: int,
        advance: Callable[[int], None],
        refused: dict[int, CyclicCoreTooLarge] | None,
    ) -> None:
        self._block, self._order, self._calculation = block, order, calculation
        self._advance, self._refused = advance, refused
        self._cores = {core.number: core for core in cores_of(block, order)}
        self._small = np.zeros(len(order.core), dtype=np.bool_)  # by number
        self._small[
            [core.number for core in self._cores.values() if core.rule == "equilibrium" and core.members <= LARGEST]
        ] = True
        walked: dict[int, list[Core]] = {}
        for core in self._cores.values():
            walked.setdefault(core.decision, [])
            if core.rule == "path":
                walked[core.decision].append(core)
        self._budgets = {}
        for decision, cores in walked.items():
            # Small cores are walked whatever it takes (Y6): the bound on what is small is all the limit they need.
            limit = work_limit if block.rules[decision] == "path" else None
            self._budgets[decision] = budget = Budget(limit, decision_ids[decision])
            self._within_budget(decision, partial(budget.foresee, [(core.members, core.followings) for core in cores]))

    def settle(self, edges: Ints) -> None:
        """Give the members of the cores of a level their ballots; ``edges`` are their live edges."""
        small = self._small[self._order.core[self._block.src[edges]]]
        if small.any():
            together = edges[small]
            settle_small_cores(self._block, self._order, self._calculation, together)
            self._advance(len(np.unique(self._block.src[together])))
        for core in _split(self._order, self._block, edges[~small]):
            self._settle_one(int(self._order.core[self._block.src[core[0]]]), core)

    def _settle_one(self, number: int, edges: Ints) -> None:
        go_on()
        core = self._cores[number]
        if self._refused is not None and core.decision in self._refused:
            return
        work = partial(
            settle_core,
            self._block,
            self._order,
            self._calculation,
            edges,
            core,
            self._budgets[core.decision],
            self._advance,
        )
        self._within_budget(core.decision, work)

    def _within_budget(self, decision: int, work: Callable[[], None]) -> None:
        try:
            work()
        except CyclicCoreTooLarge as error:
            if self._refused is None:
                raise
            self._refused[decision] = error


def _split(order: Order, block: Block, edges: Ints) -> list[Ints]:
    """The edges of each core by itself, sorted by follower."""
    if not len(edges):
        return []
    edges = edges[np.lexsort((edges, order.core[block.src[edges]]))]
    core = order.core[block.src[edges]]
    return np.split(edges, np.flatnonzero(core[1:] != core[:-1]) + 1)
