"""Pages in a browser: how long somebody waits for the first chart, beside the least that a page of marimo takes."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

import crowdvote_analysis as cv
from benchmarks.comparison import Comparison, Result, seconds
from benchmarks.networks import community
from crowdvote_analysis.pages.layout import PAGES
from crowdvote_analysis.snapshots import take_snapshot
from crowdvote_analysis.store import Store, import_state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

_MEMBERS = 10_000
# Milliseconds in which a page does what comes after its first chart, so that the next one has the machine to itself.
_REST = 2_000
_CHROMIUM = "/usr/bin/chromium"
_LEAST = """import marimo

app = marimo.App()


@app.cell
def _():
    import altair as alt
    import polars as pl

    alt.Chart(pl.DataFrame({"stars": [1, 2]})).mark_bar().encode(x="stars:Q")
    return


if __name__ == "__main__":
    app.run()
"""


def _demo(size: float, runs: int) -> Result:
    """The demo store: every page, each visit with nothing kept from the one before."""
    return _slowest([], list(PAGES)[: max(1, int(len(PAGES) * size))], runs)


def _large(size: float, runs: int) -> Result:
    """A store of one community of many members with two snapshots; nobody votes yes or no in it."""
    folder = Path(tempfile.mkdtemp(prefix="crowdvote-"))
    try:
        store = Store.create(folder / "town")
        import_state(store, cv.SystemState(**community(max(100, int(_MEMBERS * size)))))
        for _ in range(2):  # what changed over time is drawn from two on
            take_snapshot(store, "decision 0000")
        pages = [name for name in PAGES if name not in ("yes_no", "tutorial")]
        return _slowest([str(folder / "town")], pages[: max(1, int(len(pages) * size))], runs)
    finally:
        shutil.rmtree(folder)


def _slowest(place: list[str], pages: list[str], runs: int) -> Result:
    """The median of each page; the slowest counts, since the bar is for all of them."""
    from playwright.sync_api import sync_playwright

    command = "from crowdvote_analysis.cli import main; main()"
    dashboard = [sys.executable, "-c", command, "dashboard", *place, "--no-browser"]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        least = Path(folder) / "least.py"
        least.write_text(_LEAST)
        marimo = [sys.executable, "-m", "marimo", "run", str(least), "--headless", "--no-token", "--no-sandbox"]
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        with _serving(dashboard) as ours, _serving(marimo) as floor:
            waits: dict[str, list[float]] = {name: [] for name in pages}
            peers = []
            for _ in range(runs):
                peers.append(_wait(browser, floor))
                for name, told in waits.items():
                    told.append(_wait(browser, f"{ours}/{name}/"))
        browser.close()
    medians = {name: median(told) for name, told in waits.items()}
    slowest = max(medians, key=medians.__getitem__)
    told = f"{slowest} {seconds(medians[slowest])}, fastest {seconds(min(medians.values()))}"
    return Result(told, seconds(median(peers)), medians[slowest])


@contextmanager
def _serving(command: list[str]) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(1200):
            try:
                urlopen(f"http://127.0.0.1:{port}/health", timeout=1).close()
                break
            except (URLError, OSError):
                if server.poll() is not None:
                    raise RuntimeError(f"{' '.join(command)}: ended at once") from None
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _wait(browser: Browser, address: str) -> float:
    """Seconds from asking for a page to its first chart, in a browser that has never seen it."""
    context = browser.new_context()
    page = context.new_page()
    begin = time.perf_counter()
    page.goto(address)
    page.locator("canvas.marks, svg.marks").first.wait_for(timeout=120_000)
    waited = time.perf_counter() - begin
    page.wait_for_timeout(_REST)
    context.close()
    return waited


COMPARISONS = [
    Comparison(
        name="pages-demo",
        work="every page of the demo store, to its first chart",
        against="a marimo page with one bar chart",
        bar=(3.0, 2.5),
        unit="s",
        measure=_demo,
    ),
    Comparison(
        name="pages-large",
        work=f"the same for a community of {_MEMBERS:,} members",
        against="a marimo page with one bar chart",
        bar=(5.0, 3.0),
        unit="s",
        measure=_large,
    ),
]
