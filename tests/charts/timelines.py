"""A small timeline of one decision, as ``snapshots.decision_timeline`` gives it."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from crowdvote_analysis.snapshots.exports import TIMELINE

# Snapshot: day, winner, stars of the pond and of the swings, by hand, calculated, none, final, current.
_TOLD = {
    "first": (3, "swings", "2.5", "3", 4, 2, 4, False, True),
    "second": (9, None, "3", "3", 5, 3, 2, False, True),
    "third": (20, "pond", "4", "2", 6, 3, 1, True, False),
    "fourth": (21, "pond", "4.25", "2", 6, 4, 0, True, True),
}


def small_timeline() -> pl.DataFrame:
    rows = []
    for name, (day, winner, pond, swings, manual, calculated, none, final, current) in _TOLD.items():
        head = (name, "garden", "use", datetime(2026, 5, day, 12, tzinfo=UTC), final, current)
        counts = {"manual_ballots": manual, "calculated_ballots": calculated, "no_ballot": none}
        rows += [(*head, "decision", "use", measure, str(value), None, None) for measure, value in counts.items()]
        rows.append((*head, "decision", "use", "winner", None, winner, None))
        rows.append((*head, "choice", "pond", "average", pond, None, "Pond"))
        rows.append((*head, "choice", "swings", "average", swings, None, "Swings"))
    frame = pl.DataFrame(rows, schema=[*TIMELINE, "title"], orient="row", infer_schema_length=None)
    return frame.cast({**TIMELINE, "title": pl.String()})
