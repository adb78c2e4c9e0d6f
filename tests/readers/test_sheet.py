"""CSV files are read as text, and what is not a CSV file is refused with the way out."""

from __future__ import annotations

import csv
import gzip
import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crowdvote_analysis.errors import UnreadableFileError
from crowdvote_analysis.readers.sheet import read_sheet, read_table

if TYPE_CHECKING:
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
        (b'a,b\n1,"2\n3,4\n', "double quote"),
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\na,b\n1,2\n", "first line is blank"),
        (b"a;b;c\n1;2;3\n", "separated by semicolons"),
        (b"a\tb\n1\t2\n", "separated by tabs"),
        (b"a,b\n1,\xe4\n", "line 2 is not UTF-8"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04more", "spreadsheet"),
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
@given(rows=st.lists(st.lists(_CELL, min_size=3, max_size=3), max_size=8))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_cell_a_csv_writer_writes_comes_back(write: Write, rows: list[list[str]]) -> None:
    """What Python's csv module writes is read back cell by cell, trimmed, blank as null, blank lines dropped."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["x", "y", "z"], *rows])
    trimmed = [tuple(cell.strip() or None for cell in row) for row in rows]
    assert read_sheet(write("a.csv", out.getvalue())).rows.rows() == [row for row in trimmed if any(row)]
