"""One decision under every rule for loops: whether they agree (Y1, Y4, Y6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis.delegation import resolve
from crowdvote_analysis.limits import COMPARE_LIMIT
from crowdvote_analysis.loop_rules import AUTO, RULES, numbered
from crowdvote_analysis.star import tally_all
from crowdvote_analysis.what_if.comparison import compare

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crowdvote_analysis.delegation import Resolution
    from crowdvote_analysis.state import SystemState

_COLUMNS = pl.Schema(
    {
        "rule": pl.String(),
        "status": pl.String(),
        "winner": pl.String(),
        "finalists": pl.List(pl.String()),
        "possible_winners": pl.List(pl.String()),
        "margin": pl.Int64(),
        "ballots_that_differ": pl.Int64(),
    }
)


def compare_loop_rules(
    state: SystemState,
    decision_id: str,
    protocol: str = "starvote",
    *,
    resolution: Resolution | None = None,
    tie_order: Sequence[str] = (),
    work_limit: int = COMPARE_LIMIT,
) -> pl.DataFrame:
    """Count a decision by every rule for loops.

    Args:
        state: The tables.
        decision_id: The decision.
        protocol: The tie protocol (K3).
        resolution: The count to compare with, which holds the decision; by default that by the rule of the decision.
        tie_order: The order that the community manager gave for ties, best first (K7).
        work_limit: Steps that may be spent on ``path`` (Y3).

    Returns:
        One row a rule, that of the count first: ``rule`` (``auto-1``, ``path``, ``equilibrium``), ``status`` and the
        columns ``winner``, ``finalists``, ``possible_winners`` and ``margin`` as in ``tally_all`` (``refused`` where
        ``path`` needs too much work), and ``ballots_that_differ``: how many members have another ballot than in the
        count, calculated or not, voters or lobbyists.

    Raises:
        UnknownDecisionError: The decision is not in the state, or not in the resolution.
        CyclicCoreTooLarge: There is no resolution, and the rule of the decision is ``path`` and needs too much work.
    """
    own = resolve(state, [decision_id], work_limit=work_limit) if resolution is None else resolution
    own_rule: str = own.decisions.filter(decision_id=decision_id)["cycle_rule"].item()
    orders = {decision_id: tie_order} if tie_order else None
    counts: dict[str, Resolution | None] = {own_rule: own}
    for rule in map(numbered, RULES):
        if rule not in counts:
            counts[rule] = _counted(state, decision_id, own, own_rule, rule, work_limit)
    return pl.DataFrame(
        [_row(rule, count, own, decision_id, protocol, orders) for rule, count in counts.items()], schema=_COLUMNS
    )


def _counted(
    state: SystemState, decision_id: str, own: Resolution, own_rule: str, rule: str, work_limit: int
) -> Resolution | None:
    """The count by another rule; none where it takes too much work."""
    settled = set(own.cores.filter(decision_id=decision_id)["rule"])
    if (own_rule == AUTO and settled <= {rule}) or not settled:
        return own  # every core was settled by this rule
    count = resolve(state, [decision_id], rule, work_limit=work_limit, on_refusal="report")
    return count if count.refused.is_empty() else None


def _row(
    rule: str,
    count: Resolution | None,
    own: Resolution,
    decision_id: str,
    protocol: str,
    orders: Mapping[str, Sequence[str]] | None,
) -> dict[str, Any]:
    if count is None:
        return {"rule": rule, "status": "refused"}
    tally = tally_all(count, protocol, tie_orders=orders).row(
        by_predicate=pl.col("decision_id") == decision_id, named=True
    )
    other = 0 if count is own else len(compare(own, count, decision_id).ballots)
    known = ("status", "winner", "finalists", "possible_winners", "margin")
    return {"rule": rule, **{name: tally[name] for name in known}, "ballots_that_differ": other}


def loop_rules_in_words(compared: pl.DataFrame, titles: Mapping[str, str]) -> str:
    """Say in a sentence whether the rule for loops matters for the winner.

    Args:
        compared: As ``compare_loop_rules`` gives it.
        titles: Title by choice_id.
    """
    own, *others = compared.to_dicts()
    told = [row for row in others if row["status"] != "refused"]
    other = [row for row in told if _winners(row) != _winners(own)]
    refused = [row["rule"] for row in others if row["status"] == "refused"]
    unknown = f" What the rule “{_plain(refused[0])}” would give takes too much work to say." if refused else ""
    if other:
        by = " and ".join(f"by the rule “{_plain(row['rule'])}” {_who(row, titles)}" for row in other)
        return f"The rule for loops matters here: {by}.{unknown}"
    if not any(row["ballots_that_differ"] for row in told) and not unknown:
        return "The rule for loops makes no difference here: every rule gives the same ballots."
    most = max((row["ballots_that_differ"] for row in told), default=0)
    differ = f"{most:,} ballot{' differs' if most == 1 else 's differ'}" if most else "no ballot differs"
    if unknown and not most:
        return f"Whether the rule for loops matters for the winner is not known here.{unknown}"
    if unknown:
        return f"By the rule “{_plain(told[0]['rule'])}” the winner would be the same ({differ}).{unknown}"
    return f"The rule for loops does not matter for the winner here ({differ} at the most between the rules)."


def _winners(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (row["winner"],) if row["winner"] else tuple(row["possible_winners"] or ())


def _who(row: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    winners = [titles.get(choice, choice) for choice in _winners(row)]
    if not winners:
        return "nothing comes out"
    return f"{winners[0]} would win" if row["winner"] else f"a tie would be left between {', '.join(winners)}"


def _plain(rule: str) -> str:
    """The name of a rule, without its number."""
    return rule.partition("-")[0]
