"""What a page offers to choose from, communities and decisions, and what it opens with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis import tables
from crowdvote_analysis.errors import CrowdVoteError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from crowdvote_analysis.state import SystemState

_LONGEST = 56  # characters of a title in a list to choose from


class NothingToSeeError(CrowdVoteError):
    """There is no community that whoever looks may see."""

    def __init__(self) -> None:
        super().__init__("You are a member of none of the communities here. Whoever runs the server can change that.")


def deciding(state: SystemState, *, yes_no: bool = False) -> pl.DataFrame:
    """The decisions with stars, or those with yes and no, the communities in the order of their titles.

    Returns:
        community_id, decision_id.
    """
    titles = state.communities.select("community_id", pl.col("title").alias("community"))
    rows = _decisions(state, yes_no).join(titles, on="community_id", how="left")
    return rows.sort("community", "community_id", "decision_id").select("community_id", "decision_id")


def without(state: SystemState, refused: pl.DataFrame) -> SystemState:
    """Leave decisions out of what can be chosen, as they could not be counted: ``refused`` as in ``Resolution``."""
    if refused.is_empty():
        return state
    return state._with(decisions=state.decisions.join(refused, on="decision_id", how="anti", maintain_order="left"))


def require_any(communities: Collection[str] | None) -> None:
    """See to it that whoever looks may see some community; ``None`` are all of them.

    Raises:
        NothingToSeeError: There is none.
    """
    if communities is not None and not communities:
        raise NothingToSeeError


def of_communities(state: SystemState, communities: Collection[str]) -> SystemState:
    """Leave out whatever belongs to other communities.

    Raises:
        NothingToSeeError: Nothing is left.
    """
    here = pl.col("community_id").is_in(list(communities))
    decisions = state.decisions.filter(here)
    left = {"decisions": decisions}
    for name in tables.TABLES:
        frame: pl.DataFrame = getattr(state, name)
        if name != "decisions":
            is_home = "community_id" in frame.columns
            of_decision = pl.col("decision_id").is_in(decisions["decision_id"].implode())
            left[name] = frame.filter(here if is_home else of_decision)
    if left["communities"].is_empty():
        raise NothingToSeeError
    return state._with(**left)


def community_labels(state: SystemState, *, yes_no: bool = False) -> dict[str, str]:
    """Label the communities with such decisions, in the order of their titles: label to community id."""
    deciding = state.communities.join(_decisions(state, yes_no), on="community_id", how="semi")
    return labels(deciding.sort("title", "community_id").select("community_id", "title"), _LONGEST)


def decision_labels(state: SystemState, community_id: str, *, yes_no: bool = False) -> dict[str, str]:
    """Label the decisions of a community for a list to choose from: label to decision id, latest closing first.

    Args:
        state: The tables.
        community_id: The community.
        yes_no: List the yes/no decisions instead of those with stars.
    """
    decisions = _decisions(state, yes_no).filter(community_id=community_id)
    ordered = decisions.sort(["closes_at", "title", "decision_id"], descending=[True, False, False], nulls_last=True)
    return labels(ordered.select("decision_id", "title"), _LONGEST)


def community_of(decisions: pl.DataFrame, asked: Mapping[str, str]) -> str:
    """The community a page opens with: the one asked for, that of the decision asked for, else the first.

    Args:
        decisions: ``community_id``, ``decision_id`` of all decisions of the page.
        asked: What the address of the page says: ``community``, ``decision``.
    """
    for name in ("community", "decision"):
        found = decisions.filter(pl.col(f"{name}_id") == asked.get(name, ""))
        if len(found):
            return str(found["community_id"][0])
    return str(decisions["community_id"][0])


def not_here(decisions: pl.DataFrame, asked: Mapping[str, str]) -> list[str]:
    """Say what a page is asked for and has nothing of, a sentence each.

    Args:
        decisions: As for ``community_of``.
        asked: As for ``community_of``.
    """
    return [
        f"No decision {'of the community ' if name == 'community' else ''}“{asked[name]}” stands on this page, so "
        "another one is shown."
        for name in ("community", "decision")
        if asked.get(name) and asked[name] not in decisions[f"{name}_id"]
    ]


def labels(rows: pl.DataFrame, longest: int = _LONGEST) -> dict[str, str]:
    """Label rows for a list to choose from: label to id.

    Args:
        rows: Two columns: the id, and the title, null where there is none.
        longest: Titles are cut to so many characters; where they are missing or read the same then, the id stands
            beside them.
    """
    key, named = rows.columns
    rows = rows.rename({named: "title"})
    title = pl.coalesce("title", key)
    cut = pl.when(title.str.len_chars() > longest).then(title.str.slice(0, longest - 1) + "…").otherwise(title)
    labelled = rows.with_columns(title=cut)
    shared = pl.col("title").is_duplicated()
    return dict(
        labelled.select(pl.when(shared).then(pl.format("{} ({})", "title", key)).otherwise("title"), key).iter_rows()
    )


def _decisions(state: SystemState, yes_no: bool) -> pl.DataFrame:
    by_stars = pl.col("method") == "star"
    return state.decisions.filter(~by_stars if yes_no else by_stars & (pl.col("status") != "draft"))
