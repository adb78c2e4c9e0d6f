"""The demo communities: made anew they are the same, and every feature data/README.md promises is in them."""

from __future__ import annotations

import subprocess
import sys
import warnings
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import crowdvote_analysis as cv

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "data" / "demo"
DEMO_DATE = datetime(2026, 6, 15, 12, tzinfo=UTC)
KEYS = {
    "communities": ["community_id"],
    "members": ["community_id", "member_id"],
    "followings": ["community_id", "follower_id", "followee_id"],
    "decisions": ["decision_id"],
    "choices": ["decision_id", "choice_id"],
    "ballots": ["decision_id", "member_id"],
    "votes": ["decision_id", "member_id", "choice_id"],
    "required_voters": ["decision_id", "member_id"],
    "yes_no_votes": ["decision_id", "member_id", "voted_at"],
}
# Options of yes/no decisions; empty where a decision has no use for them.
OPTIONS = ["threshold", "quorum"]
FIGURE_EIGHT = ["ben", "maya", "olivia", "yara"]


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.DataFrame]:
    return {table: pl.read_parquet(DEMO / f"{table}.parquet") for table in KEYS}


@pytest.fixture(scope="module")
def remade(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    subprocess.run([sys.executable, ROOT / "data" / "make_demo.py", "--out", folder], check=True)
    return folder


@pytest.fixture(scope="module")
def state() -> cv.SystemState:
    return cv.SystemState.read(DEMO)


@pytest.fixture(scope="module")
def res(state) -> cv.Resolution:
    return cv.resolve(state)


@pytest.fixture(scope="module")
def by_hand(tables) -> cv.Resolution:
    """What would have come out if nobody followed anybody."""
    return cv.resolve(cv.SystemState(**(tables | {"followings": tables["followings"].clear()})))


def ballots_of(res, decision_id: str, members: list[str] | None = None) -> pl.DataFrame:
    rows = res.ballots.filter(pl.col("decision_id") == decision_id)
    return rows if members is None else rows.filter(pl.col("member_id").is_in(members)).sort("member_id")


def stars_of(res, decision_id: str, member_id: str) -> dict[str, Decimal]:
    rows = res.stars.filter(pl.col("decision_id") == decision_id, pl.col("member_id") == member_id)
    return dict(rows.select("choice_id", "stars").iter_rows())


def stats_of(res, decision_id: str) -> dict:
    return res.stats.row(by_predicate=pl.col("decision_id") == decision_id, named=True)


def member_decisions(tables) -> pl.DataFrame:
    return (
        tables["ballots"]
        .join(tables["decisions"], on="decision_id")
        .join(tables["members"], on=["community_id", "member_id"], how="left", validate="m:1")
    )


# --- the files -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", KEYS)
def test_making_the_demo_again_gives_the_committed_tables(table, tables, remade):
    """The script gives the committed rows, in the same order and types, on every run."""
    assert_frame_equal(pl.read_parquet(remade / f"{table}.parquet"), tables[table])


def test_the_demo_is_small():
    """All tables together stay well below 300 KB."""
    assert sum(file.stat().st_size for file in DEMO.iterdir()) < 100_000


@pytest.mark.parametrize("table", KEYS)
def test_keys_are_unique_and_nothing_is_missing(table, tables):
    """Every row has a key of its own and no empty cell."""
    frame = tables[table]
    assert frame.height > 0
    assert not frame.select(KEYS[table]).is_duplicated().any()
    assert frame.drop(OPTIONS, strict=False).null_count().sum_horizontal().item() == 0


@pytest.mark.parametrize(
    ("table", "columns", "parent", "parent_columns"),
    [
        ("members", ["community_id"], "communities", ["community_id"]),
        ("decisions", ["community_id"], "communities", ["community_id"]),
        ("followings", ["community_id", "follower_id"], "members", ["community_id", "member_id"]),
        ("followings", ["community_id", "followee_id"], "members", ["community_id", "member_id"]),
        ("choices", ["decision_id"], "decisions", ["decision_id"]),
        ("ballots", ["decision_id"], "decisions", ["decision_id"]),
        ("votes", ["decision_id", "member_id"], "ballots", ["decision_id", "member_id"]),
        ("votes", ["decision_id", "choice_id"], "choices", ["decision_id", "choice_id"]),
        ("required_voters", ["decision_id"], "decisions", ["decision_id"]),
        ("yes_no_votes", ["decision_id", "member_id"], "required_voters", ["decision_id", "member_id"]),
    ],
)
def test_every_reference_resolves(table, columns, parent, parent_columns, tables):
    """Nothing in the demo points to a row that is not there."""
    lost = tables[table].join(tables[parent], left_on=columns, right_on=parent_columns, how="anti")
    assert lost.is_empty()


def test_only_members_cast_ballots_and_only_while_voting_was_open(tables):
    """A ballot belongs to a member of the decision's community and lies between opening, closing and the demo date."""
    cast = member_decisions(tables)
    assert cast["is_voter"].null_count() == 0
    assert cast.filter((pl.col("cast_at") < pl.col("opens_at")) | (pl.col("cast_at") > pl.col("closes_at"))).is_empty()
    assert cast["cast_at"].max() <= DEMO_DATE


def test_the_demo_is_read_without_a_warning():
    """A newcomer's first read is quiet: nobody follows themselves or a stranger, nothing is set aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cv.SystemState.read(DEMO).members.height > 0


# --- who and what is in it -----------------------------------------------------------------------------------------


def test_there_are_two_small_communities_and_a_large_one(tables):
    """Riverside and Hillcrest have about forty members, Eastgate has three hundred."""
    sizes = dict(tables["members"].group_by("community_id").len().iter_rows())
    assert sizes == {"riverside": 42, "hillcrest": 40, "eastgate": 300}


def test_both_loop_rules_are_used(tables):
    """Hillcrest counts loops by equilibrium, the others by auto."""
    rules = dict(tables["communities"].select("community_id", "cycle_rule").iter_rows())
    assert rules == {"riverside": "auto", "hillcrest": "equilibrium", "eastgate": "auto"}


@pytest.mark.parametrize("community_id", ["riverside", "hillcrest", "eastgate"])
def test_every_community_has_open_and_closed_decisions(community_id, tables):
    """On the date of the demo each community has decided something and is deciding something."""
    here = tables["decisions"].filter(community_id=community_id, method="star")
    closed = here.filter(pl.col("closes_at") <= DEMO_DATE)
    being_decided = here.filter(pl.col("opens_at") <= DEMO_DATE, pl.col("closes_at") > DEMO_DATE)
    assert closed.height >= 2
    assert being_decided.height >= 1
    assert closed.height + being_decided.height == here.height


@pytest.mark.parametrize("community_id", ["riverside", "hillcrest", "eastgate"])
def test_every_community_has_managers_lobbyists_and_anonymous_members(community_id, tables):
    """All roles of members occur everywhere, and lobbyists are followed and vote."""
    here = tables["members"].filter(pl.col("community_id") == community_id)
    assert here["is_manager"].any()
    assert here["is_anonymous"].any()
    lobbyists = here.filter(~pl.col("is_voter"))["member_id"].implode()
    followings = tables["followings"].filter(pl.col("community_id") == community_id)
    cast = member_decisions(tables).filter(pl.col("community_id") == community_id)
    assert followings["followee_id"].is_in(lobbyists).any()
    assert cast["member_id"].is_in(lobbyists).any()


def test_an_anonymous_name_stands_nowhere_else_in_the_demo(tables):
    """A search for an anonymous member's name finds that member only, so a leak cannot hide behind a namesake (P1)."""
    anonymous = tables["members"].filter("is_anonymous")
    for name in [*anonymous["member_id"], *anonymous["display_name"]]:
        hits = sum(name.lower() in text.lower() for text in tables["members"]["display_name"])
        assert hits <= 1
        titles = [*tables["decisions"]["title"], *tables["decisions"]["description"], *tables["choices"]["title"]]
        assert not any(name.lower() in text.lower() for text in titles)


def test_ballots_may_be_untagged_partial_empty_or_fractional(tables):
    """The village green alone has every kind of ballot that people hand in."""
    cast = tables["ballots"].filter(pl.col("decision_id") == "village-green")
    votes = tables["votes"].filter(pl.col("decision_id") == "village-green")
    rated = cast.join(votes.group_by("member_id").len("rated"), on="member_id", how="left").fill_null(0)
    assert rated.filter(pl.col("rated") == 0)["member_id"].to_list() == ["rita"]
    assert rated.filter(pl.col("rated").is_between(1, 3)).height >= 3
    assert rated.filter(pl.col("tags").list.len() == 0).height >= 2
    assert votes.filter(pl.col("stars") != pl.col("stars").cast(pl.Int64))["stars"].to_list() == [Decimal("3.5")]


def test_some_members_vote_and_follow(tables):
    """Following somebody does not keep a member from voting: Kelly follows Jack and votes herself (D1)."""
    follower = tables["followings"].select("community_id", member_id="follower_id").unique()
    both = member_decisions(tables).join(follower, on=["community_id", "member_id"], how="semi")
    assert {"riverside", "hillcrest", "eastgate"} <= set(both["community_id"])
    assert not both.filter(pl.col("decision_id") == "village-green", pl.col("member_id") == "kelly").is_empty()


# --- what comes out ------------------------------------------------------------------------------------------------


def test_half_of_the_ballots_on_the_village_green_are_calculated(res):
    """Eighteen voted, eighteen followed, four have no ballot, and two lobbyists are counted apart."""
    stats = stats_of(res, "village-green")
    names = ["total_members", "manual_ballots", "calculated_ballots", "no_ballot", "lobbyists"]
    assert [stats[name] for name in names] == [40, 18, 18, 4, 2]


@pytest.mark.parametrize(
    ("decision_id", "hand_winner", "winner"),
    [
        ("village-green", "car-park", "meadow"),
        ("school-meals", "caterer", "own-kitchen"),
        ("summer-festival", "kitchen", "river-games"),
        ("bicycle-lanes", "canal-path", "station-road"),
        ("recycling-points", "corners", "squares"),
    ],
)
def test_delegation_turns_the_decision_around(decision_id, hand_winner, winner, res, by_hand):
    """Those who voted by hand want one thing; with everybody's calculated ballot another wins."""
    assert cv.tally_star(by_hand, decision_id).winner == hand_winner
    assert cv.tally_star(res, decision_id).winner == winner


@pytest.mark.parametrize(
    ("decision_id", "winner"),
    [
        ("library-hours", "saturdays"),
        ("sports-day", "june"),
        ("school-garden", "orchard"),
        ("night-bus", "weekends"),
        ("youth-centre", "bakery"),
        ("market-square", "trees"),
    ],
)
def test_delegation_leaves_the_other_decisions_as_they_were(decision_id, winner, res, by_hand):
    """In the plain decisions everybody's ballots confirm what those who voted by hand wanted."""
    assert cv.tally_star(by_hand, decision_id).winner == winner
    assert cv.tally_star(res, decision_id).winner == winner


def test_a_lobbyist_is_inherited_by_several_and_not_tallied(res):
    """Rowan of the River Trust speaks through at least five members of Riverside (M1, I4)."""
    rowan = ballots_of(res, "village-green", ["rowan"]).row(0, named=True)
    assert rowan["origin"] == "manual"
    assert not rowan["is_voter"]
    assert rowan["influence_direct"] >= 5
    assert (
        cv.tally_star(res, "village-green").vote_count == 35
    )  # 18 by hand without Rita's empty one, and 18 calculated


def test_a_lobbyist_may_hold_a_calculated_ballot(res):
    """Edda of the Health Network does not vote on the school meals, but follows, and hands on what she inherits."""
    edda = ballots_of(res, "school-meals", ["edda"]).row(0, named=True)
    assert (edda["origin"], edda["is_voter"]) == ("calculated", False)
    assert edda["influence_direct"] >= 2


def test_the_figure_eight_carries_inherited_ballots(res):
    """Olivia closes two loops, and all four members of them inherit a ballot all the same."""
    loop = ballots_of(res, "village-green", FIGURE_EIGHT)
    assert loop["origin"].to_list() == ["calculated"] * 4
    assert loop["in_loop"].all()
    sources = res.sources.filter(pl.col("decision_id") == "village-green", pl.col("outcome") == "match")
    pairs = set(sources.select("follower_id", "followee_id").iter_rows())
    assert {("olivia", "ben"), ("olivia", "maya"), ("maya", "yara")} <= pairs


def test_riverside_has_two_more_loops(res):
    """Carol and Victor follow each other, Dan, Eli and Fay in a ring: ten followings lie inside loops (Y5)."""
    assert ballots_of(res, "village-green").filter("in_loop")["member_id"].sort().to_list() == sorted(
        [*FIGURE_EIGHT, "carol", "victor", "dan", "eli", "fay"]
    )
    assert stats_of(res, "village-green")["circular_prevented"] == 10


@pytest.mark.parametrize(
    "decision_id", ["bicycle-lanes", "night-bus", "youth-centre", "market-square", "recycling-points"]
)
def test_the_loops_of_eastgate_stay_small_and_carry_ballots(decision_id, res):
    """Eighteen members of Eastgate stand in four cores with twenty-one followings, and each inherits a ballot."""
    loop = ballots_of(res, decision_id).filter("in_loop")
    assert loop.height == 2 + 3 + 6 + 7
    assert loop["origin"].unique().to_list() == ["calculated"]
    assert stats_of(res, decision_id)["circular_prevented"] == 2 + 3 + 7 + 9


@pytest.mark.parametrize(
    ("decision_id", "member_id", "other_rule"),
    [
        ("village-green", "olivia", "equilibrium"),
        ("village-green", "carol", "equilibrium"),
        ("school-meals", "aaron", "path"),
        ("bicycle-lanes", "tove-v", "equilibrium"),
    ],
)
def test_the_loop_rule_matters(decision_id, member_id, other_rule, state, res):
    """Counted by the other loop rule, the same member would hold another ballot."""
    other = cv.resolve(state, decisions=[decision_id], cycles=other_rule)
    assert stars_of(res, decision_id, member_id) != stars_of(other, decision_id, member_id)


def test_a_chain_hands_one_ballot_down_fourteen_levels(tables, res):
    """Each of fourteen neighbours in Eastgate follows only the one before, and the last holds the first one's stars."""
    assert stats_of(res, "bicycle-lanes")["max_delegation_depth"] == 14
    ballots = ballots_of(res, "bicycle-lanes")
    last = ballots.filter(pl.col("depth") == 14)["member_id"].item()
    member_id, chain = last, []
    for _ in range(14):
        follows = tables["followings"].filter(pl.col("community_id") == "eastgate", pl.col("follower_id") == member_id)
        member_id = follows["followee_id"].item()
        chain.append(member_id)
    assert ballots_of(res, "bicycle-lanes", chain[:-1])["origin"].unique().to_list() == ["calculated"]
    assert ballots_of(res, "bicycle-lanes", chain[-1:])["origin"].item() == "manual"
    assert stars_of(res, "bicycle-lanes", last) == stars_of(res, "bicycle-lanes", chain[-1])


@pytest.mark.parametrize(
    ("member_id", "causes"),
    [
        ("stella", {"no_followings"}),
        ("theo", {"no_match"}),
        ("umar", {"no_ballot"}),
        ("wanda", {"no_match", "no_ballot"}),
    ],
)
def test_members_without_a_ballot_have_different_reasons(member_id, causes, res):
    """On the village green every cause of having no ballot has a face (D7)."""
    row = ballots_of(res, "village-green", [member_id]).row(0, named=True)
    assert row["origin"] == "none"
    assert set(row["reason_detail"].split("+")) == causes


def test_the_colour_of_the_benches_is_an_unresolved_tie(res):
    """Green and blue stay level with the two inherited ballots, and no step of the count can tell them apart (K7)."""
    assert stats_of(res, "bench-colour")["calculated_ballots"] == 2
    with pytest.raises(cv.UnresolvedTieError) as tie:
        cv.tally_star(res, "bench-colour")
    assert sorted(tie.value.tied) == ["blue", "green"]
    assert sorted(tie.value.possible_winners) == ["blue", "green"]


def test_the_tie_about_sports_day_is_resolved_by_preferences(res):
    """May and July have the same score for the second place, and more ballots prefer May (K4)."""
    voters = ballots_of(res, "sports-day").filter("is_voter")
    stars = res.stars.filter(pl.col("decision_id") == "sports-day").join(voters, on="member_id", how="semi")
    totals = dict(stars.group_by("choice_id").agg(pl.col("stars").sum()).iter_rows())
    assert stats_of(res, "sports-day")["calculated_ballots"] == 3
    assert totals["may"] == totals["july"] == Decimal(33)
    tally = cv.tally_star(res, "sports-day")
    assert list(tally.finalists) == ["june", "may"]
    assert tally.winner == "june"


def test_every_decision_but_one_has_a_winner(tables, res):
    """All decisions can be tallied at once, and only the benches are left to the managers."""
    results = cv.tally_all(res)
    assert sorted(results["decision_id"]) == sorted(tables["decisions"].filter(method="star")["decision_id"])
    assert results.filter(pl.col("winner").is_null())["decision_id"].to_list() == ["bench-colour"]


# --- yes/no decisions ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def decided(state) -> dict[str, dict]:
    return {row["decision_id"]: row for row in cv.decide(state, at=DEMO_DATE).iter_rows(named=True)}


@pytest.mark.parametrize(
    ("decision_id", "status", "counts"),
    [
        ("hall-roof", "approved", (10, 5, 3, 1)),
        ("statutes", "active", (10, 3, 4, 0)),
        ("night-lights", "active", (40, Decimal("20.5"), Decimal("14.5"), 1)),
        ("phone-free", "rejected", (10, 5, 0, 1)),
        ("exchange", "active", (10, 4, 1, 1)),
        ("car-free-sundays", "active", (294, 63, 48, 12)),
        ("clock-tower", "expired", (7, 0, 0, 0)),
    ],
)
def test_yes_no_decisions_come_out_as_described(decision_id, status, counts, decided):
    """Required voters, yes, no and abstentions of every yes/no decision, as data/README.md has them."""
    row = decided[decision_id]
    assert row["status"] == status
    assert tuple(row[name] for name in ("required", "yes", "no", "abstain")) == counts


def test_each_yes_no_decision_shows_something_else(decided):
    """Passed, deadlocked, three votes short, without its quorum, and answered by nobody (C2 to C6)."""
    assert decided["hall-roof"]["passed"]
    assert decided["statutes"]["deadlocked"]
    assert decided["exchange"]["missing_votes"] == 3
    assert decided["phone-free"]["reason"] == "Quorum not met. Need 10 votes, got 6"
    assert decided["car-free-sundays"]["out_of"] == 63 + 48
    assert decided["clock-tower"]["reason"] == "No votes have been cast"


def test_a_changed_vote_decided_about_the_roof(state, decided):
    """Petra said no first; had she kept to it, the roof would have failed (C1)."""
    mine = state.yes_no_votes.filter(decision_id="hall-roof", member_id="petra").sort("voted_at")
    assert mine["vote"].to_list() == ["no", "yes"]
    before = cv.decide(state, ["hall-roof"], at=mine["voted_at"][0])
    assert before["no"].item() >= 1
    kept = decided["hall-roof"]["yes"] - 1
    assert kept * 2 <= decided["hall-roof"]["cast"]


def test_delegation_turns_the_street_lights_around(state, decided):
    """Of those who voted by hand most say no; with the votes that pass along followings it passes (C7)."""
    assert decided["night-lights"]["passed"]
    by_hand = cv.decide(state, ["night-lights"], at=DEMO_DATE, delegated=False).row(0, named=True)
    assert not by_hand["passed"]
    assert (by_hand["yes"], by_hand["no"], by_hand["abstain"]) == (7, 8, 1)


def test_anonymous_members_vote_and_are_missed(tables):
    """Privacy has something to hide: an anonymous member has voted in one decision and is missing in another (P1)."""
    votes, required = tables["yes_no_votes"], tables["required_voters"]
    asked = required.filter(member_id="rosalind").join(votes, on=["decision_id", "member_id"], how="left")
    assert set(asked["vote"]) == {"yes", None}


def test_votes_are_cast_while_a_decision_is_open(tables):
    """No vote lies before the opening, after the deadline or after the date of the demo."""
    votes = tables["yes_no_votes"].join(tables["decisions"], on="decision_id")
    assert votes.filter(~pl.col("voted_at").is_between("opens_at", "closes_at", closed="left")).is_empty()
    assert votes["voted_at"].max() <= DEMO_DATE
