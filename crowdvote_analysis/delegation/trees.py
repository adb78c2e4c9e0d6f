"""In how many members' trees of sources a member appears, at any depth (I2).

A tree holds a member once, however many routes lead there, so members are kept as sets of bits.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from crowdvote_analysis.delegation.arrays import words_for
from crowdvote_analysis.delegation.influence import inherited_by_level

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from crowdvote_analysis.delegation.arrays import Bits, Flags, Ints
    from crowdvote_analysis.delegation.averages import Balance, Calculation
    from crowdvote_analysis.delegation.blocks import Block
    from crowdvote_analysis.delegation.participation import Order

Balances: TypeAlias = "Mapping[int, Balance]"  # by number of the core

# Trees of sources are counted exactly up to this many members; beyond, the total is left open rather than estimated
# (I2).
LARGEST_COUNTED = 100_000

_CELLS = 40_000_000  # 64-bit words held at once
_ROUNDS = 32  # followers of a source that are taken one at a time, with those of all other sources
_FEW = 10_000  # members for whom threads are not worth their while


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
    balances = _by_core(order, calculation)
    bounds = [np.searchsorted(block.src[edges], block.offsets) for edges in levels]  # sorted by follower

    def count(decision: int) -> None:
        first, last = block.offsets[decision : decision + 2].tolist()
        of = np.arange(first, last) if followers is None else first + np.flatnonzero(followers[first:last])
        own = [edges[at[decision] : at[decision + 1]] for edges, at in zip(levels, bounds, strict=True) if len(of)]
        own = [edges for edges in own if len(edges)]
        total[first:last] = _totals(block, order, calculation, balances, own, first, last, of)

    counted = np.flatnonzero(np.diff(block.offsets) <= LARGEST_COUNTED).tolist()
    with ThreadPoolExecutor(os.cpu_count() if len(total) > _FEW else 1) as threads:
        list(threads.map(count, counted))
    return total


def totals_of(block: Block, order: Order, calculation: Calculation, chosen: Ints) -> Ints:
    """In how many members' trees of sources some nodes appear (I2), whatever the size of the decision.

    The other way round than ``totals``: every member is handed the chosen nodes in their tree, sources first.

    Args:
        block: The graph.
        order: Its levels.
        calculation: The finished calculation.
        chosen: The nodes asked for.
    """
    levels = inherited_by_level(order, calculation)
    balances = _by_core(order, calculation)
    total = np.zeros(len(chosen), dtype=np.int64)
    at_once = 64 * max(1, _CELLS // max(1, len(block.member)))
    for start in range(0, len(chosen), at_once):
        nodes = chosen[start : start + at_once]
        held = np.zeros((len(block.member), words_for(len(nodes))), dtype=np.uint64)  # who is in the node's tree
        number = np.arange(len(nodes))
        own = np.zeros_like(held)
        np.bitwise_or.at(own, (nodes, number // 64), np.uint64(1) << (number % 64).astype(np.uint64))
        for edges in levels:
            _hand_up(block, order, calculation, balances, edges, held, own)
        held &= ~own  # nobody is in their own tree
        for at in number.tolist():
            total[start + at] = np.count_nonzero(held[:, at // 64] >> np.uint64(at % 64) & np.uint64(1))
    return total


def _hand_up(
    block: Block, order: Order, calculation: Calculation, balances: Balances, edges: Ints, held: Bits, own: Bits
) -> None:
    """Give the followers of one level what is in the trees of their sources, and the sources themselves."""
    follower, source = block.src[edges], block.dst[edges]
    in_core = order.core[follower] >= 0
    plain, given = follower[~in_core], source[~in_core]
    if len(plain):
        starts = np.flatnonzero(np.diff(plain, prepend=-1))
        held[plain[starts]] |= np.bitwise_or.reduceat(held[given] | own[given], starts, axis=0)
    for node in np.unique(follower[in_core]).tolist():
        if node in calculation.shares:
            origins, mates = list(calculation.shares[node].parts), list(calculation.trees[node])
            held[node] |= np.bitwise_or.reduce(held[origins] | own[origins], axis=0)
            held[node] |= np.bitwise_or.reduce(own[mates], axis=0)
    cores = set(order.core[follower[in_core]].tolist())
    for balance in [balances[core] for core in cores & balances.keys()]:
        outside = np.unique(block.dst[balance.outside])
        everybody = np.bitwise_or.reduce(held[outside] | own[outside], axis=0)
        held[balance.members] |= everybody | np.bitwise_or.reduce(own[balance.members], axis=0)


def _by_core(order: Order, calculation: Calculation) -> Balances:
    return {int(order.core[balance.members[0]]): balance for balance in calculation.balances}


def _totals(
    block: Block,
    order: Order,
    calculation: Calculation,
    balances: Balances,
    levels: list[Ints],
    first: int,
    last: int,
    followers: Ints,
) -> Ints:
    """Hand every follower down to their sources, as sets of bits, some followers at a time."""
    count = last - first
    total = np.zeros(count, dtype=np.int64)
    widest = max((len(edges) for edges in levels), default=0)
    words = max(1, min(-(-len(followers) // 64), _CELLS // max(1, count + widest)))
    steps = [_step(block, order, calculation, balances, edges, first) for edges in reversed(levels)]
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


def _step(
    block: Block, order: Order, calculation: Calculation, balances: Balances, edges: Ints, first: int
) -> Callable[[Bits], None]:
    """How the followers of one level hand down whom they were handed: a function of the sets, changed in place."""
    src, dst, core = block.src[edges] - first, block.dst[edges] - first, order.core[block.src[edges]]
    if (core < 0).all():
        return partial(_hand_down, _by_source(src, dst))
    cores = set(core[core >= 0].tolist())
    walked = {
        node - first: np.array([*calculation.trees[node], *calculation.shares[node].parts], dtype=np.int64) - first
        for node in np.unique(block.src[edges][core >= 0]).tolist()
        if node in calculation.shares
    }
    balanced = [
        (balance.members - first, np.unique(block.dst[balance.outside]) - first)
        for balance in [balances[core] for core in cores & balances.keys()]
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
