"""What counts as it stands, and looks as if it were meant otherwise: the winner may hang on it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.text import folded

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from crowdvote_analysis.faults import Checked

# Between several ids in one cell, as forms and data bases with links write them.
_BETWEEN = r"\s*[,;|/+&]\s*|\s*\n\s*"
_TOPICS = frozenset(
    """
    tag topic topics on about subject subjects category categories area areas field fields theme themes issue issues
    scope domain domains label labels keyword keywords interest interests department thema themen bereich sujet sujets
    tema temas temi argomento assunto categoria categorie kategorie kategorien rubrik stichwort
    """.split()  # noqa: SIM905 - a list of words
)


class Doubt(str):
    """A note that is told as a ``DoubtWarning``."""

    __slots__ = ()


def doubts_about(checked: Mapping[str, Checked], good: Mapping[str, pl.DataFrame], anonymous: set[str]) -> list[Doubt]:
    """Say where followings are about more tags than they say, several people at once, or the names shown to people."""
    return [
        *_without_tags(checked["followings"]),
        *_several_in_one(good, anonymous),
        *_several_tags_in_one(good, anonymous),
        *_shown_names(good, anonymous),
    ]


def _without_tags(followings: Checked) -> list[Doubt]:
    if "tags" in followings.given.columns:
        return []
    found = [name for name in followings.unknown if _names_topics(name) and _filled(followings.given[name])]
    if not found:
        return []
    return [
        Doubt(
            f"followings: there is no column tags, so all {len(followings.good):,} follow on ALL (T3). The column "
            f"{found[0]} looks as if it held their tags: if so, rename it to tags, else give it another name."
        )
    ]


def _names_topics(name: str) -> bool:
    words = re.findall(r"[^\W\d_]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name))
    return any(word.casefold() in _TOPICS or word.casefold() == "tags" for word in words)


def _filled(cells: pl.Series) -> bool:
    given = cells.drop_nulls()
    return bool((given.str.strip_chars() != "").any()) if given.dtype == pl.String else len(given) > 0


def _several_in_one(good: Mapping[str, pl.DataFrame], anonymous: Collection[str]) -> list[Doubt]:
    """Ids such as ``Kelly,Bob`` where Kelly and Bob are members."""
    ids = pl.concat([good["followings"]["follower_id"], good["followings"]["followee_id"]])
    joined = ids.filter(ids.str.contains_any([",", ";", "|", "/", "+", "&"]))
    if joined.is_empty():
        return []
    members = set(good["members"]["member_id"])
    apart = {cell: [part for part in re.split(_BETWEEN, cell) if part] for cell in joined.unique()}
    several = sorted(cell for cell, parts in apart.items() if len(parts) > 1 and members.issuperset(parts))
    if not several:
        return []
    names = folded(pl.Series([several[0], *apart[several[0]]]))
    first = "not shown" if any(name in anonymous for name in names) else f"'{several[0]}'"
    cells = int(joined.is_in(several).sum())
    return [
        Doubt(
            f"followings: {cells:,} {'cell looks' if cells == 1 else 'cells look'} like several members in one (first: "
            f"{first}), and count as somebody else. Give each a row of its own (D8)."
        )
    ]


def _several_tags_in_one(good: Mapping[str, pl.DataFrame], anonymous: Collection[str]) -> list[Doubt]:
    """Tags such as ``environment|budget`` or ``#budget`` where others have environment and budget (T5)."""
    used = {name: good[name]["tags"].explode(empty_as_null=False).unique() for name in ("ballots", "followings")}
    known = set(pl.concat(list(used.values())).drop_nulls())
    told = []
    for table, tags in used.items():
        for tag in tags.filter(tags.str.contains(r"[|#/+&]")).sort():
            parts = [part.strip() for part in re.split(r"[|#/+&]+", tag) if part.strip()]
            if parts and known.issuperset(parts):
                rows = int(good[table]["tags"].list.contains(tag).sum())
                secret = any(name in anonymous for name in folded(pl.Series([tag, *parts])))
                shown = (
                    ""
                    if secret
                    else f" (first: '{tag}', and there {'are' if len(parts) > 1 else 'is'} {_listed(parts)})"
                )
                told.append(
                    Doubt(
                        f"{table}: {rows:,} {'row has' if rows == 1 else 'rows have'} a tag that looks like "
                        f"{'others in one' if len(parts) > 1 else 'another one'}{shown}, and counts as a tag of its "
                        "own. Tags stand with semicolons between them (T5)."
                    )
                )
                break
    return told


def _listed(names: Sequence[str]) -> str:
    return " and ".join(f"'{name}'" for name in names[:3])


def _shown_names(good: Mapping[str, pl.DataFrame], anonymous: Collection[str]) -> list[Doubt]:
    """Ids that are no member's, and are the name that a member is shown by."""
    members = good["members"].filter(pl.col("display_name") != pl.col("member_id"))
    members = members.select("community_id", "member_id", shown=folded(pl.col("display_name")))
    members = members.filter(pl.col("shown") != folded(pl.col("member_id")))
    if members.is_empty():
        return []
    told = []
    cast = good["ballots"].join(good["decisions"].select("decision_id", "community_id"), on="decision_id")
    for table, frame, column, effect in (
        ("followings", good["followings"], "follower_id", "without effect (M3)"),
        ("followings", good["followings"], "followee_id", "without effect (D6)"),
        ("ballots", cast, "member_id", "not counted (M3)"),
    ):
        strangers = frame.select("community_id", member_id=column).join(
            good["members"], on=["community_id", "member_id"], how="anti"
        )
        found = strangers.with_columns(shown=folded(pl.col("member_id"))).join(
            members.select("community_id", "shown").unique(), on=["community_id", "shown"], how="semi"
        )
        if found.is_empty():
            continue
        rows = "1 row has" if len(found) == 1 else f"{len(found):,} rows have"
        first = found.sort("member_id").row(0, named=True)
        one = members.filter(community_id=first["community_id"], shown=first["shown"]).sort("member_id")["member_id"]
        secret = first["shown"] in anonymous or not set(folded(one)).isdisjoint(anonymous)
        named = "not shown" if secret else f"'{first['member_id']}', who is '{one[0]}'"
        told.append(
            Doubt(
                f"{table}: {rows} the display_name of a member as {column} (first: {named}): {effect}. Write the "
                "member_id of that member instead."
            )
        )
    return told
