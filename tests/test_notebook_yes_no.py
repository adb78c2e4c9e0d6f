"""The notebook of yes/no decisions, run without a browser."""

from __future__ import annotations

import importlib.util
import sys
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import marimo as mo
import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.bundled import DEMO_DATE, demo_folder
from crowdvote_analysis.pages.yes_no import change_table
from crowdvote_analysis.store.questions import missing_voters

pytestmark = pytest.mark.slow

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "yes_no.py"


@pytest.fixture(scope="module")
def app():
    spec = importlib.util.spec_from_file_location("yes_no_notebook", NOTEBOOK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.app


@pytest.fixture(scope="module")
def demo():
    return cv.SystemState.read(demo_folder())


@pytest.fixture
def show(app, demo):
    """What the page of a decision holds, as text."""

    def page_of(decision: str, at: datetime = DEMO_DATE, state: cv.SystemState = demo, read=unescape, **defs) -> str:
        community = state.decisions.filter(decision_id=decision)["community_id"].item()
        chosen = {
            "state": state,
            "notes": [],
            "instant": SimpleNamespace(value=at.replace(tzinfo=None), text=""),
            "community": SimpleNamespace(value=community, selected_key=community, text=""),
            "decision": SimpleNamespace(value=decision, text=""),
        }
        outputs, _ = app.run(defs=chosen | defs)
        return read(" ".join(map(_words, outputs)))

    return page_of


def _words(output: object) -> str:
    return mo.as_html(output).text if output is not None else ""


def _of_folder(app, folder: Path) -> str:
    outputs, _ = app.run(defs={"folder": SimpleNamespace(value=str(folder))})
    return unescape(" ".join(map(_words, outputs)))


def test_opens_on_the_demo_as_of_its_date(app):
    """Without a folder the demo is shown as of 15 June 2026, the first community by title, the latest decision."""
    outputs, defs = app.run()
    assert (defs["community"].value, defs["decision"].value) == ("eastgate", "car-free-sundays")
    assert defs["at"] == DEMO_DATE
    assert "Passes so far" in unescape(" ".join(map(_words, outputs)))


def test_a_folder_is_shown_as_of_now(app, monkeypatch, tmp_path):
    """A run with --folder looks at that folder, with the votes that were just cast."""
    (tmp_path / "decisions.csv").write_text("decision_id,method\nroof,simple_majority\n")
    (tmp_path / "members.csv").write_text("member_id\nMaya\nKelly\n")
    now = datetime.now(UTC)
    (tmp_path / "yes_no_votes.csv").write_text(
        f"decision_id,member_id,voted_at,vote\nroof,Maya,{now.isoformat()},yes\n"
    )
    monkeypatch.setattr(sys, "argv", [str(NOTEBOOK), "--folder", str(tmp_path)])
    outputs, defs = app.run()
    assert timedelta(0) <= defs["at"] - now <= timedelta(minutes=2)
    assert "Passes so far" in unescape(" ".join(map(_words, outputs)))


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        ("hall-roof", ["Approved", "5 of 9 votes cast are yes", "Votes that were changed"]),
        ("statutes", ["Deadlocked: it cannot pass any more", "Even if all 3 remaining votes are yes", "What if"]),
        ("exchange", ["3 more yes votes would pass it", "Have not voted by hand: Anonymous 2, Farah, Hugo, Jamal."]),
        ("phone-free", ["Rejected", "Quorum not met. Need 10 votes, got 6."]),
        ("night-lights", ["Passes so far", "By hand alone: 7 of 16 votes cast are yes", "Whose votes carry it"]),
        ("clock-tower", ["Expired: nobody voted", "Have not voted by hand: Asha E."]),
        ("car-free-sundays", ["Passes so far", "171 have not voted by hand."]),
    ],
)
def test_where_a_decision_stands_is_said(show, decision, words):
    """Outcome, and what belongs to it, are on the page."""
    page = show(decision)
    for text in ("How far yes has come", "Who voted, and who is missing", *words):
        assert text in page


@pytest.fixture
def late():
    """Maya voted in time and late, Kelly late, Jack twice the same."""
    times = ["2026-06-01", "2026-06-11", "2026-06-11", "2026-06-01", "2026-06-02", "2026-06-02"]
    return cv.SystemState(
        members=pl.DataFrame(
            {"member_id": ["Maya", "Kelly", "Jack", "Olivia", "Zoe"], "is_voter": [True] * 4 + [False]}
        ),
        decisions=pl.DataFrame({"decision_id": ["d"], "method": ["unanimity"], "closes_at": ["2026-06-10"]}),
        yes_no_votes=pl.DataFrame(
            {
                "decision_id": ["d"] * 6,
                "member_id": ["Maya", "Maya", "Kelly", "Jack", "Jack", "Zoe"],
                "voted_at": times,
                "vote": ["yes", "no", "no", "no", "no", "yes"],
            }
        ),
    )


@pytest.mark.filterwarnings("ignore::crowdvote_analysis.errors.TableWarning")
def test_who_voted_late_is_missing(show, late):
    """The page and the question who is missing have the same answer (C6)."""
    at = datetime(2026, 6, 12, tzinfo=UTC)
    names = missing_voters(late, "d", at)["name"].to_list()
    assert names == ["Kelly", "Olivia"]
    assert f"Have not voted by hand: {', '.join(names)}." in show("d", at, late)


@pytest.mark.filterwarnings("ignore::crowdvote_analysis.errors.TableWarning")
def test_only_votes_that_changed_something_are_listed(show, late):
    """A vote after the deadline, or one that says the same again, has changed nothing (C1)."""
    assert "Votes that were changed" not in show("d", datetime(2026, 6, 12, tzinfo=UTC), late)
    more = pl.DataFrame(
        {"decision_id": ["d"], "member_id": ["Jack"], "voted_at": ["2026-06-03"], "vote": ["yes"], "tags": [""]}
    )
    votes = late.yes_no_votes.with_columns(voted_at=pl.col("voted_at").dt.strftime("%Y-%m-%d"), tags=pl.lit(""))
    changed = cv.SystemState(
        members=late.members, decisions=late.decisions, yes_no_votes=pl.concat([votes, more.select(votes.columns)])
    )
    assert change_table(changed, "d").rows() == [("Jack", "no", "yes", "2026-06-03 00:00")]
    assert "The latest vote in time stands." in show("d", datetime(2026, 6, 12, tzinfo=UTC), changed)


def test_what_is_over_or_delegated_has_no_what_if(show):
    """Sliders appear only where a further vote has a plain meaning."""
    assert "What if" in show("exchange")
    for decision in ("hall-roof", "phone-free", "night-lights"):
        assert "What if" not in show(decision)


def test_further_votes_are_counted(show):
    """Moving the sliders changes the sentence below them."""
    further = {name: SimpleNamespace(value=2, start=0, stop=9, text="") for name in ("further_yes", "further_no")}
    assert "With 2 more yes votes and 2 more no votes it cannot pass any more: 6 of 10" in show("exchange", **further)


def test_the_instant_can_be_chosen(show):
    """The same decision a week earlier and after its deadline."""
    assert "No votes have been cast" in show("hall-roof", datetime(2026, 5, 11, 9, tzinfo=UTC))
    assert "Rejected" in show("exchange", datetime(2026, 6, 16, 18, tzinfo=UTC))


def test_every_decision_of_the_demo_can_be_shown(show, demo):
    """No yes/no decision of the demo breaks the page."""
    for decision in demo.decisions.filter(pl.col("method") != "star")["decision_id"]:
        assert "Who voted, and who is missing" in show(decision)


def test_anonymous_members_are_not_on_the_page(show):
    """Neither name nor id of an anonymous member who votes or is missing is in what the page is sent (P1)."""
    for decision in ("night-lights", "statutes", "exchange", "hall-roof"):
        page = show(decision).lower()
        assert "anonymous 1" in page or "anonymous 2" in page
        assert not [name for name in ("rosalind", "thaddeus", "philippa", "bartholomew") if name in page]


def test_titles_are_text_not_markup(show):
    """What people wrote is shown as they wrote it and never run."""
    title = "<script>alert(1)</script> **x** $y$"
    state = cv.SystemState(
        members=pl.DataFrame({"member_id": ["m", "n"], "display_name": [title, "n"]}),
        decisions=pl.DataFrame(
            {"decision_id": ["d"], "title": [title], "description": [title], "method": ["unanimity"]}
        ),
        yes_no_votes=pl.DataFrame({"decision_id": ["d"], "member_id": ["n"], "vote": ["yes"]}),
    )
    page = show("d", state=state, notes=[title], read=str)
    assert "<script>alert(1)" not in page
    assert "<h1" in page
    assert "**x** $y$" in page


@pytest.mark.parametrize(
    ("ballots", "words"), [(None, "there is no such folder"), ("member_id,tags,A\nKelly,,4\n", "no yes/no decision")]
)
def test_a_folder_that_cannot_be_shown_is_explained(app, tmp_path, ballots, words):
    """What is wrong with a folder is said in words, not as a traceback."""
    folder = tmp_path / "tables"
    if ballots:
        folder.mkdir()
        (folder / "ballots.csv").write_text(ballots)
    page = _of_folder(app, folder)
    assert "This folder cannot be shown." in page
    assert words in page
    assert "Traceback" not in page
