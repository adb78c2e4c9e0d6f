"""Whether somebody still has a ballot when a given member gives nothing.

Needed for one thing: under the path rule a following that does not match is reported as `no_match` if the followee
has a ballot in the follower's own walk, and as `no_ballot` if the followee owes their ballot to the follower alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crowdvote_analysis.delegation.cores import to_int

if TYPE_CHECKING:
    from crowdvote_analysis.delegation.arrays import Flags, Ints
    from crowdvote_analysis.delegation.averages import Calculation
    from crowdvote_analysis.delegation.blocks import Block

_ANY = -1


class Support:
    """Looks for a way from a member to a manual ballot, avoiding another member.

    Args:
        block: The graph.
        calculation: The finished calculation.
        edges: The live edges, in any order.
        loop: Number of the loop by node; whoever is outside the follower's loop cannot depend on the follower.
        walked: Whether the node gives another ballot where somebody is avoided; in a balanced core nothing is cut (Y7).
    """

    def __init__(self, block: Block, calculation: Calculation, edges: Ints, loop: Ints, walked: Flags) -> None:
        self._block, self._calculation, self._loop, self._walked = block, calculation, loop, walked
        self._edges = edges[np.argsort(block.src[edges], kind="stable")]
        self._followers = block.src[self._edges]
        self._known: dict[int, list[tuple[int, bool, list[int]]]] = {}

    def has_ballot_without(self, member: int, avoided: int) -> bool:
        """Whether ``member`` has a ballot in a walk that started at ``avoided``.

        A tag reaches a member only along followings on that tag, so the way is searched by (member, tag), with "any
        tag" for followings on ALL.
        """
        waiting, seen = [(member, _ANY)], {(member, _ANY)}
        while waiting:
            node, tag = waiting.pop()
            for followee, everything, bits in self._ways(node):
                if followee == avoided:
                    continue
                carried = bits if tag == _ANY else [tag] if tag in bits else []
                nexts = [_ANY] if everything and tag == _ANY else carried
                if nexts and (self._loop[followee] != self._loop[avoided] or not self._walked[followee]):
                    return True
                fresh = [(followee, step) for step in nexts if (followee, step) not in seen]
                seen.update(fresh)
                waiting += fresh
        return False

    def _ways(self, node: int) -> list[tuple[int, bool, list[int]]]:
        """Whom a member can inherit from, whether on ALL, and the tags that can come along."""
        if node not in self._known:
            block, calculation = self._block, self._calculation
            ways = []
            for edge in self._edges[slice(*np.searchsorted(self._followers, [node, node + 1]))].tolist():
                followee = int(block.dst[edge])
                if calculation.has[followee]:
                    common = to_int(calculation.tags[followee]) & to_int(block.mask[edge])
                    bits = [bit for bit in range(common.bit_length()) if common >> bit & 1]
                    ways.append((followee, bool(block.everything[edge]), bits))
            self._known[node] = ways
        return self._known[node]
