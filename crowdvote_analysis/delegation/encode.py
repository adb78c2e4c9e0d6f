"""SystemState → dense integer codes, so that the count works on arrays instead of on strings.

Codes follow the sorted ids, never the order of rows, which is why no answer can depend on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crowdvote_analysis.delegation.arrays import UNITS_PER_PLACE
from crowdvote_analysis.delegation.voting_time import early_or_late
from crowdvote_analysis.errors import UnknownDecisionError
from crowdvote_analysis.loop_rules import AUTO

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crowdvote_analysis.delegation.arrays import Ints
    from crowdvote_analysis.state import SystemState

_FEW = 10_000  # texts that are looked up faster than they are compared with their neighbours


@dataclass(frozen=True)
class Encoded:
    """The tables as codes.

    Attributes:
        decisions: decision_id, community_id, cycle_rule, opens_at, closes_at, first and last (rows of ``members`` of
            the community, half open), first_following and last_following, choices (number); sorted by decision_id.
        members: The members table sorted by (community_id, member_id), with ``code``; after a change that a count does
            not depend on (a name, say) that of the state before.
        followings: The followings of members, sorted by follower and followee: follower, followee (codes; followee is
            -1 for somebody who is no member), tag_set, and row, the position in ``given``.
        given: The followings as they stand in the state, or in an earlier one with the same.
        tag_sets: Distinct sets of tags that are followed on; the code is the position.
        choices: decision_id, choice_id, title, position and ``choice``, the code within the decision.
        ballots: Ballots of members, cast within the voting time: decision (code), member (code), tags.
        votes: Stars of those ballots: decision, member, choice (codes) and units (Int64, 1e-18 star).
        outsiders: Number of ballots by decision code that belong to nobody who is a member (M3).
        untimely: Number of ballots of members by decision code that were cast outside of the voting time (D12).
        state: The tables that were encoded.
    """

    decisions: pl.DataFrame
    members: pl.DataFrame
    followings: pl.DataFrame
    given: pl.DataFrame
    tag_sets: list[list[str]]
    choices: pl.DataFrame
    ballots: pl.DataFrame
    votes: pl.DataFrame
    outsiders: Ints
    untimely: Ints
    state: SystemState


def encode(
    state: SystemState,
    decisions: Sequence[str] | None = None,
    cycles: str | None = None,
    alike: Encoded | None = None,
) -> Encoded:
    """Give every id a dense code.

    Args:
        state: The tables.
        decisions: Decisions to count; all with stars by default.
        cycles: A cycle rule that overrides the one of the communities.
        alike: A state with the same members and followings, whose codes are taken over.

    Raises:
        UnknownDecisionError: A decision is not in the state.
    """
    wanted = wanted_decisions(state, decisions)
    members = _coded_members(state) if alike is None else alike.members
    codes = _Codes(members)
    if alike is None:
        followings, tag_sets = _followings(state.followings, codes)
        given = state.followings
    else:
        followings, tag_sets, given = alike.followings, alike.tag_sets, alike.given
    choices = coded_choices(state)
    table = _decision_table(state, wanted, members, followings, choices, cycles)
    ballots, votes, outsiders, untimely = cast(
        state.ballots, state.votes, table, choices, lambda frame: codes.of(frame, "member_id")
    )
    return Encoded(
        decisions=table,
        members=members,
        followings=followings,
        given=given,
        tag_sets=tag_sets,
        choices=choices,
        ballots=ballots,
        votes=votes,
        outsiders=outsiders,
        untimely=untimely,
        state=state,
    )


def wanted_decisions(state: SystemState, decisions: Sequence[str] | None) -> pl.DataFrame:
    """The decisions asked for, as they stand in the state; all that are counted with stars by default, drafts never.

    Raises:
        UnknownDecisionError: A decision is not in the state, is a draft, or is not counted with stars.
    """
    if decisions is not None and not isinstance(decisions, str):
        _require_published(state, decisions)
    otherwise = "is voted on with yes and no, not with stars; it is decided by crowdvote_analysis.decide (rules C)"
    return chosen(state.decisions, decisions, (pl.col("method") == "star") & (pl.col("status") != "draft"), otherwise)


def _require_published(state: SystemState, decisions: Sequence[str]) -> None:
    named = [draft for draft in drafts(state) if draft in decisions]
    if named:
        raise UnknownDecisionError(
            f"decision '{named[0]}' is a draft, and drafts are not counted (S10). Publish it first, so that its status "
            "is active."
        )


def drafts(state: SystemState) -> list[str]:
    """The decisions with stars that were never published, sorted."""
    return state.decisions.filter(method="star", status="draft")["decision_id"].sort().to_list()


def chosen(table: pl.DataFrame, decisions: Sequence[str] | None, of_kind: pl.Expr, otherwise: str) -> pl.DataFrame:
    """Some decisions of a kind.

    Args:
        table: The table decisions.
        decisions: Ids of the decisions wanted; all of the kind by default.
        of_kind: Tells which rows are of the kind.
        otherwise: What is said of a decision that is there but of another kind.

    Raises:
        UnknownDecisionError: A decision is not in the table, or of another kind.
    """
    wanted = table.filter(of_kind)
    if isinstance(decisions, str):
        raise TypeError(f"decisions is one text; give a list of them: decisions=[{decisions!r}]")
    if decisions is None:
        return wanted
    decisions = list(decisions)
    missing = sorted(set(decisions) - set(wanted["decision_id"]))
    if missing:
        if missing[0] in table["decision_id"]:
            raise UnknownDecisionError(f"decision '{missing[0]}' {otherwise}.")
        present = ", ".join(sorted(wanted["decision_id"])[:10]) or "none"
        raise UnknownDecisionError(
            f"decision '{missing[0]}' is not in the table decisions (decisions there: {present})."
        )
    return wanted.filter(pl.col("decision_id").is_in(decisions))


def _coded_members(state: SystemState) -> pl.DataFrame:
    """The members in the order of their codes."""
    return (
        state.members.sort("community_id", "member_id")
        .with_row_index("code")
        .with_columns(pl.col("code").cast(pl.Int64))
    )


def coded_choices(state: SystemState) -> pl.DataFrame:
    """The choices with their codes inside each decision."""
    return state.choices.sort("decision_id", "choice_id").with_columns(
        choice=pl.int_range(pl.len()).over("decision_id").cast(pl.Int64)
    )


def _decision_table(
    state: SystemState,
    wanted: pl.DataFrame,
    members: pl.DataFrame,
    followings: pl.DataFrame,
    choices: pl.DataFrame,
    cycles: str | None,
) -> pl.DataFrame:
    """The decisions with their codes, their rule, and where their members and followings lie."""
    spans = members.group_by("community_id").agg(first=pl.col("code").min(), last=pl.col("code").max() + 1)
    spans = spans.with_columns(
        first_following=followings["follower"].search_sorted(spans["first"], side="left").cast(pl.Int64),
        last_following=followings["follower"].search_sorted(spans["last"], side="left").cast(pl.Int64),
    )
    return (
        with_rules(wanted, state, cycles)
        .join(spans, on="community_id", how="left")
        .join(choices.group_by("decision_id").agg(choices=pl.len().cast(pl.Int64)), on="decision_id", how="left")
        .with_columns(pl.col("first", "last", "first_following", "last_following", "choices").fill_null(0))
        .sort("decision_id")
        .with_row_index("decision")
        .with_columns(pl.col("decision").cast(pl.Int64))
    )


def with_rules(decisions: pl.DataFrame, state: SystemState, cycles: str | None) -> pl.DataFrame:
    """decision_id, community_id, opens_at, closes_at and cycle_rule: ``auto`` stands there with its number (Y6)."""
    table = decisions.select("decision_id", "community_id", "opens_at", "closes_at").join(
        state.communities.select("community_id", "cycle_rule"), on="community_id", how="left"
    )
    own = pl.col("decision_id").replace_strict(state.loop_rules, default=pl.col("cycle_rule"), return_dtype=pl.String)
    rule = own if cycles is None else pl.lit(cycles)
    return table.with_columns(cycle_rule=rule.replace("auto", AUTO))


def cast(
    ballots: pl.DataFrame,
    votes: pl.DataFrame,
    table: pl.DataFrame,
    choices: pl.DataFrame,
    code_of: Callable[[pl.DataFrame], pl.Series],
) -> tuple[pl.DataFrame, pl.DataFrame, Ints, Ints]:
    """Ballots and their stars as codes; how many are of non-members (M3), how many untimely (D12), by decision.

    Args:
        ballots: Rows of the table ballots.
        votes: Rows of the table votes.
        table: The decisions to count, with codes.
        choices: The choices, with codes.
        code_of: The codes of the members named in ``community_id`` and ``member_id``; null for somebody who is none.
    """
    ballots = ballots.join(table.select("decision_id", "decision", "community_id"), on="decision_id")
    ballots = ballots.with_columns(member=code_of(ballots))
    early, late = early_or_late(ballots, table)
    ballots = ballots.with_columns(untimely=early | late)
    known = ballots.filter(pl.col("member").is_not_null(), ~pl.col("untimely"))
    # The physical integers of DECIMAL(9, 8) are units of 1e-8 star.
    units = pl.col("stars").to_physical().cast(pl.Int64) * UNITS_PER_PLACE
    stars = (
        votes.join(known.select("decision_id", "member_id", "decision", "member"), on=["decision_id", "member_id"])
        .join(choices.select("decision_id", "choice_id", "choice"), on=["decision_id", "choice_id"])
        .select("decision", "member", "choice", units=units)
    )
    outsiders = ballots.filter(pl.col("member").is_null())
    untimely = ballots.filter(pl.col("member").is_not_null(), "untimely")
    return known.select("decision", "member", "tags"), stars, _numbers(outsiders, table), _numbers(untimely, table)


def _numbers(ballots: pl.DataFrame, table: pl.DataFrame) -> Ints:
    """How many ballots there are, by code of the decision."""
    return np.bincount(ballots["decision"].to_numpy(), minlength=len(table))


class _Codes:
    """Looks up the code of a member; long texts are compared once, whatever the number of communities."""

    def __init__(self, members: pl.DataFrame) -> None:
        self.count = len(members)
        self._communities = members["community_id"].unique().sort()
        if len(self._communities) == 1:  # members are sorted by id
            self._ids = members.select(id="member_id", number="code")
            return
        self._ids = members["member_id"].unique().sort().to_frame("id").with_row_index("number")
        self._ids = self._ids.with_columns(pl.col("number").cast(pl.Int64))
        self._by_key = self._keys(members, "member_id").to_frame("key").with_columns(code=members["code"])

    def of(self, frame: pl.DataFrame, column: str) -> pl.Series:
        """The codes of the members named in ``community_id`` and ``column``; null for somebody who is no member."""
        keys = self._keys(frame, column)
        if len(self._communities) == 1:
            return keys
        return keys.to_frame("key").join(self._by_key, on="key", how="left", maintain_order="left")["code"]

    def _keys(self, frame: pl.DataFrame, column: str) -> pl.Series:
        """One number for community and id; null where either is unknown."""
        number = _looked_up(frame[column], self._ids, "id")
        if len(self._communities) == 1:
            elsewhere = frame["community_id"] != self._communities[0]
            return number.set(elsewhere, None) if elsewhere.any() else number
        communities = self._communities.to_frame("community_id").with_row_index("number")
        return _looked_up(frame["community_id"], communities, "community_id").cast(pl.Int64) * len(self._ids) + number


def _looked_up(texts: pl.Series, numbers: pl.DataFrame, on: str) -> pl.Series:
    """The number of each text; null where it has none. Neighbours that are alike are looked up once."""
    if len(texts) > _FEW and (run := texts.rle_id())[-1] < len(texts) // 2:
        first = run.search_sorted(pl.arange(0, run[-1] + 1, eager=True))
        return _looked_up(texts.gather(first), numbers, on).gather(run)
    return texts.to_frame(on).join(numbers, on=on, how="left", maintain_order="left")["number"]


def _followings(given: pl.DataFrame, codes: _Codes) -> tuple[pl.DataFrame, list[list[str]]]:
    tag_set, tag_sets = _tag_sets(given["tags"])
    coded = pl.DataFrame(
        {
            "follower": codes.of(given, "follower_id"),
            "followee": codes.of(given, "followee_id").fill_null(-1),
            "tag_set": tag_set,
        }
    ).with_row_index("row")
    coded = coded.filter(pl.col("follower").is_not_null())
    key = coded["follower"] * (codes.count + 1) + coded["followee"]
    return coded if key.is_sorted() else coded[key.arg_sort()], tag_sets


def _tag_sets(tags: pl.Series) -> tuple[pl.Series, list[list[str]]]:
    """A code by row for its set of tags, and the set each code stands for; code 0 is the empty set (T3)."""
    lengths = tags.list.len()
    code = np.zeros(len(tags), dtype=np.int32)
    tag_sets: list[list[str]] = [[]]
    # Most sets are empty or of one tag: putting texts together only for the others is several times faster. No tag
    # holds a semicolon (tables.py), so such a text stands for the set.
    one, more = lengths == 1, lengths > 1
    for rows, texts in (one, tags.filter(one).explode(empty_as_null=False)), (more, tags.filter(more).list.join(";")):
        distinct = texts.unique().sort().to_frame("text").with_row_index("code", offset=len(tag_sets))
        coded = texts.to_frame("text").join(distinct, on="text", how="left", maintain_order="left")
        code[rows.arg_true().to_numpy()] = coded["code"].to_numpy()
        tag_sets += [joined.split(";") for joined in distinct["text"]]
    return pl.Series(code), tag_sets
