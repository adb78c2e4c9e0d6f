"""The result of one STAR count, complete: who won, every number, every step, as data and as text."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis.errors import UnresolvedTieError
from crowdvote_analysis.star.log import write_log
from crowdvote_analysis.star.outcome import Runoff, UnresolvedTie, decide
from crowdvote_analysis.star.units import PLACES, average, percentage, stars_of, units_of_stars

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crowdvote_analysis.star.counts import Counts
    from crowdvote_analysis.star.steps import Step

TOTAL = pl.Decimal(38, PLACES)
STARS = pl.Decimal(9, PLACES)
SCORES = pl.Schema(
    {
        "choice_id": pl.String(),
        "title": pl.String(),
        "total": TOTAL,
        "average": STARS,
        "five_star_count": pl.Int64(),
        "rank": pl.Int64(),
    }
)
PREFERENCES = pl.Schema({"choice_id": pl.String(), "over_choice_id": pl.String(), "ballots": pl.Int64()})
STEPS = pl.Schema(
    {
        "step": pl.Int64(),
        "stage": pl.String(),
        "rule": pl.String(),
        "places": pl.Int64(),
        "choice_id": pl.String(),
        "number": TOTAL,
        "outcome": pl.String(),
    }
)


@dataclass(frozen=True, eq=False)
class StarTally:
    """The result of a STAR count (K1 to K8). Data holds choice ids; titles stand in texts only.

    Attributes:
        decision_id: The decision; ``None`` for votes without one.
        protocol: Name of the tie protocol (K3).
        tie_order: The order that the community manager gave for ties, best first; empty without one (K7).
        winner: Choice id; ``None`` when a tie is left unresolved.
        runner_up: The finalist who did not win; ``None`` for a lone choice and while the tie is unresolved.
        finalists: The two of the runoff, better score first; empty when it did not come to a runoff.
        possible_winners: The winner alone, or everybody who could win under some decision of the tie (K7).
        vote_count: Number of ballots tallied (K1).
        scores: One row a choice, best first: ``choice_id``, ``title``, ``total`` Decimal(38, 8), ``average``
            Decimal(9, 8) rounded half-even (for display), ``five_star_count`` Int64, ``rank`` Int64 by total (equal
            totals share the better rank).
        runoff: The runoff; ``None`` for a lone choice and for a tie while scoring.
        preferences: One row for each ordered pair of choices, in display order: ``choice_id``, ``over_choice_id``,
            ``ballots`` Int64, the number of ballots with more stars for the first.
        steps: Every step of the count, in order.
        tie: The unresolved tie; ``None`` when there is a winner.
        log: The steps as lines of text (K8).
    """

    decision_id: str | None
    protocol: str
    tie_order: tuple[str, ...]
    winner: str | None
    runner_up: str | None
    finalists: tuple[str, ...]
    possible_winners: tuple[str, ...]
    vote_count: int
    scores: pl.DataFrame
    runoff: Runoff | None
    preferences: pl.DataFrame
    steps: tuple[Step, ...]
    tie: UnresolvedTie | None
    log: tuple[str, ...]

    @property
    def status(self) -> str:
        """``"decided"`` or ``"unresolved tie"``."""
        return "decided" if self.tie is None else "unresolved tie"

    @property
    def decided_by_manager(self) -> bool:
        """Whether the community manager decided some tie (K7)."""
        return any(step.rule == "manager" for step in self.steps)

    @property
    def won_by_ballots(self) -> bool:
        """Whether the ballots alone name a winner, without a decision of the community manager."""
        return self.winner is not None and not self.decided_by_manager

    @property
    def score_leaders(self) -> tuple[str, ...]:
        """Who has the highest total: one choice, or several that are level."""
        return tuple(self.scores.filter(pl.col("rank") == 1)["choice_id"])

    @property
    def margin_percentage(self) -> Decimal | None:
        """The margin of the runoff in percent of all ballots tallied, rounded half-even to 8 places (S9)."""
        return None if self.runoff is None else percentage(self.runoff.margin, self.vote_count)

    @property
    def why_leader_lost(self) -> str | None:
        """Why the choice with the highest total did not win, in words; ``None`` when it did, or no one choice led.

        A leader that loses has more stars in all, but from fewer ballots: whoever prefers it must do so by more stars
        on average than those who prefer the winner.
        """
        return self._leader_lost(PLACES, "more")

    def leader_lost(self, places: int) -> str | None:
        """As ``why_leader_lost``, for people: with the stars rounded half-even to so many places."""
        # Averages stand beside it where people read it.
        return self._leader_lost(places, "more in total")

    def _leader_lost(self, places: int, more_than: str) -> str | None:
        if self.runoff is None or self.winner is None or self.score_leaders != (self.runner_up,):
            return None
        leader, winner = self.score_leaders[0], self.winner
        titles = dict(self.scores.select("choice_id", "title").iter_rows())
        totals = dict(self.scores.select("choice_id", "total").iter_rows())
        lead = units_of_stars(totals[leader]) - units_of_stars(totals[winner])
        # A lead that rounds to nothing is told exactly.
        more = f"{average(lead, 1, places) or stars_of(lead):,f}".rstrip("0").rstrip(".")
        fewer, votes = self.runoff.votes[leader], self.runoff.votes[winner]
        return (
            f"{titles[leader]} has the most stars, {more} {more_than} than {titles[winner]}, but fewer ballots prefer "
            f"it: {fewer:,} against {votes:,}. Its lead comes from larger differences on fewer ballots, and in the "
            "runoff every ballot counts once."
        )

    def audit_log(self) -> pl.DataFrame:
        """Give the steps as data, one row a step, from which the result can be rechecked (K8).

        Returns:
            Columns ``step`` (from 1), ``stage``, ``rule``, ``places`` (open when it began), ``pool`` (list of choice
            ids), ``numbers`` (list, one for each of the pool, Decimal(38, 8): stars for the rule ``sum``, else ballots,
            match-ups or places), ``advanced`` and ``remaining`` (lists of choice ids; see `Step`).
        """
        schema = pl.Schema(
            {
                "step": pl.Int64(),
                "stage": pl.String(),
                "rule": pl.String(),
                "places": pl.Int64(),
                "pool": pl.List(pl.String()),
                "numbers": pl.List(TOTAL),
                "advanced": pl.List(pl.String()),
                "remaining": pl.List(pl.String()),
            }
        )
        rows = [
            (
                number,
                step.stage,
                step.rule,
                step.places,
                list(step.pool),
                [Decimal(value) for value in step.numbers.values()],
                list(step.advanced),
                list(step.remaining),
            )
            for number, step in enumerate(self.steps, start=1)
        ]
        return pl.DataFrame(rows, schema=schema, orient="row")

    def matrix(self) -> pl.DataFrame:
        """Give ``preferences`` as a square: one row a choice, one column for each choice it is preferred to.

        Returns:
            ``choice_id``, then one Int64 column a choice, ``over`` and its id, in display order; null on the diagonal.
        """
        order = self.preferences["choice_id"].unique(maintain_order=True).to_list() or list(self.scores["choice_id"])
        ballots = {(one, other): number for one, other, number in self.preferences.iter_rows()}
        columns = {f"over {name}": [ballots.get((each, name)) for each in order] for name in order}
        return pl.DataFrame({"choice_id": order, **columns}, schema_overrides=dict.fromkeys(columns, pl.Int64))

    def steps_frame(self) -> pl.DataFrame:
        """Give the steps as a frame, one row for each step and choice of its pool.

        Returns:
            Columns ``step`` (from 1), ``stage``, ``rule``, ``places`` (open when it began), ``choice_id``, ``number``
            Decimal(38, 8) (stars for the rule ``sum``, else ballots, match-ups or places) and ``outcome``:
            ``"advanced"``, ``"tied"`` (for a place still open) or ``"out"``.
        """
        rows = [
            (number, step.stage, step.rule, step.places, choice, Decimal(value), _outcome_of(choice, step))
            for number, step in enumerate(self.steps, start=1)
            for choice, value in step.numbers.items()
        ]
        return pl.DataFrame(rows, schema=STEPS, orient="row")

    def to_dict(self) -> dict[str, Any]:
        """Give everything as values that JSON knows; stars are strings with 8 decimals (D10)."""
        return {
            "decision_id": self.decision_id,
            "method": "STAR",
            "protocol": self.protocol,
            "tie_order": list(self.tie_order),
            "decided_by_manager": self.decided_by_manager,
            "status": self.status,
            "vote_count": self.vote_count,
            "winner": self.winner,
            "runner_up": self.runner_up,
            "finalists": list(self.finalists),
            "possible_winners": list(self.possible_winners),
            "scores": [_plain(row) for row in self.scores.to_dicts()],
            "runoff": None if self.runoff is None else _plain(asdict(self.runoff)),
            "margin_percentage": None if self.margin_percentage is None else format(self.margin_percentage, "f"),
            "why_leader_lost": self.why_leader_lost,
            "preferences": self.preferences.to_dicts(),
            "steps": [_plain(asdict(step)) for step in self.steps],
            "tie": None if self.tie is None else _plain(asdict(self.tie)),
            "log": list(self.log),
        }


def star_tally(
    decision_id: str | None,
    counts: Counts,
    protocol: str,
    titles: Mapping[str, str],
    tie_order: Sequence[str] | None = None,
) -> StarTally:
    """Decide an election and gather everything there is to say about it.

    Args:
        decision_id: The decision, if the votes belong to one.
        counts: Its counts, with at least one choice and one ballot.
        protocol: Name of a tie protocol (K3).
        titles: Title by choice id, for texts; a choice without one is called by its id.
        tie_order: The order that the community manager gave for ties (K7).

    Returns:
        The tally; an unresolved tie is part of it, not an error.

    Raises:
        InvalidElectionError: As `decide`.
    """
    outcome = decide(counts, protocol, tie_order, decision_id)
    titles = _told_apart(counts.choices, titles)
    return StarTally(
        decision_id=decision_id,
        protocol=outcome.protocol,
        tie_order=tuple(tie_order or ()),
        winner=outcome.winner,
        runner_up=outcome.runner_up,
        finalists=outcome.finalists,
        possible_winners=outcome.possible_winners,
        vote_count=counts.vote_count,
        scores=_scores(counts, titles),
        runoff=outcome.runoff,
        preferences=_preferences(counts),
        steps=outcome.steps,
        tie=outcome.tie,
        log=write_log(counts, outcome, titles, tie_order or ()),
    )


def _told_apart(choices: Sequence[str], titles: Mapping[str, str]) -> dict[str, str]:
    """A title for every choice, on one line; where two read the same, the id stands beside them."""
    shown = {choice: " ".join((titles.get(choice) or choice).split()) or choice for choice in choices}
    often = Counter(shown.values())
    return {choice: title if often[title] == 1 else f"{title} ({choice})" for choice, title in shown.items()}


def unresolved(tie: UnresolvedTie, log: tuple[str, ...]) -> UnresolvedTieError:
    """Say a tie as the error that asks people to decide it (K7)."""
    return UnresolvedTieError(tie.tied, tie.places, tie.advanced, tie.stage, tie.possible_winners, log)


def _scores(counts: Counts, titles: Mapping[str, str]) -> pl.DataFrame:
    totals = counts.totals
    rows = [
        (
            choice,
            titles.get(choice, choice),
            stars_of(totals[choice]),
            average(totals[choice], counts.vote_count, PLACES),
            counts.five_stars[choice],
            1 + sum(other > totals[choice] for other in totals.values()),
        )
        for choice in sorted(counts.choices, key=lambda choice: -totals[choice])
    ]
    return pl.DataFrame(rows, schema=SCORES, orient="row")


def _preferences(counts: Counts) -> pl.DataFrame:
    rows = [(choice, over, ballots) for choice, row in counts.preferred.items() for over, ballots in row.items()]
    return pl.DataFrame(rows, schema=PREFERENCES, orient="row")


def _outcome_of(choice: str, step: Step) -> str:
    if choice in step.advanced:
        return "advanced"
    return "tied" if choice in step.remaining else "out"


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        # Not str(): that writes a zero of 8 places as 0E-8.
        return format(value, "f")
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
