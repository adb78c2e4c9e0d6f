"""What a count from files to files will take, told before it starts: from the numbers of rows alone.

The constants were measured on one machine with two cores (docs/performance.md): disk is nearly the same everywhere,
time is not.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crowdvote_analysis.errors import CrowdVoteError
from crowdvote_analysis.limits import MEMORY
from crowdvote_analysis.out_of_core.sources import sources_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crowdvote_analysis.out_of_core.sources import Source

# Bytes in the work folder. Of a following: its codes; what sorting it spills; the way back and what was inherited.
_CODES, _SPILL, _BACK = 12, 80, 5
# Of a member: codes; of the decision at work: flags, depth, error and so on, and 8 bytes a choice.
_MEMBER, _AT_WORK, _CHOICE = 32, 60, 8
_VOTE = 24
# Bytes of results: a ballot and a star, ids apart.
_BALLOT, _STAR = 11, 6
# Seconds for a following, a member, a star, where nothing else runs.
_FOLLOWING_TAKES, _MEMBER_TAKES, _STAR_TAKES = 1.5e-6, 4e-6, 1e-6


@dataclass(frozen=True)
class Estimate:
    """What a count will take.

    Attributes:
        members, followings, ballots, votes: Rows of the tables.
        decisions: Decisions that have ballots, at most.
        work, results: Bytes on disk: while it runs, and of what it leaves.
        memory: Bytes of memory it works with; pages of its files, which the system takes back at need, may be resident
            above that for a moment. Where a core of loops needs more, the count says so and stops.
        seconds: Time on the machine the constants were measured on.
    """

    members: int
    followings: int
    ballots: int
    votes: int
    decisions: int
    work: int
    results: int
    memory: int
    seconds: float

    @property
    def disk(self) -> int:
        """Bytes on disk at the most."""
        return self.work + self.results

    def __str__(self) -> str:
        rows = [
            _number(self.members, "member"),
            _number(self.followings, "following"),
            _number(self.ballots, "ballot"),
            _number(self.votes, "star"),
        ]
        return (
            f"{', '.join(rows)}: about {_size(self.disk)} on disk ({_size(self.results)} of them results), "
            f"{_size(self.memory)} of memory beside pages of files, about {_time(self.seconds)} on a machine with two "
            "cores"
        )


def estimate(folder: str | Path, *, decisions: int | None = None, memory: int = MEMORY) -> Estimate:
    """Say what a count of a folder will take, without reading more than the ends of its files.

    Args:
        folder: Parquet files named after the tables.
        decisions: How many decisions are counted; all in the table decisions by default, or one.
        memory: Bytes it may keep resident.

    Raises:
        UnreadableFileError: A table that is needed is missing or no Parquet file.
    """
    return estimate_of(sources_in(Path(folder)), decisions, memory)


def estimate_of(sources: Mapping[str, Source], decisions: int | None, memory: int) -> Estimate:
    """See ``estimate``."""
    rows = {table: source.rows for table, source in sources.items()}
    members, followings = rows["members"], rows.get("followings", 0)
    number = rows.get("decisions", 1) if decisions is None else decisions
    # Nobody has counted the choices of each yet: those of a ballot on average, or those of the table.
    by_ballot = -(-rows["votes"] // max(1, rows["ballots"]))
    choices = max(by_ballot, -(-rows.get("choices", 0) // max(1, rows.get("decisions", 1))))
    ids, stars = sources["members"].size, members * choices * number
    sorting = ids + members * _MEMBER + followings * (_CODES + _SPILL)
    counting = ids + members * (_MEMBER + _AT_WORK + _CHOICE * choices) + followings * (_CODES + _BACK)
    counting += rows["votes"] * _VOTE
    results = number * (ids + members * _BALLOT) + stars * _STAR
    return Estimate(
        members=members,
        followings=followings,
        ballots=rows["ballots"],
        votes=rows["votes"],
        decisions=number,
        work=max(sorting - results, counting),
        results=results,
        memory=memory,
        seconds=1 + followings * _FOLLOWING_TAKES + members * _MEMBER_TAKES + stars * _STAR_TAKES,
    )


def require_room(found: Estimate, out: Path, done: int) -> None:
    """Refuse a count for which the disk has no room.

    Args:
        found: What it will take.
        out: Where it will write.
        done: Bytes that an earlier run has written there already.

    Raises:
        CrowdVoteError: There is less room.
    """
    free = shutil.disk_usage(out).free
    if found.disk - done > free:
        raise CrowdVoteError(
            f"{out}: the count needs about {_size(found.disk - done)} of disk, and {_size(free)} are free. Take a "
            "folder on another disk, or count fewer decisions (--decision)."
        )


def _number(of: int, what: str) -> str:
    return f"{of:,} {what}" if of == 1 else f"{of:,} {what}s"


def _size(number: float) -> str:
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
