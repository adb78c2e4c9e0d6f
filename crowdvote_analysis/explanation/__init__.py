"""Why members' ballots are what they are: trees of their own walks, down to the ballots cast by hand (U2)."""

from crowdvote_analysis.explanation.member import lineage, lineages
from crowdvote_analysis.explanation.tree import Lineage

__all__ = ["Lineage", "lineage", "lineages"]
