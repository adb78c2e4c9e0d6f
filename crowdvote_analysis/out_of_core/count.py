"""A count bigger than memory: Parquet in, Parquet out."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from crowdvote_analysis import __version__
from crowdvote_analysis.errors import InvalidTableError, UnreadableFileError
from crowdvote_analysis.limits import MEMORY, WORK_LIMIT
from crowdvote_analysis.loop_rules import check_rule
from crowdvote_analysis.out_of_core.cast import encode_ballots, encode_votes
from crowdvote_analysis.out_of_core.catalogue import catalogue
from crowdvote_analysis.out_of_core.database import database
from crowdvote_analysis.out_of_core.encode import encode_followings, encode_members
from crowdvote_analysis.out_of_core.estimate import estimate_of, require_room
from crowdvote_analysis.out_of_core.graph import Ballots, Graph, community
from crowdvote_analysis.out_of_core.outcome import write_outcome
from crowdvote_analysis.out_of_core.results import write_decision
from crowdvote_analysis.out_of_core.settle import settle
from crowdvote_analysis.out_of_core.sources import fingerprints, sources_in
from crowdvote_analysis.out_of_core.work import Work
from crowdvote_analysis.star.protocols import protocol_named
from crowdvote_analysis.star.resolution import check_orders

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from crowdvote_analysis.out_of_core.catalogue import Catalogue
    from crowdvote_analysis.out_of_core.database import Database
    from crowdvote_analysis.out_of_core.estimate import Estimate
    from crowdvote_analysis.out_of_core.sources import Source

    Progress = Callable[[str, int, int], None]

_WORK = "unfinished-count"
_SUMS = "SHA256SUMS"
_RESULTS = ("resolved_ballots", "resolved_stars", "stats.parquet", "tallies.parquet", "scores.parquet", _SUMS)
# Followings of a chunk: the frame of one takes some 500 bytes each while it is averaged.
_BYTES_IN_CHUNK = 2_000
_LARGEST_CHUNK, _SMALLEST_CHUNK = 1 << 20, 1 << 10


@dataclass(frozen=True)
class FilesCount:
    """A count that was written to a folder.

    Attributes:
        folder: The folder.
        stats: As ``Resolution.stats``: one row a decision.
        tallies: As ``tally_all``: who won, one row a decision.
        scores: The score phase, one row a choice.
        files: SHA-256 by the path of each file, relative to the folder.
    """

    folder: Path
    stats: pl.DataFrame
    tallies: pl.DataFrame
    scores: pl.DataFrame
    files: Mapping[str, str]


def count_files(
    folder: str | Path,
    out: str | Path,
    *,
    decisions: Sequence[str] | None = None,
    cycles: str | None = None,
    protocol: str = "starvote",
    tie_orders: Mapping[str, Sequence[str]] | None = None,
    work_limit: int = WORK_LIMIT,
    memory: int = MEMORY,
    threads: int | None = None,
    anonymous: bool = True,
    progress: Progress | None = None,
    about_to_start: Callable[[Estimate], None] | None = None,
) -> FilesCount:
    """Count a folder of Parquet files into another one, within a memory limit: the same stars as ``resolve``.

    Tables are read as they stand: ids in one form, no row twice, stars as whole numbers or DECIMAL; what would have to
    be mended is refused, with the way out. DuckDB sorts and encodes, arrays lie in memory-mapped files in
    ``out/unfinished-count``, one decision is counted at a time. A run that was ended goes on where it was when it is
    called again.

    Written are ``resolved_ballots/0001.parquet`` and so on, one a decision in the order of their ids (decision_id,
    member_id, origin, tags, depth, in_loop, is_voter); ``resolved_stars/0001.parquet`` (as ``Resolution.stars``);
    ``stats.parquet``, ``tallies.parquet`` and ``scores.parquet``; and ``SHA256SUMS`` of all of them. Reasons, sources
    and influence are not worked out.

    Args:
        folder: Parquet files (or folders of them) named after the tables; members, ballots and votes are needed.
        out: A folder that is not there, is empty, or holds an unfinished count.
        decisions: Decisions to count; all with stars by default.
        cycles: ``"auto"``, ``"path"`` or ``"equilibrium"`` for all; by default the rule of each community.
        protocol: Name of the tie protocol (K3).
        tie_orders: The order that the community manager gave for ties, by decision id (K7).
        work_limit: Steps the rule ``path`` may take for all loops of a decision (Y3).
        memory: Bytes of memory to work with, 2 GB by default; pages of files, which the system takes back at need, may
            be resident above that for a moment. A large core of loops is solved in memory, and is refused
            where it needs more.
        threads: Threads of the database; all cores by default.
        anonymous: Whether there may be anonymous members, whose ids are written as ``resolve`` gives them (P1).
        progress: Called with (stage, done, in all).
        about_to_start: Called once with the estimate, before anything is written.

    Returns:
        The folder, statistics, tallies and hashes.

    Raises:
        UnreadableFileError: A table is missing or no Parquet file, or ``out`` holds something else.
        InvalidTableError: Rows would have to be mended, or are wrong.
        UnknownDecisionError: A decision is not there.
        CyclicCoreTooLarge: The rule ``path`` needs more than ``work_limit`` steps.
        CrowdVoteError: The disk has no room, or a core of loops does not fit into the memory.

    Example:
        >>> import crowdvote_analysis as cv
        >>> done = cv.count_files("town", "town-counted", memory=1_000_000_000)  # doctest: +SKIP
        >>> done.tallies["winner"].to_list()  # doctest: +SKIP
        ['pond']
    """
    check_rule(cycles)
    protocol_named(protocol)
    if isinstance(decisions, str):
        raise TypeError(f"decisions is one text; give a list of them: decisions=[{decisions!r}]")
    folder, out = Path(folder), Path(out)
    tell = progress or (lambda _stage, _done, _total: None)
    sources = sources_in(folder)
    found = estimate_of(sources, None if decisions is None else len(decisions), memory)
    if about_to_start is not None:
        about_to_start(found)
    _require_own(out)
    is_new = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    require_room(found, out, sum(path.stat().st_size for path in out.rglob("*") if path.is_file()))
    work = Work(out / _WORK, memory)
    try:
        files = fingerprints(sources, work.known_files(), lambda done, total: tell("Reading files", done, total))
        wanted = None if decisions is None else sorted(decisions)
        if not work.begin({"files": files, "decisions": wanted, "anonymous": anonymous, "version": __version__}):
            _clear(out)
        size = min(_LARGEST_CHUNK, max(_SMALLEST_CHUNK, memory // _BYTES_IN_CHUNK))
        run = _Run(work, out, size, work_limit, tell)
        with database(work, threads) as base:
            known = catalogue(base, sources, decisions, cycles)
            check_orders(tie_orders, known.decisions["decision_id"].to_list())
            encoded = run.encode(base, sources, known, anonymous=anonymous)
        written = run.count(known, encoded)
        result = write_outcome(out, known, written, encoded, protocol, tie_orders)
    except InvalidTableError:
        work.remove()  # other tables begin anew
        _clear(out)
        if is_new:
            out.rmdir()
        raise
    finally:
        work.close()
    work.remove()
    return FilesCount(out, *result)


def _clear(out: Path) -> None:
    """Remove what an unfinished count of something else has written."""
    for path in out.iterdir():
        if _is_result(path):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _is_result(path: Path) -> bool:
    return path.name.removeprefix(".").removesuffix(".unfinished") in _RESULTS


def _require_own(out: Path) -> None:
    """Refuse a folder that holds anything but an unfinished count.

    Raises:
        UnreadableFileError: It does.
    """
    if out.exists() and not out.is_dir():
        raise UnreadableFileError(f"{out}: is a file, not a folder. Name a folder that is not there yet.")
    held = list(out.iterdir()) if out.is_dir() else []
    if any(path.name != _WORK and not _is_result(path) for path in held):
        raise UnreadableFileError(f"{out}: is not empty. Name a folder that is not there yet.")
    if held and not (out / _WORK).is_dir():
        raise UnreadableFileError(f"{out}: holds a finished count. Name a folder that is not there yet, or remove it.")


class _Run:
    """One run, stage by stage."""

    def __init__(self, work: Work, out: Path, size: int, work_limit: int, tell: Progress) -> None:
        self._work, self._out, self._size = work, out, size
        self._work_limit, self._tell = work_limit, tell

    def encode(
        self, base: Database, sources: Mapping[str, Source], known: Catalogue, *, anonymous: bool
    ) -> dict[str, Any]:
        """Bring the tables to codes, as far as that is still to be done."""
        work = self._work
        done: dict[str, Any] = {}

        def stage(name: str, make: Callable[[Callable[[int, int], None]], dict[str, Any]]) -> None:
            kept = work.finished(name)
            if kept is None:
                what = f"Encoding {name}"
                self._tell(what, 0, 1)
                kept = work.finish(name, **make(lambda at, total: self._tell(what, at, total)))
            done[name] = kept

        base.put("community", pl.DataFrame({"id": known.communities, "number": range(len(known.communities))}))
        base.put("decision", known.known)
        stage(
            "members",
            lambda advance: encode_members(
                base, work, sources["members"], known.communities, advance, anonymous=anonymous
            ),
        )
        members = done["members"]["members"]
        stage(
            "followings",
            lambda advance: encode_followings(
                base, work, sources.get("followings"), known.communities, done["members"]["spans"], advance
            ),
        )
        stage("ballots", lambda advance: encode_ballots(base, work, sources["ballots"], known, members, advance))
        stage(
            "votes",
            lambda advance: encode_votes(
                base, work, sources["votes"], known, members, done["ballots"]["ballots"], advance
            ),
        )
        return done

    def count(self, known: Catalogue, encoded: dict[str, Any]) -> list[dict[str, Any]]:
        """Count decision after decision, those of one community together; what was written of each."""
        written: dict[int, dict[str, Any]] = {}
        decisions = known.decisions.with_row_index("number").sort("community", "number", maintain_order=True)
        for row in decisions.iter_rows(named=True):
            number = row["number"]
            stage = f"decision {number} by {row['cycle_rule']} within {self._work_limit}"
            kept = self._work.finished(stage)
            if kept is None:
                kept = self._work.finish(stage, **self._decision(row, known, encoded))
            written[number] = kept
        return [written[number] for number in sorted(written)]

    def _decision(self, row: dict[str, Any], known: Catalogue, encoded: dict[str, Any]) -> dict[str, Any]:
        work, number, name = self._work, row["number"], row["decision_id"]
        span = encoded["members"]["spans"][row["community"]]
        self._tell("Turning followings", 0, 1)
        home = community(
            work,
            row["community"],
            span,
            encoded["followings"]["spans"][row["community"]],
            encoded["followings"]["followings"],
            self._size,
        )
        ballots = self._ballots(number, span[0], encoded)
        choices = known.choices.filter(pl.col("number") == number)
        graph = Graph(
            work,
            home,
            ballots,
            len(choices),
            row["cycle_rule"],
            encoded["ballots"]["tag_sets"],
            encoded["followings"]["tag_sets"],
            self._size,
        )
        told = _Told(self._tell, f"Counting {name}", home.size)
        settle(graph, name, self._work_limit, told.advance)
        file = f"{number + 1:04}.parquet"
        paths = [f"resolved_ballots/{file}", f"resolved_stars/{file}"]
        kept = write_decision(
            graph,
            ballots,
            name,
            choices,
            (self._out / paths[0], self._out / paths[1]),
            lambda done, total: self._tell(f"Writing {name}", done, total),
        )
        graph.drop()
        return kept | {"paths": paths}

    def _ballots(self, number: int, first: int, encoded: dict[str, Any]) -> Ballots:
        """What was cast by hand in one decision."""
        members, ballots, votes = (encoded[table][table] for table in ("members", "ballots", "votes"))
        key = self._work.open("ballot.key", ballots, np.int64)
        start = number * members
        here = slice(*np.searchsorted(key, [start, start + members]))
        voted = self._work.open("vote.key", votes, np.int64)
        there = slice(*np.searchsorted(voted, [start, start + members]))
        return Ballots(
            base=start + first,
            member=key[here],
            tag_set=self._work.open("ballot.set", ballots, np.int32)[here],
            timely=self._work.open("ballot.timely", ballots, np.bool_)[here],
            voter=voted[there],
            choice=self._work.open("vote.choice", votes, np.int32)[there],
            places=self._work.open("vote.places", votes, np.int32)[there],
        )


class _Told:
    """Tells a caller how many members are done."""

    def __init__(self, tell: Progress, stage: str, total: int) -> None:
        self._tell, self._stage, self._total, self._now = tell, stage, total, 0

    def advance(self, members: int) -> None:
        """So many more."""
        self._now += members
        self._tell(self._stage, self._now, self._total)
