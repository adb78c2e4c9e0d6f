"""The wide form of votes: one row a ballot, one column a choice."""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import numpy as np
import polars as pl

from crowdvote_analysis.errors import InvalidElectionError
from crowdvote_analysis.star.ballots import Ballots
from crowdvote_analysis.star.checks import quoted, refuse, refuse_kind, require_frame, text_ids, units_of
from crowdvote_analysis.star.shapes import distinct
from crowdvote_analysis.star.units import FIVE_STARS, MOST_STARS, parse_stars
from crowdvote_analysis.star.votes import check_choices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_IDS = ("decision_id", "member_id")
_TABLE = "ballots"


class Sheet(NamedTuple):
    """A wide frame, looked through: the ids that it has, as text, and a column of stars for each choice."""

    ids: pl.DataFrame
    choices: tuple[str, ...]
    stars: list[pl.Series]


def sheet_of(ballots: pl.DataFrame, choices: Sequence[str] | None) -> Sheet:
    """Tell ids from choices.

    Args:
        ballots: One row a ballot.
        choices: The columns that are choices; by default all but ``decision_id`` and ``member_id``.

    Raises:
        InvalidElectionError: A column is not there, an id is missing or of a wrong type, a member has two rows in a
            decision, or there is nothing to tally.
    """
    require_frame(ballots, _TABLE)
    if choices is not None:
        check_choices(choices)
    names = [name for name in ballots.columns if name not in _IDS] if choices is None else list(choices)
    missing = [name for name in names if name not in ballots.columns]
    if missing:
        raise InvalidElectionError(
            f"ballots: no column {quoted(missing)} (columns found: {quoted(ballots.columns)}). "
            "One column a choice is needed, named by its id."
        )
    if not names or ballots.is_empty():
        nothing = "no ballots" if names else "no ballots and no choices" if ballots.is_empty() else "no choices"
        raise InvalidElectionError(f"ballots: {nothing}, so there is nothing to tally (rule K9).")
    ids = text_ids(ballots.select(name for name in _IDS if name in ballots.columns), _TABLE)
    _refuse_ids(ids)
    # Renamed: expressions would take a choice called "*" or "^B.*$" for a pattern, and so do methods of series.
    stars = [ballots[name].alias("stars") for name in names]
    for name, column in zip(names, stars, strict=True):
        refuse_kind(column.dtype, f"ballots, column '{name}'")
    return Sheet(ids, tuple(names), [column.cast(pl.UInt8) if column.dtype == pl.Null else column for column in stars])


def read_block(sheet: Sheet) -> Ballots:
    """Gather the ballots of one election.

    Args:
        sheet: The ballots; null is a choice that was not rated, and a row without any stars is no ballot (D5).

    Raises:
        InvalidElectionError: Stars that cannot be counted (D10, K9).
    """
    rows, block, five = _gathered(sheet)
    members = sheet.ids["member_id"] if "member_id" in sheet.ids.columns else None
    return Ballots(sheet.choices, block, five, members if members is None or rows is None else members.gather(rows))


def read_blocks(sheet: Sheet, *, all_choices: bool) -> dict[str, Ballots]:
    """Gather the ballots of many decisions.

    Args:
        sheet: The ballots, with ``decision_id``.
        all_choices: Whether every column is a choice of every decision, or only of those in which somebody rated it.

    Returns:
        The ballots by decision id, sorted; a decision without any stars has no ballots.

    Raises:
        InvalidElectionError: As `read_block`, and when rows do not say which decision they belong to.
    """
    if "decision_id" not in sheet.ids.columns:
        raise InvalidElectionError("ballots: a column decision_id is needed, to say whose ballots these are.")
    given, block, five = _gathered(sheet)
    rows = np.arange(block.shape[1]) if given is None else given
    names = sheet.ids["decision_id"].unique().sort()
    number = pl.DataFrame({"name": names}).with_row_index("number")
    of_row = sheet.ids.join(number, left_on="decision_id", right_on="name", how="left", maintain_order="left")["number"]
    decision = of_row.gather(rows).to_numpy()
    if (np.diff(decision.astype(np.int64)) < 0).any():
        order = np.argsort(decision, kind="stable")
        rows, block, decision = rows[order], block[:, order], decision[order]
    members = sheet.ids["member_id"].gather(rows) if "member_id" in sheet.ids.columns else None
    starts = np.searchsorted(decision, np.arange(len(names) + 1)).tolist()
    rated = _rated(sheet, rows, starts)
    found = {}
    for place, name in enumerate(names):
        first, last = starts[place], starts[place + 1]
        kept = [choice for choice in range(len(sheet.choices)) if all_choices or rated[choice][place]]
        own = block[:, first:last]
        found[name] = Ballots(
            tuple(sheet.choices[choice] for choice in kept),
            own if len(kept) == len(block) else own[kept],
            five,
            None if members is None else members.slice(first, last - first),
        )
    return found


def _rated(sheet: Sheet, rows: NDArray[Any], starts: list[int]) -> list[list[bool]]:
    """Whether somebody rated the choice, by choice and decision."""
    counts = [np.concatenate([[0], np.cumsum(column.is_not_null().to_numpy()[rows])])[starts] for column in sheet.stars]
    return [(np.diff(count) > 0).tolist() for count in counts]


def _gathered(sheet: Sheet) -> tuple[NDArray[Any] | None, NDArray[Any], int]:
    """The numbers of the rows that are ballots (``None`` for all), their stars by choice, and what five stars are."""
    rows, columns = None, sheet.stars
    if all(column.null_count() for column in columns):
        rows = np.flatnonzero(~reduce(and_, [column.is_null().to_numpy() for column in columns]))
        columns = [column.gather(rows) for column in columns]
    whole = all(column.dtype.is_integer() for column in columns)
    block = np.empty((len(columns), len(columns[0])), dtype=np.uint8 if whole else np.uint32)
    for place, column in enumerate(columns):
        units = (_whole if whole else _units)(column)
        if units is None:
            _refuse_cells(sheet)
        block[place] = units
    return rows, block, MOST_STARS if whole else FIVE_STARS


def _whole(column: pl.Series) -> NDArray[Any] | None:
    """Whole stars, 0 for a null; ``None`` when some are outside 0 to 5."""
    if column.dtype in (pl.Int128, pl.UInt128):  # unknown to numpy
        column = column.clip(-1, MOST_STARS + 1).cast(pl.Int8)
    stars = (column.fill_null(0) if column.null_count() else column).to_numpy()
    return stars if not len(stars) or (stars.min() >= 0 and stars.max() <= MOST_STARS) else None


def _units(column: pl.Series) -> NDArray[Any] | None:
    """Stars in units of 1e-8, 0 for a null; ``None`` when some cannot be counted."""
    given = units_of(column.drop_nulls().to_frame("stars"), _TABLE)
    if given is None:
        return None
    units = np.zeros(len(column), dtype=np.uint32)
    units[column.is_not_null().to_numpy()] = given.to_numpy()
    return units


def _refuse_ids(ids: pl.DataFrame) -> None:
    for name in ids.columns:
        missing = ids[name].null_count()
        if missing:
            rows = "1 row has" if missing == 1 else f"{missing:,} rows have"
            raise InvalidElectionError(f"ballots: {rows} no {name} (null). Fill it in, or drop the column.")
    if "member_id" in ids.columns and not distinct(ids):
        twice = np.flatnonzero(ids.is_duplicated().to_numpy()) + 1
        raise InvalidElectionError(
            f"ballots: {len(twice):,} rows share their member with another row (first: rows "
            f"{', '.join(str(row) for row in twice[:3])}). A member has one ballot; keep one of them."
        )


def _refuse_cells(sheet: Sheet) -> NoReturn:
    """Name the cells that cannot be counted, as rows of a long table; words are not shown, they may be names (P1)."""
    cells = pl.concat(
        [
            pl.DataFrame({"stars": column.cast(pl.String)}).select(
                pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias("row"), pl.lit(name).alias("choice_id"), "stars"
            )
            for name, column in zip(sheet.choices, sheet.stars, strict=True)
        ]
    ).drop_nulls("stars")
    texts = cells["stars"].unique()
    told = [text if parse_stars(text)[1] != "not_a_number" else "(no number)" for text in texts]
    cells = cells.with_columns(pl.col("stars").replace_strict(texts, pl.Series(told, dtype=pl.String)))
    refuse(cells.with_columns(member_id=pl.col("row").cast(pl.String)).sort("row"), _TABLE, None)
