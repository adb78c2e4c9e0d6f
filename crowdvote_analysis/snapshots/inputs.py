"""What a snapshot freezes before anything is calculated: the tables of one decision at one instant (S1)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from crowdvote_analysis import tables
from crowdvote_analysis.errors import CorruptedSnapshotError, SnapshotError, UnknownDecisionError
from crowdvote_analysis.loop_rules import numbered
from crowdvote_analysis.published import input_tables
from crowdvote_analysis.snapshots.objects import (
    Frozen,
    content_of,
    file_of,
    freeze,
    json_bytes,
    listing_hash,
    sha256,
    thaw,
    write_json,
)
from crowdvote_analysis.state import SystemState
from crowdvote_analysis.store.closing import OVER
from crowdvote_analysis.store.people import tokens_unsaid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import polars as pl

    from crowdvote_analysis.store.cut import Cut
    from crowdvote_analysis.store.location import Location
    from crowdvote_analysis.store.people import People

TABLES = ("communities", "members", "followings", "decisions", "choices", "ballots", "votes")
# The file of an export that says what the others are of.
HEAD = "snapshot.json"


@dataclass(frozen=True)
class Options:
    """How a snapshot is to be counted.

    Attributes:
        cycles: The rule for loops, ``auto`` with its number (Y6), ``path`` (Y1) or ``equilibrium`` (Y4); none for that
            of the community.
        protocol: Name of the tie protocol (K3).
        tie_order: The order that the community manager gave for ties, best first (K7).
        work_limit: Steps the rule ``path`` may take for all loops (Y3).
        voting_time: Whether only ballots cast in time count (D12); not in snapshots from before that rule.
    """

    cycles: str | None
    protocol: str
    tie_order: tuple[str, ...]
    work_limit: int
    voting_time: bool = True

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Options:
        """The options that a JSON document holds."""
        return cls(**{"voting_time": False, **document, "tie_order": tuple(document["tie_order"])})

    def to_dict(self) -> dict[str, Any]:
        """The options as a JSON document holds them; older ones say nothing of what did not exist then."""
        return {name: value for name, value in asdict(self).items() if name != "voting_time" or value}


@dataclass(frozen=True)
class Inputs:
    """The frozen tables of a snapshot and what they are of.

    Attributes:
        snapshot_id: The snapshot.
        community_id: The community.
        decision_id: The decision.
        timestamp: The instant (UTC).
        seq: Number of the last commit that is in it.
        is_final: Whether the decision was closed at that instant (S3).
        trigger: Why it was taken.
        supersedes: Id of the snapshot in whose place it was taken.
        options: How it is counted.
        engine: Version of the package that froze it.
        tables: What was frozen, by table.
        content_hash: One hash of all tables: of what ``sha256sum`` prints for them as CSV files. It is not for
            publication where members are anonymous, since it would confirm a name that somebody guesses (P1).
        public_hash: The same for the tables under public ids and names and for ``snapshot.json``, as they are exported.
        coded: Whether people stand in what is frozen under tokens (see ``store.people``); in older snapshots under ids.
    """

    snapshot_id: str
    community_id: str
    decision_id: str
    timestamp: datetime
    seq: int
    is_final: bool
    trigger: str
    supersedes: str | None
    options: Options
    engine: str
    tables: Mapping[str, Frozen]
    content_hash: str
    public_hash: str
    coded: bool = False

    def facts(self) -> dict[str, Any]:
        """What the events say of it."""
        known = ("snapshot_id", "community_id", "decision_id", "timestamp", "seq", "is_final", "trigger", "supersedes")
        hashes = ("content_hash", "public_hash", "engine")
        options = json.dumps(self.options.to_dict(), ensure_ascii=False)
        facts = {name: getattr(self, name) for name in (*known, *hashes)}
        return facts | {"options": options, "protocol": self.options.protocol}

    def head(self) -> dict[str, Any]:
        """The document ``snapshot.json`` of an export: what the tables are of, and how they are counted."""
        names = ("snapshot_id", "community_id", "decision_id", "is_final", "trigger", "supersedes", "engine")
        return {name: getattr(self, name) for name in names} | {
            "timestamp": self.timestamp.isoformat(),
            "commit": self.seq,
            "options": self.options.to_dict(),
        }

    def to_dict(self) -> dict[str, Any]:
        """The JSON document ``inputs.json``."""
        said = asdict(self)
        if not self.coded:
            del said["coded"]
        return said | {
            "what": "inputs of a crowdvote snapshot",
            "timestamp": self.timestamp.isoformat(),
            "options": self.options.to_dict(),
            "tables": {name: frozen._asdict() for name, frozen in self.tables.items()},
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Inputs:
        """The inputs that a JSON document describes."""
        from crowdvote_analysis.snapshots.events import instant

        known = {name: document[name] for name in cls.__dataclass_fields__ if name in document}
        return cls(
            **known
            | {
                "timestamp": instant(document["timestamp"]),
                "options": Options.of(document["options"]),
                "tables": {name: Frozen(**frozen) for name, frozen in document["tables"].items()},
            }
        )


def rule_to_freeze(state: SystemState, cycles: str | None) -> str | None:
    """The rule for loops that a snapshot records, so that it is counted by no other later (Y6).

    Args:
        state: What is frozen.
        cycles: The rule that was asked for; by default that of the decision.

    Returns:
        The rule, ``auto`` with its number; none where the frozen community says it.
    """
    community = state.communities["cycle_rule"].item()
    own = state.loop_rules.get(state.decisions["decision_id"].item(), community)
    rule = numbered(cycles or own)
    return None if cycles is None and rule == community else rule


def decision_of(cut: Cut, decision_id: str) -> dict[str, Any]:
    """The row of a decision that is counted with stars.

    Raises:
        UnknownDecisionError: There is none, it is a draft, or it is voted on with yes and no.
    """
    found = cut.rows("decisions", decision_id=decision_id)
    if found.is_empty():
        raise UnknownDecisionError(f"decision '{decision_id}' is not in the store at that instant.")
    row = found.row(0, named=True)
    if row["status"] == "draft":
        raise UnknownDecisionError(
            f"decision '{decision_id}' is a draft, and drafts are not counted (S10). Publish it first: "
            f"crowdvote record publish STORE -d {decision_id}"
        )
    if row["method"] != "star":
        raise UnknownDecisionError(
            f"decision '{decision_id}' is voted on with yes and no. Every vote of it is kept with its time, so that "
            "crowdvote decide outcome --at TIME gives its outcome at any instant; snapshots are of counts with stars."
        )
    return row


def is_closed(decision: Mapping[str, Any], at: datetime) -> bool:
    """Whether a decision is over at an instant (S3)."""
    over = decision["closes_at"] is not None and decision["closes_at"] <= at
    return bool(over or decision["status"] in OVER)


def freeze_inputs(
    location: Location,
    state: SystemState,
    people: People,
    snapshot_id: str,
    decision_id: str,
    *,
    timestamp: datetime,
    seq: int,
    is_final: bool,
    trigger: str,
    supersedes: str | None,
    options: Options,
    engine: str,
) -> tuple[Inputs, str]:
    """Freeze the tables of one decision.

    Args:
        location: The store.
        state: Its tables, as far as they are about the decision, people under tokens; see ``Cut.state``.
        people: Who they are, as ``people_of`` gives them.
        snapshot_id: The snapshot.
        decision_id: The decision.
        timestamp: The instant.
        seq: Number of the last commit that is in the state.
        is_final: Whether the decision was closed then.
        trigger: Why it is taken.
        supersedes: Id of the snapshot in whose place it is taken.
        options: How it is counted.
        engine: Version of the package.

    Returns:
        The inputs, and the SHA-256 of the file that describes them.

    Raises:
        SnapshotError: The community has no members (S7).
    """
    if state.members.is_empty():
        raise SnapshotError(f"decision '{decision_id}': its community has no members, so nothing can be counted (S7).")
    frozen = {table: freeze(location, getattr(state, table).sort(tables.key(table))) for table in TABLES}
    inputs = Inputs(
        snapshot_id=snapshot_id,
        community_id=state.decisions["community_id"].item(),
        decision_id=decision_id,
        timestamp=timestamp,
        seq=seq,
        is_final=is_final,
        trigger=trigger,
        supersedes=supersedes,
        options=options,
        engine=engine,
        tables=frozen,
        content_hash=listing_hash({f"{table}.csv": frozen[table].content for table in TABLES}),
        public_hash="",
        coded=True,
    )
    inputs = replace(inputs, public_hash=public_hash(inputs, named(location, inputs, state, people)))
    return inputs, write_json(location, file_of(snapshot_id, "inputs"), inputs.to_dict())


def public_inputs(state: SystemState) -> dict[str, pl.DataFrame]:
    """The frozen tables under public ids and names (P1)."""
    shown = input_tables(state)
    return {table: shown[table] for table in TABLES}


def public_hash(inputs: Inputs, state: SystemState) -> str:
    """One hash of the tables as they may be published, and of what they are of; see ``Inputs``."""
    contents = {f"{table}.csv": content_of(frame) for table, frame in public_inputs(state).items()}
    return listing_hash({**contents, HEAD: sha256(json_bytes(inputs.head()))})


def thaw_inputs(location: Location, inputs: Inputs) -> SystemState:
    """The frozen tables of a snapshot, as they are counted; ``named`` says who people are.

    Raises:
        CorruptedSnapshotError: A file is not what it was.
    """
    frames, problems = {}, []
    for table in TABLES:
        frame, problem = thaw(location, inputs.tables[table])
        if problem is not None:
            problems.append(f"{table}: {problem}")
        else:
            frames[table] = frame
    if problems:
        raise CorruptedSnapshotError(inputs.snapshot_id, problems)
    return state_of(frames, location.secret)


def secret_of(location: Location, snapshot_id: str) -> str:
    """What the pseudonyms of a snapshot depend on: of this one alone, so that nothing links them to another (P1)."""
    return sha256(f"{location.secret} {snapshot_id}".encode())


def people_of(people: People, cut: Cut, snapshot_id: str, community_id: str) -> People:
    """Who is behind the tokens of a snapshot; who had left while anonymous has a pseudonym of this snapshot.

    Args:
        people: Who is behind tokens now.
        cut: The commits that are in the snapshot, people under tokens.
        snapshot_id: The snapshot.
        community_id: Its community.
    """
    former = cut.former.filter(community_id=community_id)["member_id"]
    return people.with_former(former, secret_of(cut.location, snapshot_id))


def named(location: Location, inputs: Inputs, state: SystemState, people: People) -> SystemState:
    """The tables of a snapshot with ids and names of people, as they are shown.

    Pseudonyms are those of the snapshot alone: nothing about them says who is who in another one (P1).
    """
    if not inputs.coded:
        return state
    return people.named_state(state)._with(secret=secret_of(location, inputs.snapshot_id))


def state_of(frames: Mapping[str, pl.DataFrame | None], secret: str) -> SystemState:
    """A state from frozen tables; nobody is asked to vote yes or no in it."""
    nobody = {table: tables.empty(table) for table in ("required_voters", "yes_no_votes")}
    with tokens_unsaid():
        return SystemState.frozen({**frames, **nobody})._with(secret=secret)
