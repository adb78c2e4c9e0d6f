"""The notebook of who decided in a browser, as people see it."""

from __future__ import annotations

import re
import time
from pathlib import Path

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.bundled import demo_folder
from tests.test_notebook_browser import CHROMIUM, browser, look_right, served, visit  # noqa: F401 - fixtures

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "influence.py"
QUERY = "community=riverside&decision=village-green"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with served(NOTEBOOK, tmp_path_factory.mktemp("marimo") / "log") as url:
        yield url


def test_looking_around(visit):  # noqa: F811
    """Going from member to member and searching the table sends nothing anonymous (P1); a telephone shows it all."""
    members = cv.SystemState.read(demo_folder()).members
    hidden = members.filter(pl.col("is_anonymous") & (pl.col("community_id") == "riverside"))
    opened = visit(QUERY)
    opened.page.get_by_text("5 of 19 people carry more than half of the result").wait_for()
    opened.page.locator("canvas.marks").nth(5).wait_for()
    before = _drawn(opened.page)
    _until(lambda: opened.page.get_by_role("slider").press("ArrowRight"), lambda: _drawn(opened.page) != before)
    opened.page.get_by_text("Kelly", exact=True).last.click()
    opened.page.get_by_role("option", name="Anonymous 1").click()
    opened.page.get_by_text("As a table: all of them").click()
    _clicked_bars_are_what_the_table_shows(opened.page)
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
    look_right(opened.page, 1280, 420)


def _drawn(page):
    """What the last chart shows; one that is being drawn anew can be read all the same, which no screenshot can."""
    return page.locator("canvas.marks").last.evaluate("canvas => canvas.toDataURL()")


def _clicked_bars_are_what_the_table_shows(page):
    """Choosing in the chart filters the table; clicking beside the bars shows all again, and columns sort."""
    page.get_by_text("19 rows").wait_for()
    bars = page.locator("canvas.marks").nth(1)
    bars.scroll_into_view_if_needed()
    one, everybody = (page.get_by_text(f"As a table: {who}") for who in ("Kelly", "all of them"))
    _until(lambda: bars.click(position={"x": 30, "y": 30}), one.is_visible)  # the first bar
    page.get_by_text("1 row").wait_for()
    _until(lambda: bars.click(position={"x": 500, "y": 8}), everybody.is_visible)
    page.get_by_text("19 rows").wait_for()
    kelly, amina = (page.locator("tr").filter(has_text=re.compile(f"^{name}")).last for name in ("Kelly", "Amina"))
    assert _is_above(kelly, amina)
    page.locator("th").filter(has_text="Member").first.click()
    page.get_by_role("menuitem", name="Asc").click()
    _until(lambda: None, lambda: _is_above(amina, kelly))


def _is_above(one, other):
    first, second = one.bounding_box(), other.bounding_box()
    return first is not None and second is not None and first["y"] < second["y"]


def _until(act, done):
    """Do something until it shows: a chart that is being drawn anew takes no notice of a click."""
    for _ in range(10):
        act()
        for _ in range(10):
            if done():
                return
            time.sleep(0.3)
    raise AssertionError("nothing came of it")
