"""Random communities, their tables, and where the count departs from the literal reading."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl

import crowdvote_analysis as cv
from tests.delegation.literal import Ballot, Community, Literal

NAMES = ["Ada", "bo", "Çelik", "Zoë", "ada", "李", "7", "Öz", "m n"]
GHOSTS = ["gone", "Åsa"]  # never members
WORDS = [["budget", " Budget"], ["trees", "TREES "], ["été", "ÉTÉ"]]
CHOICES = ["Pond", "a", "Ωmega", "10"]
PLACES = 10**8

Pick = Callable[[int], int]  # a whole number from 0 to below the argument; small means simple


@dataclass(frozen=True)
class Network:
    """A community with its rule for loops, and the ballots of each of its decisions."""

    cycles: str
    members: dict[str, bool]
    followings: list[tuple[str, str, list[str]]]
    decisions: list[dict[str, tuple[list[str], dict[str, Fraction]]]]


def network(pick: Pick, cycles: str) -> Network:
    """A community of 1 to 9 members, made by ``pick``: loops, lobbyists, strangers, odd tags, awkward stars."""
    names = NAMES[: 1 + pick(len(NAMES))]
    voting = {name: pick(5) != 4 for name in names}
    followers, followees = [*names, GHOSTS[0]], [*names, *GHOSTS]
    followings = []
    for _ in range(pick(3 * len(names) + 4)):
        follower = followers[pick(len(followers) if pick(8) == 7 else len(names))]
        followee = followees[pick(len(followees) if pick(8) == 7 else len(names))]
        followings.append((follower, followee, [] if pick(3) else _tags(pick)))
    decisions = []
    for _ in range(1 + (pick(3) if pick(4) == 3 else 0)):
        rarely = 2 + pick(4)
        voters = [name for name in [*names, GHOSTS[0]] if pick(rarely) == 1]
        choices = CHOICES[: 1 + pick(len(CHOICES))]
        decisions.append({name: (_tags(pick), {c: _stars(pick) for c in choices if pick(6) != 5}) for name in voters})
    return Network(cycles, voting, followings, decisions)


def _tags(pick: Pick) -> list[str]:
    return [words[pick(2)] for words in WORDS if pick(2)]


def _stars(pick: Pick) -> Fraction:
    """Whole, half, anything of 8 places, or a few hundred-millionths that many halvings turn into halves."""
    kind = pick(4)
    if kind == 0:
        return Fraction(pick(6))
    if kind == 1:
        return Fraction(pick(11), 2)
    if kind == 2:
        return Fraction(pick(5 * PLACES + 1), PLACES)
    return Fraction(pick(5) * PLACES + (-1 if pick(2) else 1) * pick(50), PLACES) % 5


def many(cycles: str, count: int, seed: int = 0) -> list[Network]:
    """Random networks, always the same for the same arguments."""
    order = random.Random(f"{cycles} {seed}")
    return [network(lambda below: order.randrange(below), cycles) for _ in range(count)]


def joined(cycles: str, count: int, seed: int = 0) -> list[Network]:
    """Random networks of two tangles, which follow each other on tags that may or may not match."""
    order = random.Random(f"joined {cycles} {seed}")
    found = []
    for _ in range(count):
        tangles = [[f"{name}{half}" for name in NAMES[: 2 + order.randrange(3)]] for half in (1, 2)]
        members = [name for names in tangles for name in names]
        followings = []
        for names in tangles:
            followings += [(name, names[(place + 1) % len(names)], []) for place, name in enumerate(names)]
            followings += [(*order.sample(names, 2), _some_tags(order)) for _ in range(order.randrange(4))]
        for _ in range(1 + order.randrange(5)):
            follower, followee = order.sample(members, 2)
            followings.append((follower, followee, _some_tags(order)))
        voters = ["voter", "other"]
        followings += [(order.choice(members), voter, _some_tags(order)) for voter in voters for _ in range(2)]
        ballots = {
            voter: (_some_tags(order), {choice: _stars(order.randrange) for choice in CHOICES[:2]}) for voter in voters
        }
        found.append(Network(cycles, dict.fromkeys([*members, *voters], True), followings, [ballots]))
    return found


def _some_tags(order: random.Random) -> list[str]:
    return [words[0] for words in WORDS if order.randrange(2)]


def tangle(members: int, choices: int, seed: int = 0) -> Network:
    """A community under the equilibrium rule in which most members share one core of loops; two decisions."""
    order = random.Random(seed)
    names = [f"m{number:05d}" for number in range(members)]
    followings = [(name, other, []) for name in names for other in order.sample(names, 3) if other != name]

    def cast(rated: int) -> dict[str, tuple[list[str], dict[str, Fraction]]]:
        return {
            name: ([], {f"choice {c}": Fraction(order.randrange(5 * PLACES + 1), PLACES) for c in range(rated)})
            for name in order.sample(names, members // 20)
        }

    return Network("equilibrium", dict.fromkeys(names, True), followings, [cast(1), cast(choices)])


def state_of(networks: list[Network], seed: int = 0) -> cv.SystemState:
    """All of them in one state, rows in a random order."""
    text, tags = pl.String, pl.List(pl.String)
    rows: dict[str, list[tuple[Any, ...]]] = {
        name: [] for name in ("communities", "members", "followings", "decisions", "choices", "ballots", "votes")
    }
    for number, net in enumerate(networks):
        here = f"c{number}"
        rows["communities"].append((here, net.cycles))
        rows["members"] += [(here, name, is_voter) for name, is_voter in net.members.items()]
        rows["followings"] += [(here, *following) for following in net.followings]
        for place, ballots in enumerate(net.decisions):
            decision = f"{here}/{place}"
            rows["decisions"].append((here, decision))
            rated = {choice for _, stars in ballots.values() for choice in stars}
            rows["choices"] += [(decision, choice) for choice in sorted(rated | {CHOICES[0]})]
            for name, (given, stars) in ballots.items():
                rows["ballots"].append((decision, name, given))
                rows["votes"] += [(decision, name, choice, exact(value)) for choice, value in stars.items()]
    schemas: dict[str, dict[str, Any]] = {
        "communities": {"community_id": text, "cycle_rule": text},
        "members": {"community_id": text, "member_id": text, "is_voter": pl.Boolean},
        "followings": {"community_id": text, "follower_id": text, "followee_id": text, "tags": tags},
        "decisions": {"community_id": text, "decision_id": text},
        "choices": {"decision_id": text, "choice_id": text},
        "ballots": {"decision_id": text, "member_id": text, "tags": tags},
        "votes": {"decision_id": text, "member_id": text, "choice_id": text, "stars": text},
    }
    order = random.Random(seed)
    frames = {}
    for name, found in rows.items():
        order.shuffle(found)
        frames[name] = pl.DataFrame(found, schema=schemas[name], orient="row")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cv.TableWarning)  # strangers, self-followings and repeated pairs are meant
        return cv.SystemState(**frames)


def exact(value: Fraction) -> str:
    """Stars as text, exactly; they must have at most 8 places."""
    places = value * PLACES
    assert places.denominator == 1
    return f"{Decimal(places.numerator).scaleb(-8):f}"


def departures(
    networks: list[Network], resolution: cv.Resolution, bound: tuple[int, int, int] = (7, 40, 8)
) -> list[str]:
    """Everything in the resolution that is not as the literal reading has it, in words.

    ``bound`` is what is a small core (Y6).
    """
    ballots = by_decision(resolution.ballots)
    stars, sources = by_decision(resolution.stars), by_decision(resolution.sources)
    stats = {row["decision_id"]: row for row in resolution.stats.iter_rows(named=True)}
    found = []
    for number, net in enumerate(networks):
        for place, cast in enumerate(net.decisions):
            decision = f"c{number}/{place}"
            expected = expectation(Literal(Community(net.members, net.followings, cast), net.cycles, bound))
            got = {
                "ballots": {row["member_id"]: row for row in ballots.get(decision, [])},
                "stars": {(row["member_id"], row["choice_id"]): row["stars"] for row in stars.get(decision, [])},
                "sources": {
                    (row["follower_id"], row["followee_id"]): (
                        row["following_tags"],
                        row["outcome"],
                        row["inherited_tags"],
                    )
                    for row in sources.get(decision, [])
                },
                "stats": stats[decision],
            }
            found += [f"{decision} ({net.cycles}): {line}" for line in differ(expected, got)]
    return found


def by_decision(frame: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in frame.iter_rows(named=True):
        rows.setdefault(row["decision_id"], []).append(row)
    return rows


def expectation(literal: Literal) -> dict[str, Any]:
    """The literal reading in the shape of the frames; what the rules leave open is left out."""
    weights, loops = literal.weights(), {follower for follower, _ in literal.loop_followings()}
    direct = [followee for found in literal.sources.values() for followee, outcome, _ in found if outcome == "match"]
    trees: list[Ballot] = [ballot for ballot in literal.ballot.values() if ballot]
    ballots, stars, sources = {}, {}, {}
    for member, is_voter in literal.community.members.items():
        ballot, by_hand = literal.ballot[member], literal.manual.get(member)
        reason, detail = literal.reason(member)
        ballots[member] = {
            "origin": literal.origin[member],
            "tags": sorted(by_hand[0] if by_hand else ballot.tags if ballot else []),
            "depth": 0 if by_hand else ballot.depth if ballot else None,
            "reason": reason,
            "reason_detail": detail,
            "in_loop": member in loops,
            "is_voter": is_voter,
            "influence_direct": direct.count(member),
            "influence_total": sum(member in tree.tree for tree in trees),
            "weight": weights[member],
        }
        if ballot and ballot.depth is None:
            del ballots[member]["depth"]
        for choice, value in ballot.stars.items() if ballot else ():
            stars[member, choice] = Decimal(round(value * PLACES)).scaleb(-8)
        for followee, outcome, came in literal.sources[member]:
            on = literal.follows[member][followee]
            sources[member, followee] = (sorted(on), outcome, sorted(came))
    stats = literal.stats()
    if any(tree.depth is None for tree in trees):
        del stats["max_delegation_depth"]
    return {"ballots": ballots, "stars": stars, "sources": sources, "stats": stats}


def differ(expected: dict[str, Any], got: dict[str, Any]) -> list[str]:
    lines = [
        f"{part}: rows {sorted(expected[part].keys() ^ got[part].keys(), key=str)} are in one only"
        for part in ("ballots", "stars", "sources")
        if expected[part].keys() != got[part].keys()
    ]
    for member, row in expected["ballots"].items():
        for column, value in row.items():
            seen = got["ballots"].get(member, {}).get(column)
            same = seen is not None and abs(seen - value) <= 1e-9 if column == "weight" else seen == value
            if not same:
                lines.append(f"ballot of {member}: {column} is {seen}, not {value}")
    for part in ("stars", "sources", "stats"):
        lines += [
            f"{part} {key}: {got[part].get(key)}, not {value}"
            for key, value in expected[part].items()
            if got[part].get(key) != value
        ]
    return lines
