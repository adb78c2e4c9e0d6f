"""Tally one decision by STAR: from a resolution, or straight from a frame of votes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from crowdvote_analysis.errors import InvalidElectionError
from crowdvote_analysis.star.counts import count
from crowdvote_analysis.star.protocols import protocol_named
from crowdvote_analysis.star.resolution import Resolution, check_orders, count_decisions, decision_ids, known_decision
from crowdvote_analysis.star.result import StarTally, star_tally, unresolved
from crowdvote_analysis.star.votes import read_votes, single_decision
from crowdvote_analysis.star.wide import read_block, sheet_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl

OnTie: TypeAlias = Literal["raise", "return"]


def tally_star(
    resolution: Resolution,
    decision_id: str | None = None,
    protocol: str = "starvote",
    *,
    tie_order: Sequence[str] = (),
    on_tie: OnTie = "raise",
) -> StarTally:
    """Tally one decision of a resolution: the ballots of its voters, manual and calculated (K1, M1).

    Args:
        resolution: Everyone's ballot; its frames ``ballots``, ``stars`` and ``choices`` are used.
        decision_id: The decision; may be left out when there is only one.
        protocol: Name of the tie protocol (K3): ``"starvote"``, ``"losses"`` or ``"bettervoting"``.
        tie_order: How the community manager decided a tie that the protocol leaves: ids of the tied choices, best first
            (K7). It is recorded in the tally, and shown as what it is; where no tie is left it is not needed.
        on_tie: ``"raise"`` an unresolved tie as an error, or ``"return"`` the tally with ``winner`` ``None`` and the
            tie in ``tie``: for screens that show the scores either way.

    Returns:
        The tally. Choices stand in the order of ``position``, then id; texts name them by their title.

    Raises:
        UnknownDecisionError: When the decision is not there.
        InvalidElectionError: No choices, no ballots of voters, stars that cannot be counted (K9), no such protocol,
            or an order that does not rank all who are tied.
        UnresolvedTieError: When the protocol leaves a tie that people must decide (K7).
    """
    protocol_named(protocol)
    decision = known_decision(resolution, decision_id)
    counted = count_decisions(resolution, decision).get(decision)
    if counted is None:
        raise InvalidElectionError(f"decision '{decision}' has no choices, so there is nothing to tally (rule K9).")
    if not counted.counts.vote_count:
        raise InvalidElectionError(f"decision '{decision}': no voter has a ballot with stars to tally (rules K9, M1).")
    return _on_tie(star_tally(decision, counted.counts, protocol, counted.titles, tie_order), on_tie)


def tally_star_votes(
    votes: pl.DataFrame,
    choices: Sequence[str] | None = None,
    *,
    protocol: str = "starvote",
    titles: Mapping[str, str] | None = None,
    tie_order: Sequence[str] = (),
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
        tie_order: As for `tally_star`.
        on_tie: As for `tally_star`.

    Returns:
        The tally.

    Raises:
        InvalidElectionError: Missing columns, ids or stars of a wrong type, nulls, stars outside 0 to 5 or with more
            than 8 decimals, a member and choice twice, a choice that is not in ``choices``, several decisions, no
            ballots or no choices (K9), no such protocol, or an order that does not rank all who are tied.
        UnresolvedTieError: When the protocol leaves a tie that people must decide (K7).
    """
    protocol_named(protocol)
    election = read_votes(votes, choices)
    counts = count(election.ballots)
    return _on_tie(star_tally(election.decision_id, counts, protocol, titles or {}, tie_order), on_tie)


def tally_star_ballots(
    ballots: pl.DataFrame,
    choices: Sequence[str] | None = None,
    *,
    protocol: str = "starvote",
    titles: Mapping[str, str] | None = None,
    tie_order: Sequence[str] = (),
    on_tie: OnTie = "raise",
) -> StarTally:
    """Tally ballots in the wide form, one row a ballot and one column a choice: the fastest way in.

    >>> import polars as pl
    >>> tally_star_ballots(pl.DataFrame({"Apple": [5, 4, None], "Banana": [3, 2, 5]})).winner
    'Apple'

    Args:
        ballots: One row a ballot. Columns ``member_id`` and ``decision_id`` (one value) are optional, all others are
            choices; stars as for `tally_star_votes`, null for a choice that was not rated. A row without any stars is
            no ballot (D5).
        choices: The columns that are choices, in display order; by default all but the ids.
        protocol: Name of the tie protocol (K3).
        titles: Title by choice id, for texts.
        tie_order: As for `tally_star`.
        on_tie: As for `tally_star`.

    Returns:
        The tally.

    Raises:
        InvalidElectionError: Missing columns, stars of a wrong type, outside 0 to 5 or with more than 8 decimals, a
            member with two rows, several decisions, no ballots or no choices (K9), no such protocol, or an order that
            does not rank all who are tied.
        UnresolvedTieError: When the protocol leaves a tie that people must decide (K7).
    """
    protocol_named(protocol)
    sheet = sheet_of(ballots, choices)
    decision_id = single_decision(ballots, "ballots")
    counts = count(read_block(sheet))
    if not counts.vote_count:
        raise InvalidElectionError("ballots: no row has any stars, so there is nothing to tally (rules K9, D5).")
    return _on_tie(star_tally(decision_id, counts, protocol, titles or {}, tie_order), on_tie)


def tally_each(
    resolution: Resolution,
    protocol: str = "starvote",
    *,
    tie_orders: Mapping[str, Sequence[str]] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, StarTally]:
    """Tally every decision of a resolution in which some voter has a ballot, counting all of them in one go.

    Args:
        resolution: Everyone's ballot.
        protocol: Name of the tie protocol (K3).
        tie_orders: The order that the community manager gave for ties, by decision id (K7).
        progress: Called with (decisions tallied, decisions in all).

    Returns:
        The tallies by decision id, sorted; unresolved ties included.

    Raises:
        InvalidElectionError: As `tally_star`.
    """
    protocol_named(protocol)
    check_orders(tie_orders, decision_ids(resolution))
    counted = {decision: found for decision, found in count_decisions(resolution).items() if found.counts.vote_count}
    tallies = {}
    for done, (decision, found) in enumerate(sorted(counted.items()), start=1):
        order = (tie_orders or {}).get(decision, ())
        tallies[decision] = star_tally(decision, found.counts, protocol, found.titles, order)
        if progress is not None:
            progress(done, len(counted))
    return tallies


def _on_tie(tally: StarTally, on_tie: OnTie) -> StarTally:
    if on_tie not in ("raise", "return"):
        raise ValueError(f"on_tie is {on_tie!r}; an unresolved tie is either 'raise'd or 'return'ed")
    if tally.tie is not None and on_tie == "raise":
        raise unresolved(tally.tie, tally.log)
    return tally
