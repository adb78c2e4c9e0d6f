"""The tables against each other: what is refused, set aside, merged, derived, warned of, written and read."""

from __future__ import annotations

import random
import warnings
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import crowdvote_analysis as cv
from crowdvote_analysis import tables
from tests.delegation.networks import many, state_of

SECRET = "Xaver-Q"  # an anonymous member; the name must appear nowhere


def frame(columns: str, *rows: str) -> pl.DataFrame:
    """``frame("member_id stars", "Kelly 5")``: text columns; ``-`` is null, ``_`` is a blank."""
    cells = [[None if cell == "-" else cell.replace("_", " ") for cell in row.split()] for row in rows]
    return pl.DataFrame(cells, schema=dict.fromkeys(columns.split(), pl.String), orient="row")


def quietly(**frames: Any) -> cv.SystemState:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cv.TableWarning)
        return cv.SystemState(**frames)


def noted(**frames: Any) -> cv.SystemState:
    """The state, after checking that every note was issued as a warning too."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        state = cv.SystemState(**frames)
    assert [str(warning.message) for warning in caught] == list(state.notes)
    assert {warning.category for warning in caught} <= {cv.TableWarning}
    return state


def refused(**frames: Any) -> cv.InvalidTableError:
    with pytest.raises(cv.InvalidTableError) as caught:
        quietly(**frames)
    return caught.value


VOTES = frame("member_id choice_id stars", "Kelly Swings 5", "Kelly Pond 2", "Jack Pond 4")


# --- ids that point to nothing --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frames", "table", "rule"),
    [
        (
            {"communities": frame("community_id", "k"), "members": frame("community_id member_id", "x Kelly")},
            "members",
            "the community is not in the table communities",
        ),
        (
            {"communities": frame("community_id", "k"), "decisions": frame("community_id decision_id", "x d")},
            "decisions",
            "the community is not in the table communities",
        ),
        (
            {
                "communities": frame("community_id", "k"),
                "members": frame("community_id member_id", "k Kelly"),
                "followings": frame("community_id follower_id followee_id", "x Kelly Jack"),
            },
            "followings",
            "the community is not in the table communities",
        ),
        (
            {"decisions": frame("decision_id", "d"), "choices": frame("decision_id choice_id", "x Swings")},
            "choices",
            "the decision is not in the table decisions",
        ),
        (
            {"decisions": frame("decision_id", "d"), "ballots": frame("decision_id member_id", "x Kelly")},
            "ballots",
            "the decision is not in the table decisions",
        ),
        (
            {"choices": frame("choice_id", "Swings"), "votes": frame("member_id choice_id stars", "Kelly Pond 5")},
            "votes",
            "the choice is not in the table choices of this decision",
        ),
        (
            {"ballots": frame("member_id", "Kelly"), "votes": VOTES},
            "votes",
            "the member has no row in the table ballots for this decision",
        ),
    ],
)
def test_an_id_that_points_to_nothing_is_refused(frames: dict[str, pl.DataFrame], table: str, rule: str) -> None:
    """The error names the table, the number of rows, the rule, the row and the way out."""
    error = refused(**frames)
    assert (error.table, sum(error.counts.values())) == (table, 1)
    for part in (f"{table}: 1 row: {rule} (first: row ", "Fix the rows", "quarantine"):
        assert part in str(error)


def test_a_choice_of_another_decision_is_unknown() -> None:
    """Choices belong to their decision, however they are called."""
    error = refused(
        choices=frame("decision_id choice_id", "d Swings", "e Pond"),
        ballots=frame("decision_id member_id", "d Kelly", "e Kelly"),
        votes=frame("decision_id member_id choice_id stars", "d Kelly Pond 5", "e Kelly Pond 5"),
    )
    assert "votes: 1 row: the choice is not in the table choices of this decision (first: row 1:" in str(error)


def test_errors_count_all_rows_and_show_the_first_three() -> None:
    """Row numbers count from 1 and stand in the order of the table."""
    stars = ["1", "7", "8", "2", "9", "6", "x"]
    votes = pl.DataFrame({"member_id": [f"m{n}" for n in range(7)], "choice_id": "X", "stars": stars})
    error = refused(votes=votes)
    assert error.counts == {"stars|max": 4, "stars|type": 1}
    text = str(error)
    assert "votes: 4 rows: stars outside 0 to 5 (K9) (first: row 2: " in text
    assert "row 3: " in text
    assert "row 5: " in text
    assert "row 6: " not in text
    assert "row 7: " in text
    assert "'m1'" in text
    assert "stars '7'" in text
    assert text.endswith("quarantine (--quarantine on the command line).")


def test_all_that_is_wrong_is_said_at_once() -> None:
    """One error lists every table and rule, so that a file is corrected in one go."""
    error = refused(
        members=frame("member_id is_voter", "Kelly maybe", "Jack true"),
        followings=frame("follower_id followee_id", "Kelly -"),
        votes=frame("member_id choice_id stars", "Kelly Swings 9", "Jack Swings -"),
    )
    assert {problem.table for problem in error.problems} == {"members", "followings", "votes"}
    assert sum(error.counts.values()) == 4


# --- members who are not there, loops of one, pairs that repeat ------------------------------------------------------


def test_a_following_of_somebody_who_is_no_member_is_kept_with_a_warning() -> None:
    """D6: it gives nothing, and says so; one by somebody who is no member has no effect."""
    state = noted(
        members=frame("member_id", "Kelly", "Maya"),
        followings=frame("follower_id followee_id", "Maya Gone", "Gone Kelly"),
        votes=frame("member_id choice_id stars", "Kelly Swings 5"),
    )
    assert len(state.followings) == 2
    assert len(state.notes) == 2
    assert "followings: 1 rows have a follower_id that is not a member (first: 'Gone')" in state.notes[0]
    assert "not_a_member (D6)" in state.notes[1]
    resolution = cv.resolve(state)
    assert resolution.sources.select("follower_id", "followee_id", "outcome").rows() == [
        ("Maya", "Gone", "not_a_member")
    ]
    assert resolution.ballots.filter(member_id="Maya")["reason_detail"].to_list() == ["not_a_member"]


def test_a_ballot_of_somebody_who_is_no_member_is_kept_not_counted_and_reported() -> None:
    """M3."""
    state = noted(
        members=frame("member_id", "Kelly", "Maya"),
        followings=frame("follower_id followee_id", "Maya Jack"),
        votes=VOTES,
    )
    assert len(state.votes) == 3
    assert any("ballots: 1 were cast by somebody who is not a member (first: 'Jack')" in note for note in state.notes)
    resolution = cv.resolve(state)
    assert resolution.stars["member_id"].unique().to_list() == ["Kelly"]
    assert resolution.stats["non_member_ballots"].item() == 1
    assert resolution.stats["tallied_ballots"].item() == 1


def test_a_member_of_another_community_is_no_member_here() -> None:
    """D2, D6: followings stay inside the community, ballots too."""
    state = noted(
        members=frame("community_id member_id", "k Maya", "l Kelly"),
        followings=frame("community_id follower_id followee_id", "k Maya Kelly"),
        decisions=frame("community_id decision_id", "k d", "l e"),
        votes=frame("decision_id member_id choice_id stars", "d Kelly Swings 5", "e Kelly Swings 5"),
    )
    resolution = cv.resolve(state)
    assert resolution.ballots.select("decision_id", "member_id", "origin").rows() == [
        ("d", "Maya", "none"),
        ("e", "Kelly", "manual"),
    ]


def test_a_self_following_is_read_with_a_warning_as_a_loop_of_one() -> None:
    """D8."""
    state = noted(followings=frame("follower_id followee_id", "Maya Maya", "Maya Kelly"), votes=VOTES)
    assert len(state.notes) == 1
    assert "followings: 1 rows follow themselves (first: 'Maya')" in state.notes[0]
    resolution = cv.resolve(state)
    assert resolution.sources["outcome"].to_list() == ["match", "circular"]
    assert resolution.stats["circular_prevented"].item() == 1


@pytest.mark.parametrize(
    ("tags", "merged"),
    [
        ([["a"], ["b"]], ["a", "b"]),
        ([["B"], ["a", "b "], ["c"]], ["a", "b", "c"]),
        ([["a"], []], []),
        ([[], ["a"]], []),
        ([[], []], []),
    ],
)
def test_followings_of_one_pair_are_merged_with_a_warning(tags: list[list[str]], merged: list[str]) -> None:
    """D8: union of tags, ALL wins; other pairs stay as they are."""
    followings = pl.DataFrame(
        {"follower_id": "Maya", "followee_id": "Kelly", "tags": tags, "order": list(range(5, 5 + len(tags)))},
        schema_overrides={"tags": pl.List(pl.String)},
    )
    other = followings.head(1).with_columns(followee_id=pl.lit("Jack"))
    state = noted(followings=pl.concat([other, followings]), votes=VOTES)
    assert state.followings.filter(followee_id="Kelly").select("tags", "order").rows() == [(merged, 5)]
    assert state.followings["followee_id"].to_list() == ["Jack", "Kelly"]
    assert state.notes[:1] == (
        f"followings: {len(tags)} rows repeat a pair and were merged into 1: union of tags, ALL wins (D8).",
    )


# --- tables that are not given --------------------------------------------------------------------------------------


def test_tables_that_are_not_given_are_derived() -> None:
    """Members are whoever follows, is followed or voted; choices whatever was rated; one decision, one community."""
    state = noted(followings=frame("follower_id followee_id", "Maya Kelly", "Kelly Olaf"), votes=VOTES)
    assert state.members["member_id"].to_list() == ["Jack", "Kelly", "Maya", "Olaf"]
    assert state.members["is_voter"].all()
    assert state.choices.select("choice_id", "position").rows() == [("Pond", 0), ("Swings", 1)]
    assert state.ballots["member_id"].to_list() == ["Jack", "Kelly"]
    assert state.decisions.select("community_id", "decision_id").rows() == [("community", "decision")]
    assert state.communities.select("community_id", "cycle_rule").rows() == [("community", "auto")]


def test_a_ballot_without_votes_is_a_ballot_without_stars() -> None:
    """D5: its owner has a manual ballot, nobody inherits it."""
    state = noted(ballots=frame("member_id", "Kelly"), followings=frame("follower_id followee_id", "Maya Kelly"))
    assert cv.resolve(state).ballots.select("member_id", "origin", "reason_detail").rows() == [
        ("Kelly", "manual", None),
        ("Maya", "none", "no_ballot"),
    ]


def test_an_absent_id_column_means_the_only_one_there_is() -> None:
    """Tables that name their one community or decision lend the name to those that do not."""
    state = noted(
        members=frame("community_id member_id", "k Kelly", "k Maya"),
        followings=frame("follower_id followee_id", "Maya Kelly"),
        choices=frame("decision_id choice_id", "park Swings"),
        votes=frame("member_id choice_id stars", "Kelly Swings 5"),
    )
    assert state.followings["community_id"].to_list() == ["k"]
    assert state.votes["decision_id"].to_list() == ["park"]
    assert cv.resolve(state).ballots["origin"].to_list() == ["manual", "calculated"]


def test_followings_that_name_the_one_community_are_counted_with_the_votes() -> None:
    """Where only followings name the community, ballots that name none belong to it too."""
    state = noted(
        followings=frame("community_id follower_id followee_id", "k Maya Kelly"),
        votes=frame("member_id choice_id stars", "Kelly Swings 5"),
    )
    assert cv.resolve(state).ballots.select("member_id", "origin").rows() == [
        ("Kelly", "manual"),
        ("Maya", "calculated"),
    ]


def test_several_communities_without_a_table_of_decisions_are_refused() -> None:
    """Who decides what is never guessed, wherever the communities are named."""
    for known in (
        {"members": frame("community_id member_id", "k Kelly", "l Maya")},
        {"followings": frame("community_id follower_id followee_id", "k Maya Kelly", "l Maya Jack")},
        {"communities": frame("community_id", "k", "l")},
    ):
        error = refused(**known, votes=VOTES)
        assert error.table in ("decisions", "members", "followings")


@pytest.mark.parametrize(
    ("frames", "table", "column"),
    [
        (
            {
                "followings": frame("community_id follower_id followee_id", "k Maya Kelly", "l Maya Jack"),
                "members": frame("member_id", "Maya"),
            },
            "members",
            "community_id",
        ),
        (
            {
                "members": frame("community_id member_id", "k Kelly", "l Kelly"),
                "followings": frame("follower_id followee_id", "Kelly Jack"),
            },
            "followings",
            "community_id",
        ),
        (
            {
                "followings": frame("community_id follower_id followee_id", "k Maya Kelly", "l Maya Jack"),
                "decisions": frame("decision_id", "d"),
            },
            "decisions",
            "community_id",
        ),
        (
            {"choices": frame("decision_id choice_id", "d X", "e X"), "ballots": frame("member_id", "Kelly")},
            "ballots",
            "decision_id",
        ),
    ],
)
def test_which_of_several_is_meant_is_never_guessed(frames: dict[str, pl.DataFrame], table: str, column: str) -> None:
    """D2: under a name of their own, the rows would meet nobody, and nobody would be told."""
    for quarantine in (False, True):
        error = refused(**frames, quarantine=quarantine)
        assert error.table == table
        assert f"the column {column} is missing, and there are several" in str(error)
        assert "'k', 'l'" in str(error) or "'d', 'e'" in str(error)


def test_the_table_of_communities_says_which_there_are() -> None:
    """A community it does not list is a bad row, and no second home for the rest."""
    known = {"communities": frame("community_id", "k"), "votes": VOTES}
    followings = frame("community_id follower_id followee_id", "k Maya Kelly", "x Maya Jack")
    assert refused(**known, followings=followings).counts == {"unknown_community_id": 1}
    state = noted(**known, followings=followings, quarantine=True)
    assert state.decisions["community_id"].to_list() == ["k"]
    assert state.quarantined["followings"]["row"].to_list() == [2]


def test_an_empty_table_needs_no_community() -> None:
    """Several communities are no trouble to a table without rows."""
    members = frame("community_id member_id", "k Kelly", "l Kelly")
    assert noted(members=members, followings=frame("follower_id followee_id")).followings.is_empty()


def test_nothing_at_all_is_a_state_without_rows() -> None:
    """Empty tables are tables."""
    for state in (noted(), noted(**{name: tables.empty(name) for name in tables.TABLES})):
        assert all(getattr(state, name).is_empty() for name in tables.TABLES)
        resolution = cv.resolve(state)
        assert resolution.ballots.is_empty()
        assert resolution.sources.is_empty()


@pytest.mark.parametrize("table", tables.TABLES)
def test_an_empty_frame_with_columns_of_any_type_is_empty(table: str) -> None:
    """A CSV that has a header only, read as text or as null."""
    for dtype in (pl.String, pl.Null):
        empty = pl.DataFrame(schema=dict.fromkeys(tables.columns(table), dtype))
        assert getattr(noted(**{table: empty}), table).is_empty()


def test_a_decision_without_members_choices_or_ballots_is_counted_as_nothing() -> None:
    """Its statistics are zeros, not nulls."""
    state = noted(decisions=frame("decision_id", "d"))
    row = cv.resolve(state).stats.row(0, named=True)
    assert row.pop("decision_id") == "d"
    assert set(row.values()) == {0}


@pytest.mark.parametrize("wrong", [[1], {"member_id": ["Kelly"]}, "votes.csv", VOTES.lazy()])
def test_what_is_no_frame_is_refused_in_our_words_or_as_a_type_error(wrong: Any) -> None:
    """Never an error from deep inside."""
    with pytest.raises((cv.CrowdVoteError, TypeError), match="votes"):
        cv.SystemState(votes=wrong)


def test_a_decision_that_is_not_there_is_named_with_those_that_are() -> None:
    """So is a rule for loops that nobody knows."""
    state = noted(votes=VOTES)
    with pytest.raises(cv.UnknownDecisionError, match=r"'lunch' is not in the table decisions .*: decision\)"):
        cv.resolve(state, decisions=["lunch"])
    with pytest.raises(ValueError, match=r"'round'.*'auto' \(Y6\), 'path' \(Y1\) and 'equilibrium' \(Y4\)"):
        cv.resolve(state, cycles="round")


# --- writing and reading --------------------------------------------------------------------------------------------


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """Every table comes back with the same rows, in the order of its keys, and counts the same."""
    state = state_of([*many("path", 60, 21), *many("equilibrium", 20, 22)])
    state.write(tmp_path / "new" / "folder")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cv.TableWarning)
        again = cv.SystemState.read(tmp_path / "new" / "folder")
    for name in tables.TABLES:
        assert getattr(again, name).equals(getattr(state, name).sort(tables.key(name))), name
    assert cv.resolve(again).ballots.equals(cv.resolve(state).ballots)
    assert cv.resolve(again).stars.equals(cv.resolve(state).stars)


def test_unknown_columns_are_written_back(tmp_path: Path) -> None:
    """Beside the rows they came with, whatever the order of rows."""
    votes = VOTES.with_columns(note=pl.Series(["x", None, "z"]))
    followings = frame("follower_id followee_id since", "Maya Kelly 2020", "Ada Kelly 2021")
    state = quietly(votes=votes, followings=followings)
    state.write(tmp_path)
    assert pl.read_parquet(tmp_path / "votes.parquet").sort("stars")["note"].to_list() == [None, "z", "x"]
    assert pl.read_parquet(tmp_path / "followings.parquet").select("follower_id", "since").rows() == [
        ("Ada", "2021"),
        ("Maya", "2020"),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cv.TableWarning)
        again = cv.SystemState.read(tmp_path)
    assert again.unknown["followings"].sort("follower_id")["since"].to_list() == ["2021", "2020"]


def test_writing_leaves_other_files_alone_and_replaces_its_own(tmp_path: Path) -> None:
    """The folder afterwards holds all tables and what else was there."""
    (tmp_path / "notes.txt").write_text("mine")
    noted(votes=VOTES).write(tmp_path)
    noted(votes=VOTES.head(1)).write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"notes.txt", *(f"{name}.parquet" for name in tables.TABLES)}
    assert pl.read_parquet(tmp_path / "votes.parquet").height == 1


def test_the_frames_given_are_not_changed() -> None:
    """A state takes nothing away from its maker."""
    votes, followings = VOTES.clone(), frame("follower_id followee_id tags", "Maya Kelly B;a", "Maya Kelly c")
    before = followings.clone()
    quietly(votes=votes, followings=followings)
    assert votes.equals(VOTES)
    assert followings.equals(before)


# --- quarantine -----------------------------------------------------------------------------------------------------


def test_quarantine_sets_bad_rows_aside_with_reasons() -> None:
    """The columns as given, the row number, every reason; a warning says how many."""
    state = noted(
        members=frame("member_id is_voter is_manager", "Kelly true true", "Jack maybe perhaps", "Maya false -"),
        votes=frame("member_id choice_id stars", "Kelly Swings 5"),
        quarantine=True,
    )
    assert state.members["member_id"].to_list() == ["Kelly", "Maya"]
    assert state.quarantined["members"].rows(named=True) == [
        {
            "row": 2,
            "member_id": "Jack",
            "is_voter": "maybe",
            "is_manager": "perhaps",
            "reasons": [
                f"{name} is neither true nor false; understood are true, t, yes, y, 1 and false, f, no, n, 0"
                for name in ("is_voter", "is_manager")
            ],
        }
    ]
    assert state.notes == ("members: 1 rows were set aside and are not counted.",)


@pytest.mark.parametrize("with_ballots", [True, False])
@pytest.mark.parametrize("with_decisions", [True, False])
@pytest.mark.parametrize("bad", ["9", "x", "-", "0.000000001"])
def test_one_bad_star_takes_the_whole_ballot_along(with_ballots: bool, with_decisions: bool, bad: str) -> None:
    """Counting the rest as cast would turn the missing star into a 0."""
    votes = frame("member_id choice_id stars", "Kelly Swings 5", f"Kelly Pond {bad}", "Jack Pond 4")
    ballots = frame("member_id tags", "Kelly budget", "Jack trees")
    if with_decisions:
        votes, ballots = (f.with_columns(decision_id=pl.lit("d")) for f in (votes, ballots))
    given_ballots = {"ballots": ballots} if with_ballots else {}
    state = noted(votes=votes, **given_ballots, quarantine=True)
    assert state.votes["member_id"].to_list() == ["Jack"]
    assert state.ballots["member_id"].to_list() == ["Jack"]
    assert state.quarantined["votes"]["row"].to_list() == [1, 2]
    assert state.quarantined["ballots"]["member_id"].to_list() == ["Kelly"]


@pytest.mark.parametrize("with_ballots", [True, False])
def test_a_ballot_with_nothing_but_bad_stars_is_set_aside(with_ballots: bool) -> None:
    """Also when no good vote is left in the whole table."""
    ballots = {"ballots": frame("member_id", "Kelly")} if with_ballots else {}
    state = noted(votes=frame("member_id choice_id stars", "Kelly Swings 9"), **ballots, quarantine=True)
    assert state.votes.is_empty()
    assert state.ballots.is_empty()
    assert state.quarantined["votes"]["row"].to_list() == [1]


def test_a_bad_ballot_takes_its_stars_along() -> None:
    """A ballot that stands there twice is not counted in part."""
    state = noted(ballots=frame("member_id", "Kelly", "Kelly", "Jack"), votes=VOTES, quarantine=True)
    assert state.votes["member_id"].to_list() == ["Jack"]
    assert state.quarantined["votes"]["reasons"].to_list() == [["its row in the table ballots is set aside"]] * 2


def test_a_bad_ballot_is_said_once() -> None:
    """Its votes are not reported as those of nobody: the ballot is there, if not readable."""
    error = refused(ballots=frame("member_id", "Kelly", "Kelly", "Jack"), votes=VOTES)
    assert error.counts == {"primary_key": 2}


def test_a_bad_community_takes_everything_in_it_along() -> None:
    """Rows that cannot stand without another are set aside with it; other communities are counted."""
    state = noted(
        communities=frame("community_id cycle_rule", "k path", "l round"),
        members=frame("community_id member_id", "k Kelly", "l Jack"),
        followings=frame("community_id follower_id followee_id", "k Maya Kelly", "l Maya Jack"),
        decisions=frame("community_id decision_id", "k d", "l e"),
        choices=frame("decision_id choice_id", "d Swings", "e Swings"),
        ballots=frame("decision_id member_id", "d Kelly", "e Jack"),
        votes=frame("decision_id member_id choice_id stars", "d Kelly Swings 5", "e Jack Swings 5"),
        quarantine=True,
    )
    assert {name: aside["row"].to_list() for name, aside in state.quarantined.items()} == {
        name: [2] for name in tables.TABLES if name not in ("required_voters", "yes_no_votes")
    }
    assert cv.resolve(state).stars.rows() == [("d", "Kelly", "Swings", Decimal(5))]


@pytest.mark.slow
@settings(max_examples=25)
@given(seed=st.integers(0, 2**32))
def test_quarantine_loses_nothing_and_splits_no_ballot(seed: int) -> None:
    """Good and quarantined rows together are the rows given, and every ballot left has all its stars."""
    order = random.Random(seed)
    state = state_of(many("path", 4, seed))
    frames = {
        "communities": state.communities,
        "members": state.members.cast({"is_voter": pl.String}),
        "followings": state.followings.cast({"order": pl.String}),
        "decisions": state.decisions.with_columns(pl.lit("star").alias("method")),
        "choices": state.choices.cast({"position": pl.String}),
        "ballots": state.ballots.with_columns(cast_at=pl.lit("2026-05-01")),
        "votes": state.votes.cast({"stars": pl.String}),
    }
    spoil = {
        "members": ("is_voter", "perhaps"),
        "followings": ("order", "x"),
        "decisions": ("method", "dice"),
        "choices": ("position", "first"),
        "ballots": ("cast_at", "then"),
        "votes": ("stars", "9"),
    }
    for table in order.sample(list(spoil), order.randrange(1, 4)):
        column, text = spoil[table]
        hit = pl.Series([order.random() < 0.15 for _ in range(len(frames[table]))], dtype=pl.Boolean)
        frames[table] = frames[table].with_columns(pl.when(hit).then(pl.lit(text)).otherwise(column).alias(column))
        if order.random() < 0.3 and len(frames[table]) and table != "followings":
            frames[table] = pl.concat([frames[table], frames[table].head(1)])
    kept = quietly(**frames, quarantine=True)
    for name, given_frame in frames.items():
        keys = tables.key(name)
        aside = kept.quarantined.get(name, pl.DataFrame(schema=dict.fromkeys(keys, pl.String)))
        assert len(getattr(kept, name)) + len(aside) == len(given_frame), name
        rows = sorted([*getattr(kept, name).select(keys).rows(), *aside.select(keys).rows()])
        assert rows == sorted(given_frame.select(keys).rows()), name
    ballot = ["decision_id", "member_id"]
    left = kept.votes.group_by(ballot).len().join(frames["votes"].group_by(ballot).len(), on=ballot, suffix="_given")
    assert (left["len"] == left["len_given"]).all()
    bare = kept.ballots.join(kept.votes, on=ballot, how="anti")
    assert bare.join(frames["votes"], on=ballot, how="semi").is_empty()
    cv.resolve(kept)


# --- anonymous members (P1) -----------------------------------------------------------------------------------------


def hidden(**frames: Any) -> list[str]:
    """Every error text, warning and note; none may hold the secret."""
    said: list[str] = []
    for quarantine in (False, True):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                said += cv.SystemState(**frames, quarantine=quarantine).notes
            except cv.CrowdVoteError as error:
                said += [str(error), repr(error), *(str(problem) for problem in getattr(error, "problems", ()))]
        said += [str(warning.message) for warning in caught]
    assert said
    for text in said:
        assert SECRET not in text
        assert "Quirin" not in text
    return said


MEMBERS = frame("member_id display_name is_anonymous", f"{SECRET} Quirin true", "Kelly Kelly false")


@pytest.mark.parametrize(
    "frames",
    [
        {"votes": frame("member_id choice_id stars", f"{SECRET} Swings 9")},
        {"votes": frame("member_id choice_id stars", f"{SECRET} Swings 5", f"{SECRET} Swings 5")},
        {"ballots": frame("member_id cast_at", f"{SECRET} soon")},
        {"ballots": frame("member_id", "Kelly"), "votes": frame("member_id choice_id stars", f"{SECRET} Swings 5")},
        {"followings": frame("follower_id followee_id order", f"{SECRET} Kelly x", f"Kelly {SECRET} y")},
        {"followings": frame("follower_id followee_id", f"{SECRET} {SECRET}")},
        {"followings": frame("follower_id followee_id", f"Quirin {SECRET}", f"{SECRET} Quirin")},
        {"followings": frame("follower_id followee_id", f"Kelly {SECRET}", f"Kelly {SECRET}")},
    ],
)
def test_an_anonymous_member_is_named_in_no_error_and_no_warning(frames: dict[str, pl.DataFrame]) -> None:
    """P1, whatever is wrong with their rows."""
    hidden(members=MEMBERS, **frames)


@pytest.mark.parametrize(
    "row",
    [
        f"{SECRET} Quirin perhaps true",
        f"{SECRET} Quirin true maybe",
        f"- {SECRET} true true",
        f"{SECRET} Quirin true 1",
    ],
)
def test_an_anonymous_member_whose_own_row_is_bad_is_not_named_either(row: str) -> None:
    """P1, even if it cannot be read whether they are anonymous: that errs on the side of silence."""
    columns = "member_id display_name is_anonymous is_voter"
    members = frame(columns, row, row, "Kelly Kelly false true")
    hidden(
        members=members,
        followings=frame("follower_id followee_id", f"{SECRET} {SECRET}"),
        votes=frame("member_id choice_id stars", f"{SECRET} Swings 9", "Kelly Swings 5"),
    )


def test_an_anonymous_member_set_aside_is_not_named_as_a_stranger() -> None:
    """Out of the table of members, their ballots and followings are those of nobody, and still nameless."""
    said = hidden(
        members=frame("member_id is_anonymous is_voter", f"{SECRET} true maybe", "Kelly false true"),
        followings=frame("follower_id followee_id", f"Kelly {SECRET}", f"{SECRET} Kelly"),
        votes=frame("member_id choice_id stars", f"{SECRET} Swings 5"),
    )
    assert any("an anonymous member" in text and "M3" in text for text in said)


@pytest.mark.parametrize("dtype", [pl.Int64, pl.Float64, pl.Datetime("us"), pl.Boolean])
def test_an_anonymous_member_with_an_id_that_is_no_text_is_not_named(dtype: Any) -> None:
    """The id is hidden however it is written as text."""
    ids = pl.Series([1]).cast(dtype)
    as_text = ids.cast(pl.String).item()
    members = pl.DataFrame({"member_id": ids, "is_anonymous": [True]})
    followings = pl.DataFrame({"follower_id": [as_text], "followee_id": [as_text]})
    state = quietly(members=members, followings=followings, votes=tables.empty("votes"))
    (note,) = [note for note in state.notes if "follow themselves" in note]
    assert "(first: an anonymous member)" in note


def test_an_anonymous_member_is_hidden_however_another_table_writes_the_id() -> None:
    """An id that is text here may be true or false there."""
    votes = pl.DataFrame({"member_id": [True], "choice_id": ["Swings"], "stars": ["9"]})
    error = refused(members=frame("member_id is_anonymous", "true true"), votes=votes)
    assert "member_id (an anonymous member)" in str(error)
    assert "true" not in str(error).lower()


def test_an_anonymous_member_of_one_community_is_named_nowhere() -> None:
    """The same id in another community may be the same person."""
    hidden(
        members=frame("community_id member_id is_anonymous", f"k {SECRET} true", f"l {SECRET} false"),
        followings=frame("community_id follower_id followee_id", f"l {SECRET} {SECRET}"),
    )


def test_others_are_named() -> None:
    """Errors help: whoever is not anonymous is named."""
    error = refused(members=MEMBERS, votes=frame("member_id choice_id stars", "Kelly Swings 9", f"{SECRET} Swings 9"))
    assert "member_id 'Kelly'" in str(error)
    assert "member_id (an anonymous member)" in str(error)


# --- where it stands in the file ------------------------------------------------------------------------------------


def test_the_line_and_the_column_of_the_file_are_said_where_the_reader_gave_them() -> None:
    """Rows are counted as the person sees them who has the file open; the two columns are no part of the table."""
    votes = pl.DataFrame(
        {
            "member_id": ["Kim", "Lou", "Kim", "Lou"],
            "choice_id": ["Ann", "Ann", "Ben", "Ben"],
            "stars": ["5", "7", "9", "4 stars"],
            "__line__": [2, 3, 2, 3],
            "__column__": ["Rate Ann", "Rate Ann", "Rate Ben", "Rate Ben"],
        }
    )
    text = str(refused(votes=votes))
    assert "(first: line 2, column Rate Ben: member_id 'Kim', choice_id 'Ben', stars '9'; line 3, column Rate" in text
    assert "(first: line 3, column Rate Ben: member_id 'Lou', choice_id 'Ben', stars '4 stars')" in text
    assert "row " not in text.replace("1 row:", "").replace("2 rows:", "")
    assert quietly(votes=votes.filter(pl.lit(value=False))).notes == ()


def test_lines_alone_are_said_as_lines_and_a_row_without_one_as_a_row() -> None:
    """Where a row is a line there is no column to name; a row that some program added has no line."""
    members = frame("member_id is_voter", "Kim maybe", "Lou perhaps").with_columns(
        pl.Series("__line__", [None, 7], dtype=pl.Int64)
    )
    assert "(first: line 7: member_id 'Lou', is_voter 'perhaps'; row 1: member_id 'Kim'," in str(
        refused(members=members)
    )


def test_quarantine_says_line_and_column_and_keeps_columns_of_these_names() -> None:
    """Ours are called line and column, somebody's own of these names get a longer one."""
    votes = frame("member_id choice_id stars line", "Kim Ann 9 mine").with_columns(
        __line__=pl.lit(4), __column__=pl.lit("Ann")
    )
    aside = quietly(votes=votes, quarantine=True).quarantined["votes"]
    assert aside.select("row", "line", "column", "line (as given)").row(0) == (1, 4, "Ann", "mine")
    plain = quietly(votes=votes.drop("__line__", "__column__"), quarantine=True).quarantined["votes"]
    assert plain["line"].to_list() == ["mine"]
