"""Who may ask for a decision to be counted again, and what they are told (E4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crowdvote_analysis.snapshots.inputs import decision_of, is_closed
from crowdvote_analysis.snapshots.lifecycle import is_calculating

if TYPE_CHECKING:
    from crowdvote_analysis.store.store import Store

MANAGERS_ONLY = "Only community managers can trigger manual recalculation"
CLOSED = "Cannot recalculate closed decisions"
IN_PROGRESS = "Calculation already in progress for this decision"


def why_refused(store: Store, decision_id: str, *, is_manager: bool) -> str | None:
    """Say why a recalculation may not begin; none where it may.

    Raises:
        UnknownDecisionError: The decision is not in the store, or is voted on with yes and no.
    """
    if not is_manager:
        return MANAGERS_ONLY
    if is_closed(decision_of(store.cut(), decision_id), store.clock()):
        return CLOSED
    return IN_PROGRESS if is_calculating(store, decision_id) else None


def started(store: Store, decision_id: str) -> str:
    """Say that a recalculation has begun."""
    title = decision_of(store.cut(), decision_id)["title"] or decision_id
    return f'Recalculation started for "{title}". Results will update automatically when complete.'
