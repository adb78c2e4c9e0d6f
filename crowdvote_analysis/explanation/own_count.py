"""Everybody's own ballot as a count has it, and the walks where loops make a difference (Y1, Y6).

Nothing is worked out that the count has worked out already, which is what makes trees for a whole community cheap.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from crowdvote_analysis.delegation.budget import Budget
from crowdvote_analysis.delegation.cores import balanced_sizes
from crowdvote_analysis.delegation.participation import order
from crowdvote_analysis.errors import CyclicCoreTooLarge
from crowdvote_analysis.explanation.given import Given
from crowdvote_analysis.explanation.own_walk import OwnWalk
from crowdvote_analysis.explanation.reach import Reach
from crowdvote_analysis.explanation.settled import Settled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crowdvote_analysis.delegation import Resolution
    from crowdvote_analysis.delegation.blocks import Block

_KEPT = 20_000  # ballots kept at hand
_WALKED = 50_000  # ballots of walks that may be remembered


class OwnCount:
    """Ballots of a count.

    Args:
        block: One decision, with the followings that are looked at.
        decision_id: The decision.
        work_limit: Steps the walks may take, all members together; small loops are walked whatever it takes (Y6).
        resolution: A finished count of the same state; without one, ballots are settled here, which the rule ``path``
            (Y1) does not allow.

    Attributes:
        walked: Whether the node's ballot can be another inside a walk (Y7).
        balanced: Number of members of the balanced core of the node, 0 outside of them.

    Raises:
        ValueError: The count has other members.
    """

    def __init__(self, block: Block, decision_id: str, work_limit: int, resolution: Resolution | None = None) -> None:
        self._block, self._decision_id = block, decision_id
        rule = block.rules[0]
        self._limit = work_limit if rule == "path" else None
        self._finished = None if resolution is None else _Finished(block, resolution, decision_id)
        self.balanced = np.zeros(len(block.member), dtype=np.int64)
        if rule != "path":
            self.balanced = balanced_sizes(block, order(block))
        self._walk, self._reach = None, None
        if rule != "equilibrium":
            self._walk = OwnWalk(block, decision_id, self._limit, self.balanced > 0, self._unrounded)
            self._reach = Reach(self._walk.loop, self._walk.next)
        self.walked = np.zeros(len(block.member), dtype=np.bool_) if self._walk is None else self._walk.walked
        self._budget = Budget(self._limit, decision_id)
        self._given_up: set[int] = set()

    @property
    def is_finished(self) -> bool:
        """Whether a finished count is at hand, so that what takes too much work can be left out."""
        return self._finished is not None

    def ballot(self, node: int, path: Sequence[int] = ()) -> Given | None:
        """What a member gives at the end of ``path``; their own ballot without one.

        Raises:
            CyclicCoreTooLarge: The walks through the member's loop take more than the work limit; the member's own
                ballot is always there.
        """
        walk, reach = self._walk, self._reach
        if walk is None or reach is None or walk.loop[node] < 0 or not walk.walked[node]:
            return self._own(node)
        loop = int(walk.loop[node])
        blocked = reach.among(node, walk.same_loop(node, path))
        if not blocked and (walk.core[node] < 0 or loop in self._given_up):
            return self._own(node)
        if loop in self._given_up:
            raise CyclicCoreTooLarge(self._decision_id, reach.size(node), self._limit or 0)
        try:
            if blocked:
                self._budget.enter(reach.size(node))
                self._budget.spend(reach.size(node))
            # From a walk comes not only the ballot but also what it is made of, so that nobody has to ask for that.
            return walk.ballot(node, blocked)
        except CyclicCoreTooLarge:
            self._given_up.add(loop)
            if blocked:
                raise
            return self._own(node)

    def reason_detail(self, node: int) -> str | None:
        """Why there is no ballot, as a finished count has it (D7)."""
        return self._finished.reason_detail(node) if self._finished else None

    def shares(self, node: int) -> tuple[dict[int, Any], bool]:
        """Which share of a ballot comes from each ballot cast by hand (I3), and whether the shares are exact."""
        if self._walk is not None and self._limit is not None:
            return self._walk.shares(node)
        return self._settled.shares(node)

    def forget(self) -> None:
        """Let go of walks, once there are many, so that memory does not grow with the number of members."""
        if self._walk:
            self._walk.forget(_WALKED)

    @cached_property
    def _settled(self) -> Settled:
        return Settled(self._block)

    def _own(self, node: int) -> Given | None:
        return self._finished.ballot(node) if self._finished else self._settled.ballot(node)

    def _unrounded(self, node: int) -> Given | None:
        return self._settled.unrounded(node)


class _Finished:
    """The ballots of a finished count."""

    def __init__(self, block: Block, resolution: Resolution, decision_id: str) -> None:
        # Nodes follow the sorted ids, and so do the rows of a resolution.
        self._ballots = resolution.ballots.filter(decision_id=decision_id)
        if len(self._ballots) != len(block.member):
            raise ValueError(f"the resolution is not of this state: decision '{decision_id}' has other members")
        self._places, self._rated = _stars(self._ballots, resolution, decision_id)
        self._bit = {tag: 1 << number for number, tag in enumerate(block.vocabulary)}
        self.ballot = lru_cache(_KEPT)(self._ballot)

    def reason_detail(self, node: int) -> str | None:
        detail: str | None = self._ballots["reason_detail"][node]
        return detail

    def _ballot(self, node: int) -> Given | None:
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
