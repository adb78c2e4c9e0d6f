"""Who decided: in how many trees of sources a member appears, and whose stars were tallied (I2, I3)."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
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
_ROUNDS = 32  # followers of a source that are taken one at a time, with those of all other sources
_FEW = 10_000  # members for whom threads are not worth their while


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
    bounds = [np.searchsorted(block.src[edges], block.offsets) for edges in levels]  # sorted by follower

    def count(decision: int) -> None:
        first, last = block.offsets[decision : decision + 2].tolist()
        of = np.arange(first, last) if followers is None else first + np.flatnonzero(followers[first:last])
        own = [edges[at[decision] : at[decision + 1]] for edges, at in zip(levels, bounds, strict=True) if len(of)]
        own = [edges for edges in own if len(edges)]
        total[first:last] = _totals(block, order, calculation, own, first, last, of)

    counted = np.flatnonzero(np.diff(block.offsets) <= LARGEST_COUNTED).tolist()
    with ThreadPoolExecutor(os.cpu_count() if len(total) > _FEW else 1) as threads:
        list(threads.map(count, counted))
    return total


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
    """Who hands down to whom.

    Attributes:
        rounds: Pairs of sources and followers; in each, every source stands once.
        rest: The sources with more followers than there are rounds, and those followers.
    """

    rounds: list[tuple[Ints, Ints]]
    rest: list[tuple[int, Ints]]


def _by_source(src: Ints, dst: Ints) -> _Handing:
    by_source = np.argsort(dst, kind="stable")
    src, dst = src[by_source], dst[by_source]
    starts = np.flatnonzero(np.diff(dst, prepend=-1))
    lengths = np.diff(starts, append=len(dst))
    rank = np.arange(len(dst)) - np.repeat(starts, lengths)
    by_rank = np.argsort(rank, kind="stable")
    bounds = np.searchsorted(rank[by_rank], np.arange(min(int(lengths.max(initial=0)), _ROUNDS) + 1)).tolist()
    rounds = [(dst[by_rank[first:last]], src[by_rank[first:last]]) for first, last in pairwise(bounds)]
    many = np.flatnonzero(lengths > _ROUNDS).tolist()
    return _Handing(
        rounds, [(int(dst[starts[at]]), src[starts[at] + _ROUNDS : starts[at] + lengths[at]]) for at in many]
    )


def _hand_down(plain: _Handing, reached: Bits) -> None:
    # Several times faster than reduceat, which takes sets of bits one word at a time.
    for sources, followers in plain.rounds:
        reached[sources] |= reached[followers]
    for source, followers in plain.rest:
        reached[source] |= np.bitwise_or.reduce(reached[followers], axis=0)


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
