"""Communities of any size, made up by a seed: the frames that both sides of a comparison start from."""

from __future__ import annotations

import random
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
    tags: int | None = None,
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
        tags: Number of different tags, four per ballot, two per following; three tags in sets of up to two if not
            given.
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
    on = tag_sets.gather(order.choice(len(_TAG_SETS), len(pairs), p=[0.6, 0.1, 0.1, 0.1, 0.1]))
    if tags is not None:
        on = _drawn(order, tags, len(pairs), 2)
    followings = pl.DataFrame(
        {
            "community_id": pl.repeat("town", len(pairs), eager=True),
            "follower_id": ids.gather(pairs // members),
            "followee_id": ids.gather(pairs % members),
            "tags": on,
        }
    )
    ballots, votes = [], []
    for number in range(decisions):
        who = np.flatnonzero((order.random(members) < voters) | (np.arange(members) < 10))
        name = f"decision {number:04d}"
        mine = pl.DataFrame({"member_id": ids.gather(who)}).select(decision_id=pl.lit(name), member_id="member_id")
        given = tag_sets.gather(order.integers(1, len(_TAG_SETS), len(who)))
        if tags is not None:
            given = _drawn(order, tags, len(who), 4)
        ballots.append(mine.with_columns(tags=given))
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


def _drawn(order: np.random.Generator, tags: int, rows: int, each: int) -> pl.Series:
    """Lists of tags drawn at random; the same may be drawn twice, which reading the tables mends."""
    names = pl.Series([f"tag {tag:04d}" for tag in range(tags)])
    drawn = pl.DataFrame(
        {"row": np.repeat(np.arange(rows), each), "tag": names.gather(order.integers(0, tags, rows * each))}
    )
    return drawn.group_by("row", maintain_order=True).agg(pl.col("tag").unique(maintain_order=True))["tag"]


SmallNetwork: TypeAlias = "tuple[dict[tuple[int, int], list[str]], dict[int, tuple[list[str], dict[str, int]]]]"
_TAGS = ["budget", "children", "environment", "roads", "transport"]


def random_community(members: int, seed: int = 1) -> Frames:
    """Each member follows 1 to 5 others, 60 % of followings are on ALL, 20 % vote: most share one core of loops."""
    order = random.Random(seed)
    names = [f"m{number:06d}" for number in range(members)]
    pairs = [
        (name, other, "" if order.random() < 0.6 else order.choice(["budget", "environment", "transport"]))
        for name in names
        for other in order.sample(names, min(members, 1 + order.randrange(5)))
        if other != name
    ]
    voters = [name for name in names if order.random() < 0.2]
    tags = [order.choice(["budget", "environment", "transport"]) for _ in voters]
    return _frames(names, pairs, voters, tags)


def cliques(sizes: list[int], others: int) -> Frames:
    """Members who all follow each other, clique by clique, and a voter; ``others`` follow nobody."""
    pairs, names = [], ["voter", *(f"other {number:05d}" for number in range(others - 1))]
    for number, size in enumerate(sizes):
        clique = [f"c{number:05d} {member:02d}" for member in range(size)]
        names += clique
        pairs += [(one, other, "") for one in clique for other in clique if one != other]
        pairs += [(one, "voter", "") for one in clique]
    return _frames(names, pairs, ["voter"], [""])


def _frames(names: list[str], pairs: list[tuple[str, str, str]], voters: list[str], tags: list[str]) -> Frames:
    votes = [
        (voter, choice, (number + place) % 6)
        for number, voter in enumerate(voters)
        for place, choice in enumerate("ABC")
    ]
    return {
        "members": pl.DataFrame({"member_id": names}),
        "followings": pl.DataFrame(pairs, schema=["follower_id", "followee_id", "tags"], orient="row"),
        "ballots": pl.DataFrame({"member_id": voters, "tags": tags}),
        "votes": pl.DataFrame(votes, schema=["member_id", "choice_id", "stars"], orient="row"),
    }


def small_networks(number: int, members: int = 50, everything: float = 0.2, seed: int = 1) -> list[SmallNetwork]:
    """Networks in which everybody follows one to three others, and a tenth casts a ballot.

    Args:
        number: How many.
        members: Members of each.
        everything: Share of the followings that are on ALL; the others are on one or two of five tags.
        seed: Where the random numbers start.

    Returns:
        For each network its followings, by follower and followee, with tags; and its ballots, with tags and stars.
    """
    networks: list[SmallNetwork] = []
    for own in range(number):
        order = random.Random(f"{seed} {own}")
        followings = {}
        for member in range(members):
            others = [other for other in range(members) if other != member]
            for other in order.sample(others, order.randint(1, 3)):
                on_all = order.random() < everything
                followings[member, other] = [] if on_all else sorted(order.sample(_TAGS, order.randint(1, 2)))
        ballots = {
            voter: (
                sorted(order.sample(_TAGS, order.randint(1, 2))),
                {choice: order.randint(0, 5) for choice in ("bandstand", "pond", "swings")},
            )
            for voter in order.sample(range(members), members // 10)
        }
        networks.append((followings, ballots))
    return networks


def frames_of(networks: list[SmallNetwork], members: int = 50) -> Frames:
    """The networks as communities of one state, each with one decision."""
    text, tags = pl.String, pl.List(pl.String)
    rows: dict[str, list[tuple[object, ...]]] = {name: [] for name in _SCHEMAS}
    for number, (followings, ballots) in enumerate(networks):
        town, decision = f"town {number:03d}", f"decision {number:03d}"
        rows["decisions"].append((town, decision))
        rows["members"] += [(town, f"m{member:03d}") for member in range(members)]
        rows["followings"] += [(town, f"m{one:03d}", f"m{other:03d}", on) for (one, other), on in followings.items()]
        for voter, (given, stars) in ballots.items():
            rows["ballots"].append((decision, f"m{voter:03d}", given))
            rows["votes"] += [(decision, f"m{voter:03d}", choice, value) for choice, value in stars.items()]
    kinds = {"tags": tags, "stars": pl.Int64}
    return {
        name: pl.DataFrame(rows[name], schema={column: kinds.get(column, text) for column in columns}, orient="row")
        for name, columns in _SCHEMAS.items()
    }


_SCHEMAS = {
    "members": ["community_id", "member_id"],
    "followings": ["community_id", "follower_id", "followee_id", "tags"],
    "decisions": ["community_id", "decision_id"],
    "ballots": ["decision_id", "member_id", "tags"],
    "votes": ["decision_id", "member_id", "choice_id", "stars"],
}
