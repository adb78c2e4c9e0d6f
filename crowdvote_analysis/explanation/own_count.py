"""Everybody's own ballot as a finished count has it, and the walks where loops make a difference (Y1).

Nothing is worked out that the count has worked out already, which is what makes trees for a whole community cheap.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from crowdvote_analysis.delegation.cores import Budget
from crowdvote_analysis.errors import CyclicCoreTooLarge
from crowdvote_analysis.explanation.given import Given
from crowdvote_analysis.explanation.own_balance import OwnBalance
from crowdvote_analysis.explanation.own_walk import OwnWalk
from crowdvote_analysis.explanation.reach import Reach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crowdvote_analysis.delegation import Resolution
    from crowdvote_analysis.delegation.blocks import Block

_KEPT = 20_000  # ballots kept at hand
_WALKED = 50_000  # ballots of walks that may be remembered


class OwnCount:
    """Ballots of a finished count.

    Args:
        block: One decision, with the followings that are looked at.
        resolution: The count of the same state.
        decision_id: The decision.
        work_limit: Steps the walks may take for one loop, all members together.

    Raises:
        ValueError: The count has other members.
    """

    def __init__(self, block: Block, resolution: Resolution, decision_id: str, work_limit: int) -> None:
        self._block, self._decision_id, self._work_limit = block, decision_id, work_limit
        # Nodes follow the sorted ids, and so do the rows of a resolution.
        self._ballots = resolution.ballots.filter(decision_id=decision_id)
        if len(self._ballots) != len(block.member):
            raise ValueError(f"the resolution is not of this state: decision '{decision_id}' has other members")
        self._places, self._rated = _stars(self._ballots, resolution, decision_id)
        self._bit = {tag: 1 << number for number, tag in enumerate(block.vocabulary)}
        self._own = lru_cache(_KEPT)(self._counted)
        self._walk = OwnWalk(block, decision_id, work_limit) if block.rules[0] == "path" else None
        self._reach = Reach(self._walk.loop, self._walk.next) if self._walk else None
        self._budgets: dict[int, Budget] = {}
        self._given_up: set[int] = set()

    def ballot(self, node: int, path: Sequence[int] = ()) -> Given | None:
        """What a member gives at the end of ``path``; their own ballot without one.

        Raises:
            CyclicCoreTooLarge: The walks through the member's loop take more than the work limit; the member's own
                ballot is always there.
        """
        walk, reach = self._walk, self._reach
        if walk is None or reach is None or walk.loop[node] < 0:
            return self._own(node)
        loop = int(walk.loop[node])
        blocked = reach.among(node, walk.same_loop(node, path))
        if not blocked and (walk.core[node] < 0 or loop in self._given_up):
            return self._own(node)
        if loop in self._given_up:
            raise CyclicCoreTooLarge(self._decision_id, reach.size(node), self._work_limit, self._work_limit)
        try:
            if blocked:
                self._budgets.setdefault(loop, Budget(self._work_limit, self._decision_id)).spend(reach.size(node))
            # From a walk comes not only the ballot but also what it is made of, so that nobody has to ask for that.
            return walk.ballot(node, blocked)
        except CyclicCoreTooLarge:
            self._given_up.add(loop)
            if blocked:
                raise
            return self._own(node)

    def reason_detail(self, node: int) -> str | None:
        """Why there is no ballot, as the count has it (D7)."""
        detail: str | None = self._ballots["reason_detail"][node]
        return detail

    def shares(self, node: int) -> tuple[dict[int, Any], bool]:
        """Which share of a ballot comes from each ballot cast by hand (I3), and whether the shares are exact."""
        return self._walk.shares(node) if self._walk else self._balance.shares(node)

    def forget(self) -> None:
        """Let go of walks, once there are many, so that memory does not grow with the number of members."""
        if self._walk:
            self._walk.forget(_WALKED)

    @cached_property
    def _balance(self) -> OwnBalance:
        return OwnBalance(self._block)

    def _counted(self, node: int) -> Given | None:
        rated = sum(1 << int(choice) for choice in np.flatnonzero(self._rated[:, node]))
        if not rated:
            return None
        tags = sum(self._bit[tag] for tag in self._ballots["tags"][node])
        return Given(node, (), 1, tuple(self._places[:, node].tolist()), rated, tags, self._ballots["depth"][node])


def _stars(ballots: pl.DataFrame, resolution: Resolution, decision_id: str) -> tuple[Any, Any]:
    """Stars in units of 1e-8 and whether a choice is rated, choice by node."""
    choices = resolution.choices.filter(decision_id=decision_id).select("choice_id").sort("choice_id")
    placed = (
        resolution.stars.filter(decision_id=decision_id)
        .join(ballots.select("member_id").with_row_index("node"), on="member_id")
        .join(choices.with_row_index("choice"), on="choice_id")
    )
    at = placed["choice"].to_numpy(), placed["node"].to_numpy()
    places = np.zeros((len(choices), len(ballots)), dtype=np.int64)
    places[at] = placed["stars"].to_physical().cast(pl.Int64).to_numpy()
    rated = np.zeros(places.shape, dtype=np.bool_)
    rated[at] = True
    return places, rated
