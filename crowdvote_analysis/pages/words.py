"""The words and tables of a page about one count, beside its charts; the notebook only lays them out."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from threading import RLock
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from crowdvote_analysis.delegation.frames import NOT_FOLLOWING
from crowdvote_analysis.errors import TableWarning, UnresolvedTieError
from crowdvote_analysis.pages.choosing import labels
from crowdvote_analysis.snapshots.inputs import is_closed
from crowdvote_analysis.star import robustness
from crowdvote_analysis.state import SystemState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from crowdvote_analysis.delegation import Resolution
    from crowdvote_analysis.snapshots.calculation import Staged
    from crowdvote_analysis.star import Robustness, StarTally

_ORIGINS = {"manual": "by hand", "calculated": "calculated", "none": "none"}
# What a following without a ballot to inherit came to, as the end of a sentence (D7).
CAUSES = {
    "no_match": "no tag matches",
    "no_ballot": "there is no ballot to inherit",
    "circular": "it leads back in a loop",
    "not_a_member": "whom they follow is not a member",
}
# Beyond it, working out how safe a result is takes longer than all the rest.
_MOST_FOR_SAFETY = 100_000
_COLUMN = 32  # characters of a title above a column of a table
# Warnings are caught for the whole process, and the sessions of a notebook server are threads of one.
_READING = RLock()
# The store that was read last, as it stands: all pages and sessions of a server look at the same one.
_STANDING: dict[tuple[object, ...], tuple[SystemState, list[str]]] = {}


# Why somebody whose ballot is not tallied weighs something (M1, I4).
LOBBYISTS = (
    "A lobbyist may be followed, and has no vote: the lobbyist's own ballot is not tallied, but voters who follow "
    "inherit it. The weight beside a lobbyist is what came through these voters."
)


@dataclass(frozen=True)
class Headline:
    """What came out, in words.

    Attributes:
        kind: ``"success"`` for a winner, ``"warn"`` where people must decide or nothing passes, ``"info"`` while it
            is open.
        title: The winner, or that there is none yet.
        sentences: How it came about, and what is left to do.
    """

    kind: Literal["success", "warn", "info"]
    title: str
    sentences: tuple[str, ...]


def read_noting(folder: str | Path) -> tuple[SystemState, list[str]]:
    """Read a folder of tables, or a store as it stands.

    Returns:
        The state, and what was unusual about the files and rows, one sentence each.

    Raises:
        CrowdVoteError: As ``SystemState.read`` and ``Store.open``.
    """
    from crowdvote_analysis.store import Store, is_store

    with _READING:
        if not is_store(folder):
            return noted(lambda: SystemState.read(folder))
        cut = Store.open(folder).cut()
        # What stands changes with the last commit, or with one that landed before it.
        known = (cut.location.url, len(cut.commits), *cut.commits["commit_id"].tail(1))
        if known not in _STANDING:
            _STANDING.clear()
            _STANDING[known] = noted(cut.state)
        return _STANDING[known]


def noted(make: Callable[[], SystemState]) -> tuple[SystemState, list[str]]:
    """Make a state, and catch what was unusual about its tables, one sentence each."""
    with _READING, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", TableWarning)
        state = make()
    return state, [str(warning.message) for warning in caught if issubclass(warning.category, TableWarning)]


def headline(
    tally: StarTally,
    safety: Robustness | None = None,
    *,
    stats: Mapping[str, Any] | None = None,
    is_open: bool = False,
) -> Headline:
    """Say what a tally came to (K2, K7), and why the leader lost if it did.

    Args:
        tally: The tally.
        safety: How safe it is, if that was worked out.
        stats: The row of ``Resolution.stats``; with it, it is said which ballots were not tallied (M2).
        is_open: Whether people can still vote, so that nobody has won yet (S3).
    """
    titles = dict(tally.scores.select("choice_id", "title").iter_rows())
    if tally.tie is not None:
        tied = [titles[choice] for choice in tally.tie.tied]
        possible = [titles[choice] for choice in tally.possible_winners]
        ask = str(UnresolvedTieError(tied, tally.tie.places, (), tally.tie.stage, possible, ()))
        where = "for a place in the runoff" if tally.tie.stage == "scoring" else "in the runoff"
        stage = f"Every step that could break the tie (the tie protocol “{tally.protocol}”) leaves them level {where}."
        outlook = (
            f"Possible winners: {', '.join(possible)}."
            if len(possible) > 1
            else f"It does not change who wins: under any decision of the tie that is {possible[0]}."
        )
        far = "so far" if is_open else "yet"
        return Headline("warn", f"No winner {far}: an unresolved tie", (ask, stage, outlook))
    winner = titles[tally.winner or ""]
    kind: Literal["info", "success"] = "info" if is_open else "success"
    title = f"{winner} leads so far" if is_open else f"{winner} wins"
    if tally.runoff is None or tally.runner_up is None:
        return Headline(kind, title, ("It is the only choice, so there was no runoff.",))
    votes, other = tally.runoff.votes, titles[tally.runner_up]
    ahead, behind = votes[tally.winner or ""], votes[tally.runner_up]
    if tally.runoff.margin:
        parts = [f"{_ballots(ahead)} for it", f"{behind:,} for {other}"]
        if tally.runoff.no_preference:
            parts.append(f"{tally.runoff.no_preference:,} without a preference")
        how = f"{', '.join(parts[:-1])} and {parts[-1]} in the runoff: a margin of {ahead - behind:,}."
    else:
        rule = {"sum": "total stars decide", "max_count": "five-star ballots decide"}.get(
            tally.runoff.decided_by or "", "the community manager decided"
        )
        how = f"The runoff against {other} is level at {_ballots(ahead)} each; {rule}."
    more = [tally.leader_lost(places=2), safety.told(titles) if safety else None]
    tallied = f"Tallied: {_ballots(tally.vote_count)}." if stats is None else tallied_words(stats)
    return Headline(kind, title, (how, *(sentence for sentence in more if sentence), tallied))


def safety_of(counted: Resolution | Staged, tally: StarTally | None) -> Robustness | None:
    """How many ballots would have to change; ``None`` where that says nothing, or would take too long to find out.

    Args:
        counted: Everyone's ballot.
        tally: The tally of one of the decisions.
    """
    if tally is None or not tally.won_by_ballots or tally.vote_count > _MOST_FOR_SAFETY:
        return None
    return robustness(counted, tally.decision_id, tally.protocol)


def tallied_words(stats: Mapping[str, Any]) -> str:
    """Say how many of the voters' ballots were tallied, and why not all (M2, D5): ``stats`` as for ``headline``."""
    with_ballot = stats["manual_ballots"] + stats["calculated_ballots"]
    empty = with_ballot - stats["tallied_ballots"]
    if not empty:
        return f"Tallied: {_ballots(with_ballot)}."
    return f"Tallied: {stats['tallied_ballots']:,} of {_ballots(with_ballot)}; {_starless(empty)}."


def is_open(decision: Mapping[str, Any], now: datetime) -> bool:
    """Whether people can still vote on a decision of some tables, as far as these say (S3).

    Tables may hold nothing but ballots. Without any time, these are taken to be all there will be.

    Args:
        decision: Its row.
        now: The instant.
    """
    has_times = decision["opens_at"] is not None or decision["closes_at"] is not None
    return has_times and not is_closed(decision, now)


def no_ballot(detail: str) -> str:
    """Say why somebody has no ballot (D7).

    Args:
        detail: The ``reason_detail``: ``no_followings``, or what became of the followings, joined with +.
    """
    if detail == "no_followings":
        return NOT_FOLLOWING
    return f"Following others but {' and '.join(CAUSES[cause] for cause in detail.split('+'))}"


def figures(stats: pl.DataFrame) -> list[tuple[str, str]]:
    """Give the participation of one decision as numbers with a few words each (M2).

    Args:
        stats: One row of ``Resolution.stats``.
    """
    (row,) = stats.iter_rows(named=True)
    with_ballot = row["manual_ballots"] + row["calculated_ballots"]
    empty = with_ballot - row["tallied_ballots"]
    return [
        (f"{with_ballot:,} of {row['total_members']:,}", f"voters have a ballot ({row['participation']:.1%})"),
        (f"{row['tallied_ballots']:,}", f"ballots tallied{f'; {_starless(empty)}' if empty else ''}"),
        (f"{row['lobbyists']:,}", "lobbyists: may be followed, have no vote"),
        (f"{row['max_delegation_depth']:,}", "followings in the longest chain to a ballot cast by hand"),
        (f"{row['circular_prevented']:,}", "followings in loops: they lead back to the follower"),
    ]


def voting_time(decision: Mapping[str, Any], at: datetime) -> str:
    """Say whether people can vote on a decision at an instant, and from when to when, in words (S3).

    Args:
        decision: Its row.
        at: The instant.
    """
    is_over = is_closed(decision, at)
    opens, closes = (
        f"{at.day} {at:%B %Y, %H:%M}" if at else "" for at in (decision["opens_at"], decision["closes_at"])
    )
    if not opens and not closes:
        return "voting is over" if is_over else "no closing time"
    if is_over and (not closes or decision["closes_at"] > at):  # decided, or cancelled, before its time
        return f"voting is over; it was to close {closes} (UTC)" if closes else "voting is over"
    if not is_over and opens and decision["opens_at"] > at:
        return f"voting opens {opens}" + (f" and closes {closes} (UTC)" if closes else " (UTC)")
    time = f"from {opens} to {closes}" if opens and closes else f"from {opens}" if opens else f"until {closes}"
    return f"voting is over: it was open {time} (UTC)" if is_over else f"voting is open {time} (UTC)"


def people(rows: pl.DataFrame) -> str:
    """Say how many people there are, lobbyists apart, as in the figures (M2): ``18 voters and 2 lobbyists``.

    Args:
        rows: One for each of them, with ``is_voter``.
    """
    voters = int(rows["is_voter"].sum())
    counts = ((voters, "voter"), (len(rows) - voters, "lobbyist"))
    told = [f"{number:,} {one}{'' if number == 1 else 's'}" for number, one in counts if number or one == "voter"]
    return " and ".join(told)


def ballot_table(resolution: Resolution, decision_id: str, names: pl.DataFrame) -> pl.DataFrame:
    """List everyone's ballot in one decision under public names (P1), one column a choice.

    Args:
        resolution: Everyone's ballot.
        decision_id: The decision.
        names: As ``privacy.public_names``.

    Returns:
        Member, Ballot (by hand, calculated, none), a column ``★ title`` for each choice (its title cut where long;
        Float64 rounded to 2 places, for display; null where the ballot says nothing), Tags, Depth, Why none, Inherit
        directly, Inherit in all, Weight, Tallied. By hand first, then by name.
    """
    here = pl.col("decision_id") == decision_id
    community = resolution.decisions.filter(here)["community_id"]
    shown = names.filter(pl.col("community_id").is_in(community.implode())).select(
        "member_id", pl.coalesce("name", "public_id").alias("name")
    )
    choices = labels(resolution.choices.filter(here).select("choice_id", "title"), _COLUMN)
    titles = {choice: label for label, choice in choices.items()}
    stars = (
        resolution.stars.filter(here)
        .with_columns(pl.col("stars").cast(pl.Float64).round(2))
        .pivot("choice_id", index="member_id", values="stars", on_columns=list(titles))
        # Renamed before they meet the other columns: a choice may well be called "tags".
        .rename({choice: f"★ {title}" for choice, title in titles.items()})
    )
    none = pl.col("origin") == "none"
    why = {detail: no_ballot(detail) for detail in resolution.ballots["reason_detail"].drop_nulls().unique()}
    return (
        resolution.ballots.filter(here)
        .join(shown, on="member_id", how="inner")
        .join(stars, on="member_id", how="left")
        .sort([pl.col("origin").replace_strict({"manual": 0, "calculated": 1, "none": 2}), "name"])
        .select(
            pl.col("name").alias("Member"),
            pl.col("origin").replace_strict(_ORIGINS).alias("Ballot"),
            *(f"★ {title}" for title in titles.values()),
            pl.col("tags").list.join(", ").alias("Tags"),
            pl.col("depth").alias("Depth"),
            pl.when(none).then(pl.col("reason_detail").replace_strict(why)).alias("Why none"),
            pl.col("influence_direct").alias("Inherit directly"),
            pl.col("influence_total").alias("Inherit in all"),
            pl.col("weight").round(4).alias("Weight"),
            pl.when("is_voter").then(pl.lit("yes")).otherwise(pl.lit("no, lobbyist")).alias("Tallied"),
        )
    )


def cell_formats(table: pl.DataFrame) -> dict[str, Callable[[Any], str]]:
    """Say how the cells of a table are written: stars and parts of votes with 2 places, a dash for none."""
    return {
        name: _two_places if kind.is_float() and name.startswith(("★", "Counts")) else _plain
        for name, kind in table.schema.items()
    }


def _two_places(stars: float | None) -> str:
    return "–" if stars is None else f"{stars:.2f}"


def _plain(value: str | float | None) -> str:
    # Text throughout: a column that mixes numbers and blanks cannot be sent.
    return "" if value is None else f"{value}"


def _starless(number: int) -> str:
    return f"{number:,} {'rates' if number == 1 else 'rate'} no choice"


def _ballots(number: int) -> str:
    return f"{number:,} {'ballot' if number == 1 else 'ballots'}"
