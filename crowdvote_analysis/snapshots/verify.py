"""Whether a snapshot is what it was, and whether a recount gives the same, bit for bit (S2, S7).

A chain is followed: the event of every step names the SHA-256 of the JSON document it wrote; the document names the
SHA-256 of every table; the tables give the content hash; the history of the store gives the same tables; and counting
the tables again gives the same result. A changed byte anywhere breaks a link, and the link says where.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from crowdvote_analysis import tables
from crowdvote_analysis.documents import parse_json
from crowdvote_analysis.errors import CrowdVoteError, InvalidTableError
from crowdvote_analysis.loop_rules import numbered
from crowdvote_analysis.privacy import public_names
from crowdvote_analysis.snapshots.calculation import (
    RESULTS,
    STAGED,
    Result,
    listed_choices,
    public_result_hash,
    resolve_snapshot,
    staged_tables,
    tallied,
)
from crowdvote_analysis.snapshots.events import find_snapshot
from crowdvote_analysis.snapshots.inputs import TABLES, Inputs, is_closed, named, public_hash, state_of, thaw_inputs
from crowdvote_analysis.snapshots.objects import (
    Frozen,
    content_of,
    file_of,
    json_bytes,
    listing_hash,
    read_bytes,
    sha256,
    thaw,
)
from crowdvote_analysis.snapshots.reading import read_people
from crowdvote_analysis.store.closing import closing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crowdvote_analysis.state import SystemState
    from crowdvote_analysis.store.people import People
    from crowdvote_analysis.store.store import Store

_HASHES = {"content_hash": "inputs", "public_hash": "inputs", "result_hash": "result", "public_result_hash": "result"}
# What has to be there once a snapshot has a status; of others as much as there is.
_NEEDED = {
    "ready": ("inputs",),
    "staging": ("inputs",),
    "tallying": ("inputs", "staged"),
    "completed": ("inputs", "staged", "result"),
}

# By so much a clock may be behind that of whoever took a snapshot.
_AHEAD = timedelta(minutes=1)


class Check(NamedTuple):
    """One thing that was looked at.

    Attributes:
        check: ``file``, ``events``, ``hash``, ``history`` or ``recount``.
        what: The file, table or hash.
        ok: Whether it is as it was.
        detail: What is wrong; empty where nothing is.
    """

    check: str
    what: str
    ok: bool
    detail: str = ""


@dataclass
class Opened:
    """A snapshot as far as it could be read, and what was found on the way.

    Attributes:
        row: What the events say of it; see ``list_snapshots``.
        store: The store it is in.
        public: Whether the hashes under public ids are worked out.
        checks: What was looked at.
        files: The SHA-256 of the files of its tables.
        tables: What the documents say of its tables.
        inputs: What it has frozen; none where that cannot be read.
        state: The frozen tables, as they are counted: people under tokens; none where that cannot be read.
        result: What came out of it; none where there is no result, or it cannot be read.
    """

    row: Mapping[str, Any]
    store: Store
    public: bool = True
    checks: list[Check] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    tables: dict[str, Any] = field(default_factory=dict)
    inputs: Inputs | None = None
    state: SystemState | None = None
    result: Result | None = None

    @cached_property
    def people(self) -> People:
        """Who is behind the tokens; the inputs must have been read."""
        assert self.inputs is not None
        return read_people(self.store, self.inputs)

    @cached_property
    def shown(self) -> SystemState:
        """The frozen tables under real ids and names; they must have been read."""
        assert self.inputs is not None
        assert self.state is not None
        return named(self.store.location, self.inputs, self.state, self.people)

    @cached_property
    def shown_result(self) -> Result:
        """The result under real ids; it must have been read."""
        assert self.inputs is not None
        assert self.result is not None
        return self.result.exchanged(self.people.named_results) if self.inputs.coded else self.result

    @cached_property
    def forgotten(self) -> int:
        """How many of its members were forgotten since: their names are in no table any more."""
        assert self.state is not None
        return int(self.state.members["member_id"].is_in(self.people.gone.implode()).sum())

    @property
    def problems(self) -> list[str]:
        """What is wrong, one sentence each."""
        return [f"{check.what}: {check.detail}" for check in self.checks if not check.ok]


@dataclass(frozen=True)
class Verification:
    """What ``verify_snapshot`` found.

    Attributes:
        snapshot_id: The snapshot.
        checks: check, what, ok, detail; one row for everything that was looked at.
        certified: Whether there is a result and all is as it was.
    """

    snapshot_id: str
    checks: pl.DataFrame
    certified: bool


Cache = dict[str, pl.DataFrame]


def verify_snapshot(store: Store, name: str, progress: Callable[[int, int], None] | None = None) -> Verification:
    """Check every file and hash of a snapshot, hold it against the history of the store, and count it again.

    Nothing is written: whoever may read the store may verify it.

    Args:
        store: The store.
        name: The snapshot: its id, the first letters of it, or ``latest``.
        progress: Called with (ballots done, ballots in all).

    Raises:
        UnknownSnapshotError: There is no such snapshot.
    """
    found = open_snapshot(store, find_snapshot(store, name))
    status = found.row["status"]
    found.checks.append(
        Check("events", "status", status == "completed", "" if status == "completed" else f"is {status}")
    )
    if found.inputs is not None and found.state is not None:
        found.checks.append(history(store, found.inputs))
        if found.result is not None:
            counted = recount(found.state, found.inputs, progress)
            found.checks += compare(found, counted)
    checks = pl.DataFrame(found.checks, schema=["check", "what", "ok", "detail"], orient="row")
    certified = found.result is not None and not found.problems
    return Verification(found.row["snapshot_id"], checks, certified)


def open_snapshot(store: Store, row: Mapping[str, Any], cache: Cache | None = None, *, public: bool = True) -> Opened:
    """Read a snapshot, checking every byte of it.

    Args:
        store: The store.
        row: What its events say; see ``list_snapshots``.
        cache: Tables that were read and checked before, by the SHA-256 of their file; it is added to.
        public: Also work out the hashes of the tables under public ids; else only hold them against the events.
    """
    found = Opened(row, store, public)
    cache = {} if cache is None else cache
    for name, opening in (("inputs", _open_inputs), ("staged", _open_staged), ("result", _open_result)):
        path = file_of(row["snapshot_id"], name)
        try:
            said = row[f"{name}_file"]
            document = None if said is None else _document(store, path, said, found.checks)
            if document is not None:
                opening(store, found, document, cache)
            elif said is None and name in _NEEDED.get(row["status"], ()):
                found.checks.append(Check("events", path, False, "the event that names it is missing"))
        except Exception as error:  # whatever somebody has written there must not stop whoever looks at it
            found.checks.append(Check("file", path, False, f"cannot be understood ({type(error).__name__})"))
    return found


def recount(state: SystemState, inputs: Inputs, progress: Callable[[int, int], None] | None = None) -> Result:
    """Count frozen tables again, in full."""
    staged = staged_tables(resolve_snapshot(state, inputs.options, progress), inputs.options)
    return tallied(staged, listed_choices(state), inputs.options)


def compare(found: Opened, counted: Result) -> list[Check]:
    """Hold a recount against what is stored, table by table; members are told by public ids (P1)."""
    stored, checks = found.result, []
    assert stored is not None
    for name in RESULTS:
        same = stored.tables[name].equals(counted.tables[name], null_equal=True)
        checks.append(Check("recount", name, same, "" if same else _difference(found, name, counted)))
    same = json_bytes(stored.tally) == json_bytes(counted.tally)
    keys = [key for key in counted.tally if json.dumps(stored.tally.get(key)) != json.dumps(counted.tally[key])]
    return [*checks, Check("recount", "tally", same, "" if same else f"differs in {', '.join(keys) or 'its form'}")]


# --- links of the chain --------------------------------------------------------------------------------------------


def _document(store: Store, path: str, said: str, checks: list[Check]) -> dict[str, Any] | None:
    detail, document = "", None
    try:
        data = read_bytes(store.location, path)
        if sha256(data) != said:
            detail = "holds other bytes than were written"
        else:
            document = parse_json(data)
    except FileNotFoundError:
        detail = "is missing"
    checks.append(Check("file", path, not detail, detail))
    return document


def _open_inputs(store: Store, found: Opened, document: Mapping[str, Any], cache: Cache) -> None:
    found.inputs = inputs = Inputs.of(document)
    found.tables.update(document["tables"])
    _facts(found, "inputs", inputs.facts())
    frames = _tables(store, found, document["tables"], TABLES, cache)
    if len(frames) < len(TABLES):
        return
    listed = {f"{name}.csv": inputs.tables[name].content for name in TABLES}
    _hash(found, "content_hash", inputs.content_hash, listing_hash(listed))
    try:
        found.state = state_of(frames, store.location.secret)
    except InvalidTableError as error:
        found.checks.append(Check("hash", "inputs", False, f"the tables do not fit together ({error.counts})"))
        return
    public = public_hash(inputs, found.shown) if found.public and not found.forgotten else inputs.public_hash
    _hash(found, "public_hash", inputs.public_hash, public)
    _of_the_decision(store, found, inputs, found.state)


def _of_the_decision(store: Store, found: Opened, inputs: Inputs, state: SystemState) -> None:
    """Whether what the inputs say of themselves is what their tables say."""
    said = {
        "decision_id": (state.decisions["decision_id"].to_list(), [inputs.decision_id]),
        "community_id": (state.communities["community_id"].to_list(), [inputs.community_id]),
        "is_final": (is_closed(state.decisions.row(0, named=True), inputs.timestamp), inputs.is_final),
        "timestamp": (inputs.timestamp > store.clock() + _AHEAD, False),
    }
    rule = numbered(inputs.options.cycles or state.communities["cycle_rule"].item())
    if found.row["cycle_rule"] is not None:
        said["cycle_rule"] = (rule, found.row["cycle_rule"])
    other = [name for name, (one, another) in said.items() if one != another]
    detail = f"the frozen tables say otherwise in {', '.join(other)}" if other else ""
    found.checks.append(Check("events", "decision", not other, detail))


def _open_staged(store: Store, found: Opened, document: Mapping[str, Any], cache: Cache) -> None:
    found.tables.update(document["tables"])
    _tables(store, found, document["tables"], STAGED, cache)


def _open_result(store: Store, found: Opened, document: Mapping[str, Any], cache: Cache) -> None:
    frames = _tables(store, found, document["tables"], RESULTS, cache)
    if len(frames) < len(RESULTS):
        return
    found.result = Result(frames, document["tally"])
    _facts(found, "result", found.result.facts())
    contents = {f"{name}.csv": document["tables"][name]["content"] for name in RESULTS}
    contents["tally.json"] = sha256(json_bytes(document["tally"]))
    _hash(found, "result_hash", document["result_hash"], listing_hash(contents))
    public = document["public_result_hash"]
    if found.inputs is not None and found.state is not None and found.public and not found.forgotten:
        public = public_result_hash(found.inputs, found.shown, found.shown_result)
    _hash(found, "public_result_hash", document["public_result_hash"], public)
    of = (document["snapshot_id"], document["content_hash"])
    if found.inputs is not None and of != (found.inputs.snapshot_id, found.inputs.content_hash):
        found.checks.append(Check("hash", "result", False, "is the result of other inputs"))
    if any(found.tables.get(name) != document["tables"][name] for name in STAGED):
        found.checks.append(Check("hash", "result", False, "is not of the ballots that were staged"))


def _tables(
    store: Store, found: Opened, described: Mapping[str, Any], names: tuple[str, ...], cache: Cache
) -> dict[str, pl.DataFrame]:
    """The tables that could be read; every one of them is checked."""
    frames = {}
    for name in names:
        if name not in described:
            found.checks.append(Check("file", name, False, "the table is missing"))
            continue
        frozen = Frozen(**described[name])
        found.files.append(frozen.file)
        if frozen.file not in cache:
            frame, problem = thaw(store.location, frozen)
            if frame is not None and content_of(frame) != frozen.content:
                frame, problem = None, f"{frozen.path}: has another content hash than was written"
            found.checks.append(Check("file", f"{name} ({frozen.path})", problem is None, problem or ""))
            if frame is None:
                continue
            cache[frozen.file] = frame
        frames[name] = cache[frozen.file]
    return frames


def _facts(found: Opened, name: str, facts: Mapping[str, Any]) -> None:
    """Whether the events say what the frozen tables say."""
    other = [fact for fact, value in facts.items() if found.row[fact] != value and not fact.endswith("hash")]
    detail = f"the events say otherwise in {', '.join(other)}" if other else ""
    found.checks.append(Check("events", name, not other, detail))


def _hash(found: Opened, name: str, written: str, computed: str) -> None:
    """Compare what was written, what the events say, and what comes out now."""
    detail = ""
    if found.row[name] is not None and found.row[name] != written:
        detail = f"the events say another one than {_HASHES[name]}.json"
    elif computed != written:
        detail = f"the tables give another one than {_HASHES[name]}.json says"
    found.checks.append(Check("hash", name, not detail, detail))


def history(store: Store, inputs: Inputs) -> Check:
    """Whether the tables of the store, as they stood at the last commit in the snapshot, are what was frozen."""
    what = f"commits up to {inputs.seq:,}"
    try:
        last = store.cut(as_of=inputs.timestamp).seq
        if last != inputs.seq and not _at_its_own_time(store, inputs):
            return Check("history", what, False, f"at its instant the last commit of the store was {last:,}")
        cut, options = replace(store.cut(seq=inputs.seq), coded=inputs.coded), inputs.options
        other = _other_tables(inputs, cut.state(inputs.decision_id, voting_time=options.voting_time))
        if other:  # before tags were brought to one form (T5), they were frozen as they were recorded
            before = cut.state(inputs.decision_id, voting_time=options.voting_time, as_recorded=True)
            other = _other_tables(inputs, before)
        if other and not inputs.coded and len(cut.people.gone):
            other = _other_of_those_who_are_known(thaw_inputs(store.location, inputs), before, cut.people)
    except CrowdVoteError as error:
        return Check("history", what, False, str(error))
    detail = f"the store has other rows in {', '.join(other)} than were frozen" if other else ""
    return Check("history", what, not other, detail)


def _at_its_own_time(store: Store, inputs: Inputs) -> bool:
    """Whether the instant is that of the last commit as its writer's clock had it, or of the end of the decision.

    Commits that come later in the order of the store may have earlier times where a clock was ahead.
    """
    if store.cut(seq=inputs.seq).at == inputs.timestamp:
        return True
    end = closing(store, store.cut(), inputs.decision_id, store.clock()) if inputs.is_final else None
    return end is not None and (end.at, end.seq) == (inputs.timestamp, inputs.seq)


def _other_tables(inputs: Inputs, state: SystemState) -> list[str]:
    """The tables of which a state has other rows than were frozen."""
    contents = {name: content_of(getattr(state, name).sort(tables.key(name))) for name in TABLES}
    return [name for name in TABLES if contents[name] != inputs.tables[name].content]


def _other_of_those_who_are_known(frozen: SystemState, state: SystemState, people: People) -> list[str]:
    """As ``_other_tables`` for a snapshot that has frozen names, without the rows of whoever was forgotten since."""
    known = people.ids.filter(~pl.col("person").is_in(people.gone.implode()))["member_id"].implode()

    def rows(tables_of: SystemState, name: str) -> pl.DataFrame:
        frame: pl.DataFrame = getattr(tables_of, name)
        of_known = [pl.col(column).is_in(known) for column in tables.people(name)]
        return frame.filter(pl.lit(value=True), *of_known).sort(tables.key(name))

    return [name for name in TABLES if not rows(frozen, name).equals(rows(state, name), null_equal=True)]


def _difference(found: Opened, name: str, counted: Result) -> str:
    """How many rows differ, and where the first of them is."""
    assert found.result is not None
    assert found.inputs is not None
    one, other = found.result.tables[name], counted.tables[name]
    if one.schema != other.schema:
        return "has other columns"
    key = [column for column in ("member_id", "follower_id", "followee_id", "choice_id") if column in one.columns]
    pairs = ((one, other), (other, one))
    differing = pl.concat([left.join(right, on=left.columns, how="anti", nulls_equal=True) for left, right in pairs])
    if differing.is_empty():
        return "has the same rows in another order or number"
    if found.inputs.coded:
        differing = found.people.named_results(differing)
    names = dict(public_names(found.shown).select("member_id", "public_id").iter_rows())
    first = differing.sort(key).select(key).row(0, named=True) if key else {}
    where = ", ".join(f"{column} '{names.get(value, value)}'" for column, value in first.items())
    rows = differing.select(key).n_unique() if key else len(one)
    return f"{rows:,} row{'s' if rows > 1 else ''} differ{'' if rows > 1 else 's'}" + (
        f" (first: {where})" if where else ""
    )
