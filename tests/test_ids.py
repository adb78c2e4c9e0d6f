"""Ids that spreadsheets and data frames have damaged."""

from __future__ import annotations

import datetime as dt
import warnings
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

import crowdvote_analysis as cv
from tests.test_state import frame, noted, quietly, refused

BALLOTS = frame("member_id", "1", "2")


@pytest.mark.parametrize(
    "ids",
    [
        pl.Series([1.0, 2.0]),
        pl.Series([1.0, 2.0], dtype=pl.Float32),
        pl.Series(["1.0", "2.0"]),
        pl.Series(["1.00", "2.0"]),
        pl.Series([Decimal("1.00"), Decimal("2.00")]),
    ],
)
def test_whole_numbers_with_a_point_are_read_without(ids: pl.Series) -> None:
    """A column with one cell missing becomes such in pandas; numbers of a database have places."""
    state = noted(members=pl.DataFrame({"member_id": ids}), ballots=BALLOTS)
    assert state.members["member_id"].to_list() == ["1", "2"]
    notes = [note for note in state.notes if "number with a point" in note]
    assert len(notes) == (0 if ids.dtype.is_decimal() else 1)


@pytest.mark.parametrize("table", ["ballots", "followings"])
def test_any_table_may_have_them(table: str) -> None:
    """The ids meet whichever table was damaged."""
    frames = {
        "members": frame("member_id", "1", "2", "3"),
        "ballots": frame("member_id", "1", "2"),
        "followings": frame("follower_id followee_id", "3 1", "2 3"),
    }
    frames[table] = frames[table].select(pl.all().cast(pl.Float64))
    state = quietly(**frames)
    assert not any("not a member" in note for note in state.notes)


def test_a_point_that_is_meant_stays() -> None:
    """The versions 1.0 and 1.5 are choices; that only 1.0 and 2.0 were rated changes no id."""
    state = noted(
        choices=frame("choice_id", "1.0", "1.5", "2.0"),
        votes=frame("member_id choice_id stars", "Kim 1.0 5", "Lou 2.0 4"),
    )
    assert state.choices["choice_id"].to_list() == ["1.0", "1.5", "2.0"]
    assert state.votes["choice_id"].to_list() == ["1.0", "2.0"]
    assert state.notes == ()


@pytest.mark.parametrize("number", [1.5, 2.0**53 + 2, float("inf"), -(2.0**60)])
def test_floats_that_may_have_been_another_number_are_refused(number: float) -> None:
    """Different ids may have become one."""
    members = pl.DataFrame({"member_id": [1.0, number], "__line__": [2, 3]})
    error = refused(members=members)
    assert "members: 1 row: member_id is a binary float that is no whole number, or too large" in str(error)
    assert "(first: line 3)" in str(error)
    small = pl.DataFrame({"member_id": pl.Series([2.0**24 + 2], dtype=pl.Float32)})
    assert "too large" in str(refused(members=small))
    assert quietly(members=pl.DataFrame({"member_id": [2.0**53]})).members["member_id"].item() == str(2**53)


def test_no_number_is_no_id() -> None:
    """A cell that pandas left empty is missing."""
    assert "member_id is missing" in str(refused(members=pl.DataFrame({"member_id": [1.0, float("nan")]})))


@pytest.mark.parametrize("short", ["1.23457E+11", "1E+11", "1.2e+05", "-9.99E+20"])
def test_an_id_that_a_spreadsheet_shortened_is_bad(short: str) -> None:
    """Every id with these first digits has become this one."""
    votes = frame("member_id choice_id stars", f"{short} Pond 5", "Kim Pond 4")
    error = refused(votes=votes)
    assert "votes: 1 row: member_id was shortened by a spreadsheet, where different ids become one" in str(error)
    assert f"member_id '{short}'" in str(error)
    assert quietly(votes=votes, quarantine=True).votes["member_id"].to_list() == ["Kim"]


@pytest.mark.parametrize("plain", ["1e5", "E+11", "1.5", "2E", "12E+3", "1.2.3", "1E-5"])
def test_what_no_spreadsheet_writes_is_an_id(plain: str) -> None:
    """Names of rooms and versions are left alone."""
    assert noted(members=frame("member_id", plain)).members["member_id"].to_list() == [plain]


@pytest.mark.parametrize("date", ["2-Jan", "Jan-02", "02-jan", "2026-01-02_00:00:00"])
def test_an_id_that_became_a_date_is_noted(date: str) -> None:
    """Nobody can know whether it was 1-2 or 2-1."""
    state = noted(members=frame("member_id", date, "Kim"))
    assert (
        "members: 1 row: member_id looks like a date that a spreadsheet made of an id such as 1-2; it counts"
        in state.notes[0]
    )


def test_a_column_of_dates_as_ids_is_noted_too() -> None:
    """Its cells count as text."""
    state = noted(members=pl.DataFrame({"member_id": [dt.datetime(2026, 1, 2)]}))
    assert state.members["member_id"].item().startswith("2026-01-02 00:00:00")
    assert "looks like a date" in state.notes[0]


@pytest.mark.parametrize("word", ["nan", "None", "<NA>", "#REF!", "#N/A"])
def test_an_id_that_is_a_word_for_nothing_is_noted(word: str) -> None:
    """It may be somebody's name, so it counts."""
    state = noted(members=frame("member_id", word))
    assert "members: 1 row: member_id is what programs write where nothing is; it counts as an id" in state.notes[0]


def test_an_anonymous_member_with_a_damaged_id_is_not_named() -> None:
    """P1, whatever happened to it."""
    members = frame("member_id is_anonymous", "Jan-02 true", "1.23457E+11 true")
    (problem,) = refused(members=members).problems
    assert problem.first == ("row 2: member_id (an anonymous member)",)
    aside = quietly(members=members, quarantine=True)
    assert not any("Jan" in note or "E+11" in note for note in aside.notes)


@pytest.mark.parametrize("sign", ["\n", "\r\n", "\r", "\u2028"])
@pytest.mark.parametrize(
    ("table", "name"), [("ballots", "member_id"), ("votes", "choice_id"), ("followings", "followee_id")]
)
def test_ids_with_a_line_break_are_refused(table: str, name: str, sign: str) -> None:
    """A stray quote in a file takes the lines after it along, and their ballots with them; a frame has no lines."""
    frames = {
        "ballots": frame("member_id", "Ann", "Ben"),
        "votes": frame("member_id choice_id stars", "Ann Pond 5", "Ben Pond 4"),
        "followings": frame("follower_id followee_id", "Cleo Ann", "Dan Ben"),
    }
    broken = pl.when(pl.col(name) == pl.col(name).first()).then(pl.lit(f"Kim,5{sign}Lou")).otherwise(name).alias(name)
    frames[table] = frames[table].with_columns(broken, pl.int_range(2, 4).alias("__line__"))
    error = str(refused(**frames))
    assert f"{name} has a line break in it; a double quote that is not closed" in error
    kept = quietly(**frames, quarantine=True)
    assert table in kept.quarantined


def test_a_stray_quote_in_a_file_is_refused_with_its_line(tmp_path: Path) -> None:
    """The ballots that it swallowed would be lost without a word; a header may run over lines."""
    (tmp_path / "ballots.csv").write_text(
        'member_id,tags,Swings,Pond\nAnn,,5,0\n"Kelly,env,0,5\nOlaf,env,0,5\nBob",env,4,2\nDan,,5,1\n'
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cv.TableWarning)
        with pytest.raises(cv.InvalidTableError, match=r"line 3.*Kelly,env"):
            cv.SystemState.read(tmp_path)
        (tmp_path / "ballots.csv").write_text('member_id,"Swings\n(old)",Pond\nAnn,5,0\n')
        assert cv.SystemState.read(tmp_path).choices["choice_id"][0].startswith("Swings")
