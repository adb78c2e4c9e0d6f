"""Rows of votes checked one by one, and their stars turned into whole units of 1e-8 star (rules D10 and K9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

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

KEYS = ("decision_id", "member_id", "choice_id")
_SHOWN = 3
_NO_STARS = "no_stars"
_SENTENCES = {
    _NO_STARS: "no stars (null)",
    NOT_A_NUMBER: "stars that are not a number",
    OUT_OF_RANGE: f"stars outside 0 to {MOST_STARS} (rule K9)",
    TOO_FINE: f"stars with more than {PLACES} decimals (rule D10)",
}


def check_votes(rows: pl.DataFrame, table: str, choices: Sequence[str] | pl.DataFrame | None) -> pl.DataFrame:
    """Check rows of votes, of one or many decisions, and turn their stars into units.

    Args:
        rows: Columns ``row`` (its number, for error texts), ``decision_id``, ``member_id``, ``choice_id``, ``stars``.
        table: What the rows are called in error texts.
        choices: The choices there are: ids, or a frame with ``decision_id`` and ``choice_id``; ``None`` for any.

    Returns:
        Columns ``decision_id``, ``member_id``, ``choice_id`` as text, and ``units`` Int64 of 1e-8 star, not null.

    Raises:
        InvalidElectionError: Ids or stars of a wrong type, nulls, stars outside 0 to 5 or with more than 8 decimals,
            a choice that is not among ``choices``, or two rows for the same member and choice. Rows are named by their
            number: this room does not know which members are anonymous (P1).
    """
    if rows.is_empty():
        return pl.DataFrame(schema={**dict.fromkeys(KEYS, pl.String), "units": pl.Int64})
    graded = _with_units(_with_text_ids(rows, table), table)
    problems = _row_problems(graded, choices)
    if problems:
        raise InvalidElectionError(
            f"{table}: {'; '.join(problems)}. Correct or leave out these rows; a missing choice counts 0."
        )
    return graded.select(*KEYS, "units")


def quoted(names: Sequence[str]) -> str:
    """Write names for an error text: quoted, the first five of them."""
    shown = ", ".join(f"'{name}'" for name in names[:5])
    return f"{shown}, … ({len(names)} in all)" if len(names) > 5 else shown


def _with_text_ids(rows: pl.DataFrame, table: str) -> pl.DataFrame:
    for name in KEYS:
        kind = rows.schema[name]
        if not (_is_text(kind) or kind.is_integer()):
            raise InvalidElectionError(f"{table}: {name} must be text, not {kind}. Cast it: .cast(pl.String).")
    return rows.with_columns(pl.col(KEYS).cast(pl.String))


def _with_units(rows: pl.DataFrame, table: str) -> pl.DataFrame:
    """Add ``units`` (Int64, null where the stars are bad) and ``fault`` (why they are, else null)."""
    kind = rows.schema["stars"]
    stars = pl.col("stars")
    if isinstance(kind, pl.Decimal) and kind.scale <= PLACES:
        # Widened to 8 decimals the physical integers are the units; what does not fit is far outside 0 to 5.
        units = stars.cast(pl.Decimal(38, PLACES), strict=False).to_physical().cast(pl.Int64, strict=False)
    elif kind.is_integer():
        units = stars.cast(pl.Int64, strict=False).clip(-1, MOST_STARS + 1) * UNITS_PER_STAR
    elif _is_text(kind) or isinstance(kind, pl.Decimal):
        return _with_units_of_text(rows.with_columns(stars.cast(pl.String)))
    elif kind.is_float():
        raise InvalidElectionError(
            f"{table}: stars are binary floats ({kind}), which cannot hold most fractions exactly (rule D10). "
            "Cast them first: .cast(pl.Int64) if they are whole, .cast(pl.Decimal(9, 8)) to round them to 8 decimals, "
            "or read the column as text (pl.String)."
        )
    elif kind == pl.Null:
        units = pl.lit(None, dtype=pl.Int64)
    else:
        raise InvalidElectionError(
            f"{table}: stars must be whole numbers, Decimal or text, not {kind}. "
            "Cast them: .cast(pl.Int64), .cast(pl.Decimal(9, 8)) or .cast(pl.String)."
        )
    inside = units.is_between(0, FIVE_STARS)
    return rows.with_columns(
        units.alias("units"),
        pl.when(stars.is_null())
        .then(pl.lit(_NO_STARS))
        .when(inside.fill_null(value=False).not_())
        .then(pl.lit(OUT_OF_RANGE))
        .alias("fault"),
    )


def _with_units_of_text(rows: pl.DataFrame) -> pl.DataFrame:
    # Every text once through Python's Decimal: polars would round a ninth decimal away without a word.
    texts = rows.get_column("stars").drop_nulls().unique()
    parsed = [parse_stars(text) for text in texts]
    grades = pl.DataFrame(
        {"stars": texts, "units": [units for units, _ in parsed], "fault": [fault for _, fault in parsed]},
        schema={"stars": pl.String, "units": pl.Int64, "fault": pl.String},
    )
    return rows.join(grades, on="stars", how="left", maintain_order="left").with_columns(
        pl.when(pl.col("stars").is_null()).then(pl.lit(_NO_STARS)).otherwise("fault").alias("fault")
    )


def _row_problems(rows: pl.DataFrame, choices: Sequence[str] | pl.DataFrame | None) -> list[str]:
    bad = {f"no {name} (null)": rows.filter(pl.col(name).is_null()) for name in ("member_id", "choice_id")}
    faulty = rows.filter(pl.col("fault").is_not_null())
    if faulty.height:
        bad |= {sentence: faulty.filter(pl.col("fault") == fault) for fault, sentence in _SENTENCES.items()}
    if choices is not None:
        named = rows.filter(pl.col("choice_id").is_not_null())
        if isinstance(choices, pl.DataFrame):
            unknown = named.join(choices, on=["decision_id", "choice_id"], how="anti", maintain_order="left")
        else:
            unknown = named.filter(pl.col("choice_id").is_in(list(choices)).not_())
        bad["a choice that is not among the choices of the decision"] = unknown
    bad["stars for the same member and choice more than once"] = _repeated(rows)
    return [_described(found, sentence) for sentence, found in bad.items() if found.height]


def _repeated(rows: pl.DataFrame) -> pl.DataFrame:
    sizes = rows.lazy().group_by(KEYS).agg(pl.len().alias("size")).filter(pl.col("size") > 1)
    repeated = sizes.drop_nulls().collect(engine="streaming")
    # Looking for the rows themselves is worth its time only when there are some.
    return rows.join(repeated, on=KEYS, how="semi") if repeated.height else rows.clear()


def _described(rows: pl.DataFrame, sentence: str) -> str:
    first = rows.sort("row").head(_SHOWN).select("row", "choice_id", pl.col("stars").cast(pl.String)).rows()
    described = "; ".join(
        f"row {row}, choice {'null' if choice is None else repr(choice)}, stars {'null' if stars is None else stars}"
        for row, choice, stars in first
    )
    return f"{rows.height:,} row{'' if rows.height == 1 else 's'} with {sentence} (first: {described})"


def _is_text(kind: pl.DataType) -> bool:
    return isinstance(kind, pl.String | pl.Categorical | pl.Enum)
