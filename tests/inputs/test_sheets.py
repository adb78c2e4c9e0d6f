"""Spreadsheets and exports of forms, as people hand them in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.errors import DoubtWarning, InvalidTableError, TableWarning
from crowdvote_analysis.readers import read_folder, read_poll
from tests.command import crowdvote

Files = Callable[[str], Path]


def tallied(state: cv.SystemState) -> cv.StarTally:
    resolution = cv.resolve(state)
    return cv.tally_star(resolution, resolution.decisions["decision_id"].item())


def runoff(tally: cv.StarTally) -> dict[str, int]:
    assert tally.runoff is not None
    return dict(tally.runoff.votes)


def totals(tally: cv.StarTally) -> dict[str, int]:
    return {choice: int(total) for choice, total in tally.scores.select("choice_id", "total").rows()}


def test_pandas_index(files_of: Files) -> None:
    """The index is no choice, and a note says so."""
    with pytest.warns(TableWarning, match="'Unnamed: 0' numbers the lines; it was left out as an index"):
        tally = tallied(read_folder(files_of("pandas-index")))
    assert tally.winner == "Swings"
    assert set(totals(tally)) == {"Pond", "Swings"}


def test_average_row(files_of: Files) -> None:
    """The row of averages is counted with a warning that names line and way out; left out, Ben wins 2 : 1."""
    poll = files_of("average-row") / "poll.csv"
    with pytest.warns(DoubtWarning, match=r"line 5 looks like no voter \('Average'\).*--leave-out \"Average\""):
        read_poll(poll)
    done = crowdvote("tally", poll, "--leave-out", "Average")
    assert done.returncode == 0
    assert "left out as asked: 1 row" in done.stderr
    with pytest.warns(TableWarning, match="left out as asked"):
        tally = tallied(read_poll(poll, leave_out=["Average"]))
    assert (tally.winner, runoff(tally)) == ("Ben", {"Ann": 1, "Ben": 2})


def test_helper_column(files_of: Files) -> None:
    """A column of counts is counted with a warning that speaks of weights; left out, Ben wins against Ann."""
    folder = files_of("helper-column")
    done = crowdvote("count", folder)
    said = " ".join(done.stderr.split())
    assert said.startswith("note: ballots: choices are the columns Voter Count, Ann, Ben, Cleo. warning:")
    assert "'Voter Count' looks like a number of ballots" in said
    assert "Weights of ballots are not supported" in said
    with pytest.warns(TableWarning, match="left out as asked: the column Voter Count"):
        tally = tallied(read_folder(folder, leave_out=["Voter Count"]))
    assert (tally.winner, tally.runner_up) == ("Ben", "Ann")
    assert runoff(tally) == {"Ben": 2, "Ann": 1}


def test_rank_columns(files_of: Files) -> None:
    """Ranks are counted as stars with a warning that they count the other way round."""
    with pytest.warns(DoubtWarning, match="look like ranks. Stars count the other way round"):
        assert tallied(read_poll(files_of("rank-columns") / "poll.csv")).winner in ("Ben", "Cleo")


def test_vote_time_by_a_spreadsheet(files_of: Files) -> None:
    """A time that cannot be read is unknown, and costs no ballot."""
    with pytest.warns(TableWarning, match="cast_at"):
        state = read_poll(files_of("vote-time-by-a-spreadsheet") / "poll.csv")
    assert state.ballots.sort("member_id")["cast_at"].is_null().to_list() == [False, False, True]
    tally = tallied(state)
    assert totals(tally) == {"Ann": 5, "Ben": 9}
    assert (tally.winner, runoff(tally)) == ("Ben", {"Ann": 1, "Ben": 2})


def test_row_numbers(files_of: Files) -> None:
    """The error names the line and the column as the person sees them who has the file open."""
    with pytest.raises(InvalidTableError, match=r"line 3, column Ben: member_id 'Lou'.*stars '4 stars'"):
        read_folder(files_of("row-numbers"))


def test_separator_line(files_of: Files) -> None:
    """The line says what separates, and is no header."""
    assert totals(tallied(read_poll(files_of("separator-line") / "poll.csv"))) == {"Ann": 5, "Ben": 5}


def test_form_export(files_of: Files) -> None:
    """Voters and choices are found; the cell that is no number is named by line and column; mended, it is counted."""
    poll = files_of("form-export") / "poll.csv"
    with (
        pytest.warns(TableWarning, match="voter in 'Email Address'; choices Ann, Ben.*--id \"Email Address\""),
        pytest.raises(InvalidTableError, match=r"line 3, column Rate \[Ben\].*stars '4 - good'.*--id and --choices"),
    ):
        read_poll(poll)
    poll.write_text(poll.read_text().replace("4 - good", "4"))
    with pytest.warns(TableWarning, match="Not looked at: Timestamp"):
        state = read_poll(poll)
    assert state.members["member_id"].to_list() == ["kim@example.org", "lou@example.org"]
    assert totals(tallied(state)) == {"Ann": 5, "Ben": 5}


def test_plain_choices(files_of: Files) -> None:
    """Columns of choices and nothing else: one ballot a line, with a note."""
    with pytest.warns(
        TableWarning, match="one ballot a line, because no column says who voted; choices Red, Green, Bl"
    ):
        state = read_poll(files_of("plain-choices") / "poll.csv")
    assert state.ballots["member_id"].to_list() == ["line 2", "line 3", "line 4"]
    assert totals(tallied(state)) == {"Red": 6, "Green": 12, "Blue": 7}
