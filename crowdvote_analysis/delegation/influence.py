"""Who decided: in how many trees of sources a member appears, and whose stars were tallied (I2, I3)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from crowdvote_analysis.delegation import equilibrium

if TYPE_CHECKING:
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
            own = [edges[(block.src[edges] >= first) & (block.src[edges] < last)] for edges in levels if len(of)]
            own_levels = [edges for edges in own if len(edges)]
            total[first:last] = _totals(block, order, calculation, own_levels, first, last, of)
    return total


def _totals(
    block: Block, order: Order, calculation: Calculation, levels: list[Ints], first: int, last: int, followers: Ints
) -> Ints:
    """Hand every follower down to their sources, as sets of bits, some followers at a time."""
    count = last - first
    total = np.zeros(count, dtype=np.int64)
    widest = max((len(edges) for edges in levels), default=0)
    words = max(1, min(-(-len(followers) // 64), _CELLS // max(1, count + widest)))
    for start in range(0, len(followers), words * 64):
        reached = np.zeros((count, words), dtype=np.uint64)
        own = followers[start : start + words * 64] - first
        bit = np.arange(len(own), dtype=np.uint64)
        reached[own, (bit // np.uint64(64)).astype(np.int64)] = np.uint64(1) << (bit % np.uint64(64))
        for edges in reversed(levels):
            _hand_down(block, order, calculation, edges, reached, first)
        total += np.bitwise_count(reached).sum(axis=1, dtype=np.int64)
    total[followers - first] -= 1  # everybody reaches themself
    return total


def _hand_down(block: Block, order: Order, calculation: Calculation, edges: Ints, reached: Bits, first: int) -> None:
    follower = block.src[edges]
    plain = order.core[follower] < 0
    if plain.any():
        by_source = edges[plain][np.argsort(block.dst[edges[plain]], kind="stable")]
        source = block.dst[by_source] - first
        starts = np.flatnonzero(np.concatenate([[True], source[1:] != source[:-1]]))
        handed = np.bitwise_or.reduceat(reached[block.src[by_source] - first], starts, axis=0)
        reached[source[starts]] |= handed
    walked = [node for node in np.unique(follower[~plain]).tolist() if node in calculation.shares]
    came = reached[
        np.array(walked, dtype=np.int64) - first
    ]  # what came from outside the core, before anything is added
    for node, followers in zip(walked, came, strict=True):
        reached[np.array([*calculation.trees[node], *calculation.shares[node]], dtype=np.int64) - first] |= followers
    cores = set(order.core[follower[~plain]].tolist())
    for balance in calculation.balances:
        if int(order.core[balance.members[0]]) in cores:
            everybody = np.bitwise_or.reduce(reached[balance.members - first], axis=0)
            reached[balance.members - first] |= everybody
            reached[np.unique(block.dst[balance.outside]) - first] |= everybody


def inherited_by_level(order: Order, calculation: Calculation) -> list[Ints]:
    """The edges along which a ballot was inherited, by the level of their follower, lowest level first."""
    inherited = calculation.inherited[order.edges]
    starts = np.concatenate([[0], np.cumsum(inherited)])[order.starts]
    edges = order.edges[inherited]
    return [edges[first:last] for first, last in pairwise(starts.tolist())]
