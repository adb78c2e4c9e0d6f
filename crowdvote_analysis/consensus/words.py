"""The numbers of yes/no decisions in words: why they pass or not, and what is missing."""

from __future__ import annotations

import polars as pl

_PERCENT = 10**8  # a percentage is in units of 1e-8


def reasons(judged: pl.DataFrame, scale: int) -> pl.DataFrame:
    """Why decisions pass or not.

    Args:
        judged: As ``outcome.judged`` gives them, with the column index.
        scale: How many units one vote has.

    Returns:
        index and reason, in the order of index.
    """
    # Two places, and all of them where these would read as if what failed were met.
    got, no, yes = _short("cast", scale), _short("no", scale), _short("yes", scale)
    enough = got >= pl.col("quorum")
    got = pl.when(enough).then("cast").otherwise(got)
    sentences = {
        "none cast": pl.lit("No votes have been cast"),
        "no required voters": pl.lit("No required voters defined"),
        "quorum": pl.format(
            "Quorum not met. Need {}, got {}", _counted(pl.col("quorum"), scale, "vote"), _number(got, scale)
        ),
        "none decisive": pl.lit("No decisive votes cast"),
        "no votes": pl.format("{}; unanimity allows none", _counted(no, scale, "no vote")),
        "no yes votes": pl.lit("No yes votes cast"),
        "simple_majority": _part_of_cast(scale),
        "supermajority": _part_of_required(scale),
        "unanimity": pl.format("{}, none no", _counted(yes, scale, "yes vote")),
    }
    # Every row has one sentence; writing only that one is several times faster than choosing among all.
    share = pl.col("failed").is_null() | (pl.col("failed") == "share")
    said = judged.with_columns(said=pl.when(share).then("method").otherwise("failed"))
    parts = [
        rows.select("index", reason=sentences[kind])
        for (kind,), rows in said.partition_by("said", as_dict=True).items()
    ]
    return pl.concat([pl.DataFrame(schema={"index": pl.UInt32, "reason": pl.String}), *parts]).sort("index")


def only_yes(scale: int) -> pl.Expr:
    """How a sentence about the best that can still happen begins (C5); of the column remaining."""
    remaining = pl.col("remaining")
    return (
        pl.when(remaining == 0)
        .then(pl.lit("No votes remain: "))
        .when(remaining == scale)
        .then(pl.lit("Even if the 1 remaining vote is yes: "))
        .otherwise(pl.format("Even if all {} remaining votes are yes: ", _number(remaining, scale)))
    )


def missing() -> pl.Expr:
    """What would make a decision pass; of the columns method, yes and missing_votes."""
    votes, several = pl.col("missing_votes"), pl.col("missing_votes") > 1
    unanimous, some_yes = pl.col("method") == "unanimity", pl.col("yes") > 0
    return (
        pl.when((votes == 0) | votes.is_null())
        .then(None)
        .when(unanimous & some_yes & several)
        .then(pl.format("{} more votes are needed, none of them no", votes))
        .when(unanimous & some_yes)
        .then(pl.lit("1 more vote is needed, and it must not be no"))
        .when(unanimous & several)
        .then(pl.format("{} more votes are needed, none of them no and at least one of them yes", votes))
        .otherwise(pl.format("{} would pass it", _counted(votes, 1, "more yes vote")))
    )


def in_short(status: pl.Expr) -> pl.Expr:
    """What became of a decision or is missing, in a few words.

    Of the columns method, yes, passed, deadlocked and missing_votes.
    """
    votes = pl.col("missing_votes")
    any_but_no = (pl.col("method") == "unanimity") & ((pl.col("yes") > 0) | (votes > 1))
    more = pl.when(any_but_no).then(_counted(votes, 1, "more vote")).otherwise(_counted(votes, 1, "more yes vote"))
    return (
        pl.when(status != "active")
        .then(status)
        .when("passed")
        .then(pl.lit("passes so far"))
        .when("deadlocked")
        .then(pl.lit("deadlocked"))
        .otherwise(pl.coalesce(more, pl.lit("not passed so far")))
    )


def _part_of_cast(scale: int) -> pl.Expr:
    """``5 of 10 votes cast are yes (50%); more than 50% is needed``."""
    half = pl.lit(50 * _PERCENT, dtype=pl.Int128)
    close, yes, out_of = _parts(half, scale)
    percent = pl.col("percent")
    # More than half is never written as half; what is not more never rounds to more.
    above = percent + (pl.col("failed").is_null() & (percent <= half)).cast(pl.Int128)
    noun = pl.when("decisive_only").then(pl.lit("decisive vote{}")).otherwise(pl.lit("vote{} cast"))
    return pl.format(
        "{} of {} {} {} yes ({}%); more than 50% is needed",
        _number(yes, scale),
        _number(out_of, scale),
        noun.str.replace("{}", _if_one(out_of, scale, "", "s"), literal=True),
        _if_one(yes, scale, "is", "are"),
        _percentage(above, close),
    )


def _part_of_required(scale: int) -> pl.Expr:
    """``7 of 10 required voters say yes (70%); at least 66% is needed``."""
    whole = pl.col("numerator") * pl.lit(100 * _PERCENT, dtype=pl.Int128)
    close, yes, out_of = _parts(whole // pl.col("denominator"), scale)
    percent, met = pl.col("percent"), pl.col("failed").is_null()
    # A rounded percentage stands on that side of the threshold on which the exact one is.
    reads_met = percent * pl.col("denominator") >= whole
    percent = percent + (met & ~reads_met).cast(pl.Int128) - (~met & reads_met).cast(pl.Int128)
    return pl.format(
        "{} of {} required {} {} yes ({}%); at least {} is needed",
        _number(yes, scale),
        _number(out_of, scale),
        _if_one(out_of, scale, "voter", "voters"),
        _if_one(yes, scale, "says", "say"),
        _percentage(percent, close),
        "threshold",
    )


def _parts(needed: pl.Expr, scale: int) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Whether the percentage is within a hundredth of what is needed; yes and out_of, only there with all places."""
    close = (pl.col("percent") - needed).abs() <= _PERCENT // 100
    yes, out_of = (pl.when(close).then(name).otherwise(_short(name, scale)) for name in ("yes", "out_of"))
    return close, yes, out_of


def _percentage(percent: pl.Expr, close: pl.Expr) -> pl.Expr:
    """Two places; all eight where it is close to what is needed, so that it never misleads."""
    return _number(pl.when(close).then(percent).otherwise(_rounded(percent, _PERCENT)), _PERCENT)


def _short(column: str, scale: int) -> pl.Expr:
    """Votes of two places, in units; something is never rounded to nothing."""
    units = pl.col(column)
    if scale == 1:
        return units
    rounded = _rounded(units, scale)
    return pl.when(rounded == 0).then(units).otherwise(rounded)


def _rounded(units: pl.Expr, scale: int) -> pl.Expr:
    """Rounded to hundredths; ``scale`` units are one."""
    hundredth = pl.lit(scale // 100, dtype=pl.Int128)
    return (units + hundredth // 2) // hundredth * hundredth


def _number(units: pl.Expr, scale: int) -> pl.Expr:
    """Units as a number without zeros at the end; ``scale`` of them, a power of ten, are one."""
    if scale == 1:
        return units.cast(pl.Int64).cast(pl.String)
    one = pl.lit(scale, dtype=pl.Int128)
    places = (units % one).cast(pl.Int64).cast(pl.String).str.zfill(len(str(scale)) - 1)
    return ((units // one).cast(pl.String) + "." + places).str.strip_chars_end("0").str.strip_chars_end(".")


def _counted(units: pl.Expr, scale: int, noun: str) -> pl.Expr:
    """``1 vote``, ``2 votes``, ``2.5 votes``."""
    return pl.format(
        "{} {}", _number(units, scale), pl.when(units == scale).then(pl.lit(noun)).otherwise(pl.lit(noun + "s"))
    )


def _if_one(units: pl.Expr, scale: int, one: str, several: str) -> pl.Expr:
    return pl.when(units == scale).then(pl.lit(one)).otherwise(pl.lit(several))
