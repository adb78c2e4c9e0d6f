"""Look-alikes: ids of one kind in which a person would see the same (T7).

``Pond`` and ``pond`` are two choices to a program. Nobody can know whether they are two to people, and counting them
apart can make another winner: where only the ballots say what the choices are, somebody has to be asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis.errors import InvalidTableError, Problem
from crowdvote_analysis.faults import Fault
from crowdvote_analysis.text import in_plain_form, likenesses, plain, unmistakable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from crowdvote_analysis.faults import Checked

# So many groups an error names.
_NAMED = 3


def spelt(
    frames: Mapping[str, pl.DataFrame], spellings: Sequence[str]
) -> tuple[dict[str, pl.DataFrame], list[tuple[str, Fault]]]:
    """Read choices as they are to be written.

    Args:
        frames: The tables.
        spellings: Ids of choices. A choice that is none of them and looks like one of them alone becomes that one;
            whatever else there is stays.

    Returns:
        The tables, and what was read otherwise, with the table.
    """
    exact = [plain(name) for name in dict.fromkeys(spellings) if name.strip()]
    wanted: dict[str, list[str]] = {}
    for name in exact:
        wanted.setdefault(look(name), []).append(name)
    new, odd = dict(frames), []
    for table in ("choices", "votes"):
        if table not in frames or "choice_id" not in frames[table].columns:
            continue
        ids = in_plain_form(frames[table]["choice_id"].cast(pl.String))
        distinct = [name for name in ids.unique().drop_nulls().sort() if name not in exact]
        meant = {name: found[0] for name in distinct if len(found := wanted.get(look(name), [])) == 1}
        rows = pl.Series(range(1, len(ids) + 1), dtype=pl.UInt32)
        new[table] = frames[table].with_columns(choice_id=ids.replace(meant))
        for spelling in dict.fromkeys(meant.values()):
            others = [name for name in meant if meant[name] == spelling]
            sentence = f"choice_id is read as {unmistakable(spelling)}"
            mine = rows.filter(ids.is_in(others))
            odd.append((table, Fault("choice_id|spelling", sentence, mine, ("choice_id",))))
    return new, odd


def note_on_spellings(spellings: Sequence[str], choices: pl.Series) -> list[str]:
    """Say which spellings are those of no choice: one that is misspelt itself would change nothing, without a word."""
    there = set(choices)
    lost = [name for name in dict.fromkeys(spellings) if name.strip() and plain(name) not in there]
    return [f"choices: {', '.join(map(unmistakable, lost))}: asked for, and no choice looks so."] if lost else []


def refuse_alike_choices(checked: Mapping[str, Checked], spellings: Sequence[str]) -> None:
    """Stop at choices that look alike, where no table of choices says that they are several.

    Args:
        checked: The tables; choices as the votes or the columns of the ballots name them.
        spellings: Choices that somebody has listed, who meant them to be apart.

    Raises:
        InvalidTableError: Choices of a decision look alike. Nothing can be set aside here: which votes are meant for
            which choice is the question.
    """
    choices = checked["choices"].converted.select("decision_id", "choice_id").unique()
    alike = _alike(choices, ["decision_id"], "choice_id", loose=True).filter(
        ~pl.col("choice_id").is_in([plain(name) for name in spellings]).all().over("decision_id", "likeness")
    )
    if alike.is_empty():
        return
    votes = checked["votes"].converted.group_by("decision_id", "choice_id").len("votes")
    groups = (
        alike.join(votes, on=["decision_id", "choice_id"], how="left")
        .with_columns(pl.col("votes").fill_null(0))
        .sort("decision_id", "likeness", "choice_id")
        .group_by("decision_id", "likeness", maintain_order=True)
        .agg("choice_id", "votes")
    )
    best: dict[str, str] = {}
    problems = []
    for group in groups.to_dicts():
        best |= dict.fromkeys(group["choice_id"], _best(group["choice_id"], group["votes"]))
    for group in groups.head(_NAMED).to_dicts():
        named = sorted(zip(group["votes"], group["choice_id"], strict=True), key=lambda each: (-each[0], each[1]))
        said = ", ".join(f"{unmistakable(name)} ({'1 vote' if n == 1 else f'{n:,} votes'})" for n, name in named)
        sentence = f"{said} look like one choice of decision {unmistakable(group['decision_id'])} (T7)"
        problems.append(Problem("choices", "look_alikes", sentence, 0, ()))
    every = sorted({best.get(name, name) for name in choices["choice_id"]})
    raise InvalidTableError(problems, _way_out(every))


def groups_of_alike(frame: pl.DataFrame, within: Sequence[str], column: str, *, loose: bool = False) -> pl.DataFrame:
    """Groups of look-alikes in a table that lists them apart.

    Args:
        frame: The rows of the table, each id once.
        within: Columns that are the same for the rows of a group.
        column: The ids.
        loose: Whether zeros in front make no difference either.

    Returns:
        One row a group, its ids in the column ``alike`` (list[str]).
    """
    found = _alike(frame.select(*within, column), within, column, loose=loose)
    return found.sort(*within, column).group_by(*within, "likeness", maintain_order=True).agg(alike=pl.col(column))


def meant(strangers: pl.Series, known: pl.Series) -> dict[str, str]:
    """Which known id each unknown one looks like, zeros in front aside; none where that could be several."""
    if strangers.is_empty() or known.is_empty():
        return {}
    there, unknown = known.unique(), strangers.unique()
    by_look = pl.DataFrame({"known": there, "look": _loose(there)})
    by_look = by_look.filter(~pl.col("look").is_duplicated())
    pairs = pl.DataFrame({"unknown": unknown, "look": _loose(unknown)}).join(by_look, on="look")
    return dict(pairs.select("unknown", "known").sort("unknown").iter_rows())


def as_option(names: Iterable[str]) -> str:
    """All choices as ``--choices`` takes them; where some are left out, columns of theirs are no choices."""
    listed = sorted(set(names))
    return f'"{("; " if any("," in name for name in listed) else ",").join(listed)}"'


def _alike(frame: pl.DataFrame, within: Sequence[str], column: str, *, loose: bool = False) -> pl.DataFrame:
    if len(frame) < 2:
        return frame.clear().with_columns(likeness=pl.lit(""))
    looks = _loose(frame[column]) if loose else likenesses(frame[column])
    marked = frame.with_columns(likeness=looks)
    return marked.filter(pl.struct(*within, "likeness").is_duplicated() & pl.col(column).is_not_null())


def look(text: str) -> str:
    """The likeness of a text, without what a spreadsheet takes from numbers or adds to them: 007 and 7, 1.0 and 1."""
    return str(_loose(pl.Series([text], dtype=pl.String)).item())


def _loose(texts: pl.Series) -> pl.Series:
    """Likenesses, without what a spreadsheet takes from numbers or adds: 007 and 7, 1.0 and 1, 1,001 and 1001."""
    looks = likenesses(texts).to_frame("look")
    grouped = pl.col("look").str.contains(r"^\d{1,3}([,.' ]\d{3})+$")
    plain_digits = pl.when(grouped).then(pl.col("look").str.replace_all(r"[,.' ]", "")).otherwise("look")
    return (
        looks.select(plain_digits.alias("look"))
        .to_series()
        .str.replace(r"^0+(\d+)$", "$1")
        .str.replace(r"^(\d+)\.0+$", "$1")
    )


def _best(names: Sequence[str], votes: Sequence[int]) -> str:
    """The spelling to propose: what most wrote, and of those rather the one that does not shout."""
    ranked = zip(names, votes, strict=True)
    return min(ranked, key=lambda each: (-each[1], each[0].isupper(), each[0].islower(), each[0]))[0]


def _way_out(names: Sequence[str]) -> str:
    return (
        f"If they are one, write them as one, or have them read so: --choices {as_option(names)} "
        f"(in Python spellings={list(names)!r}). If they are several, list them in a table choices."
    )
