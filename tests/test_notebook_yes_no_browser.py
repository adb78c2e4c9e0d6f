"""The notebook of yes/no decisions in a browser, as people see it."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.bundled import demo_folder
from tests.test_notebook_browser import CHROMIUM, browser, look_right, served, visit  # noqa: F401 - fixtures

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "yes_no.py"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with served(NOTEBOOK, tmp_path_factory.mktemp("marimo") / "log") as url:
        yield url


def _settled(opened) -> None:
    opened.page.get_by_role("heading", name="All yes/no decisions").wait_for()
    opened.page.locator("canvas.marks").first.wait_for()


def test_the_sliders_change_the_outcome(visit):  # noqa: F811
    """Moving a slider counts anew, and another decision is another page, without an error or a request to elsewhere."""
    opened = visit("community=hillcrest&decision=exchange")
    opened.page.get_by_text("With 3 more yes votes it passes").wait_for()
    _settled(opened)
    opened.page.get_by_role("slider").first.focus()
    opened.page.keyboard.press("ArrowLeft")
    opened.page.get_by_text("With 2 more yes votes it does not pass yet").wait_for()
    opened.page.get_by_label("Decision").select_option(label="Shall the school day be free of phones?")
    opened.page.get_by_text("Quorum not met. Need 10 votes, got 6.").wait_for()
    _settled(opened)
    opened.page.get_by_role("heading", name="What if").wait_for(state="detached")
    assert opened.complaints == []
    assert opened.elsewhere == []


def test_anonymous_members_never_reach_the_browser(visit):  # noqa: F811
    """No frame and no response holds the name or id of an anonymous member who votes or is missing (P1)."""
    members = cv.SystemState.read(demo_folder()).members
    hidden = members.filter(pl.col("is_anonymous") & (pl.col("community_id") == "riverside"))
    opened = visit("community=riverside&decision=night-lights")
    _settled(opened)
    table = opened.page.get_by_placeholder("Search")
    for name in hidden["display_name"]:
        table.fill(name[:4])
        opened.page.wait_for_timeout(600)
    table.fill("Anonymous")
    opened.page.get_by_text("2 rows").wait_for()
    received = opened.everything()
    assert "Anonymous 1" in received
    for secret in [*hidden["member_id"], *hidden["display_name"]]:
        assert not re.search(rf"\b{re.escape(secret)}\b", received, re.IGNORECASE), secret


def test_nothing_runs_over_the_edge(visit):  # noqa: F811
    """The page fits its window, a telephone too, and follows the colours that the reader's system asks for."""
    opened = visit("community=riverside&decision=statutes")
    _settled(opened)
    look_right(opened.page, 1280, 420)
