"""Votes of one election as they come in: which decision, which choices in which order, and the ballots."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from crowdvote_analysis.errors import InvalidElectionError
from crowdvote_analysis.star.ballots import Ballots, gather
from crowdvote_analysis.star.checks import quoted, require_frame
from crowdvote_analysis.star.shapes import period_of
from crowdvote_analysis.star.units import FIVE_STARS

if TYPE_CHECKING:
    from collections.abc import Sequence

_COLUMNS = ("member_id", "choice_id", "stars")


class Election(NamedTuple):
    """One election, checked: which decision, and its ballots."""

    decision_id: str | None
    ballots: Ballots


def star_units(votes: pl.DataFrame, choices: Sequence[str] | None = None) -> pl.DataFrame:
    """Turn the long form of votes into the wide one, exactly.

    Args:
        votes: As for `tally_star_votes`: ``member_id``, ``choice_id``, ``stars``, one row a star.
        choices: All choice ids in display order; without it, the sorted distinct ids of the votes.

    Returns:
        One row a ballot, sorted by ``member_id``: that column as text, then one Int64 column a choice, named by its
        id, in units of 1e-8 star (five stars are 500,000,000). A missing choice is 0 (K1).

    Raises:
        InvalidElectionError: As `tally_star_votes`, and when a choice is called ``member_id``.
    """
    ballots = read_votes(votes, choices).ballots
    if "member_id" in ballots.choices:
        raise InvalidElectionError(
            "votes: a choice is called 'member_id', which is the name of the first column here. Rename the choice."
        )
    unit = FIVE_STARS // ballots.five
    units = {choice: own.astype("int64") * unit for choice, own in zip(ballots.choices, ballots.stars, strict=True)}
    return pl.DataFrame({"member_id": ballots.members, **units}).sort("member_id")


def read_votes(votes: pl.DataFrame, choices: Sequence[str] | None) -> Election:
    """Check the votes of one election and gather its ballots.

    Args:
        votes: As for `tally_star_votes`.
        choices: As for `tally_star_votes`.

    Raises:
        InvalidElectionError: When something in the votes or choices cannot be counted.
    """
    require_frame(votes, "votes")
    missing = [name for name in _COLUMNS if name not in votes.columns]
    if missing:
        raise InvalidElectionError(
            f"votes: no column {quoted(missing)} (columns found: {quoted(votes.columns)}). "
            "One row a star is needed, with the columns member_id, choice_id and stars."
        )
    if choices is not None:
        check_choices(choices)
    if votes.is_empty():
        nothing = "no ballots" if choices is not None else "no ballots and no choices"
        raise InvalidElectionError(f"votes: {nothing}, so there is nothing to tally (rule K9).")
    decision_id = single_decision(votes, "votes")
    # `choices` states the order; without it the order of rows must not matter, hence sorted.
    order = _ids(votes["choice_id"]) if choices is None else list(choices)
    listed = pl.DataFrame({"choice_id": order}, schema={"choice_id": pl.String})
    listed = listed.select(pl.lit(decision_id or "").alias("decision_id"), "choice_id")
    (ballots,) = gather(votes.select(_COLUMNS), "votes", listed).values()
    return Election(decision_id, ballots)


def _ids(column: pl.Series) -> pl.Series:
    """The distinct ids of a column, as text, sorted."""
    few = column.head(period_of(column) or len(column))
    return few.drop_nulls().unique().cast(pl.String).sort()


def check_choices(choices: Sequence[str]) -> None:
    """Refuse what is no list of distinct choice ids."""
    if isinstance(choices, str):
        raise InvalidElectionError(f"choices: expected several choice ids, got the one text {choices!r}. Use a list.")
    odd = [choice for choice in choices if not isinstance(choice, str)]
    if odd:
        raise InvalidElectionError(f"choices: {odd[0]!r} is not text. Give choice ids as text.")
    if len(choices) == 0:
        raise InvalidElectionError("choices: no choices, so there is nothing to tally (rule K9).")
    twice = sorted({choice for choice in choices if list(choices).count(choice) > 1})
    if twice:
        raise InvalidElectionError(f"choices: {quoted(twice)} is there more than once. Name every choice once.")


def single_decision(rows: pl.DataFrame, table: str) -> str | None:
    """The one decision that rows belong to; ``None`` when they do not say.

    Raises:
        InvalidElectionError: Some rows do not say, or there are several.
    """
    if "decision_id" not in rows.columns or rows.is_empty():
        return None
    found = rows["decision_id"]
    if found.null_count():
        raise InvalidElectionError(f"{table}: some rows have no decision_id (null). Fill it in, or drop the column.")
    if not (found == found[0]).all():
        names = found.unique().sort().cast(pl.String).to_list()
        raise InvalidElectionError(
            f"{table}: rows of {len(names)} decisions ({quoted(names)}). "
            f"Filter the {table} to one decision; tally_all_{table} tallies them all."
        )
    return str(found[0])
