"""Who decided: how concentrated the weight of a count is, by which tags it passed, and who stands around a member."""

from crowdvote_analysis.power.concentration import Concentration, concentration, voter_weights
from crowdvote_analysis.power.neighbourhood import Neighbourhood, neighbourhood
from crowdvote_analysis.power.tags import tag_power

__all__ = ["Concentration", "Neighbourhood", "concentration", "neighbourhood", "tag_power", "voter_weights"]
