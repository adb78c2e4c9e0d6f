"""What a final snapshot says about its loops: who would win by each rule, and which tangles crossed the bound (Y6).

Who can join a tangle of loops can move it over the bound of ``auto``; so a final result shows what that could do. It
stands beside the staged ballots, and is part of no hash of the result: a recount need not repeat it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis.delegation import resolve
from crowdvote_analysis.errors import SnapshotError
from crowdvote_analysis.loop_rules import AUTO
from crowdvote_analysis.snapshots.calculation import as_asked
from crowdvote_analysis.snapshots.events import list_snapshots
from crowdvote_analysis.snapshots.reading import read_document, read_frozen
from crowdvote_analysis.what_if import compare_loop_rules, loop_rules_in_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crowdvote_analysis.delegation import Resolution
    from crowdvote_analysis.snapshots.inputs import Inputs
    from crowdvote_analysis.state import SystemState
    from crowdvote_analysis.store.store import Store


def loops_of_final(store: Store, inputs: Inputs, state: SystemState, resolution: Resolution) -> dict[str, Any] | None:
    """What there is to say about the loops of a final snapshot.

    Args:
        store: The store.
        inputs: What is frozen.
        state: Its tables.
        resolution: Its count.

    Returns:
        ``rules``: the rows of ``compare_loop_rules``. ``crossed``: how many members are in a core that is balanced now
        and was walked in the snapshot ``since`` (the last one that has a result), or the other way round. ``None``
        where the snapshot is not final, or has no loops.
    """
    if not inputs.is_final or resolution.cores.is_empty():
        return None
    options = inputs.options
    asked = as_asked(state, options)
    rules = compare_loop_rules(
        asked, inputs.decision_id, options.protocol, resolution=resolution, tie_order=options.tie_order
    )
    since = _last_result(store, inputs)
    crossed = 0 if since is None else _crossed(_rule_by_member(_count_of(store, since)), _rule_by_member(resolution))
    return {"rules": rules.to_dicts(), "crossed": crossed, "since": since}


def read_loops(store: Store, snapshot_id: str) -> dict[str, Any] | None:
    """What ``loops_of_final`` said when a snapshot was staged; none of snapshots that it said nothing of.

    Raises:
        SnapshotError: The document is missing.
    """
    loops: dict[str, Any] | None = read_document(store, snapshot_id, "staged").get("loops")
    return loops


def loops_in_words(loops: Mapping[str, Any], titles: Mapping[str, str]) -> list[str]:
    """Say whether the rule for loops matters for a final result, and whether a tangle crossed the bound.

    Args:
        loops: As ``read_loops`` gives it.
        titles: Title by choice_id.
    """
    words = [loop_rules_in_words(pl.DataFrame(loops["rules"]), titles)]
    if loops["crossed"]:
        who = "1 member is" if loops["crossed"] == 1 else f"{loops['crossed']:,} members are"
        words.append(
            f"Since snapshot {loops['since']} a tangle of loops has crossed the bound between walked and balanced ones "
            f"(Y6): {who} in one that is settled the other way now."
        )
    return words


def _last_result(store: Store, inputs: Inputs) -> str | None:
    """The last snapshot of the decision before this one that has a result."""
    known = list_snapshots(store, inputs.decision_id)
    before = known.filter(pl.col("status") == "completed", pl.col("seq") <= inputs.seq)
    before = before.filter(pl.col("snapshot_id") != inputs.snapshot_id).sort("seq", "timestamp")
    return before["snapshot_id"][-1] if len(before) else None


def _count_of(store: Store, snapshot_id: str) -> Resolution | None:
    """A snapshot counted again; none where it is not what it was."""
    try:
        inputs, state = read_frozen(store, snapshot_id)
    except SnapshotError:
        return None
    options = inputs.options
    count = resolve(as_asked(state, options), cycles=options.cycles, work_limit=options.work_limit, on_refusal="report")
    return count if count.refused.is_empty() else None


def _rule_by_member(count: Resolution | None) -> dict[str, str]:
    """The rule that settled the core of each member, by ``auto``."""
    if count is None or set(count.decisions["cycle_rule"]) != {AUTO}:
        return {}
    both = count.core_members.join(count.cores, on=["decision_id", "core"])
    return dict(both.select("member_id", "rule").iter_rows())


def _crossed(before: Mapping[str, str], now: Mapping[str, str]) -> int:
    return sum(before[member] != rule for member, rule in now.items() if member in before)
