"""The notebook of who decided in a browser, as people see it."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.bundled import demo_folder
from tests.test_notebook_browser import CHROMIUM, FITS, browser, served, visit  # noqa: F401 - fixtures

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "influence.py"
QUERY = "community=riverside&decision=village-green"

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with served(NOTEBOOK, tmp_path_factory.mktemp("marimo") / "log") as url:
        yield url


def test_looking_around(visit):  # noqa: F811
    """Going from member to member and searching the table sends nothing anonymous (P1); a telephone shows it all."""
    members = cv.SystemState.read(demo_folder()).members
    hidden = members.filter(pl.col("is_anonymous") & (pl.col("community_id") == "riverside"))
    opened = visit(QUERY)
    opened.page.get_by_text("5 of 19 voters carry more than half of the result").wait_for()
    opened.page.locator("canvas.marks").nth(5).wait_for()
    picture = opened.page.locator("canvas.marks").last
    before = picture.screenshot()
    slider = opened.page.get_by_role("slider")
    slider.focus()
    opened.page.keyboard.press("ArrowRight")
    opened.page.keyboard.press("ArrowRight")
    opened.page.wait_for_timeout(1_000)
    assert opened.page.locator("canvas.marks").last.screenshot() != before
    opened.page.get_by_text("Kelly", exact=True).last.click()
    opened.page.get_by_role("option", name="Anonymous 1").click()
    opened.page.get_by_text("All of them as a table").click()
    table = opened.page.get_by_placeholder("Search").last
    for text in (*hidden["display_name"], "Anonymous"):
        table.fill(text)
        opened.page.wait_for_timeout(600)
    received = opened.everything()
    assert "Anonymous 1" in received
    for secret in [*hidden["member_id"], *hidden["display_name"]]:
        assert not re.search(rf"\b{re.escape(secret)}\b", received, re.IGNORECASE), secret
    assert opened.complaints == []
    assert opened.elsewhere == []
    for width in (1280, 420):
        opened.page.set_viewport_size({"width": width, "height": 900})
        opened.page.wait_for_function(FITS, arg=width)  # charts follow the window a moment later
