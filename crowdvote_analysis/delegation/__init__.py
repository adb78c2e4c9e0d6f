"""SystemState → Resolution: whose ballot, and how it is calculated (D, T, Y, I, M)."""

from crowdvote_analysis.delegation.counting import resolve
from crowdvote_analysis.delegation.resolution import Resolution
from crowdvote_analysis.limits import WORK_LIMIT

__all__ = ["WORK_LIMIT", "Resolution", "resolve"]
