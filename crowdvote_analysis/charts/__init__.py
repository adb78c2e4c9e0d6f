"""Pictures of a count: Altair charts, one function each, from frames.

Every chart names the columns it needs, gives a plain ``altair`` chart back and works in any notebook. Stars are exact
in the frames and become floats only here, at the edge to the screen (Altair cannot save Decimal columns).

- ``participation_chart(participation_parts(stats))``: who voted, whose ballot was calculated, who has none.
- ``score_chart(tally.scores, ...)``: the score phase, finalists marked.
- ``runoff_chart(runoff_parts(tally))``: the finalists head to head.
- ``histogram_chart(histogram_parts(histogram, tally.scores))``: how ballots are spread over the stars.
- ``steps_chart(step_rows(tally))``: every step of the count; ``tie_steps(tally)``: those of a tie, as a table.
- ``influence_chart(influence_rows(ballots, names))``: how much of the result rests on each manual ballot.
- ``depth_chart(depth_rows(ballots))``: how far ballots travelled along followings.
- ``share_chart(share_rows(score_shares, tally.scores, names))``: what every score is made of.
- ``cumulative_chart(cumulative_rows(weights))``: how few voters make up how much of the weight.
- ``tag_chart(tag_rows(tag_power))``: on which tags ballots were inherited.
- ``network_chart(drawing_of(neighbourhood, names))``: who follows whom around a member.
- ``change_chart(change_rows(comparison))``: scores before and after a change that is tried out.
- ``progress_chart(progress_parts(outcomes))``: yes/no decisions, and how far yes has to get.
- ``vote_weight_chart(vote_weight_rows(weights, names))``: whose votes carry a delegated yes/no decision.
- ``star_history_chart(star_history(timeline))``: the stars of the choices over time, and who led.
- ``participation_history_chart(participation_history(timeline))``: who took part, over time.

Pass ``mode="light"`` or ``"dark"`` for a picture that stands on its own; the default ``"page"`` takes the colour of its
texts from the page around it. ``save_chart(chart, "scores.svg")`` writes PNG, SVG, PDF, or HTML that opens offline.
``page`` holds the words and tables that go with the charts.
"""

from crowdvote_analysis.charts.change import change_chart, change_rows
from crowdvote_analysis.charts.cumulative import cumulative_chart, cumulative_rows
from crowdvote_analysis.charts.depth import depth_chart, depth_rows
from crowdvote_analysis.charts.histogram import histogram_chart, histogram_parts
from crowdvote_analysis.charts.influence import influence_chart, influence_rows
from crowdvote_analysis.charts.network import Drawing, drawing_of, network_chart
from crowdvote_analysis.charts.participation import participation_chart, participation_parts
from crowdvote_analysis.charts.runoff import runoff_chart, runoff_parts
from crowdvote_analysis.charts.save import save_chart
from crowdvote_analysis.charts.scores import score_chart
from crowdvote_analysis.charts.shares import share_chart, share_rows
from crowdvote_analysis.charts.steps import step_rows, steps_chart
from crowdvote_analysis.charts.tags import tag_chart, tag_rows
from crowdvote_analysis.charts.theme import Mode, Width, choice_of
from crowdvote_analysis.charts.ties import tie_steps
from crowdvote_analysis.charts.timeline import (
    participation_history,
    participation_history_chart,
    star_history,
    star_history_chart,
)
from crowdvote_analysis.charts.yes_no import progress_chart, progress_parts, vote_weight_chart, vote_weight_rows

__all__ = [
    "Drawing",
    "Mode",
    "Width",
    "change_chart",
    "change_rows",
    "choice_of",
    "cumulative_chart",
    "cumulative_rows",
    "depth_chart",
    "depth_rows",
    "drawing_of",
    "histogram_chart",
    "histogram_parts",
    "influence_chart",
    "influence_rows",
    "network_chart",
    "participation_chart",
    "participation_history",
    "participation_history_chart",
    "participation_parts",
    "progress_chart",
    "progress_parts",
    "runoff_chart",
    "runoff_parts",
    "save_chart",
    "score_chart",
    "share_chart",
    "share_rows",
    "star_history",
    "star_history_chart",
    "step_rows",
    "steps_chart",
    "tag_chart",
    "tag_rows",
    "tie_steps",
    "vote_weight_chart",
    "vote_weight_rows",
]
