"""The rule for loops of a community: a decision is counted by the one there was when it was published (Y6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.errors import RefusedRecordError
from crowdvote_analysis.store.ids import as_recorded
from crowdvote_analysis.store.records import checked, record, require_community

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from crowdvote_analysis.store.cut import Cut
    from crowdvote_analysis.store.store import Commit, Store

# A change of rule for decisions that are published later, and one for all.
_LATER, _ALL = "cycle-rule", "cycle-rule-published"
# The commits from which on a decision is counted by the rule that its community has then.
_FROM = ["publish", "import"]


def change_cycle_rule(store: Store, community_id: str, cycle_rule: str, *, published: bool = False) -> Commit:
    """Record that a community counts loops by another rule.

    Args:
        store: The store.
        community_id: The community.
        cycle_rule: ``auto`` (Y6), ``path`` (Y1) or ``equilibrium`` (Y4).
        published: Whether decisions that are published already are counted by it as well, from the next count on.
            Snapshots stay what they are, and so do decisions that are over: their final result is of the instant of
            closing (S10).

    Raises:
        RefusedRecordError: ``unknown_community`` or ``no_change``.
        InvalidTableError: There is no such rule.
    """
    (community_id,) = as_recorded(store, community_id=community_id)

    def prepare(cut: Cut, _at: datetime) -> Mapping[str, pl.DataFrame]:
        require_community(cut, community_id)
        community = cut.rows("communities", community_id=community_id)
        rows = checked(cut, "communities", [community.row(0, named=True) | {"cycle_rule": cycle_rule}])
        decisions = cut.rows("decisions", community_id=community_id).filter(pl.col("status") != "draft")
        rules, own = rules_of(cut, decisions, community), community["cycle_rule"].item()
        other = [name for name in decisions["decision_id"] if rules.get(name, own) != cycle_rule]
        if own == cycle_rule and not (published and other):
            text = f"The community '{community_id}' counts loops by the rule '{cycle_rule}' already."
            raise RefusedRecordError("no_change", text)
        return {"communities": rows}

    return record(store, _ALL if published else _LATER, prepare)


def rules_of(cut: Cut, decisions: pl.DataFrame, communities: pl.DataFrame) -> dict[str, str]:
    """The decisions that are counted by another rule than their community has now, and that rule.

    Args:
        cut: The store.
        decisions: Rows of the table decisions.
        communities: Rows of the table communities, of those decisions.
    """
    rules = cut.history("communities").select("community_id", "cycle_rule", "seq", "action").collect()
    changed = rules.group_by("community_id").agg(pl.col("cycle_rule").n_unique()).filter(pl.col("cycle_rule") > 1)
    some = decisions.join(changed, on="community_id", how="semi")
    if some.is_empty():
        return {}
    history = cut.history("decisions").select("decision_id", "community_id", "seq", "action").collect()
    history = history.join(some.select("decision_id"), on="decision_id", how="semi")
    since = history.filter(pl.col("action").is_in(_FROM)).group_by("decision_id", "community_id").agg(pl.max("seq"))
    for_all = rules.filter(action=_ALL).group_by("community_id").agg(for_all=pl.max("seq"))
    then = (
        since.join(for_all, on="community_id", how="left")
        .join(rules.select("community_id", "cycle_rule", changed="seq"), on="community_id")
        .filter(pl.col("changed") <= pl.max_horizontal("seq", "for_all"))
        .sort("changed")
        .unique("decision_id", keep="last", maintain_order=True)
        .join(communities.select("community_id", now="cycle_rule"), on="community_id")
        .filter(pl.col("cycle_rule") != pl.col("now"))
    )
    return dict(then.select("decision_id", "cycle_rule").sort("decision_id").iter_rows())
