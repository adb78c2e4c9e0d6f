"""The numbers a decision is made from."""

from __future__ import annotations

import polars as pl

from crowdvote_analysis.star.ballots import gather
from crowdvote_analysis.star.counts import Counts, count

UNIT = 10**8


def votes(*rows: tuple[str, str, str, int]) -> pl.DataFrame:
    """Rows of votes, stars given in units of 1e-8."""
    schema = {"decision_id": pl.String(), "member_id": pl.String(), "choice_id": pl.String(), "units": pl.Int64()}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    stars = pl.col("units").cast(pl.Decimal(38, 0)) * pl.lit("0.00000001").cast(pl.Decimal(38, 8))
    return frame.select("decision_id", "member_id", "choice_id", stars=stars)


def count_ballots(rows: pl.DataFrame, listed: pl.DataFrame) -> dict[str, Counts]:
    return {decision: count(ballots) for decision, ballots in gather(rows, "votes", listed).items()}


def choices(*rows: tuple[str, str]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"decision_id": pl.String(), "choice_id": pl.String()}, orient="row")


def test_a_missing_choice_counts_as_zero_stars() -> None:
    """Whoever left a choice out prefers every choice with stars to it, and it gains nothing."""
    counts = count_ballots(
        votes(("d", "a", "x", 3 * UNIT), ("d", "b", "y", 5 * UNIT), ("d", "b", "x", 0)), choices(("d", "y"), ("d", "x"))
    )
    assert counts == {
        "d": Counts(
            vote_count=2,
            totals={"y": 5 * UNIT, "x": 3 * UNIT},
            five_stars={"y": 1, "x": 0},
            preferred={"y": {"x": 1}, "x": {"y": 1}},
        )
    }
    assert counts["d"].choices == ("y", "x")


def test_five_stars_means_exactly_five() -> None:
    """4.99999999 stars are not five (K9)."""
    counts = count_ballots(votes(("d", "a", "x", 5 * UNIT - 1), ("d", "b", "x", 5 * UNIT)), choices(("d", "x")))
    assert counts["d"].five_stars == {"x": 1}


def test_one_unit_is_a_preference() -> None:
    """A difference of 1e-8 star decides which choice a ballot supports."""
    counts = count_ballots(votes(("d", "a", "x", 2), ("d", "a", "y", 1)), choices(("d", "x"), ("d", "y")))
    assert counts["d"].preferred == {"x": {"y": 1}, "y": {"x": 0}}


def test_decisions_are_counted_apart() -> None:
    """The same member and choice ids in two decisions, of different size, do not touch each other."""
    counts = count_ballots(
        votes(("d", "a", "x", 1), ("e", "a", "x", 7), ("e", "a", "y", 9), ("f", "a", "y", 4), ("f", "b", "y", 4)),
        choices(("d", "x"), ("e", "x"), ("e", "y"), ("f", "y")),
    )
    assert {decision: (found.vote_count, found.totals) for decision, found in counts.items()} == {
        "d": (1, {"x": 1}),
        "e": (1, {"x": 7, "y": 9}),
        "f": (2, {"y": 8}),
    }


def test_a_decision_without_ballots_counts_zeros() -> None:
    """A decision nobody voted on is there, with zeros."""
    counts = count_ballots(votes(), choices(("d", "x"), ("d", "y")))
    assert counts == {"d": Counts(0, {"x": 0, "y": 0}, {"x": 0, "y": 0}, {"x": {"y": 0}, "y": {"x": 0}})}


def test_choice_ids_may_be_any_text() -> None:
    """Ids that look like the names of internal columns do not get in each other's way."""
    names = ["0", "1", "total 0", "vote_count", "0 over 1", "decision_id", "member_id", "units", ""]
    counted = count_ballots(
        votes(*(("d", "a", name, number) for number, name in enumerate(names))),
        choices(*(("d", name) for name in names)),
    )
    assert counted["d"].totals == {name: number for number, name in enumerate(names)}
    assert counted["d"].preferred["1"]["0"] == 1
