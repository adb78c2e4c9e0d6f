"""Who stands around a member: those who follow them and those they follow, some steps far, and never too many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.errors import UnknownMemberError
from crowdvote_analysis.power.concentration import require_counted

if TYPE_CHECKING:
    from crowdvote_analysis.delegation import Resolution
    from crowdvote_analysis.state import SystemState

_MEMBERS = pl.Schema(
    {
        "node": pl.Int64(),
        "member_id": pl.String(),
        "step": pl.Int64(),
        "members": pl.Int64(),
        "origin": pl.String(),
        "is_voter": pl.Boolean(),
        "influence": pl.Int64(),
        "level": pl.String(),
    }
)
_FOLLOWINGS = pl.Schema(
    {
        "follower": pl.Int64(),
        "followee": pl.Int64(),
        "followings": pl.Int64(),
        "tags": pl.List(pl.String()),
        "outcome": pl.String(),
    }
)
LEVELS = ("none", "some", "much", "most")


@dataclass(frozen=True)
class Neighbourhood:
    """The members around one of them, and the followings between them.

    Attributes:
        members: One row a node: node (Int64, from 0, the chosen member), member_id (null where the node stands for
            several), step (Int64: 1, 2 … for followees, -1, -2 … for followers, 0 for the chosen member), members
            (Int64, how many it stands for), origin (null for several), is_voter (likewise), influence (Int64, total
            where it was counted, else direct; I2; the highest of several), level (``none``, ``some``, ``much`` or
            ``most``; see ``influence_level``). By step, the most influential first, those that stand for several last.
        followings: One row a pair of nodes: follower, followee (Int64), followings (Int64, how many there are), tags
            (list[str], empty = ALL; null where there are several), outcome (as in ``Resolution.sources``; ``own
            ballot`` where the follower voted by hand and followings are not looked at; null where there are several).
    """

    members: pl.DataFrame
    followings: pl.DataFrame


def influence_level(ballots: pl.DataFrame) -> pl.DataFrame:
    """Put members into four classes of influence: none, and the thirds of the way to the highest.

    Args:
        ballots: ``member_id``, ``influence_direct``, ``influence_total``, as ``Resolution.ballots`` of one decision.

    Returns:
        member_id, influence (Int64, total where it was counted, else direct), level: ``none`` for 0, ``some`` up to a
        third of the highest, ``much`` up to two thirds, ``most`` above.
    """
    number = pl.col("influence")
    highest = pl.col("influence").max()
    return ballots.select("member_id", influence=pl.coalesce("influence_total", "influence_direct")).with_columns(
        level=pl.when(number == 0)
        .then(pl.lit("none"))
        .when(number * 3 <= highest)
        .then(pl.lit("some"))
        .when(number * 3 <= highest * 2)
        .then(pl.lit("much"))
        .otherwise(pl.lit("most"))
    )


def neighbourhood(
    state: SystemState, resolution: Resolution, decision_id: str, member_id: str, *, steps: int = 2, most: int = 8
) -> Neighbourhood:
    """Gather who follows a member and whom that member follows, directly and further on.

    Args:
        state: What was counted.
        resolution: Its count.
        decision_id: The decision; its count says who has which ballot, influence, and what followings gave.
        member_id: The member in the middle.
        steps: How many followings far to look, to either side.
        most: Members shown at each distance to each side; the least influential beyond that are put together in one
            node, and what lies only behind them is not shown.

    Returns:
        The members and the followings between them. Who is both before and behind stands at the nearer side, followees
        first. Followees who are no members are left out (D6).

    Raises:
        UnknownDecisionError: The decision was not counted.
        UnknownMemberError: The member is not in the community of the decision.
        ValueError: ``steps`` or ``most`` is below 1.
    """
    if steps < 1 or most < 1:
        raise ValueError(f"steps is {steps} and most is {most}; both are 1 or more")
    require_counted(resolution, decision_id)
    ballots = resolution.ballots.filter(decision_id=decision_id)
    if member_id not in ballots["member_id"]:
        raise UnknownMemberError("the member is not in the community of the decision. Give an id of the table members.")
    ranked = influence_level(ballots).sort(["influence", "member_id"], descending=[True, False])
    followings = _looked_at(state, resolution, decision_id, ballots)
    placed = _placed(followings, ranked["member_id"], member_id, steps, most)
    alone = ~pl.col("several").first()
    members = (
        placed.join(ranked, on="member_id", how="left", maintain_order="left")
        .join(ballots.select("member_id", "origin", "is_voter"), on="member_id", how="left", maintain_order="left")
        .group_by("node", maintain_order=True)
        .agg(
            pl.when(alone).then(pl.col("member_id").first()).alias("member_id"),
            pl.col("step").first(),
            pl.len().alias("members"),
            pl.when(alone).then(pl.col("origin").first()).alias("origin"),
            pl.when(alone).then(pl.col("is_voter").first()).alias("is_voter"),
            pl.col("influence").max(),
            pl.col("level").first(),  # the most influential of them stands first
        )
    )
    return Neighbourhood(members.select(_MEMBERS.names()).cast(_MEMBERS), _between(followings, placed))


def _looked_at(state: SystemState, resolution: Resolution, decision_id: str, ballots: pl.DataFrame) -> pl.DataFrame:
    """The followings among the members of the community, and what each gave in the decision."""
    community = resolution.decisions.filter(decision_id=decision_id)["community_id"].item()
    told = resolution.sources.filter(decision_id=decision_id).select("follower_id", "followee_id", "outcome")
    here = ballots["member_id"].implode()
    return (
        state.followings.filter(
            pl.col("community_id") == community,
            pl.col("follower_id") != pl.col("followee_id"),
            pl.col("follower_id").is_in(here),
            pl.col("followee_id").is_in(here),
        )
        .select("follower_id", "followee_id", "tags")
        .join(told, on=["follower_id", "followee_id"], how="left")
        .with_columns(pl.col("outcome").fill_null("own ballot"))
        .sort("follower_id", "followee_id")
    )


def _placed(followings: pl.DataFrame, ranked: pl.Series, member_id: str, steps: int, most: int) -> pl.DataFrame:
    """Where each member stands: node, member_id, step, several."""
    rows = [(0, member_id, 0, False)]
    taken, edge = {member_id}, {1: [member_id], -1: [member_id]}
    for distance in range(1, steps + 1):
        for side, (near, far) in {1: ("follower_id", "followee_id"), -1: ("followee_id", "follower_id")}.items():
            beyond = followings.filter(pl.col(near).is_in(edge[side]))[far].unique()
            found = [member for member in ranked.filter(ranked.is_in(beyond.implode())) if member not in taken]
            taken.update(found)
            # A node for several is only worth its name where it holds more than one.
            shown = found if len(found) <= most + 1 else found[:most]
            edge[side] = shown
            start = rows[-1][0] + 1
            rows += [(start + place, member, side * distance, False) for place, member in enumerate(shown)]
            rows += [(start + len(shown), member, side * distance, True) for member in found[len(shown) :]]
    schema = {"node": pl.Int64, "member_id": pl.String, "step": pl.Int64, "several": pl.Boolean}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _between(followings: pl.DataFrame, placed: pl.DataFrame) -> pl.DataFrame:
    """The followings between nodes; those between the same two nodes as one row."""
    one = pl.len() == 1
    return (
        followings.join(placed.select("node", follower_id="member_id"), on="follower_id")
        .rename({"node": "follower"})
        .join(placed.select("node", followee_id="member_id"), on="followee_id")
        .rename({"node": "followee"})
        .filter(pl.col("follower") != pl.col("followee"))
        .group_by("follower", "followee")
        .agg(
            pl.len().cast(pl.Int64).alias("followings"),
            pl.when(one).then(pl.col("tags").first()).alias("tags"),
            pl.when(one).then(pl.col("outcome").first()).alias("outcome"),
        )
        .sort("follower", "followee")
        .cast(_FOLLOWINGS)
    )
