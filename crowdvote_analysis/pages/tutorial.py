"""Small examples for explaining the rules of the count: a state of a few members, and its ballots as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis.charts.network import drawing_of
from crowdvote_analysis.delegation import resolve
from crowdvote_analysis.explanation import lineage
from crowdvote_analysis.pages.ballot_tree import tree_html
from crowdvote_analysis.pages.words import noted
from crowdvote_analysis.power import neighbourhood
from crowdvote_analysis.privacy import public_names
from crowdvote_analysis.state import SystemState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from crowdvote_analysis.charts.network import Drawing

EXAMPLE = "example"
# The tie protocols agree about most elections; about these five ballots each of them says something else (K4 to K6).
TIED_BALLOTS = {
    "Ann": {"Pond": 2, "Swings": 4, "Meadow": 1},
    "Ben": {"Pond": 1, "Swings": 5, "Meadow": 5},
    "Cay": {"Pond": 4, "Swings": 4, "Meadow": 3},
    "Dan": {"Pond": 4, "Swings": 0, "Meadow": 1},
    "Eve": {"Pond": 4, "Swings": 2, "Meadow": 5},
}


def example(
    ballots: Mapping[str, Mapping[str, int | str]],
    followings: Sequence[tuple[str, str, Sequence[str]]] = (),
    tags: Mapping[str, Sequence[str]] | None = None,
    cycle_rule: str = "path",
) -> SystemState:
    """Make the state of a small example with one decision, ``example``.

    Args:
        ballots: Stars by choice, by the member who cast the ballot; choices stand in the order of their first mention.
        followings: Follower, followed and tags (none = ALL).
        tags: The tags of the ballots, by member.
        cycle_rule: ``auto`` (Y6), ``path`` (Y1) or ``equilibrium`` (Y4).

    Raises:
        InvalidTableError: Stars are outside 0 to 5, or somebody follows themselves.
    """
    names = list(dict.fromkeys([*ballots, *(name for one, other, _ in followings for name in (one, other))]))
    choices = list(dict.fromkeys(choice for ballot in ballots.values() for choice in ballot))
    votes = [(member, choice, str(stars)) for member, ballot in ballots.items() for choice, stars in ballot.items()]
    texts = {"member_id": pl.String, "choice_id": pl.String, "stars": pl.String}
    pairs = pl.Schema({"follower_id": pl.String(), "followee_id": pl.String(), "tags": pl.List(pl.String())})
    frames: dict[str, Any] = {
        "communities": pl.DataFrame({"community_id": ["example"], "cycle_rule": [cycle_rule]}),
        "members": pl.DataFrame({"member_id": names}),
        "followings": pl.DataFrame(
            [(one, other, list(on)) for one, other, on in followings], schema=pairs, orient="row"
        ),
        "decisions": pl.DataFrame({"decision_id": [EXAMPLE]}),
        "choices": pl.DataFrame(
            {"choice_id": choices, "position": range(len(choices))},
            schema={"choice_id": pl.String, "position": pl.Int64},
        ),
        "ballots": pl.DataFrame(
            {"member_id": list(ballots), "tags": [list((tags or {}).get(member, ())) for member in ballots]},
            schema={"member_id": pl.String, "tags": pl.List(pl.String)},
        ),
        "votes": pl.DataFrame(votes, schema=texts, orient="row"),
    }
    return noted(lambda: SystemState(**frames))[0]  # a tag that matches nothing is what such an example shows


def example_table(state: SystemState, cycles: str | None = None) -> pl.DataFrame:
    """Count an example and list everybody's ballot.

    Args:
        state: As from ``example``.
        cycles: The rule for loops; that of the example by default.

    Returns:
        Member, Ballot (by hand, calculated, none), a column ``★ choice`` for each choice (text, all places but zeros at
        the end; D10), Tags, and Why none (only where somebody has none), in the order of the members.
    """
    resolution = resolve(state, cycles=cycles)
    given = {(member, choice): stars for _, member, choice, stars in resolution.stars.iter_rows()}
    choices = resolution.choices["choice_id"].to_list()
    rows = {row["member_id"]: row for row in resolution.ballots.iter_rows(named=True)}
    table = pl.DataFrame(
        [
            {
                "Member": member,
                "Ballot": {"manual": "by hand", "calculated": "calculated", "none": "none"}[rows[member]["origin"]],
                **{f"★ {choice}": plain_stars(given.get((member, choice))) for choice in choices},
                "Tags": ", ".join(rows[member]["tags"]) or "–",
                "Why none": rows[member]["reason"] or "",
            }
            for member in state.members["member_id"]
        ]
    )
    return table if (table["Why none"] != "").any() else table.drop("Why none")


def tangle_of(friends: int) -> SystemState:
    """An example in which some friends, up to nine, all follow each other; the first follows Kim, the second Lou."""
    names = ["Ann", "Ben", "Cay", "Dan", "Eve", "Fay", "Gus", "Hal", "Ida"][:friends]
    pairs = [(one, other, ()) for one in names for other in names if one != other]
    return example({"Kim": {"Pond": 5}, "Lou": {"Pond": 0}}, [*pairs, ("Ann", "Kim", ()), ("Ben", "Lou", ())])


def by_every_rule(state: SystemState) -> pl.DataFrame:
    """List everybody's ballot in an example about the pond: Member, Ballot, and the stars by each rule for loops."""
    counts = {rule: example_table(state, rule) for rule in ("path", "equilibrium", "auto")}
    stars = [count["★ Pond"].alias(f"★ by “{rule}”") for rule, count in counts.items()]
    return counts["auto"].select("Member", "Ballot").with_columns(stars)


def example_drawing(state: SystemState, member: str) -> Drawing:
    """Place the members of an example around one of them, for ``charts.network_chart``."""
    found = neighbourhood(state, resolve(state), EXAMPLE, member)
    return drawing_of(found, public_names(state))


def why(state: SystemState, member: str, cycles: str | None = None) -> str:
    """Give the tree of a member's ballot in an example as HTML."""
    return tree_html(lineage(state, EXAMPLE, member, cycles=cycles))


def plain_stars(stars: Decimal | None) -> str:
    """Write stars with all places there are, without zeros at the end; a dash where there are none."""
    if stars is None:
        return "–"
    return f"{stars:f}".rstrip("0").rstrip(".")
