"""Tally one decision by STAR: from a resolution, or straight from a frame of votes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from crowdvote_analysis.errors import InvalidElectionError
from crowdvote_analysis.star.counts import count_ballots
from crowdvote_analysis.star.protocols import protocol_named
from crowdvote_analysis.star.resolution import Resolution, count_decisions, known_decision
from crowdvote_analysis.star.result import StarTally, star_tally, unresolved
from crowdvote_analysis.star.votes import choice_rows, read_votes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

OnTie: TypeAlias = Literal["raise", "return"]


def tally_star(
    resolution: Resolution, decision_id: str | None = None, protocol: str = "starvote", *, on_tie: OnTie = "raise"
) -> StarTally:
    """Tally one decision of a resolution: the ballots of its voters, manual and calculated (K1, M1).

    Args:
        resolution: Everyone's ballot; its frames ``ballots``, ``stars`` and ``choices`` are used.
        decision_id: The decision; may be left out when there is only one.
        protocol: Name of the tie protocol (K3).
        on_tie: ``"raise"`` an unresolved tie as an error, or ``"return"`` the tally with ``winner`` ``None`` and the
            tie in ``tie``: for screens that show the scores either way.

    Returns:
        The tally. Choices stand in the order of ``position``, then id; texts name them by their title.

    Raises:
        UnknownDecisionError: When the decision is not there.
        InvalidElectionError: No choices, no ballots of voters, stars that cannot be counted (K9), or no such protocol.
        UnresolvedTieError: When the protocol leaves a tie that people must decide (K7).
    """
    protocol_named(protocol)
    decision = known_decision(resolution, decision_id)
    counted = count_decisions(resolution, decision).get(decision)
    if counted is None:
        raise InvalidElectionError(f"decision '{decision}' has no choices, so there is nothing to tally (rule K9).")
    if not counted.counts.vote_count:
        raise InvalidElectionError(f"decision '{decision}': no voter has a ballot with stars to tally (rules K9, M1).")
    return _on_tie(star_tally(decision, counted.counts, protocol, counted.titles), on_tie)


def tally_star_votes(
    votes: pl.DataFrame,
    choices: Sequence[str] | None = None,
    *,
    protocol: str = "starvote",
    titles: Mapping[str, str] | None = None,
    on_tie: OnTie = "raise",
) -> StarTally:
    """Tally votes as they stand, without members or delegation.

    >>> import polars as pl
    >>> votes = pl.DataFrame(
    ...     {
    ...         "member_id": ["Ann", "Ann", "Ben", "Ben", "Cay"],
    ...         "choice_id": ["Apple", "Banana", "Apple", "Banana", "Banana"],
    ...         "stars": [5, 3, 4, 2, 5],
    ...     }
    ... )
    >>> tally = tally_star_votes(votes)
    >>> tally.winner
    'Apple'
    >>> for line in tally.log:
    ...     print(line)
    Score Phase: Banana 3.33 avg (3 votes), Apple 3.00 avg (3 votes)
    Runoff: Banana vs Apple
    Banana: 1 preference, Apple: 2 preferences
    Winner: Apple (margin: 1 vote)

    Args:
        votes: One row a star: ``member_id`` and ``choice_id`` (text; whole numbers are read as text), ``stars`` from 0
            to 5 with at most 8 decimals (Decimal, whole numbers or text, D10). A column ``decision_id`` must hold one
            value; other columns are not looked at. A member with at least one row is one ballot; a missing choice is 0.
        choices: All choice ids in display order, also those nobody rated; without it, the sorted distinct ids.
        protocol: Name of the tie protocol (K3).
        titles: Title by choice id, for texts.
        on_tie: As for `tally_star`.

    Returns:
        The tally.

    Raises:
        InvalidElectionError: Missing columns, ids or stars of a wrong type, nulls, stars outside 0 to 5 or with more
            than 8 decimals, a member and choice twice, a choice that is not in ``choices``, several decisions, no
            ballots or no choices (K9), or no such protocol.
        UnresolvedTieError: When the protocol leaves a tie that people must decide (K7).
    """
    protocol_named(protocol)
    election = read_votes(votes, choices)
    (counts,) = count_ballots(election.votes, choice_rows(election)).values()
    return _on_tie(star_tally(election.decision_id, counts, protocol, titles or {}), on_tie)


def _on_tie(tally: StarTally, on_tie: OnTie) -> StarTally:
    if tally.tie is not None and on_tie == "raise":
        raise unresolved(tally.tie, tally.log)
    return tally
