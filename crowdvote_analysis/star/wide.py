"""The wide form of votes: one row a ballot, one column a choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import polars as pl

from crowdvote_analysis.errors import InvalidElectionError
from crowdvote_analysis.star.ballots import Ballots
from crowdvote_analysis.star.checks import quoted, refuse, text_ids, units_of
from crowdvote_analysis.star.shapes import distinct
from crowdvote_analysis.star.units import FIVE_STARS, MOST_STARS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_IDS = ("decision_id", "member_id")


def choice_columns(ballots: pl.DataFrame, choices: Sequence[str] | None) -> list[str]:
    """The columns that are choices: those asked for, else all but ``decision_id`` and ``member_id``.

    Raises:
        InvalidElectionError: One that was asked for is not there, or nothing is left to tally.
    """
    columns = [name for name in ballots.columns if name not in _IDS] if choices is None else list(choices)
    missing = [name for name in columns if name not in ballots.columns]
    if missing:
        raise InvalidElectionError(
            f"ballots: no column {quoted(missing)} (columns found: {quoted(ballots.columns)}). "
            "One column a choice is needed, named by its id."
        )
    if not columns or ballots.is_empty():
        nothing = "no ballots" if columns else "no ballots and no choices" if ballots.is_empty() else "no choices"
        raise InvalidElectionError(f"ballots: {nothing}, so there is nothing to tally (rule K9).")
    return columns


def read_block(ballots: pl.DataFrame, columns: Sequence[str]) -> Ballots:
    """Gather the ballots of one election from the wide form.

    Args:
        ballots: One row a ballot: ``columns`` with stars, null for a missing choice, and ``member_id`` if known. A row
            without any stars is no ballot (D5).
        columns: The choices, in display order.

    Raises:
        InvalidElectionError: Stars that cannot be counted (D10, K9), or a member with two rows.
    """
    given, stars, five = _gathered(ballots, columns)
    return Ballots(tuple(columns), stars, five, _members(given))


def read_blocks(ballots: pl.DataFrame, choices: Sequence[str] | None) -> dict[str, Ballots]:
    """Gather the ballots of many decisions from the wide form.

    Args:
        ballots: As for `read_block`, with ``decision_id``.
        choices: The choices of every decision; by default a column is a choice of the decisions in which it has stars.

    Returns:
        The ballots by decision id, sorted; a decision without any stars has no ballots.

    Raises:
        InvalidElectionError: As `read_block`, and when some rows do not say which decision they belong to.
    """
    columns = choice_columns(ballots, choices)
    if "decision_id" not in ballots.columns or ballots["decision_id"].null_count():
        raise InvalidElectionError(
            "ballots: a column decision_id is needed, filled in every row: whose ballots are these?"
        )
    ballots = ballots.with_columns(pl.col("decision_id").cast(pl.String))
    if not ballots["decision_id"].is_sorted():
        ballots = ballots.sort("decision_id", maintain_order=True)
    given, stars, five = _gathered(ballots, columns)
    members = _members(given)
    rated = ballots.group_by("decision_id").agg(pl.col(columns).count() > 0).sort("decision_id")
    counts = dict(given.group_by("decision_id").len().iter_rows())
    found, first = {}, 0
    for decision, *has in rated.iter_rows():
        kept = [row for row, rates in enumerate(has) if rates or choices is not None]
        count = counts.get(decision, 0)
        own = stars[:, first : first + count]
        block = own if len(kept) == len(columns) else own[kept]
        whose = None if members is None else members.slice(first, count)
        found[decision] = Ballots(tuple(columns[row] for row in kept), block, five, whose)
        first += count
    return found


def _gathered(ballots: pl.DataFrame, columns: Sequence[str]) -> tuple[pl.DataFrame, NDArray[Any], int]:
    """The rows that are ballots, their stars by choice, and what five stars are among them."""
    _refuse_repeated(ballots)
    ballots = ballots.with_columns(pl.col(pl.Null).cast(pl.UInt8))
    given = ballots
    if all(ballots[name].null_count() for name in columns):
        given = ballots.filter(~pl.all_horizontal(pl.col(columns).is_null()))
    whole = all(given.schema[name].is_integer() for name in columns)
    stars = _whole(given, columns) if whole else _units(given, columns)
    if stars is None:
        _refuse_cells(ballots, columns)
    return given, stars, MOST_STARS if whole else FIVE_STARS


def _members(ballots: pl.DataFrame) -> pl.Series | None:
    return ballots["member_id"].cast(pl.String) if "member_id" in ballots.columns else None


def _whole(ballots: pl.DataFrame, columns: Sequence[str]) -> NDArray[Any] | None:
    """Whole stars as they are; ``None`` when some are outside 0 to 5."""
    stars = np.zeros((len(columns), len(ballots)), dtype=np.uint8)
    for row, name in enumerate(columns):
        own = ballots[name]
        lowest, highest = own.min(), own.max()
        if lowest is not None:
            if lowest < 0 or highest > MOST_STARS:  # type: ignore[operator]
                return None
            stars[row] = (own.fill_null(0) if own.null_count() else own).to_numpy()
    return stars


def _units(ballots: pl.DataFrame, columns: Sequence[str]) -> NDArray[Any] | None:
    """Stars in units of 1e-8; ``None`` when some cannot be counted."""
    stars = np.zeros((len(columns), len(ballots)), dtype=np.uint32)
    for row, name in enumerate(columns):
        own = ballots[name]
        units = units_of(own.drop_nulls().to_frame("stars"), "ballots")
        if units is None:
            return None
        stars[row, own.is_not_null().to_numpy()] = units.to_numpy()
    return stars


def _refuse_repeated(ballots: pl.DataFrame) -> None:
    ids = [name for name in _IDS if name in ballots.columns]
    if "member_id" not in ids:
        return
    missing = ballots["member_id"].null_count()
    if missing:
        raise InvalidElectionError(
            f"ballots: {missing:,} rows have no member_id (null). Fill it in, or drop the column."
        )
    if not distinct(ballots.select(ids)):
        rows = ballots.with_row_index("row", offset=1).filter(pl.struct(ids).is_duplicated())["row"]
        raise InvalidElectionError(
            f"ballots: {len(rows):,} rows share their member with another row (first: rows "
            f"{', '.join(str(row) for row in rows.head(3))}). A member has one ballot; keep one of them."
        )


def _refuse_cells(ballots: pl.DataFrame, columns: Sequence[str]) -> NoReturn:
    """Name the cells that cannot be counted, as rows of a long table."""
    cells = (
        ballots.select(pl.col(columns).cast(pl.String))
        .with_row_index("row", offset=1)
        .unpivot(index="row", variable_name="choice_id", value_name="stars")
        .drop_nulls("stars")
        .with_columns(member_id=pl.col("row"))
        .sort("row")
    )
    refuse(text_ids(cells, "ballots"), "ballots", None)
