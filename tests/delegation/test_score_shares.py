"""What a choice's score is made of: weights and stars of manual voters, to the last unit (I3)."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest

import crowdvote_analysis as cv
from tests.delegation.literal import Community, Literal
from tests.delegation.networks import Network, many, state_of

RULES = ["path", "equilibrium"]


@pytest.mark.parametrize("cycles", RULES)
@pytest.mark.parametrize("seed", range(5))
def test_the_parts_of_a_score_sum_to_it_exactly(cycles: str, seed: int) -> None:
    """Every score that is tallied is the sum of its parts, and what rounding does is as small as rounding can be."""
    resolution = cv.resolve(state_of(many(cycles, 20, 4000 + seed)))
    voters = resolution.ballots.filter("is_voter").select("decision_id", "member_id")
    stars = resolution.stars.join(voters, on=["decision_id", "member_id"])
    keys = ["decision_id", "choice_id"]
    scores = stars.group_by(keys).agg(score=pl.col("stars").sum(), ballots=pl.len()).filter(pl.col("score") > 0)
    parts = resolution.score_shares.group_by(keys).agg(parts=pl.col("score").sum(), whole=pl.col("share").sum())
    both = scores.join(parts, on=keys, how="full")
    assert len(both) == len(scores) == len(parts) > 20
    assert (both["score"].cast(pl.Decimal(38, 18)) == both["parts"]).all()
    assert both["whole"].to_list() == pytest.approx([1.0] * len(both))
    rounding = resolution.score_shares.filter(pl.col("member_id").is_null()).join(scores, on=keys)
    assert (rounding["score"].cast(pl.Float64).abs() <= rounding["ballots"] * 5.000001e-9).all()


@pytest.mark.parametrize("cycles", RULES)
@pytest.mark.parametrize("seed", range(5))
def test_each_part_is_the_voters_weight_times_their_stars(cycles: str, seed: int) -> None:
    """The literal reading traces every tallied ballot back in fractions: every weight and every part agrees."""
    nets = many(cycles, 30, 5000 + seed)
    shares = cv.resolve(state_of(nets)).score_shares.filter(pl.col("member_id").is_not_null())
    found = {row[:3]: row[3:6] for row in shares.iter_rows()}
    # Units of 1e-18; loops of the equilibrium rule are traced as floats.
    near = Fraction(1, 10**16) if cycles == "path" else Fraction(1, 10**12)
    expected = 0
    for number, net in enumerate(nets):
        for place, ballots in enumerate(net.decisions):
            literal = Literal(Community(net.members, net.followings, ballots), net.cycles)
            for member, weight in literal.weights().items():
                for choice, stars in literal.by_hand(member).stars.items() if weight else ():  # type: ignore[union-attr]
                    if stars:
                        got = found[f"c{number}/{place}", choice, member]
                        expected += 1
                        assert abs(Fraction(got[0]) - weight) <= near
                        assert Fraction(got[1]) == stars
                        assert abs(Fraction(got[2]) - weight * stars) <= 5 * near
    assert expected == len(found) > 20


def test_what_a_division_leaves_over_is_not_lost() -> None:
    """One ballot in three parts: the weights sum to one ballot, to the last of 18 places."""
    hand = {name: ([], {"Pond": Fraction(5)}) for name in ("ada", "bo", "cy")}
    members = dict.fromkeys(["ada", "bo", "cy"], False) | {"dot": True}
    net = Network("path", members, [("dot", name, []) for name in hand], [hand])
    shares = cv.resolve(state_of([net])).score_shares
    assert shares["member_id"].to_list() == ["ada", "bo", "cy"], "nothing was rounded"
    third = "0.333333333333333333"
    assert sorted(shares["weight"].to_list()) == [Decimal(third), Decimal(third), Decimal("0.333333333333333334")]
    assert shares["score"].sum() == Decimal(5)


def test_nobody_voted() -> None:
    """A community without ballots has no scores, and the frame its columns."""
    members = pl.DataFrame({"member_id": ["ada"]})
    decisions = pl.DataFrame({"decision_id": ["lunch"]})
    shares = cv.resolve(cv.SystemState(members=members, decisions=decisions)).score_shares
    assert shares.height == 0
    assert shares.columns == ["decision_id", "choice_id", "member_id", "weight", "stars", "score", "share"]


@pytest.mark.parametrize("cycles", RULES)
@pytest.mark.parametrize("seed", range(3))
def test_chosen_ballots_are_handed_back_to_those_who_cast_them(cycles: str, seed: int) -> None:
    """Any ballots, split in two, are handed back in parts that sum to them and, added up, to all tallied weights."""
    resolution = cv.resolve(state_of(many(cycles, 20, 6000 + seed)))
    tallied = resolution.ballots.filter("is_voter", pl.col("origin") != "none").select("decision_id", "member_id")
    # A manual ballot without stars is no ballot in the tally (D5).
    tallied = tallied.join(resolution.stars, on=["decision_id", "member_id"], how="semi")
    some = tallied.with_row_index().filter(pl.col("index") % 3 == 0).drop("index")
    rest = tallied.join(some, on=["decision_id", "member_id"], how="anti")
    near = Decimal(0) if cycles == "path" else Decimal("1e-9")
    halves = [resolution.weights_of(half) for half in (some, rest)]
    for half, weights in zip((some, rest), halves, strict=True):
        sums = weights.group_by("decision_id").agg(pl.col("weight").sum())
        both = half.group_by("decision_id").agg(ballots=pl.len()).join(sums, on="decision_id", how="full")
        assert len(both) > 5
        assert all(abs(row["weight"] - row["ballots"]) <= near for row in both.to_dicts())
    added = pl.concat(halves).group_by("decision_id", "member_id").agg(pl.col("weight").sum().cast(pl.Float64))
    whole = resolution.ballots.filter(pl.col("weight") > 0).select("decision_id", "member_id", whole="weight")
    compared = added.join(whole, on=["decision_id", "member_id"], how="full")
    assert compared.null_count().sum_horizontal().item() == 0
    assert compared["weight"].to_list() == pytest.approx(compared["whole"].to_list())
