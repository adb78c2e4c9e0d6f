"""Whether somebody still has a ballot when a given member gives nothing.

Needed for one thing: under the path rule a following that does not match is reported as `no_match` if the followee
has a ballot in the follower's own walk, and as `no_ballot` if the followee owes their ballot to the follower alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crowdvote_analysis.delegation.cores import to_int

if TYPE_CHECKING:
    from crowdvote_analysis.delegation.averages import Calculation
    from crowdvote_analysis.delegation.encode import Block, Ints

_ANY = -1


class Support:
    """Looks for a way from a member to a manual ballot, avoiding another member.

    Args:
        block: The graph.
        calculation: The finished calculation.
        edges: The live edges, in any order.
        loop: Number of the loop by node; whoever is outside the follower's loop cannot depend on the follower.
    """

    def __init__(self, block: Block, calculation: Calculation, edges: Ints, loop: Ints) -> None:
        self._block, self._calculation, self._loop = block, calculation, loop
        self._edges = edges[np.argsort(block.src[edges], kind="stable")]
        self._followers = block.src[self._edges]

    def has_ballot_without(self, member: int, avoided: int) -> bool:
        """Whether ``member`` has a ballot in a walk that started at ``avoided``.

        A tag reaches a member only along followings on that tag, so the way is searched by (member, tag), with "any
        tag" for followings on ALL.
        """
        block, calculation = self._block, self._calculation
        waiting, seen = [(member, _ANY)], {(member, _ANY)}
        while waiting:
            node, tag = waiting.pop()
            span = slice(*np.searchsorted(self._followers, [node, node + 1]))
            for edge in self._edges[span].tolist():
                followee = int(block.dst[edge])
                if followee == avoided:
                    continue
                carried = to_int(calculation.tags[followee])
                if tag == _ANY and block.everything[edge]:
                    nexts = [_ANY]
                else:
                    common = carried & to_int(block.mask[edge])
                    nexts = [bit for bit in range(common.bit_length()) if common >> bit & 1 and tag in (_ANY, bit)]
                if not nexts or not calculation.has[followee]:
                    continue
                if self._loop[followee] != self._loop[avoided]:
                    return True
                fresh = [(followee, step) for step in nexts if (followee, step) not in seen]
                seen.update(fresh)
                waiting += fresh
        return False
