"""A block that has been counted, as arrays: what people rarely ask for is worked out when they do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from crowdvote_analysis.delegation import influence, trees
from crowdvote_analysis.delegation.outcomes import outcomes
from crowdvote_analysis.delegation.rounding import rounded

if TYPE_CHECKING:
    from crowdvote_analysis.delegation.arrays import Flags, Floats, Ints
    from crowdvote_analysis.delegation.averages import Calculation
    from crowdvote_analysis.delegation.blocks import Block
    from crowdvote_analysis.delegation.outcomes import Outcomes
    from crowdvote_analysis.delegation.participation import Order


@dataclass(frozen=True)
class Counted:
    """A block that has been counted; everything else follows from these four.

    Attributes:
        block, order, calculation: What was counted, in which order, and the ballots; a later count can start from them.
        is_voter: Whether the node is tallied (M1).
    """

    block: Block
    order: Order
    calculation: Calculation
    is_voter: Flags

    def knowing(self, **known: Any) -> Counted:
        """The same, where some of what follows is known already, by name."""
        vars(self).update(known)
        return self

    def knows(self, name: str) -> bool:
        """Whether something was worked out before."""
        return name in vars(self)

    @cached_property
    def places(self) -> Ints:
        """Stars in units of 1e-8, choice by node."""
        return rounded(self.block, self.calculation)

    @cached_property
    def _loops(self) -> tuple[Flags, Ints]:
        return loops(self.block, self.order)

    @cached_property
    def in_loop(self) -> Flags:
        """Whether the node follows somebody inside a loop (Y5)."""
        return self._loops[0]

    @cached_property
    def circular(self) -> Ints:
        """Number of followings inside loops, by decision of the block (Y5)."""
        return self._loops[1]

    @cached_property
    def direct(self) -> Ints:
        """How many inherit from the node (I1)."""
        return np.bincount(self.block.dst[self.calculation.inherited], minlength=len(self.block.member))

    @cached_property
    def total(self) -> Ints:
        """In how many trees of sources the node appears (I2); -1 where it is not counted."""
        return trees.totals(self.block, self.order, self.calculation)

    @cached_property
    def weight(self) -> Floats:
        """The node's share of the tallied ballots (I3)."""
        return influence.weights(self.block, self.order, self.calculation, self.calculation.has & self.is_voter)

    @cached_property
    def outcome(self) -> Outcomes:
        """Outcome by edge, see ``outcomes.NAMES``."""
        return outcomes(self.block, self.order, self.calculation)

    @cached_property
    def live(self) -> Flags:
        """Whether an edge is among those that the order has (by edge)."""
        flags = np.zeros(len(self.block.src), dtype=np.bool_)
        flags[self.order.edges] = True
        return flags


def loops(block: Block, order: Order, edges: Ints | None = None) -> tuple[Flags, Ints]:
    """Who follows somebody inside a loop, and how many followings lie inside loops (Y5).

    Only followings of members without a manual ballot count. A self-following is a loop of one (D8).

    Args:
        block: The graph.
        order: Its levels and loops.
        edges: The followings looked at; all by default.

    Returns:
        Whether it is so, by node; the number, by decision of the block.
    """
    src, dst = (block.src, block.dst) if edges is None else (block.src[edges], block.dst[edges])
    inside = src == dst
    if (order.raw_loop >= 0).any():
        loop = order.raw_loop[src]
        inside |= (loop >= 0) & (dst >= 0) & (loop == order.raw_loop[dst])
    follower = src[inside]
    follower = follower[~block.manual[follower]]
    flags = np.zeros(len(block.member), dtype=np.bool_)
    flags[follower] = True
    decision = np.searchsorted(block.offsets, follower, side="right") - 1
    return flags, np.bincount(decision, minlength=len(block.decisions))
