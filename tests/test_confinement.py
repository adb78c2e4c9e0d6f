"""A process that serves one store reads no other place."""

from __future__ import annotations

import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.bundled import demo_folder
from crowdvote_analysis.confinement import VARIABLE, ConfinedError, only_place
from crowdvote_analysis.pages import words
from crowdvote_analysis.store import Store


def test_everything_may_be_read_unless_a_place_is_set() -> None:
    """On the machine of one person there is nothing to keep from them."""
    assert only_place() is None
    assert len(cv.SystemState.read(demo_folder()).members)


def test_only_the_one_place_is_read(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders and stores that a page is asked for are refused, without saying whether they are there."""
    Store.create(tmp_path / "one")
    Store.create(tmp_path / "other")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "one"))
    monkeypatch.chdir(tmp_path)
    for way in (tmp_path / "one", "one", "other/../one/"):
        words.read_noting(way)
    said = set()
    for place in (demo_folder(), tmp_path / "other", tmp_path, "/nowhere", "s3://bucket/store", "one/../other"):
        for read in (words.read_noting, cv.SystemState.read, Store.open):
            with pytest.raises(ConfinedError) as refused:
                read(place)
            said.add(str(refused.value))
    assert len(said) == 1
