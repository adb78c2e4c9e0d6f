"""Counted votes → whether a yes/no decision passes, why, and what could still change that (C2 to C5)."""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from crowdvote_analysis.consensus import words
from crowdvote_analysis.consensus.checks import PLACES, in_units

PERCENTAGE = pl.Decimal(38, 8)
WEIGHTED = pl.Decimal(38, PLACES)


def outcomes(counts: pl.DataFrame) -> pl.DataFrame:
    """Say of any number of yes/no decisions whether they pass.

    Every test compares whole numbers, in integers of 128 bits: ``yes * 100 >= 66 * required`` (C3) with weighted votes
    of 9 places and a threshold of 9 places goes far beyond what 64 bits hold.

    Args:
        counts: One row a decision: decision_id; method (simple_majority, supermajority, unanimity); required (integer,
            how many are asked to vote); yes, no, abstain (integers, or Decimal of at most 9 places where votes are
            weighted; a vote of weight 1 may be split between yes and no, C7). Optional, null or absent for the default:
            threshold (``66%``, ``2/3``), quorum, decisive_only, as in the table decisions; one that the method has no
            use for is not looked at. Other columns are passed through.

    Returns:
        The rows and columns as given, in their order, and with them (a column of the same name is replaced):

        - cast (yes + no + abstain), remaining (required - cast, at least 0), out_of (what yes is measured against:
          votes cast for a simple majority, those of them that are yes or no if decisive_only, required voters for a
          supermajority, yes and no for unanimity): Int64, or Decimal(38, 9) where votes are Decimal.
        - percentage (Decimal(38, 8), 100 * yes / out_of, rounded half-even; null where out_of is 0; for display).
        - passed (Boolean) and reason (text).
        - deadlocked (Boolean: not even all remaining votes as yes would pass it, C5) and deadlock_reason (text, null
          where it is not).
        - missing_votes (Int64: the fewest further votes that pass it if all are yes; 0 where it passes, null where it
          is deadlocked) and missing (the same in words; null in both cases).

    Raises:
        InvalidElectionError: A column is missing or of a wrong type; a number is missing, negative, above 10**15 or too
            fine; a method or threshold is not known.

    Example:
        >>> import polars as pl
        >>> counts = pl.DataFrame({"decision_id": ["roof"], "method": ["supermajority"], "required": [10]})
        >>> outcome = outcomes(counts.with_columns(yes=6, no=1, abstain=0)).row(0, named=True)
        >>> outcome["reason"], outcome["missing"]
        ('6 of 10 required voters say yes (60%); at least 66% is needed', '1 more yes vote would pass it')
    """
    units, scale = in_units(counts)
    now = judged(units.with_row_index())
    best = judged(now.with_columns(yes=pl.col("yes") + pl.col("remaining")))
    now = now.with_columns(deadlocked=best["failed"].is_not_null())
    now = now.with_columns(missing_votes=_missing_votes(scale), reason=words.reasons(now, scale)["reason"])
    hopeless = words.reasons(best.filter(now["deadlocked"]), scale)
    now = now.join(hopeless, on="index", how="left", suffix="_then", maintain_order="left")
    said = now.select(
        *(_votes(name, scale) for name in ("cast", "remaining", "out_of")),
        _decimal("percent", 8, PERCENTAGE).alias("percentage"),
        pl.col("failed").is_null().alias("passed"),
        "reason",
        "deadlocked",
        (words.only_yes(scale) + pl.col("reason_then")).alias("deadlock_reason"),
        "missing_votes",
        words.missing().alias("missing"),
    )
    return counts.with_columns(said.get_columns())


def judged(units: pl.DataFrame) -> pl.DataFrame:
    """Put beside whole numbers what they come to.

    Args:
        units: As ``in_units`` gives them.

    Returns:
        The same with cast, remaining, out_of, percent (units of 1e-8) and failed: the first test that is not passed,
        in the order of the rules; null where the decision passes.
    """
    yes, no = pl.col("yes"), pl.col("no")
    simple, unanimous = pl.col("method") == "simple_majority", pl.col("method") == "unanimity"
    cast = yes + no + pl.col("abstain")
    measured = units.with_columns(
        cast=cast,
        remaining=(pl.col("required") - cast).clip(lower_bound=0),
        out_of=pl.when(method="supermajority")
        .then("required")
        .when(unanimous | pl.col("decisive_only"))
        .then(yes + no)
        .otherwise(cast),
    )
    enough = (
        pl.when(simple)
        .then(yes * 2 > pl.col("out_of"))
        .otherwise(unanimous | (yes * pl.col("denominator") >= pl.col("numerator") * pl.col("required")))
    )
    failed = (
        pl.when(simple & (pl.col("cast") == 0))
        .then(pl.lit("none cast"))
        .when(pl.col("required") == 0, method="supermajority")
        .then(pl.lit("no required voters"))
        .when(pl.col("cast") < pl.col("quorum"))
        .then(pl.lit("quorum"))
        .when(simple & (pl.col("out_of") == 0))
        .then(pl.lit("none decisive"))
        .when(~enough)
        .then(pl.lit("share"))
        .when(unanimous & (no > 0))
        .then(pl.lit("no votes"))
        .when(unanimous & (yes == 0))
        .then(pl.lit("no yes votes"))
    )
    return measured.with_columns(failed=failed, percent=_percent())


def _percent() -> pl.Expr:
    """100 * yes / out_of in units of 1e-8, rounded half-even; null where out_of is 0."""
    out_of = pl.when(pl.col("out_of") > 0).then("out_of")
    parts = pl.col("yes") * pl.lit(10**10, dtype=pl.Int128)
    below, rest = parts // out_of, parts % out_of * 2
    up = (rest > out_of) | ((rest == out_of) & (below % 2 == 1))
    return below + up.cast(pl.Int128)


def _missing_votes(scale: int) -> pl.Expr:
    """The fewest further votes that pass a decision if all are yes: as many as its most demanding test asks for."""
    yes, one = pl.col("yes"), pl.lit(scale, dtype=pl.Int128)
    none = pl.lit(0, dtype=pl.Int128)
    # Each further yes counts twice on one side of 2 * yes > out_of and once on the other.
    majority = pl.when(yes * 2 > pl.col("out_of")).then(none).otherwise((pl.col("out_of") - yes * 2) // one + 1)
    short = pl.col("numerator") * pl.col("required") - yes * pl.col("denominator")
    threshold = _rounded_up(short.clip(lower_bound=0), pl.col("denominator") * one)
    unanimity = (yes == 0).cast(pl.Int128)
    votes = pl.when(method="simple_majority").then(majority).when(method="unanimity").then(unanimity)
    quorum = _rounded_up((pl.col("quorum") - pl.col("cast")).clip(lower_bound=0), one)
    needed = pl.max_horizontal(votes.otherwise(threshold), quorum)
    return pl.when(~pl.col("deadlocked")).then(needed).cast(pl.Int64)


def _rounded_up(units: pl.Expr, divisor: pl.Expr) -> pl.Expr:
    return (units + divisor - 1) // divisor


def _votes(name: str, scale: int) -> pl.Expr:
    return pl.col(name).cast(pl.Int64) if scale == 1 else _decimal(name, PLACES, WEIGHTED).alias(name)


def _decimal(name: str, places: int, dtype: pl.DataType) -> pl.Expr:
    return pl.col(name).cast(pl.Decimal(38, 0)) * pl.lit(Decimal(1).scaleb(-places), dtype=dtype)
