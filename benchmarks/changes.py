"""Counts after a change, against full counts by the same build: the same frames are asked for of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

import crowdvote_analysis as cv
from benchmarks.comparison import Comparison, Result, timed
from benchmarks.delegation import asked
from benchmarks.networks import community

if TYPE_CHECKING:
    from benchmarks.networks import Frames

_DECISION = "decision 0000"


def _again(before: cv.SystemState, after: cv.SystemState, changed: str, runs: int) -> Result:
    """A count after the change of one member; everything had been asked for of the count before."""
    counted = asked(cv.resolve(before))
    ours, full = asked(cv.resolve_affected(after, counted, [changed])), asked(cv.resolve(after))
    assert ours.ballots.equals(full.ballots)
    assert ours.stars.equals(full.stars)
    assert not ours.ballots.equals(counted.ballots) or not ours.stars.equals(counted.stars)
    return timed(lambda: asked(cv.resolve_affected(after, counted, [changed])), lambda: asked(cv.resolve(after)), runs)


def _most_influential(state: cv.SystemState) -> str:
    return str(cv.resolve(state).weights_of().sort("weight", "member_id", descending=True)["member_id"][0])


def _other_tags(size: float, runs: int) -> Result:
    frames = community(int(200_000 * size))
    state = cv.SystemState(**frames)
    voter = _most_influential(state)
    mine = pl.col("member_id") == voter
    (own,) = frames["ballots"].filter(mine)["tags"].to_list()
    tags = pl.lit(["transport"] if own != ["transport"] else ["budget"], dtype=pl.List(pl.String))
    ballots = frames["ballots"].with_columns(tags=pl.when(mine).then(tags).otherwise("tags"))
    return _again(state, cv.SystemState(**frames | {"ballots": ballots}), voter, runs)


def _one_following(size: float, runs: int) -> Result:
    frames = community(int(200_000 * size))
    state = cv.SystemState(**frames)
    counted = cv.resolve(state)
    calculated = counted.ballots.filter(origin="calculated")["member_id"]
    follower, followee = calculated[len(calculated) // 2], _most_influential(state)
    row = pl.DataFrame(
        {"community_id": ["town"], "follower_id": [follower], "followee_id": [followee], "tags": [[]]},
        schema=frames["followings"].schema,
    )
    followings = pl.concat([frames["followings"], row]).unique(["follower_id", "followee_id"], keep="last")
    return _again(state, cv.SystemState(**frames | {"followings": followings}), str(follower), runs)


def _other_stars(size: float, runs: int) -> Result:
    frames = community(int(1_000_000 * size))
    state = cv.SystemState(**frames)
    voter = _voter_who_reaches(state, cv.resolve(state), 0.01)
    return _again(state, _with_other_stars(frames, voter), voter, runs)


def _voter_who_reaches(state: cv.SystemState, counted: cv.Resolution, part: float) -> str:
    """The voter on whom the number of members nearest to a part of all depends."""
    voters = counted.weights_of().sort("weight", "member_id", descending=True)["member_id"]
    wanted = part * len(state.members)
    found = {}
    for voter in voters.gather(np.unique(np.geomspace(1, len(voters), 12).astype(int)) - 1):
        found[voter] = cv.affected_members(state, _DECISION, [voter]).height
    return min(found, key=lambda name: abs(found[name] - wanted))


def _with_other_stars(frames: Frames, voter: str) -> cv.SystemState:
    stars = pl.when(pl.col("member_id") == voter).then(5 - pl.col("stars")).otherwise(pl.col("stars"))
    return cv.SystemState(**frames | {"votes": frames["votes"].with_columns(stars=stars)})


COMPARISONS = [
    Comparison(
        "change-of-tags",
        "the most influential voter has other tags, 200,000 members",
        "a full count",
        (0.2, 0.05),
        "×",
        _other_tags,
    ),
    Comparison(
        "change-of-followings", "one following more, 200,000 members", "a full count", (0.1, 0.03), "×", _one_following
    ),
    Comparison(
        "one-change",
        "one voter gives other stars, 1 % affected, 1,000,000 members",
        "a full count",
        (0.05, 0.02),
        "×",
        _other_stars,
    ),
]
