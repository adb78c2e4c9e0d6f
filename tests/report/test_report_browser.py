"""A report in a browser: offline, without scripts, in light and dark, on paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crowdvote_analysis.report import write_report
from crowdvote_analysis.store import Store
from tests.report.test_report import garden  # noqa: F401 - a fixture
from tests.test_notebook_browser import CHROMIUM, browser  # noqa: F401 - a fixture

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium"),
]

_FITS = "() => document.documentElement.scrollWidth <= window.innerWidth"
_INK = "getComputedStyle(document.querySelector('svg.wide text')).fill"
_PAPER = "getComputedStyle(document.body).backgroundColor"


@pytest.fixture(scope="module")
def page(browser, garden: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator:  # noqa: F811
    """The report, opened as a file where there is no network and no script may run."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_report(Store.open(garden), "latest", path)
    context = browser.browser.new_context(offline=True, java_script_enabled=True)
    page = context.new_page()
    page.said, page.asked = [], []
    page.on("console", lambda line: page.said.append(line.text))
    page.on("request", lambda request: page.asked.append(request.url))
    page.goto(path.as_uri())
    yield page
    assert page.asked == [path.as_uri()]
    assert page.said == []
    context.close()


@pytest.mark.parametrize(("scheme", "paper", "ink"), [("light", 255, 31), ("dark", 24, 230)])
def test_the_page_takes_the_colours_of_the_reader(page, scheme: str, paper: int, ink: int) -> None:
    """Paper, texts and the texts of charts follow light and dark, and nothing is wider than a telephone."""
    page.emulate_media(color_scheme=scheme, media="screen")
    assert page.evaluate(_PAPER).startswith(f"rgb({paper},")
    assert page.evaluate(_INK).startswith(f"rgb({ink},")
    for width, drawing in ((1280, "svg.wide"), (400, "svg.narrow")):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(_FITS)
        assert page.locator(drawing).first.is_visible()


def test_paper_shows_everything(page) -> None:
    """Printed, what is folded on the screen is open, in black on white, and the page becomes a PDF."""
    page.locator("summary", has_text="Calculated ballots").click()
    jack = page.get_by_role("rowheader", name="Jack")
    page.emulate_media(color_scheme="dark", media="screen")
    assert not jack.is_visible()
    page.emulate_media(color_scheme="dark", media="print")
    assert jack.is_visible()
    assert page.evaluate(_PAPER) == "rgb(255, 255, 255)"
    assert page.pdf(format="A4").startswith(b"%PDF")
