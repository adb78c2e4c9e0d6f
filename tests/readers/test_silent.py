"""What made another winner without a word when somebody tried files of spreadsheets, forms and programs."""

from __future__ import annotations

import warnings
from pathlib import Path

import polars as pl
import pytest

from crowdvote_analysis.errors import DoubtWarning
from crowdvote_analysis.readers import read_folder, read_poll

_NOTED = pytest.mark.filterwarnings("ignore::crowdvote_analysis.errors.TableWarning")  # beside the doubt


def written(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


@_NOTED
def test_answers_that_were_never_sent_are_warned_of(tmp_path: Path) -> None:
    """LimeSurvey exports them with a blank date; they count, with their number and the first line."""
    poll = tmp_path / "poll.csv"
    poll.write_text(
        '"id","submitdate","token","rate[Swings]","rate[Pond]"\n"1","2026-05-01 18:00:00","t1","2","5"\n'
        '"2","","t2","5","0"\n"3","","t3","5","0"\n'
    )
    with pytest.warns(DoubtWarning, match=r"2 answers were never sent, as 'submitdate' says \(first: line 3\)"):
        assert len(read_poll(poll).ballots) == 3


@_NOTED
def test_partial_answers_are_warned_of(tmp_path: Path) -> None:
    """Typeform marks them."""
    poll = tmp_path / "poll.csv"
    poll.write_text("#,Rate [Swings],Rate [Pond],Response Type\na1,2,5,completed\na2,5,0,partial\n")
    with pytest.warns(DoubtWarning, match=r"1 answer was never sent, as 'Response Type' says \(first: line 3\)"):
        read_poll(poll)


@_NOTED
def test_stars_that_are_no_choice_of_a_form_are_warned_of(tmp_path: Path) -> None:
    """A grid is taken for the choices; questions beside it that were answered with stars are named."""
    poll = tmp_path / "poll.csv"
    poll.write_text(
        "Timestamp,Email Address,Pond,Rate [Cost],Rate [Safety]\n2026/05/01 9:00:00 AM,a@example.org,5,1,2\n"
    )
    with pytest.warns(DoubtWarning, match="not looked at, though all cells could be stars: 'Pond'"):
        read_poll(poll)


@pytest.mark.parametrize(
    "rows",
    [
        [(4, 1, 2.5, 2.5), (2, 4, 1, 3), (4, 1.5, 1.5, 3), (1, 4, 2, 3), (4, 1, 3, 2)],
        [(4, 1, 2, 2), (2, 4, 1, 3), (4, 1, 1, 3), (1, 4, 2, 3), (4, 1, 3, 2)],
        [*[(4, 1, 2, 3)] * 19, (4, 1, 2, 2)],
    ],
    ids=["average", "min", "one"],
)
def test_ranks_that_share_places_are_still_ranks(tmp_path: Path, rows: list[tuple[float, ...]]) -> None:
    """Most ballots give 1 to n once each, and the others share: stars count the other way round."""
    lines = "".join(f"m{number},{','.join(map(str, row))}\n" for number, row in enumerate(rows))
    with pytest.warns(DoubtWarning, match="ballots give 1, 2 and so on, once each; these look like ranks"):
        read_folder(written(tmp_path, ballots=f"member_id,Swings,Pond,Bandstand,Trees\n{lines}"))


def test_stars_are_not_taken_for_ranks(tmp_path: Path) -> None:
    """Where few ballots happen to give 1, 2 and 3 once each, nothing is said."""
    few = "a,5,4,1\nb,1,5,5\nc,2,2,4\nd,3,2,1\ne,5,1,1\nf,1,1,5\n"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read_folder(written(tmp_path, ballots=f"member_id,Swings,Pond,Trees\n{few}"))
    assert [str(warning.message) for warning in caught] == []


@pytest.mark.parametrize("name", ["Units", "Seats", "Voting power", "Household size", "Flat", "Apt", "file_row_number"])
def test_columns_beside_the_choices_are_doubted(tmp_path: Path, name: str) -> None:
    """What a condominium or a database writes beside the votes is hardly a choice."""
    with pytest.warns(DoubtWarning, match=f"the column '{name}' looks like"):
        read_folder(written(tmp_path, ballots=f"member_id,{name},Swings,Pond\na,4,2,5\nb,1,4,3\nc,2,1,5\n"))


@_NOTED
def test_stars_of_ballots_beside_a_table_of_votes_are_warned_of(tmp_path: Path) -> None:
    """The votes count, and the number of cells that do not is said."""
    ballots, votes = "member_id,Swings,Pond\nKelly,1,5\nOlivia,2,\n", "member_id,choice_id,stars\nKelly,Swings,5\n"
    with pytest.warns(
        DoubtWarning, match="3 cells hold stars in the columns 'Swings', 'Pond', and there is a table votes"
    ):
        state = read_folder(written(tmp_path, ballots=ballots, votes=votes))
    assert state.votes["stars"].to_list() == [pl.Series(["5"]).cast(pl.Decimal(9, 8))[0]]


def test_a_download_of_a_sheet_is_known_by_the_name_of_the_sheet(tmp_path: Path) -> None:
    """The document may be called a vote; the sheet is the followings, and without it all delegation is lost."""
    (tmp_path / "Park vote - followings.csv").write_text("follower_id,followee_id\nMaya,Kelly\n")
    with pytest.warns(DoubtWarning, match=r"if it is the table followings, name it followings\.csv"):
        read_folder(written(tmp_path, ballots="member_id,Swings,Pond\nKelly,1,5\n"))


def _said(read: object, path: Path) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read(path)  # type: ignore[operator]
    return [str(warning.message) for warning in caught if warning.category is DoubtWarning]


@pytest.mark.parametrize(
    "text",
    [
        "member_id,Pond,Swings\nNorth wing,,\na,5,1\nb,3,1\nSouth wing,,\nc,0,1\n",
        "member_id,Pond,Swings\nNorth,,\na@e.org,5,1\nb@e.org,3,1\nSouth,,\nc@e.org,0,1\n",
        "member_id,Pond,Swings\nNorth,,\n7,5,1\n8,3,1\nSouth,,\n9,0,1\n",
        "member_id,tags,Pond,Swings\nNorth,,,\na,x,5,1\nb,y,3,1\nSouth,,,\nc,z,0,1\n",
    ],
    ids=["words", "addresses", "numbers", "nothing beside"],
)
def test_headings_between_ballots_are_warned_of_with_their_lines(tmp_path: Path, text: str) -> None:
    """They count as blank ballots, of members that may be none."""
    for read, path in ((read_folder, written(tmp_path, ballots=text)), (read_poll, tmp_path / "poll.csv")):
        (tmp_path / "poll.csv").write_text(text.replace("member_id", "Email").replace("tags", "Timestamp"))
        said = _said(read, path)
        assert len(said) == 1
        assert "2 lines have no star and look like headings between ballots (line 2, 5)" in said[0]
        assert "--leave-out" in said[0]


def test_blank_lines_of_nobody_in_the_table_of_members_are_warned_of(tmp_path: Path) -> None:
    """Blank ballots of members are ballots."""
    folder = written(tmp_path, members="member_id\na\nb\nc\n", ballots="member_id,Pond,Swings\nNorth,,\na,5,1\nb,,\n")
    assert [each for each in _said(read_folder, folder) if "1 line has no star and looks like a heading" in each]


def test_blank_ballots_of_voters_are_no_headings(tmp_path: Path) -> None:
    """Whoever looks like the other voters has cast a blank ballot (D5)."""
    assert _said(read_folder, written(tmp_path, ballots="member_id,tags,Pond,Swings\na,,,\nb,,5,1\nc,x,1,2\n")) == []


@_NOTED
@pytest.mark.parametrize("sign", ["#", "//", "%"])
def test_lines_that_look_commented_out_are_warned_of(tmp_path: Path, sign: str) -> None:
    """Polls and tables alike; where all ids begin so, nobody has commented anything out."""
    text = f"Voter,Pond,Swings\nAna,5,0\nBen,4,1\n{sign}Cleo,0,5\n{sign}Dan,0,5\n"
    poll = tmp_path / "poll.csv"
    poll.write_text(text)
    said = rf"2 lines begin with {sign} \(first: line 4\), as if somebody had commented them out, and were counted as"
    with pytest.warns(DoubtWarning, match=said):
        assert len(read_poll(poll).ballots) == 4
    folder = written(tmp_path / "tables", ballots=text.replace("Voter", "member_id"))
    with pytest.warns(DoubtWarning, match=said):
        read_folder(folder)
    poll.write_text(f"Voter,Pond,Swings\n{sign}1,5,0\n{sign}2,4,1\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error", DoubtWarning)
        read_poll(poll)


BALLOTS = "member_id,Pond,Swings\nKelly,5,1\nOlivia,0,5\n"


@_NOTED
@pytest.mark.parametrize(
    ("name", "text", "table"),
    [
        ("delegations.csv", "follower_id,followee_id,tags\nMaya,Kelly,\n", "followings"),
        ("who goes with whom.CSV", "\ufefffollower_id;followee_id\nMaya;Kelly\n", "followings"),
        ("people.tsv", "member_id\tdisplay_name\nMaya\tMaya\n", "members"),
        ("old.csv", "member_id,choice_id,stars,remark\nMaya,Pond,5,x\n", "votes"),
    ],
)
def test_a_table_under_another_name_is_warned_of(tmp_path: Path, name: str, text: str, table: str) -> None:
    """Its header says what it is: without it, nobody follows anybody."""
    folder = written(tmp_path / "tables", ballots=BALLOTS)
    (folder / name).write_text(text, "utf-8")
    with pytest.warns(DoubtWarning, match=f"was not read, and its header is that of the table {table}; .*{table}.csv"):
        read_folder(folder)


@_NOTED
def test_other_files_beside_tables_are_nobodys_business(tmp_path: Path) -> None:
    """Nor is a second file of a table that is there."""
    folder = written(tmp_path / "tables", ballots=BALLOTS, prices="item,price\nBench,200\n", copy=BALLOTS)
    (folder / "letter.txt").write_text("Dear all, vote!\n")
    pl.DataFrame({"follower_id": ["Maya"], "followee_id": ["Kelly"]}).write_parquet(folder / "followings.parquet")
    pl.DataFrame({"follower_id": ["Maya"], "followee_id": ["Kelly"]}).write_parquet(folder / "before.parquet")
    with warnings.catch_warnings():
        warnings.simplefilter("error", DoubtWarning)
        read_folder(folder)


@_NOTED
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "Name,Pond,Swings,is_deleted\nAnn,5,0,0\nBen,0,5,1\n",
            "'is_deleted' holds 0 and 1 alone, as if it said yes or no",
        ),
        ("Name,Teich,Schaukel,Haushalte\nAnn,5,0,3\nBen,0,5,1\n", "'Haushalte' looks like a number of ballots"),
        ("Name,Teich (1 = sehr gut; 5 = mangelhaft),Halle\nAnn,1,5\nBen,2,4\n", "the header says what a 1 means"),
    ],
    ids=["flag", "households", "grades"],
)
def test_columns_of_another_meaning_are_warned_of(tmp_path: Path, text: str, said: str) -> None:
    """They are counted as they stand, which may be another winner."""
    (tmp_path / "poll.csv").write_text(text)
    with pytest.warns(DoubtWarning, match=said):
        read_poll(tmp_path / "poll.csv")


@_NOTED
@pytest.mark.parametrize("header", ["Pond (1 = worst, 5 = best)", "Pond (1: not at all)", "Active", "Pond 1"])
def test_columns_that_mean_stars_are_not_doubted(tmp_path: Path, header: str) -> None:
    """A scale that begins at the bottom, and a choice of one word with stars."""
    (tmp_path / "poll.csv").write_text(f'Name,"{header}",Swings\nAnn,4,1\nBen,2,5\n')
    with warnings.catch_warnings():
        warnings.simplefilter("error", DoubtWarning)
        read_poll(tmp_path / "poll.csv")
