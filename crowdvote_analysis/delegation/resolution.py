"""The result of a count as frames that people and other rooms read."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crowdvote_analysis.delegation.core_tables import CORE_MEMBERS, CORES, core_members, cores, refusals
from crowdvote_analysis.delegation.outcomes import CIRCULAR, NAMES, NOT_A_MEMBER, NOT_LOOKED_AT, tags_along
from crowdvote_analysis.delegation.path_rule import NO_BALLOT, NO_MATCH
from crowdvote_analysis.delegation.rounding import in_stars
from crowdvote_analysis.delegation.score_shares import COLUMNS, WEIGHTS, score_shares, weights_of
from crowdvote_analysis.delegation.trees import totals_of
from crowdvote_analysis.errors import UnknownDecisionError, UnknownMemberError
from crowdvote_analysis.tables import STARS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crowdvote_analysis.delegation.arrays import Bits, Flags, Floats, Ints
    from crowdvote_analysis.delegation.averages import Calculation
    from crowdvote_analysis.delegation.blocks import Block
    from crowdvote_analysis.delegation.encode import Encoded
    from crowdvote_analysis.delegation.outcomes import Outcomes
    from crowdvote_analysis.delegation.participation import Order

NOT_FOLLOWING = "Not following anyone"
NOTHING_MATCHES = "Following others but no tag matches"


@dataclass(frozen=True)
class Counted:
    """A block that has been counted.

    Attributes:
        block, order, calculation: What was counted, in which order, and the ballots; a later count can start from them.
        places: Stars in units of 1e-8, choice by node.
        in_loop: Whether the node follows somebody inside a loop (Y5).
        circular: Number of followings inside loops, by decision of the block (Y5).
        direct, total, weight: Influence by node (I1 to I3); a total of -1 is one that was not counted.
        outcome: Outcome by edge, see ``outcomes.NAMES``.
    """

    block: Block
    order: Order
    calculation: Calculation
    places: Ints
    in_loop: Flags
    circular: Ints
    direct: Ints
    total: Ints
    weight: Floats
    outcome: Outcomes

    @cached_property
    def live(self) -> Flags:
        """Whether an edge is among those that the order has (by edge)."""
        flags = np.zeros(len(self.block.src), dtype=np.bool_)
        flags[self.order.edges] = True
        return flags


@dataclass(frozen=True)
class Resolution:
    """Everyone's ballot in every decision that was counted. All frames are sorted by their first columns.

    Attributes:
        ballots: One row for each decision and member of its community: decision_id, member_id, origin (manual,
            calculated or none), tags (list[str]; empty = none), depth (Int64, null without ballot; D11), reason and
            reason_detail (null with a ballot; D7), in_loop, is_voter, influence_direct, influence_total (null in
            communities of more than 100,000 members; I1, I2), weight (Float64, I3).
        stars: decision_id, member_id, choice_id, stars (DECIMAL(9,8)), manual and calculated.
        stats: One row a decision: decision_id, total_members, manual_ballots, calculated_ballots, no_ballot, lobbyists,
            tallied_ballots, circular_prevented, max_delegation_depth, participation (Float64, 0 to 1; M2),
            non_member_ballots (M3), untimely_ballots (of members, outside of the voting time: kept, not counted, D12).
        choices: decision_id, choice_id, title, position, of the decisions that were counted.
        decisions: decision_id, community_id, cycle_rule (the rule used; ``auto-1`` for ``auto``, Y6).
        refused: decision_id, error: what was left out because the rule ``path`` needed more work than allowed (Y3).
    """

    ballots: pl.DataFrame
    stars: pl.DataFrame
    stats: pl.DataFrame
    choices: pl.DataFrame
    decisions: pl.DataFrame
    refused: pl.DataFrame
    _encoded: Encoded = field(repr=False)
    _counted: tuple[Counted, ...] = field(repr=False)

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

    def weights_of(self, ballots: pl.DataFrame) -> pl.DataFrame:
        """Hand some ballots back to the manual voters they are made of, as ``weight`` does for all tallied ones (I3).

        Args:
            ballots: decision_id, member_id: whose ballots; rows without a ballot are passed over.

        Returns:
            decision_id, member_id, weight (DECIMAL(38,18), ballots, above 0), sorted. Under the path rule the weights
            of a decision sum exactly to the number of its ballots.
        """
        wanted = ballots.select(pl.col("decision_id", "member_id").cast(pl.String)).unique().with_columns(chosen=True)
        parts = [weights_of(self._encoded, counted, wanted) for counted in self._counted]
        return pl.concat([pl.DataFrame(schema=WEIGHTS), *parts]).sort("decision_id", "member_id")

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
        code = encoded.decisions["decision_id"].index_of(decision_id)
        if code is None:
            raise UnknownDecisionError(f"decision '{decision_id}' is not among those that were counted.")
        counted = next(part for part in self._counted if code in part.block.decisions)
        block, place = counted.block, counted.block.decisions.index(code)
        first, last = block.offsets[place : place + 2].tolist()
        here = encoded.members["member_id"].gather(block.member[first:last])
        wanted = pl.Series(sorted(set(members)), dtype=pl.String)
        nodes = here.search_sorted(wanted).to_numpy()
        missing = wanted.filter(~wanted.is_in(here.implode()))
        if len(missing):
            hidden = encoded.state.members.filter("is_anonymous")["member_id"]
            shown = missing.filter(~missing.is_in(hidden.implode()))
            first = f" (first: '{shown[0]}')" if len(shown) else ""
            raise UnknownMemberError(
                f"{len(missing)} of the {len(wanted)} members asked for are not in the community of decision "
                f"'{decision_id}'{first}. Give ids of the table members."
            )
        total = totals_of(block, counted.order, counted.calculation, first + nodes)
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
        parts = [_sources(self._encoded, counted) for counted in self._counted]
        empty = pl.DataFrame(
            schema={
                "decision_id": pl.String,
                "follower_id": pl.String,
                "followee_id": pl.String,
                "following_tags": pl.List(pl.String),
                "outcome": pl.String,
                "inherited_tags": pl.List(pl.String),
            }
        )
        return pl.concat([empty, *parts]).sort("decision_id", "follower_id", "followee_id")


def frames(encoded: Encoded, counted: list[Counted]) -> Resolution:
    """Turn counted blocks into a Resolution."""
    ballots = _in_order([ballots_of(encoded, part) for part in counted], _no_ballots())
    stars = _in_order([stars_of(encoded, part) for part in counted], _no_stars())
    return resolution(encoded, counted, ballots, stars)


def resolution(encoded: Encoded, counted: Sequence[Counted], ballots: pl.DataFrame, stars: pl.DataFrame) -> Resolution:
    """Put statistics beside finished ballots and stars; ``ballots`` has the column with_stars besides (D5)."""
    decisions = encoded.decisions.select("decision_id", "community_id", "cycle_rule")
    circular = {
        decision: int(number)
        for part in counted
        for decision, number in zip(part.block.decisions, part.circular, strict=True)
    }
    return Resolution(
        ballots=ballots.drop("with_stars"),
        stars=stars,
        stats=_stats(encoded, ballots, circular),
        choices=encoded.choices.join(decisions, on="decision_id", how="semi")
        .select("decision_id", "choice_id", "title", "position")
        .sort("decision_id", "position", "choice_id"),
        decisions=decisions,
        refused=refusals([]),
        _encoded=encoded,
        _counted=tuple(counted),
    )


def _in_order(parts: list[pl.DataFrame], none: pl.DataFrame) -> pl.DataFrame:
    """Blocks as one frame; inside a block rows are in order already, so that one block need not be sorted."""
    if not parts:
        return none
    return parts[0] if len(parts) == 1 else pl.concat(parts).sort("decision_id", maintain_order=True)


def ballots_of(encoded: Encoded, counted: Counted) -> pl.DataFrame:
    """One row a node; ``with_stars`` says whether there is a ballot that can be tallied (D5)."""
    block, calculation = counted.block, counted.calculation
    member = encoded.members.select("member_id", "is_voter")[block.member]
    origin = np.where(block.manual, 0, np.where(calculation.has, 1, 2))
    none = origin == 2
    kinds = np.zeros(len(none), dtype=np.int64)
    of_none = np.flatnonzero(none[block.src])
    np.bitwise_or.at(kinds, block.src[of_none], 1 << counted.outcome[of_none].astype(np.int64))
    total = pl.Series(counted.total)
    return pl.DataFrame(
        {
            "decision_id": _decision_ids(encoded, block),
            "member_id": member["member_id"],
            "origin": _named(["manual", "calculated", "none"], origin),
            "tags": _tags(np.where(block.manual[:, None], block.tags, calculation.tags), block.vocabulary),
            "depth": pl.Series(calculation.depth).set(pl.Series(none), None),
            "reason": _named([None, NOT_FOLLOWING, NOTHING_MATCHES], np.where(none, np.where(kinds == 0, 1, 2), 0)),
            "reason_detail": _named([None, *_details()], np.where(none, kinds + 1, 0)),
            "in_loop": counted.in_loop,
            "is_voter": member["is_voter"],
            "influence_direct": counted.direct,
            "influence_total": total.set(total < 0, None),
            "weight": counted.weight,
            "with_stars": calculation.has,
        }
    )


def _details() -> list[str]:
    """Why a member has no ballot, by the kinds of outcome their followings had as bits; joined with + (D7)."""
    order = (NO_MATCH, NO_BALLOT, CIRCULAR, NOT_A_MEMBER)
    kinds = range(1 << len(NAMES))
    return ["+".join(NAMES[code] for code in order if kind >> code & 1) or "no_followings" for kind in kinds]


def _named(names: Sequence[str | None], codes: Ints | Outcomes) -> pl.Series:
    return pl.Series(names, dtype=pl.String).gather(codes)


def stars_of(encoded: Encoded, counted: Counted) -> pl.DataFrame:
    """The stars of every node, choices in the order of their codes."""
    block = counted.block
    rated = unpacked(counted.calculation.rated, len(counted.places))
    choice = np.broadcast_to(np.arange(rated.shape[1]), rated.shape)[rated]
    sizes = rated.sum(axis=1, dtype=np.int64)
    codes = np.repeat(_decision_codes(block), sizes)
    names = encoded.choices.join(encoded.decisions.select("decision_id", "decision"), on="decision_id").sort(
        "decision", "choice"
    )
    first = names["decision"].search_sorted(pl.Series(np.arange(len(encoded.decisions), dtype=np.int64))).to_numpy()
    return pl.DataFrame(
        {
            "decision_id": encoded.decisions["decision_id"].gather(codes),
            "member_id": encoded.members["member_id"].gather(np.repeat(block.member, sizes)),
            "choice_id": names["choice_id"].gather(first[codes] + choice)
            if len(choice)
            else pl.Series([], dtype=pl.String),
            "stars": in_stars(pl.Series(counted.places.T[rated])),
        }
    )


def _sources(encoded: Encoded, counted: Counted) -> pl.DataFrame:
    block = counted.block
    edges = np.flatnonzero(counted.outcome != NOT_LOOKED_AT)
    following = encoded.given[encoded.followings["row"].gather(block.following[edges])]
    codes = _decision_codes(block)[block.src[edges]]
    return pl.DataFrame(
        {
            "decision_id": encoded.decisions["decision_id"].gather(codes),
            "follower_id": following["follower_id"],
            "followee_id": following["followee_id"],
            "following_tags": following["tags"],
            "outcome": _named(list(NAMES.values()), counted.outcome[edges]),
            "inherited_tags": _tags(tags_along(block, counted.calculation, edges), block.vocabulary),
        }
    )


def _stats(encoded: Encoded, ballots: pl.DataFrame, circular: dict[int, int]) -> pl.DataFrame:
    voter = pl.col("is_voter")

    def voters(origin: str) -> pl.Expr:
        return (voter & (pl.col("origin") == origin)).sum().cast(pl.Int64)

    counts = ballots.group_by("decision_id").agg(
        total_members=voter.sum().cast(pl.Int64),
        manual_ballots=voters("manual"),
        calculated_ballots=voters("calculated"),
        no_ballot=voters("none"),
        lobbyists=(~voter).sum().cast(pl.Int64),
        tallied_ballots=(voter & pl.col("with_stars")).sum().cast(pl.Int64),
        max_delegation_depth=pl.col("depth").max().fill_null(0),
    )
    numbers = pl.DataFrame(
        {
            "decision_id": encoded.decisions["decision_id"],
            "circular_prevented": [circular.get(code, 0) for code in encoded.decisions["decision"]],
            "non_member_ballots": encoded.outsiders,
            "untimely_ballots": encoded.untimely,
        },
        schema_overrides={"circular_prevented": pl.Int64},
    )
    with_ballot = pl.col("manual_ballots") + pl.col("calculated_ballots")
    everyone = pl.col("total_members")
    return (
        numbers.join(counts, on="decision_id", how="left")
        .with_columns(pl.col(pl.Int64).fill_null(0))
        .with_columns(participation=pl.when(everyone > 0).then(with_ballot / everyone).otherwise(0.0))
        .select(
            "decision_id",
            "total_members",
            "manual_ballots",
            "calculated_ballots",
            "no_ballot",
            "lobbyists",
            "tallied_ballots",
            "circular_prevented",
            "max_delegation_depth",
            "participation",
            "non_member_ballots",
            "untimely_ballots",
        )
        .sort("decision_id")
    )


def _decision_ids(encoded: Encoded, block: Block) -> pl.Series:
    return encoded.decisions["decision_id"].gather(_decision_codes(block))


def _decision_codes(block: Block) -> Ints:
    """The code of the decision by node."""
    return np.repeat(np.array(block.decisions, dtype=np.int64), np.diff(block.offsets))


def unpacked(sets: Bits, width: int) -> Flags:
    """Sets of choices as flags, node by choice."""
    flags = np.empty((len(sets), width), dtype=np.bool_)
    for choice in range(width):
        flags[:, choice] = sets[:, choice // 64] >> np.uint64(choice % 64) & np.uint64(1)
    return flags


def _tags(bits: Bits, vocabulary: list[str]) -> pl.Series:
    """Sets of bits as lists of tags; each distinct set is spelled out once."""
    # Sets of one word are sorted as numbers, many times faster than as rows.
    axis = 0 if bits.shape[1] > 1 else None
    distinct, which = np.unique(bits, axis=axis, return_inverse=True)
    distinct = distinct.reshape(-1, bits.shape[1])
    spelled = [
        [tag for number, tag in enumerate(vocabulary) if int(row[number // 64]) >> number % 64 & 1] for row in distinct
    ]
    return pl.Series(spelled, dtype=pl.List(pl.String)).gather(which.reshape(-1))


def _no_ballots() -> pl.DataFrame:
    text = dict.fromkeys(["decision_id", "member_id", "origin"], pl.String)
    return pl.DataFrame(
        schema={
            **text,
            "tags": pl.List(pl.String),
            "depth": pl.Int64,
            "reason": pl.String,
            "reason_detail": pl.String,
            "in_loop": pl.Boolean,
            "is_voter": pl.Boolean,
            "influence_direct": pl.Int64,
            "influence_total": pl.Int64,
            "weight": pl.Float64,
            "with_stars": pl.Boolean,
        }
    )


def _no_stars() -> pl.DataFrame:
    return pl.DataFrame(
        schema={"decision_id": pl.String, "member_id": pl.String, "choice_id": pl.String, "stars": STARS}
    )
