"""Take the pictures of all pages, light and dark: `python docs/make_pictures.py`, with chromium installed.

They show a demo store as of today. Look at them before they are kept.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import sync_playwright

from crowdvote_analysis.report import write_report
from crowdvote_analysis.serving.users import add_user
from crowdvote_analysis.snapshots import list_snapshots, make_demo_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

IMAGES = Path(__file__).with_name("images")
WIDTH, TALLEST = 1280, 2600
COMMAND = [sys.executable, "-c", "from crowdvote_analysis.cli import main; main()"]
GREEN = "community=riverside&decision=village-green"
PAGES = {
    "count": f"count/?{GREEN}",
    "decision": f"decision/?{GREEN}",
    "snapshot": "snapshot/?decision=village-green&member=carol",
    "influence": f"influence/?{GREEN}",
    "what-if": f"what_if/?{GREEN}",
    "yes-no": "yes_no/?community=hillcrest",
    "tutorial": "tutorial/",
}


def main() -> None:
    """Take all of them."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        place = Path(folder)
        store = make_demo_store(place / "store", datetime.now(UTC))
        newest = list_snapshots(store, "village-green")["snapshot_id"][0]
        write_report(store, newest, place / "report.html")
        add_user(place / "users.json", "maya", "manager", "meadow and pond")
        users = ["--users", str(place / "users.json")]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        with (
            _serving("dashboard", "--no-browser") as pages,
            _serving("serve", str(place / "store"), *users) as served,
        ):
            for scheme in ("light", "dark"):
                for name, path in PAGES.items():
                    with _page(browser, scheme) as page:
                        page.goto(f"{pages}/{path}")
                        page.locator("canvas.marks").first.wait_for()
                        if name == "what-if":
                            page.get_by_text("had not voted", exact=True).click()
                        page.wait_for_timeout(4_000)
                        _take(page, f"{name}-{scheme}")
                with _page(browser, scheme) as page:
                    page.goto(f"{served}/sign-in")
                    page.get_by_label("Name").fill("maya")
                    page.get_by_label("Password").fill("meadow and pond")
                    page.get_by_role("button", name="Sign in").click()
                    page.get_by_role("heading", name="Recalculate").wait_for()
                    _take(page, f"serving-{scheme}")
                with _page(browser, scheme) as page:
                    page.goto(f"file://{place / 'report.html'}")
                    _take(page, f"report-{scheme}")
        browser.close()


@contextmanager
def _page(browser: Browser, scheme: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": WIDTH, "height": 900}, color_scheme=scheme)
    yield context.new_page()
    context.close()


def _take(page: Page, name: str) -> None:
    # Marimo scrolls a part of the page, not the page: the window is made as tall as what is in it.
    tallest = page.evaluate("Math.max(...[...document.querySelectorAll('*')].map(e => e.scrollHeight))")
    page.set_viewport_size({"width": WIDTH, "height": min(tallest, TALLEST)})
    page.get_by_role("heading").first.evaluate("heading => heading.scrollIntoView({block: 'end'})")
    page.wait_for_timeout(1_500)
    page.screenshot(path=IMAGES / f"{name}.png")
    print(name)


@contextmanager
def _serving(*words: str) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet = subprocess.DEVNULL
    server = subprocess.Popen([*COMMAND, *words, "--port", str(port)], stdout=quiet, stderr=quiet)
    try:
        for _ in range(600):
            try:
                urlopen(f"http://127.0.0.1:{port}/{'healthz' if words[0] == 'serve' else 'health'}", timeout=1).close()
                break
            except (URLError, OSError):
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
