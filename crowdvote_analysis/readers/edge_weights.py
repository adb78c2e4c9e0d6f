"""The weights of edges."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.errors import UnreadableFileError
from crowdvote_analysis.readers.edge_lines import bad_lines, note

if TYPE_CHECKING:
    from pathlib import Path

TIMES = ("time", "timestamp", "unixts", "date")
# What other programs keep beside an edge (Gephi, an index of pandas or R), and our own table of followings.
ASIDE = ("", "unnamed: 0", "index", "type", "id", "label", "interval", "community_id", "tags", "order")
_WEIGHTS = ("weight", "rating", "trust", "sign", "value", "strength", "score")
_WEIGHT = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?$"
_DIGITS = 38


def weight_position(
    path: Path, others: list[int], names: list[str], weight_column: int | str, *, required: bool
) -> int | None:
    """Which of the other columns holds the weight, counted from 0."""
    found = ", ".join(names) if names else f"{len(others) + 2} columns without names"
    if isinstance(weight_column, str):
        named = [position for position in others if names and names[position] == weight_column.strip().lower()]
        if not named:
            raise UnreadableFileError(f"{path}: has no weight column '{weight_column}' (found: {found}).")
        return named[0]
    if weight_column != 3:
        if weight_column - 1 not in others:
            may = " or ".join(str(position + 1) for position in others)
            raise UnreadableFileError(
                f"{path}: has no column {weight_column} for weights (found: {found}){f'; give {may}' if may else ''}."
            )
        return weight_column - 1
    called = [position for position in others if names and names[position] in _WEIGHTS]
    left = [position for position in others[:1] if not names or names[position] not in (*TIMES, *ASIDE)]
    if not (called or left) and required:
        raise UnreadableFileError(
            f"{path}: has no weights (found: {found}), so weight_above has nothing to compare. Leave it out."
        )
    return next(iter(called or left), None)


def decimals(path: Path, edges: pl.DataFrame, column: str) -> pl.Series:
    """The weights as exact decimals; the same few values come again and again, so each is converted once."""
    wrong = edges.filter(~pl.col(column).str.contains(_WEIGHT))
    if len(wrong):
        raise bad_lines(path, wrong, "has no number as its weight")
    texts = edges[column].unique()
    values = [Decimal(text) for text in texts.to_list()]
    places = max(0, *(-int(value.as_tuple().exponent) for value in values))
    if places + max(value.adjusted() + 1 for value in values) > _DIGITS:
        raise UnreadableFileError(f"{path}: the weights need more than {_DIGITS} digits and cannot be held exactly.")
    exact = pl.Series(values, dtype=pl.Decimal(_DIGITS, places))
    return edges[column].replace_strict(texts, exact, return_dtype=exact.dtype)


def note_weights(path: Path, network: pl.DataFrame, *, named: bool, compared: bool) -> None:
    """Say what weights may mean that nobody asked about."""
    below = int((network["weight"] < 0).sum())
    if below and not compared:
        note(
            path,
            f"{below:,} edges have a weight below 0, as distrust has, and are followings like the others. "
            "--weight-above 0 leaves them out.",
        )
    weights = network["weight"].unique().cast(pl.String)
    ids = pl.concat([network["follower_id"], network["followee_id"].alias("follower_id")]).unique()
    if not named and weights.is_in(ids.implode()).all() and 2 * len(weights) >= len(ids):
        note(
            path,
            "the third column is read as the weight, and all its values are ids, too. If it names members who are "
            "followed, write a line for each of them.",
        )
