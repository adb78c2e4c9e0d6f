"""What a count of a store has to say about final snapshots: they stand, whatever is counted today (S10)."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crowdvote_analysis.cli.reading import holds_store, open_store
from crowdvote_analysis.errors import TableWarning

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# So many ids a note names.
_NAMED = 10


def note_finals(folder: str | Path, storage: list[str] | None, documents: Iterable[Mapping[str, Any]]) -> None:
    """Issue a ``TableWarning`` for decisions that were counted though they are over: which final snapshot stands.

    Args:
        folder: A store; about a folder of files there is nothing to say.
        storage: What its object storage needs.
        documents: What was counted; see ``summaries``.
    """
    if not holds_store(folder, storage):
        return
    from crowdvote_analysis.snapshots import list_snapshots
    from crowdvote_analysis.snapshots.upkeep import without_final

    store = open_store(folder, storage)
    known = list_snapshots(store).filter("is_final", status="completed")
    standing = known.filter(known["superseded_by"].is_null()).unique("decision_id", keep="first")
    finals = {row["decision_id"]: row for row in standing.iter_rows(named=True)}
    here = {document["decision_id"]: document for document in documents}
    for decision in sorted(here.keys() & finals.keys()):
        warnings.warn(_sentence(here[decision], finals[decision]), TableWarning, stacklevel=2)
    waiting = [decision for decision in without_final(store) if decision in here]
    if waiting:
        warnings.warn(waiting_sentence(waiting, folder), TableWarning, stacklevel=2)


def waiting_sentence(decisions: Sequence[str], store: str | Path) -> str:
    """Say that decisions are over and have no final snapshot, and how they get it."""
    named = ", ".join(decisions[:_NAMED])
    more = f" and {len(decisions) - _NAMED:,} more" if len(decisions) > _NAMED else ""
    return f"over, and without a final snapshot: {named}{more}. To take it: crowdvote snapshot recover {store}"


def _sentence(document: Mapping[str, Any], final: Mapping[str, Any]) -> str:
    tally, numbers = document["tally"], document["participation"]
    stands = (
        f"decision '{document['decision_id']}': voting is over and its final snapshot {final['snapshot_id']} stands "
        f"({_result(final['outcome'], final['winner_title'] or final['winner'])})."
    )
    now = (tally["status"], tally.get("winner"))
    if now != (final["outcome"], final["winner"]):
        return f"{stands} This count of the tables of today differs ({_result(*now)})."
    same = all(numbers[name] == final[name] for name in ("total_members", "manual_ballots", "calculated_ballots"))
    if same and _margin(tally) == final["margin"]:
        return stands
    return f"{stands} This count of the tables of today has the same winner and other numbers."


def _margin(tally: Mapping[str, Any]) -> int | None:
    runoff = tally.get("runoff")
    return runoff["margin"] if runoff else None


def _result(outcome: str, winner: str | None) -> str:
    return f"winner: {winner}" if winner else outcome
