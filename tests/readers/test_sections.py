"""One question in several sections of a form: no ballot is lost, and none is counted among others without a word."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pytest

from crowdvote_analysis.errors import DoubtWarning, UnreadableFileError
from crowdvote_analysis.readers import read_folder, read_poll

if TYPE_CHECKING:
    from pathlib import Path

    from crowdvote_analysis import SystemState
    from tests.readers.conftest import Write

pytestmark = pytest.mark.filterwarnings("ignore::crowdvote_analysis.errors.TableWarning")

SECTIONS = "a,5,1,,\nb,,,0,5\nc,,,0,4\n"


def stars(state: SystemState) -> list[tuple[str, str, int]]:
    return [(m, c, int(s)) for m, c, s in sorted(state.votes.select("member_id", "choice_id", "stars").rows())]


JOINED = [("a", "Blue", 1), ("a", "Red", 5), ("b", "Blue", 5), ("b", "Red", 0), ("c", "Blue", 4), ("c", "Red", 0)]


@pytest.mark.parametrize(
    "header",
    [
        "Red,Blue,Red,Blue",
        "Red,Blue,Red.1,Blue.1",
        "Red_x,Blue_x,Red_y,Blue_y",
        "Which? [Red],Which? [Blue],Which? [Red],Which? [Blue]",
        "Which? [Red],Which? [Blue],Which? [Red].1,Which? [Blue].1",
    ],
)
def test_columns_of_one_name_of_which_each_line_fills_one_are_joined(write: Write, header: str) -> None:
    """The warning says how many columns and cells, and how to say otherwise."""
    with pytest.warns(
        DoubtWarning, match=r"4 columns have the same name.*joined into 2 columns; 4 cells stood"
    ) as said:
        state = read_poll(write("p.csv", f"Email,{header}\n{SECTIONS}"))
    assert stars(state) == JOINED
    assert [
        str(each.message) for each in said if each.category is DoubtWarning and "program renamed" in str(each)
    ] == []


@pytest.mark.parametrize("header", ["Red,Blue,Red,Blue", "Red,Blue,Red.1,Blue.1"])
def test_sections_are_joined_in_folders_and_exports_of_polls_too(write: Write, tmp_path: Path, header: str) -> None:
    """A sheet of ballots is put together from the answers of a form."""
    write("ballots.csv", f"member_id,{header}\n{SECTIONS}")
    with pytest.warns(DoubtWarning, match="joined into 2 columns"):
        assert stars(read_folder(tmp_path)) == JOINED
    path = write("p.csv", f"ballot_id,{header}\n{SECTIONS}")
    with pytest.warns(DoubtWarning, match="joined into 2 columns"):
        assert stars(read_poll(path)) == JOINED


def test_choices_that_somebody_lists_are_choices_of_their_own(write: Write) -> None:
    """Somebody may vote about version 1 and version 1.1, and nobody rates both."""
    path = write("p.csv", "Email,Plan,Plan.1\na,5,\nb,,4\n")
    state = read_poll(path, choices=["Plan", "Plan.1"])
    assert stars(state) == [("a", "Plan", 5), ("b", "Plan.1", 4)]


@pytest.mark.parametrize("folder", [False, True])
def test_columns_of_one_name_that_one_line_fills_are_refused_with_the_line(
    write: Write, tmp_path: Path, *, folder: bool
) -> None:
    """Removing one of them would lose ballots, so that is not the first advice."""
    text = f"{'member_id' if folder else 'Email'},Red,Blue,Red,Blue\n{SECTIONS}d,1,,2,3\n"
    path = write("ballots.csv" if folder else "p.csv", text)
    with pytest.raises(
        UnreadableFileError,
        match=r"repeats the column 'Red', 'Blue'\. Line 5 fills two of one name\..*"
        "put the answers into one column; remove a column only if the other says all",
    ):
        read_folder(tmp_path) if folder else read_poll(path)


def test_questions_with_the_same_choices_that_nobody_answers_both_are_doubted(write: Write) -> None:
    """They are counted as they stand, and the way out that the warning names joins them."""
    rows = "N,5,1,,\nS,,,0,5\nS,,,0,4\n".replace("N", "a").replace("S", "b", 1).replace("S", "c")
    header = "Email,North: Which? [Red],North: Which? [Blue],South: Which? [Red],South: Which? [Blue]"
    with pytest.warns(
        DoubtWarning,
        match=r"'North: Which\?', 'South: Which\?' have the same choices, and of 3 lines .* 0 answer more than one",
    ):
        state = read_poll(write("p.csv", f"{header}\n{rows}"))
    assert len(state.decisions) == 2
    same = header.replace("North: ", "").replace("South: ", "")
    assert stars(read_poll(write("p.csv", f"{same}\n{rows}"))) == JOINED
    with warnings.catch_warnings():
        warnings.simplefilter("error", DoubtWarning)
        read_poll(write("p.csv", f"{header}\na,5,1,2,3\nb,1,1,0,5\nc,,,0,4\n"))


def test_renamed_columns_are_joined_all_or_not_at_all(write: Write) -> None:
    """Where one line fills both columns of Red, those of Blue stay apart too, with a word on each."""
    with pytest.warns(DoubtWarning, match=r"'Red\.1' looks like one of several") as said:
        state = read_poll(write("p.csv", f"Email,Red,Blue,Red.1,Blue.1\n{SECTIONS}d,1,,2,3\n"))
    assert state.choices["choice_id"].to_list() == ["Red", "Blue", "Red.1", "Blue.1"]
    assert any("'Blue.1' looks like one of several" in str(each.message) for each in said)


@pytest.mark.parametrize("folder", [False, True])
def test_choices_that_fall_apart_into_sets_are_doubted(write: Write, tmp_path: Path, *, folder: bool) -> None:
    """Whatever the sections call them: a choice of one section counts 0 on every ballot of the other."""
    header = "Red in the north,Blue in the north,Red in the south,Blue in the south"
    path = write("ballots.csv", f"{'member_id' if folder else 'Email'},{header}\n{SECTIONS}")
    with pytest.warns(DoubtWarning, match="every ballot rates choices of one set and none of the others: 'Red in the"):
        read_folder(tmp_path) if folder else read_poll(path)


def test_ballots_for_one_choice_each_are_no_sections(write: Write, tmp_path: Path) -> None:
    """Whoever rates one choice alone, or decides something else, is not in another section."""
    write("ballots.csv", "member_id,Red,Blue,Green,Grey\na,5,,,\nb,,5,,\nc,,,5,4\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error", DoubtWarning)
        read_folder(tmp_path)
        write("ballots.csv", "decision_id,member_id,Red,Blue,Green,Grey\nx,a,5,1,,\ny,b,,,0,5\ny,c,,,0,4\n")
        read_folder(tmp_path)
