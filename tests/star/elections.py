"""Small elections for the tests: written as ballots, handed over as frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STARS = pl.Decimal(9, 8)


def votes_of(
    ballots: Sequence[Mapping[str, Any]], times: Sequence[int] | None = None, kind: Any = None
) -> pl.DataFrame:
    """Write ballots as the long form of votes, each as often as `times` says; members are called m0, m1 and so on."""
    cast = [ballot for ballot, number in zip(ballots, times or [1] * len(ballots), strict=True) for _ in range(number)]
    rows = [(f"m{number}", choice, stars) for number, ballot in enumerate(cast) for choice, stars in ballot.items()]
    frame = pl.DataFrame(rows, schema=["member_id", "choice_id", "stars"], orient="row")
    return frame if kind is None else frame.with_columns(pl.col("stars").cast(kind))


@dataclass(frozen=True)
class FakeResolution:
    """The three frames of a resolution that the tally reads."""

    ballots: pl.DataFrame
    stars: pl.DataFrame
    choices: pl.DataFrame

    @property
    def electorate(self) -> pl.DataFrame:
        return self.ballots


def resolution_of(
    decisions: Mapping[str, Sequence[Mapping[str, str]]],
    choices: Sequence[tuple[str, str, str | None, int]],
    lobbyists: Sequence[str] = (),
) -> FakeResolution:
    """Build a resolution from ballots by decision; members are called m0, m1, … in each of them."""
    ballots, stars = [], []
    for decision, cast in decisions.items():
        for number, ballot in enumerate(cast):
            member = f"m{number}"
            ballots.append((decision, member, member not in lobbyists, "manual" if ballot else "none"))
            stars += [(decision, member, choice, given) for choice, given in ballot.items()]
    text = pl.String()
    return FakeResolution(
        pl.DataFrame(
            ballots,
            schema={"decision_id": text, "member_id": text, "is_voter": pl.Boolean(), "origin": text},
            orient="row",
        ),
        pl.DataFrame(
            stars, schema={"decision_id": text, "member_id": text, "choice_id": text, "stars": text}, orient="row"
        ).with_columns(pl.col("stars").cast(STARS)),
        pl.DataFrame(
            choices,
            schema={"decision_id": text, "choice_id": text, "title": text, "position": pl.Int64()},
            orient="row",
        ),
    )
