"""Everyone's ballot and where it comes from, as tables of a page; long lists are cut, and say so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from crowdvote_analysis.html import Html, element, joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    from crowdvote_analysis.report.contents import Contents

_MOST_CHOICES, _MOST_SOURCES, _LONGEST_TITLE = 6, 12, 40
_GAVE_NOTHING = {
    "no_match": "no tag matches",
    "no_ballot": "has no ballot",
    "circular": "cut, since it is a loop",
    "not_a_member": "not a member",
}


class Ballots:
    """The ballots of one snapshot, list by list.

    Args:
        found: The snapshot.
        most: Rows that a list shows at most.
    """

    def __init__(self, found: Contents, most: int) -> None:
        self._found, self._most = found, most
        names = found.names.select("public_id", pl.coalesce("name", "public_id").alias("name"))
        ballots = found.public.tables["resolved_ballots"]
        self._names = dict(names.iter_rows())
        self._all = ballots.select(pl.col("member_id").alias("public_id"), pl.exclude("member_id")).join(
            names, on="public_id", how="left", maintain_order="left"
        )
        by_name = self._all.sort("name", "public_id")
        self._rows = {
            "manual": by_name.filter(origin="manual").sort("weight", descending=True, maintain_order=True),
            "calculated": by_name.filter(origin="calculated"),
            "none": by_name.filter(origin="none"),
        }
        shown = pl.concat([rows.head(most) for rows in self._rows.values()])
        self._anchors = {public_id: f"m{number}" for number, public_id in enumerate(shown["public_id"])}
        self._starred = set(found.public.tables["resolved_stars"]["member_id"].unique())
        highest = self._all["influence_total"].max()
        self._highest = highest if isinstance(highest, int) and highest > 0 else None  # all who tie (I2)

    def number(self, origin: str) -> int:
        """How many ballots of that origin there are, those of lobbyists included."""
        return len(self._rows[origin])

    def manual(self) -> Html:
        """Ballots cast by hand, most weight first."""
        rows = self._rows["manual"].head(self._most)
        heads, stars = self._stars(rows)
        body = [
            element(
                "tr",
                self._member(row),
                *stars[row["public_id"]],
                element("td", ", ".join(row["tags"])),
                _number(f"{row['weight']:,.2f}"),
                _number(f"{row['influence_direct']:,}"),
                _number("" if row["influence_total"] is None else f"{row['influence_total']:,}"),
                id=self._anchors[row["public_id"]],
            )
            for row in rows.iter_rows(named=True)
        ]
        return self._table(["Member", *heads, "Tags", "#Weight", "#Inherit directly", "#In all"], body, "manual")

    def calculated(self) -> Html:
        """Calculated ballots, and whose ballots each is the average of."""
        rows = self._rows["calculated"].head(self._most)
        heads, stars = self._stars(rows)
        sources = self._sources(rows)
        body = [
            element(
                "tr",
                self._member(row),
                element("td", *self._from(sources.get(row["public_id"], []))),
                *stars[row["public_id"]],
                element("td", ", ".join(row["tags"])),
                id=self._anchors[row["public_id"]],
            )
            for row in rows.iter_rows(named=True)
        ]
        return self._table(["Member", "The average of", *heads, "Tags"], body, "calculated")

    def without(self) -> Html:
        """Who has no ballot, and why (D7)."""
        rows = self._rows["none"].head(self._most)
        sources = self._sources(rows)
        body = [
            element(
                "tr",
                self._member(row),
                element("td", row["reason"]),
                element("td", *self._from(sources.get(row["public_id"], []))),
                id=self._anchors[row["public_id"]],
            )
            for row in rows.iter_rows(named=True)
        ]
        return self._table(["Member", "Why", "Follows"], body, "none")

    def _table(self, heads: Sequence[str], body: Sequence[Html], origin: str) -> Html:
        head = [element("th", text.lstrip("#"), class_="number" if text.startswith("#") else None) for text in heads]
        table = element("table", element("thead", element("tr", *head)), element("tbody", *body))
        left_out = len(self._rows[origin]) - len(body)
        rest = f"{len(body):,} of {len(self._rows[origin]):,} are listed. All: the exported files, as described below."
        return joined(element("div", table, class_="scroll"), element("p", rest, class_="dim") if left_out else None)

    def _member(self, row: dict[str, Any]) -> Html:
        """Who it is, and what is unusual about their ballot."""
        empty = row["origin"] == "manual" and row["public_id"] not in self._starred
        notes = {
            "found in most ballots": row["influence_total"] is not None and row["influence_total"] == self._highest,
            "lobbyist, not tallied": not row["is_voter"],
            "inside a loop": row["in_loop"],
            "no stars, so it counts as no ballot": empty,
        }
        small = [element("small", note) for note, holds in notes.items() if holds]
        return element("th", row["name"] or row["public_id"], *small, scope="row")

    def _stars(self, rows: pl.DataFrame) -> tuple[list[str], dict[str, list[Html]]]:
        """Headings and cells of the choices with the most stars."""
        choices = self._found.choices.head(_MOST_CHOICES)
        more = len(self._found.choices) - len(choices)
        mine = self._found.public.tables["resolved_stars"].join(
            rows.select(member_id="public_id"), on="member_id", how="semi"
        )
        columns = mine.select("member_id", "choice_id", "stars")
        given = {(member, choice): stars for member, choice, stars in columns.iter_rows()}
        blank = [element("td")] if more else []
        cells = {
            member: [*(_stars(given.get((member, choice))) for choice in choices["choice_id"]), *blank]
            for member in rows["public_id"]
        }
        heads = [f"#★\N{NO-BREAK SPACE}{_cut(title)}" for title in choices["title"]]
        return [*heads, *([f"{more:,} more choices"] if more else [])], cells

    def _sources(self, rows: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
        """The followings of some members, those that gave something first."""
        found: dict[str, list[dict[str, Any]]] = {}
        looked_at = self._found.public.tables["sources"].join(
            rows.select(follower_id="public_id"), on="follower_id", how="semi"
        )
        ordered = looked_at.sort("follower_id", pl.col("outcome") != "match", "followee_id")
        for row in ordered.iter_rows(named=True):
            found.setdefault(row["follower_id"], []).append(row)
        return found

    def _from(self, sources: Sequence[dict[str, Any]]) -> Iterator[Html]:
        for source in sources[:_MOST_SOURCES]:
            followee = source["followee_id"]
            name = self._names.get(followee, followee)
            anchor = self._anchors.get(followee)
            who = element("a", name, href=f"#{anchor}") if anchor else joined(name)
            tags = source["inherited_tags"] if source["outcome"] == "match" else source["following_tags"]
            on = f" on {', '.join(tags)}" if source["following_tags"] and tags else " on everything"
            why = _GAVE_NOTHING.get(source["outcome"])
            yield element("div", who, on, f": {why}" if why else None, class_="nothing" if why else None)
        if len(sources) > _MOST_SOURCES:
            yield element("div", f"and {len(sources) - _MOST_SOURCES:,} more", class_="nothing")


def _stars(stars: Decimal | None) -> Html:
    """Two places for the eye, all of them where somebody points at it."""
    if stars is None:
        return element("td")
    return element("td", f"{stars:.2f}", class_="number", title=f"{stars:f}" if stars != round(stars, 2) else None)


def _number(text: str) -> Html:
    return element("td", text, class_="number")


def _cut(title: str) -> str:
    return title if len(title) <= _LONGEST_TITLE else f"{title[: _LONGEST_TITLE - 1]}…"
