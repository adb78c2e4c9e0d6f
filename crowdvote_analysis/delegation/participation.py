"""Who gets a ballot and with which tags, and in which order it can be calculated.

Followings that can never match are found first (Y2): whether somebody gets a ballot, and with which tags, does not
depend on the path walked, so it is the least fixed point of "inherit what matches". What remains is put into levels:
a member comes after everybody they inherit from. Members who inherit from each other form a *core* and share a level.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crowdvote_analysis.delegation.arrays import not_empty

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from crowdvote_analysis.delegation.arrays import Bits, Flags, Ints
    from crowdvote_analysis.delegation.blocks import Block


_NARROW = 16  # nodes that are walked one by one faster than as arrays


@dataclass(frozen=True)
class Order:
    """In which order the nodes can be calculated.

    Attributes:
        level: Level by node; 0 where nothing has to be calculated.
        core: Number of the core by node; -1 outside cores.
        raw_loop: Number of the loop by node, in the followings as recorded, matching or not (Y5); -1 outside loops.
        edges: The live edges in the order of their follower's level: indices into the block's edges.
        starts: First position in ``edges`` of each level, and the number of edges at the end; ``starts[0]`` is level 1.
    """

    level: Ints
    core: Ints
    raw_loop: Ints
    edges: Ints
    starts: Ints


def order(block: Block) -> Order:
    """Drop what can never match and put the rest into levels."""
    count = len(block.member)
    live = np.flatnonzero(~block.manual[block.src] & (block.dst >= 0) & (block.src != block.dst))
    level = _levels(block.followers, np.bincount(block.src[live], minlength=count))
    core = np.full(count, -1, dtype=np.int64)
    raw_loop = np.full(count, -1, dtype=np.int64)
    if (level < 0).any():
        tangled = level < 0
        inner = live[tangled[block.src[live]] & tangled[block.dst[live]]]
        raw_loop = strong_components(count, block.src[inner], block.dst[inner])
        # Only decisions that have a loop are put into levels anew: the levels of a decision, and with them the order in
        # which weights are added, must not depend on which others are counted along (D10).
        decision = np.repeat(np.arange(len(block.decisions)), np.diff(block.offsets))
        looped = np.isin(decision, decision[tangled])
        again = live[looped[block.src[live]]]
        again = again[matching(block, again)]
        level_around, core = _levels_around_cores(count, block.src[again], block.dst[again])
        level = np.where(looped, level_around, level)
        live = np.sort(np.concatenate([live[~looped[block.src[live]]], again]))
    edges = live[by_level(level[block.src[live]])]
    deepest = int(level.max(initial=0))
    starts = np.searchsorted(level[block.src[edges]], np.arange(1, deepest + 2))
    return Order(level, core, raw_loop, edges, starts)


def by_level(level: Ints) -> Ints:
    """The positions that sort by level, equal levels in their order."""
    # Numbers of 16 bits are sorted in linear time.
    return np.argsort(level.astype(np.int16) if level.max(initial=0) < 2**15 else level, kind="stable")


def came_along(block: Block, edges: Ints, has: Flags, tags: Bits) -> tuple[Flags, Bits]:
    """Which edges match (T2, T3), and the tags that come along, given who has a ballot with which tags."""
    followee = block.dst[edges]
    brought = tags.take(followee, axis=0)
    brought &= block.mask.take(edges, axis=0)
    match: Flags = block.everything[edges]
    match |= not_empty(brought)
    match &= has[followee]
    return match, brought


def matching(block: Block, edges: Ints) -> Flags:
    """Which of the edges match in the least fixed point (Y2 a)."""
    has = not_empty(block.rated)
    tags = np.where(has[:, None], block.tags, np.uint64(0))
    waiting, towards = edges, Towards(block.dst, edges)
    while len(waiting):
        match, brought = came_along(block, waiting, has, tags)
        follower, brought = block.src[waiting][match], brought[match]
        news = ~has[follower] | not_empty(brought & ~tags[follower])
        has[follower] = True
        np.bitwise_or.at(tags, follower, brought)
        waiting = towards.any_of(follower[news])
    return came_along(block, edges, has, tags)[0]


class Towards:
    """Edges by whom they lead to: on a long chain, looking through all of them at every step would take for ever.

    Args:
        dst: Followee by edge.
        edges: The edges that are looked for.
    """

    def __init__(self, dst: Ints, edges: Ints) -> None:
        order = np.argsort(dst[edges], kind="stable")
        self._edges, self._followee = edges[order], dst[edges][order]

    def any_of(self, nodes: Ints) -> Ints:
        """The edges that lead to any of some nodes."""
        nodes = np.unique(nodes)
        first = np.searchsorted(self._followee, nodes)
        lengths = np.searchsorted(self._followee, nodes, side="right") - first
        places = np.repeat(first - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())
        return self._edges.take(places)


def strong_components(count: int, src: Ints, dst: Ints) -> Ints:
    """Number of the strong component by node; -1 for a node that is alone in its own."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    graph = csr_array((np.ones(len(src), dtype=np.int8), (src, dst)), shape=(count, count))
    _, label = connected_components(graph, directed=True, connection="strong")
    shared = np.bincount(label, minlength=1)[label] > 1
    # The library numbers components as it likes: number them by their first node.
    first = np.full(len(label), count, dtype=np.int64)
    np.minimum.at(first, label, np.arange(count))
    return np.where(shared, first[label], -1)


def _levels_around_cores(count: int, src: Ints, dst: Ints) -> tuple[Ints, Ints]:
    """Levels when every core is taken as one node."""
    core = strong_components(count, src, dst)
    unit = np.where(core >= 0, core, np.arange(count))
    between = unit[src] != unit[dst]
    level = _levels(*_waiting(count, unit[src][between], unit[dst][between]))
    # A core is a level of its own even if it were to inherit from manual ballots only.
    return np.maximum(level[unit], (core >= 0).astype(np.int64)), core


def _waiting(count: int, src: Ints, dst: Ints) -> tuple[csr_array, Ints]:
    """Who waits for whom, and for how many; parallel edges between two units are one."""
    from scipy.sparse import csr_array

    followers = csr_array((np.ones(len(src), dtype=np.int8), (dst, src)), shape=(count, count))
    return followers, np.bincount(followers.indices, minlength=count)


def _levels(followers: csr_array, waits_for: Ints) -> Ints:
    """1 + the highest level among those a node depends on; 0 for no dependence, -1 in or behind a loop.

    Args:
        followers: Who waits for the node of the row.
        waits_for: How many nodes each node waits for.
    """
    first, nodes = followers.indptr, followers.indices
    level = np.where(waits_for == 0, 0, -1).astype(np.int64)
    frontier = np.flatnonzero(level == 0)
    depth = 0
    while len(frontier):
        depth += 1
        if len(frontier) <= _NARROW:
            ready = []
            for node in frontier.tolist():
                for follower in nodes[first[node] : first[node + 1]].tolist():
                    waits_for[follower] -= 1
                    if not waits_for[follower]:
                        ready.append(follower)
            frontier = np.array(ready, dtype=np.int64)
            level[frontier] = depth
            continue
        lengths = first[frontier + 1] - first[frontier]
        frontier, lengths = frontier[lengths > 0], lengths[lengths > 0]
        if not len(frontier):
            break
        jumps = np.repeat(first[frontier] - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
        reached = nodes[jumps + np.arange(len(jumps))]
        np.subtract.at(waits_for, reached, 1)
        frontier = np.unique(reached[waits_for[reached] == 0])
        level[frontier] = depth
    return level
