"""The pages of one person: at hand on this machine, out of reach for every website."""

from __future__ import annotations

import re
import socket

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from crowdvote_analysis.serving.loopback import loopback_app
from crowdvote_analysis.serving.pages import find_pages
from tests.command import crowdvote
from tests.serving.conftest import NOTEBOOK


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebooks")
    (folder / "hello.py").write_text(NOTEBOOK)
    return find_pages(folder)


@pytest.fixture
def client(pages):
    with TestClient(loopback_app(pages, "hello", None), base_url="http://127.0.0.1:2718") as client:
        yield client


def test_the_address_leads_to_the_first_page(client):
    """Whoever opens the plain address sees the page that was asked for."""
    answer = client.get("/")
    assert answer.status_code == 200
    assert answer.url.path == "/hello/"
    assert client.get("/health").text == "ok"


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1.evil.example", "192.0.2.1", "[", ""])
def test_other_names_of_this_machine_are_refused(client, name):
    """A website whose name leads to this machine gets nothing."""
    answer = client.get("/hello/", headers={"host": f"{name}:2718"})
    assert answer.status_code == 403
    assert "http://127.0.0.1" in answer.text


@pytest.mark.parametrize("name", ["localhost:9000", "127.0.0.1", "[::1]:2718"])
def test_names_that_are_always_this_machine_are_served(client, name):
    """A tunnel may give the pages another port."""
    assert client.get("/health", headers={"host": name}).text == "ok"


def test_a_websocket_of_another_site_is_refused(client):
    """A website in the same browser cannot run a page."""
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        client.websocket_connect("/hello/ws?session_id=s", headers={"origin": "https://evil.example"}),
    ):
        pass
    assert refused.value.code == 4401


def test_no_other_site_reads_a_page(client):
    """Marimo answers every site; here only these pages themselves are answered."""
    assert client.get("/hello/", headers={"origin": "https://evil.example"}).status_code == 403
    assert client.get("/hello/", headers={"origin": "http://127.0.0.1:2718"}).status_code == 200


def test_scripts_are_the_same_for_all_pages_and_kept(client):
    """A browser that has seen one page has what the others need."""
    page = client.get("/hello/").text
    (script,) = re.findall(r'src="(/scripts/assets/index-[^"]+)"', page)
    assert "immutable" in client.get(script).headers["cache-control"]
    assert "immutable" not in client.get("/hello/").headers.get("cache-control", "")


def test_large_scripts_are_asked_for_at_once(client):
    """What lays a page out and what draws charts begins to load with the page, and is what the page asks for later."""
    soon = re.findall(
        r'<link rel="modulepreload" crossorigin href="(/scripts/assets/[^"]+)"', client.get("/hello/").text
    )
    for name in ("run-page", "layout", "react-vega"):
        assert len([path for path in soon if path.startswith(f"/scripts/assets/{name}-")]) == 1, name
    assert {client.get(path).status_code for path in soon} == {200}


def test_tables_that_are_no_store_have_no_history(tmp_path):
    """The page of a history is not offered for them, and the reason is said."""
    (tmp_path / "ballots.csv").write_text("member_id,tags,Swings\nKelly,,4\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    done = crowdvote("dashboard", tmp_path, "--page", "decision", "--no-browser", "--port", port)
    assert done.returncode == 1
    assert "store" in done.stderr
    assert "Traceback" not in done.stderr
