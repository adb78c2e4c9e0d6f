"""A folder's ballots with one column a choice → ballots, votes and choices."""

from __future__ import annotations

import re
import warnings
from difflib import get_close_matches
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis import tables
from crowdvote_analysis.errors import DoubtWarning, UnreadableFileError
from crowdvote_analysis.readers.choice_columns import choose_columns, quoted
from crowdvote_analysis.readers.grids import doubt_mixture
from crowdvote_analysis.readers.layout import chosen
from crowdvote_analysis.readers.odd_rows import doubt_headings, doubt_sums
from crowdvote_analysis.readers.sections import doubt_sections
from crowdvote_analysis.readers.star_columns import gather_votes, list_choices

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from crowdvote_analysis.readers.layout import Layout

RULE = f"Without a votes table, every column of ballots other than {', '.join(tables.columns('ballots'))}"
_KEY = ("decision_id", "member_id")
# What stands for a column of ballots, in letters alone; long ones are known with a slip of the pen.
_NEAR = {name.replace("_", ""): name for name in (*tables.columns("ballots"), "community_id")} | {
    "decision": "decision_id",
    "decisions": "decision_id",
    "community": "community_id",
    "communities": "community_id",
    "member": "member_id",
    "members": "member_id",
    "tag": "tags",
}
_LONG = [name for name in _NEAR if len(name) > len("decision")]


def further_columns(frames: Mapping[str, pl.DataFrame], layout: Layout) -> list[str]:
    """The columns of ballots that may be choices; none where there are votes, or where ballots lacks its key."""
    if "votes" in frames or "ballots" not in frames or "member_id" not in frames["ballots"].columns:
        return []
    known = [
        name for name in tables.columns("ballots") if name not in chosen(tables.columns("ballots"), layout.choices)
    ]
    return [name for name in frames["ballots"].columns if name not in (*known, *_KEY, "__line__")]


def _doubt_numbers_as_tags(path: Path, ballots: pl.DataFrame, choices: Mapping[str, str]) -> None:
    """A choice may be called tags; where that column holds stars, it was meant as one perhaps."""
    if "tags" not in ballots.columns or "tags" in choices or ballots.schema["tags"] != pl.String:
        return
    cells = ballots["tags"].drop_nulls()
    if len(cells) and cells.str.contains(r"^[0-5](\.[0-9]*)?$").all():
        warnings.warn(
            f"{path}: the column 'tags' holds numbers, and was taken as the tags of the ballots. If it is a choice, "
            f"name all choices: --choices {quoted(','.join(['tags', *choices.values()]))}.",
            DoubtWarning,
            stacklevel=3,
        )


def _refuse_near(path: Path, names: Sequence[str]) -> None:
    """Raise at a header such as decisionId: as a choice, or left aside, it would make one decision of several."""
    for name in names:
        letters = re.sub(r"[\W_]", "", name.lower())
        near = [letters] if letters in _NEAR else get_close_matches(letters, _LONG, 1, 0.85)
        if near:
            meant = _NEAR[near[0]]
            rename = f"Rename it to {meant} if it is meant so"
            if meant == "community_id":
                rename = (
                    "If it says which community votes, say that in a table decisions, and give ballots a decision_id"
                )
            raise UnreadableFileError(
                f"{path}: the column {name!r} looks like {meant}, and would be taken as a choice or left aside. "
                f"{rename}; if it is none, leave it out: --leave-out {quoted(name)}; if it is a choice, name all "
                "choices: --choices."
            )


def lines_of(frame: pl.DataFrame) -> pl.Series:
    """The lines of the file that the rows stand in; their numbers, where it has no lines."""
    return frame["__line__"] if "__line__" in frame.columns else pl.int_range(1, len(frame) + 1, eager=True)


def gather_wide(
    path: Path, frames: Mapping[str, pl.DataFrame], layout: Layout
) -> tuple[dict[str, pl.DataFrame], list[str]]:
    """The tables with votes and choices in place of the columns, and the names of the choices.

    Columns that were not chosen stay in ballots, where the table does not know them and keeps them aside.

    Raises:
        UnreadableFileError: A choice that was asked for has no column, or a header is nearly one of the table's.
        InvalidTableError: Columns cannot be stars.
    """
    ballots = frames["ballots"]
    further = further_columns(frames, layout)
    _refuse_near(path, [name for name in further if name not in chosen(further, layout.choices)])
    choices = choose_columns(str(path), ballots, {name: name for name in further}, layout, RULE) if further else {}
    if not choices:
        return dict(frames), []
    names = list(dict.fromkeys(choices.values()))
    if not layout.choices:
        doubt_mixture(str(path), names)
    _doubt_numbers_as_tags(path, ballots, choices)
    doubt_sums(str(path), ballots.select(pl.col(list(choices)).cast(pl.String)), lines_of(ballots))
    beside = ballots.drop("member_id", "__line__", *choices, strict=False)
    members = frames["members"]["member_id"] if "member_id" in frames.get("members", pl.DataFrame()).columns else None
    doubt_headings(str(path), ballots["member_id"], ballots.select(list(choices)), beside, lines_of(ballots), members)
    keys = {name: pl.col(name) for name in (*_KEY, "__line__") if name in ballots.columns}
    votes = gather_votes(ballots, keys, choices)
    decisions = ballots["decision_id"] if "decision_id" in ballots.columns else None
    if decisions is None or decisions.n_unique() == 1:
        doubt_sections(str(path), ballots, choices)
    listed = {"choices": list_choices(decisions, votes, names)}
    return listed | dict(frames) | {
        "ballots": ballots.drop(list(choices) if layout.choices else further),
        "votes": votes,
    }, names
