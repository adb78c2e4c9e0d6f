"""``crowdvote serve`` as people use it: sign in, look, sign out; two at once."""

from __future__ import annotations

import re
from types import SimpleNamespace

import polars as pl
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

import crowdvote_analysis as cv
from crowdvote_analysis import tables
from crowdvote_analysis.bundled import demo_folder
from crowdvote_analysis.serving.users import add_user
from crowdvote_analysis.store import Store, import_state
from tests.command import COMMAND
from tests.servers import answering
from tests.serving.conftest import PASSWORDS
from tests.test_notebook_browser import CHROMIUM, PATIENCE, Visit, browser  # noqa: F401 - a fixture

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium"),
]

OPEN_DECISION = "/decision/?community=eastgate&decision=market-square"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory):
    """The demo communities as a store, with one decision that is open whenever it is, served."""
    folder = tmp_path_factory.mktemp("served")
    state = cv.SystemState.read(demo_folder())
    ends = pl.when(pl.col("decision_id") != "market-square").then("closes_at")
    rows = {name: getattr(state, name) for name in tables.TABLES} | {"decisions": state.decisions.with_columns(ends)}
    import_state(Store.create(folder / "store"), cv.SystemState(**rows))
    for name, role in (("maya", "manager"), ("kofi", "viewer")):
        add_user(folder / "users.json", name, role, PASSWORDS[name])
    command = [*COMMAND, "serve", str(folder / "store"), "--users", str(folder / "users.json")]
    with answering(command, folder / "out", "/healthz") as url:
        yield SimpleNamespace(url=url, folder=folder)


@pytest.fixture(scope="module")
def person(browser, served):  # noqa: F811
    """Somebody with a browser of their own, who opens a page and signs in."""
    own = {}

    def go(name: str, path: str) -> Visit:
        if name not in own:
            own[name] = browser.browser.new_context()
        visit = Visit(own[name].new_page())
        visit.page.set_default_timeout(PATIENCE)
        visit.page.goto(served.url + path)
        if "/sign-in" in visit.page.url:
            visit.page.get_by_label("Name").fill(name)
            visit.page.get_by_label("Password").fill(PASSWORDS[name])
            visit.page.get_by_role("button", name="Sign in").click()
        return visit

    yield go
    for context in own.values():
        context.close()


def test_from_signing_in_to_signing_out(person, served):
    """A link leads by way of the sign-in to its page, a manager sees a new count come; then nothing opens any more."""
    maya = person("maya", f"/count/?community=riverside&decision=village-green&folder={demo_folder()}")
    page = maya.page
    page.get_by_text("Wildflower meadow wins").wait_for()
    page.locator("canvas.marks").first.wait_for()
    page.get_by_role("heading", name="Take it along").wait_for()  # all of the page has come
    assert page.get_by_placeholder("the demo communities").count() == 0  # there is no other folder to choose
    socket_address = f"{served.url.replace('http', 'ws')}/count/ws?session_id=s_other1"
    assert maya.complaints == []
    assert maya.elsewhere == []
    received = "\n".join(maya.received)
    assert re.search(r"Anonymous \d", received)  # which number is nobody's guess
    assert str(served.folder) not in received
    members = cv.SystemState.read(demo_folder()).members
    for secret in members.filter(members["is_anonymous"])["display_name"]:
        assert not re.search(rf"\b{re.escape(secret)}\b", received, re.IGNORECASE)
    page.goto(served.url + OPEN_DECISION)
    page.get_by_text("There is no snapshot of this decision yet.").wait_for()
    page.get_by_role("button", name="Calculate now").click()
    page.get_by_text('Recalculation started for "What should the market square').wait_for()
    page.get_by_text("1 to 1 of 1, newest first").wait_for()
    page.get_by_role("link", name="View Details").wait_for()
    assert maya.complaints == []
    page.goto(served.url)
    page.get_by_role("heading", name="Recalculate").wait_for()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_role("button", name="Sign in").wait_for()
    page.goto(f"{served.url}/count/")
    assert "/sign-in" in page.url
    with pytest.raises(InvalidStatus) as refused, connect(socket_address, proxy=None):
        pass
    assert refused.value.response.status_code == 403
    log = (served.folder / "logs" / "events.log").read_text("utf-8")
    done = [found[1] for found in re.finditer(r"\[(\w+)\] \[maya\]", log)]
    assert done == ["LOGIN", "MANUAL_RECALC", "LOGOUT"]


def test_two_at_once_do_not_see_each_others_choices(person, served):
    """What one chooses changes nothing for the other; a viewer is offered no recalculation."""
    kofi = person("kofi", "/count/?community=riverside&decision=village-green")
    kofi.page.get_by_text("Wildflower meadow wins").wait_for()
    maya = person("maya", "/count/?community=riverside&decision=village-green")
    maya.page.get_by_text("Wildflower meadow wins").wait_for()
    maya.page.get_by_label("Decision").select_option(label="Which colour for the new benches?")
    maya.page.get_by_text("No winner yet: an unresolved tie").wait_for()
    kofi.page.get_by_role("heading", name="Take it along").wait_for()
    assert kofi.page.get_by_role("heading", level=1).inner_text() == "What should become of the village green?"
    assert "an unresolved tie" not in "\n".join(kofi.received)
    assert kofi.page.get_by_label("Decision").input_value() != maya.page.get_by_label("Decision").input_value()
    kofi.page.goto(served.url + OPEN_DECISION)
    kofi.page.get_by_role("heading", name="History").wait_for()
    assert kofi.page.get_by_role("button", name="Calculate now").count() == 0


def test_a_page_tells_the_server_when_somebody_does_something(person):
    """A page that looks again by itself does not; who presses a key there does."""
    page = person("kofi", OPEN_DECISION).page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("heading", name="History").wait_for()
    with page.expect_request("**/set_ui_element_value"):
        pass
    assert not [url for url in asked if url.endswith("/doing")]
    with page.expect_response("**/doing") as told:
        page.keyboard.press("Shift")
    assert told.value.status == 204
    page.keyboard.press("Shift")
    assert len([url for url in asked if url.endswith("/doing")]) == 1
