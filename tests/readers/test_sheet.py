"""CSV files are read as text, and what is not a CSV file is refused with the way out."""

from __future__ import annotations

import csv
import gzip
import io
import warnings
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crowdvote_analysis.errors import DoubtWarning, InvalidTableError, TableWarning, UnreadableFileError
from crowdvote_analysis.readers import read_folder, read_network, read_poll, text_file
from crowdvote_analysis.readers.sheet import read_sheet, read_table

if TYPE_CHECKING:
    from pathlib import Path

    from tests.readers.conftest import Write


def test_cells_stay_text(write: Write) -> None:
    """Digits, dates and truth values are not interpreted."""
    table = read_table(write("a.csv", "id,on,yes\n007,2020-01-01,true\n1e3,,False\n"))
    assert table.rows() == [("007", "2020-01-01", "true"), ("1e3", None, "False")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_byte_order_mark_and_line_ends_do_not_matter(write: Write, end: str, mark: bytes) -> None:
    """Windows, Unix and old Mac files with or without a byte order mark read the same."""
    table = read_table(write("a.csv", mark + end.join([" id , name", " ä ,\t x y ", ""]).encode()))
    assert table.to_dicts() == [{"id": "ä", "name": "x y"}]


def test_an_archive_that_would_fill_the_memory_is_not_unpacked(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand bytes may hold a million; a plain file of the size is read."""
    monkeypatch.setattr(text_file, "LARGEST_UNPACKED", 10_000)
    large = b"id\n" + b"x\n" * 10_000
    for name in ("a.csv.gz", "edges.txt.gz"):
        read = read_table if name.startswith("a") else read_network
        with pytest.raises(UnreadableFileError, match=r"holds more than 10,000 bytes.*unpack it first"):
            read(write(name, gzip.compress(large)))
    assert len(read_table(write("a.csv", large))) == 10_000


def test_gzipped_file_is_unpacked(write: Write) -> None:
    """A gzipped CSV reads like a plain one."""
    assert read_table(write("a.csv.gz", gzip.compress(b"id\nx\n"))).rows() == [("x",)]


def test_quotes_hold_commas_quotes_and_line_breaks(write: Write) -> None:
    """Quoted names and cells may hold anything, and quotes inside a bare cell are part of it."""
    table = read_table(write("a.csv", '"Park, big","a ""b"" c"\n"x\ny","z, ""q"""\nDwayne "Rock" J,\n'))
    assert table.columns == ["Park, big", 'a "b" c']
    assert table.rows() == [("x\ny", 'z, "q"'), ('Dwayne "Rock" J', None)]


def test_blank_lines_and_nameless_blank_columns_are_left_out(write: Write) -> None:
    """What spreadsheets leave behind at the end and at the right is no data."""
    table = read_table(write("a.csv", "id,stars,,\na,1,,\n,,,\n\nb,2, ,\n,,,\n"))
    assert table.to_dicts() == [{"id": "a", "stars": "1"}, {"id": "b", "stars": "2"}]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b,c\n1,2,3\n1,2\n", "line 3 has 2 cells, the header has 3"),
        (b"a,b,c\n1,2,3\n1\n", "line 3 has 1 cell, the header has 3"),
        (b'a,b,c\n1,"2\n2",3\n"x",2\n', "line 4 has 2 cells"),
        (b"a,b\n1,2\n1,2,3\n", "line 3 has 3 cells, the header has 2"),
        (b"a,b,c\n1,2\n3,4\n", "line 2 has 2 cells"),
        (b'a,b\n1,"2\n3,4\n', "a double quote that opens in line 2 is never closed"),
        (b"Poll of May\nid,stars\nKim,4\n", "line 2 has 2 cells, the header has 1.*If the line is a title"),
        (b"a,b,c\n1,2,3\nMade by hand\n", "line 3 has 1 cell.*remark, remove it"),
        (b"a,b\n1,2\n3;4\n", "Line 1 was taken as the header, with commas.*--separator says otherwise"),
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b",,\n1,2,3\n", "line 1 is blank"),
        (b"sep=,", "line 2 is blank"),
        (b"x;y,z\n1;2,3\n", "separated by commas or semicolons.*--separator"),
        (b'"a,b,c"\n"1,2,3"\n', "in double quotes as a whole"),
        (b"a,b\n1,\xe4\n", "line 2 is not UTF-8"),
        ("a,b\n1,2\n".encode("utf-16-le"), "UTF-16 text without a mark"),
        ("a,b\n1,2\n".encode("utf-16")[:-1], "cut off"),
        ("a,b\n1,Jos\xe9\n".encode("cp1252"), "line 2 is not UTF-8"),
        (b"PK\x03\x04more", "spreadsheet"),
        (b"PK\x03\x04[Content_Types].xml xl/workbook.xml", "Excel spreadsheet.*save it as CSV"),
        (b"PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "OpenDocument"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel"),
        (b"PAR1 and more", "Parquet"),
        (b"%PDF-1.7", "PDF"),
        (b' {"Election": 1}', "JSON.*Download CSV"),
        (b'[{"a": 1}]', "JSON"),
        (b"\n<!DOCTYPE html><html>", "web page"),
        (b"<?xml version='1.0'?>", "XML"),
        (b"a,b\n1,\x00\n", "binary"),
        (b"\x1f\x8bcut", "gzip"),
        (b"a,,c\n1,2,3\n", "column 2 holds values but has no name"),
        (b"a,b,a\n1,2,3\n", "repeats the column 'a'"),
    ],
)
def test_what_is_not_a_csv_file_is_refused_by_name(write: Write, content: bytes, said: str) -> None:
    """The error names the file and what is wrong with it."""
    path = write("sheet.csv", content)
    with pytest.raises(UnreadableFileError, match=said) as error:
        read_table(path)
    assert str(error.value).startswith(f"{path}: ")


def test_errors_about_lines_do_not_show_them(write: Write) -> None:
    """The text of a member table may name somebody anonymous (P1)."""
    for content in (b"member_id,is_anonymous\nAda Lovelace\n", b"member_id\nAda Lovelace,\xff\n"):
        with pytest.raises(UnreadableFileError) as error:
            read_table(write("members.csv", content))
        assert "Ada" not in str(error.value)


def test_missing_file_and_folder_are_told_apart(write: Write) -> None:
    """A path that leads nowhere and one that leads to a folder have their own messages."""
    path = write("x.csv", "a\n")
    with pytest.raises(UnreadableFileError, match="no such file"):
        read_table(path.with_name("y.csv"))
    with pytest.raises(UnreadableFileError, match="is a folder"):
        read_table(path.parent)


_CELL = st.text(st.sampled_from('ab ,;"\n\tä5'), max_size=4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::crowdvote_analysis.errors.DoubtWarning")
@given(rows=st.lists(st.lists(_CELL, min_size=3, max_size=3), max_size=8))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_cell_a_csv_writer_writes_comes_back(write: Write, rows: list[list[str]]) -> None:
    """What Python's csv module writes is read back cell by cell, trimmed, blank as null, blank lines dropped."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["x", "y", "z"], *rows])
    trimmed = [tuple(cell.strip() or None for cell in row) for row in rows]
    assert read_sheet(write("a.csv", out.getvalue())).rows.rows() == [row for row in trimmed if any(row)]


# --- separators, quotes, headers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("separator", "name"), [(";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")])
def test_other_separators_are_found_and_noted(write: Write, separator: str, name: str) -> None:
    """What splits the header and every line alike separates, whatever commas stand in the cells."""
    text = "id,S,B\nKim,,4\nLou,x,5\n".replace(",", separator).replace("S", "Ann, the great")
    with pytest.warns(TableWarning, match=f"{name}, because line 1 has 3 of them so; --separator"):
        table = read_table(write("a.csv", text))
    assert table.rows() == [("Kim", None, "4"), ("Lou", "x", "5")]
    assert read_table(write("a.csv", text), separator).rows() == table.rows()


def test_commas_stand_where_another_separator_only_stands_in_cells(write: Write) -> None:
    """Lists of tags hold semicolons and say nothing about the columns; a warning would fail this test."""
    assert read_table(write("a.csv", "id,tags\nKim,a;b\nLou,c;d\n")).rows() == [("Kim", "a;b"), ("Lou", "c;d")]


def test_known_column_settles_the_separator(write: Write) -> None:
    """Where two separators would do, the one that makes a known column of the header is meant."""
    path = write("a.csv", "member_id;Ann, Countess;Ben\nKim;4,5;1\n")
    with pytest.warns(TableWarning, match="semicolons"):
        assert read_table(path, keys={"member_id"}).rows() == [("Kim", "4,5", "1")]


@pytest.mark.parametrize("first", ["sep=;", "SEP=;", '"sep=;"', "sep=;;;"])
def test_separator_line_is_obeyed_and_counted(write: Write, first: str) -> None:
    """Excel writes and reads such a line; the lines below it keep their numbers."""
    sheet = read_sheet(write("a.csv", f"{first}\r\nid;stars\r\nKim;4\r\n"))
    assert (sheet.header, sheet.rows.rows(), sheet.lines.to_list()) == (["id", "stars"], [("Kim", "4")], [3])


def test_utf_16_with_its_mark_is_read(write: Write) -> None:
    """Spreadsheets call it Unicode text."""
    with pytest.warns(TableWarning, match="tabs"):
        assert read_table(write("a.txt", "id\tname\n1\tJosé\n".encode("utf-16"))).rows() == [("1", "José")]


@pytest.mark.parametrize(
    ("left", "right", "said"), [("'", "'", "single"), ("“", "”", "typographic"), ("„", "“", "typo")]
)
def test_other_quotes_around_cells_are_quotes(write: Write, left: str, right: str, said: str) -> None:
    """They are no part of the names, and hold separators."""
    cells = [["id", "name"], ["1", "Ann, the great"]]
    text = "\n".join(",".join(f"{left}{cell}{right}" for cell in row) for row in cells)
    with pytest.warns(TableWarning, match=said):
        assert read_table(write("a.csv", text)).to_dicts() == [{"id": "1", "name": "Ann, the great"}]


def test_lines_above_a_known_header_are_left_out_by_number(write: Write) -> None:
    """Titles of an export are named by their lines, and never shown (P1)."""
    path = write("a.csv", "Poll of Ada\n\nmember_id,stars\nKim,4\n")
    with pytest.warns(TableWarning, match="lines 1 to 2 stand above the header and were left out") as warned:
        sheet = read_sheet(path, keys={"member_id"})
    assert (sheet.rows.rows(), sheet.lines.to_list()) == ([("Kim", "4")], [4])
    assert "Ada" not in str(warned[0].message)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Ada,,0,5\nBo,,1,5\nmember_id,tags,Swings,Pond\nKim,,5,0\n", "line 3, below 2 lines that look like rows"),
        ("Ada,,,5\nmember_id,tags,Swings,Pond\nKim,,5,0\n", "line 2, below 1 line that looks like a row"),
        ("Ada;Bo;x\nfollower_id;member_id;tags\nCy;Bo;\n", "line 2, below 1 line that looks like a row"),
        ("Ada\ttrue\nmember_id\tis_anonymous\nCy\tfalse\n", "line 2, below 1 line that looks like a row"),
        ("Ada\nmember_id\nCy\n", "line 2, below 1 line that looks like a row"),
        ("Who,Pond\nAda,5\nmember_id,Pond\nCy,1\n", "line 3, below 2 lines that look like rows"),
        ("Poll\nAda,5\n\nmember_id,Pond\nCy,1\n", "line 4, below 1 line that looks like a row"),
        ('Ada,5,1\nmember_id,"Po\nnd",Swings\nCy,1,0\n', "line 2, below 1 line that looks like a row"),
    ],
)
def test_rows_above_a_known_header_are_never_left_out(write: Write, text: str, said: str) -> None:
    """Whoever sorts a file with its header has rows above it; no cell of theirs is said (P1)."""
    path = write("a.csv", text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TableWarning)
        with pytest.raises(UnreadableFileError, match=said) as raised:
            read_sheet(path, keys={"member_id"})
    assert "Ada" not in str(raised.value)


@pytest.mark.parametrize("above", ["Poll of Ada,,,", "Poll of Ada, in May", "a: b, c, d", ",,,\nPoll"])
def test_titles_above_a_known_header_are_still_left_out(write: Write, above: str) -> None:
    """One text, however it is padded, or fewer values in fewer cells than the header."""
    with pytest.warns(TableWarning, match="above the header and"):
        assert (
            len(read_sheet(write("a.csv", f"{above}\nmember_id,tags,Pond,Swings\nKim,,4,1\n"), keys={"member_id"}).rows)
            == 1
        )


def test_repeated_header_is_left_out_by_number(write: Write) -> None:
    """Exports that were put together hold a header each."""
    with pytest.warns(TableWarning, match=r"2 lines repeat the header and were left out \(line 3, 5\)"):
        table = read_table(write("a.csv", "id,stars\nKim,4\nid,stars\nLou,5\n id , stars \n"))
    assert table.rows() == [("Kim", "4"), ("Lou", "5")]


def test_repeated_header_with_a_mark_is_left_out(write: Write) -> None:
    """As programs put before a file, where files were put together."""
    with pytest.warns(TableWarning, match=r"1 line repeats the header and was left out \(line 3\)"):
        table = read_table(write("a.csv", "\ufeffid,stars\nKim,4\n\ufeffid,stars\nLou,5\n"))
    assert table["stars"].to_list() == ["4", "5"]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("id,Pond,Swings", "in another order"),
        ("Pond,id,Swings", "in another order"),
        ("\ufeffid,Pond,Swings", "in another order"),
        ("id,Swings,Bench", "of other columns"),
        ("id,Swings,", "of other columns"),
    ],
)
def test_second_header_in_another_order_is_refused(write: Write, line: str, what: str) -> None:
    """Stars below it belong to other choices; with --quarantine it would be a row among others."""
    path = write("a.csv", f"id,Swings,Pond\nKim,4,1\n{line}\nLou,5,0\n")
    with pytest.raises(UnreadableFileError, match=f"line 3 is a second header {what}; the file seems to be several"):
        read_table(path)


@pytest.mark.parametrize("line", ["id,4,1", "4,2,1", "2,4,4", "Kim,id,2"])
def test_row_that_holds_a_name_of_a_column_is_a_row(write: Write, line: str) -> None:
    """One word, and numbers that are names of choices too, are no header."""
    assert len(read_table(write("a.csv", f"id,2,4\n{line}\n"))) == 1


def test_separators_too_many_at_the_ends_are_no_cells(write: Write) -> None:
    """Spreadsheets write them for columns that were once used, in the header or below it."""
    assert read_table(write("a.csv", "id,stars\nKim,4,,\nLou,5,\n")).rows() == [("Kim", "4"), ("Lou", "5")]
    assert read_table(write("a.csv", "id,stars,,\nKim,4\nLou,5,\n")).rows() == [("Kim", "4"), ("Lou", "5")]


def test_first_column_without_a_name_that_numbers_the_lines_is_an_index(write: Write) -> None:
    """Pandas writes it; with gaps too, where lines were taken out. Anything else there is refused."""
    for numbers in ((0, 1), (1, 2), (3, 17)):
        with pytest.warns(TableWarning, match="left out as an index"):
            table = read_table(write("a.csv", f",id,stars\n{numbers[0]},Kim,4\n{numbers[1]},Lou,5\n"))
        assert table.rows() == [("Kim", "4"), ("Lou", "5")]
    with pytest.raises(UnreadableFileError, match="column 1 holds values but has no name"):
        read_table(write("a.csv", ",id\n2,Kim\n2,Lou\n"))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a,b\n1,2\n\n3,4\n", [2, 4]),
        ('a,b\n1,"x\ny"\n3,4\n', [2, 4]),
        ('"a\nz",b\n1,2\n\n3,4\n', [3, 5]),
        ('sep=,\n\n"a\nz",b\n1,"2\n\n2"\n,\n3,4', [5, 9]),
        ("a,b,\n1,2\n3,4,\n", [2, 3]),
        ("a,b\r1,2\r\r3,4\r", [2, 4]),
    ],
)
def test_lines_are_those_of_the_file(write: Write, text: str, lines: list[int]) -> None:
    """Blank lines, line breaks in quotes, and whatever stands above the header are counted."""
    assert read_sheet(write("a.csv", text)).lines.to_list() == lines


def test_quote_that_swallows_lines_is_doubted(write: Write) -> None:
    """Two quotes in the wrong places make one cell of two lines; text of several lines is none of that."""
    with pytest.warns(DoubtWarning, match="a quote that opens in line 3 or below it closes in another line"):
        assert len(read_table(write("a.csv", 'id,stars\nMo,1\n"Kim,5\nLou",4\n'))) == 2
    assert len(read_table(write("a.csv", 'id,note,stars\nKim,"Hi,\nthere",5\n'))) == 1


def test_line_breaks_in_the_header_are_blanks(write: Write) -> None:
    """Long questions are broken; nobody could type the name of such a choice."""
    assert read_sheet(write("a.csv", 'id,"Ann \n the great"\nKim,5\n')).header == ["id", "Ann the great"]


@pytest.mark.parametrize(
    "layout",
    [
        {},
        {"id_column": "Voter"},
        {"id_column": "name", "choices": ["Oak"]},
        {"id_column": "name", "leave_out": ["Oak"]},
    ],
    ids=["no voter", "id", "choices", "leave out"],
)
def test_errors_about_columns_say_what_was_taken_as_the_header(
    write: Write, tmp_path: Path, layout: dict[str, object]
) -> None:
    """With the wrong separator no column is found, so the message says which it was, and what the header has so."""
    write("ballots.csv", "name,Pond,Swings\nKim,4,5\n")
    with pytest.raises((UnreadableFileError, InvalidTableError)) as error:
        read_folder(tmp_path, **layout)  # type: ignore[arg-type]
    assert "Pond, Swings" in str(error.value)
    assert "Line 1 was taken as the header, with commas between the columns" in str(error.value)
    assert str(error.value).count("--separator says otherwise") == 1
    if layout:
        path = write("poll.csv", "name,Pond,Swings\nKim,4,5\n")
        with pytest.raises(UnreadableFileError, match=r"Pond, Swings.*Line 1 was taken as the header, with commas"):
            read_poll(path, **layout)  # type: ignore[arg-type]


def test_missing_column_names_the_header_of_its_own_file(write: Write, tmp_path: Path) -> None:
    """Known columns alone would not tell what is wrong with it."""
    write("ballots.csv", "member_id,Pond\nKim,4\n")
    write("followings.csv", "who\twhom\nKim\tMaya\n")
    with (
        pytest.warns(TableWarning, match="tabs"),
        pytest.raises(InvalidTableError, match=r"The header of followings\.csv has: who, whom\. Line 1 .* with tabs"),
    ):
        read_folder(tmp_path)


@pytest.mark.filterwarnings("ignore::crowdvote_analysis.errors.TableWarning")
@pytest.mark.parametrize("line", [0, 1])
def test_cells_longer_than_any_name_are_no_names(write: Write, line: int) -> None:
    """The module csv gives up at 131,072 letters; a file is told about in words all the same."""
    lines = ["Name,Pond,Swings", "Ann,5,0", "Ben,3,1"]
    lines[line] = f"{lines[line]},{'x' * 140_000}"
    with pytest.raises((UnreadableFileError, InvalidTableError), match=r"a\.csv"):
        read_poll(write("a.csv", "\n".join(lines)))
    with pytest.raises(UnreadableFileError, match=r"a\.csv"):
        read_network(write("a.csv", "\n".join([*lines[1:], "z" * 140_000])))
