"""Votes of one election as they come in: what stands in the frame, which decision, which choices in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from crowdvote_analysis.errors import InvalidElectionError
from crowdvote_analysis.star.checks import check_votes, quoted
from crowdvote_analysis.star.counts import ballots_by_choice, choice_codes

if TYPE_CHECKING:
    from collections.abc import Sequence


class Election(NamedTuple):
    """One election, checked: which decision, its choices in display order, and the votes in units."""

    decision_id: str | None
    choices: tuple[str, ...]
    votes: pl.DataFrame


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
    election = read_votes(votes, choices)
    if "member_id" in election.choices:
        raise InvalidElectionError(
            "votes: a choice is called 'member_id', which is the name of the first column here. Rename the choice."
        )
    codes = choice_codes(choice_rows(election))
    wide = ballots_by_choice(election.votes.join(codes, on=["decision_id", "choice_id"]), len(election.choices))
    names = {str(code): choice for code, choice in enumerate(election.choices)}
    return wide.drop("decision_id").sort("member_id").rename(names)


def read_votes(votes: pl.DataFrame, choices: Sequence[str] | None) -> Election:
    """Check the votes of one election and turn their stars into units.

    Args:
        votes: As for `tally_star_votes`.
        choices: As for `tally_star_votes`.

    Returns:
        The election; its votes have the columns of `check_votes`, ``decision_id`` being ``""`` when there is none.

    Raises:
        InvalidElectionError: When something in the votes or choices cannot be counted.
    """
    missing = [name for name in ("member_id", "choice_id", "stars") if name not in votes.columns]
    if missing:
        raise InvalidElectionError(
            f"votes: no column {quoted(missing)} (columns found: {quoted(votes.columns)}). "
            "One row a star is needed, with the columns member_id, choice_id and stars."
        )
    if choices is not None:
        _check_choices(choices)
    if votes.is_empty():
        nothing = "no ballots" if choices is not None else "no ballots and no choices"
        raise InvalidElectionError(f"votes: {nothing}, so there is nothing to tally (rule K9).")
    decision_id = _single_decision(votes)
    rows = votes.select(
        pl.lit(decision_id or "").alias("decision_id"), "member_id", "choice_id", "stars"
    ).with_row_index("row", offset=1)
    units = check_votes(rows, "votes", choices)
    # `choices` states the order; without it the order of rows must not matter, hence sorted.
    order = units.get_column("choice_id").unique().sort().to_list() if choices is None else choices
    return Election(decision_id, tuple(order), units)


def choice_rows(election: Election) -> pl.DataFrame:
    """List the choices of an election as `counts` wants them: ``decision_id``, ``choice_id``, in display order."""
    return pl.DataFrame({"choice_id": election.choices}, schema={"choice_id": pl.String}).select(
        pl.lit(election.decision_id or "").alias("decision_id"), "choice_id"
    )


def _check_choices(choices: Sequence[str]) -> None:
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


def _single_decision(votes: pl.DataFrame) -> str | None:
    if "decision_id" not in votes.columns:
        return None
    found = votes.get_column("decision_id").unique().sort()
    if found.null_count():
        raise InvalidElectionError("votes: some rows have no decision_id (null). Fill it in, or drop the column.")
    if len(found) > 1:
        raise InvalidElectionError(
            f"votes: rows of {len(found)} decisions ({quoted(found.cast(pl.String).to_list())}). "
            "Filter the votes to one decision; tally_all tallies the decisions of a resolution."
        )
    return str(found.item())
