"""The tutorial in a browser, as people see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_notebook_browser import CHROMIUM, browser, look_right, served, visit  # noqa: F401 - fixtures

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "tutorial.py"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with served(NOTEBOOK, tmp_path_factory.mktemp("marimo") / "log") as url:
        yield url


def test_examples_answer_to_the_reader(visit):  # noqa: F811
    """Moving a control counts its example anew, and the page fits a telephone as well."""
    opened = visit()
    page = opened.page
    page.get_by_role("heading", name="7. Exact to the last place").wait_for()
    page.get_by_text("Meadow wins.", exact=False).first.wait_for()
    page.get_by_role("switch").last.click()
    page.get_by_text("there is no loop, and the three rules agree.").wait_for()
    page.get_by_label("budget", exact=True).click()
    page.get_by_text("budget gets through to Dan.").wait_for()
    page.get_by_role("slider").last.focus()
    page.keyboard.press("ArrowRight")
    page.get_by_text("Ben's ballot is 0.13333333 stars.").wait_for()
    assert opened.complaints == []
    assert opened.elsewhere == []
    look_right(page, 1280, 420)
