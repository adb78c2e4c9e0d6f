"""A store: rows are added, superseded, withdrawn, and found again as they stood at any instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import obstore.exceptions
import polars as pl
import pytest
from deltalake.exceptions import DeltaError

from crowdvote_analysis import SystemState, tables
from crowdvote_analysis.errors import BusyError, StoreError
from crowdvote_analysis.privacy import public_names
from crowdvote_analysis.store import delta
from crowdvote_analysis.store.location import Location
from crowdvote_analysis.store.store import Store, is_store

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)


def ticking(step: timedelta = timedelta(minutes=1)):
    """A clock that goes on by a minute whenever somebody looks."""
    times = iter(NOON + number * step for number in range(100_000))
    return lambda: next(times)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store.create(tmp_path / "garden", clock=ticking())
    state = SystemState(
        members=pl.DataFrame({"member_id": ["Kelly", "Maya", "Jack"], "is_anonymous": [False, False, True]}),
        followings=pl.DataFrame({"follower_id": ["Maya"], "followee_id": ["Kelly"], "tags": [["trees"]]}),
        ballots=pl.DataFrame({"member_id": ["Kelly", "Jack"], "tags": [["trees"], []]}),
        votes=votes("Kelly", {"Pond": "4.5", "Swings": "2"}),
    )
    store.commit("import", lambda _cut, _at: {name: getattr(state, name) for name in tables.TABLES})
    return store


def votes(member: str, stars: dict[str, str]) -> pl.DataFrame:
    frame = pl.DataFrame({"member_id": member, "choice_id": list(stars), "stars": list(stars.values())})
    return frame.select(pl.lit("decision").alias("decision_id"), pl.all()).with_columns(
        pl.col("stars").cast(tables.STARS)
    )


def ballot(member: str, tags: list[str], at: datetime) -> pl.DataFrame:
    return pl.DataFrame(
        {"decision_id": ["decision"], "member_id": [member], "tags": [tags], "cast_at": [at]},
        schema_overrides={"tags": pl.List(pl.String)},
    )


def cast(store: Store, member: str, stars: dict[str, str], tags: list[str] = []) -> None:  # noqa: B006
    store.commit("cast", lambda _cut, at: {"ballots": ballot(member, tags, at), "votes": votes(member, stars)})


def test_what_was_committed_is_read_back(store: Store) -> None:
    """Every table comes back as it went in, types included."""
    state = store.state()
    assert state.members["member_id"].to_list() == ["Jack", "Kelly", "Maya"]
    assert state.followings.row(0) == ("community", "Maya", "Kelly", ["trees"], 0)
    assert state.votes.equals(votes("Kelly", {"Pond": "4.5", "Swings": "2"}))
    assert {name: getattr(state, name).schema for name in tables.TABLES} == {
        name: tables.empty(name).schema for name in tables.TABLES
    }


def test_a_later_ballot_takes_the_place_of_an_earlier_one_with_all_its_stars(store: Store) -> None:
    """A choice that is not rated any more has no star left over from the ballot before."""
    cast(store, "Kelly", {"Swings": "5"}, ["budget"])
    state = store.state()
    assert state.votes.equals(votes("Kelly", {"Swings": "5"}))
    assert state.ballots.filter(member_id="Kelly")["tags"].to_list() == [["budget"]]


def test_a_withdrawal_is_a_row_and_can_be_followed_by_another_ballot(store: Store) -> None:
    """A withdrawn ballot is gone with its stars; nothing of it is lost from history."""
    withdrawn = lambda _cut, at: {"ballots": ballot("Kelly", [], at).with_columns(withdrawn=True)}  # noqa: E731
    store.commit("withdraw", withdrawn)
    assert store.state().votes.is_empty()
    assert store.state().ballots["member_id"].to_list() == ["Jack"]
    cast(store, "Kelly", {"Pond": "1"})
    assert store.state().votes.equals(votes("Kelly", {"Pond": "1"}))
    history = store.cut().history("ballots").filter(pl.col("member_id") == "Kelly").sort("seq").collect()
    assert history["withdrawn"].to_list() == [False, True, False]
    assert history["action"].to_list() == ["import", "withdraw", "cast"]


@pytest.mark.slow
def test_every_past_instant_can_be_read(store: Store) -> None:
    """The tables as of an instant are those of the last commit up to then, whatever came later."""
    cast(store, "Kelly", {"Pond": "0"})
    cast(store, "Kelly", {"Pond": "1"})
    seen = {minute: store.state(NOON + timedelta(minutes=minute)).votes for minute in (-1, 0, 1, 2)}
    assert seen[-1].is_empty()
    assert seen[0].equals(votes("Kelly", {"Pond": "4.5", "Swings": "2"}))
    assert seen[1].equals(votes("Kelly", {"Pond": "0"}))
    assert seen[2].equals(votes("Kelly", {"Pond": "1"}))
    naive = (NOON + timedelta(minutes=1)).replace(tzinfo=None)
    assert store.state(naive).votes.equals(seen[1])


def test_time_goes_on_with_every_commit_even_where_the_clock_does_not(tmp_path: Path) -> None:
    """Two commits never have the same instant, so that an instant means one state."""
    store = Store.create(tmp_path / "garden", clock=lambda: NOON)
    for _ in range(3):
        store.commit("join", lambda cut, _at: {"communities": community(f"c{cut.seq}")})
    assert store.cut().commits["committed_at"].to_list() == [NOON + timedelta(microseconds=n) for n in range(3)]


def community(name: str) -> pl.DataFrame:
    return pl.DataFrame({"community_id": [name], "title": [name], "cycle_rule": ["path"]})


def test_rows_of_a_commit_that_was_never_finished_are_not_seen(store: Store) -> None:
    """A writer that dies before its last step leaves nothing that anybody reads."""
    before = store.state()

    def die(*_: object) -> bool:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delta, "append_as_next", die)
        with pytest.raises(KeyboardInterrupt):
            cast(store, "Kelly", {"Pond": "0"})
    assert store.state().votes.equals(before.votes)
    assert len(delta.open_table(store.location, "votes").file_uris()) == 2
    cast(store, "Kelly", {"Pond": "3"})
    assert store.state().votes.equals(votes("Kelly", {"Pond": "3"}))


def test_whoever_comes_second_looks_again(store: Store) -> None:
    """Where somebody else commits in between, the rows are prepared anew on what is there now."""
    seen = []

    def prepare(cut, at):
        seen.append(cut.seq)
        if len(seen) == 1:  # somebody faster, who does not wait for a turn
            log = delta.open_table(store.location, "commits")
            last = cut.stored.tail(1).with_columns(
                pl.lit(log.version() + 1).alias("seq"), tables=[], rows=[], commit_id=pl.lit("x")
            )
            assert delta.append_as_next(log, last)
        return {"ballots": ballot("Kelly", [], at)}

    commit = store.commit("cast", prepare)
    assert seen == [1, 2]
    assert commit.seq == 3
    assert store.cut().history("ballots").filter(pl.col("member_id") == "Kelly").collect().height == 2


def test_rows_that_met_somebody_who_wrote_the_table_anew_are_added_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On object storage files are put together by writing the table anew, and Delta refuses what came in between."""
    real, refused = delta.append, [2]

    def append(table, frame) -> bool:
        refused[0] -= 1
        return False if refused[0] >= 0 else real(table, frame)

    monkeypatch.setattr(delta, "append", append)
    cast(store, "Kelly", {"Pond": "0"})
    assert store.state().votes.equals(votes("Kelly", {"Pond": "0"}))
    store.cut().require_complete()


def test_somebody_who_is_never_first_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """After many tries nothing was recorded, and that is said."""
    monkeypatch.setattr(delta, "append_as_next", lambda *_: False)
    monkeypatch.setattr("crowdvote_analysis.store.store._TRIES", 3)
    before = store.cut().seq
    with pytest.raises(BusyError, match="Nothing was recorded"):
        cast(store, "Kelly", {"Pond": "0"})
    assert store.cut().seq == before


def test_missing_rows_are_noticed(store: Store) -> None:
    """Whoever takes rows away behind the back of the store is found out."""
    opened = delta.open_table(store.location, "votes")
    opened.delete("choice_id = 'Pond'")
    with pytest.raises(StoreError, match=r"the table votes has 1 rows up to commit 1, and 2 were committed"):
        store.state()


@pytest.mark.slow
def test_small_files_are_put_together_and_history_stays(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often somebody votes, there are few files, and every instant is still there."""
    monkeypatch.setattr(delta, "MANY_FILES", 5)
    for number in range(12):
        cast(store, "Kelly", {"Pond": str(number % 6)})
    for table in ("commits", "ballots", "votes"):
        assert len(delta.open_table(store.location, table).file_uris()) <= 6
    removed = store.compact()
    assert set(removed) == {"commits", "persons", "names", *tables.TABLES}
    assert len(delta.open_table(store.location, "votes").file_uris()) == 1
    for number in range(12):
        state = store.state(NOON + timedelta(minutes=1 + number))
        assert state.votes.equals(votes("Kelly", {"Pond": str(number % 6)}))
    assert store.cut().history("votes").collect().height == 14


def test_files_are_put_together_by_one_program_at_a_time(store: Store) -> None:
    """Who comes second leaves it or waits: Delta would take both, and every row would be there twice."""
    cast(store, "Kelly", {"Pond": "0"})
    written = delta.open_table(store.location, "votes")
    with store.location.turn("tidy"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(delta, "MANY_FILES", 1)
            delta.tidy(store.location, "votes", written)
        with pytest.raises(BusyError):
            delta.compact(store.location, "votes", patience=0)
    assert delta.open_table(store.location, "votes").version() == written.version()
    delta.compact(store.location, "votes")
    delta.compact(store.location, "votes")
    assert delta.open_table(store.location, "votes").version() == written.version() + 1
    store.cut().require_complete()


def test_on_object_storage_a_table_is_written_anew_by_whoever_is_first(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other machines take no turns: who read an older version changes nothing, and no row is there twice."""
    before = store.state()
    cast(store, "Kelly", {"Pond": "0"})
    first, second = (delta.open_table(store.location, "votes") for _ in range(2))
    assert delta.rewrite(first)
    assert not delta.rewrite(second)
    cast(store, "Jack", {"Pond": "5"})
    late = delta.open_table(store.location, "votes")
    cast(store, "Jack", {"Pond": "4"})
    assert not delta.rewrite(late)
    with monkeypatch.context() as patch:
        patch.setattr(Location, "folder", None)
        delta.compact(store.location, "votes")
        delta.compact(store.location, "commits")
    for name in ("votes", "commits"):
        assert len(delta.open_table(store.location, name).file_uris()) == 1
    store.cut().require_complete()
    assert store.state(NOON).votes.equals(before.votes)
    cast(store, "Jack", {"Pond": "3"})
    assert store.cut().rows("votes", member_id="Jack").equals(votes("Jack", {"Pond": "3"}))


def test_a_disk_that_is_full_is_told_in_words(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the library underneath becomes one of ours, and nothing was recorded."""

    def full(*_: object, **__: object) -> None:
        raise DeltaError("No space left on device (os error 28)\nstack backtrace")

    before = store.cut().seq
    monkeypatch.setattr("deltalake.write_deltalake", full)
    with pytest.raises(StoreError, match=r"ballots/?: cannot be written \(No space left on device\)"):
        cast(store, "Kelly", {"Pond": "0"})
    assert store.cut().seq == before


def test_a_commit_that_is_there_is_not_said_to_have_failed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that cannot be put together after a commit are left for the next writer."""

    def full(*_: object, **__: object) -> None:
        raise DeltaError("no space left on device")

    monkeypatch.setattr(delta, "MANY_FILES", 0)
    monkeypatch.setattr(delta, "compact", full)
    cast(store, "Kelly", {"Pond": "0"})
    assert store.state().votes.equals(votes("Kelly", {"Pond": "0"}))


def test_an_anonymous_member_who_left_is_named_nowhere(store: Store) -> None:
    """The ballot stays (M3), its owner stands under a pseudonym (P1), and is back under the id after coming back."""
    gone = pl.DataFrame({"community_id": ["community"], "member_id": ["Jack"], "display_name": ["Jack"]}).with_columns(
        is_voter=True, is_manager=False, is_anonymous=True
    )
    store.commit("leave", lambda _cut, _at: {"members": gone.with_columns(withdrawn=True)})
    with pytest.warns(match="Former anonymous member 1"):
        state = store.state()
    assert state.ballots["member_id"].sort().to_list() == ["Former anonymous member 1", "Kelly"]
    store.commit("join", lambda _cut, _at: {"members": gone})
    assert store.state().ballots["member_id"].sort().to_list() == ["Jack", "Kelly"]


def test_pseudonyms_are_in_an_order_that_only_the_store_knows(tmp_path: Path) -> None:
    """Two stores of the same members number them otherwise, and one store always alike (P1)."""
    ids = [f"member {number}" for number in range(12)]
    state = SystemState(members=pl.DataFrame({"member_id": ids, "is_anonymous": True}))
    orders = []
    for name in ("one", "two"):
        made = Store.create(tmp_path / name)
        made.commit("import", lambda _cut, _at: {"communities": state.communities, "members": state.members})
        orders.append(public_names(made.state())["public_id"].to_list())
        assert public_names(Store.open(tmp_path / name).state())["public_id"].to_list() == orders[-1]
        assert made.location.secret not in repr(made)
    assert orders[0] != orders[1]


def test_a_folder_with_other_files_does_not_become_a_store(tmp_path: Path) -> None:
    """Tables that are to be imported are not mixed with a store."""
    (tmp_path / "ballots.csv").write_text("member_id,Pond\nKelly,3\n")
    with pytest.raises(StoreError, match=r"holds other files \(ballots.csv\)"):
        Store.create(tmp_path)
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(StoreError, match="is no store"):
            Store.open(place)


def test_object_storage_that_cannot_be_reached_is_told_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says where and of which kind, and nothing of what the storage answered."""

    class Unreachable:
        def get(self, _path: str) -> bytes:
            raise obstore.exceptions.PermissionDeniedError("the key hush is wrong")

    monkeypatch.setattr(Location, "files", Unreachable())
    for attempt in (Store.open, is_store):
        with pytest.raises(StoreError, match="s3://bucket/garden: cannot be reached") as error:
            attempt("s3://bucket/garden", {"aws_secret_access_key": "hush"})
        assert "hush" not in str(error.value)


def test_a_store_of_a_later_format_is_not_touched(tmp_path: Path) -> None:
    """A version that does not know a format says so."""
    Store.create(tmp_path / "garden")
    (tmp_path / "garden" / "store.json").write_text('{"format": 3}')
    with pytest.raises(StoreError, match="does not name format 2"):
        Store.open(tmp_path / "garden")


def test_a_damaged_table_is_named(store: Store) -> None:
    """A log that cannot be read says which table it is of."""
    for entry in (store.location.folder / "votes" / "_delta_log").iterdir():
        entry.unlink()
    with pytest.raises(StoreError, match="the table votes cannot be read"):
        store.state()


def test_options_of_object_storage_are_those_of_the_tables() -> None:
    """One set of keys and values, the connection among them, serves the tables and the files beside them."""
    options = {"AWS_ALLOW_HTTP": "true", "timeout": "5s", "aws_region": "eu-north-1"}
    files = Location.of("s3://bucket/garden", options).files
    assert files.client_options == {"allow_http": "true", "timeout": "5s"}
    assert files.config["region"] == "eu-north-1"


def test_secrets_of_object_storage_are_not_shown() -> None:
    """Whoever prints a store sees where it lies, not how to get in."""
    location = Location.of("s3://bucket/garden/", {"AWS_SECRET_ACCESS_KEY": "hush"})
    assert str(location) == "s3://bucket/garden"
    assert "hush" not in repr(location)
    assert location.folder is None
