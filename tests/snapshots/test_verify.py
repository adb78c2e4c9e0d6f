"""Whoever changes a byte of a snapshot is found out, and the file is named."""

from __future__ import annotations

import json
import shutil
from functools import partialmethod
from typing import TYPE_CHECKING

import polars as pl
import pytest

from crowdvote_analysis.errors import SnapshotError, StoreError
from crowdvote_analysis.snapshots import lifecycle
from crowdvote_analysis.snapshots.calculation import RESULTS, Result
from crowdvote_analysis.snapshots.events import INTERNAL, list_snapshots, read_events
from crowdvote_analysis.snapshots.inputs import TABLES, public_inputs
from crowdvote_analysis.snapshots.lifecycle import take_snapshot
from crowdvote_analysis.snapshots.objects import Frozen
from crowdvote_analysis.snapshots.reading import read_inputs
from crowdvote_analysis.snapshots.upkeep import health, validate
from crowdvote_analysis.snapshots.verify import verify_snapshot
from crowdvote_analysis.store import delta
from crowdvote_analysis.store.cut import Cut
from crowdvote_analysis.store.store import Store
from tests.snapshots.garden import cast

if TYPE_CHECKING:
    from pathlib import Path

PARTS = ["inputs", "staged", "result", *TABLES, *RESULTS]


def altered(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def removed(path: Path) -> None:
    path.unlink()


def file_of(store: Store, snapshot_id: str, part: str) -> Path:
    """The file of a JSON document, or of a table."""
    folder = store.location.folder
    beside = folder / "snapshots" / snapshot_id
    if part in ("inputs", "staged", "result"):
        return beside / f"{part}.json"
    document = json.loads((beside / ("inputs.json" if part in TABLES else "result.json")).read_text())
    return folder / Frozen(**document["tables"][part]).path


@pytest.fixture(scope="session")
def made(planted: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A store with one snapshot, and the id of it."""
    folder = tmp_path_factory.mktemp("made") / "garden"
    shutil.copytree(planted, folder)
    return folder, take_snapshot(Store.open(folder), "pond")["snapshot_id"]


@pytest.fixture
def taken(made: tuple[Path, str], tmp_path: Path) -> tuple[Store, str]:
    """A copy of it, for a test that changes it."""
    shutil.copytree(made[0], tmp_path / "garden")
    return Store.open(tmp_path / "garden"), made[1]


def test_a_snapshot_that_is_as_it_was_is_certified(taken) -> None:
    """Every file, every hash, the history and the recount are looked at."""
    store, name = taken
    found = verify_snapshot(store, name)
    assert found.certified
    assert found.checks["ok"].all()
    kinds = dict(found.checks.group_by("check").len().iter_rows())
    assert kinds == {"file": 3 + len(TABLES) + len(RESULTS), "hash": 4, "events": 4, "history": 1, "recount": 6}
    assert validate(store)["finding"].to_list() == ["ok"]


def test_a_snapshot_from_before_text_had_one_form_is_certified(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """T7: frozen tables stay as they are; ids and tags that would be written otherwise today recount to the same."""
    row = store.cut().rows("members").head(1)
    twins = [row.with_columns(member_id=pl.lit(name)) for name in ("Jose\u0301", "Jos\u00e9", "1.0")]
    store.commit("join", lambda _cut, _at: {"members": pl.concat(twins)})
    cast(store, "Jose\u0301", {"Fish": "5"}, ("all", "stra\u00dfe"))
    with monkeypatch.context() as before:
        before.setattr(Cut, "state", partialmethod(Cut.state, as_recorded=True))
        name = take_snapshot(store, "pond")["snapshot_id"]
    assert read_inputs(store, name)[1].ballots.filter(member_id="Jose\u0301")["tags"].to_list() == [
        ["all", "stra\u00dfe"]
    ]
    assert store.state().ballots.filter(member_id="Jose\u0301")["tags"].to_list() == [["all", "strasse"]]
    assert verify_snapshot(store, name).certified
    assert verify_snapshot(store, take_snapshot(store, "pond")["snapshot_id"]).certified


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "change"),
    [
        *((part, altered) for part in PARTS),
        *((part, change) for part in ("inputs", "result", "votes", "tallies") for change in (truncated, removed)),
    ],
)
def test_every_file_that_is_changed_is_named(taken, part: str, change) -> None:
    """Altered by one bit, cut by one byte or gone: verifying finds it, and validating marks the snapshot (S7)."""
    store, name = taken
    path = file_of(store, name, part)
    change(path)
    found = verify_snapshot(store, name)
    assert not found.certified
    wrong = found.checks.filter(~pl.col("ok"))
    assert any(path.name in f"{row['what']} {row['detail']}" for row in wrong.to_dicts())
    assert list_snapshots(store)["status"].to_list() == ["completed"]  # verifying writes nothing
    (marked,) = validate(store).to_dicts()
    assert marked["finding"] == "corrupted"
    assert path.name in marked["problem"]
    assert health(store)["statuses"] == {"corrupted": 1}


def test_an_event_that_says_something_else_is_noticed(taken) -> None:
    """Whoever rewrites the events, to name another winner or other hashes, contradicts what is frozen."""
    store, name = taken
    events = read_events(store)
    for column, value in [("winner", "Fish"), ("is_final", True), ("result_hash", "0"), ("result_file", "0")]:
        forged = events.with_columns(
            pl.when(pl.col(column).is_not_null()).then(pl.lit(value)).otherwise(column).alias(column)
        )
        shutil.rmtree(store.location.folder / "snapshot_events")
        delta.create(store.location, "snapshot_events", forged.schema)
        delta.append(delta.open_table(store.location, "snapshot_events"), forged)
        found = verify_snapshot(store, name)
        wrong = found.checks.filter(~pl.col("ok"))
        assert not found.certified
        assert any(word in wrong.write_csv() for word in (column, "other bytes"))


def test_a_history_that_was_rewritten_is_noticed(taken) -> None:
    """The rows of the store have to give what was frozen."""
    store, name = taken
    opened = delta.open_table(store.location, "votes")
    opened.update(predicate="choice_id = 'Fish'", updates={"stars": "5"})
    wrong = verify_snapshot(store, name).checks.filter(~pl.col("ok"))
    assert wrong["check"].to_list() == ["history"]
    assert "other rows in votes than were frozen" in wrong["detail"].item()


def test_later_commits_do_not_matter(taken) -> None:
    """A snapshot is held against the commits that are in it."""
    store, name = taken
    cast(store, "Kelly", {"Fish": "5"})
    assert verify_snapshot(store, name).certified


def test_a_result_that_was_never_counted_is_found_by_the_recount(store: Store, monkeypatch) -> None:
    """A forger who writes files, hashes and events that fit together still has another result than the ballots give."""
    real, people = lifecycle.tallied, store.cut().people.ids
    nora = people.filter(member_id="Nora")["person"].item()

    def forged(staged, choices, options) -> Result:
        stars = pl.when(member_id=nora).then(pl.lit("0")).otherwise("stars").cast(pl.Decimal(9, 8))
        return real({**staged, "resolved_stars": staged["resolved_stars"].with_columns(stars=stars)}, choices, options)

    monkeypatch.setattr(lifecycle, "tallied", forged)
    name = take_snapshot(store, "pond")["snapshot_id"]
    wrong = verify_snapshot(store, name).checks.filter(~pl.col("ok"))
    assert set(wrong["check"]) == {"recount", "hash"}
    assert set(wrong["what"]) == {"resolved_stars", "tallies", "tally", "result"}
    assert "is not of the ballots that were staged" in wrong["detail"].to_list()
    told = wrong.filter(what="resolved_stars")["detail"].item()
    assert told == "2 rows differ (first: member_id 'Anonymous 1', choice_id 'Fish')"


def test_a_snapshot_without_a_result_is_not_certified(store: Store, monkeypatch) -> None:
    """What is frozen may be as it was; there is nothing that could be right."""
    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, "resolve_snapshot", lambda *_: 1 / 0)
        with pytest.raises(SnapshotError):
            take_snapshot(store, "pond")
    found = verify_snapshot(store, list_snapshots(store)["snapshot_id"].item())
    assert not found.certified
    assert found.checks.filter(~pl.col("ok"))["detail"].to_list() == ["is failed_staging"]


def test_a_table_of_events_that_cannot_be_read_is_an_error(taken) -> None:
    """Damage to the table of events is told by its name."""
    store, _ = taken
    for path in (store.location.folder / "snapshot_events").glob("*.parquet"):
        path.write_bytes(b"PAR1")
    with pytest.raises(StoreError, match="table snapshot_events is missing or damaged"):
        list_snapshots(store)


def test_followings_of_strangers_are_a_warning(store: Store) -> None:
    """Whoever follows somebody who left is told of, without a name (S7)."""
    leave = lambda cut, _at: {"members": cut.rows("members", member_id="Olivia").with_columns(withdrawn=True)}  # noqa: E731
    store.commit("leave", leave)
    with pytest.warns(match="not a member"):
        take_snapshot(store, "pond")
    with pytest.warns(match="not a member"):
        (found,) = validate(store).to_dicts()
    assert found["finding"] == "warning"
    assert found["problem"] == "3 followings are of somebody who is not a member (D6)"


def test_a_snapshot_of_somebody_who_left_anonymously_holds_no_name(store: Store) -> None:
    """What is frozen after they left has their ballot under a pseudonym (M3, P1), and can be verified."""
    leave = lambda cut, _at: {"members": cut.rows("members", member_id="Nora").with_columns(withdrawn=True)}  # noqa: E731
    store.commit("leave", leave)
    with pytest.warns(match=r"not a member \(first: somebody\)"):
        name = take_snapshot(store, "pond")["snapshot_id"]
    with pytest.warns(match=r"not a member \(first: somebody\)"):
        _, state = read_inputs(store, name)
    with pytest.warns(match=r"not a member \(first: somebody\)"):
        found = verify_snapshot(store, name)
    assert found.certified
    assert "Nora" not in str({table: getattr(state, table).to_dicts() for table in TABLES})
    assert len(state.votes.filter(member_id="Former anonymous member 1")) == 2


@pytest.mark.slow
def test_hashes_that_would_confirm_a_name_are_known(store: Store) -> None:
    """Every hash of something that holds real ids is kept inside; the public ones do not depend on names (P1)."""
    taken = take_snapshot(store, "pond")
    hashes = {name for name in taken if name.endswith(("hash", "file"))}
    assert hashes == {*INTERNAL, "public_hash", "public_result_hash"}
    rename = lambda cut, _at: {  # noqa: E731
        "members": cut.rows("members", member_id="Nora").with_columns(display_name=pl.lit("Somebody else"))
    }
    store.commit("role", rename)
    again = take_snapshot(store, "pond")
    assert again["content_hash"] != taken["content_hash"]
    first, second = (read_inputs(store, row["snapshot_id"])[1] for row in (taken, again))
    for table, frame in public_inputs(first).items():
        assert frame.equals(public_inputs(second)[table]), table
