"""Whom a member can still reach inside their loop: nobody else on a path makes a difference to what they give (Y2 b).

Without this, every place of every tree in a loop would walk through the loop to find out that it need not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crowdvote_analysis.delegation.components import components

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crowdvote_analysis.delegation.arrays import Ints

_LARGEST = 20_000  # members of a loop; sets of them take up to 50 MB


class Reach:
    """Who can be reached from whom inside loops, along followings that can match.

    Args:
        loop: Number of the loop by node, -1 outside loops.
        followees: Whom a node can inherit from, by node.
    """

    def __init__(self, loop: Ints, followees: Sequence[Sequence[int]]) -> None:
        self._loop, self._followees = loop, followees
        self._place: dict[int, int] = {}
        self._reached: dict[int, int] = {}

    def among(self, node: int, members: Iterable[int]) -> list[int]:
        """Which members of the same loop can be reached from a node; all of them in a very large loop."""
        reached = self._from(node)
        return [member for member in members if reached >> self._place[member] & 1]

    def size(self, node: int) -> int:
        """How many members of the loop can be reached from a node."""
        return self._from(node).bit_count()

    def _from(self, node: int) -> int:
        if node not in self._reached:
            self._fill(int(self._loop[node]))
        return self._reached[node]

    def _fill(self, loop: int) -> None:
        members = np.flatnonzero(self._loop == loop).tolist()
        place = {member: number for number, member in enumerate(members)}
        self._place |= place
        if len(members) > _LARGEST:
            self._reached |= dict.fromkeys(members, (1 << len(members)) - 1)
            return
        reached: dict[int, int] = {}
        for part in components(members, self._followees):
            bits = 0
            for member in part:
                for followee in self._followees[member]:
                    if followee in place:
                        bits |= 1 << place[followee] | reached.get(followee, 0)
            reached |= dict.fromkeys(part, bits)
        self._reached |= reached
