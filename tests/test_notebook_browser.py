"""The notebook of the count in a browser, as people see it."""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

import crowdvote_analysis as cv
from crowdvote_analysis.bundled import demo_folder
from tests.cores import every_core
from tests.servers import answering

sync_api = pytest.importorskip("playwright.sync_api")

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "count.py"
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 60_000
# Neither the page nor anything drawn on it is wider than its window.
FITS = """width => document.documentElement.scrollWidth <= width && Math.max(
    ...[...document.querySelectorAll('canvas, h1, h2, select, input')].map(e => e.getBoundingClientRect().right)
) <= width"""

# Whether the background is as light or dark as the reader's system asks for.
LOOKS = r"""scheme => {
    const paper = getComputedStyle(document.body).backgroundColor
    const shades = paper.match(/[\d.]+/g).slice(0, 3).map(Number)
    const brightness = shades.reduce((sum, shade) => sum + shade) / (paper.startsWith("color(") ? 3 : 3 * 255)
    return (brightness > 0.5) === (scheme === "light")
}"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with served(NOTEBOOK, tmp_path_factory.mktemp("marimo") / "log") as url:
        yield url


@contextmanager
def served(notebook: Path, log: Path):
    """A notebook at an address on this machine, as long as it is needed."""
    command = [sys.executable, "-m", "marimo", "run", str(notebook), "--headless", "--no-token", "--no-sandbox"]
    with answering([*command, "--host", "127.0.0.1"], log, cwd=notebook.parents[1]) as url:
        yield url


@pytest.fixture(scope="module")
def browser():
    with every_core(), sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield chromium.new_context()  # pages share it, so that marimo's scripts are loaded and compiled once
        chromium.close()


class Visit:
    """A page, with everything the browser received and complained about."""

    def __init__(self, page) -> None:
        self.page, self.received, self.complaints, self.elsewhere = page, [], [], []
        self._responses = []
        page.on("websocket", lambda socket: socket.on("framereceived", self._frame))
        page.on("response", lambda response: self._responses.append(response))
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._asked(request.url))

    def _frame(self, frame) -> None:
        self.received.append(frame if isinstance(frame, str) else frame.decode("utf-8", "replace"))

    def _asked(self, url: str) -> None:
        if not url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:")):
            self.elsewhere.append(url)

    def everything(self) -> str:
        """All websocket frames and the bodies of all responses but marimo's own scripts and fonts."""
        bodies = []
        for response in self._responses:
            if "/assets/" not in response.url and response.ok:
                try:
                    bodies.append(response.body().decode("utf-8", "replace"))
                except sync_api.Error:  # a redirect, or gone with the page: it never showed anything
                    continue
        return "\n".join([*self.received, *bodies])


@pytest.fixture
def visit(browser, address):
    pages = []

    def go(query: str = "", scheme: str = "light", width: int = 1280, path: str = "") -> Visit:
        visit = Visit(browser.new_page())
        pages.append(visit.page)
        visit.page.set_viewport_size({"width": width, "height": 900})
        visit.page.emulate_media(color_scheme=scheme)
        visit.page.set_default_timeout(PATIENCE)
        visit.page.goto(f"{address}/{path}?{query}")
        return visit

    yield go
    for page in pages:
        page.close()


def _settled(visit: Visit) -> None:
    visit.page.get_by_role("heading", name="Take it along").wait_for()
    visit.page.locator("canvas.marks").first.wait_for()


def look_right(page, *widths: int) -> None:
    """What is open fits windows of these widths, in the light and in the dark."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(LOOKS, arg=scheme)
        for width in widths:
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_function(FITS, arg=width)  # charts follow the window a moment later


def test_demo_opens_with_its_winner(visit):
    """The page opens on the demo and names the winner, without an error or a request to elsewhere."""
    opened = visit()
    opened.page.get_by_text(re.compile("One at each square (wins|leads so far)")).wait_for()  # by the clock
    _settled(opened)
    assert opened.page.get_by_role("heading", level=1).inner_text().startswith("How many recycling points")
    assert opened.complaints == []
    assert opened.elsewhere == []


def test_another_decision_changes_the_page(visit):
    """Choosing another decision changes heading, outcome and charts."""
    opened = visit("community=riverside&decision=village-green")
    opened.page.get_by_text("Wildflower meadow wins").wait_for()
    _settled(opened)
    before = opened.page.locator("canvas.marks").nth(1).screenshot()
    opened.page.get_by_label("Decision").select_option(label="Which colour for the new benches?")
    opened.page.get_by_text("No winner yet: an unresolved tie").wait_for()
    opened.page.get_by_role("heading", name="The tie, step by step").wait_for()
    assert opened.page.get_by_role("heading", level=1).inner_text() == "Which colour for the new benches?"
    _settled(opened)
    assert opened.page.locator("canvas.marks").nth(1).screenshot() != before
    assert opened.complaints == []


def test_another_community_changes_the_decisions(visit):
    """Choosing another community opens its latest decision."""
    opened = visit()
    _settled(opened)
    opened.page.get_by_label("Community").select_option(label="Hillcrest School")
    opened.page.get_by_role("heading", level=1, name="school garden").wait_for()


def test_ballots_can_be_searched(visit):
    """Searching the table leaves the rows that match."""
    opened = visit("community=riverside&decision=village-green")
    _settled(opened)
    opened.page.get_by_text("42 rows").wait_for()
    opened.page.get_by_placeholder("Search").fill("Stella")
    opened.page.get_by_text("1 row,").or_(opened.page.get_by_text("1 rows")).wait_for()
    opened.page.get_by_role("cell", name="Stella").wait_for()


def test_anonymous_members_never_reach_the_browser(visit):
    """No frame and no response holds the name or id of an anonymous member (P1)."""
    members = cv.SystemState.read(demo_folder()).members
    hidden = members.filter(pl.col("is_anonymous") & (pl.col("community_id") == "riverside"))
    opened = visit("community=riverside&decision=village-green")
    _settled(opened)
    table = opened.page.get_by_placeholder("Search")
    for name in hidden["display_name"]:
        table.fill(name[:4])
        opened.page.wait_for_timeout(600)
    table.fill("Anonymous")
    opened.page.get_by_text("2 rows").wait_for()
    with opened.page.expect_download() as download:
        opened.page.get_by_role("link", name="CSV").click()
    received = opened.everything() + Path(download.value.path()).read_text()
    assert len(hidden) == 2
    assert "Anonymous 1" in received
    assert "Kelly" in received
    for secret in [*hidden["member_id"], *hidden["display_name"]]:
        assert not re.search(rf"\b{re.escape(secret)}\b", received, re.IGNORECASE), secret


def test_bad_folder_is_explained_and_can_be_mended(visit, tmp_path):
    """A wrong folder is a friendly sentence, and a good one afterwards is counted."""
    opened = visit("folder=/nowhere/at/all")
    opened.page.get_by_text("/nowhere/at/all: there is no such folder.").wait_for()
    assert "Traceback" not in opened.page.content()
    (tmp_path / "ballots.csv").write_text("member_id,tags,Swings,Pond\nKelly,,4,5\n")
    box = opened.page.get_by_placeholder("the demo communities")
    box.fill(str(tmp_path))
    box.press("Enter")
    opened.page.get_by_text("Pond wins").wait_for()


def test_nothing_runs_over_the_edge(visit):
    """The page fits its window, and follows the colours that the reader's system asks for."""
    opened = visit("community=eastgate&decision=bicycle-lanes")
    _settled(opened)
    look_right(opened.page, 1280, 800)
