"""SystemState → dense integer codes, so that the count works on arrays instead of on strings.

Codes follow the sorted ids, never the order of rows, which is why no answer can depend on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crowdvote_analysis.codes import number_of
from crowdvote_analysis.delegation.arrays import UNITS_PER_PLACE
from crowdvote_analysis.delegation.voting_time import early_or_late
from crowdvote_analysis.errors import UnknownDecisionError
from crowdvote_analysis.loop_rules import AUTO

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crowdvote_analysis.codes import Codes
    from crowdvote_analysis.delegation.arrays import Ints
    from crowdvote_analysis.state import SystemState


@dataclass(frozen=True)
class Encoded:
    """The tables as codes.

    Attributes:
        decisions: decision_id, community_id, cycle_rule, opens_at, closes_at, first and last (rows of ``members`` of
            the community, half open), first_following and last_following, choices (number); sorted by decision_id.
        codes: The members and followings.
        choices: decision_id, choice_id, title, position and ``choice``, the code within the decision.
        ballots: Ballots of members, cast within the voting time: decision (code), member (code), tags.
        votes: Stars of those ballots: decision, member, choice (codes) and units (Int64, 1e-18 star).
        outsiders: Number of ballots by decision code that belong to nobody who is a member (M3).
        untimely: Number of ballots of members by decision code that were cast outside of the voting time (D12).
        state: The tables that were encoded.
    """

    decisions: pl.DataFrame
    codes: Codes
    choices: pl.DataFrame
    ballots: pl.DataFrame
    votes: pl.DataFrame
    outsiders: Ints
    untimely: Ints
    state: SystemState

    @property
    def members(self) -> pl.DataFrame:
        """The members in the order of their codes; see ``Codes``."""
        return self.codes.members

    @property
    def followings(self) -> pl.DataFrame:
        """The followings of members in order; see ``Codes``."""
        return self.codes.followings


def encode(
    state: SystemState,
    decisions: Sequence[str] | None = None,
    cycles: str | None = None,
    codes: Codes | None = None,
) -> Encoded:
    """Give every id a dense code; what a state was asked for before is not worked out again.

    Args:
        state: The tables.
        decisions: Decisions to count; all with stars by default.
        cycles: A cycle rule that overrides the one of the communities.
        codes: Those of a state with the same members and followings; the state's own by default.

    Raises:
        UnknownDecisionError: A decision is not in the state.
    """
    wanted = wanted_decisions(state, decisions)
    codes = codes or state.codes
    choices = state.once("choices", ["choices"], lambda: coded_choices(state))
    table = _decision_table(state, wanted, codes, choices, cycles)
    ballots, votes, outsiders, untimely = cast(
        _of_decisions(state, "ballots", wanted),
        _of_decisions(state, "votes", wanted),
        table,
        choices,
        lambda frame: codes.lookup.of(frame, "member_id"),
    )
    return Encoded(
        decisions=table,
        codes=codes,
        choices=choices,
        ballots=ballots,
        votes=votes,
        outsiders=outsiders,
        untimely=untimely,
        state=state,
    )


def _of_decisions(state: SystemState, table: str, wanted: pl.DataFrame) -> pl.DataFrame:
    """The rows of some decisions, without looking through those of all others whenever somebody asks."""
    frame: pl.DataFrame = getattr(state, table)
    there, order, first = state.once(f"{table} by decision", [table], lambda: _by_decision(frame))
    found = number_of(wanted["decision_id"], there).drop_nulls().sort().to_list()
    if len(found) == len(there):
        return frame
    rows = [order[first[place] : first[place + 1]] for place in found]
    return frame[np.concatenate(rows)] if rows else frame.clear()


def _by_decision(frame: pl.DataFrame) -> tuple[pl.Series, Ints, Ints]:
    """The decisions in a table, sorted; its rows in their order; the first row of each, and the number of rows."""
    there = frame["decision_id"].unique().sort()
    code = number_of(frame["decision_id"], there).to_numpy()
    return there, np.argsort(code, kind="stable"), np.searchsorted(np.sort(code), np.arange(len(there) + 1))


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


def coded_choices(state: SystemState) -> pl.DataFrame:
    """The choices with their codes inside each decision."""
    return state.choices.sort("decision_id", "choice_id").with_columns(
        choice=pl.int_range(pl.len()).over("decision_id").cast(pl.Int64)
    )


def _decision_table(
    state: SystemState,
    wanted: pl.DataFrame,
    codes: Codes,
    choices: pl.DataFrame,
    cycles: str | None,
) -> pl.DataFrame:
    """The decisions with their codes, their rule, and where their members and followings lie."""
    return (
        with_rules(wanted, state, cycles)
        .join(codes.spans, on="community_id", how="left")
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
