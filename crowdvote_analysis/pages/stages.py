"""The members of one snapshot in three stages: ballots cast by hand, calculated ones, and none (U2).

Members stand under public ids and names everywhere (P1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis.errors import CyclicCoreTooLarge
from crowdvote_analysis.explanation import lineage
from crowdvote_analysis.pages import html_rows, words
from crowdvote_analysis.pages.ballot_tree import shares_html, tree_html
from crowdvote_analysis.pages.history import snapshot_link
from crowdvote_analysis.snapshots.calculation import as_asked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crowdvote_analysis.explanation import Lineage
    from crowdvote_analysis.pages.snapshot import Looked

_OUTCOMES = {
    "no_match": "no tag matches",
    "no_ballot": "has no ballot to give",
    "circular": "cut: it leads back in a loop",
    "not_a_member": "not a member",
}
_NO_STARS = "gave no stars"
_FOLLOWINGS = 500  # shown in one tree at most; more change no number


def about_manual(looked: Looked) -> list[str]:
    """Say what Stage 1 lists, what its numbers count (I2, I3), and why lobbyists weigh something (M1, I4)."""
    rows = looked.people.filter(origin="manual")
    tallied = f"{looked.stats['tallied_ballots']:,}"
    told = [
        f"{words.people(rows)} cast a ballot by hand. In brackets: in how many other ballots it is found, directly or "
        "through others; the cup marks whoever is found in most. Weight: how many of the "
        f"{tallied} tallied ballots it amounts to, once every calculated ballot is traced back to those it is made of."
    ]
    weight = pl.col("weight")
    heaviest = rows.filter(weight == weight.max(), weight > 0).select("name", "weight").rows()
    if len(heaviest) == 1:
        told.append("{}'s ballot carries most: {:.2f} of {} ballots.".format(*heaviest[0], tallied))
    if not rows["is_voter"].all():
        told.append(words.LOBBYISTS)
    return told


def about_calculated(looked: Looked) -> list[str]:
    """Say what Stage 2 lists, and who stands in Stage 3 too."""
    rows = looked.people.filter(origin="calculated")
    told = [
        f"{words.people(rows)} did not vote and got a ballot by following others: the average of the ballots of those "
        "they follow, where the tags match. Open a line to see how it came about."
    ]
    without = len(looked.people.filter("in_loop", origin="none"))
    if without:
        told.append(
            f"Also listed: {without:,} inside loops to whom no ballot came along. Stage 3 lists them too, and says why."
        )
    return told


def about_nobody(looked: Looked) -> list[str]:
    """Say what Stage 3 lists, and who stands in Stage 2 too."""
    rows = looked.people.filter(origin="none")
    told = [f"{words.people(rows)} did not vote, and no ballot came along by following; for each it is said why."]
    without = len(rows.filter("in_loop"))
    return [*told, f"{without:,} of them are inside loops, and in Stage 2 as well."] if without else told


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
    written, notes = [], []
    for row in shown.iter_rows(named=True):
        number = row["influence_total"]
        cup = f" {html_rows.CUP}" if most and number == most else ""
        stars = [None if row["stars"] is None else _two(row["stars"][title]) for title in titles]
        note = "" if row["is_voter"] else "lobbyist, not tallied"
        if all(given is None for given in stars):
            note = "no stars, not tallied"
        influence = "" if number is None else f" ({number:,})"
        name = html_rows.link(snapshot_link(looked.row["snapshot_id"], link, row["public_id"], page=""), row["name"])
        written.append(
            [
                html_rows.Cell(f"{html_rows.disc(html_rows.COLOURS['manual'])} {name}{influence}{cup}"),
                ", ".join(row["tags"]),
                *stars,
                f"{row['weight']:.2f}",
            ]
        )
        notes.append(html_rows.Cell(note))  # blank without one, not a dash
    names = ["Member (influence)", "Tags", *titles, "Weight"]
    if not written:
        return _nobody(search)
    if any(note.html for note in notes):
        names.append("Note")
        written = [[*row, note] for row, note in zip(written, notes, strict=True)]
    told = html_rows.table(names, written, right=[*titles, "Weight"], whole=("Member (influence)",))
    return told + html_rows.counted(
        first, len(shown), len(found), pages, size, "those found in most other ballots first"
    )


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
        told = f"no ballot. {words.no_ballot(row['reason_detail'])}"
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
        f"{html_rows.disc(colour)} <strong>{html_rows.text(row['name'])}</strong> {html_rows.text(told)}"
        f'<span style="opacity:0.8">{loop}{lobbyist}</span>'
    )


def tree(looked: Looked, public_id: str, link: Mapping[str, str]) -> str:
    """The tree of one member, worked out now (Y1); with whose ballots it is made of."""

    def address(member: str) -> str:
        return snapshot_link(looked.row["snapshot_id"], link, member, page="")

    try:
        found = lineage_in(looked, public_id)
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


def nobody(looked: Looked, search: str, page: int, size: int, link: Mapping[str, str]) -> str:
    """Stage 3: who has no ballot, and why (D7)."""
    found = _found(looked.people.filter(origin="none"), search)
    first, pages = html_rows.paged(len(found), page, size)
    shown = found.slice(first, size)
    follows = _follows(looked, shown)
    written = [
        [
            html_rows.Cell(
                f"{html_rows.disc(html_rows.COLOURS['none'])} "
                + html_rows.link(snapshot_link(looked.row["snapshot_id"], link, row["public_id"], ""), row["name"])
                + ("" if row["is_voter"] else " (lobbyist)")
                + (" (inside a loop)" if row["in_loop"] else "")
            ),
            words.no_ballot(row["reason_detail"]),
            follows.get(row["member_id"], "nobody"),
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


def standing_of(looked: Looked, row: Mapping[str, Any]) -> str:
    """What a member's ballot means to others, in a sentence."""
    others = row["influence_total"]
    told = [] if others is None else [f"found in {'1 other ballot' if others == 1 else f'{others:,} other ballots'}"]
    if row["origin"] == "manual":
        told.append(f"weight {row['weight']:.2f} of {looked.stats['tallied_ballots']:,} tallied ballots")
    if row["origin"] == "calculated":
        longest = f"{row['depth']:,} {'following' if row['depth'] == 1 else 'followings'}"
        told.append(f"{longest} in the longest chain to a ballot cast by hand")
    said = ", ".join(told)
    return f"{said[:1].upper()}{said[1:]}." if said and row["origin"] != "none" else ""


def lineage_in(looked: Looked, public_id: str) -> Lineage:
    """The tree of a member in a snapshot, worked out anew.

    Raises:
        CyclicCoreTooLarge: The loops around the member are too large for the work limit.
    """
    options = looked.inputs.options
    return lineage(
        as_asked(looked.state, options),
        looked.inputs.decision_id,
        public_id,
        cycles=options.cycles,
        work_limit=options.work_limit,
        max_followings=_FOLLOWINGS,
    )


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
    empty = (pl.col("origin") == "manual") & pl.col("stars").is_null()
    who = looked.people.select(followee_id="member_id", followee="name", empty=empty)
    asked = shown.select(follower_id="member_id")
    followings = looked.state.followings.join(asked, on="follower_id", how="semi").sort("follower_id", "order")
    rows = followings.join(
        looked.sources.select("follower_id", "followee_id", "outcome"), on=["follower_id", "followee_id"], how="left"
    ).join(who, on="followee_id", how="left", maintain_order="left")
    found: dict[str, list[str]] = {}
    for row in rows.iter_rows(named=True):
        on = f"[{', '.join(row['tags'])}]" if row["tags"] else "[ALL]"
        name = row["followee"] or "somebody who is no member"
        why = _NO_STARS if row["outcome"] == "no_ballot" and row["empty"] else _OUTCOMES.get(row["outcome"] or "", "")
        found.setdefault(row["follower_id"], []).append(f"{name} on {on}" + (f" ({why})" if why else ""))
    return {follower: "; ".join(told) for follower, told in found.items()}


def _nobody(search: str) -> str:
    return f'<p style="opacity:0.8">{"Nobody matches the search." if search.strip() else "Nobody."}</p>'


def _two(stars: float | None) -> str | None:
    return None if stars is None else f"{stars:.2f}".rstrip("0").rstrip(".")
