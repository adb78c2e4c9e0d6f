"""STAR tally: votes in, a winner out, with every step on record (rules K1 to K10)."""

from crowdvote_analysis.star.carried import runoff_shares
from crowdvote_analysis.star.compare import compare_protocols
from crowdvote_analysis.star.counts import Counts
from crowdvote_analysis.star.histogram import score_histogram
from crowdvote_analysis.star.margins import Robustness, robustness, robustness_votes
from crowdvote_analysis.star.outcome import Runoff, UnresolvedTie
from crowdvote_analysis.star.overview import tally_all, tally_all_ballots, tally_all_counts, tally_all_votes
from crowdvote_analysis.star.protocols import PROTOCOLS
from crowdvote_analysis.star.ratings import level_ballots, ratings, with_ratings
from crowdvote_analysis.star.result import StarTally
from crowdvote_analysis.star.steps import Step
from crowdvote_analysis.star.tally import tally_each, tally_star, tally_star_ballots, tally_star_votes
from crowdvote_analysis.star.votes import star_units

__all__ = [
    "PROTOCOLS",
    "Counts",
    "Robustness",
    "Runoff",
    "StarTally",
    "Step",
    "UnresolvedTie",
    "compare_protocols",
    "level_ballots",
    "ratings",
    "robustness",
    "robustness_votes",
    "runoff_shares",
    "score_histogram",
    "star_units",
    "tally_all",
    "tally_all_ballots",
    "tally_all_counts",
    "tally_all_votes",
    "tally_each",
    "tally_star",
    "tally_star_ballots",
    "tally_star_votes",
    "with_ratings",
]
