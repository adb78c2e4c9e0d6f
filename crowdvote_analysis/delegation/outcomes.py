"""What every following gave, and why (D6, T2, T3, Y1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crowdvote_analysis.delegation.cores import from_int
from crowdvote_analysis.delegation.participation import came_along
from crowdvote_analysis.delegation.path_rule import MATCH, NO_BALLOT, NO_MATCH
from crowdvote_analysis.delegation.support import Support

if TYPE_CHECKING:
    from crowdvote_analysis.delegation.averages import Calculation
    from crowdvote_analysis.delegation.encode import Bits, Block, Ints
    from crowdvote_analysis.delegation.participation import Order

CIRCULAR, NOT_A_MEMBER = 3, 4

# Position is the code; the order is also the one in which reasons are joined (D7).
NAMES = {
    MATCH: "match",
    NO_MATCH: "no_match",
    NO_BALLOT: "no_ballot",
    CIRCULAR: "circular",
    NOT_A_MEMBER: "not_a_member",
}


def outcomes(block: Block, order: Order, calculation: Calculation) -> tuple[Ints, Ints, Bits]:
    """The outcome of each following of members without a manual ballot.

    Returns:
        The edges looked at, sorted by follower; the code of each outcome (see ``NAMES``); the bits of the tags that
        came along, 0 where nothing was inherited.
    """
    edges = np.flatnonzero(~block.manual[block.src])
    followee = block.dst[edges]
    outcome = np.full(len(edges), NO_MATCH, dtype=np.int64)
    match, brought = came_along(block, edges, calculation.has, calculation.tags)
    outcome[~calculation.has[followee]] = NO_BALLOT
    outcome[match] = MATCH
    outcome[followee == block.src[edges]] = CIRCULAR
    outcome[followee < 0] = NOT_A_MEMBER
    _look_into_loops(block, order, calculation, edges, outcome)
    brought[outcome != MATCH] = 0
    place = np.searchsorted(edges, np.array(list(calculation.outcome), dtype=np.int64))
    for at, (code, tags) in zip(place.tolist(), calculation.outcome.values(), strict=True):
        outcome[at] = code
        brought[at] = from_int(tags, brought.shape[1])
    return edges, outcome, brought


def _look_into_loops(block: Block, order: Order, calculation: Calculation, edges: Ints, outcome: Ints) -> None:
    """Under the path rule, a followee who owes their ballot to the follower alone has none in the follower's walk."""
    loop = order.raw_loop
    if not (loop >= 0).any():
        return
    follower, followee = block.src[edges], block.dst[edges]
    walked = np.repeat(np.array([rule == "path" for rule in block.rules], dtype=np.bool_), np.diff(block.offsets))
    asked = np.flatnonzero(
        (outcome == NO_MATCH) & walked[follower] & (loop[follower] >= 0) & (loop[follower] == loop[followee])
    )
    if not len(asked):
        return
    support = Support(block, calculation, order.edges, loop)
    for at in asked.tolist():
        if not support.has_ballot_without(int(followee[at]), int(follower[at])):
            outcome[at] = NO_BALLOT
