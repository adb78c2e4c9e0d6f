"""The audit log of a STAR count as lines of text (rule K8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crowdvote_analysis.errors import UnresolvedTieError
from crowdvote_analysis.star.steps import RULE_NAMES
from crowdvote_analysis.star.units import average, plain_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from crowdvote_analysis.star.counts import Counts
    from crowdvote_analysis.star.outcome import Outcome, UnresolvedTie
    from crowdvote_analysis.star.steps import Step


def write_log(
    counts: Counts, outcome: Outcome, titles: Mapping[str, str], tie_order: Sequence[str] = ()
) -> tuple[str, ...]:
    """Write down a count, step by step.

    Args:
        counts: What was counted.
        outcome: What it came to.
        titles: Title by choice id; a choice without one is called by its id.
        tie_order: The order that the community manager gave (K7).

    Returns:
        The lines: the score phase (averages rounded half-even to 2 places, best first), a line for each step of a
        tie, the runoff, and the winner or the unresolved tie. A decision of the manager is told as what it is.
    """
    names = {choice: titles.get(choice, choice) for choice in counts.choices}
    lines = [_score_line(counts, names)]
    for step in outcome.steps:
        if step.stage == "scoring" and step.rule == "sum":
            if step.remaining:
                lines.append(_score_tie_line(step, names))
        elif step.rule == "runoff":
            lines += _runoff_lines(counts, step, names)
        elif step.rule == "manager":
            lines.append(_manager_line(step, names))
        else:
            lines.append(_tiebreaker_line(step, names))
    if tie_order and not outcome.decided_by_manager and outcome.tie is None:
        lines.append(f"Order of the Community Manager ({_named(tie_order, names)}): not needed, no tie was left")
    if outcome.tie is not None:
        lines += _tie_lines(outcome.tie, names)
    else:
        lines.append(_winner_line(outcome, names))
    return tuple(lines)


def _score_line(counts: Counts, names: Mapping[str, str]) -> str:
    best_first = sorted(counts.choices, key=lambda choice: -counts.totals[choice])
    votes = _counted(counts.vote_count, "vote")
    scores = (f"{names[choice]} {average(counts.totals[choice], counts.vote_count, 2)} avg" for choice in best_first)
    return "Score Phase: " + ", ".join(f"{score} ({votes})" for score in scores)


def _score_tie_line(step: Step, names: Mapping[str, str]) -> str:
    total = plain_number(step.numbers[step.remaining[0]])
    places = _counted(step.places - len(step.advanced), "place")
    return f"Score Tie: {_named(step.remaining, names)} at {total} stars for {places}"


def _tiebreaker_line(step: Step, names: Mapping[str, str]) -> str:
    numbers = ", ".join(f"{names[choice]} {plain_number(number)}" for choice, number in step.numbers.items())
    verb = "wins" if step.stage == "runoff" else "advances" if len(step.advanced) == 1 else "advance"
    ends = [f"{_named(step.advanced, names)} {verb}"] if step.advanced else []
    if step.remaining:
        ends.append(f"still tied: {_named(step.remaining, names)}")
    phase = "Score" if step.stage == "scoring" else "Runoff"
    return f"{phase} Tiebreaker ({RULE_NAMES[step.rule]}): {numbers}; {'; '.join(ends)}"


def _manager_line(step: Step, names: Mapping[str, str]) -> str:
    phase, verb = ("Score", "advance") if step.stage == "scoring" else ("Runoff", "win")
    order = _named(step.best_first, names)
    ends = f"{_named(step.advanced, names)} {verb}{'s' if len(step.advanced) == 1 else ''}"
    return f"{phase} Tie decided by the Community Manager (order: {order}): {ends}"


def _runoff_lines(counts: Counts, step: Step, names: Mapping[str, str]) -> list[str]:
    lines = [
        "Runoff: " + " vs ".join(names[choice] for choice in step.pool),
        ", ".join(f"{names[choice]}: {_counted(int(votes), 'preference')}" for choice, votes in step.numbers.items()),
    ]
    no_preference = counts.vote_count - sum(int(votes) for votes in step.numbers.values())
    if no_preference:
        lines.append(f"No preference: {_counted(no_preference, 'ballot')}")
    return lines


def _winner_line(outcome: Outcome, names: Mapping[str, str]) -> str:
    winner = names[outcome.winner or ""]
    if outcome.runoff is None:
        return f"Winner: {winner} (the only choice)"
    rule = outcome.runoff.decided_by or "runoff"
    how = {"runoff": "", "manager": ", tie decided by the Community Manager"}.get(
        rule, f", tie broken by {RULE_NAMES[rule]}"
    )
    return f"Winner: {winner} (margin: {_counted(outcome.runoff.margin, 'vote')}{how})"


def _tie_lines(tie: UnresolvedTie, names: Mapping[str, str]) -> list[str]:
    error = UnresolvedTieError([names[choice] for choice in tie.tied], tie.places, (), tie.stage, (), ())
    possible = _named(tie.possible_winners, names)
    several = len(tie.possible_winners) > 1
    return [
        str(error),
        f"Possible winners: {possible}" if several else f"Winner under any decision of the tie: {possible}",
    ]


def _named(choices: Iterable[str], names: Mapping[str, str]) -> str:
    return ", ".join(names[choice] for choice in choices)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
