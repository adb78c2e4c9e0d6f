"""Strangers who send half requests, large bodies and websockets: whoever is signed in notices nothing.

Everything is sent to a server that the test has started, on the loopback address, and ends by itself. ``make soak``
sends as much as it takes; the quick run does the same with small limits.
"""

from __future__ import annotations

import http.client
import logging
import re
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
import uvicorn
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import connect

from crowdvote_analysis.serving import connections, guard
from crowdvote_analysis.serving.connections import LimitedProtocol, Server, Waiting, _Seldom
from tests.command import COMMAND
from tests.serving.conftest import PASSWORDS, cheap_passwords, place, server  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from collections.abc import Iterator

HALF = b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\nX-More: "
HALF_BODY = b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nname="


@contextmanager
def running(app, waiting: Waiting) -> Iterator[int]:
    """A server in a thread; its port."""
    protocol = type("Protocol", (LimitedProtocol,), {"waiting": waiting})
    config = uvicorn.Config(app, port=0, http=protocol, log_level="warning", access_log=False, lifespan="off")
    serving = Server(config)
    thread = threading.Thread(target=serving.run, daemon=True)
    thread.start()
    try:
        for _ in range(200):
            if serving.started:
                break
            time.sleep(0.02)
        yield serving.servers[0].sockets[0].getsockname()[1]
    finally:
        serving.should_exit = True
        thread.join(timeout=10)


def answered(port: int, path: str = "/healthz", cookie: str = "") -> tuple[int, float]:
    """Status, and seconds until it was there."""
    began = time.perf_counter()
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    asked.request("GET", path, headers={"Cookie": cookie} if cookie else {})
    status = asked.getresponse().status
    asked.close()
    return status, time.perf_counter() - began


def half_request(port: int, what: bytes = HALF) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), timeout=5)
    made.sendall(what)
    return made


def is_closed(made: socket.socket) -> bool:
    made.settimeout(0.05)
    try:
        return made.recv(1000) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


@pytest.mark.parametrize("what", [HALF, HALF_BODY, b""], ids=["head", "body", "nothing"])
def test_half_requests_have_a_time_and_a_number(server, monkeypatch, what: bytes) -> None:  # noqa: F811
    """The one that waits longest gives way, and none waits for ever; others are answered meanwhile."""
    monkeypatch.setattr(connections, "HEAD", 0.6)
    monkeypatch.setattr(connections, "BODY", 0.6)
    waiting = Waiting(most=5)
    with running(server.app, waiting) as port, ExitStack() as open_ones:
        made = [open_ones.enter_context(half_request(port, what)) for _ in range(12)]
        for _ in range(50):
            if sum(map(is_closed, made)) >= 7:
                break
        assert len(waiting) <= 5
        assert answered(port)[0] == 200
        time.sleep(0.7)
        assert len(waiting) == 0
        assert all(map(is_closed, made))


def test_a_request_in_pieces_is_answered(server) -> None:  # noqa: F811
    """A slow line is no attack, and one connection may ask again and again."""
    with running(server.app, Waiting()) as port, half_request(port, b"") as made:
        for _ in range(2):
            for piece in (b"GET /healthz HT", b"TP/1.1\r\nHost: 127", b".0.0.1\r\n\r\n"):
                made.sendall(piece)
                time.sleep(0.05)
            assert made.recv(10_000).startswith(b"HTTP/1.1 200")


def test_what_goes_wrong_again_and_again_is_said_once_a_second(caplog, monkeypatch) -> None:
    """Asyncio tells of a connection that it cannot accept two thousand times a second."""
    clock = SimpleNamespace(monotonic=lambda: clock.now, now=10.0)
    monkeypatch.setattr(connections, "time", clock)
    said = _Seldom()
    with caplog.at_level(logging.ERROR):
        for number in range(3_000):
            clock.now = 10 + number / 1_000
            said(None, {"message": "socket.accept() out of system resource", "exception": OSError(24, "Too many")})
    assert len(caplog.records) == 3


def test_a_large_body_is_refused(server, monkeypatch) -> None:  # noqa: F811
    """By what it says of its length, and by what comes, whichever is sooner."""
    monkeypatch.setattr(guard, "LARGEST_BODY", 1_000)
    with running(server.app, Waiting()) as port:
        cookie = signed_in(port, "kofi")
        for headers, body in (
            ({"Content-Length": "200000000"}, b"x"),
            ({"Transfer-Encoding": "chunked"}, b"3e9\r\n" + b"x" * 1_001 + b"\r\n0\r\n\r\n"),
        ):
            asked = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            asked.putrequest("POST", "/hello/api/kernel/set_ui_element_value")
            sent = {"Cookie": cookie, "Marimo-Session-Id": "s_1", "Origin": f"http://127.0.0.1:{port}", **headers}
            for name, value in sent.items():
                asked.putheader(name, value)
            asked.endheaders(body)
            assert asked.getresponse().status == 413
            asked.close()


def signed_in(port: int, name: str) -> str:
    """The cookie of somebody who has signed in."""
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    asked.request("GET", "/sign-in")
    answer = asked.getresponse()
    page, cookie = answer.read().decode(), answer.getheader("Set-Cookie").split(";")[0]
    form = re.search(r'name="form" value="([^"]+)"', page)[1]
    fields = urlencode({"form": form, "name": name, "password": PASSWORDS[name]})
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    asked.request("POST", "/sign-in", fields, headers)
    answer = asked.getresponse()
    answer.read()
    asked.close()
    cookies = [each.split(";")[0] for each in answer.headers.get_all("Set-Cookie")]
    return next(each for each in cookies if each.startswith("crowdvote_session="))


def websocket(port: int, cookie: str, session: str) -> str:
    """Open one for a page and end it at once; what became of it."""
    url = f"ws://127.0.0.1:{port}/hello/ws?session_id={session}"
    headers = {"Cookie": cookie} if cookie else {}
    try:
        with connect(url, additional_headers=headers, origin=f"http://127.0.0.1:{port}", open_timeout=10):
            return "let in"
    except (InvalidHandshake, ConnectionClosed, OSError, EOFError):
        return "refused"


def test_websockets_leave_nothing_behind(server) -> None:  # noqa: F811
    """Refused ones are forgotten at once, those that were let in when their page is; ids have a length."""
    kept = server.app._app
    with running(server.app, Waiting()) as port:
        cookie = signed_in(port, "kofi")
        for number in range(30):
            assert websocket(port, "", f"s_stranger{number}") == "refused"
        assert kept._owners == {}
        assert websocket(port, cookie, "x" * 65) == "refused"
        for number in range(25):  # more than may be open or have been lately
            websocket(port, cookie, f"s_own{number}")
        assert 0 < len(kept._owners) <= 20
        taken = next(iter(kept._owners))
        assert websocket(port, signed_in(port, "maya"), taken) == "refused"


# --- as much as it takes -------------------------------------------------------------------------------------------


@pytest.fixture
def served(place, tmp_path: Path, request) -> Iterator[SimpleNamespace]:  # noqa: F811
    """``crowdvote serve`` in a process that may open so many files."""
    import resource

    soft, hard = getattr(request, "param", (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    users = tmp_path / "users.json"
    users.write_bytes(place.users.read_bytes())
    command = [*COMMAND, "serve", place.store.location.url, "--users", str(users), "--port", str(port)]
    with (tmp_path / "out").open("w") as out:
        process = subprocess.Popen(
            [*command, "--logs", str(tmp_path / "logs")],
            stdout=out,
            stderr=out,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard)),
        )
        try:
            for _ in range(300):
                with suppress(OSError):
                    answered(port)
                    break
                assert process.poll() is None, (tmp_path / "out").read_text()
                time.sleep(0.1)
            yield SimpleNamespace(port=port, out=tmp_path / "out")
        finally:
            process.terminate()
            process.wait(timeout=20)


def hold(port: int, number: int, seconds: float, what: bytes) -> list[tuple[int, float, int]]:
    """Hold half requests, ever new ones for those that were ended; what others were answered meanwhile."""
    cookie, made, answers = signed_in(port, "kofi"), [], []
    while len(made) < number:
        made.append(half_request(port, what))
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for each in [each for each in made if is_closed_now(each)]:
            each.close()
            made.remove(each)
        made += [half_request(port, what) for _ in range(min(50, number - len(made)))]
        time.sleep(0.5)
        status, took = answered(port)
        answers.append((status, took, answered(port, "/", cookie)[0]))
    for each in made:
        each.close()
    return answers


def is_closed_now(made: socket.socket) -> bool:
    made.setblocking(False)
    try:
        return made.recv(1000) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


@pytest.mark.soak
@pytest.mark.parametrize("served", [(256, 256), (256, 4096)], indirect=True, ids=["256 files", "256, may be raised"])
@pytest.mark.parametrize("what", [HALF, HALF_BODY], ids=["head", "body"])
def test_half_requests_held_for_half_a_minute(served, what: bytes) -> None:
    """1,500 of them for 28 seconds: ``/healthz`` and a page of whoever is signed in are there, the log stays small."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    before = served.out.stat().st_size
    answers = hold(served.port, 1_500, 28, what)
    slowest = max(took for _, took, _ in answers)
    print(f"{len(answers)} looks, /healthz at most {slowest * 1000:.0f} ms")
    assert {status for status, _, _ in answers} == {200}
    assert {status for _, _, status in answers} == {200}
    assert slowest < 0.1
    assert served.out.stat().st_size - before < 100_000


@pytest.mark.soak
def test_twenty_thousand_websockets(served) -> None:
    """Refused ones and ones that are let in: others are answered as before."""
    cookie, done = signed_in(served.port, "maya"), []

    def open_one(number: int) -> None:
        done.append(websocket(served.port, cookie if number % 2 else "", f"s_{number:x}"))

    with ThreadPoolExecutor(8) as pool:
        began = time.monotonic()
        waiting = [pool.submit(open_one, number) for number in range(20_000)]
        slowest, statuses = 0.0, set()
        own = signed_in(served.port, "kofi")
        while not all(each.done() for each in waiting) and time.monotonic() - began < 900:
            status, took = answered(served.port)
            slowest, statuses = max(slowest, took), statuses | {status, answered(served.port, "/", own)[0]}
            time.sleep(0.5)
    print(f"{len(done)} websockets in {time.monotonic() - began:.0f} s, /healthz at most {slowest * 1000:.0f} ms")
    assert len(done) == 20_000
    assert statuses == {200}
    assert served.out.stat().st_size < 1_000_000
