"""A small store, three users and a server around them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from crowdvote_analysis import SystemState, tables
from crowdvote_analysis.logs import EventLog
from crowdvote_analysis.serving import users
from crowdvote_analysis.serving.attempts import Attempts
from crowdvote_analysis.serving.sessions import Sessions
from crowdvote_analysis.serving.users import add_user, read_users
from crowdvote_analysis.store import Store
from tests.snapshots.garden import votes

PASSWORDS = {"maya": "meadow and pond", "kofi": "river and roof"}
NOTEBOOK = """# A page for tests.
import marimo

app = marimo.App(app_title="CrowdVote: hello")


@app.cell
def hello():
    import marimo as mo

    mo.md("Hello there")
    return


if __name__ == "__main__":
    app.run()
"""


@pytest.fixture(scope="package", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Hashes that take no time; what is stored says what it cost."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(users, "_COST", {**users._COST, "n": 2**4})
        yield


@pytest.fixture(scope="package")
def place(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Where everything lies: a store with an open and a closed decision, the users, a notebook."""
    folder = tmp_path_factory.mktemp("serving")
    store = Store.create(folder / "store")
    state = SystemState(
        members=pl.DataFrame(
            {"member_id": ["Kelly", "nora-77"], "display_name": ["Kelly", "Nora"], "is_anonymous": [False, True]}
        ),
        decisions=pl.DataFrame(
            {
                "decision_id": ["pond", "bench"],
                "method": "star",
                "title": ["The <pond>", "Bench"],
                "closes_at": [None, datetime(2026, 1, 1, tzinfo=UTC)],
            },
            schema_overrides={"closes_at": pl.Datetime("us", "UTC")},
        ),
        ballots=pl.DataFrame({"decision_id": "pond", "member_id": ["Kelly", "nora-77"]}),
        votes=pl.concat([votes("Kelly", {"Lilies": "5"}), votes("nora-77", {"Fish": "4"})]),
    )
    store.commit("import", lambda _cut, _at: {name: getattr(state, name) for name in tables.TABLES})
    add_user(folder / "users.json", "maya", "manager", PASSWORDS["maya"])
    add_user(folder / "users.json", "kofi", "viewer", PASSWORDS["kofi"])
    notebooks = folder / "notebooks"
    notebooks.mkdir()
    (notebooks / "hello.py").write_text(NOTEBOOK)
    return SimpleNamespace(store=store, users=folder / "users.json", notebooks=notebooks)


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def server(place: SimpleNamespace, tmp_path: Path) -> Iterator[SimpleNamespace]:
    """A server of its own for a test, with a clock (``server.clock.time``) and its log (``server.log()``)."""
    from crowdvote_analysis.serving.app import create_app

    clock, file = Clock(), tmp_path / "users.json"
    file.write_bytes(place.users.read_bytes())
    log = EventLog(tmp_path / "logs")
    sessions = Sessions(lambda name: user.stamp if (user := read_users(file).get(name)) else None, clock)
    app = create_app(place.store, file, log, place.notebooks, sessions=sessions, attempts=Attempts(clock))
    yield SimpleNamespace(
        app=app, clock=clock, users=file, store=place.store, log=lambda: log.path.read_text("utf-8").splitlines()
    )
    log.close()
