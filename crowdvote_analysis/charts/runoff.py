"""The runoff of a STAR count (K2): which finalist more ballots prefer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import polars as pl

from crowdvote_analysis.charts.bars import labelled_bars, tall
from crowdvote_analysis.charts.theme import FINALIST, OTHER, TIED, WINNER, said_role, styled

if TYPE_CHECKING:
    from crowdvote_analysis.charts.theme import Mode, Width
    from crowdvote_analysis.star import StarTally

_COLOURS = {"winner": WINNER, "runner-up": FINALIST, "tied": TIED, "no preference": OTHER}


def runoff_parts(tally: StarTally) -> pl.DataFrame | None:
    """Split the ballots of a runoff by the finalist they prefer.

    Returns:
        Three rows (the finalists, better score first, and no preference): ``title``, ``role`` (``winner``,
        ``runner-up``, ``tied``, ``no preference``), ``ballots``, ``share`` of all ballots (0 to 1), ``half``: half of
        the ballots that have a preference, which the winner passes (null for no preference). ``None`` where it did not
        come to a runoff: a lone choice, or a tie while scoring.
    """
    if tally.runoff is None:
        return None
    titles = dict(tally.scores.select("choice_id", "title").iter_rows())
    roles = dict.fromkeys(tally.finalists, "runner-up" if tally.winner else "tied")
    if tally.winner is not None:
        roles[tally.winner] = "winner"
    preferring = sum(tally.runoff.votes.values())
    rows = [
        (titles[choice], roles[choice], ballots, ballots / tally.vote_count, preferring / 2)
        for choice, ballots in tally.runoff.votes.items()
    ]
    nobody = tally.runoff.no_preference
    return pl.DataFrame(
        [*rows, ("No preference", "no preference", nobody, nobody / tally.vote_count, None)],
        schema={
            "title": pl.String,
            "role": pl.String,
            "ballots": pl.Int64,
            "share": pl.Float64,
            "half": pl.Float64,
        },
        orient="row",
    )


def runoff_chart(
    parts: pl.DataFrame, *, is_open: bool = False, mode: Mode = "page", width: Width = "container"
) -> alt.LayerChart:
    """Draw the finalists and those without a preference as parts of all ballots; a tick marks the majority.

    Args:
        parts: ``title``, ``role``, ``ballots``, ``share``, ``half``, as from ``runoff_parts``.
        is_open: Whether ballots may still come, so that the winner only leads.
        mode: ``"page"``, ``"light"`` or ``"dark"``.
        width: In pixels, or ``"container"``.
    """
    rows = parts.with_columns(
        label=pl.when(pl.col("role") == "no preference")
        .then("title")
        .otherwise(pl.format("{}  ({})", "title", said_role(is_open))),
        figures=pl.struct("ballots", "share").map_elements(
            lambda part: f"{part['ballots']:,} {'ballot' if part['ballots'] == 1 else 'ballots'}, {part['share']:.1%}",
            return_dtype=pl.String,
        ),
    )
    layers = labelled_bars(
        rows,
        value="ballots",
        most=max(float(rows["ballots"].sum()), 1.0),
        colours=_COLOURS,
        axis=None,
        tooltip=[
            alt.Tooltip("title:N", title="Preferred"),
            alt.Tooltip("ballots:Q", title="Ballots", format=",d"),
            alt.Tooltip("share:Q", title="Share of all ballots", format=".1%"),
            alt.Tooltip("half:Q", title="Half of the ballots with a preference", format=",.1f"),
        ],
        columns=["title", "share"],
        mark_at="half",
    )
    return styled(layers, mode, width, tall(rows))
