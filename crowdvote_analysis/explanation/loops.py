"""What a decision's loops came to, in plain words: which rule settled them, and what that means (Y1, Y4, Y6, Y7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_WALKED = (
    "nobody's ballot can be made of itself, so for each of their ballots the followings are walked anew, and one that "
    "leads back to somebody already on the way is cut: it gives nothing there"
)
_BALANCED = "nothing is cut there, and their ballots are averaged until nothing changes any more, all at once"


def rule_for_loops(rule: str) -> str:
    """Say what a rule for loops means, in words (Y1, Y4, Y6)."""
    name = _name(rule)
    meant = {
        "auto": "small tangles are walked, larger ones balanced",
        "path": "nobody's ballot is made of itself",
        "equilibrium": "their ballots are averaged until nothing changes any more",
    }
    return f"in loops {meant[name]} (the rule “{name}”)"


def cores_in_words(cores: Iterable[Mapping[str, Any]], rule: str) -> list[str]:
    """Say what became of the tangles of a decision: how many were walked or balanced, and what that means.

    Args:
        cores: Rows of ``Resolution.cores`` of one decision: members, rule.
        rule: The rule of the decision.

    Returns:
        One sentence for those that were walked, one for those that were balanced, and under ``auto`` one about the
        rule.
    """
    told = []
    for settled, verb, meant in (("path", "walked", _WALKED), ("equilibrium", "balanced", _BALANCED)):
        sizes = _sizes(cores, settled)
        if sizes:
            by = "" if _name(rule) == "auto" else f" (the rule “{_name(rule)}”)"
            were = "was" if len(sizes) == 1 else "were"
            told.append(f"{_tangles(sizes, settled, rule)} {were} {verb}{by}: {meant}.")
    if told and _name(rule) == "auto":
        told.append("Small tangles are walked and larger ones balanced (the rule “auto”).")
    return told


def loops_in_short(followings: int, cores: Iterable[Mapping[str, Any]], rule: str) -> str:
    """The same in one line, for a screen of text.

    Args:
        followings: Followings in loops (Y5).
        cores: As for ``cores_in_words``.
        rule: The rule of the decision, as it is recorded.
    """
    told = f"{followings:,} following{'' if followings == 1 else 's'} in loops"
    both = (("path", "walked"), ("equilibrium", "balanced"))
    parts = [f"{_tangles(sizes, settled, rule)} {verb}" for settled, verb in both if (sizes := _sizes(cores, settled))]
    came = ", ".join(parts) or "no ballot came around in them"
    return f"{told}: {came} (rule {rule})"


def _sizes(cores: Iterable[Mapping[str, Any]], settled: str) -> list[int]:
    return [core["members"] for core in cores if core["rule"] == settled]


def _tangles(sizes: list[int], settled: str, rule: str) -> str:
    """How many tangles, and of how many members: ``3 small tangles with 9 members in all``."""
    size = {"path": "small ", "equilibrium": "larger "}[settled] if _name(rule) == "auto" else ""
    if len(sizes) == 1:
        return f"1 {size}tangle with {sizes[0]:,} members"
    return f"{len(sizes):,} {size}tangles with {sum(sizes):,} members in all"


def _name(rule: str) -> str:
    """The name of a rule, without its number."""
    return rule.partition("-")[0]
