"""What is counted: the small tables (communities, decisions, choices), read and checked as for a count in memory."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis import tables
from crowdvote_analysis.delegation.encode import coded_choices, drafts, wanted_decisions, with_rules
from crowdvote_analysis.errors import TableWarning
from crowdvote_analysis.out_of_core.plain import id_text, refuse
from crowdvote_analysis.parquet import read_parquet
from crowdvote_analysis.state import SystemState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crowdvote_analysis.out_of_core.database import Database
    from crowdvote_analysis.out_of_core.sources import Source

_SOMEBODY = "somebody"  # casts a ballot in every decision where the small tables are derived from ballots


@dataclass(frozen=True)
class Catalogue:
    """The small tables.

    Attributes:
        communities: Ids, sorted; the place is the number.
        decisions: What is counted, sorted by decision_id: decision_id, community (number), cycle_rule (numbered),
            opens_at, closes_at.
        known: All decisions there are: id, number (the place among those that are counted, -1 for others), community,
            opens_at, closes_at.
        choices: Of the decisions that are counted: decision_id, number (of the decision), choice (the code, by
            choice_id), choice_id, title, position.
        only: The decision that is meant where a table does not say; none where there are several.
    """

    communities: list[str]
    decisions: pl.DataFrame
    known: pl.DataFrame
    choices: pl.DataFrame
    only: str | None


def catalogue(
    database: Database, sources: Mapping[str, Source], decisions: Sequence[str] | None, cycles: str | None
) -> Catalogue:
    """Read the small tables, or derive them as ``SystemState`` does.

    Raises:
        InvalidTableError: They break their contract.
        UnknownDecisionError: A decision that was asked for is not there, is a draft, or has no stars.
    """
    given = {
        table: pl.concat([read_parquet(path) for path in sources[table].paths], how="diagonal_relaxed")
        for table in ("communities", "decisions", "choices")
        if table in sources
    }
    pairs = _pairs(database, sources)
    if "communities" not in given:
        given["communities"] = pl.DataFrame({"community_id": _communities(database, sources, given)})
    if "decisions" not in given or "choices" not in given:
        if "decisions" in given and "decision_id" in given["decisions"].columns:
            there = given["decisions"]["decision_id"].cast(pl.String)
            lost = pairs.filter(~pl.col("decision_id").is_in(there.implode()))
            if len(lost):
                refuse("votes", "unknown_decision_id", "votes are of decisions that are not in the table decisions")
        votes = pairs.drop_nulls().with_columns(member_id=pl.lit(_SOMEBODY), stars=pl.lit(0))
        given["votes"] = votes.filter((pl.col("decision_id") != "") & (pl.col("choice_id") != ""))
        voted = pairs.select("decision_id", member_id=pl.lit(_SOMEBODY)).unique().drop_nulls()
        given["ballots"] = voted.filter(pl.col("decision_id") != "")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TableWarning)  # they would be about somebody who is not there
        state = SystemState(**given)  # type: ignore[arg-type]  # names of tables alone
    wanted = with_rules(wanted_decisions(state, decisions), state, cycles).sort("decision_id")
    if decisions is None and drafts(state):
        number = len(drafts(state))
        said = "1 decision is a draft and is" if number == 1 else f"{number:,} decisions are drafts and are"
        warnings.warn(f"{said} not counted (S10).", TableWarning, stacklevel=3)
    communities = state.communities["community_id"].sort().to_list()
    places = pl.DataFrame({"community_id": communities, "community": range(len(communities))})
    wanted = wanted.join(places, on="community_id", how="left", maintain_order="left").drop("community_id")
    numbers = wanted.select("decision_id", number=pl.int_range(pl.len()))
    known = state.decisions.join(places, on="community_id", how="left").join(numbers, on="decision_id", how="left")
    choices = coded_choices(state).join(numbers, on="decision_id").sort("number", "choice")
    ids = state.decisions["decision_id"].to_list()
    return Catalogue(
        communities=communities,
        decisions=wanted,
        known=known.select(
            "community", "opens_at", "closes_at", id="decision_id", number=pl.col("number").fill_null(-1)
        ),
        choices=choices,
        only=ids[0] if len(ids) == 1 else None,
    )


def _communities(database: Database, sources: Mapping[str, Source], given: Mapping[str, pl.DataFrame]) -> list[str]:
    """The ids that members and decisions name; the home where none does."""
    named: set[str] = set()
    if "decisions" in given and "community_id" in given["decisions"].columns:
        named |= set(given["decisions"]["community_id"].cast(pl.String).drop_nulls())
    for table in ("members", "followings"):
        source = sources.get(table)
        if source is not None and "community_id" in source.columns:
            text = id_text(source, "community_id")
            named |= {row[0] for row in database.rows(f"SELECT DISTINCT {text} FROM {source.sql}", source.bound)}
    return sorted(each for each in named if each) or [tables.HOME["community_id"]]


def _pairs(database: Database, sources: Mapping[str, Source]) -> pl.DataFrame:
    """Every decision and choice that is voted on, and every decision of a ballot (without a choice)."""
    found: set[tuple[str | None, str | None]] = set()
    if {"decisions", "choices"} <= set(sources):
        return pl.DataFrame(schema={"decision_id": pl.String, "choice_id": pl.String})
    home = f"'{tables.HOME['decision_id']}'"
    for table in ("ballots", "votes"):
        source = sources[table]
        decision = id_text(source, "decision_id") if "decision_id" in source.columns else home
        if decision == home and "decisions" in sources:
            decision = "NULL"
        choice = id_text(source, "choice_id") if table == "votes" else "NULL"
        found |= set(database.rows(f"SELECT DISTINCT {decision}, {choice} FROM {source.sql}", source.bound))
    return pl.DataFrame(sorted(found, key=str), schema={"decision_id": pl.String, "choice_id": pl.String}, orient="row")
