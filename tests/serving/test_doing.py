"""A session lasts as long as a person does something; what a page does by itself does not count."""

from __future__ import annotations

import pytest
from starlette.websockets import WebSocketDisconnect

from crowdvote_analysis.serving.doing import DOING, SCRIPT
from crowdvote_analysis.serving.sessions import IDLE
from tests.serving.test_server import around, client, cookie, form_of, signed_in

KERNEL = "/hello/api/kernel/"
BY_A_SCRIPT = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "sec-fetch-site": "same-origin"}


def every_half_hour(server, ask, hours: float = 3) -> None:
    for _ in range(int(hours * 2)):
        server.clock.time += 1800
        ask()


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", f"{KERNEL}set_ui_element_value", {}),  # what mo.ui.refresh sends every few seconds
        ("POST", f"{KERNEL}function_call", {}),  # what a table asks for when it is drawn
        ("POST", f"{KERNEL}instantiate", {}),
        ("GET", "/hello/health", {}),
        ("GET", "/hello/api/status/connections", {}),
        ("GET", "/hello/@file/8-chart.csv", {}),
        ("GET", "/hello/assets/index.js", {}),
        ("GET", "/hello/", BY_A_SCRIPT),
        ("GET", "/", BY_A_SCRIPT),
    ],
)
def test_what_a_page_asks_by_itself_keeps_no_session_alive(server, method, path, headers):
    """An open page that nobody looks at is signed out after two hours."""
    kofi = signed_in(server, "kofi")
    pages, _ = around(server)
    sent = cookie(kofi) | headers | {"marimo-session-id": "s_1"}
    every_half_hour(server, lambda: pages.request(method, path, headers=sent))
    assert pages.request(method, path, headers=sent).status_code == 401
    assert kofi.get("/").status_code == 401


def test_a_websocket_keeps_no_session_alive(server):
    """Neither when it comes back again and again, nor as long as it is open."""
    kofi = signed_in(server, "kofi")
    pages, _ = around(server)

    def come_back() -> None:
        with pages.websocket_connect("/hello/ws?session_id=s_1", headers=cookie(kofi)) as socket:
            socket.send_text("a")

    every_half_hour(server, come_back, hours=2)
    server.clock.time += 1
    with pytest.raises(WebSocketDisconnect):
        come_back()


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", DOING, {}),
        ("GET", "/", {}),
        ("GET", "/hello/", BY_A_SCRIPT | {"sec-fetch-user": "?1"}),
        ("POST", "/recalculate/pond", {}),
    ],
)
def test_what_somebody_does_keeps_their_session(server, method, path, headers):
    """They press something on a page, open one, or send a form."""
    kofi = signed_in(server, "kofi")
    every_half_hour(server, lambda: kofi.request(method, path, headers=headers))
    assert kofi.get("/").status_code == 200


def test_a_sign_of_life_tells_nothing_and_is_for_pages_of_this_server(server):
    """Whoever is not signed in, or comes from another site, cannot send one."""
    kofi = signed_in(server, "kofi")
    assert client(server).post(DOING).status_code == 401
    assert kofi.post(DOING, headers={"origin": "http://elsewhere.example"}).status_code == 403
    answer = kofi.post(DOING)
    assert (answer.status_code, answer.text) == (204, "")
    assert SCRIPT in kofi.get("/hello/").text


def test_idle_is_two_hours_after_the_last_thing_done(server):
    """To the second, whatever a page asks in between."""
    kofi = signed_in(server, "kofi")
    pages, _ = around(server)
    server.clock.time += 600
    kofi.post(DOING)
    server.clock.time += IDLE
    assert pages.get("/hello/health", headers=cookie(kofi)).status_code == 200
    server.clock.time += 1
    assert pages.get("/hello/health", headers=cookie(kofi)).status_code == 401


def test_somebody_signs_out_everywhere(server):
    """All sessions of theirs are over, open pages included, and nobody else's; it is written down."""
    here, there, maya = signed_in(server, "kofi"), signed_in(server, "kofi"), signed_in(server, "maya")
    pages, _ = around(server)
    with pages.websocket_connect("/hello/ws?session_id=s_3", headers=cookie(there)) as socket:
        answer = here.post("/sign-out", data={"form": form_of(here.get("/").text), "everywhere": "yes"})
        assert answer.headers["location"] == "/sign-in"
        with pytest.raises(WebSocketDisconnect) as ended:
            socket.receive_text()
    assert ended.value.code == 4401
    assert [visitor.get("/").status_code for visitor in (here, there, maya)] == [401, 401, 200]
    assert "[LOGOUT] [kofi] - Signed out everywhere from testclient" in server.log()[-1]
