"""One more row in a table on disk."""

from __future__ import annotations

import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from crowdvote_analysis.errors import UnreadableFileError
from crowdvote_analysis.readers.sheet import read_table
from crowdvote_analysis.store.append import append_row, locked

AT = datetime(2026, 6, 15, 12, 0, 0, 250_000, UTC)


def vote(member: str = "Maya", tags: tuple[str, ...] = ()) -> pl.DataFrame:
    return pl.DataFrame(
        {"decision_id": ["roof"], "member_id": [member], "voted_at": [AT], "vote": ["yes"], "tags": [list(tags)]},
        schema_overrides={"tags": pl.List(pl.String)},
    )


def appended(folder: Path, text: str, row: pl.DataFrame) -> str:
    path = folder / "yes_no_votes.csv"
    path.write_bytes(text.encode("utf-8"))
    append_row(folder, "yes_no_votes", row)
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


def test_a_last_line_without_an_end_gets_one(tmp_path: Path) -> None:
    """The new row never runs into the last one."""
    written = appended(tmp_path, "decision_id,member_id,voted_at,vote\nroof,Kelly,,no", vote())
    assert written.splitlines()[1:] == ["roof,Kelly,,no", "roof,Maya,2026-06-15T12:00:00.250Z,yes"]


def test_columns_that_a_csv_file_lacks_are_added_where_they_say_something(tmp_path: Path) -> None:
    """The time of the vote needs a column; tags that are empty do not."""
    written = appended(tmp_path, 'member_id,vote\n"Kelly\nSmith",no\n\nOlivia,yes\n', vote())
    assert written == (
        'member_id,vote,decision_id,voted_at\n"Kelly\nSmith",no,,\n\nOlivia,yes,,\nMaya,yes,roof,2026-06-15T12:00:00.250Z\n'
    )
    assert appended(tmp_path, written, vote("Jack", ("budget",))).splitlines()[0].endswith(",voted_at,tags")


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


def test_a_parquet_column_that_cannot_hold_the_value_is_named(tmp_path: Path) -> None:
    """Nothing is cut off to fit, and the file stays as it was."""
    path = tmp_path / "yes_no_votes.parquet"
    vote().with_columns(pl.col("voted_at").cast(pl.Date)).write_parquet(path)
    before = path.read_bytes()
    with pytest.raises(UnreadableFileError, match="voted_at has the type Date"):
        append_row(tmp_path, "yes_no_votes", vote("Kelly"))
    assert path.read_bytes() == before


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


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    """Another program waits while somebody writes, and gives up with words."""
    script = (
        "import sys; from crowdvote_analysis.store.append import locked\n"
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
