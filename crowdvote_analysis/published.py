"""A count as tables that may leave the system: for exports, queries and programs.

Anonymous members stand under their pseudonym in every id and name (P1). The result tables have names of their own,
because `ballots` and `votes` are what was cast by hand.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis import tables
from crowdvote_analysis.consensus import decide
from crowdvote_analysis.errors import CyclicCoreTooLarge, TableWarning
from crowdvote_analysis.limits import WORK_LIMIT
from crowdvote_analysis.privacy import public_ids, public_names
from crowdvote_analysis.star import ratings, runoff_shares, score_histogram, tally_all, tally_each, with_ratings
from crowdvote_analysis.star.ratings import RATED
from crowdvote_analysis.star.result import PREFERENCES, SCORES, STEPS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from crowdvote_analysis.delegation import Resolution
    from crowdvote_analysis.star import StarTally
    from crowdvote_analysis.state import SystemState

RESULT_TABLES = {
    "resolved_ballots": "everyone's ballot: origin, tags, depth, reason, influence, weight",
    "resolved_stars": "the stars of those ballots, one row a choice",
    "sources": "every following looked at, its outcome and the tags that came along",
    "score_shares": "what every choice's score is made of: weight times stars of each manual voter",
    "stats": "participation, one row a decision",
    "tallies": "who won, one row a decision, unresolved ties included",
    "scores": "the score phase, one row a choice, with the ballots that rate it or leave it blank",
    "histogram": "ballots by whole stars, six rows a choice",
    "preferences": "ballots that prefer one choice to another, one row a pair",
    "runoff_shares": "who carried the runoff: its votes by the manual voters they are made of",
    "steps": "every step of the tallies, one row a step and choice",
    "yes_no_outcomes": "whether yes/no decisions pass, why, and what is missing, one row a decision; status as stored",
}


def input_tables(state: SystemState) -> dict[str, pl.DataFrame]:
    """The tables of a state under public ids and names, rows in the order of their keys."""
    names = public_names(state)
    frames = {name: getattr(state, name) for name in tables.TABLES}
    where = frames["decisions"].select("decision_id", "community_id")
    for table in tables.TABLES:
        columns = list(tables.people(table))
        if not columns:
            continue
        frame = frames[table]
        if table == "members":
            shown = frame.join(names, on=["community_id", "member_id"], how="left", maintain_order="left")
            frame = shown.with_columns(member_id="public_id", display_name="name").select(frame.columns)
        elif "community_id" in frame.columns:
            frame = public_ids(frame, names, columns)
        else:
            frame = public_ids(frame.join(where, on="decision_id", how="left"), names, columns).drop("community_id")
        frames[table] = frame
    return {name: frame.sort(tables.key(name)) for name, frame in frames.items()}


def result_tables(
    state: SystemState,
    resolution: Resolution,
    protocol: str = "starvote",
    tie_orders: Mapping[str, Sequence[str]] | None = None,
    progress: Callable[[int, int], None] | None = None,
    cycles: str | None = None,
    work_limit: int = WORK_LIMIT,
) -> dict[str, pl.DataFrame]:
    """The results under public ids and names; see ``RESULT_TABLES``.

    Args:
        state: What was counted.
        resolution: Its resolution.
        protocol: Name of the tie protocol (K3).
        tie_orders: The order that the community manager gave for ties, by decision id (K7).
        progress: Called with (decisions tallied, decisions in all).
        cycles: Rule for loops of delegated yes/no decisions, as for ``decide``.
        work_limit: Steps the rule ``path`` may take for all loops of one of them (Y3). A decision that needs more is
            left out of ``yes_no_outcomes``, with a ``TableWarning``.
    """
    names = public_names(state)
    where = resolution.decisions.select("decision_id", "community_id")

    def public(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
        frame = public_ids(frame.join(where, on="decision_id", how="left"), names, list(columns))
        return frame.select("decision_id", "community_id", pl.exclude("decision_id", "community_id"))

    shown = names.select("community_id", member_id="public_id", name="name")
    ballots = public(resolution.ballots, "member_id").join(shown, on=["community_id", "member_id"], how="left")
    first = ["decision_id", "community_id", "member_id", "name"]
    ballots = ballots.select(*first, pl.exclude(first))
    results = {
        "resolved_ballots": ballots.sort("decision_id", "member_id"),
        "resolved_stars": public(resolution.stars, "member_id").sort("decision_id", "member_id", "choice_id"),
        "sources": public(resolution.sources, "follower_id", "followee_id").sort(
            "decision_id", "follower_id", "followee_id"
        ),
        "score_shares": public(resolution.score_shares, "member_id").sort(
            "decision_id", "choice_id", "member_id", nulls_last=True
        ),
        "stats": resolution.stats,
        "tallies": tally_all(resolution, protocol, tie_orders=tie_orders),
        "histogram": score_histogram(resolution),
        "yes_no_outcomes": _yes_no_outcomes(state, cycles, work_limit),
    }
    tallies = tally_each(resolution, protocol, tie_orders=tie_orders, progress=progress)
    shares = public(runoff_shares(resolution, tallies.values()), "member_id")
    results["runoff_shares"] = shares.sort(["decision_id", "lead", "member_id"], descending=[False, True, False])
    return results | _tallied(tallies, ratings(resolution))


def _yes_no_outcomes(state: SystemState, cycles: str | None, work_limit: int) -> pl.DataFrame:
    try:
        return decide(state, cycles=cycles, work_limit=work_limit)
    except CyclicCoreTooLarge:
        pass
    outcomes = [decide(state, [], cycles=cycles)]
    for decision in state.decisions.filter(pl.col("method") != "star")["decision_id"].sort():
        try:
            outcomes.append(decide(state, [decision], cycles=cycles, work_limit=work_limit))
        except CyclicCoreTooLarge as error:
            warnings.warn(f"yes_no_outcomes: left out is {error}", TableWarning, stacklevel=3)
    return pl.concat(outcomes)


def _tallied(tallies: Mapping[str, StarTally], rated: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The scores, preferences and steps of all decisions that were tallied."""
    parts = {
        name: [pl.DataFrame(schema={"decision_id": pl.String} | dict(schema))] for name, schema in _SCHEMAS.items()
    }
    for decision_id, tally in tallies.items():
        own = {"scores": with_ratings(tally, rated), "preferences": tally.preferences, "steps": tally.steps_frame()}
        for name, frame in own.items():
            parts[name].append(frame.select(pl.lit(decision_id).alias("decision_id"), pl.all()))
    return {name: pl.concat(frames) for name, frames in parts.items()}


_SCHEMAS = {"scores": pl.Schema({**SCORES, **RATED}), "preferences": PREFERENCES, "steps": STEPS}
