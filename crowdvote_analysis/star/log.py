"""The audit log of a STAR count as lines of text (rule K8)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from crowdvote_analysis.star.units import average

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crowdvote_analysis.star.counts import Counts
    from crowdvote_analysis.star.outcome import Outcome, UnresolvedTie
    from crowdvote_analysis.star.steps import Step

_RULE_NAMES = {"sum": "total score", "prefs": "preferences", "max_count": "five-star ballots"}


def write_log(counts: Counts, outcome: Outcome, titles: Mapping[str, str]) -> tuple[str, ...]:
    """Write down a count, step by step.

    Args:
        counts: What was counted.
        outcome: What it came to.
        titles: Title by choice id; a choice without one is called by its id.

    Returns:
        The lines: the score phase (averages rounded half-even to 2 places, best first), a line for each step of a
        tie, the runoff, and the winner or the unresolved tie.
    """
    names = {choice: titles.get(choice, choice) for choice in counts.choices}
    lines = [_score_line(counts, names)]
    for step in outcome.steps:
        if step.stage == "scoring" and step.rule == "sum":
            if step.remaining:
                lines.append(_score_tie_line(step, names))
        elif step.rule == "runoff":
            lines += _runoff_lines(counts, step, names)
        else:
            lines.append(_tiebreaker_line(step, names))
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
    total = _number(step.numbers[step.remaining[0]])
    places = _counted(step.places - len(step.advanced), "place")
    return f"Score Tie: {_named(step.remaining, names)} at {total} stars for {places}"


def _tiebreaker_line(step: Step, names: Mapping[str, str]) -> str:
    numbers = ", ".join(f"{names[choice]} {_number(number)}" for choice, number in step.numbers.items())
    verb = "wins" if step.stage == "runoff" else "advances" if len(step.advanced) == 1 else "advance"
    ends = [f"{_named(step.advanced, names)} {verb}"] if step.advanced else []
    if step.remaining:
        ends.append(f"still tied: {_named(step.remaining, names)}")
    phase = "Score" if step.stage == "scoring" else "Runoff"
    return f"{phase} Tiebreaker ({_RULE_NAMES[step.rule]}): {numbers}; {'; '.join(ends)}"


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
    how = "" if rule == "runoff" else f", tie broken by {_RULE_NAMES[rule]}"
    return f"Winner: {winner} (margin: {_counted(outcome.runoff.margin, 'vote')}{how})"


def _tie_lines(tie: UnresolvedTie, names: Mapping[str, str]) -> list[str]:
    return [
        f"Unresolved tie between: {_named(tie.tied, names)}. Community Manager must decide tie-breaking method "
        "(coin toss, revote, or other community-specific process).",
        f"Possible winners: {_named(tie.possible_winners, names)}"
        if len(tie.possible_winners) > 1
        else f"Winner under any decision of the tie: {_named(tie.possible_winners, names)}",
    ]


def _named(choices: Iterable[str], names: Mapping[str, str]) -> str:
    return ", ".join(names[choice] for choice in choices)


def _number(number: Decimal | int) -> str:
    if not isinstance(number, Decimal):
        return f"{number}"
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
