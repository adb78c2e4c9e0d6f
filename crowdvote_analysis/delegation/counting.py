"""SystemState → Resolution: everyone's ballot in every decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crowdvote_analysis.delegation import averages, influence
from crowdvote_analysis.delegation.cores import Budget, settle_core
from crowdvote_analysis.delegation.encode import blocks, encode
from crowdvote_analysis.delegation.outcomes import outcomes
from crowdvote_analysis.delegation.participation import order as order_of
from crowdvote_analysis.delegation.resolution import Counted, Resolution, frames
from crowdvote_analysis.delegation.rounding import rounded
from crowdvote_analysis.limits import WORK_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crowdvote_analysis.delegation.averages import Calculation
    from crowdvote_analysis.delegation.encode import Block, Encoded, Flags, Ints
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
        decisions: Decisions to count; all by default. The answer for a decision does not depend on which others are
            asked for.
        cycles: ``"path"`` (Y1) or ``"equilibrium"`` (Y4) for all; the rule of each community by default.
        work_limit: Steps the path rule may take for one core of loops (Y3).
        progress: Called with (decisions done, decisions in all).

    Returns:
        The ballots, stars, sources and statistics as frames; see ``Resolution``.

    Raises:
        UnknownDecisionError: A decision is not in the state.
        CyclicCoreTooLarge: The path rule needs more than ``work_limit`` steps for one core.
        ValueError: ``cycles`` names no rule.
    """
    if cycles not in (None, "path", "equilibrium"):
        raise ValueError(f"cycles is {cycles!r}; the rules for loops are 'path' (Y1) and 'equilibrium' (Y4)")
    encoded = encode(state, decisions, cycles)
    counted: list[Counted] = []
    done = 0
    for block in blocks(encoded):
        counted.append(_count(encoded, block, work_limit))
        done += len(block.decisions)
        if progress is not None:
            progress(done, len(encoded.decisions))
    return frames(encoded, counted)


def _count(encoded: Encoded, block: Block, work_limit: int) -> Counted:
    order = order_of(block)
    calculation = averages.start(block)
    settle(encoded, block, order, calculation, work_limit)
    return _finish(encoded, block, order, calculation)


def settle(encoded: Encoded, block: Block, order: Order, calculation: Calculation, work_limit: int) -> None:
    """Work out the calculated ballots level by level, each core by its rule."""
    names = encoded.decisions["decision_id"]
    for level, _ in enumerate(order.starts[:-1].tolist()):
        edges = order.edges[order.starts[level] : order.starts[level + 1]]
        plain = order.core[block.src[edges]] < 0
        averages.average(block, calculation, edges[plain])
        for core in _split(order, block, edges[~plain]):
            decision = int(np.searchsorted(block.offsets, block.src[core[0]], side="right")) - 1
            budget = Budget(work_limit, names[block.decisions[decision]])
            settle_core(block, order, calculation, core, block.rules[decision], budget)


def _split(order: Order, block: Block, edges: Ints) -> list[Ints]:
    """The edges of each core by itself, sorted by follower."""
    if not len(edges):
        return []
    edges = edges[np.lexsort((edges, order.core[block.src[edges]]))]
    core = order.core[block.src[edges]]
    return np.split(edges, np.flatnonzero(core[1:] != core[:-1]) + 1)


def _finish(encoded: Encoded, block: Block, order: Order, calculation: Calculation) -> Counted:
    looked_at, outcome, brought = outcomes(block, order, calculation)
    matched = looked_at[outcome == 0]
    is_voter = encoded.members["is_voter"].to_numpy()[block.member]
    return Counted(
        block=block,
        has=calculation.has,
        tags=np.where(block.manual[:, None], block.tags, calculation.tags),
        rated=calculation.rated,
        places=rounded(block, calculation, matched),
        depth=calculation.depth,
        in_loop=in_loop(block, order),
        circular=circular(block, order),
        direct=np.bincount(block.dst[matched], minlength=len(block.member)),
        total=influence.totals(block, order, calculation, matched),
        weight=influence.weights(block, order, calculation, matched, calculation.has & is_voter),
        looked_at=looked_at,
        outcome=outcome,
        brought=brought,
        calculation=calculation,
        order=order,
    )


def _loop_edges(block: Block, order: Order, edges: Ints | None = None) -> Ints:
    """Followings (all or those of ``edges``) of members without a manual ballot that lie inside a loop (Y5).

    A self-following is a loop of one (D8).
    """
    loop = order.raw_loop
    if edges is None:
        edges = np.arange(len(block.src))
    src, dst = block.src[edges], block.dst[edges]
    same = (loop[src] >= 0) & (dst >= 0) & (loop[src] == loop[dst])
    inside: Ints = edges[(same | (src == dst)) & ~block.manual[src]]
    return inside


def in_loop(block: Block, order: Order) -> Flags:
    """Whether the node, without a manual ballot, follows somebody inside a loop (Y5)."""
    flags = np.zeros(len(block.member), dtype=np.bool_)
    flags[block.src[_loop_edges(block, order)]] = True
    return flags


def circular(block: Block, order: Order, edges: Ints | None = None) -> Ints:
    """Number of followings (all or those of ``edges``) inside loops by decision of the block (Y5)."""
    decision = np.searchsorted(block.offsets, block.src[_loop_edges(block, order, edges)], side="right") - 1
    return np.bincount(decision, minlength=len(block.decisions))
