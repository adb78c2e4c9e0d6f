"""Exports of services for surveys: headers of several lines are read, numbers of answers are no ballots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crowdvote_analysis.errors import DoubtWarning, TableWarning, UnreadableFileError
from crowdvote_analysis.readers import read_poll

if TYPE_CHECKING:
    from crowdvote_analysis import SystemState
    from tests.readers.conftest import Write

QUALTRICS = (
    "StartDate,Status,Finished,ResponseId,Q1_1,Q1_2,Q2\n"
    '"Start Date",Response Type,Finished,Response ID,"Rate\nthe plans - Red","Rate\nthe plans - Blue - dark",Remarks\n'
    '"{""ImportId"":""startDate""}","{""ImportId"":""status""}",x,"{""ImportId"":""_recordId""}","{""ImportId"":""1""}",'
    '"{""ImportId"":""2""}","{""ImportId"":""3""}"\n'
)
ROWS = "2026-05-01,IP Address,True,R_1,5,1,\n2026-05-01,IP Address,True,R_2,0,4,\n"


def stars(state: SystemState) -> list[tuple[str, str, int]]:
    return [(m, c, int(s)) for m, c, s in sorted(state.votes.select("member_id", "choice_id", "stars").rows())]


@pytest.mark.filterwarnings("ignore::crowdvote_analysis.errors.TableWarning")
@pytest.mark.parametrize("first", ["Respondent ID", "respondent_id"])
def test_second_line_of_surveymonkey_names_the_lines_of_a_question(write: Write, first: str) -> None:
    """A question of several lines is a grid; ``Response`` says nothing; no line is a ballot that is none."""
    path = write(
        "p.csv",
        f"{first},Email Address,Rate the plans,,Remarks\n,,Red,Blue,Open-Ended Response\n7,,5,1,Hi\n8,,0,4,\n",
    )
    with pytest.warns(TableWarning, match=r"line 2 is a further line of the header.*'Rate the plans \[Red\]'"):
        state = read_poll(path)
    assert stars(state) == [("7", "Blue", 1), ("7", "Red", 5), ("8", "Blue", 4), ("8", "Red", 0)]
    path = write("p.csv", f"{first},Red,Blue\n,Response,Response\n7,5,1\n8,0,4\n")
    assert len(read_poll(path).ballots) == 2


@pytest.mark.filterwarnings("ignore::crowdvote_analysis.errors.TableWarning")
def test_three_lines_of_qualtrics_are_one_header(write: Write) -> None:
    """Choices have the names of the second line, and lines of the file keep their numbers."""
    with pytest.warns(TableWarning, match="lines 2 and 5 are further lines of the header, as Qualtrics"):
        state = read_poll(write("p.csv", QUALTRICS + ROWS))
    assert stars(state) == [("R_1", "Blue - dark", 1), ("R_1", "Red", 5), ("R_2", "Blue - dark", 4), ("R_2", "Red", 0)]


@pytest.mark.filterwarnings("ignore::crowdvote_analysis.errors.TableWarning")
def test_answers_that_somebody_tried_the_form_with_are_doubted(write: Write) -> None:
    """Qualtrics keeps previews and unfinished answers among the others; both are said, with the first line."""
    more = "2026-05-01,Survey Preview,True,R_3,5,1,\n2026-05-01,IP Address,False,R_4,5,1,\n"
    with (
        pytest.warns(DoubtWarning, match=r"1 answer was never sent, as 'Finished' says \(first: line 9\)"),
        pytest.warns(DoubtWarning, match=r"1 answer was sent as a test, .* 'Response Type' says \(first: line 8\)"),
    ):
        read_poll(write("p.csv", QUALTRICS + ROWS + more))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Answer Choices,0,1,2,3,4,5,Total\nRed,1,0,0,0,0,5,6\n", "'0', '1', '2', '3', '4', '5' seem to say how many"),
        ("Name,1 star,2 stars,3 stars\nRed,1,0,4\n", "'1 star', '2 stars', '3 stars' seem to say how many"),
        ("Answer Choices,Responses,\nRed,66.67%,2\nAnswered,,3\n", "'Answer Choices' seems to list the choices"),
        ("Rate the plans,,\nAnswer Choices,Responses,Total\nRed,4,2\n", "'Answer Choices' seems to list the choices"),
        ("Option,Votes\nRed,5\nBlue,2\n", "'Option' seems to list the choices, and 'Votes' how they were answered"),
        ("Question,Option,Count\nRate,Red,5\nRate,Blue,2\n", "'Option' seems to list the choices, and 'Count'"),
        ("Stars,Red,Blue\n1,0,2\n2,1,3\n3,0,0\n4,2,2\n5,5,1\n", "'Stars' seems to list the stars that can be given"),
    ],
)
@pytest.mark.filterwarnings("ignore::crowdvote_analysis.errors.TableWarning")
def test_summaries_are_refused_with_what_to_export_instead(write: Write, text: str, said: str) -> None:
    """Turned round, or with another column for the voter, numbers of answers would still be counted as stars."""
    with pytest.raises(UnreadableFileError, match=f"is a summary: .*{said}.*Export the answers themselves"):
        read_poll(write("p.csv", text))


@pytest.mark.filterwarnings("ignore::crowdvote_analysis.errors.TableWarning")
def test_choices_called_like_stars_can_be_named(write: Write) -> None:
    """Plans may have numbers; the error says how to say so."""
    path = write("p.csv", "Email,1,2,3,More\na@e.org,5,1,2,0\nb@e.org,5,1,2,0\n")
    with pytest.raises(UnreadableFileError, match="If these are the choices, name them: --choices"):
        read_poll(path)
    assert read_poll(path, choices=["1", "2", "3", "More"]).choices["choice_id"].to_list() == ["1", "2", "3", "More"]
