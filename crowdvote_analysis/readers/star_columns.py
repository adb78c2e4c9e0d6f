"""Ballots with one column a choice, as people write them, turned into one row a star.

Polls come like this, and so do the sheets of newcomers. A cell holds the stars; a blank cell is a choice that was not
rated and gives no row in ``votes``. Stars stay text until the table converts them: they never pass through floats
(D10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def gather_votes(
    ballots: pl.DataFrame,
    keys: Mapping[str, pl.Expr],
    choices: Mapping[str, str],
    headers: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """One row a star, choice by choice, each in the order of the ballots.

    Args:
        ballots: One row a ballot, one text column a choice.
        keys: The other columns of the result, such as ``member_id``, as expressions over ``ballots``.
        choices: The id of the choice, by column of ``ballots``.
        headers: The headers of those columns in the file, for messages; as they are called in ``ballots`` by default.

    Returns:
        The columns of ``keys``, then ``choice_id``, ``stars`` (text) and ``__column__``, without blank stars.
    """
    columns = [
        ballots.lazy()
        .select(
            **keys,
            choice_id=pl.lit(choice),
            stars=pl.col(column).cast(pl.String),
            __column__=pl.lit((headers or {}).get(column, column)),
        )
        .filter(pl.col("stars").str.strip_chars() != "")
        for column, choice in choices.items()
    ]
    return pl.concat(columns).collect()


def list_choices(decisions: pl.Series | None, votes: pl.DataFrame, choices: Sequence[str]) -> pl.DataFrame:
    """The choices of every decision, in the order of the columns.

    A single decision has every column as a choice, rated or not. Where several decisions share one sheet, a decision
    has the columns in which at least one of its ballots has stars: nothing else tells the blank columns of another
    decision from a choice that nobody rated. Whoever needs such a choice in the result gives a table of choices.

    Args:
        decisions: The decision of each ballot, or none if the ballots do not name it.
        votes: The result of ``gather_votes``.
        choices: The ids of the choices, in the order of the columns; one may stand above several columns.

    Returns:
        decision_id (unless ``decisions`` is none), choice_id, position (counted from 0), ``__column__``.
    """
    listed = pl.DataFrame(
        {"choice_id": list(dict.fromkeys(choices)), "position": range(len(set(choices)))},
        schema={"choice_id": pl.String, "position": pl.Int64},
    ).with_columns(__column__="choice_id")
    if decisions is None:
        return listed
    names = decisions.drop_nulls().unique(maintain_order=True)
    every = pl.DataFrame({"decision_id": names}).join(listed, how="cross", maintain_order="left_right")
    if len(names) <= 1:
        return every
    rated = votes.select("decision_id", "choice_id").unique()
    return every.join(rated, on=["decision_id", "choice_id"], how="semi", maintain_order="left")
