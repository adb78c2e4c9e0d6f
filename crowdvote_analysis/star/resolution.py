"""What the tally needs of a resolution: the stars of voters and the choices of each decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import polars as pl

from crowdvote_analysis.errors import InvalidElectionError, UnknownDecisionError
from crowdvote_analysis.star.ballots import Ballots, gather
from crowdvote_analysis.star.checks import quoted
from crowdvote_analysis.star.counts import Counts, count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Resolution(Protocol):
    """Everyone's ballot, as far as the tally looks at it. `delegation.Resolution` fits without knowing this class."""

    @property
    def electorate(self) -> pl.DataFrame:
        """Whose ballots there may be: ``decision_id``, ``member_id``, ``is_voter`` Boolean; and more at will."""

    @property
    def stars(self) -> pl.DataFrame:
        """One row a star: ``decision_id``, ``member_id``, ``choice_id``, ``stars`` Decimal(9, 8)."""

    @property
    def choices(self) -> pl.DataFrame:
        """One row a choice: ``decision_id``, ``choice_id``, ``title``, ``position``."""


class TracedResolution(Resolution, Protocol):
    """A resolution that also knows what ballots are made of."""

    def weights_of(self, ballots: pl.DataFrame) -> pl.DataFrame:
        """Hand ballots (``decision_id``, ``member_id``) back: the same columns of manual voters, and ``weight``."""


class CountedDecision(NamedTuple):
    """The counts of one decision and the titles of its choices."""

    counts: Counts
    titles: Mapping[str, str]


def decision_ids(resolution: Resolution) -> list[str]:
    """List the decisions of a resolution, sorted: those with choices and those with ballots."""
    frames = (resolution.choices, resolution.electorate)
    found: list[str] = pl.concat([frame.get_column("decision_id") for frame in frames]).unique().sort().to_list()
    return found


def known_decision(resolution: Resolution, decision_id: str | None) -> str:
    """Check that a decision is there, or find the only one.

    Args:
        resolution: The resolution.
        decision_id: The decision asked for; ``None`` for the only one.

    Returns:
        Its id.

    Raises:
        UnknownDecisionError: When it is not there, or ``None`` was given and there is not exactly one.
    """
    known = decision_ids(resolution)
    if not known:
        raise UnknownDecisionError("the resolution holds no decisions, so there is nothing to tally.")
    if decision_id is None and len(known) > 1:
        raise UnknownDecisionError(f"say which decision to tally; the resolution holds {quoted(known)}.")
    if decision_id is not None and decision_id not in known:
        raise UnknownDecisionError(f"decision '{decision_id}' is not in the resolution, which holds {quoted(known)}.")
    return known[0] if decision_id is None else decision_id


def count_decisions(resolution: Resolution, decision_id: str | None = None) -> dict[str, CountedDecision]:
    """Count the ballots of voters (M1, K1), in one go for all decisions.

    Args:
        resolution: The resolution.
        decision_id: Count this decision only.

    Returns:
        Counts and titles by decision id, for every decision that has choices, also when no voter has a ballot.

    Raises:
        InvalidElectionError: When stars cannot be counted, or a choice is listed twice.
    """
    titles: dict[str, dict[str, str]] = {}
    for decision, choice, title in resolution.choices.select("decision_id", "choice_id", "title").iter_rows():
        titles.setdefault(decision, {})[choice] = choice if title is None else title
    gathered = gather_ballots(resolution, decision_id)
    return {decision: CountedDecision(count(ballots), titles[decision]) for decision, ballots in gathered.items()}


def gather_ballots(resolution: Resolution, decision_id: str | None = None) -> dict[str, Ballots]:
    """Gather the ballots of voters (M1, K1), in one go for all decisions.

    Args:
        resolution: The resolution.
        decision_id: This decision only.

    Returns:
        The ballots by decision id, for every decision that has choices, also when no voter has a ballot.

    Raises:
        InvalidElectionError: When stars cannot be counted, or a choice is listed twice.
    """
    people, choices = resolution.electorate, resolution.choices
    stars = resolution.stars.with_row_index("row", offset=1)
    if decision_id is not None:
        wanted = pl.col("decision_id") == decision_id
        people, stars, choices = people.filter(wanted), stars.filter(wanted), choices.filter(wanted)
    listed = listed_choices(choices.sort("decision_id", "position", "choice_id"))
    columns = ["row", "decision_id", "member_id", "choice_id", "stars"]
    return gather(stars.select(columns), "stars", listed, tallied=people.filter("is_voter"))


def check_orders(tie_orders: Mapping[str, Sequence[str]] | None, known: Sequence[str]) -> None:
    """Refuse orders of the community manager for decisions that are not there: nobody would notice a misspelt one.

    Raises:
        InvalidElectionError: A decision is unknown.
    """
    unknown = sorted(set(tie_orders or ()) - set(known))
    if unknown:
        raise InvalidElectionError(
            f"tie_orders: decision {quoted(unknown)} is not among those that are tallied, which are {quoted(known)}."
        )


def listed_choices(choices: pl.DataFrame) -> pl.DataFrame:
    """The columns ``decision_id`` and ``choice_id`` of a frame of choices, as text, rows in their order.

    Raises:
        InvalidElectionError: A column is missing, an id is null, or a choice is listed twice.
    """
    keys = ["decision_id", "choice_id"]
    missing = [name for name in keys if name not in choices.columns]
    if missing:
        raise InvalidElectionError(f"choices: no column {quoted(missing)} (columns found: {quoted(choices.columns)}).")
    listed = choices.select(pl.col(keys).cast(pl.String))
    if sum(listed.null_count().row(0)):
        raise InvalidElectionError("choices: some rows have no decision_id or choice_id (null). Fill them in.")
    twice = listed.filter(pl.struct(keys).is_duplicated())["choice_id"].unique().sort()
    if len(twice):
        raise InvalidElectionError(f"choices: {quoted(twice.to_list())} listed more than once for the same decision.")
    return listed
