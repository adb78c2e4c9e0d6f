"""After a change: whose ballot has to be calculated again, and a count that takes over what it can (E2)."""

from crowdvote_analysis.affected.resolve import affected_members, resolve_affected

__all__ = ["affected_members", "resolve_affected"]
