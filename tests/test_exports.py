"""Exports that replace each other, and that a spreadsheet may open."""

from __future__ import annotations

import csv
import random
import warnings
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from crowdvote_analysis import SystemState
from crowdvote_analysis.errors import TableWarning
from crowdvote_analysis.formulas import guarded, unguarded
from crowdvote_analysis.store import export_tables
from tests.command import crowdvote

_EVIL = ("=HYPERLINK(1)", "+49 170", "-5 degrees", "@here", "\ttab", "\rreturn", "'=typed", "''-twice", "＝wide")
_HARMLESS = ("plain", "'quoted'", "'", "", "-5", "+3.5", "-.5", "1e-8", " =blank first", "a=b")


def said(*arguments: object) -> str:
    done = crowdvote(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Tables whose texts a spreadsheet would run, if it were asked to."""
    (tmp_path / "ballots.csv").write_text("member_id,@Soup,Bread\n=ana,5,1\n-ben,1,4\ncleo,0,3\n")
    return tmp_path


def test_an_export_in_another_format_takes_the_place_of_the_first(folder: Path) -> None:
    """Two files of a name would be two tables; how many went is said."""
    said("export", folder, "--format", "csv")
    names = {path.stem for path in (folder / "results").iterdir()}
    (folder / "results" / "notes.csv").write_text("mine")
    assert f"Removed: {len(names)} files of an earlier export as csv." in said("export", folder)
    assert {path.name for path in (folder / "results").iterdir()} == {
        "notes.csv",
        *(f"{name}.parquet" for name in names),
    }
    assert "Removed" not in said("export", folder)


def test_a_history_of_snapshots_in_another_format_takes_the_place_of_the_first(folder: Path) -> None:
    """The same for the files of all snapshots."""
    store, to = folder / "store", folder / "history"
    (folder / "ballots.csv").write_text("member_id,Soup,Bread\nana,5,1\n")
    said("import", folder, store)
    said("snapshot", "take", store, "-d", "decision")
    said("snapshot", "export", store, "--out", to)
    said("snapshot", "export", store, "--out", to, "--format", "csv")
    assert sorted(path.name for path in to.iterdir()) == ["snapshot_events.csv", "snapshots.csv", "timeline.csv"]
    refused = crowdvote("snapshot", "export", store, "latest", "--out", to, "--csv-safe")
    assert refused.returncode == 2
    assert "as their hashes say" in refused.stderr


def test_an_answer_in_one_format_leaves_a_table_in_the_other(folder: Path) -> None:
    """Only exports replace; somebody's own file of the name stays."""
    (folder / "answer.parquet").write_bytes(b"mine")
    said("query", "-f", folder, "SELECT 1", "--out", folder / "answer.csv")
    assert (folder / "answer.parquet").read_bytes() == b"mine"


def test_results_are_not_written_among_tables(folder: Path) -> None:
    """Some of them would be replaced and others not."""
    refused = crowdvote("export", Path("data/demo").resolve(), "--out", folder)
    assert refused.returncode == 2
    assert "holds tables (ballots.csv)" in " ".join(refused.stderr.replace("│", " ").split())


# --- formulas ---------------------------------------------------------------------------------------------------------


def _cells(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [cell for row in csv.reader(file) for cell in row]


def _runs(cell: str) -> bool:
    """Whether a spreadsheet would run a cell, told another way than by the pattern of the package."""
    if not cell or cell[0] not in "=+-@\t\r＝＋－＠":
        return False
    try:
        float(cell)
    except ValueError:
        return True
    return False


def test_formulas_are_guarded_and_numbers_are_not(tmp_path: Path) -> None:
    """An apostrophe before what begins as a formula does, also before a name of a column."""
    frame = pl.DataFrame({"=name": [*_EVIL, *_HARMLESS], "n": [Decimal(-1)] * 19})
    (path,) = export_tables({"t": frame}, tmp_path, "csv", csv_safe=True)
    cells = _cells(path)
    assert not any(map(_runs, cells))
    assert cells[0] == "'=name"
    for text in _EVIL:
        assert f"'{text}" in cells
    for text in _HARMLESS:
        assert text in cells
    (path,) = export_tables({"t": frame}, tmp_path, "csv")
    assert all(text in _cells(path) for text in _EVIL)  # without the option nothing is touched


def test_what_was_guarded_is_read_as_it_was() -> None:
    """Whatever the texts are, guarded ones among them."""
    rng = random.Random(8)
    signs = "'=+-@ab1\t "
    texts = ["".join(rng.choices(signs, k=rng.randint(0, 5))) for _ in range(3000)]
    frame = pl.DataFrame({"x": texts, "'=y": texts})
    with pytest.warns(TableWarning, match=r"t.csv: [\d,]+ texts begin with an apostrophe"):
        assert unguarded(Path("t.csv"), guarded(frame)).equals(frame)
    assert not any(map(_runs, guarded(frame)["x"].to_list()))


def test_an_export_for_spreadsheets_can_be_counted_as_its_tables(folder: Path) -> None:
    """Its members and choices are read as they were, with a note."""
    told = said("export", folder, "--format", "csv", "--csv-safe")
    assert "Removed" not in told
    assert not any(map(_runs, _cells(folder / "results" / "members.csv")))
    assert "'=ana" in _cells(folder / "results" / "members.csv")
    (folder / "results" / "ballots.csv").write_bytes((folder / "ballots.csv").read_bytes())
    for name in ("resolved_ballots", "yes_no_outcomes"):  # whose names are like those of tables
        (folder / "results" / f"{name}.csv").unlink()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", TableWarning)
        state = SystemState.read(folder / "results")
    assert any("members.csv: 4 texts begin with an apostrophe" in str(warning.message) for warning in caught)
    assert state.members["member_id"].to_list() == ["-ben", "=ana", "cleo"]


def test_files_for_an_auditor_are_read_as_they_stand(folder: Path) -> None:
    """Whoever checks hashes has to get the very texts that were hashed."""
    (folder / "ballots.csv").write_text("member_id,Soup\n'=ana,1\n")
    (folder / "SHA256SUMS").write_text("")
    assert SystemState.read(folder).ballots["member_id"].to_list() == ["'=ana"]


def test_other_files_for_spreadsheets_are_guarded_too(folder: Path) -> None:
    """Answers of queries where it is asked for, and what is set aside always, as strangers may have written it."""
    to = folder / "answer.csv"
    said("query", "-f", folder, 'SELECT member_id AS "=m" FROM ballots', "--out", to, "--csv-safe")
    assert sorted(_cells(to)) == sorted(["'=m", "'=ana", "'-ben", "cleo"])
    (folder / "ballots.csv").write_text("member_id,Soup\n=ana,9\nben,1\n")
    said("count", folder, "--quarantine")
    assert "'=ana" in _cells(folder / "quarantine" / "ballots.csv")
