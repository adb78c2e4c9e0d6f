"""What ballots left blank, in plain words (K10), for pages and the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.pages import html_rows

if TYPE_CHECKING:
    from decimal import Decimal

_NUMBERS = ("Average stars", "Left it blank", "Rated it", "Average of who rated it")


def blank_words(scores: pl.DataFrame) -> str:
    """Say how a blank counts.

    Args:
        scores: As from ``star.with_ratings``.
    """
    if not (scores["blank"] > 0).any():
        return "Every ballot that is tallied rates every choice."
    return (
        "Where a ballot leaves a choice blank, that counts 0 stars, in the averages above as well. Beside them stands "
        "what those who rated a choice gave it on average. A calculated ballot leaves blank what all the ballots it is "
        "made of leave blank."
    )


def blank_rows(scores: pl.DataFrame) -> pl.DataFrame:
    """Choice, Average stars, Left it blank, Rated it, Average of who rated it; no rows where nothing was left blank."""
    shown = scores if (scores["blank"] > 0).any() else scores.clear()
    rows = [
        (row["title"], _two(row["average"]), f"{row['blank']:,}", f"{row['rated']:,}", _two(row["average_rated"]))
        for row in shown.iter_rows(named=True)
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(("Choice", *_NUMBERS), pl.String), orient="row")


def blank_table(scores: pl.DataFrame) -> str:
    """These rows as a table; nothing where there are none."""
    rows = blank_rows(scores)
    return html_rows.table(rows.columns, rows.iter_rows(), right=_NUMBERS) if len(rows) else ""


def _two(stars: Decimal | None) -> str:
    return "–" if stars is None else f"{stars:.2f}"
