"""Snapshots of a store: what counts at one instant, frozen, counted, and proved (rules S)."""

from crowdvote_analysis.snapshots.demo import demo_store, make_demo_store
from crowdvote_analysis.snapshots.document import document, document_dict, document_schema
from crowdvote_analysis.snapshots.events import INTERNAL, find_snapshot, list_snapshots, read_events, redacted
from crowdvote_analysis.snapshots.exports import (
    SNAPSHOT_TABLES,
    decision_timeline,
    export_snapshot,
    export_snapshots,
    read_public,
    snapshot_tables,
    timeline,
)
from crowdvote_analysis.snapshots.lifecycle import take_snapshot
from crowdvote_analysis.snapshots.loop_winners import loops_in_words, read_loops
from crowdvote_analysis.snapshots.reading import named_for_ever, read_inputs, read_result
from crowdvote_analysis.snapshots.recounts import recompute
from crowdvote_analysis.snapshots.shown import snapshot_document
from crowdvote_analysis.snapshots.upkeep import health, mark_corrupted, recover, validate
from crowdvote_analysis.snapshots.verify import Verification, verify_snapshot

__all__ = [
    "INTERNAL",
    "SNAPSHOT_TABLES",
    "Verification",
    "decision_timeline",
    "demo_store",
    "document",
    "document_dict",
    "document_schema",
    "export_snapshot",
    "export_snapshots",
    "find_snapshot",
    "health",
    "list_snapshots",
    "loops_in_words",
    "make_demo_store",
    "mark_corrupted",
    "named_for_ever",
    "read_events",
    "read_inputs",
    "read_loops",
    "read_public",
    "read_result",
    "recompute",
    "recover",
    "redacted",
    "snapshot_document",
    "snapshot_tables",
    "take_snapshot",
    "timeline",
    "validate",
    "verify_snapshot",
]
