"""Counted votes as somebody gives them → whole numbers that a criterion can be tested on, or a clear error."""

from __future__ import annotations

import polars as pl

from crowdvote_analysis.errors import InvalidElectionError
from crowdvote_analysis.tables import MOST_VOTES, YES_NO_METHODS
from crowdvote_analysis.thresholds import DEFAULT, threshold_parts

VOTES = ("yes", "no", "abstain")
PLACES = 9

_OPTIONS = {"threshold": pl.String, "quorum": pl.Int64, "decisive_only": pl.Boolean}
_NEEDED = ("decision_id", "method", "required", *VOTES)


def in_units(counts: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Check counts, and turn them into whole numbers.

    Args:
        counts: As for ``outcomes``.

    Returns:
        The rows in their order: method; required, yes, no, abstain, quorum (Int128, in units; the quorum that applies,
        0 for none), threshold (text), numerator and denominator (Int128), decisive_only. And how many units a vote has:
        1, or 10**9 where votes are Decimal.

    Raises:
        InvalidElectionError: Something is missing, or is no count.
    """
    _refuse_columns(counts)
    given = counts.with_columns(
        pl.lit(None, dtype=dtype).alias(name) for name, dtype in _OPTIONS.items() if name not in counts.columns
    ).with_columns(
        pl.col("method").cast(pl.String),
        pl.col("threshold").cast(pl.String).fill_null(DEFAULT).str.replace_all(r"\s", ""),
        pl.col("decisive_only").cast(pl.Boolean).fill_null(value=False),
    )
    numerator, denominator = threshold_parts(pl.col("threshold"))
    _refuse_rows(given, numerator)
    scale = 10**PLACES if any(counts.schema[name].is_decimal() for name in VOTES) else 1
    whole = pl.col("required", "quorum").cast(pl.Int128) * pl.lit(scale, dtype=pl.Int128)
    votes = pl.col(VOTES)
    if scale > 1:
        votes = votes.cast(pl.Decimal(38, PLACES)).to_physical()
    units = given.select("method", "threshold", "decisive_only", whole, votes.cast(pl.Int128))
    default = pl.when(pl.col("method") == "unanimity").then("required").otherwise(pl.lit(0, dtype=pl.Int128))
    return units.with_columns(
        pl.col("quorum").fill_null(default),
        numerator=numerator.cast(pl.Int128),
        denominator=denominator.cast(pl.Int128),
    ), scale


def _refuse_columns(counts: pl.DataFrame) -> None:
    missing = [name for name in _NEEDED if name not in counts.columns]
    if missing:
        raise InvalidElectionError(
            f"counts: the column {missing[0]} is missing. Give the columns {', '.join(_NEEDED)}; "
            f"{', '.join(_OPTIONS)} are optional."
        )
    for name in ("required", "quorum", *VOTES):
        kind = counts.schema.get(name, pl.Null())
        if kind.is_integer() or (kind.is_decimal() and name in VOTES) or (kind == pl.Null and name == "quorum"):
            continue
        exact = "an integer or a Decimal" if name in VOTES else "an integer"
        raise InvalidElectionError(
            f"counts: {name} has the type {kind}; give {exact}, as nothing is counted in floats."
        )
    if counts.schema.get("decisive_only", pl.Null()) not in (pl.Boolean, pl.Null):
        raise InvalidElectionError(
            f"counts: decisive_only has the type {counts.schema['decisive_only']}; give Booleans."
        )


def _refuse_rows(given: pl.DataFrame, threshold: pl.Expr) -> None:
    """Stop at the first rule that a row breaks."""
    numbers = ["required", *VOTES]
    fine = [pl.col(name) for name in VOTES if given.schema[name].is_decimal()]
    rules = {
        "a number that is missing": (pl.any_horizontal(pl.col(numbers).is_null()), numbers),
        "a method that is none of " + ", ".join(YES_NO_METHODS): (
            ~pl.col("method").is_in(YES_NO_METHODS).fill_null(value=False),
            ["method"],
        ),
        "a number below 0": (pl.any_horizontal(pl.col(*numbers, "quorum") < 0), [*numbers, "quorum"]),
        f"a number above {MOST_VOTES:,}": (
            pl.any_horizontal(pl.col(*numbers, "quorum") > MOST_VOTES),
            [*numbers, "quorum"],
        ),
        f"votes with more than {PLACES} decimals": (
            pl.any_horizontal(column.round(PLACES) != column for column in fine) if fine else pl.lit(value=False),
            [*VOTES],
        ),
        "a threshold that is no percentage such as 66% and no fraction such as 2/3, above 0 and at most 100%": (
            threshold.is_null(),
            ["threshold"],
        ),
    }
    broken = given.select(broken.fill_null(value=False).alias(words) for words, (broken, _) in rules.items())
    for words, (_, shown) in rules.items():
        rows = given.filter(broken[words])
        if len(rows):
            row = rows.row(0, named=True)
            values = ", ".join(f"{name} {row[name]}" for name in shown if row[name] is not None)
            how_many = "1 row has" if len(rows) == 1 else f"{len(rows):,} rows have"
            raise InvalidElectionError(
                f"counts: {how_many} {words} (first: decision '{row['decision_id']}', {values}). Correct the counts."
            )
