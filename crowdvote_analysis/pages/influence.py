"""The words and tables of a page about who decided, beside its charts; the notebook only lays them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis.pages import words
from crowdvote_analysis.pages.words import Headline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crowdvote_analysis.delegation import Resolution
    from crowdvote_analysis.power import Concentration
    from crowdvote_analysis.star import StarTally


def shown_names(names: pl.DataFrame) -> pl.DataFrame:
    """Give everybody of one community a name that nobody else has there.

    Args:
        names: ``member_id``, ``public_id``, ``name`` of one community, as from ``privacy.public_names``.

    Returns:
        member_id, public_id, name: the name, with the public id where several have it (P1).
    """
    name = pl.coalesce("name", "public_id")
    return names.select("member_id", "public_id", name=name).with_columns(
        name=pl.when(pl.col("name").is_duplicated()).then(pl.format("{} ({})", "name", "public_id")).otherwise("name")
    )


def member_labels(resolution: Resolution, decision_id: str, names: pl.DataFrame) -> dict[str, str]:
    """Label the members for a list to choose from: name to id, whoever carries most weight first, then by name.

    Args:
        resolution: Everyone's ballot.
        decision_id: The decision.
        names: As for ``shown_names``.
    """
    ballots = resolution.ballots.filter(decision_id=decision_id).select("member_id", "weight")
    ordered = shown_names(names).join(ballots, on="member_id").sort(["weight", "name"], descending=[True, False])
    return dict(ordered.select("name", "member_id").iter_rows())


def headline(measured: Concentration, weights: pl.DataFrame, names: pl.DataFrame, more: str = "") -> Headline:
    """Say in words how few decided, and who carries most.

    Args:
        measured: The concentration of the weights.
        weights: ``member_id``, ``weight``, the heaviest first, as from ``power.voter_weights``.
        names: As for ``shown_names``.
        more: A further sentence.
    """
    if not measured.voters:
        return Headline("warn", "Nobody decided", ("No ballot that was cast by hand carries any weight.",))
    of, few = measured.voters, measured.smallest_majority
    first = weights.head(1).join(shown_names(names), on="member_id", how="left")
    title = f"{few:,} of {of:,} people carry more than half of the result"
    if of == 1:
        title = "One person carries the whole result"
    elif few == 1:
        title = f"One of {of:,} people carries more than half of the result"
    return Headline(
        "info",
        title,
        (
            f"{first['name'].item()} carries most, whatever the choice: {float(first['weight'].item()):,.2f} of "
            f"{float(measured.total):,.0f} ballots ({float(measured.largest_share):.1%}).",
            f"All in all it is as if {float(measured.effective_number):,.1f} people had decided with equal weight.",
            *([more] if more else []),
        ),
    )


def figures(measured: Concentration) -> list[tuple[str, str]]:
    """Give the concentration as numbers with a few words each."""
    return [
        (f"{measured.voters:,}", "voted by hand and carry weight"),
        (f"{float(measured.effective_number):,.1f}", "people with equal weight: as if so few had decided"),
        (f"{measured.smallest_majority:,}", "make more than half of the weight together"),
        (f"{float(measured.largest_share):.1%}", "is the largest share of one of them"),
        (f"{float(measured.gini):.2f}", "inequality (Gini): 0 all have the same, 1 one has everything"),
    ]


def who_carries(ballots: pl.DataFrame, weights: pl.DataFrame) -> str:
    """Say who the people are that carry weight, and why they are not as many as voted by hand (M1, I3).

    Args:
        ballots: ``Resolution.ballots`` of one decision.
        weights: ``member_id`` of those who carry weight, as from ``power.voter_weights``.
    """
    by_hand = ballots.filter(origin="manual")
    carry = by_hand.join(weights, on="member_id", how="semi")
    told = f"{words.people(carry)} {'carries' if len(carry) == 1 else 'carry'} weight."
    without = by_hand.join(weights, on="member_id", how="anti")
    if voters := len(without.filter("is_voter")):
        told += f" {_count(voters, 'further voter')} voted by hand and rated no choice."
    if lobbyists := len(without) - voters:
        told += f" Nobody inherited from {_count(lobbyists, 'further lobbyist')}."
    return told if carry["is_voter"].all() else f"{told} {words.LOBBYISTS}"


def runoff_sentence(shares: pl.DataFrame, tally: StarTally, names: pl.DataFrame) -> str:
    """Say whose ballots the votes for the winner are, in the runoff; nothing without one.

    Args:
        shares: As from ``star.runoff_shares`` of the decision.
        tally: Its tally.
        names: As for ``shown_names``.
    """
    if tally.runoff is None or tally.winner is None or shares.is_empty():
        return ""
    title = dict(tally.scores.select("choice_id", "title").iter_rows())[tally.winner]
    first = (
        shares.filter(pl.col("for_winner") > 0)
        .join(shown_names(names), on="member_id")
        .sort(["for_winner", "name"], descending=[True, False])
        .head(3)
    )
    told = [
        f"{float(part):,.2f} {'' if at else 'come down '}to {name}"
        for at, (name, part) in enumerate(first.select("name", "for_winner").iter_rows())
    ]
    listed = told[0]
    if len(told) > 1:
        listed = f"{', '.join(told[:-1])} and {told[-1]}: together {float(first['for_winner'].sum()):,.2f}"
    return (
        f"Of the {_count(tally.runoff.votes[tally.winner], 'ballot')} for {title} in the runoff, {listed}. A "
        "calculated ballot is in part theirs whose ballots it is made of, whatever they prefer themselves."
    )


def weight_table(resolution: Resolution, decision_id: str, weights: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """List the manual voters who carry weight, under public names (P1).

    Returns:
        Member, Weight, Share (text, percent), Inherit directly, Inherit in all, Tags, Tallied; the heaviest first.
    """
    ballots = resolution.ballots.filter(decision_id=decision_id)
    return (
        weights.join(ballots.drop("weight"), on="member_id", maintain_order="left")
        .join(shown_names(names), on="member_id", maintain_order="left")
        .select(
            pl.col("name").alias("Member"),
            pl.col("weight").cast(pl.Float64).round(4).alias("Weight"),
            pl.col("share").map_elements("{:.1%}".format, return_dtype=pl.String).alias("Share"),
            pl.col("influence_direct").alias("Inherit directly"),
            pl.col("influence_total").alias("Inherit in all"),
            pl.col("tags").list.join(", ").alias("Tags"),
            pl.when("is_voter").then(pl.lit("yes")).otherwise(pl.lit("no, lobbyist")).alias("Tallied"),
        )
    )


def picked(selections: Mapping[str, Any]) -> list[str]:
    """Read who was clicked on in a chart with ``choice_of("name")``, from what the page says of it; or nobody."""
    chosen = selections.get("chosen") or {}
    return [str(name) for name in chosen.get("name") or ()]


def only(table: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """The rows of some members of ``weight_table``; all of them where nobody is named."""
    if not names:
        return table
    # Where several have one name, the table tells them apart by their ids, and the chart does not.
    alike = pl.any_horizontal(pl.col("Member").str.starts_with(f"{name} (") for name in names)
    return table.filter(pl.col("Member").is_in(list(names)) | alike)


def tag_sentence(power: pl.DataFrame) -> str:
    """Say how much passed through ALL, and what the strongest tag is.

    Args:
        power: As from ``power.tag_power``.
    """
    if power.is_empty():
        return "Nobody inherited a ballot here, so no tag had any power."
    on_all = power.filter(pl.col("tag").is_null())["share"].sum()
    sentence = f"{on_all:.0%} of what was inherited passed through followings on [ALL], whatever the tags."
    tags = power.drop_nulls("tag")
    if len(tags):
        return f"{sentence} The strongest tag is “{tags['tag'][0]}” with {tags['share'][0]:.0%}."
    return sentence


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
