"""Results on disk: Parquet files that are written piece by piece, whole or not at all, with their hashes."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from crowdvote_analysis.delegation.frames import spelled, unpacked
from crowdvote_analysis.delegation.rounding import rounded
from crowdvote_analysis.out_of_core.encode import MEMBERS
from crowdvote_analysis.star import Counts
from crowdvote_analysis.star.ballots import Ballots as StarBallots
from crowdvote_analysis.star.counts import count
from crowdvote_analysis.star.units import FIVE_STARS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    import pyarrow as pa
    from numpy.typing import NDArray

    from crowdvote_analysis.out_of_core.graph import Ballots, Graph

    Array = NDArray[Any]

_ORIGINS = ("manual", "calculated", "none")
_CELLS = 1 << 20  # stars that are written together


class HashedFile:
    """A file that knows the SHA-256 of what was written to it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._seen = file, hashlib.sha256()
        self.closed = False

    def write(self, data: bytes) -> int:
        """Write and hash."""
        self._seen.update(data)
        return self._file.write(data)

    def flush(self) -> None:
        """Hand on what is held back."""
        self._file.flush()

    def tell(self) -> int:
        """Number of bytes written."""
        return self._file.tell()

    def close(self) -> None:
        """Nothing: whoever opened the file closes it."""

    @property
    def sha256(self) -> str:
        """The hash so far."""
        return self._seen.hexdigest()


class Sheet:
    """A Parquet file in the making.

    Attributes:
        sha256: Its hash, once it is whole.
    """

    def __init__(self, file: HashedFile, schema: pa.Schema) -> None:
        import pyarrow.parquet as pq

        self.sha256 = ""
        self._writer = pq.ParquetWriter(
            file,
            schema,
            compression="zstd",
            write_page_checksum=True,
            store_schema=False,  # so that what is coded here is read as the plain text that it is
            dictionary_pagesize_limit=1 << 25,
        )

    def write(self, table: pa.Table) -> None:
        """Add rows."""
        self._writer.write_table(table)

    def close(self) -> None:
        """Write the end."""
        self._writer.close()


@contextmanager
def sheet(path: Path, schema: pa.Schema) -> Iterator[Sheet]:
    """A Parquet file that gets its name when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    with unfinished.open("wb") as raw:
        file = HashedFile(raw)
        made = Sheet(file, schema)
        try:
            yield made
        finally:
            made.close()  # or it would be closed with nowhere to write to
    made.sha256 = file.sha256
    unfinished.replace(path)


def write_frame(frame: pl.DataFrame, path: Path) -> str:
    """Write a small table whole; its hash."""
    table = frame.to_arrow()
    with sheet(path, table.schema) as file:
        file.write(table)
    return file.sha256


def write_decision(
    graph: Graph,
    ballots: Ballots,
    decision_id: str,
    choices: pl.DataFrame,
    paths: tuple[Path, Path],
    advance: Callable[[int, int], None],
) -> dict[str, Any]:
    """Write the ballots and stars of one decision, rounded to 8 places (D10), and count them.

    Args:
        graph: The decision, settled.
        ballots: What was cast by hand.
        decision_id: Its id.
        choices: choice, choice_id, title, position, by code.
        paths: Of the ballots and of the stars.
        advance: Called with (members done, members in all).

    Returns:
        ``hashes`` of the two files, ``stats`` and ``counts``.
    """
    calculation = graph.calculation
    ids = choices["choice_id"].to_list()
    order = choices.with_row_index("at").sort("position", "choice_id")["at"].to_list()
    shown = tuple(ids[at] for at in order)
    counts: Counts | None = None
    stats = dict.fromkeys(("manual", "calculated", "none", "lobbyists", "tallied", "deepest"), 0)
    voters = graph.work.path("is_voter")
    size = graph.home.size
    step = max(1, min(graph.size, _CELLS // max(1, len(ids))))
    with sheet(paths[0], _ballots_schema()) as one, sheet(paths[1], _stars_schema()) as two:
        for first in range(0, size, step):
            last = min(size, first + step)
            codes = slice(graph.home.first + first, graph.home.first + last)
            names = _names(graph, codes)
            is_voter = np.fromfile(voters, np.uint8, last - first, offset=codes.start).astype(np.bool_)
            places = rounded(*graph.whole(), np.arange(first, last))
            has, manual = calculation.has[first:last], graph.manual[first:last]
            rated = unpacked(calculation.rated[first:last], len(ids))
            tags = spelled(_given_tags(graph, ballots, first, last), graph.vocabulary)
            one.write(_ballots(graph, decision_id, names, (first, last), is_voter, tags))
            two.write(_stars(decision_id, names, ids, rated, places))
            tallied = has & is_voter
            some = StarBallots(shown, places[order][:, tallied].astype(np.uint64), FIVE_STARS, None)
            counts = count(some) if counts is None else counts.plus(count(some), 1)
            stats["manual"] += int((manual & is_voter).sum())
            stats["calculated"] += int((~manual & has & is_voter).sum())
            stats["none"] += int((~manual & ~has & is_voter).sum())
            stats["lobbyists"] += int((~is_voter).sum())
            stats["tallied"] += int(tallied.sum())
            # A ballot of nobody's has depth 0 as well.
            stats["deepest"] = max(stats["deepest"], int(calculation.depth[first:last].max()))
            advance(last, size)
    kept = (
        None
        if counts is None
        else [counts.vote_count, *map(dict, (counts.totals, counts.five_stars, counts.preferred))]
    )
    return {"hashes": [one.sha256, two.sha256], "stats": stats | {"circular": graph.circular}, "counts": kept}


def counts_of(kept: list[Any], choices: pl.DataFrame) -> Counts:
    """The counts of a decision as ``write_decision`` gave them, or nothing counted where it met nobody."""
    if kept is not None:
        return Counts(*kept)
    shown = tuple(choices.sort("position", "choice_id")["choice_id"])
    return count(StarBallots(shown, np.zeros((len(shown), 0), dtype=np.uint64), FIVE_STARS, None))


def _names(graph: Graph, codes: slice) -> pl.Series:
    """Member ids by code."""
    members = pl.scan_parquet(graph.work.path(MEMBERS), glob=False, hive_partitioning=False).select("member_id")
    return members.slice(codes.start, codes.stop - codes.start).collect()["member_id"]


def _given_tags(graph: Graph, ballots: Ballots, first: int, last: int) -> Array:
    """The tags of each ballot, also of those cast without stars, which hand none on."""
    bits = graph.calculation.tags[first:last].copy()
    member, tag_set = ballots.between(first, last)
    bits[member - first] = graph.cast_bits[tag_set]
    return bits


def _ballots_schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema(
        {
            "decision_id": pa.dictionary(pa.int32(), pa.string()),
            "member_id": pa.large_string(),
            "origin": pa.dictionary(pa.int8(), pa.string()),
            "tags": pa.large_list(pa.large_string()),
            "depth": pa.int64(),
            "in_loop": pa.bool_(),
            "is_voter": pa.bool_(),
        }
    )


def _stars_schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema(
        {
            "decision_id": pa.dictionary(pa.int32(), pa.string()),
            "member_id": pa.dictionary(pa.int32(), pa.large_string()),
            "choice_id": pa.dictionary(pa.int32(), pa.string()),
            "stars": pa.decimal128(9, 8),
        }
    )


def _ballots(
    graph: Graph, decision_id: str, names: pl.Series, span: tuple[int, int], is_voter: Array, tags: pl.Series
) -> pa.Table:
    import pyarrow as pa

    here, calculation = slice(*span), graph.calculation
    origin = np.where(graph.manual[here], 0, np.where(calculation.has[here], 1, 2)).astype(np.int8)
    schema = _ballots_schema()
    columns = [
        _coded(np.zeros(len(names), dtype=np.int32), pa.array([decision_id])),
        names.to_arrow().cast(pa.large_string()),
        _coded(origin, pa.array(_ORIGINS)),
        tags.to_arrow().cast(schema.field("tags").type),
        pa.array(calculation.depth[here].astype(np.int64), mask=origin == 2),
        pa.array(graph.in_loop[here]),
        pa.array(is_voter),
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _stars(decision_id: str, names: pl.Series, ids: list[str], rated: Array, places: Array) -> pa.Table:
    import pyarrow as pa

    member, choice = np.nonzero(rated)
    digits = np.zeros((len(member), 2), dtype=np.int64)  # little-endian 128 bits; stars are never negative
    digits[:, 0] = places.T[rated]
    kind = pa.decimal128(9, 8)
    columns = [
        _coded(np.zeros(len(member), dtype=np.int32), pa.array([decision_id])),
        _coded(member.astype(np.int32), names.to_arrow().cast(pa.large_string())),
        _coded(choice.astype(np.int32), pa.array(ids, pa.string())),
        pa.Array.from_buffers(kind, len(member), [None, pa.py_buffer(digits)]),
    ]
    return pa.Table.from_arrays(columns, schema=_stars_schema())


def _coded(codes: Array, texts: Any) -> Any:
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(pa.array(codes), texts)
