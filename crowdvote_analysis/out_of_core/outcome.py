"""The small results of a count from files: statistics, tallies, scores, and the hashes of everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis.delegation.frames import STATS
from crowdvote_analysis.out_of_core.results import counts_of, write_frame
from crowdvote_analysis.star import tally_all_counts
from crowdvote_analysis.star.resolution import CountedDecision
from crowdvote_analysis.star.result import SCORES, star_tally

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from crowdvote_analysis.out_of_core.catalogue import Catalogue


def write_outcome(
    out: Path,
    known: Catalogue,
    written: list[dict[str, Any]],
    encoded: Mapping[str, Any],
    protocol: str,
    tie_orders: Mapping[str, Sequence[str]] | None,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, dict[str, str]]:
    """Write stats, tallies and scores, and SHA256SUMS last, which says that all is there.

    Returns:
        The three tables, and the hashes by path.
    """
    stats = _stats(known, written, encoded)
    counted: dict[str, CountedDecision | None] = {}
    for number, (name, kept) in enumerate(zip(known.decisions["decision_id"], written, strict=True)):
        choices = known.choices.filter(pl.col("number") == number)
        titles = dict(zip(choices["choice_id"], choices["title"], strict=True))
        counted[name] = CountedDecision(counts_of(kept["counts"], choices), titles) if len(choices) else None
    tallies = tally_all_counts(counted, protocol, tie_orders=tie_orders)
    parts = [pl.DataFrame(schema={"decision_id": pl.String} | dict(SCORES))]
    for name, found in counted.items():
        if found is not None and found.counts.vote_count:
            tally = star_tally(name, found.counts, protocol, found.titles, (tie_orders or {}).get(name, ()))
            parts.append(tally.scores.select(pl.lit(name).alias("decision_id"), pl.all()))
    scores = pl.concat(parts)
    files = {path: digest for kept in written for path, digest in zip(kept["paths"], kept["hashes"], strict=True)}
    for name, frame in (("stats", stats), ("tallies", tallies), ("scores", scores)):
        files[f"{name}.parquet"] = write_frame(frame, out / f"{name}.parquet")
    lines = "".join(f"{digest}  {path}\n" for path, digest in sorted(files.items()))
    unfinished = out / ".SHA256SUMS.unfinished"
    unfinished.write_text(lines, encoding="utf-8")
    unfinished.replace(out / "SHA256SUMS")
    return stats, tallies, scores, files


def _stats(known: Catalogue, written: list[dict[str, Any]], encoded: Mapping[str, Any]) -> pl.DataFrame:
    """As ``Resolution.stats``."""
    rows = []
    for number, (name, kept) in enumerate(zip(known.decisions["decision_id"], written, strict=True)):
        own = kept["stats"]
        with_ballot = own["manual"] + own["calculated"]
        total = with_ballot + own["none"]
        rows.append(
            {
                "decision_id": name,
                "total_members": total,
                "manual_ballots": own["manual"],
                "calculated_ballots": own["calculated"],
                "no_ballot": own["none"],
                "lobbyists": own["lobbyists"],
                "tallied_ballots": own["tallied"],
                "circular_prevented": own["circular"],
                "max_delegation_depth": own["deepest"],
                "participation": with_ballot / total if total else 0.0,
                "non_member_ballots": encoded["ballots"]["outsiders"][number],
                "untimely_ballots": encoded["ballots"]["untimely"][number],
            }
        )
    return pl.DataFrame(rows, schema=STATS)
