"""SystemState → Resolution: everyone's ballot in every decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crowdvote_analysis.delegation import averages, influence, trees
from crowdvote_analysis.delegation.blocks import blocks
from crowdvote_analysis.delegation.encode import drafts, encode
from crowdvote_analysis.delegation.outcomes import outcomes
from crowdvote_analysis.delegation.participation import order as order_of
from crowdvote_analysis.delegation.resolution import Counted, Resolution, frames
from crowdvote_analysis.delegation.rounding import rounded
from crowdvote_analysis.delegation.settling import settle
from crowdvote_analysis.delegation.voting_time import note_left_out
from crowdvote_analysis.limits import WORK_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crowdvote_analysis.delegation.arrays import Flags, Ints
    from crowdvote_analysis.delegation.averages import Calculation
    from crowdvote_analysis.delegation.blocks import Block
    from crowdvote_analysis.delegation.encode import Encoded
    from crowdvote_analysis.delegation.participation import Order
    from crowdvote_analysis.state import SystemState


def resolve(
    state: SystemState,
    decisions: Sequence[str] | None = None,
    cycles: str | None = None,
    *,
    work_limit: int = WORK_LIMIT,
    progress: Callable[[int, int], None] | None = None,
) -> Resolution:
    """Give every member their ballot: manual, calculated from those they follow, or none and why (D, T, Y, M).

    Args:
        state: The tables.
        decisions: Decisions to count; all with stars by default. The answer for a decision does not depend on which
            others are asked for.
        cycles: ``"path"`` (Y1) or ``"equilibrium"`` (Y4) for all; the rule of each community by default.
        work_limit: Steps the path rule may take for one core of loops (Y3).
        progress: Called with (ballots done, ballots in all): members of the decisions asked for, decision by decision.

    Returns:
        The ballots, stars, sources and statistics as frames; see ``Resolution``.

    Raises:
        UnknownDecisionError: A decision is not in the state, is a draft, or is voted on with yes and no.
        CyclicCoreTooLarge: The path rule needs more than ``work_limit`` steps for one core.
        ValueError: ``cycles`` names no rule.
    """
    if cycles not in (None, "path", "equilibrium"):
        raise ValueError(f"cycles is {cycles!r}; the rules for loops are 'path' (Y1) and 'equilibrium' (Y4)")
    encoded = encode(state, decisions, cycles)
    note_left_out(encoded, drafts(state) if decisions is None else [])
    told = Told(progress, encoded)
    counted = []
    for block in blocks(encoded):
        counted.append(_count(encoded, block, work_limit, told.advance))
        told.done(block)
    return frames(encoded, counted)


class Told:
    """Tells a caller how many ballots are done."""

    def __init__(self, progress: Callable[[int, int], None] | None, encoded: Encoded) -> None:
        self._progress = progress
        self._of = int((encoded.decisions["last"] - encoded.decisions["first"]).sum())
        self._before = self._now = 0

    def advance(self, members: int) -> None:
        """So many more of the block."""
        self._now += members
        if self._progress is not None:
            self._progress(self._now, self._of)

    def done(self, block: Block) -> None:
        """All of the block, those with nothing to calculate too."""
        self._before = self._now = self._before + len(block.member)
        self.advance(0)


def _count(encoded: Encoded, block: Block, work_limit: int, advance: Callable[[int], None]) -> Counted:
    order = order_of(block)
    calculation = averages.start(block)
    settle(block, order, calculation, decision_ids(encoded, block), work_limit, advance)
    return _finish(encoded, block, order, calculation)


def decision_ids(encoded: Encoded, block: Block) -> list[str]:
    """The decisions of a block by name."""
    return encoded.decisions["decision_id"].gather(block.decisions).to_list()


def _finish(encoded: Encoded, block: Block, order: Order, calculation: Calculation) -> Counted:
    is_voter = encoded.members["is_voter"].to_numpy()[block.member]
    in_loop, circular = loops(block, order)
    return Counted(
        block=block,
        order=order,
        calculation=calculation,
        places=rounded(block, calculation),
        in_loop=in_loop,
        circular=circular,
        direct=np.bincount(block.dst[calculation.inherited], minlength=len(block.member)),
        total=trees.totals(block, order, calculation),
        weight=influence.weights(block, order, calculation, calculation.has & is_voter),
        outcome=outcomes(block, order, calculation),
    )


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
