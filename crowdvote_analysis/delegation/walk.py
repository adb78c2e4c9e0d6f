"""From some members backwards along followings, to everybody who reaches them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crowdvote_analysis.delegation.encode import Flags, Ints


def steps_to_followers(count: int, src: Ints, dst: Ints, ends: Flags, starts: Sequence[Flags]) -> Ints:
    """How many followings lie between each node and the nearest start (E2).

    Args:
        count: Number of nodes.
        src: Followers.
        dst: Followees; -1 for nobody.
        ends: Nodes that cannot be reached: manual voters, whose ballots cannot change.
        starts: Nodes 0 steps away, 1 step away and so on; a start that is in ``ends`` passes the walk on.

    Returns:
        Steps by node; -1 for nodes that are not reached.
    """
    from scipy.sparse import csr_array

    steps = np.full(count, -1, dtype=np.int64)
    if not any(flags.any() for flags in starts):
        return steps
    open_ = (dst >= 0) & ~ends[src]
    followers = csr_array(
        (np.ones(np.count_nonzero(open_), dtype=np.int8), (dst[open_], src[open_])), shape=(count, count)
    )
    first, nodes = followers.indptr.astype(np.int64), followers.indices
    frontier = np.zeros(0, dtype=np.int64)
    depth = 0
    while len(frontier) or depth < len(starts):
        if depth < len(starts):
            frontier = np.union1d(frontier, np.flatnonzero(starts[depth]))
        frontier = frontier[steps[frontier] < 0]
        steps[frontier] = depth
        lengths = first[frontier + 1] - first[frontier]
        jumps = np.repeat(first[frontier] - np.cumsum(lengths) + lengths, lengths)
        frontier = np.unique(nodes[jumps + np.arange(len(jumps))])
        depth += 1
    return steps
