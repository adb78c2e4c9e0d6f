"""Make the demo communities: three communities, their followings, decisions, ballots and votes, as Parquet tables.

Riverside and Hillcrest are written by hand in ``stories/*.toml``, so that every feature has a name and a face; the 300
members of Eastgate are drawn from a seed. Nothing but polars is needed, and no clock is read: "now" in the demo is
``DEMO_DATE``. The same script gives the same tables, always.

    python data/make_demo.py [--out FOLDER]
"""

from __future__ import annotations

import argparse
import tomllib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import polars as pl

HERE = Path(__file__).resolve().parent
SEED = "crowdvote demo 2026"
DEMO_DATE = datetime(2026, 6, 15, 12, tzinfo=UTC)

TAGS = pl.List(pl.String)
TIME = pl.Datetime("us", "UTC")
SCHEMAS: dict[str, dict[str, Any]] = {
    "communities": {"community_id": pl.String, "title": pl.String, "cycle_rule": pl.String},
    "members": {
        "community_id": pl.String,
        "member_id": pl.String,
        "display_name": pl.String,
        "is_voter": pl.Boolean,
        "is_manager": pl.Boolean,
        "is_anonymous": pl.Boolean,
    },
    "followings": {
        "community_id": pl.String,
        "follower_id": pl.String,
        "followee_id": pl.String,
        "tags": TAGS,
        "order": pl.Int64,
    },
    "decisions": {
        "community_id": pl.String,
        "decision_id": pl.String,
        "title": pl.String,
        "description": pl.String,
        "method": pl.String,
        "opens_at": TIME,
        "closes_at": TIME,
        "status": pl.String,
        "threshold": pl.String,
        "quorum": pl.Int64,
        "decisive_only": pl.Boolean,
        "delegated": pl.Boolean,
    },
    "choices": {"decision_id": pl.String, "choice_id": pl.String, "title": pl.String, "position": pl.Int64},
    "ballots": {"decision_id": pl.String, "member_id": pl.String, "tags": TAGS, "cast_at": TIME},
    "votes": {
        "decision_id": pl.String,
        "member_id": pl.String,
        "choice_id": pl.String,
        "stars": pl.Decimal(9, 8),
    },
    "required_voters": {"decision_id": pl.String, "member_id": pl.String},
    "yes_no_votes": {
        "decision_id": pl.String,
        "member_id": pl.String,
        "voted_at": TIME,
        "vote": pl.String,
        "tags": TAGS,
    },
}
KEYS = {
    "communities": ["community_id"],
    "members": ["community_id", "member_id"],
    "followings": ["community_id", "follower_id", "followee_id"],
    "decisions": ["community_id", "decision_id"],
    "choices": ["decision_id", "choice_id"],
    "ballots": ["decision_id", "member_id"],
    "votes": ["decision_id", "member_id", "choice_id"],
    "required_voters": ["decision_id", "member_id"],
    "yes_no_votes": ["decision_id", "member_id", "voted_at"],
}
# What a decision is unless its story says otherwise.
USUAL = {
    "method": "star",
    "status": "active",
    "threshold": None,
    "quorum": None,
    "decisive_only": False,
    "delegated": False,
}

# A story is what tomllib reads from stories/*.toml: a community with its members, followings, decisions and ballots.
Story = dict[str, Any]
Rows = dict[str, list[dict[str, Any]]]

# Eastgate in numbers. Members stand in a hidden order and follow those before them, so that loops exist only where
# RINGS puts them: neighbours in that order who follow each other round. Two rings with one member in common are a
# figure eight.
EASTGATE_SIZE = 300
REGULARS = range(24)  # vote in every decision, and everybody hears them
EASTGATE_LOBBYISTS = {3, 8, 13, 70, 110, 171}
EASTGATE_ANONYMOUS = {6, 31, 58, 87, 140, 163, 199, 220, 260}
RINGS = [
    [60, 61],
    [90, 91, 92],
    [120, 121, 122],
    [120, 123, 124, 125],
    [200, 201, 202, 203, 204, 205, 206],
    [202, 205],
]
CHAIN_HEAD = 5
CHAIN = range(EASTGATE_SIZE - 14, EASTGATE_SIZE)


def read_story(name: str) -> Story:
    """Read one hand-written community; stars with a decimal point stay exact."""
    with (HERE / "stories" / f"{name}.toml").open("rb") as file:
        return tomllib.load(file, parse_float=Decimal)


def draw_eastgate(story: Story, rng: Random) -> Story:
    """Fill in the members, followings and ballots of the large community."""
    ids, members = draw_members(story["names"].split(), rng)
    for place, follows in enumerate(draw_followings(story["tags"], rng)):
        members[ids[place]]["follows"] = {ids[followee]: tags for followee, tags in follows.items()}
    for decision in story["decisions"]:
        if "choices" in decision:
            decision["ballots"] = {
                ids[place]: draw_ballot(decision, place, rng) for place in draw_voters(decision["turnout"], rng)
            }
        else:
            draw_yes_no(decision, [member_id for member_id in ids if not members[member_id]["lobbyist"]])
    return story | {"members": members}


def draw_yes_no(decision: Story, voters: list[str]) -> None:
    """Draw who has to answer a yes/no question, and what those say who do; each question has a seed of its own."""
    rng = Random(f"{SEED}: {decision['decision_id']}")
    decision["required"] = sorted(rng.sample(voters, decision.get("required", len(voters))))
    answering = [member_id for member_id in decision["required"] if rng.randrange(100) < decision["turnout"]]
    decision["ballots"] = {member_id: {"vote": rng.choice(decision["bag"].split())} for member_id in answering}


def draw_members(names: list[str], rng: Random) -> tuple[list[str], dict[str, Any]]:
    """Draw first names with an initial, like "Maya T."; the list of ids is the hidden order."""
    pairs = rng.sample([(name, initial) for name in names for initial in "ABCDEFGHKLMNOPRSTVW"], EASTGATE_SIZE)
    members: dict[str, Any] = {
        f"{name}-{initial}".lower(): {
            "name": f"{name} {initial}.",
            "lobbyist": place in EASTGATE_LOBBYISTS,
            "anonymous": place in EASTGATE_ANONYMOUS,
            "manager": place in {0, 1},
        }
        for place, (name, initial) in enumerate(pairs)
    }
    return list(members), members


def draw_followings(tags: list[str], rng: Random) -> list[dict[int, list[str]]]:
    """Draw whom each place of the hidden order follows: earlier places, then the rings and the chain."""
    follows: list[dict[int, list[str]]] = [draw_earlier(place, tags, rng) for place in range(EASTGATE_SIZE)]
    for place in sorted({place for ring in RINGS for place in ring}):
        follows[place] = {rng.choice(REGULARS): []}  # a voter outside, so that the ring has something to carry
    for ring in RINGS:
        for place, following in zip(ring, [*ring[1:], ring[0]], strict=True):
            follows[place][following] = []
    for place in CHAIN:
        followee = CHAIN_HEAD if place == CHAIN[0] else place - 1
        follows[place] = {followee: ["transport"] if place % 3 == 0 else []}
    return follows


def draw_earlier(place: int, tags: list[str], rng: Random) -> dict[int, list[str]]:
    """Draw up to three earlier members to follow, the earliest most often; a third of the followings is on ALL."""
    if place < len(REGULARS) // 2:
        return {}
    wanted = rng.choice([0, 1, 1, 1, 2, 2, 3])
    places = {min(rng.randrange(place), rng.randrange(place)) for _ in range(wanted)}
    return {followee: rng.sample(tags, rng.choice([0, 1, 2])) for followee in sorted(places)}


def draw_voters(turnout: int, rng: Random) -> list[int]:
    """Draw who votes by hand: the regulars and some of the others, but nobody in the rings or in the chain."""
    quiet = {place for ring in RINGS for place in ring} | set(CHAIN)
    return [
        place
        for place in range(EASTGATE_SIZE)
        if place in REGULARS or (rng.randrange(100) < turnout and place not in quiet)
    ]


def draw_ballot(decision: Story, place: int, rng: Random) -> Story:
    """Draw one ballot: up to two tags, and stars for all choices or, in every sixth ballot, for all but one."""
    tags = rng.sample(decision["tags"], rng.choice([0, 1, 1, 1, 2, 2]))
    stars = {choice: int(rng.choice(bag)) for choice, bag in decision["bags"].items()}
    if rng.randrange(6) == 0:
        stars.pop(rng.choice(list(stars)))
    return {"tags": decision["tags"] if place == CHAIN_HEAD else tags, "stars": stars}


def story_rows(story: Story, rng: Random) -> Rows:
    """Turn one story into rows of the tables."""
    community_id = story["community_id"]
    rows: Rows = {table: [] for table in SCHEMAS}
    rows["communities"].append({key: story[key] for key in SCHEMAS["communities"]})
    for member_id, member in story["members"].items():
        rows["members"].append(member_row(community_id, member_id, member))
        rows["followings"] += following_rows(community_id, member_id, member.get("follows", {}))
    for decision in story["decisions"]:
        given = {key: decision.get(key, USUAL.get(key)) for key in SCHEMAS["decisions"]}
        rows["decisions"].append(given | {"community_id": community_id})
        if given["method"] == "star":
            star_rows(decision, rows, rng)
        else:
            yes_no_rows(decision, rows)
    return rows


def star_rows(decision: Story, rows: Rows, rng: Random) -> None:
    """Add the choices of a decision, its ballots and their stars."""
    decision_id = decision["decision_id"]
    for position, (choice_id, title) in enumerate(decision["choices"].items(), start=1):
        choice = {"decision_id": decision_id, "choice_id": choice_id, "title": title, "position": position}
        rows["choices"].append(choice)
    for member_id, ballot in decision["ballots"].items():
        key = {"decision_id": decision_id, "member_id": member_id}
        rows["ballots"].append(key | {"tags": sorted(ballot["tags"]), "cast_at": draw_cast_at(decision, rng)})
        for choice_id, stars in ballot["stars"].items():
            rows["votes"].append(key | {"choice_id": choice_id, "stars": Decimal(stars)})


def yes_no_rows(decision: Story, rows: Rows) -> None:
    """Add who has to answer a yes/no question (every voter unless named) and their votes, changed ones included."""
    decision_id = decision["decision_id"]
    voters = [member["member_id"] for member in rows["members"] if member["is_voter"]]
    for member_id in decision.get("required", voters):
        rows["required_voters"].append({"decision_id": decision_id, "member_id": member_id})
    rng = Random(f"{SEED}: times of {decision_id}")
    for member_id, ballot in decision["ballots"].items():
        votes = [*ballot.get("before", []), ballot["vote"]]
        times = sorted(draw_cast_at(decision, rng) for _ in votes)
        key = {"decision_id": decision_id, "member_id": member_id, "tags": sorted(ballot.get("tags", []))}
        rows["yes_no_votes"] += [key | {"voted_at": at, "vote": vote} for at, vote in zip(times, votes, strict=True)]


def member_row(community_id: str, member_id: str, member: Story) -> Story:
    """One row of the table members; a member is a voter with a first name unless the story says otherwise."""
    return {
        "community_id": community_id,
        "member_id": member_id,
        "display_name": member.get("name", member_id.title()),
        "is_voter": not member.get("lobbyist", False),
        "is_manager": member.get("manager", False),
        "is_anonymous": member.get("anonymous", False),
    }


def following_rows(community_id: str, follower_id: str, follows: dict[str, list[str]]) -> list[Story]:
    """The followings of one member, in the order in which the story names them."""
    return [
        {
            "community_id": community_id,
            "follower_id": follower_id,
            "followee_id": followee_id,
            "tags": sorted(tags),
            "order": order,
        }
        for order, (followee_id, tags) in enumerate(follows.items(), start=1)
    ]


def draw_cast_at(decision: Story, rng: Random) -> datetime:
    """Draw the minute of a ballot: while the decision was open, and never after the date of the demo."""
    opens_at: datetime = decision["opens_at"]
    minutes = (min(decision["closes_at"], DEMO_DATE) - opens_at) // timedelta(minutes=1)
    return opens_at + timedelta(minutes=rng.randrange(minutes))


def make_tables() -> dict[str, pl.DataFrame]:
    """Build all tables, each sorted by its key. Every community draws from a seed of its own."""
    rows: Rows = {table: [] for table in SCHEMAS}
    for name in ("riverside", "hillcrest", "eastgate"):
        rng = Random(f"{SEED}: {name}")
        story = read_story(name)
        if "members" not in story:
            story = draw_eastgate(story, rng)
        for table, more in story_rows(story, rng).items():
            rows[table] += more
    return {table: pl.DataFrame(rows[table], schema=schema).sort(KEYS[table]) for table, schema in SCHEMAS.items()}


def write_tables(tables: dict[str, pl.DataFrame], folder: Path) -> None:
    """Write one Parquet file a table."""
    folder.mkdir(parents=True, exist_ok=True)
    for table, frame in tables.items():
        frame.write_parquet(folder / f"{table}.parquet", compression="zstd")


def main() -> None:
    """Make the demo and say what was written."""
    parser = argparse.ArgumentParser(description="Make the demo communities as Parquet tables.")
    parser.add_argument("--out", type=Path, default=HERE / "demo", metavar="FOLDER", help="where to write (data/demo)")
    folder = parser.parse_args().out
    tables = make_tables()
    write_tables(tables, folder)
    print(f"{folder}: {', '.join(f'{table} {frame.height}' for table, frame in tables.items())}")


if __name__ == "__main__":
    main()
