"""Whether the tables of a store are what was written, file by file.

Everything is compared with everything: each file with what a commit or a seal states of it (see ``seal``); the log of
each table with the files it gives; the rows in them with the hashes in ``commits``; each commit with the hash that the
next one holds, and the last with its seal; each seal with itself; and the files that are there with those that are
stated. The files are listed first and what is stated of them is read afterwards, so that whoever writes meanwhile is
in nobody's way: what they add is not looked at, or is a note.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from crowdvote_analysis import tables
from crowdvote_analysis.errors import StoreError
from crowdvote_analysis.parquet import DAMAGE
from crowdvote_analysis.store import canonical, delta, seal
from crowdvote_analysis.store.canonical import sha256
from crowdvote_analysis.store.cut import COMMITS, record_schema
from crowdvote_analysis.store.people import PERSONS, commitment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from crowdvote_analysis.store.location import Location

TABLES = ("commits", *tables.TABLES, "persons", "names", "snapshot_events")

RESTORE = "Restore it from a backup."
_FILES = "Restore the files that are named from a backup."
LOOK = "Find out who put it there, and move it away."
NOTHING = "Nothing has to be done."

_ENTRY = re.compile(r"(\w+)/_delta_log/(\d{20})\.json")
_SUMMARY = re.compile(r"(\w+)/_delta_log/(\d{20})\.checkpoint\.parquet")
_SEAL = re.compile(r"(\w+)/_seal/(\d{20})\.json")
_DATA = re.compile(r"\w+/part-[^/]+\.parquet")
# What a writer leaves that is stopped in the middle of a file.
_UNFINISHED = re.compile(r"\w+/_delta_log/_commit_[^/]+\.tmp|.*#\d+")
# What takes turns go by; nothing stands in them.
_LOCK = re.compile(r"\.[\w-]+\.lock")


class Finding(NamedTuple):
    """Something that was found.

    Attributes:
        file: The path in the store, or the table.
        finding: ``missing``, ``altered``, ``extra`` (a file nobody states), ``contradiction`` (files that do not fit
            together), or ``note`` (nothing is wrong).
        meaning: What that means, in a sentence.
        way_out: What to do.
    """

    file: str
    finding: str
    meaning: str
    way_out: str


@dataclass
class Looked:
    """A store as far as it was looked at.

    Attributes:
        location: The store.
        deep: Whether data files and rows are read, not only the sizes of the files.
        files: The sizes of all files, by path.
        stated: What is stated, size and SHA-256, by path. Only the file that names the last summary of a log may have
            several, as it is written anew.
        replaced: Data files whose rows were written anew; they may be removed.
        removed: Those of them that were.
        seals: The seals that are as they were written, by table and version.
        commits: The rows of ``commits``, by seq.
        persons: The rows of ``persons``.
        logs: The bytes of the entries of logs that are stated and there.
        entries: What they say, by table and version.
        explained: Files that nobody states, and that are told of or explained.
        found: What was found.
    """

    location: Location
    deep: bool = True
    files: dict[str, int] = field(default_factory=dict)
    stated: defaultdict[str, set[tuple[int, str]]] = field(default_factory=lambda: defaultdict(set))
    replaced: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    seals: defaultdict[str, dict[int, dict[str, Any]]] = field(default_factory=lambda: defaultdict(dict))
    commits: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=COMMITS))
    persons: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=PERSONS))
    logs: dict[str, bytes] = field(default_factory=dict)
    entries: defaultdict[str, dict[int, seal.Entry]] = field(default_factory=lambda: defaultdict(dict))
    explained: set[str] = field(default_factory=set)
    found: list[Finding] = field(default_factory=list)

    def tell(self, file: str, finding: str, meaning: str, way_out: str = RESTORE) -> None:
        """Add a finding."""
        self.explained.add(file)
        self.found.append(Finding(file, finding, meaning, way_out))

    def state(self, files: seal.Files) -> None:
        """Add what is stated of files."""
        for file in files:
            self.stated[file["path"]].add((file["size"], file["sha256"]))

    def is_wrong(self, place: str) -> bool:
        """Whether something is wrong with a file, or with one in a folder."""
        wrong = [each.file for each in self.found if each.finding != "note"]
        return any(file == place or file.startswith(f"{place}/") for file in wrong)


def look(location: Location, progress: Callable[[int, int], None] | None = None, *, deep: bool = True) -> Looked:
    """Look at all tables of a store; the files of snapshots, and who else's there are, are left to the caller.

    Args:
        location: The store.
        progress: Called with (files read, files in all).
        deep: Whether data files and rows are read. Without, a changed data file of the same size is not seen.
    """
    looked = Looked(location, deep, list_files(location))
    _read_seals(looked)
    _read_commits(looked)
    _compare_files(looked, progress)
    for table in TABLES:
        _read_log(looked, table)
        _compare_table(looked, table)
    _follow_chain(looked)
    return looked


def list_files(location: Location) -> dict[str, int]:
    """The sizes of all files of a store, by path."""
    return {file["path"]: file["size"] for batch in location.files.list() for file in batch}


# --- what is stated ------------------------------------------------------------------------------------------------


def _read_seals(looked: Looked) -> None:
    for path in sorted(looked.files):
        name = _SEAL.fullmatch(path)
        if not name:
            continue
        looked.explained.add(path)
        try:
            document = seal.read_seal(seal.read_file(looked.location, path))
        except StoreError:
            document = None
        if document is None or (document["table"], document["version"]) != (name[1], int(name[2])):
            looked.tell(path, "altered", f"The seal of a version of {name[1]} is not as it was written.")
            continue
        looked.seals[name[1]][document["version"]] = document
        looked.state(document["files"])
        looked.replaced.update(document["replaced"])
        looked.removed.update(document.get("removed", ()))


def _read_commits(looked: Looked) -> None:
    """The commits that the log gives, and those in data files that it does not give any more."""
    try:
        opened = delta.open_table(looked.location, "commits")
        rows = delta.scan(opened, COMMITS, looked.location.options)
        given = delta.collected(looked.location, "commits", rows)
        lost = _sealed_commits(looked, delta.paths(opened, "commits")).join(given, on="commit_id", how="anti")
        for seq in lost["seq"].unique().sort():
            looked.tell("commits", "missing", f"Commit {seq:,} is not in the table any more; its log was changed.")
    except StoreError as error:
        looked.tell("commits", "altered", f"The table cannot be read: {error}", _FILES)
        given, lost = pl.DataFrame(schema=COMMITS), _sealed_commits(looked)
    looked.commits = pl.concat([given, lost.unique("commit_id")]).sort("seq", "commit_id")
    for files in looked.commits["files"].drop_nulls():
        looked.state(files.to_list())


def _sealed_commits(looked: Looked, read: Iterable[str] = ()) -> pl.DataFrame:
    """The rows of data files of ``commits`` as their seals state them, but for those that were replaced or are read."""
    said = {file["path"]: file["sha256"] for each in looked.seals["commits"].values() for file in each["files"]}
    frames = [pl.DataFrame(schema=COMMITS)]
    for path in sorted(said.keys() & looked.files.keys() - looked.replaced - set(read)):
        data = seal.read_file(looked.location, path) if _DATA.fullmatch(path) else b""
        if sha256(data) == said[path]:
            frames.append(pl.read_parquet(data).select(COMMITS.names()).cast(COMMITS))
    return pl.concat(frames)


# --- files ---------------------------------------------------------------------------------------------------------


def _compare_files(looked: Looked, progress: Callable[[int, int], None] | None) -> None:
    for done, path in enumerate(sorted(looked.stated), start=1):
        problem = _difference(looked, path)
        if problem is not None and problem[0] == "missing" and path in looked.replaced:
            if path not in looked.removed:
                anew = "Its rows were written anew in another file, so nothing is lost; who removed it is not recorded."
                looked.tell(path, "note", anew, NOTHING)
        elif problem is not None:
            looked.tell(path, problem[0], f"{problem[1]} {_meaning(path)}")
        if progress is not None:
            progress(done, len(looked.stated))


def _difference(looked: Looked, path: str) -> tuple[str, str] | None:
    """What is wrong with a file that is stated; none where nothing is."""
    said = looked.stated[path]
    sizes = {size for size, _ in said}
    if not looked.deep and _DATA.fullmatch(path) and path in looked.files:
        return None if looked.files[path] in sizes else _other_size(looked.files[path], sizes)
    try:
        data = seal.read_file(looked.location, path)
    except StoreError:
        return "missing", "The file is not there."
    if _ENTRY.fullmatch(path):
        looked.logs[path] = data
    if (len(data), sha256(data)) in said or _is_newer_pointer(looked, path, data):
        return None
    return (
        _other_size(len(data), sizes) if len(data) not in sizes else ("altered", "It holds other bytes than written.")
    )


def _other_size(size: int, sizes: set[int]) -> tuple[str, str]:
    return "altered", f"It has {size:,} bytes, and {' or '.join(f'{each:,}' for each in sorted(sizes))} were written."


def _is_newer_pointer(looked: Looked, path: str, data: bytes) -> bool:
    """Whether the file that names the last summary of a log names one of a writer that was stopped."""
    found = re.match(rb'\{"version":(\d+),', data)
    if found is None or path != seal.pointer_path(path.partition("/")[0]):
        return False
    summary = seal.log_path(path.partition("/")[0], int(found[1]), "checkpoint.parquet")
    return summary not in looked.stated and seal.exists(looked.location, summary)


def _meaning(path: str) -> str:
    table = path.partition("/")[0]
    if _ENTRY.fullmatch(path):
        return f"It is an entry of the log of {table}, which says which files belong to the table."
    if "/_delta_log/" in path:
        return f"It sums up the log of {table}; who opens the table may read other rows, or none."
    if path == "store.json":
        return "It holds the format of the store and the secret of its pseudonyms."
    return f"It holds rows of {table}."


# --- logs ----------------------------------------------------------------------------------------------------------


def _read_log(looked: Looked, table: str) -> None:
    """Read the entries of a log, and tell of versions that nobody states."""
    versions = sorted(int(name[2]) for name in map(_ENTRY.fullmatch, looked.files) if name and name[1] == table)
    for version in sorted(set(range(versions[-1] if versions else 0)) - set(versions)):
        path = seal.log_path(table, version)
        if path not in looked.stated:
            looked.tell(path, "missing", f"The file is not there. {_meaning(path)}")
    for version in versions:
        path = seal.log_path(table, version)
        try:
            entry = seal.read_entry(table, looked.logs.get(path) or seal.read_file(looked.location, path))
        except (StoreError, ValueError, KeyError, TypeError):
            if not looked.is_wrong(path):
                looked.tell(path, "altered", f"It is no entry of a log. {_meaning(path)}")
            continue
        looked.entries[table][version] = entry
        if version not in looked.seals[table] and (table in seal.SEALED or path not in looked.stated):
            _explain(looked, table, version, entry, is_last=version == versions[-1])


def _explain(looked: Looked, table: str, version: int, entry: seal.Entry, *, is_last: bool) -> None:
    """Tell of a version that nobody states: whose it is, by what it did."""
    path, sealed = seal.log_path(table, version), seal.seal_path(table, version)
    looked.explained.update([path, seal.log_path(table, version, "checkpoint.parquet"), *entry.added])
    if looked.is_wrong(sealed) or (sealed not in looked.files and seal.exists(looked.location, sealed)):
        return
    if version == 0 or (table in seal.SEALED and not is_last):
        looked.tell(sealed, "missing", f"The seal of a version of {table} is not there, and later ones are.")
    elif table in seal.SEALED:
        stopped = "its writer was stopped right behind it, or is about to write it"
        looked.tell(sealed, "note", f"The last version of {table} has no seal: {stopped}.", NOTHING)
    elif not entry.is_append:
        what = f"Files of {table} were put together or removed, and that was not recorded"
        looked.tell(sealed, "note", f"{what}; its rows are compared with the hashes of their commits.", NOTHING)
    elif _owners(looked, entry) & set(looked.commits["commit_id"]):
        looked.tell(path, "extra", f"It adds rows to {table} in the name of a commit that did not write them.", LOOK)
    else:
        left = "a writer that was stopped before its commit, or is about to make it"
        looked.tell(
            path, "note", f"It adds rows to {table} that belong to no commit and count for nothing: {left}.", NOTHING
        )


def _owners(looked: Looked, entry: seal.Entry) -> set[str]:
    """The commits in whose name a version adds rows, as far as its files can be read."""
    owners: set[str] = set()
    for path in entry.added:
        try:
            owners |= set(pl.read_parquet(seal.read_file(looked.location, path), columns=["commit_id"])["commit_id"])
        except (StoreError, *DAMAGE):
            if not looked.is_wrong(path):
                looked.tell(path, "note", "It is damaged; its rows belong to no commit and count for nothing.", NOTHING)
    return owners


# --- tables --------------------------------------------------------------------------------------------------------


def _compare_table(looked: Looked, table: str) -> None:
    """Hold the files that a table reads against its log, and its rows against the hashes of their commits."""
    if table == "snapshot_events" and not looked.entries[table] and not looked.seals[table]:
        return  # no snapshot was ever taken
    try:
        opened = delta.open_table(looked.location, table)
        is_newest = opened.version() == max(looked.entries[table], default=-1)  # else somebody has written since
        if is_newest:
            _compare_log(looked, table, set(delta.paths(opened, table)))
        if looked.deep and table in (*tables.TABLES, "persons", "names"):
            scanned = delta.scan(opened, record_schema(table), looked.location.options)
            rows = delta.collected(looked.location, table, scanned)
            if table == "names":
                _compare_names(looked, rows)
                return
            _compare_rows(looked, table, rows)
            if table == "persons":
                looked.persons = rows
        elif looked.deep and table != "commits":
            _compare_events(looked, table, delta.paths(opened, table), is_newest=is_newest)
    except StoreError as error:
        if not looked.is_wrong(table):
            looked.tell(table, "altered", f"The table cannot be read: {error}")


def _compare_log(looked: Looked, table: str, given: set[str]) -> None:
    if looked.is_wrong(f"{table}/_delta_log"):
        return
    expected: set[str] = set()
    for _, entry in sorted(looked.entries[table].items()):
        expected = (expected - set(entry.removed)) | set(entry.added)
    if expected != given:
        other = ", ".join(sorted(expected ^ given)[:3])
        looked.tell(
            f"{table}/_delta_log", "contradiction", f"The table reads other files than its log gives ({other})."
        )


def _compare_rows(looked: Looked, table: str, rows: pl.DataFrame) -> None:
    found = {
        str(key[0]): canonical.rows_hash(each) for key, each in rows.partition_by("commit_id", as_dict=True).items()
    }
    for seq, commit_id, names, hashes in looked.commits.select("seq", "commit_id", "tables", "row_hashes").iter_rows():
        said = dict(zip(names, hashes, strict=True)).get(table)
        if said != found.get(commit_id):
            what = "are not there" if commit_id not in found else "are others than were committed"
            what = "were added later" if said is None else what
            looked.tell(table, "contradiction", f"Rows of commit {seq:,} in {table} {what}.", _FILES)


def _compare_names(looked: Looked, names: pl.DataFrame) -> None:
    """Hold ids and names against the commitments that stand for them; what was forgotten on purpose is no loss."""
    landed = pl.col("commit_id").is_in(looked.commits["commit_id"].implode())
    names, persons = names.filter(landed), looked.persons.filter(landed)
    said = zip(*(names[name] for name in ("salt", "person", "text", "commitment")), strict=True)
    if wrong := sum(commitment(salt, person, text) != given for salt, person, text, given in said):
        looked.tell("names", "contradiction", f"{wrong:,} ids or names are others than were recorded.", _FILES)
    gone = persons.filter("withdrawn")["person"].implode()
    known = persons.filter(~pl.col("withdrawn"), ~pl.col("person").is_in(gone))
    if lost := len(known.join(names, on="commitment", how="anti")):
        what = f"The ids of {lost:,} people are not there, and nobody asked to be forgotten."
        looked.tell("names", "contradiction", what, _FILES)
    if left := len(names.filter(pl.col("person").is_in(gone))):
        what = f"{left:,} texts about people who were forgotten are not erased yet; nobody reads them."
        looked.tell("names", "note", what, "crowdvote compact erases them.")


def _compare_events(looked: Looked, table: str, paths: list[str], *, is_newest: bool) -> None:
    """Events belong to no commits: their hashes stand in the seals of the versions that added them."""
    if any(looked.is_wrong(path) for path in paths):
        return
    frames = [pl.read_parquet(seal.read_file(looked.location, path)) for path in paths]
    there = Counter(each for frame in frames for each in canonical.row_hashes(frame))
    said = Counter(each for document in looked.seals[table].values() for each in document.get("rows", ()))
    lacking, added = (said - there).total(), (there - said).total()
    is_sealed = looked.seals[table].keys() >= looked.entries[table].keys()
    if lacking or (added and is_sealed and is_newest):
        what = f"{lacking:,} are missing or were changed, {added:,} were added or are others"
        looked.tell(table, "contradiction", f"Events of snapshots are not those that were recorded: {what}.", _FILES)


def _follow_chain(looked: Looked) -> None:
    """Hold every commit against the hash that the next one has of it, and the last against its seal."""
    broken = seal.broken_links(looked.commits)
    for seq in broken:
        looked.tell("commits", "contradiction", f"Commit {seq:,} does not follow from the one before it.", _FILES)
    heads = {document["seq"]: document["head"] for document in looked.seals["commits"].values() if "seq" in document}
    hashes = dict(zip(looked.commits["seq"], canonical.row_hashes(looked.commits), strict=True))
    for seq in sorted(heads):
        if hashes.get(seq) != heads[seq]:
            what = "is not there" if seq not in hashes else "is another one"
            looked.tell("commits", "contradiction", f"Commit {seq:,} {what}: its seal says otherwise.", _FILES)


# --- what nobody states --------------------------------------------------------------------------------------------


def tell_of_strangers(looked: Looked, own: str = "") -> None:
    """Tell of files that nobody states.

    Args:
        looked: The store.
        own: Files whose paths begin so were looked at by somebody else.
    """
    logged = {path for entries in looked.entries.values() for entry in entries.values() for path in entry.added}
    known = looked.stated.keys() | looked.explained | looked.replaced | logged
    for path in sorted(looked.files.keys() - known):
        if (own and path.startswith(own)) or _LOCK.fullmatch(path) or path in ("store.json", "clock"):
            continue
        table = path.partition("/")[0]
        left = "A writer that was stopped or came second left it, or somebody is writing now; nobody reads it."
        if _UNFINISHED.fullmatch(path) or (table in TABLES and _DATA.fullmatch(path)):
            looked.tell(path, "note", left, NOTHING)
        elif path == seal.pointer_path(table) or (_SUMMARY.fullmatch(path) and table in TABLES):
            looked.tell(
                path, "note", f"It sums up the log of {table}, and its writer was stopped right behind it.", NOTHING
            )
        else:
            looked.tell(path, "extra", "No commit, no seal and no snapshot states this file.", LOOK)
