"""What stands among choices and voters and looks like neither is said loudly, and can be left out."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import polars as pl
import pytest

from crowdvote_analysis.errors import DoubtWarning, InvalidTableError, TableWarning, UnreadableFileError
from crowdvote_analysis.readers import read_folder, read_poll
from tests.command import crowdvote

if TYPE_CHECKING:
    from pathlib import Path

    from crowdvote_analysis import SystemState
    from tests.readers.conftest import Write


def doubts(folder: Path) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read_folder(folder)
    return [str(warning.message) for warning in caught if warning.category is DoubtWarning]


def choices(state: SystemState) -> list[str]:
    return state.choices["choice_id"].to_list()


# --- indexes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["Unnamed: 0", "Unnamed: 0.1", "__index_level_0__", "...1", "index", "level_0", "row_nr"]
)
@pytest.mark.parametrize("numbers", [(0, 1, 2), (1, 2, 3), (2, 0, 1), (0.0, 1.0, 2.0)])
def test_index_is_no_choice_in_whatever_order(
    write: Write, tmp_path: Path, name: str, numbers: tuple[float, ...]
) -> None:
    """Its name and its numbers tell it; the order of the lines does not matter."""
    lines = [f"{number},m{n},5,{n}" for n, number in enumerate(numbers)]
    write("ballots.csv", "\n".join([f"{name},member_id,Pond,Swings", *lines]))
    with pytest.warns(TableWarning, match=f"the column '{name}' numbers the lines; it was left out as an index"):
        assert choices(read_folder(tmp_path)) == ["Pond", "Swings"]


def test_index_in_parquet_is_no_choice(tmp_path: Path) -> None:
    """It stands there as a column of whole numbers."""
    frame = pl.DataFrame({"member_id": ["a", "b"], "Pond": [5, 4], "__index_level_0__": [0, 1]})
    frame.write_parquet(tmp_path / "ballots.parquet")
    with pytest.warns(TableWarning, match="left out as an index"):
        assert choices(read_folder(tmp_path)) == ["Pond"]


def test_choice_called_index_is_not_dropped_in_silence(write: Write, tmp_path: Path) -> None:
    """Where its cells are stars rather than numbers of lines, it is counted with a warning."""
    write("ballots.csv", "member_id,index,Pond\na,5,1\nb,5,2\nc,0,3\n")
    assert [said.partition(": ")[2] for said in doubts(tmp_path)] == [
        "the column 'index' looks like no choice, and was counted as one. If it is none, leave it out: --leave-out "
        '"index".'
    ]


def test_column_called_as_only_programs_call_an_index_is_refused_if_it_is_none(write: Write, tmp_path: Path) -> None:
    """Nobody knows what it is, so nobody can count it."""
    write("ballots.csv", "member_id,Unnamed: 3,Pond\na,5,1\nb,5,2\n")
    with pytest.raises(UnreadableFileError, match=r'does not number the lines.*--leave-out "Unnamed: 3"'):
        read_folder(tmp_path)
    with pytest.warns(TableWarning, match="left out as asked: the column Unnamed: 3"):
        assert choices(read_folder(tmp_path, leave_out=["Unnamed: 3"])) == ["Pond"]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("name", ["X", "X1", "V1", "rn", "Column1", "rownum", "seq", "S.No", "Sl No", "No", "Record #"])
def test_numbers_of_lines_are_neither_a_scale_nor_stars(write: Write, tmp_path: Path, name: str, first: int) -> None:
    """With --quarantine all but a few voters would be set aside; of few lines they are counted with a warning."""
    lines = [f"{n},m{n},5,1" for n in range(first, first + 7)]
    write("ballots.csv", "\n".join([f"{name},member_id,Pond,Swings", *lines]))
    for quarantine in (False, True):
        with pytest.raises(UnreadableFileError, match=f'holds 1, 2, 3 … .*--leave-out "{name}"') as raised:
            read_folder(tmp_path, quarantine=quarantine)
        assert "scale" not in str(raised.value)
    with pytest.warns(TableWarning, match="left out as asked"):
        assert choices(read_folder(tmp_path, leave_out=[name])) == ["Pond", "Swings"]
    write("ballots.csv", "\n".join([f"{name},member_id,Pond,Swings", *lines[:3]]))
    assert [said.partition(": ")[2][:60] for said in doubts(tmp_path)] == [
        f"the column '{name}' holds 1, 2, 3 … line by line; it seems to number the lines"[:60]
    ]


# --- columns -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["Count", "Voter Count", "weight", "Number of ballots", "Anzahl", "n", "Freq", "Shares", "Anteile"]
)
def test_column_of_counts_says_that_weights_are_not_supported(write: Write, tmp_path: Path, name: str) -> None:
    """It is counted as it stands, loudly."""
    write("ballots.csv", f"member_id,{name},Pond\na,3,1\nb,1,2\n")
    (said,) = doubts(tmp_path)
    assert f"'{name}' looks like a number of ballots" in said
    assert "Weights of ballots are not supported" in said


@pytest.mark.parametrize(
    "name",
    [
        *("Total", "Average", "Ann average", "score", "Summe", "No.", "Timestamp", "Comments", "email", "Points"),
        *(
            "Gesamtergebnis",
            "Moyenne générale",
            "Gesamtsumme",
            "Suma total",
            "合計",
            "Итого",
            "Среднее",
            "平均",
            "Medel",
        ),
        *("Ø", "Avg.", "Row mean", "Punkte", "Notiz", "Household", "Age group", "Bemerkung", "Zeile"),
    ],
)
def test_helper_column_is_noted(write: Write, tmp_path: Path, name: str) -> None:
    """Whatever people and forms put beside the choices, if it holds numbers."""
    write("ballots.csv", f"member_id,Pond,{name}\na,3,1\nb,1,2\n")
    (said,) = doubts(tmp_path)
    assert f"'{name}' looks like no choice, and was counted as one" in said
    assert f'--leave-out "{name}"' in said


@pytest.mark.parametrize(
    "name", ["Pond", "No", "Yes", "Ann", "Media centre", "Countess Ada", "Max", "Market Place", "title"]
)
def test_choices_are_not_doubted(write: Write, tmp_path: Path, name: str) -> None:
    """Words that only sound alike are choices; a warning would fail this test."""
    write("ballots.csv", f"member_id,Bench,{name}\na,3,1\nb,1,0\n")
    assert choices(read_folder(tmp_path)) == ["Bench", name]


def test_column_of_words_is_refused_with_the_options_that_settle_it(write: Write, tmp_path: Path) -> None:
    """Both ways out are written as they are typed, and work."""
    write("ballots.csv", "member_id,name,Pond\na,Ada,3\nb,Kim,1\n")
    with pytest.raises(InvalidTableError, match=r'--leave-out "name"'):
        read_folder(tmp_path)
    with pytest.warns(TableWarning, match="left out as asked"):
        assert choices(read_folder(tmp_path, leave_out=["name"])) == ["Pond"]
    with pytest.warns(TableWarning, match="name are not part of the table"):
        assert choices(read_folder(tmp_path, choices=["POND"])) == ["POND"]


def test_choice_may_be_called_like_a_column_of_the_table(write: Write, tmp_path: Path) -> None:
    """Numbers under tags are doubted; who names tags as a choice has it as one."""
    write("ballots.csv", "member_id,tags,Pond\na,5,1\nb,4,2\n")
    (said,) = doubts(tmp_path)
    assert '--choices "tags,Pond"' in said
    state = read_folder(tmp_path, choices=["tags", "Pond"])
    assert choices(state) == ["tags", "Pond"]
    assert state.ballots["tags"].list.len().sum() == 0


def test_headers_that_look_alike_are_one_choice_if_somebody_says_so(write: Write, tmp_path: Path) -> None:
    """Refused by themselves (T7); merged, a ballot that rates both is refused as well."""
    path = write("ballots.csv", "member_id,Pond,POND,Swings\na,5,,1\nb,,4,2\n")
    with pytest.raises(InvalidTableError, match=r"'POND' \(1 vote\), 'Pond' \(1 vote\) look like one choice"):
        read_folder(tmp_path)
    state = read_folder(tmp_path, choices=["Pond", "Swings"])
    assert choices(state) == ["Pond", "Swings"]
    assert state.votes.filter(choice_id="Pond").sort("member_id")["stars"].to_list() == [5, 4]
    path.write_text("member_id,Pond,POND,Swings\na,5,3,1\n")
    with pytest.raises(InvalidTableError, match=r"line 2, column Pond.*line 2, column POND"):
        read_folder(tmp_path, choices=["Pond", "Swings"])


def test_numbers_of_choices_that_a_spreadsheet_changed_are_one_choice(write: Write, tmp_path: Path) -> None:
    """1 and 1.0 are refused by themselves, in rows and in headers, and merged as the error says."""
    for name, text in (
        ("votes.csv", "member_id,choice_id,stars\na,1,5\na,2,3\nb,1.0,4\nb,2,3\n"),
        ("ballots.csv", "member_id,1,1.0,2\na,5,,3\nb,,4,3\n"),
    ):
        path = write(name, text)
        with pytest.raises(InvalidTableError, match=r"'1' \(1 vote\), '1.0' \(1 vote\) look like.*--choices \"1,2\""):
            read_folder(tmp_path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TableWarning)
            votes = read_folder(tmp_path, choices=["1", "2"]).votes
        assert votes.filter(choice_id="1").sort("member_id")["stars"].to_list() == [5, 4]
        path.unlink()


def test_voters_under_another_header_are_found_if_it_is_named(write: Write, tmp_path: Path) -> None:
    """The error suggests the column, and the option takes it."""
    write("ballots.csv", "Email Address,Pond\nkim@e.org,3\n")
    with pytest.raises(InvalidTableError, match=r'member_id is missing.*--id, such as --id "Email Address"'):
        read_folder(tmp_path)
    assert read_folder(tmp_path, id_column="Email Address").ballots["member_id"].to_list() == ["kim@e.org"]
    with pytest.raises(UnreadableFileError, match=r"has a column 'Mail' \(--id\). Columns: Email Address, Pond"):
        read_folder(tmp_path, id_column="Mail")


@pytest.mark.parametrize(
    ("names", "doubted"),
    [
        ("Pond_x,Pond_y", 2),
        ("Pond,Pond_right", 1),
        ("Pond...3,Pond...5", 2),
        ("Pond..3,Pond", 1),
        ("Pond,Pond_duplicated_0", 1),
        ("Pond,Pond.1,Pond.2", 2),
        ("Pond_x,Bench_y", 0),
        ("Pond.1,Bench.2", 0),
        ("Pond_right,Bench_left", 0),
    ],
)
def test_copies_of_a_column_are_noted(write: Write, tmp_path: Path, names: str, doubted: int) -> None:
    """Joins of pandas, polars and R rename the second column of a choice; one such name alone is a choice."""
    cells = ",".join("31524"[: names.count(",") + 1])
    write("ballots.csv", f"member_id,{names}\na,{cells}\nb,{cells}\n")
    said = doubts(tmp_path)
    assert len(said) == doubted
    assert all("looks like one of several columns 'Pond' that a program renamed" in each for each in said)


# --- rows ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        *("Average", "TOTAL:", "Mean", "sum", "Durchschnitt", "Moyenne", "Total responses: 3", "Gesamtergebnis"),
        *("Teilergebnis", "Suma total", "Totale complessivo", "Eindtotaal", "総計", "合計", "平均", "Итого"),
        *(
            "Общий итог",
            "Среднее",
            "Moyenne générale",
            "North Total",
            "Nord Ergebnis",
            "StdDev",
            "median",
            "25%",
            "50%",
        ),
        *("N=4", "n = 12", "(blank)", "(Leer)", "Ø", "Quorum"),
    ],
)
@pytest.mark.parametrize("table", ["ballots", "votes"])
def test_row_of_a_summary_is_noted_and_can_be_left_out(write: Write, tmp_path: Path, name: str, table: str) -> None:
    """In wide ballots and in rows a star; with the line of the file."""
    if table == "ballots":
        write("ballots.csv", f"member_id,Pond,Swings\n\na,3,1\n{name},1,2\n")
    else:
        write("votes.csv", f"member_id,choice_id,stars\n\na,Pond,3\n{name},Pond,1\n")
    (said,) = doubts(tmp_path)
    assert f"line 4 looks like no voter ('{name}')" in said
    with pytest.warns(TableWarning, match=f"left out as asked: 1 row of {table}"):
        assert read_folder(tmp_path, leave_out=[name]).ballots["member_id"].to_list() == ["a"]


def test_statistics_that_are_names_too_are_known_in_company(write: Write, tmp_path: Path) -> None:
    """Max alone is a voter; beside min he is none."""
    write("ballots.csv", "member_id,Pond,Swings\na,3,1\nMax,2,1\n")
    assert doubts(tmp_path) == []
    write("ballots.csv", "member_id,Pond,Swings\na,3,1\nmin,2,1\nmax,3,4\n")
    assert [said.partition(" looks")[0][-6:] for said in doubts(tmp_path)] == ["line 3", "line 4"]


@pytest.mark.parametrize("last", ["Mittel;1;2,17", "Mittel;1,0;2,2"])
def test_last_row_is_known_by_commas_too(write: Write, tmp_path: Path, last: str) -> None:
    """Spreadsheets write numbers as their country does."""
    write("ballots.csv", f"member_id;Pond;Swings\na;1,5;0,5\nb;1,5;1,5\nc;0;4,5\n{last}\n")
    assert any("line 5 holds the" in said for said in doubts(tmp_path))


def test_remark_below_the_ballots_is_no_voter(write: Write) -> None:
    """Programs sign what they write; with the separators of a spreadsheet that is a line like all others."""
    path = write("a.csv", "ballot_id,precinct,A,B\nb1,,5,1\nGenerated by Survey 3 on 2026-05-01,,,\n")
    with pytest.warns(DoubtWarning, match="line 3 looks like no voter"):
        read_poll(path)


def test_member_with_such_a_name_is_a_voter(write: Write, tmp_path: Path) -> None:
    """Whoever stands in the table of members is one; a warning would fail this test."""
    write("ballots.csv", "member_id,Pond\nTotal,3\n")
    write("members.csv", "member_id\nTotal\n")
    assert len(read_folder(tmp_path).ballots) == 1


@pytest.mark.parametrize(("cells", "kind"), [("2.75,1.5", "averages"), ("2.8,1.5", "averages"), ("2.75,2", "averages")])
def test_last_row_of_averages_is_known_without_its_name(write: Write, tmp_path: Path, cells: str, kind: str) -> None:
    """In any language, and whether blanks were averaged as 0 or left out; the id is not shown (P1)."""
    last = "1,0" if cells != "2.75,2" else "1,"
    write("ballots.csv", f"member_id,Pond,Swings\na,5,1\nb,2,3\nc,3,2\nd,{last}\nMittel,{cells}\n")
    (said,) = doubts(tmp_path)
    assert f"line 6 holds the {kind} of all lines above it" in said
    assert "Mittel" not in said


def test_last_ballot_that_is_alike_by_accident_is_a_ballot(write: Write, tmp_path: Path) -> None:
    """Whole stars of few choices, and unanimous polls, are no sums; a warning would fail this test."""
    for lines in (["5,1"] * 5, ["4,2", "2,2", "3,2", "3,2"], ["0,0", "0,0", "0,1", "0,1"]):
        write("ballots.csv", "\n".join(["member_id,Pond,Swings", *(f"m{n},{line}" for n, line in enumerate(lines))]))
        assert len(read_folder(tmp_path).ballots) == len(lines)


# --- scales --------------------------------------------------------------------------------------------------------


def test_ranks_are_noted_in_every_shape(write: Write, tmp_path: Path) -> None:
    """All ranked, some left out, one row a rank, by decision; a single 0 or a repeated number is no rank."""
    ranked = {
        "ballots.csv": "member_id,A,B,C\na,1,2,3\nb,2,1,\nc,3,2,1\n",
        "votes.csv": "decision_id,member_id,choice_id,stars\nx,a,A,1\nx,a,B,2\nx,a,C,3\ny,a,A,5\ny,a,B,0\n",
    }
    for name, text in ranked.items():
        path = write(name, text)
        assert len([said for said in doubts(tmp_path) if "look like ranks" in said]) == 1
        path.unlink()
    for text in (
        "member_id,A,B,C\na,1,2,3\nb,2,2,1\n",
        "member_id,A,B,C\na,1,2,3\nb,0,1,2\n",
        "member_id,A,B\na,1,2\n",
    ):
        write("ballots.csv", text)
        assert doubts(tmp_path) == []


def test_header_that_speaks_of_ranks_is_noted(write: Write, tmp_path: Path) -> None:
    """Whatever the numbers below it."""
    write("ballots.csv", "member_id,Rank [Ann],Ben (rank),Platz\na,1,4,2\nb,2,1,2\n")
    assert any("the header speaks of ranks (Rank [Ann], Ben (rank), Platz)" in said for said in doubts(tmp_path))


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ("10,7 3,8 9,6", "on a scale of 0 to 10: divide them by 2"),
        ("100,70 35,80 90,65", "on a scale of 0 to 100: divide them by 20"),
        ("80%,5% 3%,4% 1%,1%", "look like percent"),
    ],
)
def test_other_scales_are_named_where_stars_are_refused(write: Write, tmp_path: Path, cells: str, said: str) -> None:
    """The error says what the numbers look like; a slip among stars is no scale."""
    lines = [f"m{n},{pair}" for n, pair in enumerate(cells.split())]
    write("ballots.csv", "\n".join(["member_id,A,B", *lines]))
    with pytest.raises(InvalidTableError, match=said):
        read_folder(tmp_path)
    write("ballots.csv", "member_id,A,B\na,5,55\nb,4,3\n")
    with pytest.raises(InvalidTableError) as error:
        read_folder(tmp_path)
    assert "scale" not in str(error.value)


# --- the command line ----------------------------------------------------------------------------------------------


def test_options_about_sheets_are_understood_by_every_command_that_reads_a_folder(write: Write, tmp_path: Path) -> None:
    """The same four options, wherever tables are read."""
    write("ballots.csv", "Person;Pond;Weight\nKim;3;1\nLou;4;2\nTotal;7;3\n")
    options = ["--separator", "semicolon", "--id", "Person", "--choices", "pond", "--leave-out", "Total"]
    for command in (
        ["count", tmp_path],
        ["explain", tmp_path, "-d", "decision", "-m", "Kim"],
        ["export", tmp_path, "--format", "csv"],
        ["query", "SELECT choice_id, total FROM scores", "-f", tmp_path],
        ["decide", "open", tmp_path],
        ["import", tmp_path, tmp_path / "store"],
    ):
        done = crowdvote(*command, *options)
        assert done.returncode == 0, done.stderr
        assert "left out as asked: 1 row of ballots" in " ".join(done.stderr.split())
    done = crowdvote("count", tmp_path / "store", "--choices", "pond")
    assert done.returncode == 2
    assert "are about CSV files; a store has none" in " ".join(done.stderr.split())


def test_choices_are_listed_with_commas_semicolons_or_one_by_one(write: Write, tmp_path: Path) -> None:
    """A name that holds a comma stands in quotes, or among semicolons."""
    write("ballots.csv", 'member_id,"Ann, Countess",Ben,Cleo\nKim,5,1,0\nLou,4,2,1\n')
    for written in (['"Ann, Countess",Ben'], ["Ann, Countess;Ben"], ['"Ann, Countess"', "Ben"]):
        done = crowdvote("count", tmp_path, *(word for text in written for word in ("--choices", text)))
        assert done.returncode == 0
        assert "Ann, Countess" in done.stdout
        assert "Cleo" not in done.stdout


def test_choice_of_rows_that_looks_like_a_sum_is_noted_and_can_be_left_out(write: Write, tmp_path: Path) -> None:
    """A sheet that was made long takes its helper columns along; a table of choices says that it is one."""
    write("votes.csv", "member_id,choice_id,stars\nKim,Ann,5\nKim,Total,5\nLou,Ann,1\nLou,Total,1\n")
    assert any("the choice 'Total' looks like no choice" in said for said in doubts(tmp_path))
    with pytest.warns(TableWarning, match="left out as asked: 2 rows of votes"):
        assert choices(read_folder(tmp_path, leave_out=["Total"])) == ["Ann"]
    write("choices.csv", "choice_id\nAnn\nTotal\n")
    assert doubts(tmp_path) == []


def test_candidates_that_were_not_asked_for_are_said(write: Write) -> None:
    """Nothing is left out without a word."""
    with (
        pytest.warns(DoubtWarning, match="leaves out what holds numbers like stars: Ben, Cleo"),
        pytest.warns(TableWarning, match="not looked at, since --choices names others: Ben, Cleo"),
    ):
        state = read_poll(write("a.csv", "ballot_id,precinct,Ann,Ben,Cleo\nb1,,5,1,2\n"), choices=["ann"])
    assert choices(state) == ["ann"]


def test_choices_in_rows_are_read_in_the_spelling_that_was_asked_for(write: Write, tmp_path: Path) -> None:
    """Where no column is a choice, the names on the command line say how the choices are written."""
    write("votes.csv", "member_id,choice_id,stars\nKim,Pond,5\nLou,pond,5\nMo,Swings,4\n")
    done = crowdvote("count", tmp_path)
    assert done.returncode == 1
    assert '--choices "Pond,Swings"' in " ".join(done.stderr.split())
    assert crowdvote("count", tmp_path, "--choices", "Pond,Swings").returncode == 0
    with pytest.warns(TableWarning, match="Pond"):
        assert choices(read_folder(tmp_path, choices=["Pond", "Swings"])) == ["Pond", "Swings"]


def test_warnings_stand_below_notes_next_to_the_result(write: Write, tmp_path: Path) -> None:
    """Whoever looks at the result sees first what may be wrong with it."""
    write("ballots.csv", "member_id,Total,Pond,index\na,3,★,0\nb,1,2,1\n")
    said = [line.split(":")[0] for line in crowdvote("count", tmp_path).stderr.splitlines() if ": /" in line]
    assert said == ["note", "note", "warning"]


@pytest.mark.parametrize("name", ["Ann.1", "Ann_duplicated_0"])
def test_second_column_of_a_choice_is_noted(write: Write, tmp_path: Path, name: str) -> None:
    """A program that meets a header twice renames it, and the choice has its stars in two places."""
    write("ballots.csv", f"member_id,Ann,{name},Room 2.1\na,3,1,0\nb,1,2,1\n")
    (said,) = doubts(tmp_path)
    assert f"'{name}' looks like one of several columns 'Ann' that a program renamed" in said


def test_last_row_of_sums_is_named_beside_the_error_that_it_makes(write: Write, tmp_path: Path) -> None:
    """Sums are mostly more than five stars; the warning says what they are, whatever the row is called."""
    write("ballots.csv", "member_id,Pond,Swings\na,5,1\nb,2,3\nRazem dla,7,4\n")
    with pytest.warns(DoubtWarning, match="line 4 holds the sums"), pytest.raises(InvalidTableError, match="line 4"):
        read_folder(tmp_path)


# --- choices that were asked for ------------------------------------------------------------------------------------


def test_way_out_of_another_spelling_names_every_choice(write: Write, tmp_path: Path) -> None:
    """Whoever takes the advice as it is typed loses no column."""
    write("choices.csv", "choice_id,title\npond,The Pond\nSwings,\n")
    write("ballots.csv", "member_id,Pond,Swings\na,5,0\nb,0,4\nc,0,4\n")
    with pytest.raises(InvalidTableError, match='--choices "Swings,pond" reads it so'):
        read_folder(tmp_path)
    state = read_folder(tmp_path, choices=["Swings", "pond"])  # a warning would fail this test
    assert state.votes.group_by("choice_id").len().sort("choice_id").rows() == [("Swings", 3), ("pond", 3)]


@pytest.mark.parametrize("cells", ["0,4", "3,", "★,★★", '"1,5",2'])
def test_column_of_stars_that_choices_leave_out_is_noted(write: Write, tmp_path: Path, cells: str) -> None:
    """It may be a choice; what is called like none, and what holds other numbers or words, is no loss."""
    one, two = cells.rsplit(",", 1)
    write("ballots.csv", f"member_id,Pond,Age,Year,Index,Swings,Why\na,5,3,2026,1,{one},well\nb,4,2,2025,2,{two},\n")
    write("p.csv", f"email,Pond,Swings\na,5,{one}\nb,4,{two}\n")
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        assert choices(read_folder(tmp_path, choices=["Pond"])) == ["Pond"]
        assert choices(read_poll(tmp_path / "p.csv", choices=["Pond"])) == ["Pond"]
    loud = [str(each.message) for each in warned if each.category is DoubtWarning]
    assert len(loud) == 2
    assert all("--choices leaves out what holds numbers like stars: Swings." in said for said in loud)


# --- columns that are nearly those of the table ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("decisionId", "decision_id"),
        ("DECISION_ID", "decision_id"),
        ("decision id", "decision_id"),
        ("decision", "decision_id"),
        ("decison_id", "decision_id"),
        ("community", "community_id"),
        ("community_id", "community_id"),
        ("Comunity ID", "community_id"),
        ("MemberID", "member_id"),
        ("castAt", "cast_at"),
        ("Cast at", "cast_at"),
        ("Tags", "tags"),
        ("TAG", "tags"),
    ],
)
def test_header_that_is_nearly_one_of_the_table_is_no_choice(
    write: Write, tmp_path: Path, name: str, meant: str
) -> None:
    """Numbers in it pass for stars, and the decisions would be counted as one."""
    write("ballots.csv", f"{name},member_id,Pond\n1,a,5\n2,b,4\n")
    for named in ([], ["Pond"]):
        with pytest.raises(UnreadableFileError, match=f"the column '{name}' looks like {meant}, and would be taken"):
            read_folder(tmp_path, choices=named)
    assert choices(read_folder(tmp_path, choices=[name, "Pond"])) == [name, "Pond"]
    with pytest.warns(TableWarning, match="left out as asked"):
        assert choices(read_folder(tmp_path, leave_out=[name])) == ["Pond"]


@pytest.mark.parametrize("name", ["Stags", "Provision", "Cast", "December", "Immunity", "Vintage"])
def test_choice_that_only_sounds_like_a_column_of_the_table_is_one(write: Write, tmp_path: Path, name: str) -> None:
    """Short words are compared as they stand."""
    write("ballots.csv", f"member_id,{name},Pond\na,1,5\nb,2,4\n")
    assert choices(read_folder(tmp_path)) == [name, "Pond"]


def test_commands_say_which_columns_they_took_as_choices(write: Write, tmp_path: Path) -> None:
    """A column beside the choices may win by itself, and nothing else tells it from them."""
    (tmp_path / "t").mkdir()
    write("t/ballots.csv", "member_id,tags,Pond,Swings,Household\na,,5,0,4\nb,,0,4,3\n")
    said = "note: ballots: choices are the columns Pond, Swings, Household."
    for command in (["count", tmp_path / "t"], ["import", tmp_path / "t", tmp_path / "store"]):
        assert said in crowdvote(*command).stderr
    assert "are the columns" not in crowdvote("count", tmp_path / "t", "--choices", "Pond,Swings").stderr
    assert "are the columns" not in crowdvote("count", tmp_path / "store").stderr
    write("t/choices.csv", "choice_id\nPond\nSwings\nHousehold\n")
    assert "are the columns" not in crowdvote("count", tmp_path / "t").stderr
