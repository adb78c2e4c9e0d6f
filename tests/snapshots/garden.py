"""What happens in the small store that tests of snapshots use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis import tables

if TYPE_CHECKING:
    from datetime import datetime

    from crowdvote_analysis.store.store import Store


def votes(member: str, stars: dict[str, str]) -> pl.DataFrame:
    frame = pl.DataFrame({"member_id": member, "choice_id": list(stars), "stars": list(stars.values())})
    return frame.select(pl.lit("pond").alias("decision_id"), pl.all()).with_columns(pl.col("stars").cast(tables.STARS))


def cast(store: Store, member: str, stars: dict[str, str], tags: tuple[str, ...] = ()) -> None:
    """A ballot by hand in the decision about the pond."""

    def rows(_cut: object, at: datetime) -> dict[str, pl.DataFrame]:
        ballot = pl.DataFrame(
            {"decision_id": ["pond"], "member_id": [member], "tags": [list(tags)], "cast_at": [at]},
            schema_overrides={"tags": pl.List(pl.String)},
        )
        return {"ballots": ballot, "votes": votes(member, stars)}

    store.commit("cast", rows)


def close(store: Store) -> None:
    """End the decision about the pond."""
    store.commit(
        "close", lambda cut, at: {"decisions": cut.rows("decisions", decision_id="pond").with_columns(closes_at=at)}
    )
