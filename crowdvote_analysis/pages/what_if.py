"""The words and tables of a page on which a decision is tried otherwise; the notebook only lays them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.pages.influence import shown_names
from crowdvote_analysis.pages.words import Headline
from crowdvote_analysis.what_if import CastBallot, Follow, TagBallot, Unfollow, WithdrawBallot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from crowdvote_analysis.delegation import Resolution
    from crowdvote_analysis.star import StarTally
    from crowdvote_analysis.what_if import Change, Comparison

# What can be tried, in words; the first leaves everything as it is.
BALLOT_CHOICES = {"as it is": "", "had not voted": "withdraw", "other tags": "tag", "another ballot": "cast"}
BALLOT_CHOICES_WITHOUT = {"as it is": "", "votes by hand": "cast"}
FOLLOWING_CHOICES = {"follows": "follow", "does not follow": "unfollow"}
LOOP_RULES = {
    "as the community counts them": None,
    "auto (Y6)": "auto",
    "path (Y1)": "path",
    "equilibrium (Y4)": "equilibrium",
}
PROTOCOLS = {"starvote (K4)": "starvote", "losses (K5)": "losses", "bettervoting (K6)": "bettervoting"}

# Ballots that are counted to find out who is pivotal: about a second's work.
_BALLOTS_TO_TRY = 60_000
_VOTERS_TO_TRY = 200

_ORIGINS = {"manual": "by hand", "calculated": "calculated", "none": "none"}


def split_tags(text: str) -> tuple[str, ...]:
    """Take tags that somebody typed apart, at commas and semicolons."""
    return tuple(tag.strip() for tag in text.replace(";", ",").split(",") if tag.strip())


def voters_to_try(weights: pl.DataFrame, members: int) -> list[str]:
    """Choose whose absence to try: the voters with most weight, so many that a page does not wait for long.

    Args:
        weights: ``member_id``, the heaviest first, as from ``power.voter_weights``.
        members: Members of the community; each absence is a count of all of them.
    """
    most = min(_VOTERS_TO_TRY, max(10, _BALLOTS_TO_TRY // max(1, members)))
    return weights["member_id"].head(most).to_list()


def own_stars(resolution: Resolution, decision_id: str, member_id: str) -> list[tuple[str, str, float]]:
    """Give the choices with the stars of somebody's ballot, to the nearest half: where sliders begin.

    Returns:
        Choice id, title and stars (a multiple of 0.5, 0 without a ballot) by position.
    """
    given = resolution.stars.filter(decision_id=decision_id, member_id=member_id).select("choice_id", "stars")
    rows = resolution.choices.filter(decision_id=decision_id).join(
        given, on="choice_id", how="left", maintain_order="left"
    )
    return [
        (choice, title or choice, round(float(stars or 0) * 2) / 2)
        for choice, title, stars in rows.select("choice_id", "title", "stars").iter_rows()
    ]


def own_tags(resolution: Resolution, decision_id: str, member_id: str) -> str:
    """Give the tags of somebody's ballot as text to edit."""
    ballot = resolution.ballots.filter(decision_id=decision_id, member_id=member_id)
    return ", ".join(ballot["tags"].explode(empty_as_null=False))


def about_ballot(resolution: Resolution, decision_id: str, name: str) -> str:
    """Say where the sliders begin, and which tags ballots of the decision have (T1)."""
    tags = resolution.ballots.filter(decision_id=decision_id, origin="manual")["tags"].explode(empty_as_null=False)
    known = ", ".join(sorted(set(tags.drop_nulls())))
    used = f" Tags stand with commas between them; ballots by hand have these: {known}." if known else ""
    return f"It begins as the ballot of {name} is, to the nearest half star.{used}"


def wanted(
    *,
    vote: tuple[str, str, Mapping[str, float], str],
    following: tuple[str, str | None, str | None, str],
) -> list[Change]:
    """Turn what was chosen on the page into changes.

    Args:
        vote: A value of ``BALLOT_CHOICES``, the member, stars by choice (multiples of 0.5, which binary floats hold
            exactly), tags as text.
        following: A value of ``FOLLOWING_CHOICES``, follower and followed (``None`` until chosen), tags as text.
    """
    what, member, stars, tags = vote
    changes: list[Change] = []
    if what == "withdraw":
        changes.append(WithdrawBallot(member))
    elif what == "tag":
        changes.append(TagBallot(member, split_tags(tags)))
    elif what == "cast":
        changes.append(
            CastBallot(member, {choice: f"{given:.1f}" for choice, given in stars.items()}, split_tags(tags))
        )
    what, follower, followee, tags = following
    if follower is not None and followee is not None:
        one = Unfollow(follower, followee) if what == "unfollow" else Follow(follower, followee, split_tags(tags))
        changes.append(one)
    return changes


def in_words(changes: Iterable[Change], names: pl.DataFrame, loops: str, ties: str) -> str:
    """Say in a sentence what is different, under public names (P1).

    Args:
        changes: What is different.
        names: As for ``change_table``.
        loops: The key of ``LOOP_RULES`` that was chosen.
        ties: The key of ``PROTOCOLS`` that was chosen.
    """
    called = dict(shown_names(names).select("member_id", "name").iter_rows())
    parts = [_clause(change, called) for change in changes]
    parts += [f"loops were counted by {loops}"] if loops != next(iter(LOOP_RULES)) else []
    parts += [f"ties were settled by {ties}"] if ties != next(iter(PROTOCOLS)) else []
    if parts:
        return f"If {', and '.join(parts)}:"
    return "Nothing is changed so far. Change a ballot, a following or a rule above, and it is counted again."


def _clause(change: Change, called: Mapping[str, str]) -> str:
    match change:
        case WithdrawBallot(member):
            return f"{called[member]} had not voted"
        case TagBallot(member, tags):
            return f"the ballot of {called[member]} had {_tagged(tags)}"
        case CastBallot(member, _, tags):
            return f"{called[member]} had cast this ballot with {_tagged(tags)}"
        case Follow(follower, followee, tags):
            return f"{called[follower]} followed {called[followee]} on [{', '.join(tags) or 'ALL'}]"
        case Unfollow(follower, followee):
            return f"{called[follower]} did not follow {called[followee]}"


def _tagged(tags: tuple[str, ...]) -> str:
    return f"the tags {', '.join(tags)}" if len(tags) > 1 else f"the tag {tags[0]}" if tags else "no tags"


def came_out(tally: StarTally | None, *, is_open: bool = False) -> str:
    """Say what a tally came to in a few words; ``is_open`` as for ``words.headline``."""
    wins = _wins(is_open)
    if tally is None:
        return "nothing to tally"
    titles = dict(tally.scores.select("choice_id", "title").iter_rows())
    if tally.winner is not None:
        return f"{titles[tally.winner]} {wins}"
    if len(tally.possible_winners) == 1:
        return f"{titles[tally.possible_winners[0]]} {wins}, whatever becomes of a tie"
    return f"a tie between {' and '.join(titles[choice] for choice in tally.possible_winners)}"


def verdict(comparison: Comparison, *, tried: bool = True, is_open: bool = False) -> Headline:
    """Say whether the result changes, by which numbers, and how many ballots do.

    Args:
        comparison: Two counts.
        tried: Whether anything was changed; the result as it is otherwise.
        is_open: As for ``words.headline``.
    """
    before, after = (came_out(tally, is_open=is_open) for _, tally in _both(comparison))
    if not tried:
        return Headline("info", f"As it is: {before}", tuple(filter(None, [_runoff("Counted", comparison.before)])))
    number = len(comparison.ballots)
    touched = (
        "No ballot changes."
        if not number
        else f"{number:,} {'ballot changes' if number == 1 else 'ballots change'}, followers included."
    )
    sentences = [*(_runoff(name, tally) for name, tally in _both(comparison)), touched]
    if comparison.winner_changes:
        title = f"The result changes: {after} instead of {before.removesuffix(f' {_wins(is_open)}')}"
        return Headline("warn", title, tuple(filter(None, sentences)))
    return Headline("success", f"The result stays: {after}", tuple(filter(None, sentences)))


def change_table(comparison: Comparison, names: pl.DataFrame) -> pl.DataFrame:
    """List whose ballot differs, and how, under public names (P1).

    Args:
        comparison: Two counts.
        names: ``member_id``, ``public_id``, ``name`` of the community, as from ``privacy.public_names``.

    Returns:
        Member, Ballot (such as ``calculated → none``), one column a choice (stars before → now, rounded to 2 places,
        for display) and Tags; by name.
    """
    titles = _column_titles(comparison)
    changed = pl.col("before").ne_missing(pl.col("after"))
    stars = comparison.stars.filter(changed).with_columns(
        words=pl.struct("before", "after").map_elements(
            lambda row: f"{_stars(row['before'])} → {_stars(row['after'])}", return_dtype=pl.String
        )
    )
    wide = stars.pivot("choice_id", index="member_id", values="words", on_columns=list(titles)).rename(titles)
    return (
        comparison.ballots.join(shown_names(names), on="member_id")
        .join(wide, on="member_id", how="left")
        .sort("name")
        .select(
            pl.col("name").alias("Member"),
            _from_to(*(pl.col(f"origin_{when}").replace_strict(_ORIGINS) for when in ("before", "after"))).alias(
                "Ballot"
            ),
            *(pl.col(title).fill_null("") for title in titles.values()),
            _from_to(*(pl.col(f"tags_{when}").list.join(", ") for when in ("before", "after"))).alias("Tags"),
        )
    )


def absence_table(
    found: pl.DataFrame, weights: pl.DataFrame, names: pl.DataFrame, scores: pl.DataFrame, *, is_open: bool = False
) -> pl.DataFrame:
    """List what would come out without each voter, those who change it first, under public names (P1).

    Args:
        found: As from ``what_if.without_each``.
        weights: ``member_id``, ``weight``, as from ``power.voter_weights``.
        names: As for ``change_table``.
        scores: ``choice_id``, ``title``, as ``StarTally.scores``.
        is_open: As for ``words.headline``.

    Returns:
        Member, Weight, Without this ballot, Pivotal (``yes`` or empty).
    """
    titles = scores.select("title", winner="choice_id")
    status = pl.when(pl.col("status") == "decided").then(pl.format(f"{{}} {_wins(is_open)}", "title"))
    return (
        found.join(shown_names(names), on="member_id")
        .join(weights.select("member_id", pl.col("weight").cast(pl.Float64)), on="member_id", how="left")
        .join(titles, on="winner", how="left")
        .with_columns(pl.col("weight").fill_null(0.0))
        .sort(["changes_winner", "weight", "name"], descending=[True, True, False])
        .select(
            pl.col("name").alias("Member"),
            pl.col("weight").round(4).alias("Weight"),
            status.otherwise("status").alias("Without this ballot"),
            pl.when("changes_winner").then(pl.lit("yes")).otherwise(pl.lit("")).alias("Pivotal"),
        )
    )


def absence_sentence(found: pl.DataFrame, names: pl.DataFrame) -> str:
    """Say who is pivotal: without whose ballot the result would be another one.

    Args:
        found: As from ``what_if.without_each``.
        names: As for ``change_table``.
    """
    pivotal = found.filter("changes_winner").join(shown_names(names), on="member_id").sort("name")["name"].to_list()
    tried = f"{len(found):,} {'person' if len(found) == 1 else 'people'} tried, one at a time: "
    if not pivotal:
        return f"{tried}no single one of them changes the result by not voting."
    who = ", ".join(pivotal[:8]) + (f" and {len(pivotal) - 8:,} more" if len(pivotal) > 8 else "")
    return f"{tried}the result would be another one without {who}."


def _both(comparison: Comparison) -> list[tuple[str, StarTally | None]]:
    return [("Before", comparison.before), ("Now", comparison.after)]


def _runoff(name: str, tally: StarTally | None) -> str:
    if tally is None or tally.runoff is None:
        return ""
    titles = dict(tally.scores.select("choice_id", "title").iter_rows())
    # The winner stands first, also where the other finalist has the better score.
    sides = sorted(tally.runoff.votes.items(), key=lambda side: side[0] != tally.winner)
    votes = " to ".join(f"{number:,}" for _, number in sides)
    return f"{name}: {' against '.join(titles[choice] for choice, _ in sides)} in the runoff, {votes} ballots."


def _wins(is_open: bool) -> str:
    return "leads" if is_open else "wins"


def _column_titles(comparison: Comparison) -> dict[str, str]:
    rows = comparison.scores.select("choice_id", "title")
    cut = {choice: title if len(title) <= 32 else f"{title[:31]}…" for choice, title in rows.iter_rows()}
    often = list(cut.values())
    return {
        choice: f"★ {title}" if often.count(title) == 1 else f"★ {title} ({choice})" for choice, title in cut.items()
    }


def _stars(number: object) -> str:
    return "–" if number is None else f"{number:.2f}"


def _from_to(before: pl.Expr, after: pl.Expr) -> pl.Expr:
    return (
        pl.when(before == after).then(after).otherwise(pl.format("{} → {}", *(_dash(each) for each in (before, after))))
    )


def _dash(text: pl.Expr) -> pl.Expr:
    return pl.when(text == "").then(pl.lit("–")).otherwise(text)
