"""SystemState → Resolution: whose ballot, and how it is calculated (D, T, Y, I, M)."""

from crowdvote_analysis.delegation.counting import WORK_LIMIT, resolve
from crowdvote_analysis.delegation.resolution import Resolution

__all__ = ["WORK_LIMIT", "Resolution", "resolve"]
