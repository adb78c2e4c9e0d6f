"""What would come out if something were different: another ballot, following, tag, rule for loops or tie protocol."""

from crowdvote_analysis.what_if.absence import without_each
from crowdvote_analysis.what_if.changes import (
    CastBallot,
    Change,
    Follow,
    TagBallot,
    Unfollow,
    WithdrawBallot,
    changed_state,
)
from crowdvote_analysis.what_if.comparison import Comparison, compare, what_if
from crowdvote_analysis.what_if.loop_rules import compare_loop_rules, loop_rules_in_words

__all__ = [
    "CastBallot",
    "Change",
    "Comparison",
    "Follow",
    "TagBallot",
    "Unfollow",
    "WithdrawBallot",
    "changed_state",
    "compare",
    "compare_loop_rules",
    "loop_rules_in_words",
    "what_if",
    "without_each",
]
