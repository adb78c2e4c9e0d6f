"""Communities of any size, made up by a seed: the frames that both sides of a comparison start from."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import polars as pl

Frames: TypeAlias = dict[str, pl.DataFrame]

_TAG_SETS = [[], ["budget"], ["environment"], ["budget", "environment"], ["transport"]]


def community(
    members: int,
    *,
    follow: int = 5,
    loops: bool = False,
    choices: int = 5,
    decisions: int = 1,
    voters: float = 0.1,
    seed: int = 1,
) -> Frames:
    """Members who follow others at random, a part of whom cast a ballot.

    Args:
        members: Number of members; their ids are texts.
        follow: Followings by member, fewer where the same followee is drawn twice.
        loops: Whether members follow anybody, which makes one giant core of loops, or only those before them.
        choices: Number of choices.
        decisions: Number of decisions, all in the same community.
        voters: Share of the members who cast a ballot by hand.
        seed: Where the random numbers start.

    Returns:
        The frames members, followings, decisions, ballots and votes, as ``SystemState`` takes them.
    """
    order = np.random.default_rng(seed)
    follower = np.repeat(np.arange(members), follow)
    reach = members if loops else follower
    followee = (order.random(len(follower)) * reach).astype(np.int64)
    pairs = np.unique(follower[followee != follower] * members + followee[followee != follower])
    width = len(str(members - 1))
    ids = pl.select(pl.format("m{}", pl.int_range(members).cast(pl.String).str.zfill(width))).to_series()
    tag_sets = pl.Series(_TAG_SETS, dtype=pl.List(pl.String))
    followings = pl.DataFrame(
        {
            "community_id": pl.repeat("town", len(pairs), eager=True),
            "follower_id": ids.gather(pairs // members),
            "followee_id": ids.gather(pairs % members),
            "tags": tag_sets.gather(order.choice(len(_TAG_SETS), len(pairs), p=[0.6, 0.1, 0.1, 0.1, 0.1])),
        }
    )
    ballots, votes = [], []
    for number in range(decisions):
        who = np.flatnonzero((order.random(members) < voters) | (np.arange(members) < 10))
        name = f"decision {number:04d}"
        mine = pl.DataFrame({"member_id": ids.gather(who)}).select(decision_id=pl.lit(name), member_id="member_id")
        ballots.append(mine.with_columns(tags=tag_sets.gather(order.integers(1, len(_TAG_SETS), len(who)))))
        votes += [
            mine.with_columns(choice_id=pl.lit(f"choice {choice:02d}"), stars=order.integers(0, 6, len(who)))
            for choice in range(choices)
        ]
    return {
        "members": pl.DataFrame({"community_id": pl.repeat("town", members, eager=True), "member_id": ids}),
        "followings": followings,
        "decisions": pl.DataFrame(
            {"community_id": "town", "decision_id": [f"decision {number:04d}" for number in range(decisions)]}
        ),
        "ballots": pl.concat(ballots),
        "votes": pl.concat(votes),
    }
