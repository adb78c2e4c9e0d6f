"""Who follows whom, from an edge list: a line ``a b`` says that a follows b.

Read as SNAP (https://snap.stanford.edu/data) and KONECT (http://konect.cc) publish them: ``#`` or ``%`` opens a
comment, the columns are separated by commas, or by tabs and blanks; a third column is the weight of the edge, a fourth
its time. In the signed networks of SNAP (Bitcoin OTC: ``SOURCE,TARGET,RATING,TIME``) the weight is -10 to 10, and
below 0 is distrust.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path

import polars as pl

from crowdvote_analysis.errors import UnreadableFileError
from crowdvote_analysis.readers.text_file import read_text

_FOLLOWER = ("follower_id", "follower", "fromnodeid", "from", "source", "src")
_FOLLOWEE = ("followee_id", "followee", "tonodeid", "to", "target", "dst")
_TIMES = ("time", "timestamp", "unixts", "date")
_WEIGHT = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?$"
_DIGITS = 38


def read_network(
    path: str | Path,
    *,
    weight_above: int | str | Decimal | None = None,
    weight_column: int | str = 3,
) -> pl.DataFrame:
    """Read an edge list; a, b in a line means that a follows b.

    The file is UTF-8 text, plain or gzipped. Lines that are blank or begin with ``#`` or ``%`` are skipped. If the
    first line holds a comma, commas separate the columns, else any run of tabs and blanks. A first line of names is
    understood where it cannot be an edge: names such as ``source,target`` or ``FromNodeId ToNodeId`` (a swapped pair,
    ``target,source``, is read as named), or words above ids that are all numbers.

    Args:
        path: The file.
        weight_above: Keep only the edges whose weight is greater than this, compared as decimal numbers: ``0`` keeps
            trust and drops distrust. Who stands in dropped edges only is not in the network.
        weight_column: Where the weight stands: a number (3 or 4, counted from 1) or a name in the header. The other of
            the two is the time. A third column that the header calls a time is not taken for a weight.

    Returns:
        One row an edge, in the order of the file, repeated edges included: follower_id, followee_id (text); with a
        third column, weight (exact Decimal, as many places as the file needs); with a fourth, time (text as it stands).

    Raises:
        UnreadableFileError: The file cannot be read, holds no edges, lines are not of the same shape or hold no number
            for the weight (the first such line is shown), or weights are asked for where there are none.
        ValueError: ``weight_above`` is not a number.
    """
    path = Path(path)
    threshold = _threshold(weight_above)
    edges = _cells(path, _lines(path))
    edges, header = _without_header(edges)
    if edges.is_empty():
        raise UnreadableFileError(f"{path}: holds no edges.")
    if header and header[0] in _FOLLOWEE and header[1] in _FOLLOWER:
        edges = edges.rename({"1": "2", "2": "1"})
    weight = _weight_position(path, edges, header, weight_column, required=threshold is not None)
    network = edges.select(follower_id="1", followee_id="2")
    if weight is not None:
        weights = _decimals(path, edges, str(weight))
        network = network.with_columns(weight=weights)
    rest = [str(column) for column in range(3, _width(edges) + 1) if column != weight]
    if rest:
        network = network.with_columns(time=edges[rest[0]])
    if threshold is not None:
        values = network["weight"].unique()
        # Compared by Python's Decimal, which no scale can round.
        kept = values.filter(pl.Series([value > threshold for value in values.to_list()], dtype=pl.Boolean))
        network = network.filter(pl.col("weight").is_in(kept.implode()))
    return network


# --- lines and cells -----------------------------------------------------------------------------------------------


def _lines(path: Path) -> pl.DataFrame:
    """The lines that hold edges: their number in the file, counted from 1, and their text."""
    text = pl.Series("text", [read_text(path)]).str.split("\n").explode().str.strip_chars()
    lines = pl.DataFrame(text).with_row_index("line", offset=1)
    opening = pl.col("text").str.slice(0, 1)
    lines = lines.filter(~opening.is_in(["", "#", "%"]))
    if lines.is_empty():
        raise UnreadableFileError(f"{path}: holds no edges, only comments.")
    return lines


def _cells(path: Path, lines: pl.DataFrame) -> pl.DataFrame:
    """The lines with their cells as the text columns "1", "2", …; every line must have as many as the first."""
    separator = "," if "," in lines["text"][0] else "\t"
    apart = pl.col("text")
    if separator == "\t":
        apart = apart.str.replace_all(" ", "\t", literal=True)
        if lines.select(apart.str.contains("\t\t", literal=True).any()).item():
            apart = apart.str.replace_all(r"\s+", "\t")
    lines = lines.with_columns(apart=apart)
    width = lines["apart"][0].count(separator) + 1
    if not 2 <= width <= 4:
        raise _bad_lines(
            path, lines.head(1), f"has {width} columns; an edge has two ids, and at most a weight and a time"
        )
    uneven = lines.filter(pl.col("apart").str.count_matches(separator, literal=True) != width - 1)
    if len(uneven):
        raise _bad_lines(path, uneven, f"has not {width} columns as the first line has")
    split = (
        pl.col("apart").str.split_exact(separator, width - 1).struct.rename_fields([str(i + 1) for i in range(width)])
    )
    cells = lines.select("line", "text", split.alias("cells")).unnest("cells")
    if separator == ",":
        names = [str(column + 1) for column in range(width)]
        cells = cells.with_columns(pl.col(names).str.strip_chars().str.strip_chars('"'))
    blank = cells.filter((pl.col("1") == "") | (pl.col("2") == ""))
    if len(blank):
        raise _bad_lines(path, blank, "lacks an id")
    return cells


def _width(edges: pl.DataFrame) -> int:
    return edges.width - 2  # without line and text


def _without_header(edges: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Take the first line off if it names the columns; its names in lower case, or none."""
    first = [str(edges[str(column)][0]).lower() for column in range(1, _width(edges) + 1)]
    both = {*_FOLLOWER, *_FOLLOWEE}
    named = first[0] in both and first[1] in both
    if not named and not first[0].isdecimal() and not first[1].isdecimal():
        numbers = pl.all_horizontal(pl.col("1", "2").str.contains(r"^\d+$"))
        named = len(edges) > 1 and bool(edges[1:].select(numbers.all()).item())
    return (edges[1:], first) if named else (edges, [])


def _bad_lines(path: Path, lines: pl.DataFrame, what: str) -> UnreadableFileError:
    text = lines["text"][0]
    more = f" So do {len(lines) - 1:,} more lines." if len(lines) > 1 else ""
    return UnreadableFileError(
        f"{path}: line {lines['line'][0]} {what}: {text[:80]!r}{'…' if len(text) > 80 else ''}.{more} An edge list "
        "has a line 'follower followee [weight [time]]' an edge, separated by commas, or by tabs or blanks."
    )


# --- weights -------------------------------------------------------------------------------------------------------


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


def _weight_position(
    path: Path, edges: pl.DataFrame, header: list[str], weight_column: int | str, *, required: bool
) -> int | None:
    width = _width(edges)
    found = ", ".join(header) if header else f"{width} columns without names"
    if isinstance(weight_column, str):
        if weight_column.strip().lower() not in header[2:]:
            raise UnreadableFileError(f"{path}: has no weight column '{weight_column}' (found: {found}).")
        return header.index(weight_column.strip().lower(), 2) + 1
    if weight_column == 3 and (width < 3 or (header and header[2] in _TIMES)):
        if required:
            raise UnreadableFileError(
                f"{path}: has no weights (found: {found}), so weight_above has nothing to compare. Leave it out."
            )
        return None
    if not 3 <= weight_column <= width:
        raise UnreadableFileError(f"{path}: has no column {weight_column} for weights (found: {found}); give 3 or 4.")
    return weight_column


def _decimals(path: Path, edges: pl.DataFrame, column: str) -> pl.Series:
    """The weights as exact decimals; the same few values come again and again, so each is converted once."""
    wrong = edges.filter(~pl.col(column).str.contains(_WEIGHT))
    if len(wrong):
        raise _bad_lines(path, wrong, "has no number as its weight")
    texts = edges[column].unique()
    values = [Decimal(text) for text in texts.to_list()]
    places = max(0, *(-int(value.as_tuple().exponent) for value in values))
    if places + max(value.adjusted() + 1 for value in values) > _DIGITS:
        raise UnreadableFileError(f"{path}: the weights need more than {_DIGITS} digits and cannot be held exactly.")
    exact = pl.Series(values, dtype=pl.Decimal(_DIGITS, places))
    return edges[column].replace_strict(texts, exact, return_dtype=exact.dtype)
