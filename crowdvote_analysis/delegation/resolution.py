"""The result of a count as frames that people and other rooms read."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crowdvote_analysis.delegation.core_tables import CORE_MEMBERS, CORES, core_members, cores, refusals
from crowdvote_analysis.delegation.frames import (
    BALLOTS,
    ELECTORATE,
    SOURCES,
    STARS_GIVEN,
    ballots_of,
    electorate_of,
    in_order,
    influence_of,
    sources_of,
    stars_of,
    stats_of,
)
from crowdvote_analysis.delegation.score_shares import COLUMNS, WEIGHTS, score_shares, weights_of
from crowdvote_analysis.delegation.trees import totals_of
from crowdvote_analysis.errors import UnknownDecisionError, UnknownMemberError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crowdvote_analysis.delegation.arrays import Ints
    from crowdvote_analysis.delegation.counted import Counted
    from crowdvote_analysis.delegation.encode import Encoded


@dataclass(frozen=True)
class Resolution:
    """Everyone's ballot in every decision that was counted.

    It holds arrays; frames are made when they are first asked for, and are sorted by their first columns.

    Attributes:
        refused: decision_id, error: what was left out because the rule ``path`` needed more work than allowed (Y3).
    """

    refused: pl.DataFrame
    _encoded: Encoded = field(repr=False)
    _counted: tuple[Counted, ...] = field(repr=False)

    @classmethod
    def of(cls, encoded: Encoded, counted: Iterable[Counted], **frames: pl.DataFrame) -> Resolution:
        """A count as its arrays.

        Args:
            encoded: The tables.
            counted: The blocks.
            frames: Frames that are at hand already, by the name of their attribute.
        """
        resolution = cls(refusals([]), encoded, tuple(counted))
        vars(resolution).update(frames)
        return resolution

    def made(self, name: str) -> pl.DataFrame | None:
        """A frame, if it was asked for before."""
        frame: pl.DataFrame | None = vars(self).get(name)
        return frame

    @cached_property
    def ballots(self) -> pl.DataFrame:
        """One row for each decision and member of its community; made when first asked for.

        Columns: decision_id, member_id, origin (manual, calculated or none), tags (list[str]; empty = none), depth
            (Int64, null without ballot; D11), reason and reason_detail (null with a ballot; D7), in_loop, is_voter,
            influence_direct, influence_total (null in communities of more than 100,000 members; I1, I2), weight
            (Float64, I3).
        """
        parts = [influence_of(part, ballots_of(self._encoded, part)) for part in self._counted]
        return in_order(parts, BALLOTS)

    @cached_property
    def stars(self) -> pl.DataFrame:
        """Everybody's stars, manual and calculated: decision_id, member_id, choice_id, stars (DECIMAL(9,8)).

        Made when first asked for.
        """
        return in_order([stars_of(self._encoded, part) for part in self._counted], STARS_GIVEN)

    @cached_property
    def electorate(self) -> pl.DataFrame:
        """Who may have a ballot: decision_id, member_id and is_voter, a row where ``ballots`` has one, without them."""
        return in_order([electorate_of(self._encoded, part) for part in self._counted], ELECTORATE)

    def ballots_of(self, decision_id: str) -> pl.DataFrame:
        """The rows of ``ballots`` of one decision, without making those of others.

        Raises:
            UnknownDecisionError: It was not counted.
        """
        if (ballots := self.made("ballots")) is not None:
            self._place(decision_id)
            return ballots.filter(decision_id=decision_id)
        counted, nodes = self._place(decision_id)
        return influence_of(counted, ballots_of(self._encoded, counted, nodes), nodes)

    def stars_of(self, *member_ids: str, decision_id: str | None = None) -> pl.DataFrame:
        """The rows of ``stars`` of some members, in one decision or in all, without making those of others.

        Args:
            member_ids: Their ids; somebody who has no ballot has no rows.
            decision_id: The decision; all by default.

        Raises:
            UnknownDecisionError: The decision was not counted.
        """
        here = None if decision_id is None else self._place(decision_id)
        found = self._encoded.members["member_id"].is_in(pl.Series(member_ids, dtype=pl.String).implode()).to_numpy()
        parts = []
        for counted in self._counted if here is None else [here[0]]:
            nodes = np.arange(len(counted.block.member)) if here is None else here[1]
            parts.append(stars_of(self._encoded, counted, nodes[found[counted.block.member[nodes]]]))
        return in_order(parts, STARS_GIVEN)

    @cached_property
    def stats(self) -> pl.DataFrame:
        """Participation, one row a decision; made when first asked for.

        Columns: decision_id, total_members, manual_ballots, calculated_ballots, no_ballot, lobbyists, tallied_ballots,
            circular_prevented, max_delegation_depth (Int64), participation (Float64, 0 to 1; M2), non_member_ballots
            (M3), untimely_ballots (of members, outside of the voting time: kept, not counted, D12).
        """
        return stats_of(self._encoded, self._counted)

    @cached_property
    def choices(self) -> pl.DataFrame:
        """decision_id, choice_id, title, position, of the decisions that were counted."""
        return (
            self._encoded.choices.join(self.decisions, on="decision_id", how="semi")
            .select("decision_id", "choice_id", "title", "position")
            .sort("decision_id", "position", "choice_id")
        )

    @cached_property
    def decisions(self) -> pl.DataFrame:
        """decision_id, community_id, cycle_rule (the rule used; ``auto-1`` for ``auto``, Y6)."""
        return self._encoded.decisions.select("decision_id", "community_id", "cycle_rule")

    def _place(self, decision_id: str) -> tuple[Counted, Ints]:
        """The block of a decision, and its nodes there.

        Raises:
            UnknownDecisionError: The decision was not counted.
        """
        code = self._encoded.decisions["decision_id"].index_of(decision_id)
        if code is None:
            raise UnknownDecisionError(f"decision '{decision_id}' is not among those that were counted.")
        counted = next(part for part in self._counted if code in part.block.decisions)
        first = counted.block.decisions.index(code)
        return counted, np.arange(*counted.block.offsets[first : first + 2].tolist())

    @cached_property
    def score_shares(self) -> pl.DataFrame:
        """What every choice's score is made of, by manual voter; built when first asked for (I3).

        Columns: decision_id, choice_id, member_id, weight (DECIMAL(38,18), ballots), stars (the member's own,
            DECIMAL(9,8)), score (DECIMAL(38,18), stars) = weight × stars, share (Float64, of the choice's score;
            null where that is 0).
        Only parts above 0 are listed. Ballots are tallied with 8 places, so the parts miss the score by a little: the
        row whose member_id is null says by how much. With it, the scores of a choice sum exactly to its tallied score.
        """
        parts = [score_shares(self._encoded, counted) for counted in self._counted]
        return pl.concat([pl.DataFrame(schema=COLUMNS), *parts]).sort(
            "decision_id", "choice_id", "member_id", nulls_last=True
        )

    def weights_of(self, ballots: pl.DataFrame | None = None, decision_id: str | None = None) -> pl.DataFrame:
        """Hand ballots back to the manual voters they are made of, as ``weight`` does in floats (I3).

        Args:
            ballots: decision_id, member_id: whose ballots; rows without a ballot are passed over. All that are tallied
                by default.
            decision_id: The decision; all by default.

        Returns:
            decision_id, member_id, weight (DECIMAL(38,18), ballots, above 0), sorted. Under the path rule the weights
            of a decision sum exactly to the number of its ballots.
        """
        wanted = None
        if ballots is not None:
            wanted = ballots.select(pl.col("decision_id", "member_id").cast(pl.String)).unique()
        counted = self._counted if decision_id is None else [self._place(decision_id)[0]]
        found = pl.concat(
            [pl.DataFrame(schema=WEIGHTS), *(weights_of(self._encoded, part, wanted) for part in counted)]
        ).sort("decision_id", "member_id")
        return found if decision_id is None else found.filter(decision_id=decision_id)

    def influence_total(self, decision_id: str, members: Sequence[str]) -> pl.DataFrame:
        """In how many members' trees of sources some members appear (I2): exact in communities of any size.

        Args:
            decision_id: The decision.
            members: Ids of members of its community.

        Returns:
            member_id and influence_total (Int64), sorted by member_id.

        Raises:
            UnknownDecisionError: The decision was not counted.
            UnknownMemberError: Somebody is not in the community of the decision.
        """
        if isinstance(members, str):
            raise TypeError("members is one text; give a list of member ids: members=['ada']")
        encoded = self._encoded
        counted, there = self._place(decision_id)
        block = counted.block
        here = encoded.members["member_id"].gather(block.member[there])
        wanted = pl.Series(sorted(set(members)), dtype=pl.String)
        nodes = here.search_sorted(wanted).to_numpy()
        missing = wanted.filter(~wanted.is_in(here.implode()))
        if len(missing):
            hidden = encoded.state.members.filter("is_anonymous")["member_id"]
            shown = missing.filter(~missing.is_in(hidden.implode()))
            named = f" (first: '{shown[0]}')" if len(shown) else ""
            raise UnknownMemberError(
                f"{len(missing)} of the {len(wanted)} members asked for are not in the community of decision "
                f"'{decision_id}'{named}. Give ids of the table members."
            )
        total = totals_of(block, counted.order, counted.calculation, there[nodes])
        return pl.DataFrame({"member_id": wanted, "influence_total": total})

    @cached_property
    def cores(self) -> pl.DataFrame:
        """Every tangle of loops, and the rule that settled it (Y6); built when first asked for.

        Columns: decision_id, core (Int64, counted from 1 within the decision, by the least id of its members), members
            (Int64), followings (Int64, those inside that can match), rule (``path`` or ``equilibrium``).
        """
        parts = [cores(self._encoded, counted) for counted in self._counted]
        return pl.concat([pl.DataFrame(schema=CORES), *parts]).sort("decision_id", "core")

    @cached_property
    def core_members(self) -> pl.DataFrame:
        """Who is in which tangle: decision_id, core (as in ``cores``), member_id; built when first asked for."""
        parts = [core_members(self._encoded, counted) for counted in self._counted]
        return pl.concat([pl.DataFrame(schema=CORE_MEMBERS), *parts]).sort("decision_id", "core", "member_id")

    @cached_property
    def sources(self) -> pl.DataFrame:
        """Every following looked at, of members without a manual ballot; built when first asked for.

        Columns: decision_id, follower_id, followee_id, following_tags (empty = ALL), outcome (match, no_match,
            no_ballot,
        circular, not_a_member), inherited_tags (empty unless match). Under the path rule the outcome is that of the
        follower's own walk (Y1).
        """
        return in_order([sources_of(self._encoded, counted) for counted in self._counted], SOURCES).sort(
            "decision_id", "follower_id", "followee_id"
        )
