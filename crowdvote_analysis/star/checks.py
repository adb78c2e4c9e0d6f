"""Rows of votes checked one by one, and their stars turned into whole units of 1e-8 star (rules D10 and K9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import polars as pl

from crowdvote_analysis.errors import InvalidElectionError
from crowdvote_analysis.star.units import (
    FIVE_STARS,
    MOST_STARS,
    NOT_A_NUMBER,
    OUT_OF_RANGE,
    PLACES,
    TOO_FINE,
    UNITS_PER_STAR,
    parse_stars,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_KEYS = ("decision_id", "member_id", "choice_id")
_SHOWN = 3
_NO_STARS = "no_stars"
_SENTENCES = {
    _NO_STARS: "no stars (null)",
    NOT_A_NUMBER: "stars that are not a number",
    OUT_OF_RANGE: f"stars outside 0 to {MOST_STARS} (rule K9)",
    TOO_FINE: f"stars with more than {PLACES} decimals (rule D10)",
}


def require_frame(rows: object, table: str) -> None:
    """Refuse what is no frame.

    Raises:
        InvalidElectionError: It is something else, such as a query that has not run yet.
    """
    if not isinstance(rows, pl.DataFrame):
        way_out = "Collect it first: .collect()." if isinstance(rows, pl.LazyFrame) else "Give a polars DataFrame."
        raise InvalidElectionError(f"{table}: expected a polars DataFrame, got {type(rows).__name__}. {way_out}")


def text_ids(rows: pl.DataFrame, table: str) -> pl.DataFrame:
    """Rows of votes with their ids as text.

    Args:
        rows: ``member_id``, ``choice_id``, ``decision_id`` if there are several, and further columns.
        table: What the rows are called in error texts.

    Raises:
        InvalidElectionError: An id is neither text nor a whole number.
    """
    for name in _keys(rows):
        kind = rows.schema[name]
        if not (_is_text(kind) or kind.is_integer()):
            raise InvalidElectionError(f"{table}: {name} must be text, not {kind}. Cast it: .cast(pl.String).")
    return rows.with_columns(pl.col(_keys(rows)).cast(pl.String))


def units_of(rows: pl.DataFrame, table: str) -> pl.Series | None:
    """Turn the column ``stars`` into units of 1e-8 star, exactly.

    Args:
        rows: Rows of votes, ids as text.
        table: What the rows are called in error texts.

    Returns:
        The units as Int64; ``None`` when some stars or ids are missing, or some stars cannot be counted: `refuse` says
        which.

    Raises:
        InvalidElectionError: The column is of a type that cannot hold stars exactly (D10).
    """
    kind = rows.schema["stars"]
    refuse_kind(kind, table)
    units = (
        _graded_texts(rows)["units"] if _read_as_text(kind) else rows.select(_units(kind).alias("units")).to_series()
    )
    lowest, highest = units.min(), units.max()
    sound = lowest is None or (lowest >= 0 and highest <= FIVE_STARS)  # type: ignore[operator]
    missing = units.null_count() + sum(rows[name].null_count() for name in _keys(rows))
    return units if sound and not missing else None


def refuse(rows: pl.DataFrame, table: str, choices: pl.DataFrame | None) -> NoReturn:
    """Say what is wrong with rows of votes.

    Args:
        rows: Rows of votes, ids as text, of which something is wrong; ``row`` is their number where they are part of
            a larger table.
        table: What the rows are called in error texts.
        choices: ``decision_id`` and ``choice_id`` of the choices there are; ``None`` for any.

    Raises:
        InvalidElectionError: Nulls, stars outside 0 to 5 or with more than 8 decimals, a choice that is not among
            ``choices``, or two rows for the same member and choice. Rows are named by their number, counted from 1:
            this room does not know which members are anonymous (P1).
    """
    numbered = rows if "row" in rows.columns else rows.with_row_index("row", offset=1)
    problems = _row_problems(_graded(numbered), choices)
    assert problems, "rows were refused for no reason"
    raise InvalidElectionError(
        f"{table}: {'; '.join(problems)}. Correct or leave out these rows; a missing choice counts 0."
    )


def quoted(names: Sequence[str]) -> str:
    """Write names for an error text: quoted, the first five of them."""
    shown = ", ".join(f"'{name}'" for name in names[:5])
    return f"{shown}, … ({len(names)} in all)" if len(names) > 5 else shown


def _keys(rows: pl.DataFrame) -> list[str]:
    return [name for name in _KEYS if name in rows.columns]


def refuse_kind(kind: pl.DataType, table: str) -> None:
    """Refuse a type of column that cannot hold stars exactly (D10)."""
    if kind.is_float():
        raise InvalidElectionError(
            f"{table}: stars are binary floats ({kind}), which cannot hold most fractions exactly (rule D10). "
            "Cast them first: .cast(pl.Int64) if they are whole, .cast(pl.Decimal(9, 8)) to round them to 8 decimals, "
            "or read the column as text (pl.String)."
        )
    if not (kind.is_integer() or kind.is_decimal() or _is_text(kind) or kind == pl.Null):
        raise InvalidElectionError(
            f"{table}: stars must be whole numbers, Decimal or text, not {kind}. "
            "Cast them: .cast(pl.Int64), .cast(pl.Decimal(9, 8)) or .cast(pl.String)."
        )


def _read_as_text(kind: pl.DataType) -> bool:
    """Whether stars go through text: polars would round a ninth decimal away without a word."""
    return _is_text(kind) or (isinstance(kind, pl.Decimal) and kind.scale > PLACES)


def _units(kind: pl.DataType) -> pl.Expr:
    """The column ``stars`` in units; null or far outside where it does not fit."""
    stars = pl.col("stars")
    if kind.is_integer():
        return stars.cast(pl.Int64, strict=False).clip(-1, MOST_STARS + 1).mul(UNITS_PER_STAR)
    # Widened to 8 decimals the physical integers are the units.
    return stars.cast(pl.Decimal(38, PLACES), strict=False).to_physical().cast(pl.Int64, strict=False)


def _graded(rows: pl.DataFrame) -> pl.DataFrame:
    """Add ``fault``: why the stars of a row cannot be counted, else null."""
    kind = rows.schema["stars"]
    if _read_as_text(kind):
        return _graded_texts(rows)
    # A number too large for its units is null among them, and outside as well.
    inside = _units(kind).is_between(0, FIVE_STARS).fill_null(value=False)
    missing = pl.when(pl.col("stars").is_null()).then(pl.lit(_NO_STARS))
    return rows.with_columns(missing.when(~inside).then(pl.lit(OUT_OF_RANGE)).alias("fault"))


def _graded_texts(rows: pl.DataFrame) -> pl.DataFrame:
    # Every text once through Python's Decimal.
    rows = rows.with_columns(pl.col("stars").cast(pl.String))
    texts = rows.get_column("stars").drop_nulls().unique()
    parsed = [parse_stars(text) for text in texts]
    grades = pl.DataFrame(
        {"stars": texts, "units": [units for units, _ in parsed], "fault": [fault for _, fault in parsed]},
        schema={"stars": pl.String, "units": pl.Int64, "fault": pl.String},
    )
    return rows.join(grades, on="stars", how="left", maintain_order="left").with_columns(
        pl.when(pl.col("stars").is_null()).then(pl.lit(_NO_STARS)).otherwise("fault").alias("fault")
    )


def _row_problems(rows: pl.DataFrame, choices: pl.DataFrame | None) -> list[str]:
    bad = {f"no {name} (null)": rows.filter(pl.col(name).is_null()) for name in _keys(rows)}
    bad |= {sentence: rows.filter(pl.col("fault") == fault) for fault, sentence in _SENTENCES.items()}
    if choices is not None:
        pair = [name for name in _keys(rows) if name != "member_id"]
        unknown = rows.filter(pl.col("choice_id").is_not_null()).join(
            choices, on=pair, how="anti", maintain_order="left"
        )
        bad["a choice that is not among the choices of the decision"] = unknown
    whole = rows.drop_nulls(_keys(rows))
    bad["stars for the same member and choice more than once"] = whole.filter(pl.struct(_keys(rows)).is_duplicated())
    return [_described(found, sentence) for sentence, found in bad.items() if found.height]


def _described(rows: pl.DataFrame, sentence: str) -> str:
    first = rows.sort("row").head(_SHOWN).select("row", "choice_id", pl.col("stars").cast(pl.String)).rows()
    described = "; ".join(
        f"row {row}, choice {'null' if choice is None else repr(choice)}, stars {'null' if stars is None else stars}"
        for row, choice, stars in first
    )
    return f"{rows.height:,} row{'' if rows.height == 1 else 's'} with {sentence} (first: {described})"


def _is_text(kind: pl.DataType) -> bool:
    return isinstance(kind, pl.String | pl.Categorical | pl.Enum)
