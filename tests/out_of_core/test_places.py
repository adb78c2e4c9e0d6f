"""Folders and files as people call them, and work that somebody has damaged: the count is of what was named."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import crowdvote_analysis as cv
from tests.command import crowdvote
from tests.out_of_core.test_files import town

SIGNS = ["town [2026]", "a*b", "to?n", 'it\'s "here"', "  blanks ", "new\nline", "$members", "{x}", "ünï çode"]


@pytest.mark.parametrize("name", SIGNS)
def test_a_folder_is_called_whatever_somebody_calls_it(tmp_path: Path, name: str) -> None:
    """Signs that databases and shells look for several files by, on the way in and out."""
    folder = town(tmp_path / name)
    done = cv.count_files(folder, tmp_path / f"{name} counted")
    assert done.stats.equals(cv.resolve(cv.SystemState.read(folder)).stats)


@pytest.mark.parametrize(("name", "sibling"), [("t[1]", "t1"), ("t?", "t1"), ("t*", "t1")])
def test_a_sibling_is_not_counted_for_it(tmp_path: Path, name: str, sibling: str) -> None:
    """In silence, as it would be if the name stood for several."""
    votes = pl.DataFrame({"member_id": ["ada"], "choice_id": ["swings"], "stars": [1]})
    town(tmp_path / sibling, votes=votes)
    done = cv.count_files(town(tmp_path / name), tmp_path / "counted")
    assert done.tallies["winner"].to_list() == ["pond"]
    assert dict(done.scores.select("choice_id", "total").iter_rows()) == {"pond": 20, "swings": 8}


def test_a_folder_with_an_equals_sign_gives_no_column(tmp_path: Path) -> None:
    """Other programs take ``decision_id=7`` for the decision of all rows in it."""
    done = cv.count_files(town(tmp_path / "decision_id=7"), tmp_path / "community_id=north")
    assert done.tallies["decision_id"].to_list() == ["decision"]


@pytest.mark.parametrize("left", ["{half", "[]", "[" * 100_000, '{"about": 1, "stages": {}}', "\x00\xff"])
def test_a_damaged_manifest_is_none(tmp_path: Path, left: str) -> None:
    """All is made again."""
    work = tmp_path / "counted" / "unfinished-count"
    work.mkdir(parents=True)
    (work / "manifest.json").write_text(left, "latin-1")
    assert cv.count_files(town(tmp_path / "town"), tmp_path / "counted").tallies["winner"].to_list() == ["pond"]


def test_no_number_is_cut_off_on_a_narrow_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be another number."""
    monkeypatch.setattr("tests.command._WIDTH", 40)
    done = crowdvote("count", town(tmp_path / "town"), "--out", tmp_path / "counted")
    assert done.returncode == 0
    assert "…" not in done.stdout
    assert "4 members, 3 followings, 1 ballot, 2 \nstars" in done.stderr
