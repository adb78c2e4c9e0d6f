"""The words and tables of a page about one snapshot (U2), beside its charts; the notebook only lays them out.

Members stand under public ids and names everywhere (P1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis.delegation.resolution import NOT_FOLLOWING
from crowdvote_analysis.errors import CyclicCoreTooLarge, UnknownSnapshotError
from crowdvote_analysis.explanation import lineage
from crowdvote_analysis.pages import html_rows, words
from crowdvote_analysis.pages.ballot_tree import shares_html, tree_html
from crowdvote_analysis.pages.history import badge, snapshot_link, when, winner
from crowdvote_analysis.pages.words import Headline, labels
from crowdvote_analysis.privacy import public_names
from crowdvote_analysis.snapshots.calculation import Staged, listed_choices
from crowdvote_analysis.snapshots.events import find_snapshot, list_snapshots
from crowdvote_analysis.snapshots.reading import read_inputs, read_result
from crowdvote_analysis.star import tally_each

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crowdvote_analysis.explanation import Lineage
    from crowdvote_analysis.snapshots.inputs import Inputs
    from crowdvote_analysis.snapshots.verify import Verification
    from crowdvote_analysis.star import StarTally
    from crowdvote_analysis.state import SystemState
    from crowdvote_analysis.store.store import Store

_OUTCOMES = {
    "no_match": "no tag matches",
    "no_ballot": "has no ballot to give",
    "circular": "prevented: a loop",
    "not_a_member": "not a member",
}
_FOLLOWINGS = 500  # shown in one tree at most; more change no number


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
        same=tally is None or tally.to_dict() == result.tally,
    )


def first_shown(store: Store, asked: Mapping[str, str]) -> dict[str, Any]:
    """The snapshot a page opens with: the one asked for, else the newest of the decision asked for, else the newest.

    Args:
        store: The store.
        asked: What the address of the page says: ``snapshot``, ``decision``.

    Raises:
        UnknownSnapshotError: There is no such snapshot.
    """
    if asked.get("decision") and not asked.get("snapshot"):
        known = list_snapshots(store, asked["decision"])
        if known.is_empty():
            raise UnknownSnapshotError(
                f"There is no snapshot of the decision {asked['decision']!r}: it has not been calculated yet, or is "
                "not in this store."
            )
        done = known.filter(status="completed")
        return (done if len(done) else known).row(0, named=True)
    return find_snapshot(store, asked.get("snapshot") or "latest")


def headline(looked: Looked) -> Headline:
    """Say what came out, and whether it still stands (S3)."""
    said = words.headline(looked.tally) if looked.tally else Headline("warn", "Nothing to tally", ("No ballots.",))
    notes = []
    if looked.row["superseded_by"]:
        notes.append("This result does not stand any more: it was counted again, and another one does.")
    if not looked.same:
        notes.append("Counting the stored ballots now gives another result than is stored. Verify it below.")
    return replace(said, sentences=(*said.sentences, *notes))


def heading(looked: Looked) -> tuple[str, str]:
    """The title of the decision, and a line about the snapshot."""
    decision = looked.state.decisions.row(0, named=True)
    row, options = looked.row, looked.inputs.options
    rule = row["cycle_rule"] or options.cycles
    told = f"{badge(row).partition(' ')[2]} · as of {when(row['timestamp'])} UTC · loops counted by the rule “{rule}”"
    return str(decision["title"] or decision["decision_id"]), told


def figures(looked: Looked) -> str:
    """The header of U2: voters by where their ballot comes from, loops, depth."""
    stats = looked.stats
    return html_rows.figures(
        [
            (stats["manual_ballots"], "voted by hand", html_rows.COLOURS["manual"]),
            (stats["calculated_ballots"], "calculated from followings", html_rows.COLOURS["calculated"]),
            (stats["no_ballot"], "have no ballot", html_rows.COLOURS["none"]),
            (stats["total_members"], "voters in all", None),
            (stats["circular_prevented"], "followings inside loops", html_rows.COLOURS["circular"]),
            (stats["max_delegation_depth"], "followings deep at most", None),
        ]
    )


def manual(looked: Looked, search: str, page: int, size: int, link: Mapping[str, str]) -> str:
    """Stage 1: ballots cast by hand, the most influential first; (N) is in how many ballots they are found (I2)."""
    rows = looked.people.filter(origin="manual")
    most = rows["influence_total"].max()
    found = _found(rows, search).sort(
        ["influence_total", "weight", "name"], descending=[True, True, False], nulls_last=True
    )
    first, pages = html_rows.paged(len(found), page, size)
    shown = found.slice(first, size)
    titles = list(looked.titles.values())
    written = []
    for row in shown.iter_rows(named=True):
        number = row["influence_total"]
        cup = f" {html_rows.CUP}" if most and number == most else ""
        stars = [None if row["stars"] is None else _two(row["stars"][title]) for title in titles]
        note = "" if row["is_voter"] else "lobbyist, not tallied"
        if all(given is None for given in stars):
            note = "empty ballot"
        influence = "" if number is None else f" ({number:,})"
        name = html_rows.link(snapshot_link(looked.row["snapshot_id"], link, row["public_id"], page=""), row["name"])
        written.append(
            [
                html_rows.Cell(f"{html_rows.disc(html_rows.COLOURS['manual'], '')} {name}{influence}{cup}"),
                ", ".join(row["tags"]),
                *stars,
                f"{row['weight']:.2f}",
                note or " ",  # a blank cell, not a dash
            ]
        )
    names = ["Member (influence)", "Tags", *titles, "Weight", "Note"]
    if not written:
        return _nobody(search)
    if all(row[-1] == " " for row in written):
        names, written = names[:-1], [row[:-1] for row in written]
    told = html_rows.table(names, written, right=[*titles, "Weight"], whole=("Member (influence)",))
    return told + html_rows.counted(first, len(shown), len(found), pages, size, "the most influential first")


def calculated(looked: Looked, search: str, *, loops: bool = False) -> pl.DataFrame:
    """Stage 2: members with a calculated ballot, and everybody inside a loop, by name.

    Args:
        looked: The snapshot.
        search: Only those whose name or id holds this text, as it stands, in whatever capitals.
        loops: Only those inside a loop.
    """
    rows = looked.people.filter("in_loop" if loops else (pl.col("origin") == "calculated") | pl.col("in_loop"))
    return _found(rows, search)


def summary(looked: Looked, row: Mapping[str, Any]) -> str:
    """One line about a member's ballot, before its tree is opened."""
    colour = html_rows.COLOURS["circular" if row["in_loop"] else row["origin"]]
    tags = f"[{', '.join(row['tags'])}]" if row["tags"] else "without tags"
    if row["origin"] == "none":
        told = f"no ballot. {row['reason']}"
    else:
        stars = ", ".join(
            f"{title} {_two(row['stars'][title])}"
            for title in looked.titles.values()
            if row["stars"] is not None and row["stars"][title] is not None
        )
        told = f"ballot {'calculated' if row['origin'] == 'calculated' else 'cast by hand'} {tags}: {stars}"
    loop = " · inside a loop" if row["in_loop"] else ""
    lobbyist = "" if row["is_voter"] else " · lobbyist, not tallied"
    return (
        f"{html_rows.disc(colour, '')} <strong>{html_rows.text(row['name'])}</strong> {html_rows.text(told)}"
        f'<span style="opacity:0.8">{loop}{lobbyist}</span>'
    )


def tree(looked: Looked, public_id: str, link: Mapping[str, str]) -> str:
    """The tree of one member, worked out now (Y1); with whose ballots it is made of."""

    def address(member: str) -> str:
        return snapshot_link(looked.row["snapshot_id"], link, member, page="")

    try:
        found = _lineage(looked, public_id)
    except CyclicCoreTooLarge as error:
        return f"<p>This tree is too large to be drawn: {html_rows.text(str(error))}</p>"
    return tree_html(found, address) + shares_html(found, address)


def calculated_html(looked: Looked, rows: Sequence[Mapping[str, Any]], trees: Sequence[str], search: str) -> str:
    """Write Stage 2: a line for each member, that opens to the tree.

    Args:
        looked: The snapshot.
        rows: Some of ``calculated``.
        trees: HTML of each one's tree.
        search: What was searched for.
    """
    if not rows:
        return _nobody(search)
    return "".join(
        '<details style="border-top:1px solid #8884;padding:0.45rem 0;font-size:0.9rem"><summary '
        f'style="cursor:pointer;overflow-wrap:anywhere">{summary(looked, row)}</summary>'
        f'<div style="margin:0.4rem 0 0.4rem 1rem">{tree_}</div></details>'
        for row, tree_ in zip(rows, trees, strict=True)
    )


def member_box(looked: Looked, row: Mapping[str, Any], link: Mapping[str, str]) -> str:
    """Everything about one member: the ballot, what it means to others, and its tree where it was calculated."""
    return (
        '<div style="border:1px solid #8886;border-radius:8px;padding:0.75rem 1rem">'
        f'<h3 style="margin:0 0 0.4rem;font-size:1.2rem;font-weight:600">{html_rows.text(row["name"])}</h3>'
        f'<p style="margin:0 0 0.4rem;font-size:0.95rem">{summary(looked, row)}</p>'
        f'<p style="margin:0 0 0.4rem;opacity:0.8;font-size:0.9rem">{standing_of(looked, row)}</p>'
        f"{tree(looked, row['public_id'], link) if row['origin'] != 'manual' else ''}</div>"
    )


def hashes(looked: Looked) -> str:
    """The two hashes that are published."""
    return "".join(
        '<div style="font-size:0.85rem;overflow-wrap:anywhere;opacity:0.8">'
        f"{name}: <code>{looked.row[key]}</code></div>"
        for name, key in (("Public hash", "public_hash"), ("Result hash", "public_result_hash"))
    )


def nobody(looked: Looked, search: str, page: int, size: int, link: Mapping[str, str]) -> str:
    """Stage 3: who has no ballot, and why (D7)."""
    found = _found(looked.people.filter(origin="none"), search)
    first, pages = html_rows.paged(len(found), page, size)
    shown = found.slice(first, size)
    follows = _follows(looked, shown)
    written = [
        [
            html_rows.Cell(
                f"{html_rows.disc(html_rows.COLOURS['none'], '')} "
                + html_rows.link(snapshot_link(looked.row["snapshot_id"], link, row["public_id"], ""), row["name"])
                + ("" if row["is_voter"] else " (lobbyist)")
            ),
            row["reason"],
            follows.get(row["member_id"]) or ("nobody" if row["reason"] == NOT_FOLLOWING else None),
        ]
        for row in shown.iter_rows(named=True)
    ]
    if not written:
        return _nobody(search)
    told = html_rows.table(["Member", "Why", "Follows"], written, whole=("Member",))
    return told + html_rows.counted(first, len(shown), len(found), pages, size, "by name")


def pages(looked: Looked, origin: str, search: str, size: int) -> int:
    """How many pages there are of the members with a ballot of this origin."""
    return html_rows.paged(len(_found(looked.people.filter(origin=origin), search)), 1, size)[1]


def member(looked: Looked, asked: str) -> dict[str, Any] | None:
    """The row of a member: by public id or by the whole name; none where there is no such member, or there are two."""
    for name in ("public_id", "name"):
        found = looked.people.filter(pl.col(name) == asked.strip())
        if len(found) == 1:
            return found.row(0, named=True)
    return None


def standing_of(looked: Looked, row: Mapping[str, Any]) -> str:
    """What a member's ballot means to others, in a sentence."""
    others = row["influence_total"]
    told = [] if others is None else [f"{'1 other ballot' if others == 1 else f'{others:,} other ballots'} build on it"]
    if row["origin"] == "manual":
        told.append(f"it carries the weight of {row['weight']:.2f} of {looked.stats['tallied_ballots']:,} ballots")
    if row["origin"] == "calculated":
        told.append(f"{row['depth']:,} {'following' if row['depth'] == 1 else 'followings'} deep")
    words = ", ".join(told)
    return f"{words[:1].upper()}{words[1:]}." if words and row["origin"] != "none" else ""


def runoff_words(tally: StarTally) -> str:
    """What the runoff is, and what came of it (K2, K7)."""
    if tally.runoff is None:
        return f"No runoff: the {'score phase is tied' if tally.tie else 'choice is the only one'}."
    titles = dict(tally.scores.select("choice_id", "title").iter_rows())
    rule = "Each ballot counts for the finalist it gives more stars."
    if tally.winner is None:
        possible = ", ".join(titles[choice] for choice in tally.possible_winners)
        return f"{rule} It ends level, and no step of the protocol breaks the tie. Possible winners: {possible}."
    return f"{rule} {titles[tally.winner]} wins, with a margin of {tally.runoff.margin:,}."


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


def _lineage(looked: Looked, public_id: str) -> Lineage:
    options = looked.inputs.options
    return lineage(
        looked.state,
        looked.inputs.decision_id,
        public_id,
        cycles=options.cycles,
        work_limit=options.work_limit,
        max_followings=_FOLLOWINGS,
    )


def _stars(stars: pl.DataFrame, titles: Mapping[str, str]) -> pl.DataFrame:
    """The stars of each member as one struct, a field for every title; null where a ballot says nothing."""
    rated = stars.with_columns(pl.col("stars").cast(pl.Float64))
    wide = rated.pivot("choice_id", index="member_id", values="stars", on_columns=list(titles))
    fields = [pl.col(choice).alias(title) for choice, title in titles.items()]
    return wide.select("member_id", pl.struct(fields).alias("stars"))


def _found(rows: pl.DataFrame, search: str) -> pl.DataFrame:
    wanted = search.strip().lower()
    if not wanted:
        return rows
    hit = pl.any_horizontal(
        pl.col(name).str.to_lowercase().str.contains(wanted, literal=True) for name in ("name", "public_id")
    )
    return rows.filter(hit)


def _follows(looked: Looked, shown: pl.DataFrame) -> dict[str, str]:
    """Whom some members follow, on which tags, and what came of it, by real id."""
    who = looked.people.select(followee_id="member_id", followee="name")
    asked = shown.select(follower_id="member_id")
    followings = looked.state.followings.join(asked, on="follower_id", how="semi").sort("follower_id", "order")
    rows = followings.join(
        looked.sources.select("follower_id", "followee_id", "outcome"), on=["follower_id", "followee_id"], how="left"
    ).join(who, on="followee_id", how="left", maintain_order="left")
    found: dict[str, list[str]] = {}
    for row in rows.iter_rows(named=True):
        on = f"[{', '.join(row['tags'])}]" if row["tags"] else "[ALL]"
        name = row["followee"] or "somebody who is no member"
        why = _OUTCOMES.get(row["outcome"] or "", "")
        found.setdefault(row["follower_id"], []).append(f"{name} on {on}" + (f" ({why})" if why else ""))
    return {follower: "; ".join(told) for follower, told in found.items()}


def _nobody(search: str) -> str:
    return f'<p style="opacity:0.8">{"Nobody matches the search." if search.strip() else "Nobody."}</p>'


def _two(stars: float | None) -> str | None:
    return None if stars is None else f"{stars:.2f}".rstrip("0").rstrip(".")
