"""What changed between two states, as codes.

Giving codes to millions of followings takes longer than anything else in a recount, so the codes of before are kept
where members and followings are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crowdvote_analysis.delegation.encode import encode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crowdvote_analysis.delegation.arrays import Flags, Ints
    from crowdvote_analysis.delegation.encode import Encoded
    from crowdvote_analysis.state import SystemState


@dataclass(frozen=True)
class Update:
    """A state as codes, and where everything was before.

    Attributes:
        encoded: The state after the change.
        member: Code after the change by code before; -1 for members who left.
        changed: Whether the member changed or joined, by code after the change.
        decisions: Code before by code after, of decisions whose ballots can be kept: same community, choices and rule.
        same_graph: Whether members and followings are those of before.
    """

    encoded: Encoded
    member: Ints
    changed: Flags
    decisions: dict[int, int]
    same_graph: bool


def update(
    before: Encoded,
    state: SystemState,
    found: Mapping[str, set[str]],
    named: set[str] | None,
    decisions: Sequence[str] | None,
    cycles: str | None,
) -> Update:
    """Encode a state, and say where the codes of the state before have gone.

    Args:
        before: The state before the change.
        state: The state after it.
        found: The members who changed, by table.
        named: The members who were said to have changed; those found by default.
        decisions: Decisions to count; all by default.
        cycles: A cycle rule that overrides the one of the communities.

    Raises:
        UnknownDecisionError: A decision is not in the state.
    """
    same_graph = not found["members"] and not found["followings"]
    encoded = encode(state, decisions, cycles, before.codes if same_graph else None)
    everybody = set().union(*found.values()) if named is None else named
    changed = encoded.members["member_id"].is_in(pl.Series(sorted(everybody), dtype=pl.String).implode())
    return Update(encoded, _moved(before, encoded), changed.to_numpy(), _kept(before, encoded), same_graph)


def _moved(before: Encoded, after: Encoded) -> Ints:
    """Code after the change by code before; -1 for members who left."""
    keys = ["community_id", "member_id"]
    if after.members.select(keys).equals(before.members.select(keys)):
        return np.arange(len(before.members))
    codes = after.members.select(*keys, "code")
    return before.members.join(codes, on=keys, how="left", maintain_order="left")["code_right"].fill_null(-1).to_numpy()


def _kept(before: Encoded, after: Encoded) -> dict[int, int]:
    """The decisions whose ballots of before still hold."""
    keys = ["decision_id", "community_id", "cycle_rule"]
    both = after.decisions.select(*keys, new="decision").join(before.decisions.select(*keys, old="decision"), on=keys)
    pair = ["decision_id", "choice_id"]
    unlike = set(after.choices.join(before.choices, on=pair, how="anti")["decision_id"])
    unlike |= set(before.choices.join(after.choices, on=pair, how="anti")["decision_id"])
    return {
        new: old
        for decision, new, old in both.select("decision_id", "new", "old").iter_rows()
        if decision not in unlike
    }
