"""Who decided: in how many trees of sources a member appears, and whose stars were tallied (I2, I3)."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from crowdvote_analysis.delegation import equilibrium

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from crowdvote_analysis.delegation.averages import Calculation
    from crowdvote_analysis.delegation.encode import Bits, Block, Flags, Ints
    from crowdvote_analysis.delegation.equilibrium import Floats
    from crowdvote_analysis.delegation.participation import Order

# Trees of sources are counted exactly up to this many members; beyond, the total is left open rather than estimated
# (I2).
LARGEST_COUNTED = 100_000

_CELLS = 40_000_000  # 64-bit words held at once


def weights(block: Block, order: Order, calculation: Calculation, tallied: Flags) -> Floats:
    """Each manual voter's share of the tallied ballots (I3); 0 for everybody else.

    Args:
        block: The graph.
        order: Its levels.
        calculation: The finished calculation.
        tallied: Whether the node's ballot is tallied.
    """
    held = tallied.astype(np.float64)
    balanced = {int(balance.members[0]): balance for balance in calculation.balances}
    for edges in reversed(inherited_by_level(order, calculation)):
        follower = block.src[edges]
        in_core = order.core[follower] >= 0
        if in_core.any():
            plain, walked = edges[~in_core], np.unique(follower[in_core]).tolist()
            follower = follower[~in_core]
        else:
            plain, walked = edges, []
        # Sorted edges make one fixed order of additions, so that sums of floats do not depend on anything else.
        np.add.at(held, block.dst[plain], held[follower] / calculation.sources[follower])
        for node in walked:
            if node in calculation.shares:
                for origin, share in calculation.shares[node].items():
                    held[origin] += held[node] * float(share)
            elif node in balanced:
                balance = balanced[node]
                passed = equilibrium.trace(balance.inside, balance.sources, held[balance.members])
                receiver = np.searchsorted(balance.members, block.src[balance.outside])
                np.add.at(held, block.dst[balance.outside], passed[receiver] / balance.sources[receiver])
    return np.where(block.manual & calculation.has, held, 0.0)


def totals(block: Block, order: Order, calculation: Calculation, followers: Flags | None = None) -> Ints:
    """In how many members' trees of sources each node appears (I2); -1 in decisions that are too large to count.

    Args:
        block: The graph.
        order: Its levels.
        calculation: The finished calculation.
        followers: Whose trees are counted; everybody's by default.
    """
    total = np.full(len(block.member), -1, dtype=np.int64)
    if (np.diff(block.offsets) > LARGEST_COUNTED).all():
        return total
    levels = inherited_by_level(order, calculation)
    for first, last in zip(block.offsets[:-1].tolist(), block.offsets[1:].tolist(), strict=True):
        if last - first <= LARGEST_COUNTED:
            of = np.arange(first, last) if followers is None else first + np.flatnonzero(followers[first:last])
            own_levels = [own for edges in levels if len(own := _between(block, edges, first, last)) and len(of)]
            total[first:last] = _totals(block, order, calculation, own_levels, first, last, of)
    return total


def _between(block: Block, edges: Ints, first: int, last: int) -> Ints:
    """The edges whose followers lie between two nodes; they are sorted by follower."""
    begin, end = np.searchsorted(block.src[edges], [first, last])
    return edges[begin:end]


def _totals(
    block: Block, order: Order, calculation: Calculation, levels: list[Ints], first: int, last: int, followers: Ints
) -> Ints:
    """Hand every follower down to their sources, as sets of bits, some followers at a time."""
    count = last - first
    total = np.zeros(count, dtype=np.int64)
    widest = max((len(edges) for edges in levels), default=0)
    words = max(1, min(-(-len(followers) // 64), _CELLS // max(1, count + widest)))
    steps = [_step(block, order, calculation, edges, first) for edges in reversed(levels)]
    for start in range(0, len(followers), words * 64):
        reached = np.zeros((count, words), dtype=np.uint64)
        own = followers[start : start + words * 64] - first
        bit = np.arange(len(own), dtype=np.uint64)
        reached[own, (bit // np.uint64(64)).astype(np.int64)] = np.uint64(1) << (bit % np.uint64(64))
        for step in steps:
            step(reached)
        total += np.bitwise_count(reached).sum(axis=1, dtype=np.int64)
    total[followers - first] -= 1  # everybody reaches themself
    return total


def _step(block: Block, order: Order, calculation: Calculation, edges: Ints, first: int) -> Callable[[Bits], None]:
    """How the followers of one level hand down whom they were handed: a function of the sets, changed in place."""
    src, dst, core = block.src[edges] - first, block.dst[edges] - first, order.core[block.src[edges]]
    if (core < 0).all():
        return partial(_hand_down, _by_source(src, dst))
    cores = set(core[core >= 0].tolist())
    walked = {
        node - first: np.array([*calculation.trees[node], *calculation.shares[node]], dtype=np.int64) - first
        for node in np.unique(block.src[edges][core >= 0]).tolist()
        if node in calculation.shares
    }
    balanced = [
        (balance.members - first, np.unique(block.dst[balance.outside]) - first)
        for balance in calculation.balances
        if int(order.core[balance.members[0]]) in cores
    ]
    return partial(_hand_down_loops, _by_source(src[core < 0], dst[core < 0]), walked, balanced)


class _Handing(NamedTuple):
    """Edges sorted by source: the followers, the distinct sources, and where the followers of each begin."""

    followers: Ints
    sources: Ints
    starts: Ints


def _by_source(src: Ints, dst: Ints) -> _Handing:
    order = np.argsort(dst, kind="stable")
    dst = dst[order]
    starts = np.flatnonzero(np.concatenate([[True], dst[1:] != dst[:-1]])) if len(dst) else order
    return _Handing(src[order], dst[starts], starts)


def _hand_down(plain: _Handing, reached: Bits) -> None:
    if len(plain.followers) == 1:  # as in a chain, which has thousands of such levels
        reached[plain.sources[0]] |= reached[plain.followers[0]]
    elif len(plain.followers):
        reached[plain.sources] |= np.bitwise_or.reduceat(reached[plain.followers], plain.starts, axis=0)


def _hand_down_loops(
    plain: _Handing, walked: Mapping[int, Ints], balanced: Sequence[tuple[Ints, Ints]], reached: Bits
) -> None:
    came = [reached[node].copy() for node in walked]  # from outside the core, before anything is added
    _hand_down(plain, reached)
    for below, followers in zip(walked.values(), came, strict=True):
        reached[below] |= followers
    for members, outside in balanced:
        everybody = np.bitwise_or.reduce(reached[members], axis=0)
        reached[members] |= everybody
        reached[outside] |= everybody


def inherited_by_level(order: Order, calculation: Calculation) -> list[Ints]:
    """The edges along which a ballot was inherited, by the level of their follower, lowest level first."""
    inherited = calculation.inherited[order.edges]
    starts = np.concatenate([[0], np.cumsum(inherited)])[order.starts]
    edges = order.edges[inherited]
    return [edges[first:last] for first, last in pairwise(starts.tolist())]
