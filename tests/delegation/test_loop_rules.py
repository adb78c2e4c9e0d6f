"""``auto`` walks small cores and balances others (Y6), and ``path`` alone is refused before it takes for ever (Y3)."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import permutations

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis import loop_rules
from crowdvote_analysis.delegation import cores as cores_room
from crowdvote_analysis.delegation.budget import least_steps
from crowdvote_analysis.delegation.path_rule import EVERYTHING, Inside, Outside, Walks
from crowdvote_analysis.loop_rules import rule_of_core
from tests.delegation.networks import Network, departures, joined, many, state_of

Pairs = list[tuple[str, str]]


def community(pairs: Pairs, cycles: str = "auto") -> Network:
    """Everybody follows on ALL; who follows nobody votes by hand."""
    names = dict.fromkeys(name for pair in pairs for name in pair)
    voters = names.keys() - {follower for follower, _ in pairs}
    ballots = {name: ([], {"X": Fraction(number % 6)}) for number, name in enumerate(sorted(voters))}
    return Network(cycles, dict.fromkeys(names, True), [(*pair, []) for pair in pairs], [ballots])


def clique(name: str, size: int) -> Pairs:
    """So many members who all follow each other, and each of them a voter."""
    members = [f"{name}{number:02d}" for number in range(size)]
    return [*permutations(members, 2), *((member, f"voter of {member}") for member in members)]


def ring(name: str, size: int, beyond: int = 0) -> Pairs:
    """A ring in which so many members follow one more, and each of them a voter."""
    members = [f"{name}{number:05d}" for number in range(size)]
    further = [(members[number], members[(number + 2) % size]) for number in range(beyond)]
    around = list(zip(members, [*members[1:], members[0]], strict=True))
    return [*around, *further, *((member, f"voter of {member}") for member in members)]


# --- auto (Y6) ------------------------------------------------------------------------------------------------------


def test_small_is_what_the_number_of_the_rule_says() -> None:
    """The bound of auto-1 never moves: results of years ago must come out again."""
    assert loop_rules.AUTO == "auto-1"
    assert rule_of_core("auto-1", 7, 42) == rule_of_core("auto-1", 40, 48) == "path"
    assert rule_of_core("auto-1", 8, 17) == rule_of_core("auto-1", 40, 49) == rule_of_core("auto-1", 41, 41)
    assert rule_of_core("auto-1", 8, 17) == "equilibrium"
    assert {rule_of_core(rule, size, size) for rule in ("path",) for size in (2, 10**6)} == {"path"}


@pytest.mark.parametrize(
    ("pairs", "rule"),
    [
        (clique("a", 7), "path"),
        (clique("a", 8), "equilibrium"),
        (ring("a", 40, 8), "path"),
        (ring("a", 40, 9), "equilibrium"),
        (ring("a", 41), "equilibrium"),
    ],
)
def test_a_core_is_settled_by_the_rule_that_its_size_asks_for(pairs: Pairs, rule: str) -> None:
    """At the bound a core is walked, beyond it balanced, and the result says which."""
    net = community(pairs)
    resolution = cv.resolve(state_of([net]))
    assert resolution.cores["rule"].to_list() == [rule]
    assert resolution.decisions["cycle_rule"].to_list() == ["auto-1"]
    assert resolution.stars.equals(cv.resolve(state_of([net]), cycles=rule).stars)


@pytest.mark.parametrize("bound", [(2, 2, 0), (3, 4, 0), (1, 3, 0)])
def test_communities_with_cores_of_both_kinds_are_counted_as_the_rules_say(
    bound: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Walks stop at balanced cores, whose ballots are the same in all of them (Y7)."""
    for name, value in zip(("FEW_MEMBERS", "MORE_MEMBERS", "FOLLOWINGS_BEYOND"), bound, strict=True):
        monkeypatch.setattr(loop_rules, name, value)
    nets = [*many("auto", 150, bound[1]), *joined("auto", 250)]
    resolution = cv.resolve(state_of(nets))
    kinds = resolution.cores.group_by("decision_id").agg(pl.col("rule").n_unique())["rule"]
    assert (kinds == 2).sum() >= 5
    assert departures(nets, resolution, bound) == []


def test_a_community_without_a_rule_is_counted_by_auto() -> None:
    """Nobody who chose nothing is refused: `auto` is the default of communities (Y)."""
    state = cv.SystemState(followings=pl.DataFrame({"follower_id": ["Ann", "Bo"], "followee_id": ["Bo", "Ann"]}))
    assert state.communities["cycle_rule"].to_list() == ["auto"]


def test_every_core_is_listed_with_its_members() -> None:
    """Cores are numbered by their least member; who is in none is not listed (Y6)."""
    pairs = [*clique("b", 8), *ring("a", 3), ("outside", "a00000"), ("b00", "a00001")]
    resolution = cv.resolve(state_of([community(pairs)]))
    assert resolution.cores.rows() == [("c0/0", 1, 3, 3, "path"), ("c0/0", 2, 8, 56, "equilibrium")]
    who = resolution.core_members.group_by("core", maintain_order=True).agg("member_id").rows()
    assert who == [(1, [f"a0000{n}" for n in range(3)]), (2, [f"b0{n}" for n in range(8)])]


def test_no_tangle_stops_the_count_of_the_others() -> None:
    """Fifteen accounts that follow each other, and a hundred cliques of fourteen, are counted under auto (Y6)."""
    pairs = [pair for number in range(100) for pair in clique(f"c{number:03d} ", 14)]
    resolution = cv.resolve(state_of([community([*pairs, *clique("d", 15)])]))
    assert len(resolution.cores) == 101
    assert set(resolution.cores["rule"]) == {"equilibrium"}


# --- path alone (Y3) ------------------------------------------------------------------------------------------------


def test_one_limit_holds_for_all_cores_of_a_decision() -> None:
    """A thousand cliques of which each is within the limit are refused together."""
    one, many_ = clique("a", 6), [pair for number in range(20) for pair in clique(f"c{number:02d}", 6)]
    limit = 20_000
    assert cv.resolve(state_of([community(one, "path")]), work_limit=limit).refused.is_empty()
    with pytest.raises(cv.CyclicCoreTooLarge):
        cv.resolve(state_of([community(many_, "path")]), work_limit=limit)


@pytest.mark.parametrize("pairs", [ring("r", 20_000), clique("c", 40), clique("c", 90)])
def test_what_is_certain_to_be_too_much_is_refused_before_the_first_step(
    pairs: Pairs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ring of tens of thousands and a large clique give their error at once."""
    monkeypatch.setattr(cores_room.path_rule, "Walks", None)  # whoever walks fails
    with pytest.raises(cv.CyclicCoreTooLarge, match="'auto'"):
        cv.resolve(state_of([community(pairs, "path")]))


def test_the_least_number_of_steps_is_never_above_the_number_taken() -> None:
    """What is refused at once would have been refused later (Y3)."""
    order = random.Random(1)
    for size in range(2, 9):
        for beyond in (0, 1, size, size * size):
            follows = [{(member + 1) % size} for member in range(size)]
            for _ in range(beyond):
                follower, followee = order.randrange(size), order.randrange(size)
                if follower != followee:
                    follows[follower].add(followee)
            taken: list[int] = []
            inside = [[Inside(followee, EVERYTHING) for followee in sorted(each)] for each in follows]
            Walks(inside, [Outside(1, 0, 0)] * size, taken.append, lambda _: None)
            assert least_steps(size, sum(map(len, follows))) <= sum(taken)


def test_a_refused_decision_does_not_lose_the_others() -> None:
    """With ``on_refusal="report"`` it is named beside the counts of the others, which are as they are alone (Y3)."""
    nets = [community(ring("a", 4), "path"), community(clique("b", 7), "path"), community(ring("c", 5), "path")]
    state = state_of(nets)
    resolution = cv.resolve(state, work_limit=1_000, on_refusal="report")
    assert resolution.refused["decision_id"].to_list() == ["c1/0"]
    assert "7 members follow each other" in resolution.refused["error"].item()
    assert resolution.decisions["decision_id"].to_list() == ["c0/0", "c2/0"]
    assert resolution.stars.equals(cv.resolve(state, ["c0/0", "c2/0"]).stars)
    with pytest.raises(cv.CyclicCoreTooLarge):
        cv.resolve(state, work_limit=1_000)
    with pytest.raises(ValueError, match="on_refusal"):
        cv.resolve(state, on_refusal="ignore")
