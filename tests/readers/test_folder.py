"""A folder of Parquet and CSV tables becomes a state."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from crowdvote_analysis import SystemState, tables
from crowdvote_analysis.errors import DoubtWarning, InvalidTableError, TableWarning, UnreadableFileError
from crowdvote_analysis.readers import read_folder

if TYPE_CHECKING:
    from pathlib import Path

    from tests.readers.conftest import Write


def stars(state: SystemState) -> list[tuple[Any, ...]]:
    return sorted(state.votes.select("decision_id", "member_id", "choice_id", "stars").rows())


# --- files ---------------------------------------------------------------------------------------------------------


def test_tables_are_found_by_name(write: Write, tmp_path: Path) -> None:
    """CSV and Parquet files named after the tables are read, mixed as they come."""
    write("members.csv", "\ufeffmember_id , is_voter\nKelly,yes\n Maya ,no\n")
    write("ballots.csv", "member_id,tags\nKelly,Budget ; trees\n")
    pl.DataFrame({"follower_id": ["Maya"], "followee_id": ["Kelly"], "tags": [["budget"]]}).write_parquet(
        tmp_path / "followings.parquet"
    )
    write("votes.csv", "member_id,choice_id,stars\nKelly,Swings,4.5\n")
    state = read_folder(tmp_path)
    assert state.members.select("member_id", "is_voter").rows() == [("Kelly", True), ("Maya", False)]
    assert state.ballots["tags"].to_list() == [["budget", "trees"]]
    assert state.followings["tags"].to_list() == [["budget"]]
    assert stars(state) == [("decision", "Kelly", "Swings", Decimal("4.5"))]


def test_written_state_reads_back_the_same(write: Write, tmp_path: Path) -> None:
    """A state survives being written and read, tags, stars and order of choices included."""
    write("ballots.csv", "member_id,tags,Swings,Pond\nKelly,budget;trees,4.5,\nJack,,5,0.00000001\n")
    write("followings.csv", "follower_id,followee_id,tags\nMaya,Kelly,\nMaya,Jack,budget\n")
    state = read_folder(tmp_path)
    state.write(tmp_path / "copy")
    copy = SystemState.read(tmp_path / "copy")
    for table in tables.TABLES:
        written: pl.DataFrame = getattr(state, table)
        read: pl.DataFrame = getattr(copy, table)
        assert read.schema == written.schema
        assert sorted(read.rows()) == sorted(written.rows())


def test_yes_no_votes_are_read_like_all_tables(write: Write, tmp_path: Path) -> None:
    """A folder of nothing but yes/no decisions is a state, whatever its files are."""
    write("decisions.csv", "decision_id,method,threshold,closes_at\nroof,supermajority,2/3,2026-05-02\n")
    write("yes_no_votes.csv", "member_id,vote,voted_at,tags\nKelly, YES ,2026-05-01 18:00,Budget;trees\nMaya,no,,\n")
    pl.DataFrame({"decision_id": ["roof"], "member_id": ["Kelly"]}).write_parquet(tmp_path / "required_voters.parquet")
    with pytest.warns(TableWarning, match="not a required voter"):
        state = read_folder(tmp_path)
    assert state.decisions["threshold"].item() == "2/3"
    assert state.yes_no_votes.select("decision_id", "member_id", "vote", "tags").rows() == [
        ("roof", "Kelly", "yes", ["budget", "trees"]),
        ("roof", "Maya", "no", []),
    ]
    assert state.required_voters.rows() == [("roof", "Kelly")]


def test_same_table_twice_is_refused(write: Write, tmp_path: Path) -> None:
    """Of two files of one table, neither is preferred."""
    write("votes.csv", "member_id,choice_id,stars\nKelly,Swings,4\n")
    pl.DataFrame({"member_id": ["x"]}).write_parquet(tmp_path / "votes.parquet")
    with pytest.raises(UnreadableFileError, match=r"both votes\.csv and votes\.parquet"):
        read_folder(tmp_path)


def test_missing_folder_and_file_are_told_apart(write: Write, tmp_path: Path) -> None:
    """The names that are looked for, or the other reader, are the way out."""
    with pytest.raises(UnreadableFileError, match="no such folder"):
        read_folder(tmp_path / "nowhere")
    with pytest.raises(UnreadableFileError, match=r"not a folder.*read_poll"):
        read_folder(write("poll.csv", "a,b\n"))


def test_folder_without_tables_says_what_it_looked_for(write: Write, tmp_path: Path) -> None:
    """The error lists the names, and the file that may have been meant."""
    write("notes.txt", "x")
    write("Vote.csv", "x")
    with pytest.raises(
        UnreadableFileError, match=r"communities, members, .*votes, followings.*Vote\.csv was not read"
    ) as error:
        read_folder(tmp_path)
    assert "notes" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("vote.csv", "votes"),
        ("members.xlsx", "members"),
        ("Followings.CSV", "followings"),
        ("folowings.csv", "followings"),
        ("community.csv", "communities"),
        ("votes.csv.gz", "votes"),
        ("votes (1).csv", "votes"),
        ("old_choices.parquet", "choices"),
        ("yes_no_vote.csv", "yes_no_votes"),
        ("required_voter.csv", "required_voters"),
    ],
)
def test_file_with_a_name_close_to_a_table_is_pointed_out(write: Write, tmp_path: Path, name: str, table: str) -> None:
    """A table that is not read because of its name would change the count without a word."""
    write("ballots.csv", "member_id,Swings\nKelly,4\n")
    write(name, "x")
    with pytest.warns(TableWarning) as warned:
        read_folder(tmp_path)
    assert [
        f"{name} was not read; if it is the table {table}, name it {table}.csv" in str(w.message) for w in warned
    ] == [True]


def test_other_files_and_folders_are_left_alone(write: Write, tmp_path: Path) -> None:
    """Notes, results, hidden and lock files do not concern the reader; a warning would fail this test."""
    write("ballots.csv", "member_id,Swings\nKelly,4\n")
    for name in ("notes.txt", "README.md", "result.json", "._votes.csv", "~$members.xlsx"):
        write(name, "x")
    for name in ("results", "votes"):
        (tmp_path / name).mkdir()
    assert len(read_folder(tmp_path).ballots) == 1


def test_folder_in_the_place_of_a_table_is_refused(write: Write, tmp_path: Path) -> None:
    """A partitioned Parquet folder is not passed over in silence."""
    write("ballots.csv", "member_id,Swings\nKelly,4\n")
    (tmp_path / "members.parquet").mkdir()
    with pytest.raises(UnreadableFileError, match=r"members\.parquet: holds no Parquet files"):
        read_folder(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("votes.parquet", b"PAR1 no more", "not a Parquet file"),
        ("votes.parquet", b"", "not a Parquet file"),
        ("votes.csv", b"", "is empty"),
        ("votes.csv", b"member_id,choice_id,stars\nKelly,Swings\n", "line 2 has 2 cells"),
        ("votes.csv", b"row,member_id,choice_id,stars\n1,Kelly,Swings,4\n", "'row' is taken"),
    ],
)
def test_unreadable_table_is_named(write: Write, tmp_path: Path, name: str, content: bytes, said: str) -> None:
    """The error names the file and what is wrong with it, never a polars error."""
    path = write(name, content)
    with pytest.raises(UnreadableFileError, match=said) as error:
        read_folder(tmp_path)
    assert str(path) in str(error.value)


def test_bad_rows_are_refused_or_set_aside(write: Write, tmp_path: Path) -> None:
    """Quarantine is handed on to the state."""
    write("votes.csv", "member_id,choice_id,stars\nKelly,Swings,7\nJack,Swings,3\n")
    with pytest.raises(InvalidTableError, match="outside 0 to 5"):
        read_folder(tmp_path)
    with pytest.warns(TableWarning, match="set aside"):
        assert [row[1] for row in stars(read_folder(tmp_path, quarantine=True))] == ["Jack"]


# --- one column a choice -------------------------------------------------------------------------------------------


def test_further_columns_of_ballots_are_choices(write: Write, tmp_path: Path) -> None:
    """A cell is stars, a blank is not rated, the choices keep the order of the columns."""
    write("ballots.csv", "member_id,tags,Swings,Pond, Art wall\nKelly,budget,4,2.5,\nJack,,0,,5\n")
    state = read_folder(tmp_path)
    assert state.choices.select("choice_id", "position").rows() == [("Swings", 0), ("Pond", 1), ("Art wall", 2)]
    assert [row[1:] for row in stars(state)] == [
        ("Jack", "Art wall", 5),
        ("Jack", "Swings", 0),
        ("Kelly", "Pond", Decimal("2.5")),
        ("Kelly", "Swings", 4),
    ]
    assert state.ballots.select("member_id", "tags").rows() == [("Kelly", ["budget"]), ("Jack", [])]


def test_line_without_stars_is_a_ballot(write: Write, tmp_path: Path) -> None:
    """Who hands in a blank ballot has voted by hand, without stars (D5)."""
    write("ballots.csv", "member_id,tags,Swings,Pond\nKelly,,,\nJack,,1,\n")
    state = read_folder(tmp_path)
    assert state.ballots["member_id"].to_list() == ["Kelly", "Jack"]
    assert [row[1] for row in stars(state)] == ["Jack"]


def test_choice_nobody_rated_is_kept_in_a_single_decision(write: Write, tmp_path: Path) -> None:
    """A column of blanks is a choice of the only decision there is."""
    write("ballots.csv", "decision_id,member_id,Swings,Pond\nplay,Kelly,3,\nplay,Jack,1,\n")
    assert read_folder(tmp_path).choices.select("decision_id", "choice_id").rows() == [
        ("play", "Swings"),
        ("play", "Pond"),
    ]


def test_decisions_that_share_a_sheet_have_the_columns_they_rate(write: Write, tmp_path: Path) -> None:
    """The blank columns of another decision are not choices; a rated 0 is a star."""
    write(
        "ballots.csv",
        "decision_id,member_id,Swings,Pond,Red\nplay,Kelly,3,,\npaint,Kelly,,,5\nplay,Jack,,0,\npaint,Jack,,,\n",
    )
    state = read_folder(tmp_path)
    assert state.choices.select("decision_id", "choice_id").rows() == [
        ("play", "Swings"),
        ("play", "Pond"),
        ("paint", "Red"),
    ]
    assert len(state.ballots) == 4
    assert stars(state) == [("paint", "Kelly", "Red", 5), ("play", "Jack", "Pond", 0), ("play", "Kelly", "Swings", 3)]


def test_table_of_choices_goes_before_the_columns(write: Write, tmp_path: Path) -> None:
    """Titles, order and unrated choices come from the table where there is one."""
    write("ballots.csv", "member_id,Swings,Pond\nKelly,3,4\n")
    write("choices.csv", "choice_id,title,position\nPond,A pond,1\nSwings,,2\nBench,A bench,3\n")
    state = read_folder(tmp_path)
    assert state.choices.select("choice_id", "title").rows() == [
        ("Pond", "A pond"),
        ("Swings", "Swings"),
        ("Bench", "A bench"),
    ]


def test_column_that_is_not_in_the_table_of_choices_leads_to_the_cause(write: Write, tmp_path: Path) -> None:
    """A misspelt choice is not passed over."""
    write("ballots.csv", "member_id,Swing\nKelly,3\n")
    write("choices.csv", "choice_id\nSwings\n")
    with pytest.raises(InvalidTableError, match=r"not in the table choices.*'Swing'.*Without a votes table"):
        read_folder(tmp_path)


def test_table_of_votes_goes_before_the_columns(write: Write, tmp_path: Path) -> None:
    """With votes, further columns of ballots are unknown columns, kept aside, with a warning of their stars."""
    write("ballots.csv", "member_id,Swings\nKelly,3\n")
    write("votes.csv", "member_id,choice_id,stars\nKelly,Pond,4\n")
    beside = pytest.warns(DoubtWarning, match="1 cell holds stars in the columns 'Swings'")
    with beside, pytest.warns(TableWarning, match="Swings are not part of the table"):
        assert [row[2] for row in stars(read_folder(tmp_path))] == ["Pond"]


@pytest.mark.parametrize("quarantine", [False, True])
def test_column_without_numbers_is_no_choice(write: Write, tmp_path: Path, quarantine: bool) -> None:
    """The error names the column and says why it was taken as a choice; it shows no cell (P1)."""
    write("ballots.csv", "member_id,name,Swings,comment\nk,Kelly,3,\nj,Jack,4,fine by me\n")
    with pytest.raises(InvalidTableError, match=r"columns name, comment.*Without a votes table, every column") as error:
        read_folder(tmp_path, quarantine=quarantine)
    assert "Kelly" not in str(error.value)
    assert "fine" not in str(error.value)


def test_misspelt_column_is_recognised(write: Write, tmp_path: Path) -> None:
    """``Tags`` is not a choice, and the error says what may be meant."""
    write("ballots.csv", "member_id,Tags,Swings\nKelly,budget,3\n")
    with pytest.raises(UnreadableFileError, match="'Tags' looks like tags"):
        read_folder(tmp_path)


def test_single_bad_cell_names_the_choice_and_can_be_set_aside(write: Write, tmp_path: Path) -> None:
    """Among numbers, a word is a bad cell: refused with the cause, or quarantined with its ballot."""
    write("ballots.csv", "member_id,Swings,Pond\nKelly,3,five\nJack,4,5\n")
    with pytest.raises(InvalidTableError, match=r"choice_id 'Pond', stars 'five'.*Without a votes table"):
        read_folder(tmp_path)
    with pytest.warns(TableWarning, match="set aside"):
        assert {row[1] for row in stars(read_folder(tmp_path, quarantine=True))} == {"Jack"}


def test_ballots_without_member_id_are_told_so(write: Write, tmp_path: Path) -> None:
    """A sheet without its key is not taken apart into stars."""
    write("ballots.csv", "name,Swings\nKelly,3\n")
    with pytest.raises(InvalidTableError, match="column member_id is missing"):
        read_folder(tmp_path)


def test_parquet_ballots_may_have_a_column_a_choice(tmp_path: Path) -> None:
    """Integers and decimals are exact and welcome; a choice may even be called row."""
    frame = pl.DataFrame({"member_id": ["Kelly", "Jack"], "row": [4, None], "Pond": [Decimal("2.5"), Decimal(0)]})
    frame.write_parquet(tmp_path / "ballots.parquet")
    assert [row[1:] for row in stars(read_folder(tmp_path))] == [
        ("Jack", "Pond", 0),
        ("Kelly", "Pond", Decimal("2.5")),
        ("Kelly", "row", 4),
    ]


def test_binary_floats_are_no_stars(tmp_path: Path) -> None:
    """Parquet columns of floats are refused by name (D10)."""
    pl.DataFrame({"member_id": ["Kelly"], "Pond": [2.5]}).write_parquet(tmp_path / "ballots.parquet")
    with pytest.raises(InvalidTableError, match="binary floats: Pond"):
        read_folder(tmp_path)


@pytest.mark.parametrize(
    "part",
    [
        "followings/part-00000-1b.csv",
        "followings/data_0.csv.gz",
        "followings/tags=budget/part.tsv",
        "Followings/part.csv",
        "followings.csv/part-00000.csv",
    ],
)
def test_csv_parts_of_a_table_are_refused_rather_than_overlooked(write: Write, tmp_path: Path, part: str) -> None:
    """Without the followings another choice may win; a folder of something else is left alone."""
    write("ballots.csv", "member_id,Pond\nKelly,5\n")
    (tmp_path / "votes").mkdir()
    write("votes/scan.pdf", "")
    read_folder(tmp_path)
    (tmp_path / part).parent.mkdir(parents=True)
    write(part, "follower_id,followee_id\nMaya,Kelly\n")
    with pytest.raises(UnreadableFileError, match=r"ollowings(\.csv|/tags=budget)?: holds CSV parts\. Join them"):
        read_folder(tmp_path)


def test_stars_of_nobody_are_not_set_aside(write: Write, tmp_path: Path) -> None:
    """Merged cells leave the member blank, and the ballots above would lose a star; wide ballots are whole."""
    path = write("votes.csv", "member_id,choice_id,stars\nKelly,Pond,3\n,Swings,5\nOlivia,Pond,2\n,Swings,4\n")
    said = r"votes: 2 rows: member_id is missing .*line 3.*\n.*If cells were merged, fill them down"
    for quarantine in (False, True):
        with pytest.raises(InvalidTableError, match=said):
            read_folder(tmp_path, quarantine=quarantine)
    path.unlink()
    write("ballots.csv", "member_id,Pond\nKelly,3\n,5\n")
    with pytest.warns(TableWarning, match="set aside"):
        assert read_folder(tmp_path, quarantine=True).ballots["member_id"].to_list() == ["Kelly"]
