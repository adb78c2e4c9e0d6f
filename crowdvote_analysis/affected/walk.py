"""From some members backwards along followings, to everybody who reaches them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scipy.sparse import csr_array

    from crowdvote_analysis.delegation.arrays import Flags, Ints


def steps_to_followers(followers: csr_array, ends: Flags, starts: Sequence[Flags]) -> Ints:
    """How many followings lie between each node and the nearest start (E2).

    Args:
        followers: Who follows the node of the row.
        ends: Nodes that cannot be reached: manual voters, whose ballots cannot change.
        starts: Nodes 0 steps away, 1 step away and so on; a start that is in ``ends`` passes the walk on.

    Returns:
        Steps by node; -1 for nodes that are not reached.
    """
    first, nodes = followers.indptr.astype(np.int64), followers.indices
    steps = np.full(followers.shape[0], -1, dtype=np.int64)
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
        frontier = frontier[~ends[frontier]]
        depth += 1
    return steps
