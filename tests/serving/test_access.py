"""Accounts and members: who sees which communities, and who acts where; nobody learns whom an account is tied to."""

from __future__ import annotations

import importlib.util
import io
import json
import sys
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import marimo as mo
import polars as pl
import pytest

from crowdvote_analysis import Store, SystemState, tables
from crowdvote_analysis.logs import EventLog
from crowdvote_analysis.pages import choosing
from crowdvote_analysis.pages.layout import Opening
from crowdvote_analysis.serving.access import Access
from crowdvote_analysis.serving.sessions import Sessions
from crowdvote_analysis.serving.users import (
    UsersError,
    add_user,
    read_users,
    remove_user,
    set_password,
    tie_user,
    untie_user,
    users_of,
)
from crowdvote_analysis.snapshots import list_snapshots
from crowdvote_analysis.snapshots.recalculation import MANAGERS_ONLY
from crowdvote_analysis.store.membership import change_role, leave
from tests.command import crowdvote
from tests.serving.conftest import PASSWORDS, Clock
from tests.serving.test_server import client, form_of, sign_in

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SECRET = "nora-77"


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A store with two communities, each with a decision that is open; members of both, one of them anonymous."""
    folder = tmp_path_factory.mktemp("two")
    state = SystemState(
        communities=pl.DataFrame({"community_id": ["hill", "dale"], "title": ["The hill", "The dale"]}),
        members=pl.DataFrame(
            {
                "community_id": ["hill", "hill", "dale", "dale"],
                "member_id": ["kim", SECRET, "kim", SECRET],
                "display_name": ["Kim", "Nora", "Kim", "Nora"],
                "is_manager": [True, True, False, False],
                "is_anonymous": [False, True, False, True],
            }
        ),
        decisions=pl.DataFrame(
            {"community_id": ["hill", "dale"], "decision_id": ["mill", "pond"], "title": ["A mill?", "A pond?"]}
        ),
        choices=pl.DataFrame({"decision_id": ["mill", "pond"], "choice_id": "yes please"}),
        ballots=pl.DataFrame({"decision_id": ["mill", "pond"], "member_id": "kim"}),
        votes=pl.DataFrame(
            {"decision_id": ["mill", "pond"], "member_id": "kim", "choice_id": "yes please", "stars": "5"}
        ),
    )
    store = Store.create(folder / "store")
    store.commit("import", lambda _cut, _at: {name: getattr(state, name) for name in tables.TABLES})
    return folder / "store"


@pytest.fixture
def serve(two, place, tmp_path):
    """A server of the two communities, whose store can be changed; ``tie`` says whose accounts are whose."""
    import shutil

    from crowdvote_analysis.serving.app import create_app

    shutil.copytree(two, tmp_path / "store")
    store, file, log = Store.open(tmp_path / "store"), tmp_path / "users.json", EventLog(tmp_path / "logs")

    def served(*ties: tuple[str, str, str], own_only: bool = False, counted=None):
        for name, role in (("maya", "manager"), ("kofi", "viewer")):
            add_user(file, name, role, PASSWORDS[name])
        for tie in ties:
            tie_user(file, *tie)
        app = create_app(store, file, log, place.notebooks, own_only=own_only)
        if counted is not None:
            recalculation = app._app._recalculate.__self__.recalculation
            recalculation._count = lambda _store, decision: counted.append(decision)
        access = app._app._access
        return SimpleNamespace(app=app, users=file, store=store, access=access, log=log.path)

    yield served
    log.close()


def signed_in(server, name):
    visitor = client(server)
    assert sign_in(visitor, name).status_code == 303
    return visitor


def asked(server, name, decision):
    visitor = signed_in(server, name)
    answer = visitor.post(f"/recalculate/{decision}", data={"form": form_of(visitor.get("/").text)})
    return answer.status_code, answer.json()["message"]


def test_a_tied_manager_acts_where_the_member_manages(serve):
    """What the start page offers, and what the server does; of other communities nothing is told (E4)."""
    counted: list[str] = []
    server = serve(("maya", "hill", "kim"), ("maya", "dale", "kim"), counted=counted)
    page = signed_in(server, "maya").get("/").text
    assert "A mill?" in page
    assert "A pond?" not in page
    assert asked(server, "maya", "pond") == (403, MANAGERS_ONLY)
    assert asked(server, "maya", "no-such-decision") == (403, MANAGERS_ONLY)
    assert counted == []
    assert asked(server, "maya", "mill")[0] == 202
    assert list_snapshots(server.store, "pond").is_empty()


def test_a_manager_tied_to_nobody_acts_everywhere(serve):
    """As the one who runs the server does, and as before there were ties."""
    server = serve(counted=[])
    page = signed_in(server, "maya").get("/").text
    assert "A mill?" in page
    assert "A pond?" in page
    assert asked(server, "maya", "pond")[0] == 202
    assert asked(server, "maya", "no-such-decision")[0] == 404


def test_a_viewer_acts_nowhere(serve):
    """Also where the member is a manager: the role of the account says the most that it may do."""
    server = serve(("kofi", "hill", "kim"))
    assert "Count again" not in signed_in(server, "kofi").get("/").text
    assert asked(server, "kofi", "mill") == (403, MANAGERS_ONLY)


@pytest.mark.parametrize("change", ["no manager any more", "left", "untied"])
def test_who_is_no_manager_any_more_acts_no_more(serve, change):
    """At once, whatever the page they have open offers."""
    server = serve(("maya", "hill", "kim"), ("maya", "dale", "kim"))
    visitor = signed_in(server, "maya")
    form = {"form": form_of(visitor.get("/").text)}
    if change == "untied":
        untie_user(server.users, "maya", "hill")
        assert visitor.post("/recalculate/mill", data=form).status_code == 401
    elif change == "left":
        leave(server.store, "hill", "kim")
    else:
        change_role(server.store, "hill", "kim", is_manager=False)
    assert asked(server, "maya", "mill") == (403, MANAGERS_ONLY)
    assert "Recalculate" not in signed_in(server, "maya").get("/").text


def test_people_see_all_communities_or_their_own(serve):
    """As whoever runs the server decides."""
    server = serve(("kofi", "dale", "kim"), ("maya", "hill", "kim"))
    add_user(server.users, "zoe", "viewer", PASSWORDS["kofi"])
    add_user(server.users, "ida", "manager", PASSWORDS["kofi"])
    own = Access(server.store, server.access.users, own_only=True)
    assert [server.access.seen(name) for name in ("kofi", "maya", "zoe", "ida")] == [None] * 4
    assert [own.seen(name) for name in ("kofi", "maya", "zoe", "ida")] == [{"dale"}, {"hill"}, set(), None]
    assert own.seen("nobody") == server.access.seen("nobody") == set()
    leave(server.store, "dale", "kim")
    assert own.seen("kofi") == set()
    assert own.astray() == [("kofi", "dale")]


def test_pages_are_told_what_somebody_sees_and_manages(serve):
    """When they open, as of then."""
    from tests.serving.test_server import around, cookie

    server = serve(("maya", "hill", "kim"), own_only=True)
    maya = signed_in(server, "maya")
    pages, seen = around(server, access=server.access)
    pages.get("/hello/", headers=cookie(maya))
    assert seen[0]["meta"]["seen"]() == seen[0]["meta"]["managed"]() == {"hill"}
    leave(server.store, "hill", "kim")
    assert seen[0]["meta"]["seen"]() == frozenset()


@pytest.mark.parametrize("change", ["passwd", "remove", "tie", "untie"])
def test_every_change_of_an_account_ends_its_sessions(serve, change):
    """At the next request; everybody else goes on."""
    server = serve(("kofi", "hill", "kim"))
    kofi, maya = signed_in(server, "kofi"), signed_in(server, "maya")
    assert kofi.get("/").status_code == 200
    {
        "passwd": lambda: set_password(server.users, "kofi", "another pass word"),
        "remove": lambda: remove_user(server.users, "kofi"),
        "tie": lambda: tie_user(server.users, "kofi", "dale", SECRET),
        "untie": lambda: untie_user(server.users, "kofi", "hill"),
    }[change]()
    assert [visitor.get("/").status_code for visitor in (kofi, maya)] == [401, 200]


def test_another_password_keeps_the_ties(serve):
    """A tie is a restriction: it is not lost on the way."""
    server = serve(("maya", "hill", "kim"))
    set_password(server.users, "maya", "another pass word")
    assert server.access.managed("maya") == {"hill"}


def test_nobody_learns_whom_an_account_is_tied_to(serve, capfd):
    """Neither a page, nor the log, nor an error or list names the member (P1)."""
    server = serve(("maya", "hill", SECRET), counted=[])
    visitor = signed_in(server, "maya")
    said = visitor.get("/").text + visitor.get("/hello/").text
    asked(server, "maya", "mill")
    asked(server, "maya", "pond")
    said += "".join(crowdvote("users", "list", *more, "--users", server.users).stdout for more in ([], ["--json"]))
    with pytest.raises(UsersError) as refused:
        tie_user(server.users, "nobody", "hill", SECRET)
    said += str(refused.value) + repr(read_users(server.users)["maya"]) + server.log.read_text("utf-8")
    said += "".join(capfd.readouterr())
    assert "member in hill" in said
    assert SECRET not in said
    assert "Nora" not in said
    assert SECRET in server.users.read_text("utf-8")


def test_ids_of_members_are_never_part_of_a_command(tmp_path, monkeypatch):
    """They are read as passwords are; lists of running programs are seen by all people of a machine."""
    file = tmp_path / "users.json"
    add_user(file, "maya", "manager", PASSWORDS["maya"])

    def said(*arguments: str, typed: str = "", code: int = 0) -> str:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        done = crowdvote("users", *arguments, "--users", file)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    assert said("tie", "maya", "--community", "hill", typed=f"{SECRET}\n") == "maya is tied to a member of hill.\n"
    assert read_users(file)["maya"].ties == (("hill", SECRET),)
    assert json.loads(said("list", "--json")) == [{"name": "maya", "role": "manager", "communities": ["hill"]}]
    assert "are needed" in said("tie", "maya", "--community", "hill", typed="\n", code=1)
    assert "no user 'kofi'" in said("tie", "kofi", "--community", "hill", typed="kim\n", code=1)
    assert "is tied to no member of 'dale'" in said("untie", "maya", "--community", "dale", code=1)
    assert said("untie", "maya", "--community", "hill") == "maya is tied to no member of hill.\n"
    assert read_users(file)["maya"].ties == ()


def test_a_damaged_tie_lets_nobody_in(tmp_path):
    """Neither is a tie ignored, which would give more rights."""
    file = tmp_path / "users.json"
    add_user(file, "maya", "manager", PASSWORDS["maya"])
    document = json.loads(file.read_text())
    for damage in (["hill"], {"hill": 7}, "hill"):
        document["users"]["maya"]["members"] = damage
        file.write_text(json.dumps(document))
        with pytest.raises(UsersError, match="is no file of users"):
            read_users(file)
        assert users_of(file)() == {}


def test_users_are_read_again_when_the_file_is_another(tmp_path, monkeypatch):
    """And only then."""
    from crowdvote_analysis.serving import users

    file, reads = tmp_path / "users.json", []
    add_user(file, "maya", "manager", PASSWORDS["maya"])
    monkeypatch.setattr(users, "read_users", lambda path: reads.append(path) or read_users(path))
    known = users_of(file)
    assert [list(known()) for _ in range(3)] == [["maya"]] * 3
    assert len(reads) == 1
    before = len(reads)
    file.write_bytes(file.read_bytes().replace(b"maya", b"zoey"))
    assert list(known()) == ["zoey"]
    assert len(reads) == before + 1
    file.unlink()
    assert known() == {}


def test_a_session_is_over_while_users_cannot_be_read(tmp_path):
    """Whoever cannot be asked for is not let in."""
    file, clock = tmp_path / "users.json", Clock()
    add_user(file, "maya", "manager", PASSWORDS["maya"])
    known = users_of(file)
    sessions = Sessions(lambda name: user.stamp if (user := known().get(name)) else None, clock)
    token = sessions.begin(known()["maya"])
    assert sessions.find(token, touch=False) is not None
    file.write_text("{}")
    assert sessions.find(token, touch=False) is None


def shown(name: str, place: str, opened: Opening) -> str:
    spec = importlib.util.spec_from_file_location(f"{name}_access", NOTEBOOKS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    box = "place" if name in ("decision", "snapshot") else "folder"
    outputs, _ = module.app.run(defs={"opened": opened, box: SimpleNamespace(value=place, text="")})
    return unescape(unescape(" ".join(mo.as_html(output).text for output in outputs if output is not None)))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["count", "decision", "influence", "snapshot", "what_if", "yes_no"])
def test_a_page_shows_nothing_of_other_communities(name, demo_store_folder):
    """Whatever its address asks for; and says so where somebody sees none at all."""
    state = Store.open(demo_store_folder).cut().state()
    method = state.decisions["method"] if name != "yes_no" else None
    decisions = state.decisions.filter((pl.col("method") == "star") == (method is not None))
    here, others = "riverside", decisions.filter(pl.col("community_id") != "riverside")
    secret = others["title"].drop_nulls().to_list() + others["decision_id"].to_list()
    secret += state.communities.filter(pl.col("community_id") != here)["title"].to_list()
    mine = decisions.filter(community_id=here)["title"].drop_nulls().to_list()
    wanted = others["decision_id"][0]
    asked_for = {"decision": wanted} if name != "snapshot" else {}
    page = shown(name, str(demo_store_folder), Opening(asked_for, {}, seen=frozenset([here])))
    assert any(title in page for title in mine)
    page = page.replace(f"“{wanted}”", "")  # it says that what the address asks for is not here
    assert [text for text in secret if text in page] == []
    assert "You are a member of none of the communities here." in shown(
        name, str(demo_store_folder), Opening(asked_for, {}, seen=frozenset())
    )


@pytest.mark.slow
def test_a_snapshot_of_another_community_is_not_there(demo_store_folder):
    """Its page says what it says of one that does not exist."""
    known = list_snapshots(Store.open(demo_store_folder)).filter(status="completed")
    other = known.filter(pl.col("community_id") != "riverside")["snapshot_id"][0]
    opened = Opening({"snapshot": other}, {}, seen=frozenset(["riverside"]))
    assert f"There is no snapshot '{other}'" in shown("snapshot", str(demo_store_folder), opened)
    assert "There is no snapshot" not in shown("snapshot", str(demo_store_folder), Opening({"snapshot": other}, {}))


def test_what_is_left_of_a_state_is_of_these_communities_alone(two):
    """Every table, so that no download has more than the page."""
    state = Store.open(two).cut().state()
    left = choosing.of_communities(state, ["dale"])
    for table in tables.TABLES:
        frame, whole = getattr(left, table), getattr(state, table)
        if "community_id" in frame.columns:
            assert set(frame["community_id"]) <= {"dale"}
        if "decision_id" in frame.columns:
            assert set(frame["decision_id"]) <= {"pond"}
        assert len(frame) * 2 == len(whole), table


def test_managers_are_offered_a_count_in_their_communities_alone():
    """On the page of a decision."""
    opened = Opening({}, {}, is_manager=True, managed=frozenset(["hill"]))
    assert [opened.manages(community) for community in ("hill", "dale")] == [True, False]
    assert Opening({}, {}, is_manager=True).manages("dale")
    assert not Opening({}, {}, managed=None).manages("hill")
