"""The calculation tree of a member says the same as the count, as the literal walk, and as the worked answers."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.delegation.encode import encode
from crowdvote_analysis.errors import UnknownMemberError
from crowdvote_analysis.privacy import public_names
from tests.cases import delegation_cases
from tests.cases import state_of as state_of_case
from tests.conftest import BOUND
from tests.delegation.literal import Ballot, Community, Literal
from tests.delegation.networks import PLACES, Network, by_decision, joined, many, state_of, tangle

if TYPE_CHECKING:
    from crowdvote_analysis.explanation.tree import Followed, Lineage

RULES = ["auto", "path", "equilibrium"]
CASES = {case["id"]: case for case in delegation_cases()}


def lively(cycles: str, count: int, seed: int) -> list[Network]:
    """Random networks in which much is followed."""
    return [net for net in many(cycles, 1000, seed) if len(net.followings) >= 16][:count]


def case_state(name: str) -> cv.SystemState:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cv.TableWarning)  # some cases are about self-followings and non-members
        return state_of_case(CASES[name])


def community(
    pairs: list[tuple[str, str]], ballots: dict[str, str], cycles: str = "path", **tables: pl.DataFrame
) -> cv.SystemState:
    """Everybody follows on ALL; ballots rate X, or nothing for an empty text."""
    names = dict.fromkeys([name for pair in pairs for name in pair] + list(ballots))
    given: dict[str, pl.DataFrame] = {
        "communities": pl.DataFrame({"community_id": ["c"], "cycle_rule": [cycles]}),
        "members": pl.DataFrame({"member_id": list(names)}),
        "followings": pl.DataFrame(pairs, schema=["follower_id", "followee_id"], orient="row"),
        "ballots": pl.DataFrame({"decision_id": "d", "member_id": list(ballots)}),
        "votes": pl.DataFrame(
            [("d", name, "X", stars) for name, stars in ballots.items() if stars],
            schema=["decision_id", "member_id", "choice_id", "stars"],
            orient="row",
        ),
        **tables,
    }
    return cv.SystemState(**given)


def below(tree: Lineage | Followed) -> Iterator[tuple[list[Followed], Followed]]:
    """Every following shown, with the walk that leads to it."""
    waiting = [[followed] for followed in tree.followings]
    while waiting:
        walk = waiting.pop()
        yield walk, walk[-1]
        waiting += [[*walk, followed] for followed in walk[-1].followings]


def mixed(tree: Lineage, stars: dict[str, dict[str, Decimal]], exactly: bool) -> dict[str, Fraction]:
    """The ballots cast by hand, put together by their shares."""
    total: dict[str, Fraction] = {}
    for share in tree.shares:
        weight = share.fraction if exactly else Fraction(share.value)
        assert weight is not None
        for choice, value in stars[share.voter.member_id].items():
            total[choice] = total.get(choice, Fraction(0)) + weight * Fraction(value)
    return total


def stars_by_member(resolution: cv.Resolution) -> dict[str, dict[str, dict[str, Decimal]]]:
    found: dict[str, dict[str, dict[str, Decimal]]] = {}
    for row in resolution.stars.iter_rows(named=True):
        found.setdefault(row["decision_id"], {}).setdefault(row["member_id"], {})[row["choice_id"]] = row["stars"]
    return found


@pytest.fixture
def codes_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one state is asked about member after member, its codes and names are made for the first of them only."""
    codes = cache(encode)
    member = "crowdvote_analysis.explanation.member"
    monkeypatch.setattr(f"{member}.encode", lambda state, decisions, cycles: codes(state, tuple(decisions), cycles))
    monkeypatch.setattr(f"{member}.public_names", cache(public_names))


# --- the count --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.usefixtures("codes_made_once", "tiny_cores")
@pytest.mark.parametrize("cycles", RULES)
def test_the_member_stands_as_in_the_count(cycles: str) -> None:
    """Ballot, stars, reasons and the outcome of every following equal those of the resolution, for many members."""
    state = state_of([*lively(cycles, 30, 21), *(joined("auto", 12) if cycles == "auto" else [])])
    resolution = cv.resolve(state)
    stars, sources = stars_by_member(resolution), by_decision(resolution.sources)
    looked_at = {"calculated": 0, "none": 0, "manual": 0}
    for row in resolution.ballots.iter_rows(named=True):
        decision, member = row["decision_id"], row["member_id"]
        tree = cv.lineage(state, decision, member)
        looked_at[row["origin"]] += 1
        assert (tree.ballot.origin if tree.ballot else "none") == row["origin"]
        assert list(tree.ballot.tags if tree.ballot else []) == row["tags"]
        assert (tree.ballot.depth if tree.ballot else None) == row["depth"]
        assert (tree.reason, tree.reason_detail) == (row["reason"], row["reason_detail"])
        assert dict(tree.ballot.stars if tree.ballot else {}) == stars.get(decision, {}).get(member, {})
        assert {
            source["followee_id"]: (source["following_tags"], source["outcome"], source["inherited_tags"])
            for source in sources.get(decision, [])
            if source["follower_id"] == member
        } == {
            followed.followee.member_id: (
                list(followed.following_tags),
                followed.outcome,
                list(followed.inherited_tags),
            )
            for followed in tree.followings
        }
    assert min(looked_at.values()) > 40
    assert sum(looked_at.values()) > 240


@pytest.mark.slow
@pytest.mark.usefixtures("codes_made_once", "tiny_cores")
@pytest.mark.parametrize("cycles", RULES)
def test_shares_make_up_the_ballot(cycles: str) -> None:
    """Shares are exact, sum to 1, equal the literal ones, and give the stars to the last of the 8 places (I3, D10)."""
    nets = [*lively(cycles, 25, 22), *(joined("auto", 10, 1) if cycles == "auto" else [])]
    state = state_of(nets)
    stars = stars_by_member(cv.resolve(state))
    checked = 0
    for number, net in enumerate(nets):
        for place, cast in enumerate(net.decisions):
            decision = f"c{number}/{place}"
            literal = Literal(Community(net.members, net.followings, cast), cycles, BOUND)
            for member in net.members:
                tree, ballot = cv.lineage(state, decision, member, depth=0), literal.ballot[member]
                assert {share.voter.member_id: share.fraction for share in tree.shares} == (
                    ballot.shares if ballot else {}
                )
                if ballot:
                    assert sum(share.fraction or 0 for share in tree.shares) == 1
                    assert {
                        choice: Decimal(round(value * PLACES)).scaleb(-8)
                        for choice, value in mixed(tree, stars[decision], exactly=True).items()
                    } == tree.ballot.stars  # type: ignore[union-attr]
                    checked += len(tree.shares) > 1
    assert checked > 30


@pytest.mark.slow
@pytest.mark.usefixtures("codes_made_once", "tiny_cores")
@pytest.mark.parametrize("cycles", ["auto", "path"])
def test_ballots_inside_the_walk_are_those_of_the_literal_walk(cycles: str) -> None:
    """Every ballot and outcome at any depth is what its owner gives at the end of that walk, not their own (Y1, Y7)."""
    nets = [*lively(cycles, 20, 23), *(joined("auto", 25, 2) if cycles == "auto" else [])]
    state = state_of(nets)
    checked = other = 0
    for number, net in enumerate(nets):
        literal = Literal(Community(net.members, net.followings, net.decisions[0]), cycles, BOUND)
        for member in net.members:
            tree = cv.lineage(state, f"c{number}/0", member, max_followings=80)
            for walk, followed in below(tree):
                path = (member, *(step.followee.member_id for step in walk))
                follower, followee = path[-2:]
                _, sources = literal.walk(follower, path[:-2])
                assert (followee, followed.outcome, frozenset(followed.inherited_tags)) in sources
                if followed.outcome in ("circular", "not_a_member"):
                    assert followed.ballot is None
                    assert [person.name for person in followed.path] == (
                        list(path)[-2 if follower in literal.balanced else 0 :]
                        if followed.outcome == "circular"
                        else []
                    )
                    continue
                core = literal.balanced.get(follower, frozenset())
                closes = followee in core and followee in path[:-1]
                assert followed.balanced == (len(core) if closes else 0)
                expected, _ = literal.walk(followee, path[:-1])
                assert seen(followed) == as_seen(expected)
                checked += 1
                other += as_seen(expected) != as_seen(literal.ballot[followee])
    assert checked > 700
    assert other > 30


def seen(followed: Followed) -> tuple[Any, ...] | None:
    ballot = followed.ballot
    return (dict(ballot.stars), frozenset(ballot.tags), ballot.depth) if ballot else None


def as_seen(ballot: Ballot | None) -> tuple[Any, ...] | None:
    if ballot is None:
        return None
    stars = {choice: Decimal(round(value * PLACES)).scaleb(-8) for choice, value in ballot.stars.items()}
    return stars, ballot.tags, ballot.depth


@pytest.mark.slow
@pytest.mark.usefixtures("codes_made_once")
def test_ballots_in_an_equilibrium_are_everybodys_own() -> None:
    """At any depth of the tree stands the ballot that the count gives its owner (Y4)."""
    state = state_of(lively("equilibrium", 15, 24))
    stars = stars_by_member(cv.resolve(state))
    closed = 0
    for decision, member in cv.resolve(state).ballots.select("decision_id", "member_id").iter_rows():
        tree = cv.lineage(state, decision, member, max_followings=60)
        for walk, followed in below(tree):
            if followed.outcome not in ("circular", "not_a_member"):
                own = stars.get(decision, {}).get(followed.followee.member_id, {})
                assert dict(followed.ballot.stars if followed.ballot else {}) == own
            names = [member, *(step.followee.member_id for step in walk)]
            if followed.path and followed.outcome != "circular":
                closed += 1
                assert [person.member_id for person in followed.path] == names[names.index(names[-1]) :]
            assert not (followed.path and followed.followings)
    assert closed > 25


def test_a_large_loop_has_shares_as_floats() -> None:
    """Loops beyond the reach of fractions say so; shares still sum to 1 and give the stars within 1e-8."""
    state = state_of([tangle(900, 3)])
    resolution = cv.resolve(state, ["c0/0"])
    stars = stars_by_member(resolution)["c0/0"]
    members = resolution.ballots.filter(origin="calculated", in_loop=True)["member_id"].to_list()
    for member in members[:3]:
        tree = cv.lineage(state, "c0/0", member, max_followings=5)
        assert tree.ballot is not None
        assert tree.ballot.stars == stars[member]
        assert {share.fraction for share in tree.shares} == {None}
        assert sum(share.value for share in tree.shares) == pytest.approx(1, abs=1e-12)
        for choice, value in mixed(tree, stars, exactly=False).items():
            assert abs(value - Fraction(stars[member][choice])) <= Fraction(1, PLACES)


# --- the worked answers -----------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(not CASES, reason="../shared/cases/delegation.json is not here")
@pytest.mark.parametrize("name", CASES)
def test_trees_are_those_written_down(name: str) -> None:
    """Followings, outcomes, cut paths and sources of every worked case are those of the tree."""
    state = case_state(name)
    members = {member["name"] for member in CASES[name]["members"]}
    for ballot in CASES[name]["expected"]["ballots"]:
        tree = cv.lineage(state, "d", ballot["member"])
        edges = {edge["followee"]: edge["result"] for edge in ballot.get("edges", [])}
        got = {f.followee.name: f.outcome.upper().replace("_", " ") for f in tree.followings}
        assert got == {name: result if name in members else "NOT A MEMBER" for name, result in edges.items()}
        assert [f.followee.name for f in tree.followings if f.outcome == "match"] == sorted(
            ballot.get("inherited_from", [])
        )
        cut = [" → ".join(p.name for p in f.path) for _, f in below(tree) if f.outcome == "circular"]
        assert sorted(cut) == sorted(ballot.get("circular_paths", []))


@pytest.mark.skipif(not CASES, reason="../shared/cases/delegation.json is not here")
def test_the_tree_as_text() -> None:
    """The words and the shape of the snapshot page (U2), with everything that can happen to a following."""
    assert cv.lineage(case_state("ex7_sample_json"), "d", "Carol").text().splitlines() == [
        "Carol",
        "├─ Following Kelly on [budget, environment]",
        "│  ✓ MATCH on [budget, environment] → inheriting votes",
        "│  └─ Kelly ballot cast by hand [budget, environment]: c1 5, c2 3, c3 0",
        "├─ Following Olivia on [ALL]",
        "│  ✗ NO BALLOT",
        "│  ├─ Following Bob on [beautification, environment]",
        "│  │  ✗ NO MATCH (Bob ballot tagged [maintenance])",
        "│  │  └─ Bob ballot cast by hand [maintenance]: c1 0, c2 4, c3 5",
        "│  ├─ Following Jack on [maintenance]",
        "│  │  ✗ NO MATCH (Jack ballot tagged [budget])",
        "│  │  └─ Jack ballot cast by hand [budget]: c1 4, c2 2, c3 3",
        "│  └─ no ballot calculated (no matching tags)",
        "├─ Following Victor on [environment]",
        "│  ✗ NO BALLOT",
        "│  ├─ Following Carol on [environment]",
        "│  │  ⚠️ Circular reference prevented (Carol → Victor → Carol)",
        "│  └─ no ballot calculated (no matching tags)",
        "└─ Carol ballot calculated [budget, environment]: c1 5, c2 3, c3 0",
    ]


@pytest.mark.skipif(not CASES, reason="../shared/cases/delegation.json is not here")
def test_the_tree_as_a_document() -> None:
    """Results are the texts of the snapshot document (S9), stars and shares are text, and it is JSON."""
    document = json.loads(json.dumps(cv.lineage(case_state("ex7_sample_json"), "d", "Carol").to_dict()))
    kelly, olivia, victor = document["calculation_tree"]
    assert kelly["result"] == "MATCH"
    assert kelly["ballot"]["stars"] == {"c1": "5.00000000", "c2": "3.00000000", "c3": "0.00000000"}
    assert olivia["following_tags"] == ["ALL"]
    assert olivia["result"] == "no ballot calculated (no matching tags)"
    assert olivia["calculation_tree"][1]["result"] == "NO MATCH - Jack ballot tagged [budget]"
    assert victor["calculation_tree"][0]["result"] == "CIRCULAR PREVENTED - Carol → Victor → Carol"
    assert victor["calculation_tree"][0]["path"] == ["Carol", "Victor", "Carol"]
    assert document["shares"] == [{"member_id": "Kelly", "name": "Kelly", "share": "1", "value": 1.0}]


# --- single members ---------------------------------------------------------------------------------------------------


def test_members_without_a_tree_have_one_line() -> None:
    """A ballot by hand, one without stars, and somebody who follows nobody are told in one line each."""
    state = community([("A", "v"), ("A", "e"), ("A", "n"), ("v", "A")], {"v": "3.5", "e": ""})
    assert str(cv.lineage(state, "d", "v")) == "v ballot cast by hand without tags: X 3.5"
    assert str(cv.lineage(state, "d", "e")) == "e ballot cast by hand without tags: no stars"
    assert str(cv.lineage(state, "d", "n")) == "n: no ballot. Not following anyone."
    lines = cv.lineage(state, "d", "A").text().splitlines()
    assert "│  └─ no ballot calculated (a ballot by hand without stars)" in lines
    assert "│  └─ no ballot calculated (not following anyone)" in lines


def test_shares_follow_every_route() -> None:
    """A voter who arrives by two routes has both shares, largest first (D4)."""
    state = community([("A", "B"), ("A", "v"), ("B", "v"), ("B", "w"), ("B", "u")], {"v": "5", "w": "1", "u": "3"})
    tree = cv.lineage(state, "d", "A")
    assert [(share["member_id"], share["share"]) for share in tree.to_dict()["shares"]] == [
        ("v", "2/3"),
        ("u", "1/6"),
        ("w", "1/6"),
    ]
    assert tree.text().endswith("└─ A ballot calculated without tags: X 4")


def test_an_equilibrium_marks_where_a_loop_closes() -> None:
    """A source that is met again stands with its own ballot and is not followed any further (Y4)."""
    state = community([("A", "B"), ("B", "A"), ("A", "v"), ("B", "w")], {"v": "1", "w": "4"}, "equilibrium")
    lines = cv.lineage(state, "d", "A").text().splitlines()
    assert lines[1:9] == [
        "├─ Following B on [ALL]",
        "│  ✓ MATCH on [ALL] → inheriting votes",
        "│  ├─ Following A on [ALL]",
        "│  │  ✓ MATCH on [ALL] → inheriting votes",
        "│  │  ↻ BALANCED - in a loop with 2 members (A → B → A)",
        "│  │  └─ A ballot calculated without tags: X 2",
        "│  ├─ Following w on [ALL]",
        "│  │  ✓ MATCH on [ALL] → inheriting votes",
    ]


def test_the_rule_can_be_chosen() -> None:
    """``cycles`` goes before the rule of the community, as in the count."""
    state = community([("A", "B"), ("B", "A"), ("A", "v"), ("B", "w")], {"v": "1", "w": "4"}, "equilibrium")
    tree = cv.lineage(state, "d", "A", cycles="path")
    assert (tree.cycle_rule, tree.to_dict()["ballot"]["stars"]) == ("path", {"X": "2.50000000"})


def test_followings_stand_in_their_display_order() -> None:
    """The column ``order`` decides what is shown first (D9), then the names that are shown."""
    followings = pl.DataFrame({"follower_id": "A", "followee_id": ["u", "v", "w"], "order": [1, 1, 0]})
    state = community([], {"w": "1", "v": "2", "u": "3"}, members=None, followings=followings)  # type: ignore[arg-type]
    assert [f.followee.name for f in cv.lineage(state, "d", "A").followings] == ["w", "u", "v"]


def test_what_was_worked_out_before_makes_no_difference() -> None:
    """A member of a loop gives the same whether or not another member's ballot is known already (Y1)."""
    pairs = [("A", "r0"), ("A", "B"), ("B", "r1"), ("r0", "r1"), ("r1", "r0"), ("r0", "v"), ("r1", "w")]
    followings = pl.DataFrame(pairs, schema=["follower_id", "followee_id"], orient="row")
    on = pl.when((pl.col("follower_id") == "A") & (pl.col("followee_id") == "B")).then(pl.lit("nothing"))
    with pytest.warns(cv.TableWarning, match="'nothing'"):
        state = community(
            pairs, {"v": "1", "w": "4"}, followings=followings.with_columns(tags=on.otherwise(pl.lit("")))
        )
    asked_second = cv.lineage(state, "d", "A").followings[0]
    assert (asked_second.followee.name, asked_second.outcome) == ("B", "no_match")
    assert asked_second.ballot == cv.lineage(state, "d", "B").ballot


# --- limits -----------------------------------------------------------------------------------------------------------


def clique(size: int) -> list[tuple[str, str]]:
    names = [f"k{number}" for number in range(size)]
    return [(one, other) for one in names for other in names if one != other]


def test_limits_cut_the_tree_and_no_number() -> None:
    """Ballots and shares are those of the whole walk, and what is left out is counted."""
    state = community([*clique(6), ("k0", "v"), ("k3", "w")], {"v": "1", "w": "5"})
    whole = cv.lineage(state, "d", "k0", max_followings=100_000)
    assert whole.text().count("Following ") > 500
    assert "not shown" not in whole.text()
    kept = {names(walk): (f.outcome, f.ballot) for walk, f in below(whole)}
    for limits, shown in (
        ({"depth": 0}, 0),
        ({"depth": 1}, 6),
        ({"max_followings": 4}, 4),
        ({"max_followings": 40}, 40),
    ):
        cut = cv.lineage(state, "d", "k0", **limits)
        assert (cut.ballot, cut.shares) == (whole.ballot, whole.shares)
        shown_ = {names(walk): (f.outcome, f.ballot) for walk, f in below(cut)}
        assert len(shown_) == shown
        assert shown_.items() <= kept.items()
    assert cv.lineage(state, "d", "k0", max_followings=4).text().splitlines()[-2] == "├─ … 2 more followings not shown"
    assert cv.lineage(state, "d", "k0", depth=0).text().splitlines()[1] == "├─ … 6 more followings not shown"


def names(walk: list[Followed]) -> tuple[str, ...]:
    return tuple(step.followee.name for step in walk)


@pytest.mark.parametrize("cycles", RULES)
def test_a_chain_of_two_thousand_is_traced_to_its_end(cycles: str) -> None:
    """However deep the walk, the numbers are whole and the document stays within what programs can walk."""
    chain = [f"n{number:04d}" for number in range(2001)]
    state = community(list(pairwise(chain)), {chain[-1]: "4"}, cycles)
    tree = cv.lineage(state, "d", chain[0])
    assert tree.ballot is not None
    assert tree.ballot.depth == 2000
    assert [(share.voter.name, share.fraction) for share in tree.shares] == [(chain[-1], 1)]
    assert json.dumps(tree.to_dict()).count('"not_shown": 1') == 1
    assert len(list(below(tree))) == 200


def test_only_what_is_looked_at_is_worked_out() -> None:
    """A tangle that the member does not inherit from costs nothing; one's own is refused beyond the limit (Y3)."""
    state = community([*clique(9), ("k0", "v"), ("A", "v"), ("k1", "A")], {"v": "2"})
    assert cv.lineage(state, "d", "A", work_limit=1).ballot is not None
    with pytest.raises(cv.CyclicCoreTooLarge) as caught:
        cv.lineage(state, "d", "k0", work_limit=1000)
    assert (caught.value.decision_id, caught.value.core_size, caught.value.work_limit) == ("d", 9, 1000)


def test_a_ring_is_walked_in_time_that_grows_with_its_length() -> None:
    """A loop of a thousand members is one walk for the one member who is asked about."""
    ring = [f"r{number:04d}" for number in range(1000)]
    pairs = list(zip(ring, [*ring[1:], ring[0]], strict=True))
    state = community([*pairs, (ring[500], "v")], {"v": "1"})
    tree = cv.lineage(state, "d", ring[0], max_followings=30, work_limit=5000)
    assert tree.ballot is not None
    assert tree.ballot.depth == 501


def test_wrong_limits_and_rules_are_refused() -> None:
    """Numbers below 0 and rules that do not exist are mistakes of the caller."""
    state = community([("A", "v")], {"v": "1"})
    for wrong in ({"depth": -1}, {"max_followings": -1}, {"cycles": "dice"}):
        with pytest.raises(ValueError, match=r"dice|0 or more"):
            cv.lineage(state, "d", "A", **wrong)  # type: ignore[arg-type]


# --- names ------------------------------------------------------------------------------------------------------------


def hidden_state() -> cv.SystemState:
    pairs = [("A", "Rosalind"), ("Rosalind", "A"), ("Rosalind", "Greta"), ("A", "Oskar")]
    members = pl.DataFrame(
        {
            "community_id": ["c", "c", "c", "elsewhere"],
            "member_id": ["A", "Rosalind", "Greta", "Oskar"],
            "display_name": ["Ada", "Rosalind R.", "Greta G.", "Oskar O."],
            "is_anonymous": [False, True, True, True],
        }
    )
    decisions = pl.DataFrame({"community_id": ["c"], "decision_id": ["d"]})
    followings = pl.DataFrame(pairs, schema=["follower_id", "followee_id"], orient="row")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cv.TableWarning)  # Oskar is no member here
        return community(
            [],
            {"Greta": "2"},
            members=members,
            decisions=decisions,
            followings=followings.with_columns(community_id=pl.lit("c")),
            communities=pl.DataFrame({"community_id": ["c", "elsewhere"], "cycle_rule": "path"}),
        )


@pytest.mark.parametrize("cycles", RULES)
def test_anonymous_members_stand_under_pseudonyms(cycles: str) -> None:
    """No id or name of an anonymous member is in the data, the text, the document or an error (P1)."""
    state = hidden_state()
    shown = dict(public_names(state).select("member_id", "public_id").iter_rows())
    for member in ("A", shown["Rosalind"], shown["Greta"], "Rosalind"):
        tree = cv.lineage(state, "d", member, cycles=cycles)
        told = f"{tree!r} {tree} {json.dumps(tree.to_dict(), ensure_ascii=False)}"
        assert "Anonymous" in told
        assert not [name for name in ("Rosalind", "Greta", "Oskar") if name in told]
    assert cv.lineage(state, "d", "Rosalind") == cv.lineage(state, "d", shown["Rosalind"])
    with pytest.raises(UnknownMemberError) as caught:
        cv.lineage(state, "d", "Oskar")
    assert not [name for name in ("Rosalind", "Greta", "Oskar") if name in str(caught.value)]


def test_unknown_members_and_decisions_are_named() -> None:
    """The error says who or what was asked for and what there is."""
    state = community([("A", "v")], {"v": "1"})
    with pytest.raises(UnknownMemberError, match=r"member 'Zed' is not in .* decision 'd' \(members there: A, v\)"):
        cv.lineage(state, "d", "Zed")
    with pytest.raises(cv.UnknownDecisionError, match="decision 'lunch' is not in"):
        cv.lineage(state, "lunch", "A")
    assert issubclass(UnknownMemberError, cv.CrowdVoteError)
