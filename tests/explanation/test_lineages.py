"""The trees of many members, worked out together, are those of one member after the other."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.bundled import demo_folder
from crowdvote_analysis.errors import UnknownMemberError
from crowdvote_analysis.privacy import public_names
from tests.delegation.networks import joined, state_of, tangle
from tests.explanation.test_lineage import RULES, below, clique, community, lively

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crowdvote_analysis.explanation.tree import Lineage


def one_by_one(state: cv.SystemState, decision: str, members: Sequence[str], **limits: Any) -> list[Lineage]:
    return [cv.lineage(state, decision, member, **limits) for member in members]


@pytest.fixture(scope="module")
def demo() -> cv.SystemState:
    return cv.SystemState.read(demo_folder())


# --- the same trees ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cycles", RULES)
@pytest.mark.parametrize("decision", ["village-green", "school-meals", "bicycle-lanes"])
def test_demo_members_have_the_same_trees(demo: cv.SystemState, decision: str, cycles: str) -> None:
    """With a count at hand and without, for members of all three demo communities, shares and all."""
    resolution = cv.resolve(demo, [decision], cycles)
    everybody = resolution.ballots["member_id"].to_list()
    members = random.Random(decision).sample(everybody, 12)
    expected = one_by_one(demo, decision, members, cycles=cycles)
    assert list(cv.lineages(demo, decision, members, cycles=cycles)) == expected
    assert list(cv.lineages(demo, decision, members, resolution=resolution)) == expected


@pytest.mark.slow
@pytest.mark.usefixtures("tiny_cores")
@pytest.mark.parametrize("cycles", RULES)
def test_members_of_tangled_networks_have_the_same_trees(cycles: str) -> None:
    """Loops, strangers, self-followings and odd tags; the count may hold other decisions too."""
    state = state_of([*lively(cycles, 8, 31), *(joined("auto", 8, 3) if cycles == "auto" else [])])
    resolution = cv.resolve(state)
    in_loops = 0
    for decision in resolution.decisions["decision_id"]:
        members = resolution.ballots.filter(decision_id=decision)["member_id"].to_list()
        random.Random(decision).shuffle(members)
        expected = one_by_one(state, decision, members, max_followings=60)
        assert list(cv.lineages(state, decision, members, max_followings=60)) == expected
        assert list(cv.lineages(state, decision, members, max_followings=60, resolution=resolution)) == expected
        in_loops += sum(len(followed.path) > 1 for tree in expected for _, followed in below(tree))
    assert in_loops > 50


def larger_loops(seed: int) -> cv.SystemState:
    """Thirty members with some large loops, of which followings on tags open many."""
    order = random.Random(seed)
    names = [f"n{number:02d}" for number in range(30)]
    pairs = [(name, other) for name in names for other in order.sample(names, 2) if other != name]
    followings = pl.DataFrame(pairs, schema=["follower_id", "followee_id"], orient="row").with_columns(
        tags=pl.Series([order.choice(["", "", "a", "b", "c"]) for _ in pairs])
    )
    voters = order.sample(names, 6)
    return cv.SystemState(
        members=pl.DataFrame({"member_id": names}),
        followings=followings,
        ballots=pl.DataFrame({"decision_id": "d", "member_id": voters, "tags": [order.choice("abc") for _ in voters]}),
        votes=pl.DataFrame(
            {"decision_id": "d", "member_id": voters, "choice_id": "X", "stars": [order.randrange(6) for _ in voters]}
        ),
    )


@pytest.mark.slow
def test_members_of_larger_loops_have_the_same_trees() -> None:
    """What can still be reached inside a loop is all that matters (Y2 b)."""
    for seed in range(3):
        state = larger_loops(seed)
        resolution = cv.resolve(state)
        members = resolution.ballots["member_id"].to_list()
        expected = one_by_one(state, "d", members, max_followings=100)
        assert list(cv.lineages(state, "d", resolution=resolution, max_followings=100)) == expected


def test_trees_around_one_huge_loop_are_those_of_the_equilibrium() -> None:
    """In a core of hundreds of members everybody stands with the ballot of the count (Y4)."""
    state = state_of([tangle(400, 2)])
    resolution = cv.resolve(state)
    members = resolution.ballots.filter(decision_id="c0/1", origin="calculated")["member_id"].to_list()
    trees = list(cv.lineages(state, "c0/1", members, resolution=resolution, max_followings=8, shares=False))
    assert [tree.shares for tree in trees] == [()] * len(members)
    for tree, expected in zip(trees[::60], one_by_one(state, "c0/1", members[::60], max_followings=8), strict=True):
        assert (tree.ballot, tree.followings, tree.not_shown) == (
            expected.ballot,
            expected.followings,
            expected.not_shown,
        )


# --- limits -----------------------------------------------------------------------------------------------------------


def test_with_a_count_the_work_limit_leaves_places_out() -> None:
    """Beyond the limit trees end where a loop begins, and say so; numbers are those of the count (Y3)."""
    state = community([*clique(8), ("k0", "v"), ("k3", "w"), ("A", "k0"), ("A", "v")], {"v": "1", "w": "5"})
    resolution = cv.resolve(state)
    with pytest.raises(cv.CyclicCoreTooLarge):
        list(cv.lineages(state, "d", work_limit=500))
    cut = {
        tree.member.name: tree for tree in cv.lineages(state, "d", resolution=resolution, work_limit=500, shares=False)
    }
    whole = {tree.member.name: tree for tree in cv.lineages(state, "d", resolution=resolution, shares=False)}
    assert {name: tree.ballot for name, tree in cut.items()} == {name: tree.ballot for name, tree in whole.items()}
    assert [followed.outcome for followed in cut["A"].followings] == ["match", "match"]
    assert cut["A"].followings[0].ballot == cut["k0"].ballot
    assert cut["k7"].followings == ()
    assert cut["k7"].not_shown == 7
    assert len(whole["k7"].followings) == 7


def test_members_come_in_the_order_asked_for() -> None:
    """By default everybody comes, in the order of public ids, which tells nothing about hidden ones (P1)."""
    members = pl.DataFrame({"member_id": ["B", "Zoe", "A"], "is_anonymous": [False, True, False]})
    state = community([("B", "A")], {"A": "3"}, members=members)
    assert [tree.member.member_id for tree in cv.lineages(state, "d")] == ["A", "Anonymous 1", "B"]
    shown = public_names(state).filter(member_id="Zoe")["public_id"].item()
    assert [tree.member.member_id for tree in cv.lineages(state, "d", [shown, "Zoe", "A"])] == [shown, shown, "A"]
    assert list(cv.lineages(state, "d", [])) == []


def test_what_does_not_fit_is_refused_at_once() -> None:
    """Unknown members and decisions, a count by another rule or of other members, and a text for a list."""
    state = community([("A", "v")], {"v": "1"})
    resolution = cv.resolve(state)
    with pytest.raises(UnknownMemberError, match="member 'Zed'"):
        cv.lineages(state, "d", ["A", "Zed"])
    with pytest.raises(cv.UnknownDecisionError, match="lunch"):
        cv.lineages(state, "lunch", resolution=resolution)
    with pytest.raises(ValueError, match="was counted by the rule 'path'"):
        cv.lineages(state, "d", resolution=resolution, cycles="equilibrium")
    with pytest.raises(ValueError, match="has other members"):
        cv.lineages(community([("A", "v"), ("B", "v")], {"v": "1"}), "d", resolution=resolution)
    with pytest.raises(TypeError, match="give a list"):
        cv.lineages(state, "d", "A")
    with pytest.raises(ValueError, match="0 or more"):
        cv.lineages(state, "d", depth=-1)
