"""The parts of the snapshot document: rows of members and followings, made as they are asked for, and the tally."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis.explanation import lineages
from crowdvote_analysis.privacy import public_ids, public_names
from crowdvote_analysis.star import ratings, tally_star, with_ratings
from crowdvote_analysis.star.ratings import RATED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crowdvote_analysis.delegation import Resolution
    from crowdvote_analysis.explanation import Lineage
    from crowdvote_analysis.star import StarTally
    from crowdvote_analysis.state import SystemState

ALL = ["ALL"]  # following on no tags (T3, T6)

_ROWS = 1_000  # rows that are made ready at a time
_FOLLOWS = ("member_id", "name", "following_tags", "outcome", "result", "path")


class Parts:
    """The rows of one decision, under public ids and names (P1).

    Args:
        state: The tables.
        resolution: Their count.
        decision_id: The decision, which is in the count.
    """

    def __init__(self, state: SystemState, resolution: Resolution, decision_id: str) -> None:
        self._state, self._resolution, self._decision_id = state, resolution, decision_id
        decision = resolution.decisions.row(by_predicate=pl.col("decision_id") == decision_id, named=True)
        self.community_id: str = decision["community_id"]
        self.cycle_rule: str = decision["cycle_rule"]
        self._all_names = public_names(state)
        names = self._all_names.filter(community_id=self.community_id).select("member_id", "public_id", "name")
        self._names = dict(names.select("public_id", "name").iter_rows())
        ballots = resolution.ballots.filter(decision_id=decision_id).join(names, on="member_id")
        # By what is shown: the order of ids that are not would tell something about them.
        self._ballots = ballots.sort("public_id")

    @property
    def calculated(self) -> int:
        """The number of calculated ballots, lobbyists' included."""
        return int((self._ballots["origin"] == "calculated").sum())

    def cores(self) -> list[dict[str, Any]]:
        """The tangles of the decision, and the rule that settled each (Y6)."""
        return self._resolution.cores.filter(decision_id=self._decision_id).drop("decision_id").to_dicts()

    def stats(self) -> dict[str, Any]:
        """The statistics of the decision (M2)."""
        row = self._resolution.stats.row(by_predicate=pl.col("decision_id") == self._decision_id, named=True)
        del row["decision_id"]
        return row

    def manual_ballots(self) -> Iterator[dict[str, Any]]:
        """Ballots cast by hand; one without stars is still its owner's (D5)."""
        for rows in self._slices("manual"):
            stars = self._stars_of(rows)
            yield from (_ballot(row, stars) for row in rows.iter_rows(named=True))

    def calculated_ballots(self, depth: int | None, max_followings: int, work_limit: int) -> Iterator[dict[str, Any]]:
        """Calculated ballots, what they are the average of, and the trees; limits as for ``lineages``."""
        owners = self._ballots.filter(origin="calculated")["member_id"]
        trees = lineages(
            self._state,
            self._decision_id,
            owners,
            resolution=self._resolution,
            depth=depth,
            max_followings=max_followings,
            work_limit=work_limit,
            shares=False,
        )
        return self._with_trees(trees)

    def _with_trees(self, trees: Iterator[Lineage]) -> Iterator[dict[str, Any]]:
        for rows in self._slices("calculated"):
            stars, sources = self._stars_of(rows), self._sources_of(rows)
            for row in rows.iter_rows(named=True):
                tree = next(trees).to_dict()
                yield {
                    **_ballot(row, stars),
                    "depth": row["depth"],
                    "inherited_from": sources.get(row["public_id"], []),
                    "calculation_tree": tree["calculation_tree"],
                    "not_shown": tree["not_shown"],
                }

    def no_ballot(self, work_limit: int) -> Iterator[dict[str, Any]]:
        """Who has no ballot, why (D7), and what came of those they follow; ``work_limit`` as for ``lineages``."""
        rows = self._ballots.filter(origin="none")
        trees = lineages(
            self._state,
            self._decision_id,
            rows["member_id"],
            resolution=self._resolution,
            depth=1,
            work_limit=work_limit,
            shares=False,
        )
        for row, tree in zip(rows.iter_rows(named=True), trees, strict=True):
            follows = tree.to_dict()["calculation_tree"]
            yield {
                "member_id": row["public_id"],
                "name": row["name"],
                "is_voter": row["is_voter"],
                "reason": row["reason"],
                "reason_detail": row["reason_detail"],
                "follows": [{field: followed[field] for field in _FOLLOWS} for followed in follows],
                "not_shown": tree.not_shown,
            }

    def relationships(self) -> Iterator[dict[str, Any]]:
        """Every following of the community, looked at or not, each follower's in display order (D9)."""
        for row in self._followings.iter_rows(named=True):
            yield {
                "follower": row["follower_id"],
                "followee": row["followee_id"],
                "tags": row["tags"] or ALL,
                "outcome": row["outcome"],
            }

    def _slices(self, origin: str) -> Iterator[pl.DataFrame]:
        return self._ballots.filter(origin=origin).iter_slices(_ROWS)

    @cached_property
    def _followings(self) -> pl.DataFrame:
        """The followings of the community with their outcomes, under public ids."""
        looked_at = self._resolution.sources.filter(decision_id=self._decision_id)
        outcomes = looked_at.select("follower_id", "followee_id", "outcome", "inherited_tags")
        here = self._state.followings.filter(community_id=self.community_id)
        found = here.join(outcomes, on=["follower_id", "followee_id"], how="left")
        found = public_ids(found, self._all_names, ["follower_id", "followee_id"])
        return found.sort("follower_id", "order", "followee_id")

    @cached_property
    def _stars(self) -> pl.DataFrame:
        """The stars of the decision as text, choices in their display order."""
        here = pl.col("decision_id") == self._decision_id
        choices = self._resolution.choices.filter(here).select("choice_id", "position")
        stars = self._resolution.stars.filter(here).join(choices, on="choice_id")
        stars = stars.sort("member_id", "position", "choice_id")
        return stars.select("member_id", "choice_id", pl.col("stars").cast(pl.String))

    def _stars_of(self, rows: pl.DataFrame) -> dict[str, dict[str, str]]:
        """The stars of some members."""
        found: dict[str, dict[str, str]] = {}
        for member, choice, stars in self._stars.join(rows, on="member_id", how="semi").iter_rows():
            found.setdefault(member, {})[choice] = stars
        return {member: found.get(member, {}) for member in rows["member_id"]}

    def _sources_of(self, rows: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
        """Whose ballots some members have inherited, with the tags that came along."""
        inherited = self._followings.filter(outcome="match").join(
            rows.select(follower_id="public_id"), on="follower_id", how="semi", maintain_order="left"
        )
        found: dict[str, list[dict[str, Any]]] = {}
        for follower, followee, tags in inherited.select("follower_id", "followee_id", "inherited_tags").iter_rows():
            source = {"member_id": followee, "name": self._names[followee], "inherited_tags": tags}
            found.setdefault(follower, []).append(source)
        return found


def tally_result(resolution: Resolution, decision_id: str, tally: StarTally | None) -> dict[str, Any]:
    """Who won, how, and by how much; unresolved ties, and decisions without ballots, have a result too.

    Args:
        resolution: The count.
        decision_id: The decision.
        tally: Its tally; made here by the protocol ``starvote`` if it is not given.
    """
    if tally is None:
        votes = resolution.stats.row(by_predicate=pl.col("decision_id") == decision_id, named=True)["tallied_ballots"]
        if not votes:
            return _NOTHING | {"score_phase": {"vote_count": 0, "scores": []}}
        tally = tally_star(resolution, decision_id, on_tie="return")
    told = tally.to_dict()
    rated = with_ratings(tally, ratings(resolution, decision_id)).select(*RATED)
    more = rated.with_columns(pl.col("average_rated").cast(pl.String)).to_dicts()
    scores = [score | blank for score, blank in zip(told["scores"], more, strict=True)]
    runoff = told["runoff"]
    phase = None if runoff is None else {"finalists": told["finalists"], **runoff}
    margin = None if phase is None else phase.pop("margin")
    return {
        "method": told["method"],
        "protocol": told["protocol"],
        "status": told["status"],
        "winner": told["winner"],
        "runner_up": told["runner_up"],
        "possible_winners": told["possible_winners"],
        "score_phase": {"vote_count": told["vote_count"], "scores": scores},
        "runoff_phase": phase,
        "margin": margin,
        "margin_percentage": told["margin_percentage"],
        "tie": told["tie"],
        "tie_order": told["tie_order"],
        "decided_by_manager": told["decided_by_manager"],
        "steps": told["steps"],
        "log": told["log"],
    }


# No voter has a ballot with stars (K9).
_NOTHING: dict[str, Any] = {
    "method": "STAR",
    "protocol": "starvote",
    "status": "no ballots",
    "winner": None,
    "runner_up": None,
    "possible_winners": [],
    "score_phase": None,
    "runoff_phase": None,
    "margin": None,
    "margin_percentage": None,
    "tie": None,
    "tie_order": [],
    "decided_by_manager": False,
    "steps": [],
    "log": ["No voter has a ballot with stars."],
}


def _ballot(row: dict[str, Any], stars: dict[str, dict[str, str]]) -> dict[str, Any]:
    return {
        "member_id": row["public_id"],
        "name": row["name"],
        "is_voter": row["is_voter"],
        "tags": row["tags"],
        "stars": stars[row["member_id"]],
        "influence_direct": row["influence_direct"],
        "influence_total": row["influence_total"],
        "weight": row["weight"],
    }
