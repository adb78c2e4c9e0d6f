"""Columns with brackets: lines of a grid are choices, points of a quiz never, and nothing is mixed in silence."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pytest

from crowdvote_analysis.errors import DoubtWarning, TableWarning
from crowdvote_analysis.readers import read_folder, read_poll
from crowdvote_analysis.readers.grids import quiz_columns

if TYPE_CHECKING:
    from pathlib import Path

    from tests.readers.conftest import Write


@pytest.mark.parametrize(
    ("total", "points", "remarks", "cells"),
    [
        ("Total score", "{} [Score]", "{} [Feedback]", "0.00 / 0,5,-- / 0,,1,-- / 0,"),
        ("Score", "{} [Score]", "{} [Feedback]", "1,5,1,,1,0,"),
        ("Punktestand", "{} [Punktzahl]", "{} [Feedback]", "1,5,1,,1,0,"),
        ("Total points", "Points - {}", "Feedback - {}", "1,5,1,,1,0,"),
        ("Score", "{} [Pisteet]", "{} [Palaute]", "x,5,x / 1,,1,x / 1,"),
    ],
    ids=["google", "numbers", "german", "microsoft", "another language"],
)
def test_points_and_remarks_of_a_quiz_are_no_choices(
    write: Write, total: str, points: str, remarks: str, cells: str
) -> None:
    """The answers are, though they stand without brackets; the note names what was not looked at."""
    beside = [f"{name},{points.format(name)},{remarks.format(name)}" for name in ("Red", "Blue")]
    text = f"Timestamp,Email,{total},{','.join(beside)}\nx,a@e.org,{cells}\n"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        state = read_poll(write("p.csv", text))
    said = [str(warning.message) for warning in caught]
    assert state.choices["choice_id"].to_list() == ["Red", "Blue"]
    assert [warning for warning in caught if warning.category is DoubtWarning] == []
    assert f"Not looked at: Timestamp, {total}, {points.format('Red')}, {remarks.format('Red')}" in said[0]


def test_points_of_a_whole_grid_are_no_line_of_it(write: Write) -> None:
    """A grid in a quiz has its points in brackets like its lines."""
    path = write("p.csv", "Email,Rate [Red],Rate [Blue],Rate [Score],Rate [Feedback]\na@e.org,5,1,2,\n")
    with pytest.warns(TableWarning, match="choices Red, Blue"):
        assert read_poll(path).choices["choice_id"].to_list() == ["Red", "Blue"]


def test_lines_of_a_grid_beside_a_scale_of_the_same_name_stay_choices(write: Write) -> None:
    """Nothing but the words, or their being alike behind several columns, makes a quiz; the scale is said loudly."""
    assert quiz_columns(["Rate", "Rate [Red]", "Rate [Blue]"]) == []
    with (
        pytest.warns(TableWarning, match="Not looked at: Rate"),
        pytest.warns(DoubtWarning, match="not looked at, though all cells could be stars: 'Rate'"),
    ):
        state = read_poll(write("p.csv", "Email,Rate,Rate [Red],Rate [Blue]\na@e.org,3,5,1\n"))
    assert state.choices["choice_id"].to_list() == ["Red", "Blue"]


@pytest.mark.parametrize("cell", ["4", "n/a", "★★", '"3,5"'])
def test_scales_beside_a_grid_are_said_in_whatever_form_their_stars_are(write: Write, cell: str) -> None:
    """What was taken as the choices, from which grid, stands in the note; the other column in a warning."""
    with (
        pytest.warns(TableWarning, match=r"choices Red, Blue \(the lines of the grid 'Rate'\)\. Not looked at: Green"),
        pytest.warns(DoubtWarning, match="could be stars: 'Green'"),
    ):
        read_poll(write("p.csv", f"Email,Rate [Red],Rate [Blue],Green\na@e.org,5,1,4\nb@e.org,1,1,{cell}\n"))


@pytest.mark.parametrize(
    ("further", "said"),
    [
        ("Green", r"lines of the grid 'Rate' and a column beside grids \(Green\)"),
        ("Cost [Green]", "lines of the grid 'Rate' and lines of the grid 'Cost'"),
    ],
)
def test_folder_says_if_one_decision_mixes_questions(write: Write, tmp_path: Path, further: str, said: str) -> None:
    """A sheet of answers that was named ballots.csv has one decision, whatever was asked."""
    write("ballots.csv", f"member_id,Rate [Red],Rate [Blue],{further}\na,5,1,3\n")
    with pytest.warns(DoubtWarning, match=f"the choices of one decision are {said}"):
        read_folder(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write("ballots.csv", "member_id,Rate [Red],Rate [Blue]\na,5,1\n")
        read_folder(tmp_path)


def test_points_of_a_quiz_in_a_folder_are_doubted(write: Write, tmp_path: Path) -> None:
    """Every further column of ballots is a choice there; each that looks like points is named."""
    write("ballots.csv", "member_id,Red,Red [Score],Blue,Blue [Score]\na,5,1,1,0\n")
    with (
        pytest.warns(DoubtWarning, match=r"'Red \[Score\]' looks like points"),
        pytest.warns(DoubtWarning, match=r"'Blue \[Score\]' looks like points"),
    ):
        read_folder(tmp_path)
