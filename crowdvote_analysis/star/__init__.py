"""STAR tally: votes in, a winner out, with every step on record (rules K1 to K9)."""

from crowdvote_analysis.star.counts import Counts
from crowdvote_analysis.star.outcome import Runoff, UnresolvedTie
from crowdvote_analysis.star.overview import tally_all
from crowdvote_analysis.star.result import StarTally
from crowdvote_analysis.star.steps import Step
from crowdvote_analysis.star.tally import tally_star, tally_star_votes
from crowdvote_analysis.star.votes import star_units

__all__ = [
    "Counts",
    "Runoff",
    "StarTally",
    "Step",
    "UnresolvedTie",
    "star_units",
    "tally_all",
    "tally_star",
    "tally_star_votes",
]
