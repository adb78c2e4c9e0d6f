"""The tables of a store at one commit: a consistent cut, whatever is written meanwhile.

Every row carries the commit it belongs to, and a commit is there once the table ``commits`` has its row, which is
written last. So a reader who takes the list of commits first finds all rows of every commit listed, in every table,
and passes over those of commits that came later or were never finished.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis import tables
from crowdvote_analysis.errors import StoreError
from crowdvote_analysis.state import SystemState
from crowdvote_analysis.store import canonical, delta, seal
from crowdvote_analysis.store.at_close import as_at_close
from crowdvote_analysis.store.loop_rule import rules_of
from crowdvote_analysis.store.people import NAMES, PERSONS, People, tokens_unsaid
from crowdvote_analysis.tables import UTC
from crowdvote_analysis.tags import in_one_form

if TYPE_CHECKING:
    from datetime import datetime

    from deltalake import DeltaTable

    from crowdvote_analysis.store.location import Location

# The last three say which communities, decisions and members the rows of the commit name; null where they are too many.
COMMITS = pl.Schema(
    {
        "seq": pl.Int64(),
        "commit_id": pl.String(),
        "committed_at": UTC,
        "action": pl.String(),
        "tables": pl.List(pl.String()),
        "rows": pl.List(pl.Int64()),
        "row_hashes": pl.List(pl.String()),
        "files": seal.FILES,
        "previous": pl.String(),
        "communities": pl.List(pl.String()),
        "decisions": pl.List(pl.String()),
        "members": pl.List(pl.String()),
    }
)
# What every reader looks at; the rest grows with the files there are.
LISTED = ("seq", "commit_id", "committed_at", "action", "tables", "rows")
# What the rows of a store carry beside the columns of their table.
RECORD = pl.Schema({"withdrawn": pl.Boolean(), "extra": pl.String(), "commit_id": pl.String()})

# The action of a commit whose rows come from elsewhere, with their own times.
IMPORT = "import"

_TAGGED = ("followings", "ballots", "yes_no_votes")
# So often the names are read, where somebody is forgotten in the meantime and their files are gone.
_READS = 3


def record_schema(table: str) -> pl.Schema:
    """The columns of a table as a store holds them."""
    if table == "persons":
        return PERSONS
    if table == "names":
        return NAMES
    return pl.Schema({**{name: column.dtype for name, column in tables.columns(table).items()}, **RECORD})


@dataclass(frozen=True, eq=False)
class Cut:
    """All commits up to one of them.

    Attributes:
        location: The store.
        commits: Their rows: seq, commit_id, committed_at, action, tables and rows (how many rows in which table), by
            seq. ``seq`` grows with every commit, not always by one.
        sealed_head: The hash of the last commit of the store as its seal says; none where that is missing, or where the
            cut ends before it.
        coded: Whether people stand as in the files, under tokens, and their names as commitments (see ``people``):
            as hashes and frozen tables need them.
    """

    location: Location
    commits: pl.DataFrame
    sealed_head: str | None = None
    _opened: dict[str, DeltaTable] = field(default_factory=dict, repr=False)
    coded: bool = False
    _landed: pl.DataFrame | None = field(default=None, repr=False)

    @property
    def seq(self) -> int:
        """Number of the last commit; 0 before the first."""
        return int(self.commits["seq"][-1]) if len(self.commits) else 0

    @cached_property
    def stored(self) -> pl.DataFrame:
        """The rows of the commits as they lie in the store, with the times of their writers; ``COMMITS``, by seq."""
        rows = delta.scan(self._opened["commits"], COMMITS, self.location.options)
        return self._collected("commits", rows.filter(pl.col("seq") <= self.seq).sort("seq"))

    @property
    def head(self) -> str | None:
        """The hash of the last commit, which follows from all before it; none before the first."""
        return canonical.row_hash(self.stored.row(-1, named=True)) if len(self.stored) else None

    @property
    def at(self) -> datetime | None:
        """When the last commit was made; none before the first."""
        return self.commits["committed_at"][-1] if len(self.commits) else None

    def history(self, table: str) -> pl.LazyFrame:
        """All rows of a table, those that were superseded too.

        Returns:
            The columns of the table, withdrawn (Boolean: whether the row takes its key back), extra (columns that the
            table does not have, as JSON text), seq, committed_at and action. In no order.
        """
        rows = self._rows(table)
        return rows if self.coded else self.people.named(table, rows)

    def _rows(self, table: str) -> pl.LazyFrame:
        """The rows as they are in the files."""
        if table not in self._opened:  # after the commits were listed, so that their rows are there
            self._opened[table] = delta.open_table(self.location, table)
        rows = delta.scan(self._opened[table], record_schema(table), self.location.options)
        commits = self.commits.lazy().select("commit_id", "seq", "committed_at", "action")
        return rows.join(commits, on="commit_id")

    @cached_property
    def people(self) -> People:
        """Who is behind the tokens, also where they were forgotten after this cut: then they are in the past, too."""
        persons = delta.scan(delta.open_table(self.location, "persons"), PERSONS, self.location.options)
        landed = (self.commits if self._landed is None else self._landed).lazy().select("commit_id", "seq")
        known = self._collected("persons", persons.join(landed, on="commit_id").drop("commit_id"))
        for tries in range(_READS):
            names = delta.scan(delta.open_table(self.location, "names"), NAMES, self.location.options)
            try:
                return People(known, self._collected("names", names.select("person", "commitment", "text")))
            except StoreError:
                if tries + 1 == _READS:
                    raise
        raise AssertionError

    def rows(self, table: str, **where: str) -> pl.DataFrame:
        """The rows of a table that stand: the latest of every key, unless it is withdrawn (sorted by key).

        Args:
            table: Name of the table.
            where: Values of key columns, for some rows only.

        Returns:
            The columns of the table. The stars of a ballot are those that came with its latest row. No ballot that was
            recorded has a later time than its commit has here.
        """
        rows = self.standing(table, **where)
        if table == "ballots":
            ahead = (pl.col("action") != IMPORT) & (pl.col("cast_at") > pl.col("committed_at"))
            rows = rows.with_columns(cast_at=pl.when(ahead).then("committed_at").otherwise("cast_at"))
        rows = rows.select([*tables.columns(table)])
        return self._collected(table, rows.sort(tables.key(table)))

    def _collected(self, table: str, rows: pl.LazyFrame) -> pl.DataFrame:
        return delta.collected(self.location, table, rows)

    def standing(self, table: str, **where: str) -> pl.LazyFrame:
        """The rows that ``rows`` gives, in no order, with the further columns of ``history``."""
        rows = self._latest(table, **where)
        if table != "votes":
            return rows
        ballot = ["decision_id", "member_id", "seq"]
        ballots = self._latest("ballots", **{name: where[name] for name in ballot if name in where})
        return rows.join(ballots.select(ballot), on=ballot, how="semi")

    def _latest(self, table: str, **where: str) -> pl.LazyFrame:
        rows = self.history(table)
        for name, value in where.items():
            rows = rows.filter(pl.col(name) == value)
        latest = rows.sort("seq").unique(tables.key(table), keep="last", maintain_order=True)
        return latest.filter(~pl.col("withdrawn"))

    def state(
        self, decision_id: str | None = None, *, voting_time: bool = True, as_recorded: bool = False
    ) -> SystemState:
        """The tables as they stand, checked against each other.

        Members who left while anonymous stand under pseudonyms where rows of theirs are left (P1), or under tokens. A
        ballot that was changed after the close of its decision is the one from before (D12).

        Args:
            decision_id: Only what counts for this decision: its choices, ballots and votes, and its community with all
                members and followings. Everything by default.
            voting_time: Whether ballots stand as at the close; not in snapshots from before that rule.
            as_recorded: Leave tags as they are, where they were recorded before there was one form of them (T5).

        Raises:
            InvalidTableError: Rows do not fit together; whoever recorded them has seen to it that they do.
            StoreError: Rows of a commit are missing.
        """
        self.require_complete()
        frames = {table: self.rows(table, **where) for table, where in self._about(decision_id).items()}
        if voting_time:
            frames = as_at_close(self, frames)
        for table in () if as_recorded else _TAGGED:
            tags = in_one_form(frames[table]["tags"]).tags
            frames[table] = frames[table].with_columns(tags.alias("tags"))
        with tokens_unsaid() if self.coded else nullcontext():
            state = SystemState.frozen(frames if self.coded else self.under_pseudonyms(frames))
        rules = rules_of(self, state.decisions, state.communities)
        return state._with(secret=self.location.secret, loop_rules=rules, people=self.people.ids)

    def _about(self, decision_id: str | None) -> dict[str, dict[str, str]]:
        """What the rows of each table that are about a decision have in common; nothing for all rows."""
        if decision_id is None:
            return {table: {} for table in tables.TABLES}
        found = self.rows("decisions", decision_id=decision_id)["community_id"]
        community = {"community_id": found[0] if len(found) else ""}
        decision = {"decision_id": decision_id}
        return {table: decision if "decision_id" in tables.columns(table) else community for table in tables.TABLES}

    def require_complete(self) -> None:
        """Make sure that every row of every commit is there, in files that are what was written.

        Raises:
            StoreError: Commits or rows are missing, there are more than were committed, or a file was changed.
        """
        self.require_chain()
        names = delta.paths(delta.open_table(self.location, "names"), "names")
        seal.require_files(self.location, "names", names, self.stored)
        expected = self.commits.lazy().explode("tables", "rows").group_by("tables").agg(pl.col("rows").sum())
        for table, number in expected.collect().sort("tables").iter_rows():
            rows = self._rows(table).select(pl.len())
            seal.require_files(self.location, table, delta.paths(self._opened[table], table), self.stored)
            found = self._collected(table, rows).item()
            if found != number:
                raise StoreError(
                    f"{self.location}: the table {table} has {found:,} rows up to commit {self.seq:,}, and "
                    f"{number:,} were committed. Its files were changed from outside: restore them from a backup."
                )

    def require_chain(self) -> None:
        """Make sure that every commit holds the hash of the one before it.

        Raises:
            StoreError: A commit is missing, is another one than was made, or was put in between.
        """
        seal.require_chain(self.location, self.stored, self.sealed_head)

    @cached_property
    def former(self) -> pl.DataFrame:
        """Who left and was anonymous at any time: community_id, member_id, pseudonym."""
        key = ["community_id", "member_id"]
        rows = self._rows("members").select(*key, "is_anonymous", "withdrawn", "seq")
        members = self._collected("members", rows)
        last = members.sort("seq").unique(key, keep="last", maintain_order=True)
        secret = members.filter("is_anonymous").select(key).unique()
        gone = last.filter("withdrawn").join(secret, on=key, how="semi").sort("seq", *key)
        taken = set(self.people.ids["member_id"])
        names, number = [], 0
        for _ in range(len(gone)):
            number += 1
            while f"Former anonymous member {number}" in taken:
                number += 1
            names.append(f"Former anonymous member {number}")
        former = gone.select(key).with_columns(pseudonym=pl.Series(names, dtype=pl.String))
        return former if self.coded else self.people.named("members", former.lazy()).collect()

    def under_pseudonyms(self, frames: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
        """The tables with members who left while anonymous under pseudonyms (P1); ``frames`` gets the new ones."""
        former = self.former
        if former.is_empty():
            return frames
        where = frames["decisions"].select("decision_id", "community_id")
        for table in tables.TABLES:
            if table == "members":
                continue
            frame, own, columns = frames[table], frames[table].columns, tables.people(table)
            if not columns:
                continue
            if "community_id" not in own:
                frame = frame.join(where, on="decision_id", how="left", maintain_order="left")
            for column in columns:
                names = former.rename({"member_id": column})
                frame = frame.join(names, on=["community_id", column], how="left", maintain_order="left")
                frame = frame.with_columns(pl.coalesce("pseudonym", column).alias(column)).drop("pseudonym")
            frames[table] = frame.select(own)
        return frames
