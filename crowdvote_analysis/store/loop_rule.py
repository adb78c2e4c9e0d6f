"""The rule for loops of a community: a decision is counted by the one there was when it was published (Y6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.errors import RefusedRecordError
from crowdvote_analysis.store.records import checked, found, record, require_community

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from crowdvote_analysis.store.cut import Cut
    from crowdvote_analysis.store.store import Commit, Store

# The commits from which on a decision is counted by the rule that its community has then.
_ACTION = "cycle-rule"
_FROM = ["publish", "import", _ACTION]


def change_cycle_rule(store: Store, community_id: str, cycle_rule: str, *, published: bool = False) -> Commit:
    """Record that a community counts loops by another rule.

    Args:
        store: The store.
        community_id: The community.
        cycle_rule: ``auto`` (Y6), ``path`` (Y1) or ``equilibrium`` (Y4).
        published: Whether decisions that are published already are counted by it as well, from the next count on.
            Snapshots stay what they are.

    Raises:
        RefusedRecordError: ``unknown_community`` or ``no_change``.
        InvalidTableError: There is no such rule.
    """

    def prepare(cut: Cut, _at: datetime) -> Mapping[str, pl.DataFrame]:
        require_community(cut, community_id)
        row = found(cut, "communities", community_id=community_id) or {}
        rows = {"communities": checked(cut, "communities", [row | {"cycle_rule": cycle_rule}])}
        decisions = cut.rows("decisions", community_id=community_id)
        others = rules_of(cut, decisions, rows["communities"])
        if row["cycle_rule"] == cycle_rule and not (published and others):
            text = f"The community '{community_id}' counts loops by the rule '{cycle_rule}' already."
            raise RefusedRecordError("no_change", text)
        again = decisions.filter(pl.col("decision_id").is_in(list(others)) & (pl.col("status") != "draft"))
        return rows | ({"decisions": again} if published and len(again) else {})

    return record(store, _ACTION, prepare)


def rules_of(cut: Cut, decisions: pl.DataFrame, communities: pl.DataFrame) -> dict[str, str]:
    """The decisions that are counted by another rule than their community has now, and that rule.

    Args:
        cut: The store.
        decisions: Rows of the table decisions.
        communities: Rows of the table communities, of those decisions.
    """
    rules = cut.history("communities").select("community_id", "cycle_rule", "seq").collect()
    changed = rules.group_by("community_id").agg(pl.col("cycle_rule").n_unique()).filter(pl.col("cycle_rule") > 1)
    some = decisions.join(changed, on="community_id", how="semi")
    if some.is_empty():
        return {}
    history = cut.history("decisions").select("decision_id", "community_id", "seq", "action").collect()
    history = history.join(some.select("decision_id"), on="decision_id", how="semi")
    since = history.filter(pl.col("action").is_in(_FROM)).group_by("decision_id", "community_id").agg(pl.max("seq"))
    then = (
        since.join(rules.rename({"seq": "changed"}), on="community_id")
        .filter(pl.col("changed") <= pl.col("seq"))
        .sort("changed")
        .unique("decision_id", keep="last", maintain_order=True)
        .join(communities.select("community_id", now="cycle_rule"), on="community_id")
        .filter(pl.col("cycle_rule") != pl.col("now"))
    )
    return dict(then.select("decision_id", "cycle_rule").sort("decision_id").iter_rows())
