"""A network of one place and the ballots of another, put together: a SystemState to try things on."""

from __future__ import annotations

import polars as pl

from crowdvote_analysis.errors import InvalidElectionError, InvalidTableError, Problem
from crowdvote_analysis.loop_rules import DEFAULT_RULE
from crowdvote_analysis.state import SystemState


def make_scenario(
    network: pl.DataFrame,
    poll: SystemState,
    *,
    community_id: str = "scenario",
    cycle_rule: str = DEFAULT_RULE,
) -> SystemState:
    """Let the people of a network vote as the voters of a poll did, where they follow nobody.

    Everybody in the network is a member and a voter; every edge is a following on ALL tags (T3). Members who follow
    nobody vote by hand: in the order of their ids as text, the k-th gets the k-th ballot of the poll (stars, tags and
    time), starting over when the poll ends. Nothing is drawn at random, so the same files give the same scenario
    everywhere.

    Somebody whose only edge leads to themselves does follow somebody and gets no ballot; the following is kept, and
    the state warns that it gives nothing (D8). Repeated edges are merged with a warning (D8).

    Args:
        network: follower_id, followee_id, as from ``read_network``; other columns are not used.
        poll: A state with exactly one decision, as from ``read_poll``; its members and followings are not used.
        community_id: Name of the community that is made.
        cycle_rule: ``auto`` (Y6), ``equilibrium`` (Y4) or ``path`` (Y1).

    Returns:
        The state, with the decision and the choices of the poll.

    Raises:
        InvalidElectionError: The poll has more or fewer decisions than one, or no ballots.
        InvalidTableError: The network lacks a column or an id, or the cycle rule is not known.
    """
    missing = [name for name in ("follower_id", "followee_id") if name not in network.columns]
    if missing:
        raise InvalidTableError(
            [Problem("network", f"{missing[0]}|missing", f"the column {missing[0]} is missing", 0, ())],
            "Give a frame with the columns follower_id and followee_id, as read_network does.",
        )
    if len(poll.decisions) != 1:
        found = ", ".join(poll.decisions["decision_id"].head(5).to_list()) or "none"
        raise InvalidElectionError(
            f"a scenario needs a poll with exactly one decision; this one has {len(poll.decisions)} ({found}). "
            "Read a file that holds a single poll or race."
        )
    if poll.ballots.is_empty():
        raise InvalidElectionError("a scenario needs a poll with ballots; this one has none.")
    followings = network.select(pl.col("follower_id", "followee_id").cast(pl.String))
    members = _everybody(followings)
    by_hand = members.join(followings, left_on="member_id", right_on="follower_id", how="anti").sort("member_id")
    ballots = _deal(by_hand["member_id"], poll.ballots)
    return SystemState(
        communities=pl.DataFrame({"community_id": [community_id], "cycle_rule": [cycle_rule]}),
        members=members.with_columns(community_id=pl.lit(community_id)),
        followings=followings.with_columns(community_id=pl.lit(community_id)),
        decisions=poll.decisions.with_columns(community_id=pl.lit(community_id)),
        choices=poll.choices,
        ballots=ballots.drop("voter_id"),
        votes=_copy_votes(ballots, poll.votes),
    )


def _everybody(followings: pl.DataFrame) -> pl.DataFrame:
    ids = pl.concat([followings["follower_id"], followings["followee_id"].alias("follower_id")])
    return pl.DataFrame({"member_id": ids.drop_nulls().unique().sort()})


def _deal(members: pl.Series, ballots: pl.DataFrame) -> pl.DataFrame:
    """The k-th ballot for the k-th member, over and over; ``voter_id`` is who cast it in the poll."""
    turn = pl.int_range(len(members), eager=True) % len(ballots)
    return ballots.rename({"member_id": "voter_id"})[turn].with_columns(member_id=members)


def _copy_votes(ballots: pl.DataFrame, votes: pl.DataFrame) -> pl.DataFrame:
    dealt = ballots.select("member_id", "voter_id").join(votes, left_on="voter_id", right_on="member_id")
    return dealt.select("decision_id", "member_id", "choice_id", "stars").sort("member_id", "choice_id")
