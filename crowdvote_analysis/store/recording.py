"""Everything that can be recorded in a store, one function each.

Each is one commit: all of it is there afterwards, or nothing. What it depends on is checked against the store as it is
at the moment of the commit, whoever else is writing. What may not be recorded is refused with a reason for programs and
a sentence for people, which names no member (``RefusedRecordError``).

- ``membership``: communities, members and their roles, followings; ``loop_rule``: how loops are counted.
- ``decisions``: created, published, closed.
- ``forgetting``: ids and names of whoever asks for it, erased for ever.
- ``ballots``: ballots with stars, yes/no votes.
"""

from crowdvote_analysis.store.ballots import cast_ballot, change_ballot, vote, withdraw_ballot
from crowdvote_analysis.store.decisions import close_by_clock, close_decision, create_decision, publish_decision
from crowdvote_analysis.store.forgetting import forget_member
from crowdvote_analysis.store.loop_rule import change_cycle_rule
from crowdvote_analysis.store.membership import (
    change_role,
    change_tags,
    create_community,
    follow,
    join,
    leave,
    unfollow,
)

__all__ = [
    "cast_ballot",
    "change_ballot",
    "change_cycle_rule",
    "change_role",
    "change_tags",
    "close_by_clock",
    "close_decision",
    "create_community",
    "create_decision",
    "follow",
    "forget_member",
    "join",
    "leave",
    "publish_decision",
    "unfollow",
    "vote",
    "withdraw_ballot",
]
