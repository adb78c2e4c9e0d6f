"""The notebook on which a decision is tried otherwise in a browser, as people see it."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.bundled import demo_folder
from tests.test_notebook_browser import CHROMIUM, browser, look_right, served, visit  # noqa: F401 - fixtures

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "what_if.py"
QUERY = "community=riverside&decision=village-green"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with served(NOTEBOOK, tmp_path_factory.mktemp("marimo") / "log") as url:
        yield url


def test_a_change_is_tried(visit):  # noqa: F811
    """Changing a ballot and the rule for loops counts anew; nothing anonymous is sent (P1), and it fits a telephone."""
    members = cv.SystemState.read(demo_folder()).members
    hidden = members.filter(pl.col("is_anonymous") & (pl.col("community_id") == "riverside"))
    opened = visit(QUERY, "dark")
    page = opened.page
    page.get_by_text("As it is: Wildflower meadow wins").wait_for()
    page.get_by_text("had not voted", exact=True).click()
    page.get_by_text("The result changes: Car park wins instead of Wildflower meadow").wait_for()
    page.get_by_text("another ballot", exact=True).click()
    page.get_by_text("If Kelly had cast this ballot with the tags budget, environment:").wait_for()
    page.get_by_role("slider").first.focus()
    page.keyboard.press("Home")
    page.get_by_text(re.compile(r"\d+ ballots change, followers included\.")).wait_for()
    page.get_by_label("Loops").select_option(label="equilibrium (Y4)")
    page.get_by_text("and loops were counted by equilibrium (Y4):").wait_for()
    page.get_by_text("the result would be another one without Kelly.").wait_for()
    table = page.get_by_placeholder("Search").last
    for text in (*hidden["display_name"], "Anonymous"):
        table.fill(text)
        page.wait_for_timeout(600)
    received = opened.everything()
    assert "Anonymous 1" in received
    for secret in [*hidden["member_id"], *hidden["display_name"]]:
        assert not re.search(rf"\b{re.escape(secret)}\b", received, re.IGNORECASE), secret
    assert opened.complaints == []
    assert opened.elsewhere == []
    look_right(page, 1280, 420)
