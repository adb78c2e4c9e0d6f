"""The words and tables of a page about one snapshot (U2), beside its charts; the notebook only lays them out.

Members stand under public ids and names everywhere (P1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from shlex import quote
from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis.errors import UnknownSnapshotError
from crowdvote_analysis.pages import html_rows, words
from crowdvote_analysis.pages.choosing import labels, require_any
from crowdvote_analysis.pages.history import badge, snapshot_link, when, winner
from crowdvote_analysis.pages.superseded import counted_again, predecessor, successor
from crowdvote_analysis.pages.words import Headline
from crowdvote_analysis.privacy import public_names
from crowdvote_analysis.snapshots.calculation import Staged, listed_choices
from crowdvote_analysis.snapshots.events import find_snapshot, list_snapshots, of_communities
from crowdvote_analysis.snapshots.loop_winners import read_loops
from crowdvote_analysis.snapshots.reading import read_inputs, read_result
from crowdvote_analysis.star import ratings, tally_each, with_ratings

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from crowdvote_analysis.snapshots.inputs import Inputs
    from crowdvote_analysis.snapshots.verify import Verification
    from crowdvote_analysis.star import Robustness, StarTally
    from crowdvote_analysis.state import SystemState
    from crowdvote_analysis.store.store import Store

_HASHES = {"Public hash (of what went in)": "public_hash", "Result hash (of what came out)": "public_result_hash"}


@dataclass(frozen=True)
class Looked:
    """A snapshot that is looked at.

    Attributes:
        row: What the events say of it; see ``list_snapshots``.
        inputs: What it has frozen.
        state: The frozen tables, under real ids.
        people: One row for each member: member_id (real), public_id, name, is_voter, origin, tags, depth, reason,
            in_loop, influence_direct, influence_total, weight and stars (Float64 by title, as a struct).
        sources: The followings that were looked at: follower_id, followee_id (real), outcome.
        stats: The statistics (M2).
        titles: Title by choice id, in display order.
        tally: The tally; none where no voter has a ballot.
        scores: Its scores, with what was left blank, as ``star.with_ratings``; none without a tally.
        safety: How many ballots would have to change, where that was worked out.
        loops: What a final snapshot recorded of its loops, as ``snapshots.read_loops``; none where it did not.
        same: Whether the tally is the one that is stored.
    """

    row: Mapping[str, Any]
    inputs: Inputs
    state: SystemState
    people: pl.DataFrame
    sources: pl.DataFrame
    stats: Mapping[str, Any]
    titles: Mapping[str, str]
    tally: StarTally | None
    scores: pl.DataFrame | None
    safety: Robustness | None
    loops: Mapping[str, Any] | None
    same: bool


def look(store: Store, name: str) -> Looked:
    """Read a completed snapshot.

    Args:
        store: The store.
        name: The snapshot: its id, the first letters of it, or ``latest``.

    Raises:
        UnknownSnapshotError: There is no such snapshot.
        SnapshotError: It has no result, or is not what it was.
    """
    row = find_snapshot(store, name)
    inputs, state = read_inputs(store, row["snapshot_id"])
    result = read_result(store, row["snapshot_id"])
    choices = listed_choices(state)
    staged = Staged(result.tables["resolved_ballots"], result.tables["resolved_stars"], choices)
    orders = {inputs.decision_id: inputs.options.tie_order} if inputs.options.tie_order else None
    tally = tally_each(staged, inputs.options.protocol, tie_orders=orders).get(inputs.decision_id)
    names = public_names(state).filter(community_id=inputs.community_id).select("member_id", "public_id", "name")
    people = staged.ballots.join(names, on="member_id").with_columns(pl.coalesce("name", "public_id").alias("name"))
    titles = {choice: title for title, choice in labels(choices.sort("position").select("choice_id", "title")).items()}
    return Looked(
        row=row,
        inputs=inputs,
        state=state,
        people=people.join(_stars(staged.stars, titles), on="member_id", how="left").sort("name", "public_id"),
        sources=result.tables["sources"],
        stats=result.tables["stats"].row(0, named=True),
        titles=titles,
        tally=tally,
        scores=with_ratings(tally, ratings(staged, inputs.decision_id)) if tally else None,
        safety=words.safety_of(staged, tally),
        loops=read_loops(store, row["snapshot_id"]),
        same=tally is None or tally.to_dict() == result.tally,
    )


def first_shown(store: Store, asked: Mapping[str, str], communities: Collection[str] | None = None) -> dict[str, Any]:
    """The snapshot a page opens with: the one asked for, else the newest of the decision asked for, else the newest.

    Args:
        store: The store.
        asked: What the address of the page says: ``snapshot``, ``decision``.
        communities: Of these communities only.

    Raises:
        UnknownSnapshotError: There is no such snapshot, or it is of another community.
        NothingToSeeError: There are no communities.
    """
    require_any(communities)
    if asked.get("decision") and not asked.get("snapshot"):
        known = of_communities(list_snapshots(store, asked["decision"]), communities)
        if known.is_empty():
            raise UnknownSnapshotError(
                f"There is no snapshot of the decision {asked['decision']!r}: it has not been calculated yet, or is "
                "not in this store."
            )
        done = known.filter(status="completed")
        return (done if len(done) else known).row(0, named=True)
    return find_snapshot(store, asked.get("snapshot") or "latest", communities)


def uncounted(
    store: Store, asked: Mapping[str, str], communities: Collection[str] | None = None
) -> dict[str, Any] | None:
    """The decision with stars that a page is asked for, where there is no snapshot of it yet: its row, or none.

    Args:
        store: The store.
        asked: As for ``first_shown``.
        communities: As for ``first_shown``.
    """
    if asked.get("snapshot") or not asked.get("decision"):
        return None
    decisions = of_communities(store.cut().rows("decisions"), communities)
    found = decisions.filter(decision_id=asked["decision"], method="star")
    if found.is_empty() or len(list_snapshots(store, asked["decision"])):
        return None
    return found.row(0, named=True)


def headline(looked: Looked, known: pl.DataFrame) -> Headline:
    """Say what came out, whether it still stands (S3), and what is left to do (K7).

    Args:
        looked: The snapshot.
        known: Rows of ``list_snapshots`` of its decision.
    """
    said = Headline("warn", "Nothing to tally", ("No voter has a ballot with stars.",))
    if looked.tally:
        said = words.headline(looked.tally, looked.safety, stats=looked.stats, is_open=not looked.row["is_final"])
    notes = [] if looked.tally is None or looked.tally.tie is None else [_how_to_decide(looked)]
    after, before = successor(known, looked.row), predecessor(known, looked.row)
    if looked.row["superseded_by"]:
        again = counted_again(looked.row, after) if after else "It was counted again."
        notes.append(f"This result does not stand any more. {again}")
    elif before:
        notes.append(f"This result stands in the place of an earlier one. {counted_again(before, looked.row)}")
    if not looked.same:
        notes.append("Counting the stored ballots now gives another result than is stored. Verify it below.")
    return replace(said, sentences=(*said.sentences, *notes))


def standing_link(looked: Looked, link: Mapping[str, str]) -> str:
    """A link to the snapshot in whose favour this one does not stand any more; nothing where it stands."""
    later = looked.row["superseded_by"]
    return html_rows.link(snapshot_link(later, link, page=""), "To the result that stands") if later else ""


def heading(looked: Looked) -> tuple[str, str]:
    """The title of the decision, and a line about the snapshot."""
    decision = looked.state.decisions.row(0, named=True)
    row = looked.row
    voting = "counted when voting was over" if row["is_final"] else "counted while voting was still open"
    told = f"{badge(row).partition(' ')[2]}: {voting} · as of {when(row['timestamp'])} UTC"
    return str(decision["title"] or decision["decision_id"]), told


def figures(looked: Looked) -> str:
    """The header of U2: voters by where their ballot comes from, lobbyists, loops, depth (M2)."""
    stats = looked.stats
    return html_rows.figures(
        [
            (stats["manual_ballots"], "voters voted by hand", html_rows.COLOURS["manual"]),
            (stats["calculated_ballots"], "voters with a calculated ballot", html_rows.COLOURS["calculated"]),
            (stats["no_ballot"], "voters without a ballot", html_rows.COLOURS["none"]),
            (stats["total_members"], "voters in all", None),
            *(
                [(stats["lobbyists"], "lobbyists besides: may be followed, have no vote", None)]
                if stats["lobbyists"]
                else []
            ),
            (
                stats["circular_prevented"],
                "followings in loops: they lead back to the follower",
                html_rows.COLOURS["circular"],
            ),
            (stats["max_delegation_depth"], "followings in the longest chain to a ballot cast by hand", None),
        ]
    )


def hashes(looked: Looked) -> str:
    """The two hashes that are published, and what they are for."""
    about = (
        "The two lines below are fingerprints, of everything that went in and of everything that came out. They are "
        "published with the result: change one star, and they change."
    )
    return f'<p style="margin:0 0 0.4rem;opacity:0.8;font-size:0.85rem">{about}</p>' + "".join(
        '<div style="font-size:0.85rem;overflow-wrap:anywhere;opacity:0.8">'
        f"{name}: <code>{looked.row[key]}</code></div>"
        for name, key in _HASHES.items()
    )


def member(looked: Looked, asked: str) -> dict[str, Any] | None:
    """The row of a member: by public id or by the whole name; none where there is no such member, or there are two."""
    for name in ("public_id", "name"):
        found = looked.people.filter(pl.col(name) == asked.strip())
        if len(found) == 1:
            return found.row(0, named=True)
    return None


def runoff_words(tally: StarTally, *, is_open: bool = False) -> str:
    """What the runoff is, and what came of it (K2, K7); ``is_open`` as for ``words.headline``."""
    if tally.runoff is None:
        return f"No runoff: the {'score phase is tied' if tally.tie else 'choice is the only one'}."
    titles = dict(tally.scores.select("choice_id", "title").iter_rows())
    rule = "Each ballot counts once, for the finalist it gives more stars; no preference: it gives both the same."
    if tally.winner is None:
        possible = ", ".join(titles[choice] for choice in tally.possible_winners)
        return f"{rule} It ends level, and no further step breaks the tie. Possible winners: {possible}."
    verb = "leads so far" if is_open else "wins"
    return f"{rule} {titles[tally.winner]} {verb}, with a margin of {tally.runoff.margin:,}."


def verdict(found: Verification) -> tuple[str, str]:
    """What verifying has found: the kind of callout, and words."""
    wrong = found.checks.filter(~pl.col("ok"))
    if found.certified:
        words = f"Certified: {len(found.checks):,} checks of files, hashes, history and a full recount agree."
        return "success", words
    first = "; ".join(f"{row['what']}: {row['detail']}" for row in wrong.head(5).iter_rows(named=True))
    return "danger", f"Not certified: {first or 'there is no result'}."


def snapshot_labels(known: pl.DataFrame) -> dict[str, str]:
    """Label snapshots for a list to choose from: label to snapshot id; those of one minute have their id beside.

    Args:
        known: Rows of ``list_snapshots``.
    """
    told = [
        (row["snapshot_id"], f"{when(row['timestamp'])} · {badge(row).partition(' ')[2]} · {winner(row)}".rstrip(" ·"))
        for row in known.iter_rows(named=True)
    ]
    return labels(pl.DataFrame(told, schema={"snapshot_id": pl.String, "title": pl.String}, orient="row"))


def _how_to_decide(looked: Looked) -> str:
    """Say how the manager's decision of a tie gets into the count (K7)."""
    tie, row = looked.tally and looked.tally.tie, looked.row
    if not row["is_final"]:
        return "Voting goes on: more ballots may break the tie. If not, the manager decides it at the end."
    ids = [f'"{choice}"' if set(choice) & set(",:") else choice for choice in (tie.tied if tie else ())]
    order = quote(f"{row['decision_id']}: {', '.join(ids)}")
    first = looked.titles[tie.tied[0]] if tie else ""
    return (
        "FINAL means that voting is over; the winner still waits for the manager. The manager puts the tied choices in "
        f"order, the best first, and has them counted again with it. If {first} were to be the best: "
        f"crowdvote snapshot take STORE -d {quote(row['decision_id'])} --tie-order {order} --supersede"
    )


def _stars(stars: pl.DataFrame, titles: Mapping[str, str]) -> pl.DataFrame:
    """The stars of each member as one struct, a field for every title; null where a ballot says nothing."""
    rated = stars.with_columns(pl.col("stars").cast(pl.Float64))
    wide = rated.pivot("choice_id", index="member_id", values="stars", on_columns=list(titles))
    fields = [pl.col(choice).alias(title) for choice, title in titles.items()]
    return wide.select("member_id", pl.struct(fields).alias("stars"))
