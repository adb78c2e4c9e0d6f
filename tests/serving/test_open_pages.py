"""How many pages may be open: nobody takes all the room, and what is closed makes room again."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import ExitStack, closing
from types import SimpleNamespace

import pytest
from marimo._server.session_manager import SessionManager
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from crowdvote_analysis.logs import EventLog
from crowdvote_analysis.serving import notebooks as mounted
from crowdvote_analysis.serving.app import create_app
from crowdvote_analysis.serving.open_pages import EVERYBODY, LINGER, MINE, MOST_OF_USER, QUICK, OpenPages
from tests.command import crowdvote
from tests.serving.conftest import Clock
from tests.serving.test_server import BROWSER, around, cookie, sign_in, signed_in

FULL = MINE.format(most=MOST_OF_USER)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_who_has_many_pages_open_is_told_so_and_closing_one_makes_room(server, clock):
    """The page says what to do, and leads back to itself; a websocket is refused; others are not."""
    pages, _ = around(server, open_pages=OpenPages(clock=clock))
    kofi, maya = cookie(signed_in(server, "kofi")), cookie(signed_in(server, "maya"))
    with ExitStack() as tabs:
        opened = [
            tabs.enter_context(pages.websocket_connect(f"/hello/ws?session_id=s_{number}", headers=kofi))
            for number in range(MOST_OF_USER)
        ]
        answer = pages.get('/hello/?decision=a"b', headers=kofi | BROWSER)
        assert answer.status_code == 429
        assert FULL in answer.text
        assert 'href="/hello/?decision=a%22b">Try again</a>' in answer.text
        assert pages.get("/hello/", headers=kofi).text == f"{FULL}\n"
        with pytest.raises(WebSocketDisconnect) as refused:
            pages.websocket_connect("/hello/ws?session_id=s_more", headers=kofi).__enter__()
        assert (refused.value.code, refused.value.reason) == (4401, FULL)
        assert pages.get("/hello/assets/index.js", headers=kofi).status_code == 200
        assert pages.get("/hello/", headers=maya).status_code == 200
        opened[0].close()
        # A reload is asked for before the old websocket ends, and refused; trying again works.
        assert pages.get("/hello/", headers=kofi).status_code == 200


def test_many_tabs_at_once_are_refused_before_the_first_has_a_websocket(clock):
    """A browser that opens all its tabs again asks for every page first; so all that are shown have room."""
    pages = OpenPages(clock=clock)
    assert [pages.ask("kofi") for _ in range(MOST_OF_USER + 1)] == [None] * MOST_OF_USER + [FULL]
    assert {pages.open("kofi", f"count s_{number}") for number in range(MOST_OF_USER)} == {None}
    assert pages.ask("kofi") == FULL
    assert pages.ask("maya") is None
    pages.close("count s_0")  # what was asked for has arrived, so it is not counted a second time
    assert pages.ask("kofi") is None


def test_a_page_that_was_asked_for_and_never_opened_gives_its_room_back(clock):
    """Programs ask without ever opening a websocket."""
    pages = OpenPages(most=1, clock=clock)
    assert pages.ask("kofi") is None
    assert pages.ask("maya") == EVERYBODY
    clock.time += 60
    assert pages.ask("maya") is None


def test_notebooks_of_closed_pages_count_until_they_end(clock):
    """Opening and closing again and again does not start any number of notebooks."""
    pages = OpenPages(clock=clock)
    for number in range(2 * MOST_OF_USER):
        assert pages.open("kofi", f"count s_{number}") is None
        pages.close(f"count s_{number}")
    assert pages.ask("kofi") == pages.open("kofi", "count s_more") == QUICK
    # A broken connection comes back to its notebook, which costs nothing more.
    assert pages.open("kofi", "count s_0") is None
    clock.time += LINGER
    assert pages.open("kofi", "count s_more") is None


def test_everybody_together_has_room_for_so_many(clock):
    """Whoever comes last is told, whatever they have open themselves."""
    pages = OpenPages(most=2, clock=clock)
    assert pages.open("kofi", "count s_1") is pages.open("maya", "count s_2") is None
    assert pages.ask("nora") == pages.open("nora", "count s_3") == EVERYBODY
    pages.close("count s_1")
    assert pages.ask("nora") is None


def test_notebooks_of_closed_pages_count_for_everybody_together(clock):
    """Many people who open and close pages do not start any number of notebooks either."""
    pages = OpenPages(most=2, clock=clock)
    for number in range(4):
        assert pages.open(f"user{number}", f"count s_{number}") is None
        pages.close(f"count s_{number}")
    assert pages.ask("nora") == EVERYBODY
    clock.time += LINGER
    assert pages.ask("nora") is None


def test_one_notebook_with_two_websockets_is_open_until_both_ended(clock):
    """A connection that broke unnoticed is one page with the one that came after it."""
    pages = OpenPages(most=1, clock=clock)
    assert pages.open("kofi", "count s_1") is pages.open("kofi", "count s_1") is None
    pages.close("count s_1")
    clock.time += LINGER
    assert pages.ask("maya") == EVERYBODY
    pages.close("count s_1")
    assert pages.ask("maya") is None


@pytest.fixture
def managers(monkeypatch) -> list[SessionManager]:
    """Those that marimo starts notebooks with: a thread that no test ended would keep the tests from ending."""
    made: list[SessionManager] = []
    begin = SessionManager.__init__
    monkeypatch.setattr(SessionManager, "__init__", lambda self, **parts: made.append(self) or begin(self, **parts))
    return made


@pytest.mark.slow
def test_the_notebook_of_a_closed_page_ends_in_time(place, tmp_path, monkeypatch, managers):
    """As long after its page as is counted here: its thread is gone then."""

    def notebooks() -> list[threading.Thread]:
        return [each for each in threading.enumerate() if "launch_kernel" in each.name]

    monkeypatch.setattr(mounted, "LINGER", 1)
    log = EventLog(tmp_path / "logs")
    app = create_app(place.store, place.users, log, place.notebooks)
    with closing(log), TestClient(app, base_url="http://testserver", follow_redirects=False) as visitor:
        assert sign_in(visitor, "kofi").status_code == 303
        before = len(notebooks())
        try:
            with visitor.websocket_connect("/hello/ws?session_id=s_1") as talk:
                while json.loads(talk.receive_text())["op"] != "completed-run":
                    pass
                assert len(notebooks()) == before + 1
            for _ in range(100):
                if len(notebooks()) == before:
                    break
                time.sleep(0.05)
            assert len(notebooks()) == before
        finally:
            for manager in managers:
                visitor.portal.call(manager.shutdown)


@pytest.mark.slow
def test_the_command_says_how_many_pages_there_is_room_for(place, tmp_path, monkeypatch):
    """``--open-pages`` reaches the guard."""
    statuses = []

    def look(served, *_, **__) -> None:
        visitors = [signed_in(SimpleNamespace(app=served), name) for name in ("kofi", "maya")]
        statuses.extend(visitor.get("/count/").status_code for visitor in visitors)

    monkeypatch.setattr("crowdvote_analysis.serving.connections.run", look)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ran = crowdvote(
        "serve", place.store.location.url, "--users", place.users, "--port", port, "--open-pages", 1, "--logs", tmp_path
    )
    assert ran.returncode == 0, ran.stderr
    assert statuses == [200, 429]
