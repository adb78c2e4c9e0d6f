"""Why one member's ballot is what it is: the tree of their own walk, down to the ballots cast by hand (U2)."""

from crowdvote_analysis.explanation.member import lineage
from crowdvote_analysis.explanation.tree import Lineage

__all__ = ["Lineage", "lineage"]
