"""The pages of a decision over time and of one snapshot in a browser, as people see them."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import polars as pl
import pytest

from crowdvote_analysis import Store
from crowdvote_analysis.snapshots import find_snapshot, list_snapshots, read_public
from tests.command import COMMAND
from tests.servers import answering
from tests.test_notebook_browser import CHROMIUM, browser, look_right, visit  # noqa: F401 - fixtures

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium"),
]


@pytest.fixture(scope="module")
def folder(demo_store_folder, tmp_path_factory) -> Path:
    """A copy of the demo store, since a page may take a snapshot."""
    return Path(shutil.copytree(demo_store_folder, tmp_path_factory.mktemp("history") / "store"))


@pytest.fixture(scope="module")
def address(folder, tmp_path_factory):
    """Both pages, as the command serves them."""
    log = tmp_path_factory.mktemp("dashboard") / "log"
    command = [*COMMAND, "dashboard", str(folder), "--page", "decision", "--no-browser"]
    with answering(command, log, env=os.environ | {"NO_COLOR": "1"}) as url:
        yield url


def _settled(opened) -> None:
    opened.page.get_by_role("heading", name="Is it what was counted?").wait_for()
    opened.page.locator("canvas.marks").first.wait_for()


def test_from_the_history_to_a_tree(visit):  # noqa: F811
    """The command leads to the latest decision; the history can be searched, a snapshot opened, a tree unfolded."""
    opened = visit()
    page = opened.page
    page.get_by_role("heading", level=1, name="summer festival").wait_for()
    page.get_by_label("Decision").select_option(label="What should become of the village green?")
    page.get_by_text("1 to 7 of 7, newest first").wait_for()
    page.get_by_placeholder("time or winner").fill("(.*")
    page.get_by_text("No snapshot matches.").wait_for()
    page.get_by_placeholder("time or winner").fill("play")
    page.get_by_text("1 to 2 of 2").wait_for()
    page.get_by_placeholder("time or winner").fill("")
    page.get_by_text("1 to 7 of 7, newest first").wait_for()
    page.get_by_role("link", name="View Details").first.click()
    page.get_by_text("25 ballots for it, 7 for Playground and 3 without a preference in the runoff").wait_for()
    _settled(opened)
    assert page.get_by_text("Circular reference prevented").count() == 0
    page.locator("summary").filter(has_text="Carol ballot").click()
    page.get_by_text("Circular reference prevented (Carol → Victor → Carol)").wait_for()
    page.get_by_role("button", name="Verify this snapshot").click()
    page.get_by_text("Certified: ").wait_for()
    page.get_by_role("link", name="Kelly").first.click()
    page.get_by_role("heading", level=3, name="Kelly").wait_for()
    page.get_by_role("link", name="History of this decision").click()
    page.get_by_text("In the lead, one after the other").wait_for()
    assert opened.complaints == []
    assert opened.elsewhere == []


def test_a_new_result_appears_by_itself(visit, folder):  # noqa: F811
    """A calculation is asked for; its result is there without a reload, and charts are not drawn anew meanwhile."""
    opened = visit(f"store={folder}", path="decision/")
    page = opened.page
    page.get_by_text("1 to 3 of 3, newest first").wait_for()
    page.locator("canvas.marks").nth(1).wait_for()
    page.locator("canvas.marks").evaluate_all("drawn => drawn.forEach(one => (one.dataset.kept = '1'))")
    page.wait_for_timeout(3500)  # the page has looked again
    assert page.locator("canvas.marks[data-kept]").count() == 2
    page.get_by_role("button", name="Calculate now").click()
    page.get_by_text("Results will update automatically when complete.").wait_for()
    page.get_by_text("1 to 4 of 4, newest first").wait_for()
    page.get_by_text("less than a minute ago: interim").wait_for()
    assert opened.complaints == []


def test_anonymous_members_never_reach_the_browser(visit, folder):  # noqa: F811
    """No frame and no response holds the name or id of an anonymous member (P1)."""
    store = Store.open(folder)
    members = store.state().members
    hidden = members.filter(pl.col("is_anonymous") & (pl.col("community_id") == "riverside"))
    name = list_snapshots(store, "village-green")["snapshot_id"][0]
    result = read_public(store, find_snapshot(store, name))[2]
    calculated = result.tables["resolved_ballots"].filter(origin="calculated")["member_id"]
    (somebody,) = calculated.filter(calculated.str.starts_with("Anonymous"))  # the number is nobody's guess
    opened = visit(f"store={folder}&snapshot={name}&member={somebody.replace(' ', '+')}", path="snapshot/")
    _settled(opened)
    opened.page.get_by_role("heading", level=3, name=somebody).wait_for()
    opened.page.locator("summary").filter(has_text=somebody).click()
    opened.page.get_by_label("Rows a page").select_option(label="100")
    opened.page.get_by_text("1 to 20 of 20").wait_for()
    for secret in hidden["display_name"]:
        opened.page.get_by_placeholder("name").fill(secret[:4])
        opened.page.wait_for_timeout(700)
    received = opened.everything()
    assert len(hidden) == 2
    assert "Anonymous 1" in received
    for secret in [*hidden["member_id"], *hidden["display_name"]]:
        assert not re.search(rf"\b{re.escape(secret)}\b", received, re.IGNORECASE), secret


@pytest.mark.parametrize("path", ["decision", "snapshot"])
def test_nothing_runs_over_the_edge(visit, folder, path):  # noqa: F811
    """The pages fit their window, a telephone too, and follow the colours that the reader's system asks for."""
    opened = visit(f"store={folder}&decision=village-green", path=f"{path}/")
    opened.page.locator("canvas.marks").first.wait_for()
    look_right(opened.page, 1280, 420)
