"""What every following gave, and why (D6, T2, T3, Y1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from crowdvote_analysis.delegation.cores import from_int, walked_nodes
from crowdvote_analysis.delegation.path_rule import MATCH, NO_BALLOT, NO_MATCH
from crowdvote_analysis.delegation.support import Support

if TYPE_CHECKING:
    from crowdvote_analysis.delegation.arrays import Bits, Ints
    from crowdvote_analysis.delegation.averages import Calculation
    from crowdvote_analysis.delegation.blocks import Block
    from crowdvote_analysis.delegation.participation import Order

Outcomes: TypeAlias = NDArray[np.int8]

CIRCULAR, NOT_A_MEMBER = 3, 4
NOT_LOOKED_AT = -1  # the follower has a manual ballot

# Position is the code; the order is also the one in which reasons are joined (D7).
NAMES = {
    MATCH: "match",
    NO_MATCH: "no_match",
    NO_BALLOT: "no_ballot",
    CIRCULAR: "circular",
    NOT_A_MEMBER: "not_a_member",
}


def outcomes(block: Block, order: Order, calculation: Calculation) -> Outcomes:
    """The outcome of each following, by edge; see ``NAMES`` for the codes."""
    # A followee of -1 reads the last node; what it says is written over below.
    outcome = np.where(calculation.has[block.dst], np.int8(NO_MATCH), np.int8(NO_BALLOT))
    outcome[calculation.inherited] = MATCH
    outcome[block.dst == block.src] = CIRCULAR
    outcome[block.dst < 0] = NOT_A_MEMBER
    outcome[block.manual[block.src]] = NOT_LOOKED_AT
    _look_into_loops(block, order, calculation, outcome)
    for edge, (code, _) in calculation.outcome.items():
        outcome[edge] = code
    return outcome


def tags_along(block: Block, calculation: Calculation, edges: Ints) -> Bits:
    """Bits of the tags that came along some edges; none where nothing was inherited (T2, T3)."""
    brought: Bits = calculation.tags[block.dst[edges]] & block.mask[edges]
    brought[~calculation.inherited[edges]] = 0
    for at in np.flatnonzero(np.isin(edges, list(calculation.outcome))).tolist():
        brought[at] = from_int(calculation.outcome[int(edges[at])][1], brought.shape[1])
    return brought


def _look_into_loops(block: Block, order: Order, calculation: Calculation, outcome: Outcomes) -> None:
    """Where loops are walked, a followee who owes their ballot to the follower alone has none in the walk."""
    loop = order.raw_loop
    if not (loop >= 0).any():
        return
    asked = np.flatnonzero(outcome == NO_MATCH)
    follower, followee = block.src[asked], block.dst[asked]
    walked = walked_nodes(block, order)
    asked = asked[walked[follower] & (loop[follower] >= 0) & (loop[follower] == loop[followee])]
    if not len(asked):
        return
    support = Support(block, calculation, order.edges, loop, walked)
    for edge in asked.tolist():
        if not support.has_ballot_without(int(block.dst[edge]), int(block.src[edge])):
            outcome[edge] = NO_BALLOT
