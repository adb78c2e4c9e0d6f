"""The rules for loops (Y), and which core is walked under ``auto`` (Y6). Costs nothing to import.

The bound of ``auto-1`` is part of the rule: results of years ago must come out again, so it never moves. Another bound
is another number.
"""

from __future__ import annotations

# What a community can choose (column cycle_rule).
RULES = ("auto", "path", "equilibrium")
DEFAULT_RULE = "auto"
# The number of ``auto`` as it is now, which results record.
AUTO = "auto-1"

# A core is small, and walked, with at most so many members, whoever follows whom among them ...
FEW_MEMBERS = 7
# ... or with at most so many members and so many followings beyond one each (docs/rules.md says how they were found).
MORE_MEMBERS, FOLLOWINGS_BEYOND = 40, 8


def numbered(rule: str) -> str:
    """The rule as results record it: ``auto`` with the number of its bound."""
    return AUTO if rule == "auto" else rule


def check_rule(cycles: str | None) -> None:
    """Refuse what is no rule for loops.

    Raises:
        ValueError: ``cycles`` names no rule.
    """
    if cycles is not None and cycles not in (*RULES, AUTO):
        raise ValueError(
            f"cycles is {cycles!r}; the rules for loops are 'auto' (Y6), 'path' (Y1) and 'equilibrium' (Y4)"
        )


def rule_of_core(rule: str, members: int, followings: int) -> str:
    """The rule that settles one core (Y6).

    Args:
        rule: The rule of the decision.
        members: Number of members of the core.
        followings: Number of followings inside the core that can match (Y2).

    Returns:
        ``"path"`` or ``"equilibrium"``.
    """
    if rule != AUTO:
        return rule
    small = members <= FEW_MEMBERS or (members <= MORE_MEMBERS and followings - members <= FOLLOWINGS_BEYOND)
    return "path" if small else "equilibrium"
