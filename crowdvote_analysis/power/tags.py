"""By which tags ballots were inherited, and how much of that passed through ALL (T1 to T4)."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.power.concentration import require_counted

if TYPE_CHECKING:
    from crowdvote_analysis.delegation import Resolution

_COLUMNS = pl.Schema({"tag": pl.String(), "followings": pl.Int64(), "ballots": pl.Float64(), "share": pl.Float64()})


def tag_power(resolution: Resolution, decision_id: str) -> pl.DataFrame:
    """Split the calculated ballots that are tallied by the tags on which they were inherited.

    A calculated ballot is the average of its sources, so each of k sources is one k-th of it (D3). A source that was
    followed on tags belongs in equal parts to those of them that matched (T2); one that was followed on no tags
    belongs to ALL (T3). Only the last step of a ballot is looked at: how it came to its source is the source's own.

    Args:
        resolution: Everyone's ballot.
        decision_id: The decision.

    Returns:
        tag (null for ALL), followings (Int64, those of tallied members that gave a ballot on this tag), ballots
        (Float64, the parts of calculated ballots, added up as fractions), share (Float64, of all calculated ballots
        tallied); most ballots first, ALL last among equals, then by tag. ``ballots`` sums to the number of calculated
        ballots tallied.

    Raises:
        UnknownDecisionError: The decision was not counted.
    """
    require_counted(resolution, decision_id)
    here = pl.col("decision_id") == decision_id
    tallied = resolution.ballots.filter(here, pl.col("is_voter"), pl.col("origin") == "calculated")
    given = resolution.sources.filter(here, pl.col("outcome") == "match").join(
        tallied.select(follower_id="member_id"), on="follower_id", how="semi"
    )
    on_all = pl.col("following_tags").list.len() == 0
    nothing = pl.lit([None], dtype=pl.List(pl.String))
    parts = (
        given.with_columns(sources=pl.len().over("follower_id"))
        .select("sources", tag=pl.when(on_all).then(nothing).otherwise("inherited_tags"))
        .with_columns(tags=pl.col("tag").list.len())
        .explode("tag")
        .group_by("tag", "sources", "tags")
        .agg(followings=pl.len().cast(pl.Int64))
    )
    found: dict[str | None, tuple[int, Fraction]] = {}
    for tag, sources, tags, followings in parts.iter_rows():
        number, ballots = found.get(tag, (0, Fraction(0)))
        found[tag] = number + followings, ballots + Fraction(followings, sources * tags)
    whole = sum((ballots for _, ballots in found.values()), Fraction(0))
    rows = [
        (tag, number, float(ballots), float(ballots / whole))
        for tag, (number, ballots) in sorted(
            found.items(), key=lambda item: (-item[1][1], item[0] is None, item[0] or "")
        )
    ]
    return pl.DataFrame(rows, schema=_COLUMNS, orient="row")
