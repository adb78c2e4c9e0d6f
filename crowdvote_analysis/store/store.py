"""A store: a folder of Delta tables that only grow, one for each table of ``SystemState``.

    garden/
      store.json            says that this is a store, and of which format; holds the secret of its pseudonyms
      commits/              one row a commit: its number, time and action; how many rows it has in which table, and
                            their hash; the files it wrote; whom it concerns; the hash of the commit before it
      members/ ballots/ …   rows, each with the commit it belongs to; a later row supersedes an earlier one of its key
      persons/ names/       who is behind the tokens that stand in those rows; see ``people``
      snapshot_events/      what happened to snapshots
      snapshots/            what they have frozen, and what came out

A commit is there once its row in ``commits`` is. That row is written last, by a compare-and-swap: its number is the
version that Delta gives it, so that two writers never get the same one, and whoever comes second looks again at what
the first has changed. A writer that dies before leaves rows that nobody will ever read.

Every file is stated somewhere, and ``check`` compares; see ``seal``.
"""

from __future__ import annotations

import json
import warnings
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import polars as pl

from crowdvote_analysis import tables
from crowdvote_analysis.documents import parse_json
from crowdvote_analysis.errors import BusyError, ClockError, StoreError, TableWarning, reason
from crowdvote_analysis.store import delta, seal
from crowdvote_analysis.store.canonical import rows_hash
from crowdvote_analysis.store.cut import COMMITS, LISTED, Cut, record_schema
from crowdvote_analysis.store.location import Location

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from deltalake import DeltaTable

    from crowdvote_analysis.state import SystemState

FORMAT = 2
MARK = "store.json"
_TRIES = 100
_TICK = timedelta(microseconds=1)
# More communities, decisions or members are not named in the row of a commit: its rows name them.
MOST_NAMED = 1_000
# Clocks that differ by less are not worth a word.
_SKEW = timedelta(seconds=5)
# Whoever is further ahead of the storage's clock may not write; a commit that is, moves no other.
_AHEAD = timedelta(seconds=60)
# By so much a storage may tell the time too early.
_COARSE = timedelta(seconds=2)


class Commit(NamedTuple):
    """A commit that was made.

    Attributes:
        seq: Its number.
        at: Its time (UTC).
        action: What was done.
        rows: How many rows were added, by table.
    """

    seq: int
    at: datetime
    action: str
    rows: Mapping[str, int]


def now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Store:
    """A store that is there; see ``Store.create`` and ``Store.open``.

    Attributes:
        location: Where it lies.
        clock: Gives the time in UTC. That of this machine gives way to the clock of the storage where both differ;
            another one is believed as long as it is not ahead of it, so that a past can be made.
        storage_clock: Gives the time of the storage in UTC; what the storage itself says by default.
    """

    location: Location
    clock: Callable[[], datetime] = now
    storage_clock: Callable[[], datetime] | None = None

    @classmethod
    def create(
        cls, where: str | Path, options: Mapping[str, str] | None = None, clock: Callable[[], datetime] = now
    ) -> Store:
        """Make a store, or open the one that is there.

        Args:
            where: A folder, made if it is not there, or a URL of object storage.
            options: What the object storage needs, keys and values of the Rust library object_store.
            clock: Gives the time in UTC.

        Raises:
            StoreError: The folder holds something else, or cannot be written to; or the object storage does not keep to
                conditional writes.
        """
        location = Location.of(where, options)
        location.require_usable()
        if not is_store(where, options):
            _require_room(location)
            location.require_conditions()
            create_tables(location)
            put_mark(location, token_hex(32))  # last, so that a store that is marked is whole
        return cls.open(where, options, clock)

    @classmethod
    def open(
        cls, where: str | Path, options: Mapping[str, str] | None = None, clock: Callable[[], datetime] = now
    ) -> Store:
        """Open a store.

        Raises:
            StoreError: There is none, or one of a later format.
        """
        location = Location.of(where, options)
        location.require_usable()
        mark = read_mark(location)
        if mark["format"] == 1:
            raise StoreError(
                f"{location}: has format 1, and this version reads {FORMAT}: crowdvote store upgrade {location}"
            )
        if mark["format"] != FORMAT:
            raise StoreError(f"{location}: {MARK} does not name format {FORMAT}, the one that this version reads.")
        return cls(replace(location, secret=mark["secret"]), clock)

    def cut(self, as_of: datetime | None = None, seq: int | None = None) -> Cut:
        """All commits up to an instant or a number; up to now by default.

        The number of a commit says its place, and times follow it: a commit whose time is later than that of one behind
        it, because the clock of its writer was ahead, has the time of that one.

        Args:
            as_of: Commits made later are not looked at; a time without a zone is UTC.
            seq: Commits with a higher number are not looked at, nor are their times.

        Raises:
            StoreError: Commits were removed, or cannot be read.
        """
        return self._cut(delta.open_table(self.location, "commits"), as_of, seq)

    def _cut(self, opened: DeltaTable, as_of: datetime | None = None, seq: int | None = None) -> Cut:
        """As ``cut``, of the table ``commits`` as it was opened."""
        rows = delta.scan(opened, COMMITS, self.location.options).select(LISTED).sort("seq")
        commits = delta.collected(self.location, "commits", rows)
        last = commits["seq"][-1] if len(commits) else 0
        said = seal.require_end(self.location, "commits", opened.version(), self._version, last)
        landed = commits
        if seq is not None:
            commits = commits.filter(pl.col("seq") <= seq)
        commits = commits.with_columns(pl.col("committed_at").cum_min(reverse=True))
        if as_of is not None:
            at = as_of.replace(tzinfo=UTC) if as_of.tzinfo is None else as_of.astimezone(UTC)
            commits = commits.filter(pl.col("committed_at") <= at)
        head = said.get("head") if len(commits) and commits["seq"][-1] == last else None
        return Cut(self.location, commits, head, {"commits": opened}, _landed=landed)

    def _version(self) -> int:
        return delta.open_table(self.location, "commits").version()

    def time(self) -> tuple[datetime, datetime]:
        """What time it is for whoever writes, and what time it is for the storage (UTC).

        Raises:
            ClockError: The clock here is ahead of that of the storage by more than a minute.
        """
        here, there = self.clock(), (self.storage_clock or self.location.now)()
        if here > there + _AHEAD:
            raise ClockError(
                f"{self.location}: nothing was recorded, because the clock here ({here:%Y-%m-%d %H:%M:%S} UTC) is more "
                f"than a minute ahead of that of the storage ({there:%Y-%m-%d %H:%M:%S} UTC); set it and try again."
            )
        behind = self.clock is now and here < there - _COARSE
        return (there if behind or here > there + _COARSE else here), there

    def present(self) -> tuple[Cut, datetime]:
        """All commits there are, and an instant that none of them comes after and every later one does.

        On one machine commits that are on their way are waited for, so that whoever votes before the instant is in the
        cut. Where a writer's clock is a little ahead, the instant is that of its commit; where it is far ahead, a
        commit without rows says first what time it is. Both with a ``TableWarning``.

        Raises:
            ClockError: The clock here is ahead of that of the storage.
        """
        with self.writing():
            cut, (at, there) = self.cut(), self.time()
        if cut.at is None or cut.at <= at:
            return cut, at
        if cut.at > at + _SKEW:
            ahead = f"the last commit of the store has the time {cut.at:%Y-%m-%d %H:%M:%S} UTC, ahead of the clock"
            warnings.warn(f"{ahead} here. Set the clocks of all writers.", TableWarning, stacklevel=3)
        if cut.at <= there + _AHEAD:
            return cut, cut.at
        said = self._commit("clock", lambda _cut, _at: {}, empty=True)
        assert said is not None
        return self.cut(seq=said.seq), said.at

    def state(self, as_of: datetime | None = None) -> SystemState:
        """The tables as they stood at an instant, now by default; see ``Cut.state``."""
        return self.cut(as_of).state()

    def commit(self, action: str, prepare: Callable[[Cut, datetime], Mapping[str, pl.DataFrame]]) -> Commit | None:
        """Add rows to some tables, all of them or none.

        Args:
            action: What is done, in a word or two.
            prepare: Called with the store as it is and the time of the commit; gives rows by table, in the columns of
                the table, and may raise to refuse. Called again where others were faster, as they may have changed what
                it looked at. ``withdrawn`` (Boolean) and ``extra`` (text) are optional columns. A key may occur once.

        Returns:
            The commit; none where there was nothing to add.

        Raises:
            BusyError: Others were faster every time, or did not finish in time.
            ClockError: The clock here is ahead of that of the storage.
        """
        return self._commit(action, prepare)

    def _commit(
        self, action: str, prepare: Callable[[Cut, datetime], Mapping[str, pl.DataFrame]], *, empty: bool = False
    ) -> Commit | None:
        """As ``commit``; ``empty`` where there may be nothing to add."""
        files: seal.Files = []  # of tries that came second too, as nothing else would state them
        for _ in range(_TRIES):
            with self.writing():
                log = delta.open_table(self.location, "commits")
                cut = self._cut(log)
                at = self._after(cut)
                frames = {table: frame for table, frame in prepare(cut, at).items() if len(frame)}
                if not (frames or empty):
                    return None
                rows = {table: len(frame) for table, frame in frames.items() if table in tables.TABLES}
                commit = Commit(max(log.version(), cut.seq) + 1, at, action, rows)
                frames = cut.people.coded(frames) if frames else frames
                written = self._land(log, commit, frames, cut, files)
            if written:
                for name, table in written.items():
                    delta.tidy(self.location, name, table)
                return commit
        raise BusyError(f"{self.location}: others were writing all the time. Nothing was recorded; try again.")

    def writing(self) -> AbstractContextManager[None]:
        """Take a turn at writing, where one machine keeps the store; elsewhere conditional writes decide."""
        return self.location.turn("commits") if self.location.folder else nullcontext()

    def _after(self, cut: Cut) -> datetime:
        """The time of the commit that comes next."""
        at, there = self.time()
        if cut.at is None or cut.at > there + _AHEAD:
            return at
        return max(at, cut.at + _TICK)

    def _land(
        self, log: DeltaTable, commit: Commit, frames: Mapping[str, pl.DataFrame], cut: Cut, files: seal.Files
    ) -> dict[str, DeltaTable]:
        """Write the rows, then the commit; gives the tables by name, none where somebody else was faster.

        ``files`` gets what is stated of the files of the rows.
        """
        commit_id = uuid4().hex
        opened = {table: delta.open_table(self.location, table) for table in frames}
        recorded = {table: _record(table, frame, commit_id) for table, frame in frames.items()}
        for name, table in opened.items():
            before = table.version()
            if not delta.append(table, recorded[name]):
                return {}
            files += seal.written(self.location, name, before, table.version())
        first = [] if cut.seq else seal.stated(self.location, MARK)
        # What stands in ``names`` may be erased; commitments in the other tables hold it.
        hashed = {table: frame for table, frame in recorded.items() if table != "names"}
        row = {
            "seq": commit.seq,
            "commit_id": commit_id,
            "committed_at": commit.at,
            "action": commit.action,
            "tables": list(hashed),
            "rows": [len(frame) for frame in hashed.values()],
            "row_hashes": [rows_hash(frame) for frame in hashed.values()],
            "files": [*first, *files],
            "previous": cut.sealed_head or cut.head,
            **concerned(recorded.values()),
        }
        added = pl.DataFrame([row], schema=COMMITS)
        if not delta.append_as_next(log, added):
            return {}
        with suppress(StoreError):  # the commit is there; the next writer makes up for it
            seal.seal(self.location, "commits", log.version(), added)
        return opened | {"commits": log}

    def compact(self) -> dict[str, int]:
        """Put small files together and remove those that nothing of the last seven days needs; every row stays.

        Returns:
            Number of files removed, by table.

        Raises:
            BusyError: Others are doing the same and did not finish in time.
        """
        from crowdvote_analysis.store.forgetting import erase

        removed = {}
        erase(self)  # what a program that was stopped has left
        for name in delta.names(self.location):
            delta.compact(self.location, name)
            removed[name] = delta.vacuum(self.location, name)
        return removed


def is_store(where: str | Path, options: Mapping[str, str] | None = None) -> bool:
    """Whether a store lies there."""
    location = Location.of(where, options)
    if location.folder is not None:
        return (location.folder / MARK).is_file()
    return _mark(location) is not None


def _mark(location: Location) -> bytes | None:
    """What marks a store; none where there is no store."""
    from obstore.exceptions import BaseError

    if location.folder is not None and not location.folder.is_dir():
        return None
    try:
        return bytes(location.files.get(MARK).bytes())
    except FileNotFoundError:
        return None
    except (BaseError, ValueError) as error:  # its text is not shown, as it may quote what was meant to be secret
        kind = type(error).__name__
        raise StoreError(f"{location}: cannot be reached ({kind}). Check the URL and the storage options.") from None


def put_mark(location: Location, secret: str) -> None:
    """Mark a store; one that somebody else has marked in the meantime keeps its secret."""
    from obstore.exceptions import AlreadyExistsError

    mark = {"what": "crowdvote store", "format": FORMAT, "secret": secret}
    with suppress(AlreadyExistsError):
        location.files.put(MARK, json.dumps(mark).encode(), mode="create")


def read_mark(location: Location) -> dict[str, Any]:
    """What a store says of itself: what, format, secret.

    Raises:
        StoreError: There is no store, or it does not say so in a way that can be read.
    """
    written = _mark(location)
    if written is None:
        if delta.is_table(location, "commits"):
            raise StoreError(f"{location}: {MARK} is missing, which makes it a store. Restore it from a backup.")
        raise StoreError(f"{location}: is no store. Make one with: crowdvote import FOLDER {location}")
    try:
        mark = parse_json(written)
    except ValueError:
        mark = None
    if not isinstance(mark, dict) or not isinstance(mark.get("secret"), str) or "format" not in mark:
        raise StoreError(f"{location}: {MARK} does not name format {FORMAT}, the one that this version reads.")
    return mark


def create_tables(location: Location) -> None:
    """Make the tables of a store, sealed; those that are there stay."""
    for table in (*tables.TABLES, "persons", "names"):
        delta.create(location, table, record_schema(table), quiet=table == "names")
    delta.create(location, "commits", COMMITS)
    for table in delta.names(location):  # whoever has begun this may have been stopped in between
        if not seal.exists(location, seal.seal_path(table, 0)):
            seal.seal(location, table, 0)


def _require_room(location: Location) -> None:
    """Make the folder; refuse one that holds other things, such as the tables somebody means to import."""
    folder = location.folder
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        others = [path.name for path in sorted(folder.iterdir()) if path.name not in _own_names()]
    except OSError as error:
        raise StoreError(f"{folder}: cannot be made ({reason(error)}).") from None
    if others:
        raise StoreError(f"{folder}: holds other files ({others[0]}). A store needs a folder of its own.")


def _own_names() -> set[str]:
    """What a store that was not finished may have left."""
    return {*tables.TABLES, "persons", "names", "commits", ".commits.lock"}


def concerned(frames: Iterable[pl.DataFrame]) -> dict[str, list[str] | None]:
    """Whom rows concern: the ids in them, sorted, by what they are of; none where they are more than ``MOST_NAMED``.

    Args:
        frames: Rows as a store holds them.

    Returns:
        communities, decisions and members.
    """
    found: dict[str, set[str]] = {kind: set() for kind in _IDS}
    for frame in frames:
        for kind, columns in _IDS.items():
            for column in set(columns) & set(frame.columns):
                found[kind] |= set(frame[column]) - {None}
    return {kind: sorted(ids) if len(ids) <= MOST_NAMED else None for kind, ids in found.items()}


_IDS = {
    "communities": ("community_id",),
    "decisions": ("decision_id",),
    "members": ("member_id", "follower_id", "followee_id", "person"),
}


def _record(table: str, frame: pl.DataFrame, commit_id: str) -> pl.DataFrame:
    """Rows as a store holds them."""
    schema = record_schema(table)
    for name, default in (("withdrawn", False), ("extra", None)):
        if name in schema and name not in frame.columns:
            frame = frame.with_columns(pl.lit(default, dtype=schema[name]).alias(name))
    frame = frame.with_columns(commit_id=pl.lit(commit_id)).select(schema.names()).cast(schema)
    if table in tables.TABLES and frame.select(pl.struct(tables.key(table)).is_duplicated().any()).item():
        raise ValueError(f"{table}: a key occurs twice in one commit")
    return frame
