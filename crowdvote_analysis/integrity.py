"""The tables against each other: ids that point to nothing, ballots that are not whole, pairs that repeat.

Bad rows are found here and in ``checking``; ``SystemState`` decides whether to refuse them or to set them aside.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis import tables
from crowdvote_analysis.alike import as_option, meant
from crowdvote_analysis.faults import COLUMN, PLACE, Fault, in_the_file
from crowdvote_analysis.text import unmistakable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crowdvote_analysis.faults import Checked

_YES_NO = ("required_voters", "yes_no_votes")


def resolve_ids(checked: dict[str, Checked]) -> None:
    """Report rows whose ids point to nothing. Ids of members may: such rows are kept and give nothing (D6, M3)."""
    references = [
        ("members", "communities", ["community_id"], "the community is not in the table communities"),
        ("decisions", "communities", ["community_id"], "the community is not in the table communities"),
        ("followings", "communities", ["community_id"], "the community is not in the table communities"),
        ("choices", "decisions", ["decision_id"], "the decision is not in the table decisions"),
        ("ballots", "decisions", ["decision_id"], "the decision is not in the table decisions"),
        ("votes", "choices", ["decision_id", "choice_id"], "the choice is not in the table choices of this decision"),
        (
            "votes",
            "ballots",
            ["decision_id", "member_id"],
            "the member has no row in the table ballots for this decision",
        ),
        *((table, "decisions", ["decision_id"], "the decision is not in the table decisions") for table in _YES_NO),
    ]
    for table, parent, on, sentence in references:
        if checked[table].good.is_empty():
            continue
        # Rows that are bad for another reason still say that the id exists.
        present = checked[parent].converted.select(on).unique()
        lost = checked[table].good.join(present, on=on, how="anti")["row"]
        if len(lost):
            alike = _alike_in(checked[table].good, checked[parent].converted, lost, on)
            checked[table].bad.append(Fault(f"unknown_{on[-1]}", sentence + alike, lost, tuple(on)))
    starry = checked["decisions"].converted.filter(method="star").select("decision_id").unique()
    for table in _YES_NO:
        lost = checked[table].good.join(starry, on="decision_id", how="semi")["row"]
        if len(lost):
            sentence = (
                f"the decision is counted with stars; to vote yes or no its method has to be one of "
                f"{', '.join(tables.YES_NO_METHODS)}"
            )
            checked[table].bad.append(Fault("yes_no_decision", sentence, lost, ("decision_id",)))


def _alike_in(rows: pl.DataFrame, parent: pl.DataFrame, lost: pl.Series, on: list[str]) -> str:
    """What to add where ids that point to nothing look like some that are there; those of people are not said."""
    column = on[-1]
    pairs = meant(rows.filter(pl.col("row").is_in(lost.implode()))[column], parent[column])
    pairs = {one: other for one, other in pairs.items() if one != other}
    if not pairs:
        return ""
    if column == "member_id":
        return ", only one that looks like theirs (T7)"
    one, other = next(iter(pairs.items()))
    way_out = f"; --choices {as_option(parent[column].drop_nulls())} reads it so" if column == "choice_id" else ""
    return f", though {unmistakable(one)} looks like {unmistakable(other)} (T7){way_out}"


def has_stars_of_nobody(votes: Checked) -> bool:
    """Whether rows of a star name no member: any ballot may lack them, so that none can be said to be whole."""
    return COLUMN not in votes.given.columns and bool(votes.converted["member_id"].null_count())


def set_aside(checked: dict[str, Checked]) -> dict[str, pl.DataFrame]:
    """Take the bad rows out, with the rows that cannot stand without them, and explain each."""
    for table, parents in {
        "communities": [],
        "members": [("communities", ["community_id"])],
        "decisions": [("communities", ["community_id"])],
        "choices": [("decisions", ["decision_id"])],
        "ballots": [("decisions", ["decision_id"])],
        "votes": [("choices", ["decision_id", "choice_id"])],
        "required_voters": [("decisions", ["decision_id"])],
        "yes_no_votes": [("decisions", ["decision_id"])],
        "followings": [("communities", ["community_id"])],
    }.items():
        _keep_good(checked, table)
        for parent, on in parents:
            _keep_children(checked, table, parent, on)
    # A ballot is whole or it is not there: bad stars take the ballot along, a bad ballot takes its stars along. Nor can
    # an earlier vote stand in for one that cannot be read.
    whole = "stars of this ballot are bad, and a ballot counts whole or not at all"
    _take_along(checked, "votes", "ballots", whole)
    _keep_children(checked, "votes", "ballots", ["decision_id", "member_id"])
    history = "a vote of this member is bad, and none of their other votes can stand in for it"
    _take_along(checked, "yes_no_votes", "yes_no_votes", history)
    return {name: _explained(check) for name, check in checked.items() if check.bad}


def _keep_good(checked: dict[str, Checked], table: str) -> None:
    good = checked[table].good
    for bad in checked[table].bad:
        good = good.filter(~pl.col("row").is_in(bad.rows.implode()))
    checked[table] = replace(checked[table], good=good)


def _take_along(checked: dict[str, Checked], table: str, along: str, reason: str) -> None:
    """Set aside the rows of a table whose decision and member have a bad row in another, or in the same."""
    if not checked[table].bad:
        return
    ballot = ["decision_id", "member_id"]
    numbers = pl.concat([bad.rows for bad in checked[table].bad])
    hurt = checked[table].converted.filter(pl.col("row").is_in(numbers.implode())).select(ballot)
    taken = checked[along].good.join(hurt.unique(), on=ballot, how="semi")["row"]
    if len(taken):
        checked[along].bad.append(Fault("set_aside_with", reason, taken))
        _keep_good(checked, along)


def _keep_children(checked: dict[str, Checked], table: str, parent: str, on: list[str]) -> None:
    if len(checked[parent].good) == len(checked[parent].converted):
        return  # whatever points to no row of the parent at all has been set aside for that
    lost = checked[table].good.join(checked[parent].good.select(on), on=on, how="anti")["row"]
    if len(lost):
        reason = f"its row in the table {parent} is set aside"
        checked[table].bad.append(Fault("set_aside_with", reason, lost))
        _keep_good(checked, table)


def _explained(check: Checked) -> pl.DataFrame:
    reasons = pl.concat(
        [
            pl.DataFrame({"row": bad.rows.cast(pl.UInt32)}).with_columns(reasons=pl.lit(bad.sentence))
            for bad in check.bad
        ]
    )
    reasons = reasons.unique(maintain_order=True).group_by("row").agg("reasons")
    given = check.given.with_columns(pl.col("row").cast(pl.UInt32))
    return in_the_file(given.join(reasons, on="row")).rename(PLACE, strict=False)


def _is_strictly_sorted(rows: pl.DataFrame, key: Sequence[str]) -> bool:
    """Whether each row is above the one before it: then none repeats, and nothing has to be searched."""
    above, level = pl.lit(False), pl.lit(True)
    for name in key:
        above |= level & (pl.col(name) > pl.col(name).shift())
        level &= pl.col(name) == pl.col(name).shift()
    return bool(rows.select(above.slice(1).fill_null(value=False).all()).item())


def merge_followings(followings: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """One following a pair: the union of the tags, where ALL wins (D8)."""
    pair = tables.key("followings")
    if _is_strictly_sorted(followings, pair):
        return followings, []
    repeated = followings.filter(followings.select(pair).is_duplicated())
    if repeated.is_empty():
        return followings, []
    everything = (pl.col("tags").list.len() == 0).any()
    merged = repeated.group_by(pair, maintain_order=True).agg(
        pl.col("row").min(),
        pl.when(everything)
        .then(pl.lit([], dtype=pl.List(pl.String)))
        .otherwise(pl.col("tags").explode(empty_as_null=False, keep_nulls=False).unique().sort().implode())
        .first()
        .alias("tags"),
        pl.col("order").min(),
    )
    single = followings.join(repeated.select(pair).unique(), on=pair, how="anti", maintain_order="left")
    note = (
        f"followings: {len(repeated)} rows repeat a pair and were merged into {len(merged)}: union of tags, ALL "
        "wins (D8)."
    )
    return pl.concat([single, merged.select(single.columns)]).sort("row"), [note]
