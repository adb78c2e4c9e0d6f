"""Yes/no decisions: who voted what, whether it passes, and what could still change that (rules C)."""

from crowdvote_analysis.consensus.decision import decide
from crowdvote_analysis.consensus.delegated import weights
from crowdvote_analysis.consensus.outcome import outcomes
from crowdvote_analysis.consensus.standing import standing_votes
from crowdvote_analysis.consensus.voting import new_vote, record_vote, why_refused

__all__ = ["decide", "new_vote", "outcomes", "record_vote", "standing_votes", "weights", "why_refused"]
