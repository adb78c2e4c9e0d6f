"""Served pages: nobody gets in without signing in, and nobody does more than their role allows."""

from __future__ import annotations

import re
import time
from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from crowdvote_analysis.serving import guard
from crowdvote_analysis.serving.attempts import MOST_OF_DEVICE, MOST_OF_NETWORK, MOST_OF_USER, WINDOW
from crowdvote_analysis.serving.guard import COOKIE
from crowdvote_analysis.serving.sessions import IDLE, LONGEST
from crowdvote_analysis.serving.users import UsersError, remove_user, set_password
from crowdvote_analysis.snapshots import list_snapshots
from crowdvote_analysis.snapshots.lifecycle import calculating
from tests.serving.conftest import PASSWORDS

BROWSER = {"accept": "text/html"}
GUARDED = [
    ("GET", "/"),
    ("POST", "/sign-out"),
    ("POST", "/recalculate/pond"),
    ("GET", "/hello"),
    ("GET", "/hello/"),
    ("GET", "/hello/assets/index.js"),
    ("GET", "/hello/sse"),
    ("POST", "/hello/api/kernel/set_ui_element_value"),
    ("POST", "/hello/api/kernel/function_call"),
    ("GET", "/hello/health"),
    ("GET", "/healthz/"),
    ("GET", "//healthz"),
    ("GET", "/sign-in/../hello/"),
    ("GET", "/nothing"),
]


def client(server: SimpleNamespace, **options) -> TestClient:
    return TestClient(server.app, base_url="http://testserver", follow_redirects=False, **options)


def form_of(page: str) -> str:
    found = re.search(r'name="form" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def sign_in(visitor: TestClient, name: str, password: str | None = None, **fields: str):
    form = form_of(visitor.get("/sign-in").text)
    given = {"form": form, "name": name, "password": password or PASSWORDS[name], **fields}
    return visitor.post("/sign-in", data=given)


def signed_in(server: SimpleNamespace, name: str) -> TestClient:
    visitor = client(server)
    assert sign_in(visitor, name).status_code == 303
    return visitor


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_every_route_is_refused_without_signing_in(server, method, path):
    """Programs get a status, browsers the form; nothing is told."""
    answer = client(server).request(method, path)
    assert answer.status_code == 401
    assert answer.text == "Sign in first.\n"
    if method == "GET":
        assert client(server).get(path, headers=BROWSER).headers["location"].startswith("/sign-in?next=")


@pytest.mark.parametrize("path", ["/hello/ws?session_id=s_1", "/hello/ws_sync", "/hello/terminal/ws", "/", "/healthz"])
def test_websockets_are_refused_without_signing_in(server, path):
    """A websocket runs a notebook, so it is guarded like everything else."""
    with pytest.raises(WebSocketDisconnect) as refused, client(server).websocket_connect(path):
        pass
    assert refused.value.code == 4401


def test_health_is_open_and_tells_nothing(server):
    """A monitor needs no name."""
    assert client(server).get("/healthz").text == "ok\n"


def test_who_signs_in_sees_the_pages(server):
    """The start page has links, and the links open."""
    visitor = signed_in(server, "kofi")
    page = visitor.get("/").text
    assert 'href="/hello/">Hello</a>' in page
    assert "A page for tests." in page
    assert visitor.get("/hello/").status_code == 200


@pytest.mark.parametrize(
    "path", ["/hello/terminal/ws", "/hello/api/terminal", "/hello/api/files/list_files", "/hello/api/environment"]
)
def test_what_editing_needs_is_not_served(server, path):
    """Files, packages and terminals of the server are nobody's to see, signed in or not."""
    assert signed_in(server, "maya").get(path).status_code == 404


@pytest.mark.parametrize(
    "cookie", ["", "x", "a" * 43, "%00", "\udce4".encode("utf-8", "surrogateescape").decode("latin-1")]
)
def test_forged_cookies_open_nothing(server, cookie):
    """An id that was never given is no session."""
    visitor = client(server)
    assert visitor.get("/", headers={"cookie": f"{COOKIE}={cookie}".encode("latin-1")}).status_code == 401


def test_sessions_expire(server):
    """After two hours of nothing, and after twelve hours in all, people sign in again."""
    visitor = signed_in(server, "kofi")
    server.clock.time += IDLE - 1
    assert visitor.get("/").status_code == 200
    server.clock.time += IDLE + 1
    assert visitor.get("/").status_code == 401
    visitor, begun = signed_in(server, "kofi"), server.clock.time
    while server.clock.time - begun < LONGEST - IDLE:
        server.clock.time += IDLE - 1
        assert visitor.get("/").status_code == 200
    server.clock.time = begun + LONGEST + 1
    assert visitor.get("/").status_code == 401


def test_who_is_changed_is_out_at_once(server):
    """A removed user, and one with another password, has no session any more."""
    kofi, maya = signed_in(server, "kofi"), signed_in(server, "maya")
    remove_user(server.users, "kofi")
    set_password(server.users, "maya", "another pass word")
    assert [visitor.get("/").status_code for visitor in (kofi, maya)] == [401, 401]


def test_an_open_websocket_ends_with_the_session(server, monkeypatch):
    """Who signs out elsewhere, or is removed, hears nothing more."""

    async def talks(scope, receive, send) -> None:  # in place of a notebook, whose kernel would outlive the test
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": f"{scope['meta']['user']} {scope['query_string'].decode()}"})
        while (await receive())["type"] != "websocket.disconnect":
            pass

    monkeypatch.setattr(guard, "_LOOK", 0.05)
    token = signed_in(server, "kofi").cookies[COOKIE]
    alone = TestClient(guard.Guard(talks, server.app._app._sessions, ["hello"], "one store"))
    address = "/hello/ws?folder=/elsewhere&decision=pond"
    with alone.websocket_connect(address, headers={"cookie": f"{COOKIE}={token}"}) as socket:
        assert socket.receive_text() == "kofi decision=pond&folder=one+store"
        remove_user(server.users, "kofi")
        with pytest.raises(WebSocketDisconnect) as ended:
            socket.receive_text()
    assert ended.value.code == 4401


def test_cookies_are_for_the_server_alone(server):
    """Scripts cannot read the session, other sites cannot send it, and HTTPS keeps it to itself."""
    cookie = sign_in(client(server), "kofi").headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    behind = TestClient(server.app, base_url="https://testserver", follow_redirects=False)
    answer = sign_in(behind, "kofi")
    assert "Secure" in answer.headers["set-cookie"]
    assert "strict-transport-security" in answer.headers


def test_a_new_session_begins_with_every_sign_in(server):
    """An id that somebody planted before is of no use after signing in."""
    visitor = signed_in(server, "kofi")
    before = visitor.cookies[COOKIE]
    assert sign_in(visitor, "kofi").status_code == 303
    assert visitor.cookies[COOKIE] != before
    assert client(server).get("/", headers={"cookie": f"{COOKIE}={before}"}).status_code == 401


def test_wrong_passwords_and_unknown_names_look_the_same(server):
    """Nobody learns who has a name here."""
    answers = [sign_in(client(server), name, "not the password") for name in ("kofi", "somebody")]
    assert {answer.status_code for answer in answers} == {401}
    same = {re.sub(r'value="[^"]+"', "", answer.text) for answer in answers}
    assert len(same) == 1
    assert "Name or password are wrong." in same.pop()


def test_attempts_are_limited_by_name(server):
    """After five wrong tries not even the right password helps, for a quarter of an hour."""
    for _ in range(MOST_OF_USER):
        assert sign_in(client(server), "kofi", "not the password").status_code == 401
    assert sign_in(client(server), "kofi").status_code == 429
    assert sign_in(client(server), "KOFI", PASSWORDS["kofi"]).status_code == 429
    assert sign_in(client(server), "maya").status_code == 303
    server.clock.time += WINDOW + 1
    assert sign_in(client(server), "kofi").status_code == 303


def test_attempts_are_limited_by_address(server, monkeypatch):
    """Whoever tries many names from one address is stopped; others are not."""
    monkeypatch.setattr("crowdvote_analysis.serving.app.is_password", lambda *_: False)
    visitor = client(server)
    for number in range(MOST_OF_NETWORK):
        assert sign_in(visitor, f"name{number}", "not the password").status_code == 401
    assert sign_in(visitor, "kofi").status_code == 429
    assert sign_in(client(server, client=("10.0.0.2", 1)), "kofi").status_code == 401


def wrong(visitor: TestClient, name: str, times: int) -> set[int]:
    return {sign_in(visitor, name, "not the password").status_code for _ in range(times)}


def test_who_signed_in_before_gets_in_while_others_guess(server, monkeypatch):
    """In the same browser, whether the name or the address is blocked; strangers get no more tries by it."""
    monkeypatch.setattr("crowdvote_analysis.serving.app.is_password", lambda given, _: given in PASSWORDS.values())
    kofi, stranger = signed_in(server, "kofi"), client(server)
    assert wrong(stranger, "kofi", MOST_OF_USER) == {401}
    assert sign_in(client(server), "kofi").status_code == 429
    assert sign_in(kofi, "kofi").status_code == 303
    assert wrong(stranger, "kofi", 1) == {429}  # that the owner signed in did not begin the count anew
    for number in range(MOST_OF_NETWORK):
        wrong(stranger, f"name{number}", 1)
    assert sign_in(stranger, "maya").status_code == 429
    assert sign_in(kofi, "kofi").status_code == 303


def test_attempts_are_limited_in_a_browser_that_is_known_too(server):
    """Whoever sits down at it has five tries; what they fail at does not count for anybody elsewhere."""
    kofi = signed_in(server, "kofi")
    assert wrong(kofi, "kofi", MOST_OF_DEVICE) == {401}
    assert sign_in(kofi, "kofi").status_code == 429
    assert sign_in(client(server), "kofi").status_code == 303
    server.clock.time += WINDOW + 1
    assert wrong(kofi, "kofi", MOST_OF_DEVICE - 1) == {401}
    assert sign_in(kofi, "kofi").status_code == 303
    assert wrong(kofi, "kofi", MOST_OF_DEVICE) == {401}


def test_a_browser_is_known_for_one_name_and_password_alone(server):
    """Neither somebody else's cookie, nor a forged one, nor one from before another password is let past the limits."""
    kofi, maya = signed_in(server, "kofi"), signed_in(server, "maya")
    device = kofi.cookies["crowdvote_device"]
    assert "kofi" not in device
    wrong(client(server), "kofi", MOST_OF_USER)
    others = maya.cookies["crowdvote_device"]
    for forged in (others, device[:-1], f"x{device}", device.partition(".")[0], ".", '"\\344.\\344"'):
        visitor = client(server)
        form = form_of(visitor.get("/sign-in").text)
        sent = f"crowdvote_form={visitor.cookies['crowdvote_form']}; crowdvote_device={forged}"
        given = {"form": form, "name": "kofi", "password": PASSWORDS["kofi"]}
        visitor.cookies.clear()
        assert visitor.post("/sign-in", data=given, headers={"cookie": sent.encode("latin-1")}).status_code == 429
    set_password(server.users, "kofi", "another pass word")
    assert sign_in(kofi, "kofi", "another pass word").status_code == 429


def test_the_cookie_of_a_browser_opens_nothing(server):
    """It is sent to the sign-in alone, cannot be read by scripts, and is no session."""
    kofi = signed_in(server, "kofi")
    told = next(each for each in sign_in(kofi, "kofi").headers.get_list("set-cookie") if "crowdvote_device" in each)
    assert {"HttpOnly", "SameSite=strict", "Path=/sign-in"} <= set(told.split("; "))
    device = kofi.cookies["crowdvote_device"]
    for name in (COOKIE, "crowdvote_device"):
        assert client(server).get("/", headers={"cookie": f"{name}={device}"}).status_code == 401


def test_sign_in_is_safe_from_other_sites(server):
    """A form of another site, without ours or with another origin, signs nobody in."""
    visitor = client(server)
    given = {"name": "kofi", "password": PASSWORDS["kofi"]}
    assert visitor.post("/sign-in", data=given).status_code == 403
    form = form_of(visitor.get("/sign-in").text)
    assert client(server).post("/sign-in", data={**given, "form": form}).status_code == 403
    for origin in ("https://elsewhere.example", "null", "http://testserver.elsewhere.example"):
        answer = visitor.post("/sign-in", data={**given, "form": form}, headers={"origin": origin})
        assert answer.status_code == 403
    assert COOKIE not in visitor.cookies


def test_other_sites_cannot_act_for_somebody(server):
    """Neither by a form nor by a websocket."""
    maya = signed_in(server, "maya")
    for path in ("/sign-out", "/recalculate/pond", "/hello/api/kernel/function_call"):
        assert maya.post(path, headers={"origin": "https://elsewhere.example"}).status_code == 403
    with (
        pytest.raises(WebSocketDisconnect),
        maya.websocket_connect("/hello/ws?session_id=s_3", headers={"origin": "https://elsewhere.example"}),
    ):
        pass
    for path in ("/sign-out", "/recalculate/pond"):
        assert maya.post(path, data={"form": "forged"}).status_code == 403
    assert maya.get("/").status_code == 200
    assert list_snapshots(server.store, "pond").is_empty()


def test_signing_out_ends_the_session(server):
    """The cookie is of no use afterwards, wherever it was copied to."""
    visitor = signed_in(server, "kofi")
    token = visitor.cookies[COOKIE]
    assert visitor.post("/sign-out", data={"form": form_of(visitor.get("/").text)}).headers["location"] == "/sign-in"
    assert client(server).get("/", headers={"cookie": f"{COOKIE}={token}"}).status_code == 401


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("/hello/?decision=pond", "/hello/?decision=pond"),
        ("https://elsewhere.example/", "/"),
        ("//elsewhere.example/", "/"),
        ("/\\elsewhere.example/", "/"),
        ("hello", "/"),
        ("/hello\r\nset-cookie: a=b", "/"),
    ],
)
def test_signing_in_leads_to_pages_of_this_server_only(server, asked, led):
    """A link cannot lead people to another site by way of the sign-in."""
    assert sign_in(client(server), "kofi", next=asked).headers["location"] == led


def test_sign_ins_are_logged_without_secrets(server):
    """Who signed in, out and in vain, in the format of the log; never a password, nor a name that is nobody's (E5)."""
    visitor = signed_in(server, "kofi")
    visitor.post("/sign-out", data={"form": form_of(visitor.get("/").text)})
    sign_in(client(server), "kofi", "a wrong password")
    sign_in(client(server), "meadow and pond] [x\n[LOGIN]", "typed into the wrong box")
    told = [re.fullmatch(r"\[[^]]+Z\] \[(\w+)\] \[(\w+)\] \[([^]]+)\] - (.+)", line) for line in server.log()]
    assert [found.groups()[:3] for found in told if found] == [
        ("INFO", "LOGIN", "kofi"),
        ("INFO", "LOGOUT", "kofi"),
        ("WARNING", "LOGIN_FAILED", "kofi"),
        ("WARNING", "LOGIN_FAILED", "unknown"),
    ]
    assert not re.search("wrong password|wrong box|meadow|river", "\n".join(server.log()))


def test_only_managers_recalculate(server):
    """A viewer is told so, and sees no button."""
    kofi = signed_in(server, "kofi")
    page = kofi.get("/").text
    assert "Count again" not in page
    answer = kofi.post("/recalculate/pond", data={"form": form_of(page)})
    assert answer.status_code == 403
    assert answer.json() == {"message": "Only community managers can trigger manual recalculation"}


def test_managers_recalculate_open_decisions(server):
    """It begins at once, is done a little later, and is written down (E4)."""
    maya = signed_in(server, "maya")
    page = maya.get("/").text
    assert "The &lt;pond&gt;" in page
    assert "Bench" not in page
    form = {"form": form_of(page)}
    answer = maya.post("/recalculate/pond", data=form)
    assert answer.status_code == 202
    assert answer.json() == {
        "message": 'Recalculation started for "The <pond>". Results will update automatically when complete.'
    }
    for _ in range(200):
        if any("THREAD_COMPLETE" in line for line in server.log()):
            break
        time.sleep(0.05)
    assert list_snapshots(server.store, "pond")["status"].to_list() == ["completed"]
    assert any("[MANUAL_RECALC] [maya]" in line for line in server.log())
    with calculating(server.store, "pond"):
        answer = maya.post("/recalculate/pond", data=form)
    assert (answer.status_code, answer.json()["message"]) == (
        409,
        "Calculation already in progress for this decision",
    )
    answer = maya.post("/recalculate/bench", data=form)
    assert (answer.status_code, answer.json()["message"]) == (409, "Cannot recalculate closed decisions")
    assert maya.post("/recalculate/nothing", data=form).status_code == 404
    page = maya.post("/recalculate/bench", data=form, headers=BROWSER).text
    assert "Cannot recalculate closed decisions" in page


def test_answers_say_what_browsers_may_do(server):
    """No frames, no guessing of types, nothing kept, scripts of this server only."""
    visitor = signed_in(server, "kofi")
    for path in ("/", "/hello/", "/sign-in", "/nothing"):
        told = visitor.get(path).headers
        assert told["x-content-type-options"] == "nosniff"
        assert told["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in told["content-security-policy"]
        assert told["cache-control"] == "no-store"
    assert "script" not in visitor.get("/").headers["content-security-policy"]


def test_scripts_are_kept_by_browsers_of_whoever_is_signed_in(server):
    """They are the same for all pages, and nobody else is given them."""
    client = signed_in(server, "kofi")
    (script,) = re.findall(r'src="(/scripts/assets/index-[^"]+)"', client.get("/hello/").text)
    told = client.get(script).headers
    assert told["cache-control"] == "private, max-age=31536000, immutable"
    assert "script-src 'self'" in told["content-security-policy"]
    client.cookies.clear()
    assert client.get(script).status_code == 401


def test_users_inside_the_store_are_refused(place):
    """A store is copied and published; passwords are not."""
    from crowdvote_analysis.serving.app import create_app

    inside = place.store.location.folder / "users.json"
    with pytest.raises(UsersError, match="lies inside the store"):
        create_app(place.store, inside, None, place.notebooks)


def around(server: SimpleNamespace, **options) -> tuple[TestClient, list[dict]]:
    """A guard around pages that only say what they were asked, and whatever they were asked."""
    seen: list[dict] = []

    async def page(scope, receive, send):
        seen.append(scope)
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            while (await receive())["type"] != "websocket.disconnect":
                await send({"type": "websocket.send", "text": "more"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    made = guard.Guard(page, server.app._app._sessions, ["hello"], "one store", **options)
    return TestClient(made, base_url="http://testserver"), seen


def cookie(visitor: TestClient) -> dict[str, str]:
    return {"cookie": f"{COOKIE}={visitor.cookies[COOKIE]}"}


def test_a_session_of_a_page_belongs_to_whoever_opened_it(server):
    """Nobody reads or drives the page of somebody else by its id, nor their own from before they signed in again."""
    pages, _ = around(server)
    maya, kofi = signed_in(server, "maya"), signed_in(server, "kofi")
    with pages.websocket_connect("/hello/ws?session_id=s_1", headers=cookie(maya)):
        with pytest.raises(WebSocketDisconnect):
            pages.websocket_connect("/hello/ws?session_id=s_1", headers=cookie(kofi)).__enter__()
        drive = "/hello/api/kernel/set_ui_element_value"
        theirs = pages.post(drive, headers=cookie(kofi) | {"marimo-session-id": "s_1"})
        mine = pages.post(drive, headers=cookie(maya) | {"marimo-session-id": "s_1"})
        assert (theirs.status_code, mine.status_code) == (403, 200)
        assert pages.post(drive, headers=cookie(maya)).status_code == 403
    again = signed_in(server, "maya")
    with pytest.raises(WebSocketDisconnect):
        pages.websocket_connect("/hello/ws?session_id=s_1", headers=cookie(again)).__enter__()


def test_whoever_talks_all_the_time_is_signed_out_as_well(server, monkeypatch):
    """A websocket ends with its session, however much goes over it."""
    monkeypatch.setattr(guard, "_LOOK", 0.0)
    pages, _ = around(server)
    kofi = signed_in(server, "kofi")
    with pages.websocket_connect("/hello/ws?session_id=s_2", headers=cookie(kofi)) as socket:
        socket.send_text("a")
        assert socket.receive_text() == "more"
        remove_user(server.users, "kofi")
        with pytest.raises(WebSocketDisconnect):
            talk_on(socket)


def talk_on(socket) -> None:
    for _ in range(20):
        socket.send_text("a")
        socket.receive_text()


def test_the_button_of_a_page_asks_for_whoever_is_signed_in_now(server):
    """Who was a manager when the page was opened, and is none when pressing, is refused (E4)."""
    asked = []
    pages, seen = around(server, recalculate=lambda *who: asked.append(who))
    maya = signed_in(server, "maya")
    pages.get("/hello/", headers=cookie(maya))
    press = seen[0]["meta"]["recalculate"]
    press("pond")
    assert asked == [("pond", "maya")]
    remove_user(server.users, "maya")
    assert press("pond") is None
    assert len(asked) == 1


@pytest.mark.parametrize("origin", ["http://[", "http://elsewhere.example", "null"])
def test_an_origin_that_makes_no_sense_is_refused(server, origin):
    """Whatever a program sends as its origin, it gets an answer and no error."""
    answer = client(server).post("/sign-out", headers={"origin": origin})
    assert answer.status_code == 403


@pytest.mark.usefixtures("server")
def test_files_of_pages_are_looked_for_in_the_memory_of_this_process_alone():
    """Nobody reads what other programs of the machine share."""
    from marimo._runtime.virtual_file.storage import InMemoryStorage, VirtualFileStorageManager

    assert isinstance(VirtualFileStorageManager().storage, InMemoryStorage)


@pytest.mark.parametrize(
    ("asked", "headers"),
    [
        ("8-other.csv", {}),
        ("8-../users.json", {}),
        ("chart.csv", {}),
        ("-chart.csv", {}),
        ("\N{SUPERSCRIPT TWO}-chart.csv", {}),
        ("9999-chart.csv", {"range": "bytes=0-"}),
        (f"{'9' * 5000}-chart.csv", {}),
    ],
)
def test_a_file_that_no_page_made_is_not_found(server, asked, headers):
    """Neither a name that is unknown nor a length that is wrong breaks off an answer that began."""
    from marimo._runtime.virtual_file.storage import VirtualFileStorageManager

    visitor = signed_in(server, "kofi")
    VirtualFileStorageManager().storage.store("chart.csv", b"a,b\n1,2\n")
    answer = visitor.get(f"/hello/@file/{asked}", headers=headers)
    assert (answer.status_code, answer.text) == (404, "There is no such file.\n")
    assert visitor.get("/hello/@file/8-chart.csv").text == "a,b\n1,2\n"
