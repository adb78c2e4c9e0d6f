"""One more row in a table on disk."""

from __future__ import annotations

import csv
import os
import stat
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from crowdvote_analysis.checking import check
from crowdvote_analysis.errors import UnreadableFileError
from crowdvote_analysis.readers.sheet import read_table
from crowdvote_analysis.store.append import append_row
from crowdvote_analysis.store.locking import locked

AT = datetime(2026, 6, 15, 12, 0, 0, 250_000, UTC)


def vote(member: str = "Maya", tags: tuple[str, ...] = ()) -> pl.DataFrame:
    return pl.DataFrame(
        {"decision_id": ["roof"], "member_id": [member], "voted_at": [AT], "vote": ["yes"], "tags": [list(tags)]},
        schema_overrides={"tags": pl.List(pl.String)},
    )


def appended(folder: Path, text: str, row: pl.DataFrame, home: str = "roof") -> str:
    path = folder / "yes_no_votes.csv"
    path.write_bytes(text.encode("utf-8"))
    append_row(folder, "yes_no_votes", row, {"decision_id": [home]})
    return path.read_bytes().decode("utf-8")


@pytest.mark.parametrize(
    "text",
    [
        "decision_id,member_id,voted_at,vote,tags\nroof,Kelly,2026-06-01 08:00,no,\n",
        "decision_id,member_id,voted_at,vote,tags\r\nroof,Kelly,2026-06-01 08:00,no,\r\n",
        '\ufeff"decision_id", member_id ,voted_at,vote,tags,note\nroof,"Kelly",, NO ,,"said, in\n\ntwo lines"\n\n\n',
        "vote,tags,voted_at,member_id,decision_id\n",
    ],
)
def test_every_byte_of_a_csv_file_stays(tmp_path: Path, text: str) -> None:
    """Quotes, blanks, blank lines, line ends and columns of others are as they were, and a line is added."""
    written = appended(tmp_path, text, vote("Maya, the first", ("budget", "trees")))
    assert written.startswith(text)
    row = read_table(tmp_path / "yes_no_votes.csv").to_dicts()[-1]
    assert {name: cell for name, cell in row.items() if name != "note"} == {
        "decision_id": "roof",
        "member_id": "Maya, the first",
        "voted_at": "2026-06-15T12:00:00.250Z",
        "vote": "yes",
        "tags": "budget;trees",
    }
    assert written.count("\r") in (0, written.count("\n"))


@pytest.mark.parametrize("member", ["Smith, Maya", 'the "first"', "two\nlines", "é;ß"])
def test_whatever_an_id_holds_is_read_back(tmp_path: Path, member: str) -> None:
    """Commas, quotes and line breaks of an id stand in quotes."""
    appended(tmp_path, "decision_id,member_id,voted_at,vote\n", vote(member))
    assert read_table(tmp_path / "yes_no_votes.csv")["member_id"].to_list() == [member]


def test_a_last_line_without_an_end_gets_one(tmp_path: Path) -> None:
    """The new row never runs into the last one."""
    written = appended(tmp_path, "decision_id,member_id,voted_at,vote\nroof,Kelly,,no", vote())
    assert written.splitlines()[1:] == ["roof,Kelly,,no", "roof,Maya,2026-06-15T12:00:00.250Z,yes"]


def test_columns_that_a_csv_file_lacks_are_added_where_they_say_something(tmp_path: Path) -> None:
    """The time of the vote needs a column; tags that are empty do not."""
    written = appended(tmp_path, 'member_id,vote\n"Kelly\nSmith",no\n\nOlivia,yes\n', vote())
    assert written == (
        'member_id,vote,voted_at\n"Kelly\nSmith",no,\n\nOlivia,yes,\nMaya,yes,2026-06-15T12:00:00.250Z\n'
    )
    assert appended(tmp_path, written, vote("Jack", ("budget",))).splitlines()[0].endswith(",voted_at,tags")


def test_rows_without_a_decision_get_the_one_that_they_are_of(tmp_path: Path) -> None:
    """A file without the column means the only decision, also when a row of another one joins; blank lines stay."""
    written = appended(tmp_path, "member_id,vote\nKelly,no\n,\n", vote(), home="hall, old")
    assert written == (
        'member_id,vote,decision_id,voted_at\nKelly,no,"hall, old",\n,,,\nMaya,yes,roof,2026-06-15T12:00:00.250Z\n'
    )


def test_rows_of_a_parquet_file_without_a_decision_get_it_too(tmp_path: Path) -> None:
    """The column stays away where it says nothing new, else it is complete."""
    path = tmp_path / "yes_no_votes.parquet"
    before = pl.DataFrame({"member_id": ["Kelly"], "vote": ["no"]})
    for home, columns in ({"decision_id": ["roof"]}, None), ({"decision_id": ["hall"]}, ["hall", "roof"]):
        before.write_parquet(path)
        append_row(tmp_path, "yes_no_votes", vote(), home)
        after = pl.read_parquet(path)
        assert (after["decision_id"].to_list() if "decision_id" in after.columns else None) == columns
        assert after["member_id"].to_list() == ["Kelly", "Maya"]


def test_a_parquet_file_keeps_its_columns_and_types(tmp_path: Path) -> None:
    """Columns of others are there with nothing in the new row; types stay what they were."""
    path = tmp_path / "yes_no_votes.parquet"
    before = pl.DataFrame(
        {"note": ["x"], "vote": ["no"], "member_id": ["Kelly"], "decision_id": ["roof"], "voted_at": [None]},
        schema_overrides={"voted_at": pl.Datetime("us"), "vote": pl.Categorical()},
    )
    before.write_parquet(path)
    assert append_row(tmp_path, "yes_no_votes", vote()) == path
    after = pl.read_parquet(path)
    assert after.schema == before.schema
    assert after.head(1).equals(before)
    assert after.row(1) == (None, "yes", "Maya", "roof", AT.replace(tzinfo=None))


UTC_COLUMN = pl.Datetime("us", "UTC")


@pytest.mark.parametrize(
    ("column", "given", "read"),
    [
        ("voted_at", pl.Series(["2026-06-01 08:00"]), datetime(2026, 6, 1, 8, tzinfo=UTC)),
        ("voted_at", pl.Series([None], dtype=pl.Null), None),
        ("voted_at", pl.Series([date(2026, 6, 1)]), datetime(2026, 6, 1, tzinfo=UTC)),
        (
            "voted_at",
            pl.Series([datetime(2026, 6, 1, 8)], dtype=pl.Datetime("ms")),
            datetime(2026, 6, 1, 8, tzinfo=UTC),
        ),
        ("tags", pl.Series(["a; b"]), ["a", "b"]),
        ("tags", pl.Series([None], dtype=pl.Null), []),
        ("tags", pl.Series([[1]]), ["1"]),
        ("tags", pl.Series([[]], dtype=pl.List(pl.Null)), []),
        ("tags", pl.Series(["a;b"], dtype=pl.Categorical()), ["a", "b"]),
        ("member_id", pl.Series([7]), "7"),
        ("member_id", pl.Series(["Kelly"], dtype=pl.Enum(["Kelly"])), "Kelly"),
        ("vote", pl.Series([" NO "], dtype=pl.Enum([" NO "])), "no"),
    ],
)
def test_a_parquet_column_gets_the_type_of_the_table_where_it_has_to(
    tmp_path: Path, column: str, given: pl.Series, read: object
) -> None:
    """Whatever is read can be added to: the old rows mean what they meant, the new one is there to the microsecond."""
    new = vote(tags=("trees",)).with_columns(voted_at=pl.lit(AT.replace(microsecond=250_001)).cast(UTC_COLUMN))
    vote("Kelly").with_columns(given.alias(column)).write_parquet(tmp_path / "yes_no_votes.parquet")
    append_row(tmp_path, "yes_no_votes", new)
    rows = check("yes_no_votes", pl.read_parquet(tmp_path / "yes_no_votes.parquet")).good
    assert rows[column].to_list()[0] == read
    assert rows.tail(1).drop("row").equals(new)


def test_a_parquet_column_that_cannot_hold_the_value_is_named(tmp_path: Path) -> None:
    """Nothing is guessed to make it fit, and the file stays as it was."""
    path = tmp_path / "yes_no_votes.parquet"
    vote().with_columns(voted_at=pl.lit("soon")).write_parquet(path)
    before = path.read_bytes()
    with pytest.raises(UnreadableFileError, match="voted_at has the type String"):
        append_row(tmp_path, "yes_no_votes", vote("Kelly"))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (vote(" bo "), "member_id of the new row would be read otherwise"),
        (vote().with_columns(vote=pl.lit("perhaps")), "would break a rule"),
        (vote("Kelly"), "would be read otherwise"),
    ],
)
def test_what_would_not_be_read_back_is_refused(
    tmp_path: Path, row: pl.DataFrame, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new file holds the old rows and the new one, or the old file stays."""
    path = tmp_path / "yes_no_votes.csv"
    path.write_text("decision_id,member_id,voted_at,vote\nroof,Kelly,,no\n")
    before = path.read_bytes()
    if row["member_id"].item() == "Kelly":  # a fault of ours that nobody has thought of
        monkeypatch.setattr("crowdvote_analysis.store.append._with_line", lambda text, *_: text.replace("no", "yes"))
    with pytest.raises(UnreadableFileError, match=words):
        append_row(tmp_path, "yes_no_votes", row)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["yes_no_votes.csv"]


def test_a_long_cell_of_another_column_stays(tmp_path: Path) -> None:
    """The length at which Python's reader of CSV files stops is none of ours."""
    text = f"decision_id,member_id,voted_at,vote,note\nroof,Kelly,,no,{'x' * 200_000}\n"
    limit = csv.field_size_limit()
    assert appended(tmp_path, text, vote()).startswith(text)
    assert csv.field_size_limit() == limit


def test_a_new_table_is_a_parquet_file(tmp_path: Path) -> None:
    """Where there is no file yet, the row becomes one."""
    assert append_row(tmp_path, "yes_no_votes", vote()) == tmp_path / "yes_no_votes.parquet"
    assert pl.read_parquet(tmp_path / "yes_no_votes.parquet").equals(vote())


def test_a_file_keeps_its_permissions_and_its_link(tmp_path: Path) -> None:
    """Who may read the file may read it afterwards, and a link still points to it."""
    (tmp_path / "elsewhere").mkdir()
    real = tmp_path / "elsewhere" / "votes.csv"
    real.write_text("decision_id,member_id,voted_at,vote\n")
    real.chmod(0o640)
    (tmp_path / "yes_no_votes.csv").symlink_to(real)
    append_row(tmp_path, "yes_no_votes", vote())
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert (tmp_path / "yes_no_votes.csv").is_symlink()
    assert real.read_text().count("\n") == 2
    assert sorted(path.name for path in real.parent.iterdir()) == ["votes.csv"]


def test_a_compressed_file_is_refused(tmp_path: Path) -> None:
    """What cannot be added to is said, and stays as it was."""
    (tmp_path / "yes_no_votes.csv").write_bytes(b"\x1f\x8b\x08\x00")
    with pytest.raises(UnreadableFileError, match="compressed"):
        append_row(tmp_path, "yes_no_votes", vote())


@pytest.mark.slow
def test_one_writer_at_a_time(tmp_path: Path) -> None:
    """Another program waits while somebody writes, and gives up with words."""
    script = (
        "import sys; from crowdvote_analysis.store.locking import locked\n"
        "try:\n    locked(sys.argv[1], timeout=0.2).__enter__()\n"
        "except Exception as error:\n    print(error)"
    )
    with locked(tmp_path):
        done = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=True)
    assert "being written to by another program" in done.stdout
    with locked(tmp_path):
        pass


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """No folder is made by mistake."""
    with pytest.raises(UnreadableFileError, match="nowhere"), locked(tmp_path / "nowhere"):
        pass
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(("folder_mode", "mode"), [(0o755, 0o644), (0o2775, 0o664), (0o1777, 0o666), (0o700, 0o600)])
def test_whoever_may_write_to_the_folder_may_take_turns(tmp_path: Path, folder_mode: int, mode: int) -> None:
    """The file of the lock gives the rights of its folder, whatever the mask of whoever voted first."""
    tmp_path.chmod(folder_mode)
    before = os.umask(0o077)
    try:
        with locked(tmp_path):
            assert stat.S_IMODE((tmp_path / ".crowdvote.lock").stat().st_mode) == mode
    finally:
        os.umask(before)


def test_a_lock_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    """Nobody is told to try again where that does not help."""
    (tmp_path / ".crowdvote.lock").mkdir()
    for folder in [tmp_path, *(path for path in [Path("/proc")] if path.is_dir())]:
        with pytest.raises(UnreadableFileError, match=r"\.crowdvote\.lock: cannot be opened"), locked(folder):
            pass


@pytest.mark.parametrize("text", ["decision_id;member_id\nroof;Kim\n", "sep=,\ndecision_id,member_id\nroof,Kim\n"])
@pytest.mark.filterwarnings("ignore::crowdvote_analysis.errors.TableWarning")
def test_nothing_is_added_to_a_sheet_of_another_kind(tmp_path: Path, text: str) -> None:
    """What is read with semicolons is not written to with commas; the file stays as it was."""
    path = tmp_path / "required_voters.csv"
    path.write_text(text)
    row = pl.DataFrame({"decision_id": ["roof"], "member_id": ["Lou"]})
    with pytest.raises(UnreadableFileError, match=r"nothing was added, because its lines are not written with commas"):
        append_row(tmp_path, "required_voters", row)
    assert path.read_text() == text
