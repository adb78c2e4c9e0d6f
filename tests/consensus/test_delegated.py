"""Votes pass along followings, and every vote counted is somebody's (C7, I3)."""

from __future__ import annotations

import itertools
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.consensus import decide, weights
from tests.consensus.tables import NAMES, TAGS, frame, network, state

DELEGATED = frame("decision_id method delegated", "roof simple_majority true")
RULES = ["path", "equilibrium"]


def test_who_does_not_vote_inherits_the_votes_of_those_they_follow() -> None:
    """C7: the calculated majority differs from the votes by hand; each ballot is one vote cast."""
    followings = frame("follower_id followee_id", "Ada Kelly", "Bo Kelly", "Zoe Kelly", "Zoe Jack")
    community = state(DELEGATED, "Kelly yes", "Jack no", "Maya no", followings=followings)
    row = decide(community).row(0, named=True)
    assert (row["yes"], row["no"], row["cast"], row["passed"]) == (Decimal("3.5"), Decimal("2.5"), 6, True)
    assert row["reason"] == "3.5 of 6 votes cast are yes (58.33%); more than 50% is needed"
    by_hand = decide(community, delegated=False).row(0, named=True)
    assert (by_hand["yes"], by_hand["no"], by_hand["passed"]) == (1, 2, False)
    assert by_hand["delegated"] is False


def test_an_abstention_is_cast_and_inherited_by_nobody() -> None:
    """D5: a ballot without stars is its owner's, and no ballot for followers."""
    followings = frame("follower_id followee_id", "Ada Maya", "Zoe Maya", "Zoe Kelly")
    row = decide(state(DELEGATED, "Kelly yes", "Maya abstain", followings=followings)).row(0, named=True)
    assert (row["yes"], row["no"], row["abstain"], row["cast"], row["required"]) == (2, 0, 1, 3, 4)


def test_votes_pass_on_by_their_tags() -> None:
    """T2: a following on a tag inherits votes that carry it."""
    votes = pl.DataFrame({"member_id": ["Kelly"], "vote": ["yes"], "tags": [["budget"]]})
    followings = frame("follower_id followee_id tags", "Ada Kelly budget", "Zoe Kelly trees")
    row = decide(state(DELEGATED, yes_no_votes=votes, followings=followings)).row(0, named=True)
    assert (row["yes"], row["required"]) == (2, 3)


def test_only_who_may_vote_gives_a_vote_to_followers() -> None:
    """C1, M1: a lobbyist who is required gives and is not counted; others, and late votes, give nothing."""
    decisions = DELEGATED.with_columns(closes_at=pl.lit("2026-05-01"))
    followings = frame("follower_id followee_id", "Ada Lobo", "Bo Maya", "Jack Late", "Zoe Gone")
    members = frame(
        "member_id is_voter", "Lobo false", *(f"{name} true" for name in ("Maya", "Late", "Ada", "Bo", "Jack", "Zoe"))
    )
    required = frame("member_id", "Lobo", "Late", "Ada", "Bo", "Jack", "Zoe", "Gone")
    votes = ["Lobo yes", "Maya yes", "Late yes 2026-05-02", "Gone yes"]
    community = state(decisions, *votes, members=members, required_voters=required, followings=followings)
    row = decide(community).row(0, named=True)
    assert (row["yes"], row["no"], row["cast"], row["required"]) == (1, 0, 1, 5)
    assert weights(community, "roof").select("member_id", "weight").rows() == [("Lobo", Decimal(1))]


def test_only_required_voters_count() -> None:
    """Who is not required may hold an inherited ballot and pass it on; it is not counted."""
    followings = frame("follower_id followee_id", "Maya Kelly", "Zoe Maya")
    required = frame("member_id", "Kelly", "Zoe")
    community = state(DELEGATED, "Kelly yes", followings=followings, required_voters=required)
    assert decide(community)["yes"].item() == 2
    assert weights(community, "roof").select("member_id", "weight").rows() == [("Kelly", Decimal(2))]


def test_the_rule_for_loops_is_that_of_the_community_or_the_one_given() -> None:
    """Y1, Y4: in a loop the two rules give different votes."""
    followings = frame("follower_id followee_id", "Ada Bo", "Bo Ada", "Ada Kelly", "Bo Jack", "Ada Jack")
    community = state(DELEGATED, "Kelly yes", "Jack no", followings=followings)
    assert decide(community)["yes"].item() == decide(community, cycles="path")["yes"].item()
    assert decide(community)["yes"].item() != decide(community, cycles="equilibrium")["yes"].item()
    assert (
        round(weights(community, "roof", cycles="equilibrium")["weight_yes"].sum(), 8)
        == decide(community, cycles="equilibrium")["yes"].item()
    )


# --- weights ---------------------------------------------------------------------------------------------------------


def test_without_delegation_every_vote_weighs_one() -> None:
    """Those that are not counted are not listed."""
    members = frame("member_id is_voter", "Kelly true", "Maya true", "Jack true", "Lobo false")
    table = weights(
        state("roof unanimity", "Kelly yes", "Maya no", "Jack abstain", "Lobo yes", members=members), "roof"
    )
    assert table.rows() == [("Jack", "abstain", 1, 0, 0), ("Kelly", "yes", 1, 1, 0), ("Maya", "no", 1, 0, 1)]


@pytest.mark.slow
@pytest.mark.parametrize("cycles", RULES)
@pytest.mark.parametrize("seed", range(25))
def test_weights_sum_to_what_is_counted_and_say_what_a_changed_vote_changes(seed: int, cycles: str) -> None:
    """I3: rounded sums are yes, no and cast; a voter's weight is what turning their yes into a no takes from yes."""
    tables = network(seed, voters=4)
    words = ["yes", "no", "yes", "abstain"]
    tags = [TAGS[:1], TAGS, [], TAGS[1:]]
    votes = pl.DataFrame({"decision_id": "roof", "member_id": NAMES[:4], "vote": words, "tags": tags})
    required = tables["members"].select("member_id")  # a lobbyist among them gives their vote to followers
    turned = {name: votes.with_columns(vote=_turned(name), decision_id=pl.lit(name)) for name in NAMES[:3]}
    decisions = pl.DataFrame({"decision_id": ["roof", *turned], "method": "simple_majority", "delegated": True})
    everybody = decisions.select("decision_id").join(required, how="cross")
    cast = pl.concat([votes, *turned.values()])
    community = state(decisions, required_voters=everybody, yes_no_votes=cast, **tables)
    table = decide(community, cycles=cycles).rows_by_key("decision_id", named=True, unique=True)
    roof, parts = table["roof"], weights(community, "roof", cycles=cycles)
    sums = parts.select(pl.col("weight", "weight_yes", "weight_no").sum()).row(0)
    assert tuple(round(value, 8) for value in sums) == (roof["cast"], roof["yes"], roof["no"])
    assert parts["member_id"].null_count() == 0
    for name, vote, weight, yes, no in parts.rows():
        assert (yes, no) == (weight * (vote == "yes"), weight * (vote == "no"))
        if vote != "abstain":
            assert abs(abs(table[name]["yes"] - roof["yes"]) - weight) < Decimal("0.00000005")


def _turned(name: str) -> pl.Expr:
    other = pl.when(vote="yes").then(pl.lit("no")).otherwise(pl.lit("yes"))
    return pl.when(member_id=name).then(other).otherwise("vote")


# --- what can still happen -------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(
    "options",
    [
        {"method": "simple_majority"},
        {"method": "simple_majority", "decisive_only": True, "quorum": 3},
        {"method": "supermajority", "threshold": "66%"},
        {"method": "unanimity"},
        {"method": "unanimity", "quorum": 2},
    ],
)
def test_a_delegated_decision_is_deadlocked_if_no_further_votes_by_hand_pass_it(
    seed: int, options: dict[str, Any]
) -> None:
    """C5, C7, brute force: whoever has not voted by hand votes yes, no, abstains or stays with their followings."""
    tables = network(seed, voters=3)
    names, first = tables["members"]["member_id"].to_list(), ["yes", "no", "no", "abstain"]
    by_hand = dict(zip(names[: 1 + seed % 3], first[seed % 2 :], strict=False))
    open_ = [name for name in names if name not in by_hand][:3]
    futures = list(itertools.product([None, "yes", "no", "abstain"], repeat=len(open_)))
    rows = [
        (str(number), name, vote)
        for number, future in enumerate(futures)
        for name, vote in [*by_hand.items(), *zip(open_, future, strict=True)]
        if vote is not None
    ]
    ids = [str(number) for number in range(len(futures))]
    decisions = pl.DataFrame({"decision_id": ids, "delegated": True} | options)
    asked = [*by_hand, *open_]
    required = pl.DataFrame(
        [(number, name) for number in ids for name in asked], schema=["decision_id", "member_id"], orient="row"
    )
    votes = pl.DataFrame(rows, schema=["decision_id", "member_id", "vote"], orient="row")
    table = decide(state(decisions, yes_no_votes=votes, required_voters=required, **tables))
    now = table.row(by_predicate=pl.col("decision_id") == "0", named=True)
    assert now["deadlocked"] == (not table["passed"].any())
    assert not (now["deadlocked"] and now["passed"])
    assert now["missing_votes"] == (0 if now["passed"] else None)
    assert now["missing"] is None
    voters = set(tables["members"].filter("is_voter")["member_id"])
    assert now["remaining"] == len(voters & set(open_))
    assert (now["deadlock_reason"] is not None) == now["deadlocked"]


def test_votes_are_summed_before_they_are_rounded() -> None:
    """I3: the weights of the yes, rounded half-even once to 8 places; the rest of the ballots is no."""
    followings = frame("follower_id followee_id", *(f"Ada {name}" for name in ("Kelly", "Maya", "Jack")))
    row = decide(state(DELEGATED, "Kelly yes", "Maya no", "Jack no", followings=followings)).row(0, named=True)
    assert (row["yes"], row["no"]) == (Decimal("1.33333333"), Decimal("2.66666667"))
    assert Fraction(row["yes"]) + Fraction(row["no"]) == row["cast"] == 4


def thirds(votes: str, followers: int, silent: tuple[str, ...], cycles: str, **options: Any) -> dict[str, Any]:
    """Ada, Bo and Kelly say ``yes yes no``; so many members follow all three; others follow only Ada."""
    names = [f"f{number}" for number in range(followers)]
    cast = [f"{name} {vote}" for name, vote in zip(NAMES, votes.split(), strict=False)]
    pairs = [f"{name} {followee}" for name in names for followee in NAMES[:3]] + [f"{name} Ada" for name in silent]
    decisions = pl.DataFrame([{"decision_id": "roof", "delegated": True} | options])
    community = state(decisions, *cast, followings=frame("follower_id followee_id", *pairs))
    parts = weights(community, "roof", cycles=cycles)
    row = decide(community, cycles=cycles).row(0, named=True)
    assert abs(parts["weight_yes"].sum() - row["yes"]) < Decimal("0.00000001")
    assert row["yes"] + row["no"] == row["cast"] == len(names) + len(cast) + len(silent)
    return row


@pytest.mark.slow
@pytest.mark.parametrize("cycles", RULES)
@pytest.mark.parametrize(
    ("votes", "followers", "silent", "method", "threshold", "passed", "yes"),
    [
        ("yes yes no", 3, (), "supermajority", "2/3", True, "4"),
        ("yes yes no", 3, (), "supermajority", "66.666666667%", False, "4"),
        ("yes yes no", 1, (), "supermajority", "2/3", True, "2.66666667"),
        ("yes no no", 1, (), "supermajority", "1/3", True, "1.333333334"),
        ("yes no no", 1, ("x", "y", "z", "w"), "supermajority", "2/3", True, "5.333333334"),
        ("yes no no", 1, ("x", "y", "z", "w"), "supermajority", "66.666666667%", False, "5.33333333"),
        ("yes yes no", 1, (), "supermajority", "66.666666668%", False, "2.666666666"),
        ("yes no no", 3, ("x", "y"), "simple_majority", None, False, "4"),
        ("yes no no", 3, ("x", "y", "z"), "simple_majority", None, True, "5"),
    ],
)
def test_rounding_decides_nothing(
    votes: str,
    followers: int,
    silent: tuple[str, ...],
    method: str,
    threshold: str | None,
    passed: bool,
    yes: str,
    cycles: str,
) -> None:
    """Exactly on the threshold meets it, exactly half does not, in thirds as in whole votes."""
    row = thirds(votes, followers, silent, cycles, method=method, threshold=threshold)
    assert (row["passed"], row["yes"]) == (passed, Decimal(yes))


def test_a_work_limit_is_passed_on() -> None:
    """Y3: loops that need too much work are refused."""
    pairs = [f"{one} {other}" for one in NAMES for other in NAMES if one != other]
    community = state(DELEGATED, "Kelly yes", "Jack no", followings=frame("follower_id followee_id", *pairs))
    assert len(decide(community)) == 1
    path = {"cycles": "path", "work_limit": 1}
    for count in (lambda: decide(community, **path), lambda: weights(community, "roof", **path)):
        with pytest.raises(cv.CyclicCoreTooLarge):
            count()


def test_delegated_decisions_stand_beside_others() -> None:
    """Each is counted by its own column; those with stars are left alone."""
    decisions = frame(
        "decision_id method delegated", "roof simple_majority true", "fence simple_majority false", "park star false"
    )
    votes = frame("decision_id member_id vote", "roof Kelly yes", "fence Kelly yes")
    community = state(decisions, yes_no_votes=votes, followings=frame("follower_id followee_id", "Ada Kelly"))
    assert decide(community).select("decision_id", "yes", "missing_votes").rows() == [("fence", 1, 0), ("roof", 2, 0)]
    assert decide(community, delegated=True)["yes"].to_list() == [2, 2]
    with pytest.raises(cv.UnknownDecisionError, match="counted with stars"):
        weights(community, "park")
