"""Who follows whom, from an edge list: a line ``a b`` says that a follows b.

Read as SNAP (https://snap.stanford.edu/data) and KONECT (http://konect.cc) publish them: ``#`` or ``%`` opens a
comment, the columns are separated by commas, semicolons, or by tabs and blanks; a third column is the weight of the
edge, a fourth its time. In the signed networks of SNAP (Bitcoin OTC: ``SOURCE,TARGET,RATING,TIME``) the weight is -10
to 10, and below 0 is distrust.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.errors import UnreadableFileError
from crowdvote_analysis.readers.edge_lines import (
    bad_lines,
    note,
    note_undirected,
    read_lines,
    split_lines,
    width_of,
    without_blank_columns,
)
from crowdvote_analysis.readers.edge_weights import ASIDE, TIMES, decimals, note_weights, weight_position
from crowdvote_analysis.readers.network_header import NUMBERED, Columns, columns_of
from crowdvote_analysis.readers.stray_headers import as_commented, other_than, refuse_below, without_repeated

if TYPE_CHECKING:
    from crowdvote_analysis.readers.edge_lines import Lines

_ARROWS = ("->", "-->", "=>", "→", "--", "-", ">", ":", "follows")
# Byte order marks, zero-width spaces, soft hyphens and bidirectional overrides (T7).
_UNSEEN = "[\ufeff\u200b\u00ad\u202a-\u202e\u2066-\u2069]"


def read_network(
    path: str | Path,
    *,
    weight_above: int | str | Decimal | None = None,
    weight_column: int | str = 3,
) -> pl.DataFrame:
    """Read an edge list; a, b in a line means that a follows b.

    The file is UTF-8 text, plain or gzipped. Blank lines and comments (``#``, ``%``) are left out. The first line of
    an edge says what separates the columns: tabs where it holds one (blanks then stay in names), else commas or
    semicolons, else blanks. In all but the last a line such as ``#trees,ana`` is an edge, as people give such names.

    A first line of names decides who follows: ``delegator,delegate``, ``target,source``, ``From ID`` and the like, in
    either order and among other columns. Words above ids that are all numbers are names, too. Where the line may as
    well be an edge, the file is refused.

    Args:
        path: The file.
        weight_above: Keep only the edges whose weight is greater than this, compared as decimal numbers: ``0`` keeps
            trust and drops distrust. Who stands in dropped edges only is not in the network.
        weight_column: Where the weight stands: a number (counted from 1) or a name in the header. Another column is the
            time. A third column that the header calls a time is not taken for a weight.

    Returns:
        One row an edge, in the order of the file, repeated edges included: follower_id, followee_id (text, NFC);
        with a weight, weight (exact Decimal, as many places as the file needs); with one column more, time (text).

    Raises:
        UnreadableFileError: The file cannot be read or is of another format, holds no edges, lines are not of the same
            shape or hold no number for the weight (the first such line is shown), the direction of the edges is not
            clear, or weights are asked for where there are none.
        ValueError: ``weight_above`` is not a number.

    Warns:
        TableWarning: How a header was read, comments between edges, edges without direction, weights below 0 that were
            not asked about, and other things that could be meant otherwise.
    """
    path = Path(path)
    threshold = _threshold(weight_above)
    lines = read_lines(path)
    cells = without_blank_columns(split_lines(path, lines.edges, lines.separator))
    edges, columns, names = _named(path, cells, lines)
    if edges.is_empty():
        raise UnreadableFileError(f"{path}: holds no edges.")
    if not names:
        _refuse_a_size(path, edges)
        _note_numbers_of_lines(path, edges)
    refuse_below(path, edges, columns)
    edges = _with_ids(path, edges, columns)
    network = _with_weight_and_time(path, edges, columns, names, weight_column, compared=threshold is not None)
    if threshold is not None:
        values = network["weight"].unique()
        # Compared by Python's Decimal, which no scale can round.
        kept = values.filter(pl.Series([value > threshold for value in values.to_list()], dtype=pl.Boolean))
        network = network.filter(pl.col("weight").is_in(kept.implode()))
    return network


# --- who follows -----------------------------------------------------------------------------------------------------


_NUMBER = r"^\d+(\.0+)?$"


def _named(path: Path, cells: pl.DataFrame, lines: Lines) -> tuple[pl.DataFrame, Columns, list[str]]:
    """The edges without a line of names, the columns of their ids, and the names in lower case if there are any."""
    first = [str(cell) for cell in cells.row(0)[2:]]
    below = other_than(cells)
    numbers = below.select(pl.col("1", "2").str.contains(_NUMBER).all())
    over_numbers = len(below) > 0 and all(numbers.row(0)) and not any(re.match(_NUMBER, name) for name in first[:2])
    numbered = any(cells[1:].select(pl.col("1", "2").str.contains(NUMBERED).any()).row(0))
    found = columns_of(first, over_numbers=over_numbers, over_numbered=numbered)
    if isinstance(found, str):
        raise UnreadableFileError(
            f"{path}: line {cells['line'][0]} {found}: {cells['text'][0][:80]!r}. If it names the columns, call them "
            "follower_id and followee_id; if it is an edge, put the line 'follower_id,followee_id' above it (separated "
            "as the others are)."
        )
    if len(first) > 4 and not (found and found.known):
        raise bad_lines(
            path, cells.head(1), f"has {len(first)} columns; an edge has two ids, and at most a weight and a time"
        )
    if found is None:
        return cells, as_commented(path, lines.above, len(first)), []
    names = [name.lower().strip(": ") for name in first]
    line, edges = cells["line"][0], without_repeated(path, cells)
    if found.known:
        note(path, f"line {line} names the columns: '{first[found.follower]}' follows '{first[found.followee]}'.")
    else:
        note(
            path,
            f"line {line} is read as the names of the columns. It does not say who follows whom: '{first[0]}' is taken "
            f"to follow '{first[1]}'. Call them follower_id and followee_id to be sure.",
        )
    kind = next((str(position + 1) for position, name in enumerate(names) if name == "type"), None)
    if kind and (edges[kind].str.to_lowercase() == "undirected").any():
        note_undirected(path)
    return edges, found, names


def _with_ids(path: Path, edges: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    """The edges with their ids in one form (T7).

    Raises:
        UnreadableFileError: An id is missing, or what stands there is none.
    """
    names = [str(columns.follower + 1), str(columns.followee + 1)]
    ids = pl.col(names)
    if all(edges.select(ids.str.contains(r"^\d+$").all()).row(0)):
        return edges
    if any(edges.select(ids.str.contains(r"[^\x00-\x7f]").any()).row(0)):
        edges = edges.with_columns(ids.str.normalize("NFC").str.replace_all(_UNSEEN, "").str.strip_chars())
    blank = edges.filter(pl.any_horizontal(ids == ""))
    if len(blank):
        raise bad_lines(path, blank, "lacks an id")
    if (edges["2"].is_in(_ARROWS)).all():
        raise bad_lines(path, edges.head(1), "has a sign between the ids; leave it out")
    rounded = edges.filter(pl.any_horizontal(ids.str.contains(r"^\d(\.\d+)?[eE]\+\d+$")))
    if len(rounded) and all(edges.select(ids.str.contains(r"^\d[\d.]*([eE]\+\d+)?$").all()).row(0)):
        raise bad_lines(path, rounded, "has an id that a program has rounded; write the ids as text or whole numbers")
    if any(edges.select(ids.str.contains(".", literal=True).any()).row(0)):
        edges = _without_decimals(path, edges, names)
    return edges


def _without_decimals(path: Path, edges: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """``7.0`` as ``7`` where all ids are whole numbers: pandas writes them so where a cell was blank."""
    ids = pl.col(names)
    if not all(edges.select(ids.str.contains(_NUMBER).all()).row(0)):
        return edges
    number = sum(edges.select(ids.str.contains(".", literal=True).sum()).row(0))
    note(path, f"{number:,} ids are written as 1.0 and read as 1.")
    return edges.with_columns(ids.str.replace(r"\.0+$", ""))


def _refuse_a_size(path: Path, edges: pl.DataFrame) -> None:
    """Refuse a first line that says how large the network is, or note it where it could be an edge.

    Raises:
        UnreadableFileError: It is the size of a Matrix Market file.
    """
    size, rest = edges.row(0)[2:], edges[1:].select("1", "2")
    if not all(str(cell).isdecimal() and len(str(cell)) < 10 for cell in size) or int(size[-1]) != len(rest):
        return
    if rest.is_empty() or not all(rest.select(pl.all().str.contains(r"^\d{1,9}$").all()).row(0)):
        return
    largest = max(rest.select(pl.all().cast(pl.Int64).max()).row(0))
    if len(size) == 3 and min(int(size[0]), int(size[1])) >= largest:
        raise bad_lines(
            path, edges.head(1), "is the size of the network (rows, columns, edges), not an edge; remove it"
        )
    if len(size) == 2 and int(size[0]) >= largest:
        note(
            path,
            f"line {edges['line'][0]} is read as an edge; it may be the size of the network instead ({size[0]} "
            f"members, {size[1]} edges). Then remove it.",
        )


def _note_numbers_of_lines(path: Path, edges: pl.DataFrame) -> None:
    """Say where the first of several columns counts the lines: pandas and R put such a column before the edges."""
    first = str(edges["1"][0])
    if width_of(edges) < 3 or len(edges) < 3 or first not in ("0", "1"):
        return
    if edges["1"].equals(pl.int_range(int(first), int(first) + len(edges), eager=True).cast(pl.String)):
        note(
            path,
            f"the first column counts the lines ({first}, {int(first) + 1}, …) and is read as who follows. If it is an "
            "index, remove it.",
        )


def _with_weight_and_time(
    path: Path, edges: pl.DataFrame, columns: Columns, names: list[str], weight_column: int | str, *, compared: bool
) -> pl.DataFrame:
    """The network with all its edges; what else the file holds is named in a note."""
    others = [position for position in range(width_of(edges)) if position not in columns[:2]]
    weight = weight_position(path, others, names, weight_column, required=compared)
    network = edges.select(follower_id=str(columns.follower + 1), followee_id=str(columns.followee + 1))
    if weight is not None:
        network = network.with_columns(weight=decimals(path, edges, str(weight + 1)))
    rest = [position for position in others if position != weight]
    time = next((position for position in rest if not names or names[position] not in ASIDE), None)
    if time is not None and (not names or len(others) <= 2 or names[time] in TIMES):
        network = network.with_columns(time=edges[str(time + 1)])
        rest.remove(time)
    if rest:
        note(path, f"not read: {', '.join(names[position] or 'a column without a name' for position in rest)}.")
    if "weight" in network.columns:
        note_weights(path, network, named=bool(names), compared=compared)
    return network


def _threshold(weight_above: int | str | Decimal | None) -> Decimal | None:
    if weight_above is None:
        return None
    try:
        threshold = Decimal(str(weight_above))
    except InvalidOperation:
        threshold = Decimal("nan")
    if not threshold.is_finite():
        raise ValueError(f"weight_above must be a number, not {weight_above!r}.")
    return threshold
