"""The notebook of who decided, run without a browser."""

from __future__ import annotations

import importlib.util
import re
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

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "influence.py"


@pytest.fixture(scope="module")
def app():
    spec = importlib.util.spec_from_file_location("influence_notebook", NOTEBOOK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.app


@pytest.fixture(scope="module")
def demo():
    state = cv.SystemState.read(demo_folder())
    return {"state": state, "all_names": public_names(state), "notes": []}


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


def test_who_decided_is_said(show):
    """The page says how few decided and who carries most, and has all its parts."""
    page = show("riverside", "village-green")
    assert "5 of 19 people carry more than half of the result" in page
    for heading in (
        "How few carry how much",
        "Whose ballots carry the result",
        "What every score is made of",
        "On which tags ballots passed",
        "How far ballots travelled",
        "Around one member",
    ):
        assert heading in page


def test_loops_by_the_other_rule_and_ties_can_be_shown(show):
    """A community that counts loops by equilibrium, and a decision that is an unresolved tie."""
    assert "Around one member" in show("hillcrest", "school-garden")
    assert "What every score is made of" in show("riverside", "bench-colour")


def test_anonymous_members_are_not_on_the_page(show, demo):
    """Neither name nor id of an anonymous member is in what the page is sent (P1)."""
    hidden = demo["state"].members.filter(pl.col("is_anonymous") & (pl.col("community_id") == "eastgate"))
    secrets = [name.lower() for name in [*hidden["member_id"], *hidden["display_name"]]]

    def told(**tables) -> list[str]:
        page = show("eastgate", "bicycle-lanes", **tables).lower()
        return [name for name in secrets if re.search(rf"\b{re.escape(name)}\b", page)]

    # One of them is among the most influential, so names that were not replaced would be found.
    assert told(all_names=demo["all_names"].with_columns(name="member_id"))
    assert told() == []


def test_nobody_voted(app, tmp_path):
    """Without any ballot nobody decided, and the page still shows who is there."""
    (tmp_path / "choices.csv").write_text("decision_id,choice_id\nd,a\nd,b\n")
    (tmp_path / "members.csv").write_text("member_id\nKelly\n")
    page = _of_folder(app, tmp_path)
    assert "Nobody decided" in page
    assert "Around one member" in page


def test_a_bad_folder_is_explained(app, tmp_path):
    """What is wrong with a folder is said in words."""
    page = _of_folder(app, tmp_path / "nowhere")
    assert "This folder cannot be counted." in page
    assert "there is no such folder" in page
