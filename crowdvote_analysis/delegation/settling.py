"""Levels one after the other, each by what fits it: wide ones as frames, runs of narrow ones member by member."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crowdvote_analysis.delegation.averages import average
from crowdvote_analysis.delegation.cores import Budget, settle_core
from crowdvote_analysis.delegation.narrow import average_one_by_one

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crowdvote_analysis.delegation.arrays import Ints
    from crowdvote_analysis.delegation.averages import Calculation
    from crowdvote_analysis.delegation.blocks import Block
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
) -> None:
    """Work out the calculated ballots, whoever is inherited from before those who inherit.

    Args:
        block: The graph.
        order: Its levels and cores.
        calculation: The manual ballots; the calculated ones are put in.
        decision_ids: Decision by place in the block, for errors.
        work_limit: Steps the path rule may take for one core (Y3).
        advance: Called with the number of members settled since the last call.

    Raises:
        CyclicCoreTooLarge: The path rule needs more than ``work_limit`` steps for one core.
    """
    in_core = order.core[block.src[order.edges]] >= 0
    starts = order.starts.tolist()
    cores_before = np.concatenate([[0], np.cumsum(in_core)])[order.starts].tolist()
    level, levels = 0, len(starts) - 1
    while level < levels:
        edges = order.edges[starts[level] : starts[level + 1]]
        if cores_before[level] != cores_before[level + 1]:
            cored = in_core[starts[level] : starts[level + 1]]
            inside, edges = edges[cored], edges[~cored]
            average(block, calculation, edges)
            for core in _split(order, block, inside):
                decision = int(np.searchsorted(block.offsets, block.src[core[0]], side="right")) - 1
                budget = Budget(work_limit, decision_ids[decision], advance)
                settle_core(block, order, calculation, core, block.rules[decision], budget)
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
        if advance is not None and len(edges):  # members of cores have been told of
            advance(1 + int(np.count_nonzero(np.diff(block.src[edges]))))


def _split(order: Order, block: Block, edges: Ints) -> list[Ints]:
    """The edges of each core by itself, sorted by follower."""
    edges = edges[np.lexsort((edges, order.core[block.src[edges]]))]
    core = order.core[block.src[edges]]
    return np.split(edges, np.flatnonzero(core[1:] != core[:-1]) + 1)
