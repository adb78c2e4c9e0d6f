"""Cells of stars mean one thing or are refused."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest

from crowdvote_analysis.errors import InvalidTableError, TableWarning
from crowdvote_analysis.readers import read_folder, read_poll
from crowdvote_analysis.readers.star_cells import may_be_stars, read_stars

if TYPE_CHECKING:
    from pathlib import Path

    from tests.readers.conftest import Write


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("4,5", "4.5"),
        ("0,333", "0.333"),
        ("★★★★", "4"),
        ("★★★☆☆", "3"),
        ("⭐️⭐️", "2"),
        ("１", "1"),
        ("３．５", "3.5"),
        ("٤", "4"),
        ("٤٫٥", "4.5"),
    ],
)
def test_what_can_only_mean_one_number_is_read_with_a_note(written: str, meant: str) -> None:
    """The note says how many cells, and what each was read as."""
    with pytest.warns(TableWarning, match=f"poll: 1 cell of stars was read as numbers: '{written}' as {meant}"):
        assert read_stars(pl.DataFrame({"stars": [written, "5"]}), "poll")["stars"].to_list() == [meant, "5"]


@pytest.mark.parametrize("text", ["5", "0", "05", "4.0", "4.", ".5", "+3", "4.99999999"])
def test_plain_numbers_are_left_alone(text: str) -> None:
    """Nothing is said of them; a warning would fail this test."""
    assert read_stars(pl.DataFrame({"stars": [text]}), "poll")["stars"].to_list() == [text]


@pytest.mark.parametrize(
    "text", ["1,000", "4 stars", "5/5", "4 - good", "80%", "²", "4¹", "☆☆☆", "five", "TRUE", "1e0"]
)
def test_what_could_be_something_else_is_left_for_the_table_to_refuse(text: str) -> None:
    """Nothing is guessed (D10)."""
    assert read_stars(pl.DataFrame({"stars": [text]}), "poll")["stars"].to_list() == [text]


def test_marks_of_no_rating_are_blanks_with_their_number(write: Write) -> None:
    """A blank counts 0, so their number is said; the ballot stays, even if it holds nothing else (D5)."""
    path = write("a.csv", "ballot_id,precinct,A,B\nb1,,NaN,5\nb2,,-,abstain\nb3,,n/a,3\n")
    with pytest.warns(
        TableWarning, match=r"4 cells of stars were read as blank, and a blank counts 0 \(K1\): '-', 'NaN'"
    ):
        state = read_poll(path)
    assert len(state.ballots) == 3
    assert sorted(state.votes.select("member_id", "choice_id").rows()) == [("b1", "B"), ("b3", "B")]


def test_mark_of_no_rating_in_a_row_a_star_is_refused(write: Write, tmp_path: Path) -> None:
    """There a row without stars would take the ballot along without a word."""
    write("votes.csv", "member_id,choice_id,stars\nKim,A,NaN\nLou,A,3\n")
    with pytest.raises(InvalidTableError, match=r"line 2: member_id 'Kim', choice_id 'A', stars 'NaN'"):
        read_folder(tmp_path)


def test_decimal_commas_of_a_spreadsheet_are_read(write: Write, tmp_path: Path) -> None:
    """Where commas are decimal signs, semicolons separate; both are said."""
    write("ballots.csv", "member_id;tags;Ann;Ben\r\nKim;budget,trees;4,5;1\r\nLou;;0,25;5\r\n")
    with pytest.warns(TableWarning) as warned:
        state = read_folder(tmp_path)
    said = " ".join(str(warning.message) for warning in warned)
    for words in ("separated by semicolons", "'4,5' as 4.5", "commas between tags were taken as such, in 1 lines"):
        assert words in said
    assert state.ballots["tags"].to_list() == [["budget", "trees"], []]
    assert state.votes.sort("member_id", "choice_id")["stars"].to_list() == [
        Decimal("4.5"),
        Decimal(1),
        Decimal("0.25"),
        Decimal(5),
    ]


def test_column_of_signs_may_be_stars_and_a_column_of_words_not() -> None:
    """A column is a choice if some cell is a number in any writing, or all are blank."""
    for cells in (["★★"], ["4,5"], [None, " "], ["-", "n/a"], ["x", "3"], ["1"]):
        assert may_be_stars(pl.Series(cells, dtype=pl.String))
    for cells in (["fine", "4 stars"], ["2026-05-01"], ["kim@example.org"]):
        assert not may_be_stars(pl.Series(cells, dtype=pl.String))
