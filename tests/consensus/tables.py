"""Small communities that decide with yes and no."""

from __future__ import annotations

import random
import warnings
from typing import Any

import polars as pl

import crowdvote_analysis as cv

NAMES = ["Ada", "Bo", "Kelly", "Maya", "Jack", "Zoe"]
TAGS = ["budget", "trees"]


def frame(columns: str, *rows: str) -> pl.DataFrame:
    """``frame("member_id vote", "Kelly yes")``: text columns; ``-`` is null."""
    cells = [[None if cell == "-" else cell for cell in row.split()] for row in rows]
    return pl.DataFrame(cells, schema=dict.fromkeys(columns.split(), pl.String), orient="row")


def state(decisions: str | pl.DataFrame, *votes: str, **tables: Any) -> cv.SystemState:
    """``state("roof unanimity", "Kelly yes", "Maya no 2026-05-01")``: one decision and its votes."""
    if isinstance(decisions, str):
        decisions = frame("decision_id method", decisions)
    cells = [(*vote.split(), None)[:3] for vote in votes]
    cast = pl.DataFrame(cells, schema=["member_id", "vote", "voted_at"], orient="row") if cells else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cv.TableWarning)
        return cv.SystemState(**{"decisions": decisions, "yes_no_votes": cast} | tables)


def network(seed: int, voters: int = 3) -> dict[str, pl.DataFrame]:
    """Random members, one of them perhaps a lobbyist, who follow each other in loops and on tags."""
    order = random.Random(seed)
    names = NAMES[: voters + order.randrange(1, 4)]
    pairs = [(one, other) for one in names for other in names if order.random() < 0.4]
    tags = [order.sample(TAGS, order.choice([0, 0, 1])) for _ in pairs]
    return {
        "members": pl.DataFrame({"member_id": names, "is_voter": [order.random() < 0.85 for _ in names]}),
        "followings": pl.DataFrame(
            {"follower_id": [a for a, _ in pairs], "followee_id": [b for _, b in pairs], "tags": tags},
            schema={"follower_id": pl.String, "followee_id": pl.String, "tags": pl.List(pl.String)},
        ),
    }
