"""What there is to say about the count of one decision, as one JSON-ready document: the screen shows the same."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis.privacy import public_names
from crowdvote_analysis.star import (
    compare_protocols,
    level_ballots,
    ratings,
    robustness,
    runoff_shares,
    tally_each,
)
from crowdvote_analysis.what_if import compare_loop_rules, loop_rules_in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crowdvote_analysis.cli.options import Asked
    from crowdvote_analysis.delegation import Resolution
    from crowdvote_analysis.star import StarTally
    from crowdvote_analysis.state import SystemState

# Beyond these, finding out how safe a result is and who carried it would take longer than the count.
_MANY_BALLOTS, _MANY_CHOICES = 100_000, 50
_TOO_MANY = (
    f"How safe this is and who carried it is not worked out here for more than {_MANY_BALLOTS:,} ballots or "
    f"{_MANY_CHOICES} choices; in Python: robustness, runoff_shares."
)


def summaries(
    state: SystemState, resolution: Resolution, asked: Asked, progress: Callable[[int, int], None] | None = None
) -> list[dict[str, Any]]:
    """One document for each decision of a resolution, sorted by community and decision.

    Each holds decision_id, title, community_id, community, cycle_rule, ``cores`` (rows of ``Resolution.cores``: every
    tangle of loops, and the rule that settled it; Y6), closes_at, ``participation`` (the statistics of M2), ``ballots``
    (of voters: how many are tallied, how many are ``blank``, without a star, and not tallied (D5), and of those tallied
    how many are ``level`` and ``partly_blank``, as ``LevelBallots``), ``reasons`` (how many members have no ballot, by
    reason_detail; D7), ``tally`` (as ``StarTally.to_dict``; for a decision nobody has a ballot in, only its status),
    ``ratings`` (who rated each choice and who left it blank, as ``star.ratings``, stars as text; K10), ``robustness``
    (as ``Robustness``; null where nobody won by ballots, and where there are so many that it would take long),
    ``carried_by`` (the fewest voters whose leads make up the margin of the runoff: how many, and the first of them with
    their leads in ballots, as text; null likewise), ``too_many`` (a sentence about that), ``protocols`` (rows of
    ``compare_protocols``; null unless asked for), ``loop_rules`` (``rules``: rows of ``compare_loop_rules``, and
    ``sentence``: whether they differ; null unless asked for) and ``most_influential`` (manual voters by weight, with
    public ids and names; P1).
    """
    names = public_names(state)
    decisions = (
        resolution.decisions.join(state.decisions.drop("community_id"), on="decision_id")
        .join(state.communities.select("community_id", community="title"), on="community_id", how="left")
        .sort("community_id", "decision_id")
    )
    tallies = tally_each(resolution, asked.protocol, tie_orders=asked.tie_orders, progress=progress)
    documents = [_summary(row, resolution, names, tallies, asked) for row in decisions.iter_rows(named=True)]
    if asked.loop_rules:
        for document in documents:
            document["loop_rules"] = _loop_rules(state, resolution, document["decision_id"], asked)
    return documents


def refusals(state: SystemState, resolution: Resolution) -> list[dict[str, Any]]:
    """What was left out because it takes too much work (Y3): decision_id, title, community_id, community, error."""
    named = resolution.refused.join(state.decisions, on="decision_id", how="left").join(
        state.communities.select("community_id", community="title"), on="community_id", how="left"
    )
    rows = named.select("decision_id", "title", "community_id", "community", "error")
    return rows.sort("community_id", "decision_id").to_dicts()


def _loop_rules(state: SystemState, resolution: Resolution, decision_id: str, asked: Asked) -> dict[str, Any]:
    order = asked.tie_orders.get(decision_id, ())
    compared = compare_loop_rules(state, decision_id, asked.protocol, resolution=resolution, tie_order=order)
    titles = dict(resolution.choices.filter(decision_id=decision_id).select("choice_id", "title").iter_rows())
    return {"rules": compared.to_dicts(), "sentence": loop_rules_in_words(compared, titles)}


def _summary(
    row: dict[str, Any],
    resolution: Resolution,
    names: pl.DataFrame,
    tallies: Mapping[str, StarTally],
    asked: Asked,
) -> dict[str, Any]:
    here = pl.col("decision_id") == row["decision_id"]
    ballots = resolution.ballots.filter(here)
    stats = resolution.stats.filter(here).drop("decision_id").to_dicts()[0]
    tally = tallies.get(row["decision_id"])
    titles = dict(tally.scores.select("choice_id", "title").iter_rows()) if tally else {}
    safety = carried_by = None
    too_many = tally and (tally.vote_count > _MANY_BALLOTS or len(tally.steps[0].pool) > _MANY_CHOICES)
    if tally and not too_many:
        safety = robustness(resolution, row["decision_id"], asked.protocol) if tally.won_by_ballots else None
        carried_by = _carried_by(resolution, tally, row["community_id"], names, asked.top)
    without = ballots.filter(pl.col("is_voter") & (pl.col("origin") == "none"))
    return {
        "decision_id": row["decision_id"],
        "title": row["title"],
        "community_id": row["community_id"],
        "community": row["community"],
        "cycle_rule": row["cycle_rule"],
        "cores": resolution.cores.filter(here).drop("decision_id").to_dicts(),
        "closes_at": row["closes_at"].isoformat() if row["closes_at"] else None,
        "participation": stats,
        "ballots": _ballots(resolution, row["decision_id"], stats),
        "reasons": dict(without.group_by("reason_detail").len().sort("reason_detail").iter_rows()),
        "tally": tally.to_dict() if tally else {"status": "no ballots", "protocol": asked.protocol},
        "ratings": ratings(resolution, row["decision_id"])
        .select("choice_id", "rated", "blank", pl.col("average_rated").cast(pl.String))
        .to_dicts(),
        "robustness": asdict(safety) | {"exact": safety.exact, "sentence": safety.told(titles)} if safety else None,
        "protocols": compare_protocols(tally).to_dicts() if tally and asked.compare else None,
        "loop_rules": None,
        "carried_by": carried_by,
        "too_many": _TOO_MANY if too_many else None,
        "most_influential": _most_influential(ballots, row["community_id"], names, asked.top),
    }


def _ballots(resolution: Resolution, decision_id: str, stats: Mapping[str, Any]) -> dict[str, int]:
    tallied = stats["tallied_ballots"]
    blank = stats["manual_ballots"] + stats["calculated_ballots"] - tallied
    return {"tallied": tallied, "blank": blank, **level_ballots(resolution, decision_id)._asdict()}


def _carried_by(
    resolution: Resolution, tally: StarTally, community_id: str, names: pl.DataFrame, top: int
) -> dict[str, Any] | None:
    if tally.runoff is None or not tally.runoff.margin:
        return None
    shares = runoff_shares(resolution, tally).filter("carries")
    shown = shares.join(names.filter(community_id=community_id), on="member_id", how="left")
    # By the public name, so that the order tells nothing of an anonymous member (P1).
    shown = shown.sort(["lead", "public_id"], descending=[True, False]).head(top)
    lead = pl.col("lead").cast(pl.String)
    return {
        "voters": shares.height,
        "first": shown.select(pl.col("public_id").alias("member_id"), "name", lead).to_dicts(),
    }


def _most_influential(ballots: pl.DataFrame, community_id: str, names: pl.DataFrame, top: int) -> list[dict[str, Any]]:
    shown = names.filter(pl.col("community_id") == community_id)
    total = pl.col("influence_total")
    leading = (
        ballots.with_columns(trophy=(total == total.max()) & (total > 0))
        .filter(pl.col("weight") > 0)
        .join(shown, on="member_id", how="left")
        .sort(["weight", "public_id"], descending=[True, False])
        .head(top)
    )
    return leading.select(
        pl.col("public_id").alias("member_id"),
        "name",
        "is_voter",
        pl.col("weight").round(6),
        "influence_direct",
        "influence_total",
        # I2: the trophy goes to everybody who ties for the highest total above zero.
        trophy=pl.col("trophy").fill_null(False),
    ).to_dicts()
