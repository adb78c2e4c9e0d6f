"""Texts of members in a browser: whatever they look like, nothing is fetched from elsewhere and nothing runs."""

from __future__ import annotations

import warnings

import pytest

from crowdvote_analysis.errors import TableWarning
from crowdvote_analysis.pages import layout
from crowdvote_analysis.snapshots import take_snapshot
from crowdvote_analysis.store import Store, import_state
from tests.command import COMMAND
from tests.hostile import TEXTS, hostile_state
from tests.servers import answering
from tests.test_notebook_browser import CHROMIUM, PATIENCE, Visit, browser  # noqa: F401 - a fixture

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium"),
]

# The last heading of each page: what stands before it has come.
LAST = {
    "count": "Take it along",
    "decision": "History",
    "snapshot": "Is it what was counted?",
    "influence": "Around one member",
    "what_if": "If one of them had not voted",
    "yes_no": "Who voted, and who is missing",
}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The pages without a policy that would keep the browser from asking elsewhere."""
    folder = tmp_path_factory.mktemp("hostile")
    store = Store.create(folder / "store")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TableWarning)
        import_state(store, hostile_state())
    take_snapshot(store, TEXTS[0])
    with answering([*COMMAND, "dashboard", str(folder / "store"), "--no-browser"], folder / "out") as url:
        yield url


def test_no_page_asks_elsewhere_or_runs_what_members_wrote(browser, address):  # noqa: F811
    """Every page with all that folds opened, sliders with titles of choices, cells of tables pressed."""
    assert set(LAST) | {"tutorial"} == set(layout.PAGES)
    seen = ""
    for name, last in LAST.items():
        visit = Visit(browser.new_page())
        page = visit.page
        page.set_default_timeout(PATIENCE)
        page.on("dialog", lambda dialog: dialog.dismiss())
        page.goto(f"{address}/{name}/")
        page.get_by_role("heading", name=last).wait_for()
        if name == "what_if":
            page.get_by_text("another ballot").or_(page.get_by_text("votes by hand", exact=True)).first.click()
            page.get_by_role("slider").nth(len(TEXTS) - 1).wait_for()
        for kind in ("marimo-accordion button[aria-expanded=false]", "details:not([open]) > summary"):
            folded = page.locator(kind)
            for _ in range(folded.count()):
                if folded.count():
                    folded.first.click()
        for row in range(min(1, page.locator("marimo-table tbody tr").count())):
            cells = page.locator("marimo-table tbody tr").nth(row).locator("td")
            for column in range(cells.count()):
                cells.nth(column).click(force=True)
                page.keyboard.press("Escape")
        page.wait_for_timeout(200)
        assert visit.elsewhere == [], name
        assert page.evaluate("window.hacked") is None, name
        assert (
            page.locator(
                "marimo-tex, iconify-icon, img[src*='elsewhere'], a[href^='http://else'], a[href^='java']"
            ).count()
            == 0
        ), name
        seen += page.locator("body").inner_text()
        page.close()
    assert all(text.split("\n")[0] in seen for text in TEXTS)
