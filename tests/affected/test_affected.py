"""Counting only who is affected gives what counting everybody gives, and nobody else is touched (E2)."""

from __future__ import annotations

import random
import warnings
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest

import crowdvote_analysis as cv
from tests.cases import delegation_cases
from tests.cases import state_of as state_of_case
from tests.delegation.networks import CHOICES, GHOSTS, NAMES, WORDS, Network, joined, many, state_of, tangle

RULES = ["auto", "path", "equilibrium"]
FRAMES = ["ballots", "stars", "sources", "score_shares", "stats", "choices", "decisions"]
TABLES = ["communities", "members", "followings", "decisions", "choices", "ballots", "votes"]
CASES = {case["id"]: case for case in delegation_cases()}


def differences(one: cv.Resolution, other: cv.Resolution) -> list[str]:
    return [name for name in FRAMES if not getattr(one, name).equals(getattr(other, name))]


def asked(resolution: cv.Resolution, order: random.Random) -> cv.Resolution:
    """The count after somebody has asked for some of its frames: those are patched, the others made when needed."""
    again = replace(resolution)
    for name in order.sample(FRAMES, order.choice([0, 2, len(FRAMES)])):
        getattr(again, name)
    return again


def changed_network(net: Network, order: random.Random) -> tuple[Network, set[str]]:
    """The network after one to three changes of every kind there is, and whose they are."""
    members, followings = dict(net.members), list(net.followings)
    decisions, changed = [dict(ballots) for ballots in net.decisions], set()
    for _ in range(1 + order.randrange(3)):
        name, ballots, kind = order.choice([*NAMES, GHOSTS[0]]), order.choice(decisions), order.randrange(8)
        tags = [words[0] for words in WORDS if order.randrange(2)]
        if kind < 3 and ballots:
            name = order.choice(sorted(ballots))
        if kind in (3, 4) and followings:
            place = order.randrange(len(followings))
            name, followee, _ = followings.pop(place)
            if kind == 4:
                followings.insert(place, (name, followee, tags))
        if kind == 0:
            ballots.pop(name, None)
        elif kind == 1:
            rated = CHOICES[: 1 + order.randrange(2)]
            ballots[name] = (tags, {choice: Fraction(order.randrange(11), 2) for choice in rated})
        elif kind == 2 and name in ballots:
            ballots[name] = (tags, ballots[name][1])
        elif kind == 5:
            followings.append((name, order.choice([*NAMES, *GHOSTS]), tags))
        elif kind == 6:
            members[name] = not members.get(name, False)
        elif kind == 7 and len(members) > 1:
            name = order.choice(sorted(members))
            del members[name]
        changed.add(name)
    return replace(net, members=members, followings=followings, decisions=decisions), changed


@pytest.mark.slow
@pytest.mark.usefixtures("tiny_cores")
@pytest.mark.parametrize("cycles", RULES)
@pytest.mark.parametrize("seed", range(6))
def test_counting_who_is_affected_gives_what_counting_everybody_gives(cycles: str, seed: int) -> None:
    """Change after change, each count built on the last: every frame is the same, to the bit, weights included."""
    order = random.Random(f"{cycles} {seed}")
    nets = [*many(cycles, 1 + order.randrange(4), 1000 + seed), *(joined("auto", 2, seed) if cycles == "auto" else [])]
    before = cv.resolve(state_of(nets))
    for step in range(3):
        place = order.randrange(len(nets))
        net, changed = changed_network(nets[place], order)
        nets = [*nets[:place], net, *nets[place + 1 :]]
        state = state_of(nets, step)
        full = cv.resolve(state)
        found = cv.resolve_affected(state, asked(before, order))
        before = cv.resolve_affected(state, asked(before, order), changed)
        assert differences(replace(before), full) == []
        assert differences(found, full) == []


def other_stars(state: cv.SystemState, members: list[str], seed: int = 0) -> cv.SystemState:
    """The state after some members gave other stars to the same choices; rows in another order."""
    turned = pl.when(pl.col("member_id").is_in(members)).then(5 - pl.col("stars")).otherwise(pl.col("stars"))
    votes = state.votes.with_columns(turned.cast(pl.Decimal(9, 8)).alias("stars"))
    tables = {name: getattr(state, name) for name in TABLES}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cv.TableWarning)
        return cv.SystemState(**tables | {"votes": votes.sample(fraction=1, shuffle=True, seed=seed)})


@pytest.mark.slow
@pytest.mark.parametrize("cells", [1, 60_000_000])
@pytest.mark.parametrize("cycles", RULES)
@pytest.mark.parametrize("seed", range(3))
def test_other_stars_on_the_same_ballots_are_averaged_without_counting_anew(
    cycles: str, seed: int, cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stars changed and nothing else, step after step, decisions in one block or one each: bits as in a full count."""
    monkeypatch.setattr("crowdvote_analysis.delegation.blocks._BLOCK_CELLS", cells)
    monkeypatch.setattr("crowdvote_analysis.affected.resolve.count", None)  # would fail if it were called
    order = random.Random(f"{cycles} {seed}")
    state = state_of(many(cycles, 6, 3000 + seed))
    before = first = cv.resolve(state)
    kept = first.stars.clone()
    voters = sorted(set(state.votes["member_id"]))
    for step in range(3):
        changed = order.sample(voters, 1 + order.randrange(3))
        state = other_stars(state, changed, step)
        before = cv.resolve_affected(state, asked(before, order), changed if step else None)
        assert differences(replace(before), cv.resolve(state)) == []
    assert first.stars.equals(kept), "the count before stays as it was"


@pytest.mark.parametrize("cycles", RULES)
@pytest.mark.parametrize("seed", range(6))
def test_members_who_are_not_affected_keep_their_ballots(cycles: str, seed: int) -> None:
    """Whose ballot, stars, reasons or sources differ after a change is affected or changed (E2), in loops too."""
    order = random.Random(f"{cycles} {seed}")
    net = many(cycles, 8, 2000 + seed)[order.randrange(8)]
    after, changed = changed_network(net, order)
    one, other = state_of([net]), state_of([after], 1)
    resolutions = cv.resolve(one), cv.resolve(other)
    own = ["origin", "tags", "depth", "reason", "reason_detail", "in_loop", "is_voter"]
    for decision in other.decisions["decision_id"]:
        affected = cv.affected_members(other, decision, changed)
        free = (set(net.members) & set(after.members)) - set(affected["member_id"]) - changed
        views = []
        for resolution in resolutions:
            ballots = resolution.ballots.filter(pl.col("member_id").is_in(free), decision_id=decision)
            stars = resolution.stars.filter(pl.col("member_id").is_in(free), decision_id=decision)
            sources = resolution.sources.filter(pl.col("follower_id").is_in(free), decision_id=decision)
            views.append([ballots.select("member_id", *own), stars, sources])
        for before, now in zip(*views, strict=True):
            assert before.equals(now)


@pytest.mark.skipif(not CASES, reason="../shared/cases/delegation.json is not here")
@pytest.mark.parametrize("name", CASES)
def test_affected_members_are_those_written_down(name: str) -> None:
    """Every worked case, for every member who may change: who has to be recalculated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cv.TableWarning)
        state = state_of_case(CASES[name])
    for member, expected in CASES[name]["expected"]["must_recalculate"].items():
        affected = cv.affected_members(state, "d", [member])
        assert affected["member_id"].to_list() == sorted(expected), member
        assert affected.filter(steps=0)["member_id"].to_list() == sorted({member} & set(expected))


def chain(*pairs: tuple[str, str], voters: str = "v") -> Network:
    names = dict.fromkeys([name for pair in pairs for name in pair] + list(voters), True)
    ballots = {name: (["a"], {"Pond": Fraction(place)}) for place, name in enumerate(voters, 1)}
    return Network("path", names, [(*pair, []) for pair in pairs], [ballots])


def test_the_walk_counts_its_steps_and_ends_at_manual_voters() -> None:
    """A changed voter affects followers by distance; behind another manual voter nobody is affected (E2)."""
    net = chain(("b", "a"), ("c", "b"), ("c", "v"), ("a", "v"), ("w", "a"), ("d", "w"), voters="vw")
    affected = cv.affected_members(state_of([net]), "c0/0", ["v"])
    assert affected.rows() == [("a", 1), ("b", 2), ("c", 1)]
    assert cv.affected_members(state_of([net]), "c0/0", ["w"]).rows() == [("d", 1)]
    assert cv.affected_members(state_of([net]), "c0/0", []).rows() == []
    assert cv.affected_members(state_of([net]), "c0/0", ["nobody"]).rows() == []


def test_followers_of_somebody_who_left_are_affected() -> None:
    """Who left is no member any more, but is still followed by id (D6)."""
    net = chain(("b", "a"), ("a", "v"), ("d", "b"))
    del net.members["a"]
    assert cv.affected_members(state_of([net]), "c0/0", ["a"]).rows() == [("b", 1), ("d", 2)]


@pytest.mark.parametrize("cycles", RULES)
def test_rounding_looks_behind_members_who_are_not_affected(cycles: str) -> None:
    """Thirds of members who keep their ballots add up to an exact half for the one who is calculated (D10)."""
    pairs = [("t", "one"), ("t", "zero"), ("t", "nil"), ("u", "one"), ("u", "also"), ("u", "nil"), ("A", "t")]
    stars = {"one": 3, "also": 3, "zero": 0, "nil": 0}
    ballots = {name: ([], {"Pond": Fraction(odd, 10**8)}) for name, odd in stars.items()}
    names = dict.fromkeys(["A", "t", "u", *stars], True)
    before = Network(cycles, names, [(*pair, []) for pair in pairs], [ballots])
    after = replace(before, followings=[*before.followings, ("A", "u", [])])
    resolution = cv.resolve_affected(state_of([after]), cv.resolve(state_of([before])), ["A"])
    assert resolution.stars.filter(member_id="A")["stars"].to_list() == [Decimal("0.00000002")]
    assert differences(resolution, cv.resolve(state_of([after]))) == []


def test_a_large_core_beside_the_change_is_not_solved_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tangle of hundreds keeps its equilibrium when only its followers change; a change inside solves it again."""
    from crowdvote_analysis.delegation import equilibrium

    net = tangle(800, 3)
    net.members["new"] = True
    one = replace(net, followings=[*net.followings, ("new", "m00001", [])])
    other = replace(net, followings=[*net.followings, ("new", "m00002", []), ("new", "m00003", [])])
    before, full = cv.resolve(state_of([one])), cv.resolve(state_of([other], 1))
    assert not before.stars.is_empty()
    inside = next(iter(before.ballots.filter(pl.col("in_loop"), origin="calculated")["member_id"]))
    solve, sizes = equilibrium.solve, []
    monkeypatch.setattr(equilibrium, "solve", lambda *given: sizes.append(given[0].shape[0]) or solve(*given))
    assert differences(cv.resolve_affected(state_of([other]), before, ["new"]), full) == []
    assert sizes == []
    follows = next(to for one, to, _ in other.followings if one == inside)
    within = replace(other, followings=[each for each in other.followings if each[:2] != (inside, follows)])
    assert differences(cv.resolve_affected(state_of([within]), before), cv.resolve(state_of([within]))) == []
    assert max(sizes) > 500


def test_decisions_that_are_new_or_changed_are_counted_in_full() -> None:
    """Decisions come and go, choices and rules change: each decision is what a full count says."""
    nets = many("path", 12, 5)
    state = state_of(nets)
    ids = state.decisions["decision_id"].sort().to_list()
    some = cv.resolve(state, decisions=ids[::2])
    assert differences(cv.resolve_affected(state, some, []), cv.resolve(state)) == []
    everything = cv.resolve(state)
    assert (
        differences(cv.resolve_affected(state, everything, [], decisions=ids[1::3]), cv.resolve(state, ids[1::3])) == []
    )
    other_rule = cv.resolve_affected(state, everything, [], cycles="equilibrium")
    assert differences(other_rule, cv.resolve(state, cycles="equilibrium")) == []
    more = {name: getattr(state, name) for name in TABLES}
    added = pl.DataFrame({"decision_id": ids[:3], "choice_id": "Another"})
    more["choices"] = pl.concat([state.choices, added.join(state.choices.drop("choice_id"), on="decision_id").unique().select(state.choices.columns)])  # fmt: skip  # noqa: E501
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cv.TableWarning)
        more_choices = cv.SystemState(**{**more, "choices": more["choices"].unique(["decision_id", "choice_id"])})
    assert differences(cv.resolve_affected(more_choices, everything, []), cv.resolve(more_choices)) == []


def test_nothing_changed_gives_the_same_count() -> None:
    """The same state, and the same rows in another order, give the count of before without any member named."""
    nets = [*many("path", 20, 3), *many("equilibrium", 20, 3)]
    before = cv.resolve(state_of(nets))
    for state in (state_of(nets), state_of(nets, 7)):
        assert differences(cv.resolve_affected(state, before, []), before) == []
        assert differences(cv.resolve_affected(state, before), before) == []


def test_more_than_64_tags_may_come_and_go() -> None:
    """Tags keep their meaning when the vocabulary grows past one word of bits and shrinks again."""
    tags = [f"tag {number:03d}" for number in range(140)]
    names = {f"{kind}{number:03d}": True for kind in "vf" for number in range(140)}
    followings = [(f"f{n:03d}", f"v{m:03d}", [tags[n]]) for n in range(140) for m in (n, (n + 1) % 140)]
    followings += [(f"f{n:03d}", f"f{(n + 1) % 140:03d}", [tags[(n + 2) % 140]]) for n in range(0, 140, 2)]
    many_tags = {f"v{n:03d}": ([tags[n], tags[(n + 70) % 140]], {"Pond": Fraction(n, 50)}) for n in range(140)}
    few_tags = {name: (given if name < "v040" else [], stars) for name, (given, stars) in many_tags.items()}
    one, other = (Network("path", names, followings, [ballots]) for ballots in (many_tags, few_tags))
    resolutions = [cv.resolve(state_of([net])) for net in (one, other)]
    for before, now, net in ((0, 1, other), (1, 0, one)):
        assert differences(cv.resolve_affected(state_of([net], 1), resolutions[before]), resolutions[now]) == []


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("votes", pl.col("stars").cast(pl.Float64) / 2),
        ("ballots", pl.lit(["b"])),
        ("followings", pl.lit(["a"])),
        ("members", pl.lit(False)),
    ],
)
def test_members_who_changed_without_being_named_are_reported(table: str, change: pl.Expr) -> None:
    """The error names the table, the member and the way out, instead of a wrong count."""
    state = state_of([chain(("a", "v"), ("b", "w"), voters="vw")])
    column = {"votes": "stars", "ballots": "tags", "followings": "tags", "members": "is_voter"}[table]
    who = "follower_id" if table == "followings" else "member_id"
    name = "b" if table == "followings" else "w"
    frames = {other: getattr(state, other) for other in TABLES}
    frames[table] = frames[table].with_columns(
        pl.when(pl.col(who) == name)
        .then(change)
        .otherwise(pl.col(column))
        .cast(frames[table].schema[column])
        .alias(column)
    )
    after = cv.SystemState(**frames)
    with pytest.raises(ValueError, match=rf"1 member differ.*'{name}'.*tables: {table}\b.*leave `changed` out"):
        cv.resolve_affected(after, cv.resolve(state), ["v"])
    assert differences(cv.resolve_affected(after, cv.resolve(state), [name]), cv.resolve(after)) == []


def test_anonymous_members_are_not_named_in_errors() -> None:
    """P1: their number and the table are told, their id is not."""
    state = state_of([chain(("a", "v"), ("secret", "v"))])
    frames = {name: getattr(state, name) for name in TABLES}
    frames["members"] = state.members.with_columns(is_anonymous=pl.col("member_id") == "secret")
    before = cv.resolve(cv.SystemState(**frames))
    frames["followings"] = state.followings.filter(pl.col("follower_id") != "secret")
    with pytest.raises(ValueError, match="1 member differ") as caught:
        cv.resolve_affected(cv.SystemState(**frames), before, [])
    assert "secret" not in str(caught.value)


def test_wrong_arguments_are_refused() -> None:
    """A text for a list, an unknown decision, an unknown rule, too little work: each error says so."""
    state = state_of([chain(("a", "b"), ("b", "a"), ("a", "v"))])
    before = cv.resolve(state)
    with pytest.raises(TypeError, match="list of member ids"):
        cv.affected_members(state, "c0/0", "ada")
    with pytest.raises(TypeError, match="list of member ids"):
        cv.resolve_affected(state, before, "ada")
    with pytest.raises(cv.UnknownDecisionError, match="'lunch'"):
        cv.affected_members(state, "lunch", ["a"])
    with pytest.raises(cv.UnknownDecisionError, match="'lunch'"):
        cv.resolve_affected(state, before, [], decisions=["lunch"])
    with pytest.raises(ValueError, match="'equilibrium' "):
        cv.resolve_affected(state, before, [], cycles="fair")
    with pytest.raises(cv.CyclicCoreTooLarge):
        cv.resolve_affected(other_stars(state, ["v"]), before, ["v"], work_limit=1)


def test_progress_tells_ballots_done() -> None:
    """The number of ballots done never falls, and the last call says that all are done."""
    state = state_of(many("path", 5, 1))
    seen: list[tuple[int, int]] = []
    cv.resolve_affected(state, cv.resolve(state), [], progress=lambda done, of: seen.append((done, of)))
    everybody = cv.resolve(state).ballots.height
    assert seen[-1] == (everybody, everybody)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_manual_voter_behind_somebody_who_left_passes_nothing_on() -> None:
    """The walk stops at manual voters (E2), also where they follow somebody who is gone."""
    net = Network(
        "path", dict.fromkeys("wdv", True), [("w", "gone", []), ("d", "w", [])], [{"w": ([], {"Pond": Fraction(5)})}]
    )
    assert cv.affected_members(state_of([net]), "c0/0", ["gone"]).height == 0
