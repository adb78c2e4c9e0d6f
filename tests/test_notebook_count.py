"""The notebook of the count, run without a browser."""

from __future__ import annotations

import importlib.util
import re
import sys
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import marimo as mo
import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.bundled import demo_folder
from crowdvote_analysis.privacy import public_names

pytestmark = pytest.mark.slow

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "count.py"


@pytest.fixture(scope="module")
def app():
    spec = importlib.util.spec_from_file_location("count_notebook", NOTEBOOK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.app


@pytest.fixture(scope="module")
def demo():
    state = cv.SystemState.read(demo_folder())
    return {"state": state, "resolution": cv.resolve(state), "names": public_names(state), "notes": []}


@pytest.fixture
def show(app, demo):
    """What the page of a decision holds, as text."""

    def page_of(community: str, decision: str, **tables) -> str:
        chosen = {
            "community": SimpleNamespace(value=community, selected_key=community, text=""),
            "decision": SimpleNamespace(value=decision, text=""),
        }
        outputs, _ = app.run(defs=demo | tables | chosen)
        return unescape(" ".join(map(_words, outputs)))

    return page_of


def _words(output: object) -> str:
    return mo.as_html(output).text if output is not None else ""


def _of_folder(app, folder: Path) -> str:
    outputs, _ = app.run(defs={"folder": SimpleNamespace(value=str(folder))})
    return unescape(" ".join(map(_words, outputs)))


def test_loops_are_told(show):
    """What became of them, and whether their rule matters for the winner; nothing where there is none (Y6)."""
    page = show("riverside", "village-green")
    assert "9 members are inside loops, with 10 followings between them. 3 small tangles" in page
    assert "The rule for loops does not matter for the winner here (12 ballots differ at the most" in page
    assert "in loops small tangles are walked, larger ones balanced (the rule “auto”)" in page
    assert "No ballot came around in these loops" in show("riverside", "bench-colour")


def test_folder_may_be_given_on_the_command_line(app, monkeypatch, tmp_path):
    """A run with --folder counts that folder."""
    (tmp_path / "ballots.csv").write_text("member_id,tags,Swings\nKelly,,4\n")
    monkeypatch.setattr(sys, "argv", [str(NOTEBOOK), "--folder", str(tmp_path)])
    outputs, _ = app.run()
    assert "Swings wins" in unescape(" ".join(map(_words, outputs)))


def test_opens_on_the_demo(app):
    """Without a folder the demo communities are counted, the first by title, the latest decision."""
    outputs, defs = app.run()
    assert defs["community"].value == "eastgate"
    assert defs["decision"].value == "recycling-points"
    # Whether it is over is for the clock to say.
    assert re.search("One at each square (wins|leads so far)", unescape(" ".join(map(_words, outputs))))


def test_winner_is_said(show):
    """The page of a decision names the winner, and all parts of it are there."""
    page = show("riverside", "village-green")
    assert "Wildflower meadow wins" in page
    for heading in ("Who took part", "Score phase", "Runoff", "Whose ballots carry the result", "Everyone's ballot"):
        assert heading in page
    assert "The tie, step by step" not in page
    assert "Average of who rated it" in page  # K10


def test_unresolved_tie_is_said(show):
    """A tie is explained step by step instead of a winner being named."""
    page = show("riverside", "bench-colour")
    assert "No winner yet: an unresolved tie" in page
    assert "Possible winners: Bottle green, River blue." in page
    assert "The tie, step by step" in page


def test_every_decision_of_the_demo_can_be_shown(show, demo):
    """No decision of the demo breaks the page."""
    for community, decision in demo["resolution"].decisions.select("community_id", "decision_id").iter_rows():
        assert "Everyone's ballot" in show(community, decision)


def test_anonymous_members_are_not_on_the_page(show, demo):
    """Neither name nor id of an anonymous member is in what the page is sent (P1)."""
    hidden = demo["state"].members.filter(pl.col("is_anonymous") & (pl.col("community_id") == "eastgate"))
    secrets = [name.lower() for name in [*hidden["member_id"], *hidden["display_name"]]]

    def told(**tables) -> list[str]:
        page = show("eastgate", "bicycle-lanes", **tables).lower()
        return [name for name in secrets if re.search(rf"\b{re.escape(name)}\b", page)]

    # One of them is among the most influential, so names that were not replaced would be found.
    assert told(names=demo["names"].with_columns(name="member_id"))
    assert told() == []


def test_titles_are_text_not_markup(app):
    """What people wrote is shown as they wrote it and never run."""
    title = "<script>alert(1)</script> **x** $y$"
    state = cv.SystemState(
        decisions=pl.DataFrame({"decision_id": ["d"], "title": [title], "description": [title]}),
        choices=pl.DataFrame({"decision_id": ["d"], "choice_id": ["c"], "title": [title]}),
        votes=pl.DataFrame({"member_id": ["m"], "choice_id": ["c"], "stars": ["3"]}),
    )
    outputs, _ = app.run(
        defs={"state": state, "resolution": cv.resolve(state), "names": public_names(state), "notes": [title]}
    )
    page = " ".join(map(_words, outputs))
    assert "<script>alert(1)" not in page
    assert "<h1" in page
    assert "**x** $y$" in page


def test_a_lone_choice_has_no_runoff(app, tmp_path):
    """One choice wins, and the page says in words why there is no runoff."""
    (tmp_path / "ballots.csv").write_text("member_id,tags,Swings\nKelly,,4\n")
    page = _of_folder(app, tmp_path)
    assert "Swings wins" in page
    assert "No runoff: the choice is the only one." in page


def test_a_tie_while_scoring_has_no_runoff(app, tmp_path):
    """An unresolved score phase is said, and no runoff is drawn."""
    (tmp_path / "ballots.csv").write_text("member_id,tags,A,B,C\nx,,5,0,0\ny,,0,5,0\nz,,0,0,5\n")
    assert "No runoff: the score phase is tied." in _of_folder(app, tmp_path)


def test_nobody_voted(app, tmp_path):
    """Without any ballot the page says that there is nothing to tally, and shows who is there."""
    (tmp_path / "choices.csv").write_text("decision_id,choice_id\nd,a\nd,b\n")
    (tmp_path / "members.csv").write_text("member_id\nKelly\n")
    page = _of_folder(app, tmp_path)
    assert "Nothing to tally" in page
    assert "0 of 1" in page
    assert "Score phase" not in page


@pytest.mark.parametrize(
    ("ballots", "words"),
    [(None, "there is no such folder"), ("", "holds no table"), ("member_id,tags,Swings\nKelly,,7\n", "stars")],
)
def test_a_bad_folder_is_explained(app, tmp_path, ballots, words):
    """What is wrong with a folder is said in the words of the error, not as a traceback."""
    folder = tmp_path / "tables"
    if ballots is not None:
        folder.mkdir()
    if ballots:
        (folder / "ballots.csv").write_text(ballots)
    page = _of_folder(app, folder)
    assert "This folder cannot be counted." in page
    assert words in page
    assert "Traceback" not in page


def test_a_refused_decision_does_not_lose_the_others(app, tmp_path):
    """The page shows what can be counted, names what cannot, and gives the one command that mends it (Y3)."""
    names = [f"m{number}" for number in range(40)]
    followings = "".join(f"{one},{other},t\n" for one in names for other in names if one != other)
    (tmp_path / "followings.csv").write_text(f"follower_id,followee_id,tags\n{followings}")
    (tmp_path / "communities.csv").write_text("community_id,cycle_rule\nc,path\n")
    (tmp_path / "ballots.csv").write_text("decision_id,member_id,tags\nlake,m0,t\npond,m0,\n")
    (tmp_path / "votes.csv").write_text("decision_id,member_id,choice_id,stars\nlake,m0,Swings,4\npond,m0,Boats,3\n")
    page = unescape(_of_folder(app, tmp_path))
    assert "Not counted" in page
    assert "decision 'lake': " in page
    assert "crowdvote record cycle-rule STORE auto --published" in page
    assert "Boats wins" in page


def test_notes_of_reading_are_shown(app, tmp_path):
    """What was unusual about the tables stands at the end of the page."""
    (tmp_path / "ballots.csv").write_text("member_id,tags,Swings\nKelly,,4\n")
    (tmp_path / "followings.csv").write_text("follower_id,followee_id,tags\nMaya,Maya,\n")
    page = _of_folder(app, tmp_path)
    assert "Noted while reading the folder" in page
    assert "D8" in page
