"""Who decided: whose stars the tallied ballots are made of (I3)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from crowdvote_analysis.delegation import equilibrium

if TYPE_CHECKING:
    from crowdvote_analysis.delegation.arrays import Flags, Floats, Ints
    from crowdvote_analysis.delegation.averages import Calculation
    from crowdvote_analysis.delegation.blocks import Block
    from crowdvote_analysis.delegation.participation import Order


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
                shares = calculation.shares[node]
                for origin, part in shares.parts.items():
                    held[origin] += held[node] * (part / shares.divisor)
            elif node in balanced:
                balance = balanced[node]
                passed = equilibrium.trace(balance, held[balance.members])
                receiver = np.searchsorted(balance.members, block.src[balance.outside])
                np.add.at(held, block.dst[balance.outside], passed[receiver] / balance.sources[receiver])
    return np.where(block.manual & calculation.has, held, 0.0)


def inherited_by_level(order: Order, calculation: Calculation) -> list[Ints]:
    """The edges along which a ballot was inherited, by the level of their follower, lowest level first."""
    inherited = calculation.inherited[order.edges]
    starts = np.concatenate([[0], np.cumsum(inherited)])[order.starts]
    edges = order.edges[inherited]
    return [edges[first:last] for first, last in pairwise(starts.tolist())]
