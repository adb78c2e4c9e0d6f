"""A folder of tables → SystemState.

The files are named after the tables (``docs/tables.md``): ``members.csv``, ``followings.parquet`` and so on; both
kinds may be mixed. The shortest folder that can be counted is one file, ``ballots.csv``, with one column a choice::

    member_id,tags,Swings,Pond
    Kelly,budget,4,2
    Jack,,5,
"""

from __future__ import annotations

import re
import warnings
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from crowdvote_analysis import tables
from crowdvote_analysis.columns import is_text
from crowdvote_analysis.confinement import require_allowed
from crowdvote_analysis.errors import DoubtWarning, InvalidTableError, TableWarning, UnreadableFileError
from crowdvote_analysis.faults import PLACE
from crowdvote_analysis.formulas import unguarded
from crowdvote_analysis.parquet import read_parquet
from crowdvote_analysis.readers.byte_columns import without_bytes
from crowdvote_analysis.readers.choice_columns import doubt_name, quoted, why_choices
from crowdvote_analysis.readers.dialect import said_in_errors
from crowdvote_analysis.readers.layout import Layout, make_layout
from crowdvote_analysis.readers.left_out import leave_out as leave_out_of
from crowdvote_analysis.readers.odd_names import PEOPLE, plain
from crowdvote_analysis.readers.odd_rows import doubt_rows
from crowdvote_analysis.readers.parquet_parts import is_parts, read_parts
from crowdvote_analysis.readers.ranks import note_ranks
from crowdvote_analysis.readers.scales import scale_hint
from crowdvote_analysis.readers.sections import join_sections, repeats_in_words
from crowdvote_analysis.readers.sheet import Sheet, read_sheet, refuse_repeats
from crowdvote_analysis.readers.star_cells import holds_stars, read_stars
from crowdvote_analysis.readers.wide_ballots import RULE, further_columns, gather_wide, lines_of
from crowdvote_analysis.state import SystemState

if TYPE_CHECKING:
    from collections.abc import Sequence

_SPREADSHEETS = (".xlsx", ".xls", ".ods", ".numbers", ".json")
_KINDS = (".parquet", ".csv")
_LONGEST_HEADER = 10_000  # bytes


def read_folder(
    folder: str | Path,
    *,
    quarantine: bool = False,
    separator: str | None = None,
    id_column: str | None = None,
    choices: Sequence[str] = (),
    leave_out: Sequence[str] = (),
) -> SystemState:
    """Read a folder of ``<table>.parquet`` or ``<table>.csv`` files.

    CSV files are UTF-8 text with a header, commas between the columns (or what is found there instead, with a note);
    lists are written ``a;b``, times in UTC, blank is absent. Tables that are not there are derived (see
    ``SystemState``). Other files and folders are left alone; one whose name is close to that of a table is named in a
    ``TableWarning``, because it may have been meant.

    **One column a choice.** Without a votes table, every column of ballots that the table does not know is a choice,
    and its cells are stars; blank is not rated. The choices keep the order of the columns, unless the folder has a
    table of choices. A line without any star is a ballot without stars (D5). Several decisions may share the file
    (column ``decision_id``); a decision then has the columns as choices in which one of its ballots has stars. An index
    that a program wrote is no choice; columns and rows that look like sums, counts or remarks are noted.

    Args:
        folder: The folder.
        quarantine: Set bad rows aside in ``SystemState.quarantined`` instead of raising.
        separator: What stands between the columns of CSV files; found out by default.
        id_column: The column of ballots that is the member_id under another header.
        choices: The columns of ballots that are choices, if not all are; in whatever spelling they stand there.
        leave_out: Headers of columns of ballots that are no choices, and ids of rows that are no voters or no choices.

    Returns:
        The state.

    Raises:
        ConfinedError: This process reads another place only.
        UnreadableFileError: The folder is missing or holds no table, or a file cannot be read.
        InvalidTableError: The rows cannot be counted.
    """
    require_allowed(folder)
    folder = Path(folder)
    layout = make_layout(separator, id_column, choices, leave_out)
    paths = _table_files(folder)
    how: dict[str, str] = {}
    frames = {table: _read(path, layout, how) for table, path in paths.items()}
    headers = {table: [name for name in frame.columns if name not in PLACE] for table, frame in frames.items()}
    with said_in_errors(how.get("ballots", how.get("votes", ""))):
        frames = _with_member_id(folder, frames, layout)
        frames = leave_out_of(folder, frames, layout.leave_out, further_columns(frames, layout))
        wide = bool(further_columns(frames, layout))
        frames, names = gather_wide(paths["ballots"], frames, layout) if wide else (frames, [])
    _doubt_rows(paths, frames)
    if {"ballots", "votes"} <= set(paths):
        _doubt_both_kinds(paths["ballots"], frames["ballots"])
    if "votes" in frames:
        place = str(paths["ballots" if wide else "votes"])
        frames["votes"] = _with_stars(frames["votes"], place, wide=wide)
    try:
        return SystemState(
            communities=frames.get("communities"),
            members=frames.get("members"),
            decisions=frames.get("decisions"),
            choices=frames.get("choices"),
            ballots=frames.get("ballots"),
            votes=frames.get("votes"),
            followings=frames.get("followings"),
            required_voters=frames.get("required_voters"),
            yes_no_votes=frames.get("yes_no_votes"),
            quarantine=quarantine,
            spellings=layout.choices,
        )
    except InvalidTableError as error:
        way_out = _way_out(error, frames, names)
        absent = [problem.table for problem in error.problems if problem.rule.endswith("|missing")]
        if absent and absent[0] in how:
            header = f"The header of {paths[absent[0]].name} has: {', '.join(headers[absent[0]])}."
            way_out = f"{way_out or error.way_out} {header} {how[absent[0]]}."
        raise InvalidTableError(error.problems, way_out) if way_out else error from None


def choices_are_columns(folder: Path) -> bool:
    """Whether nothing but the header of the ballots says what the choices of a folder are."""
    found = {entry.name.partition(".")[0] for entry in folder.iterdir()} if folder.is_dir() else set()
    return "ballots" in found and not found & {"votes", "choices"}


def _with_member_id(folder: Path, frames: dict[str, pl.DataFrame], layout: Layout) -> dict[str, pl.DataFrame]:
    """The tables with the column that says who voted under its name in ballots and votes."""
    if layout.id_column is None:
        return frames
    holding = [name for name in ("ballots", "votes") if name in frames and layout.id_column in frames[name].columns]
    if not holding:
        found = [name for table in ("ballots", "votes") if table in frames for name in frames[table].columns]
        raise UnreadableFileError(
            f"{folder}: neither ballots nor votes has a column {layout.id_column!r} (--id). Columns: "
            f"{', '.join(name for name in found if name != '__line__') or 'none'}."
        )
    taken = [name for name in holding if "member_id" in frames[name].columns and layout.id_column != "member_id"]
    if taken:
        raise UnreadableFileError(f"{folder}: {taken[0]} has a column member_id already. Leave --id out.")
    return frames | {name: frames[name].rename({layout.id_column: "member_id"}) for name in holding}


def _doubt_rows(paths: dict[str, Path], frames: dict[str, pl.DataFrame]) -> None:
    """Note loudly what looks like no voter and no choice, unless tables list the members and the choices."""
    for table in ("ballots", "votes"):
        frame = frames.get(table, pl.DataFrame())
        if table in paths and "member_id" in frame.columns and "members" not in frames:
            doubt_rows(str(paths[table]), frame["member_id"].cast(pl.String, strict=False), lines_of(frame))
    if "votes" in paths and "choice_id" in frames["votes"].columns and "choices" not in frames:
        for choice in frames["votes"]["choice_id"].cast(pl.String, strict=False).drop_nulls().unique().sort():
            doubt_name(str(paths["votes"]), "choice", choice)


def _doubt_both_kinds(path: Path, ballots: pl.DataFrame) -> None:
    """Note loudly stars in ballots that do not count, because there is a table of votes."""
    known = (*tables.columns("ballots"), *PLACE)
    full = [name for name in ballots.columns if name not in known and holds_stars(ballots[name])]
    if full:
        cells = sum(len(ballots[name].drop_nulls()) for name in full)
        stars = "1 cell holds stars" if cells == 1 else f"{cells:,} cells hold stars"
        warnings.warn(
            f"{path}: {stars} in the columns {', '.join(map(repr, full))}, and there is a table votes, whose stars "
            "count instead. If they are the choices, remove the table votes; else remove the columns.",
            DoubtWarning,
            stacklevel=3,
        )


def _with_stars(votes: pl.DataFrame, place: str, *, wide: bool) -> pl.DataFrame:
    """The votes with their stars in plain numbers, after a look at what they may be instead."""
    if "stars" in votes.columns and is_text(votes.schema["stars"]):
        votes = read_stars(votes, place, blanks=wide)
    if {"stars", "member_id"} <= set(votes.columns):
        note_ranks(votes, place)
    return votes


def _way_out(error: InvalidTableError, frames: dict[str, pl.DataFrame], choices: list[str]) -> str:
    """What to do where the layout of the sheets may be the cause; nothing where it is not."""
    problems = [problem.rule for problem in error.problems]
    if "member_id|missing" in problems and "ballots" in frames:
        named = [name for name in frames["ballots"].columns if plain(name) in PEOPLE]
        such = f", such as --id {quoted(named[0])}" if named else ""
        return f"Say which column of ballots says who voted, with --id{such}; or rename it to member_id."
    if "look_alikes" in problems or not any(problem.table in ("votes", "choices") for problem in error.problems):
        return ""
    hint = scale_hint(frames["votes"]["stars"]) if "votes" in frames and "stars" in frames["votes"].columns else ""
    if choices:
        why = why_choices(RULE, choices)
        return " ".join(
            part for part in ("Fix the cells, or set the ballots aside with --quarantine.", hint, why) if part
        )
    return f"Fix the rows, or set them aside with --quarantine. {hint}" if hint else ""


# --- files ---------------------------------------------------------------------------------------------------------


def _table_files(folder: Path) -> dict[str, Path]:
    """The file of each table; warns of files that may have been meant as one."""
    looked_for = f"Looked for {', '.join(tables.TABLES)}, each as .csv or .parquet."
    if folder.is_file():
        raise UnreadableFileError(
            f"{folder}: is a file, not a folder. {looked_for} The export of a poll is read by read_poll."
        )
    if not folder.is_dir():
        raise UnreadableFileError(f"{folder}: there is no such folder.")
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise UnreadableFileError(f"{folder}: cannot be read ({error.strerror}).") from None
    found: dict[str, Path] = {}
    hints: list[tuple[str, str]] = []
    for entry in entries:
        # Compared by name, so that `Followings.CSV` means the same on every system.
        table = entry.stem if entry.suffix in _KINDS and entry.stem in tables.TABLES else None
        if entry.name.lower() in tables.TABLES and is_parts(entry):
            table = entry.name.lower()
        if table is None:
            hints += _hint(entry)
        elif table in found:
            raise UnreadableFileError(
                f"{folder}: holds both {found[table].name} and {entry.name}. Remove one: a table is one file."
            )
        else:
            found[table] = entry
    hinted = {text.partition(" was not read")[0] for _, text in hints}
    others = [entry for entry in entries if entry not in found.values() and entry.name not in hinted]
    hints += [hint for entry in others for hint in _hint_of_header(entry) if hint[0] not in found]
    if not found:
        poll = "The export of a poll is tallied by itself: crowdvote tally FILE."
        raise UnreadableFileError(
            " ".join([f"{folder}: holds no table. {looked_for}", *(text for _, text in hints), poll])
        )
    for table, hint in hints:  # where there is no such table, all that stands in the file is missing
        warnings.warn(f"{folder}: {hint}", TableWarning if table in found else DoubtWarning, stacklevel=3)
    return found


def _hint(entry: Path) -> list[tuple[str, str]]:
    """The table that a file with a name close to its own may be, and a sentence about it; else nothing."""
    name = entry.name.lower()
    if name.startswith((".", "~")) or (entry.is_dir() and entry.suffix not in _KINDS):
        return []
    # Singulars are listed as well: `community` is as far from `communities` as `notes` from `votes`.
    known = {form: table for table in tables.TABLES for form in (table, table.removesuffix("s"))}
    stem = name.partition(".")[0]
    # Google Sheets names a download after the document and then the sheet: ``Park vote - followings``.
    sheet = stem.rpartition(" - ")[2].strip()
    for word in (sheet, stem, *re.split(r"[^a-z]+", sheet)[::-1], *re.split(r"[^a-z]+", stem)):
        for match in get_close_matches(word, known, n=1, cutoff=0.82):
            table = known[match]
            saved = " (open it and save it as CSV first)" if entry.suffix.lower() in _SPREADSHEETS else ""
            said = (
                f"{entry.name} was not read; if it is the table {table}, name it {table}.csv or {table}.parquet{saved}."
            )
            return [(table, said)]
    return []


def _hint_of_header(entry: Path) -> list[tuple[str, str]]:
    """The table that a file under another name may be, because its header is one of that table; else nothing."""
    if (
        entry.name.startswith((".", "~"))
        or not entry.is_file()
        or entry.suffix.lower() not in (*_KINDS, ".tsv", ".txt")
    ):
        return []
    try:
        if entry.suffix == ".parquet":
            with entry.open("rb") as file:
                header = set(pl.read_parquet_schema(file))
        else:
            with entry.open("rb") as file:
                line = file.readline(_LONGEST_HEADER).decode("utf-8", "replace")
            header = {cell.strip(' "\ufeff\r\n').lower() for cell in re.split(r"[,;\t|]", line)}
    except (OSError, pl.exceptions.PolarsError):
        return []
    for table in ("followings", "votes", "required_voters", "yes_no_votes", "choices", "members", "ballots"):
        known = set(tables.columns(table))
        needed = {name for name in tables.key(table) if name not in tables.HOME}
        # One column, such as member_id, may be of anything; then all others have to be known as well.
        if needed <= header and (len(needed) > 1 or (len(header) > 1 and header <= known)):
            said = (
                f"{entry.name} was not read, and its header is that of the table {table}; if it is that table, name it "
                f"{table}.csv or {table}.parquet."
            )
            return [(table, said)]
    return []


def _read(path: Path, layout: Layout, how: dict[str, str]) -> pl.DataFrame:
    """The table in a file; ``how`` gets in words how a text was taken apart, by the name of its table."""
    if path.is_dir() and (path.suffix != ".csv" or is_parts(path)):
        frame = without_bytes(path, read_parts(path), tables.columns(path.stem))
    elif not path.is_file():
        raise UnreadableFileError(f"{path}: is not a file.")
    elif path.suffix == ".csv":
        frame = unguarded(path, _read_csv(path, layout, how))
    else:
        frame = without_bytes(path, read_parquet(path), tables.columns(path.stem))
    if "row" in frame.columns and path.stem != "ballots":
        raise UnreadableFileError(
            f"{path}: the column name 'row' is taken (rows are numbered in it). Rename the column."
        )
    return frame


def _read_csv(path: Path, layout: Layout, how: dict[str, str]) -> pl.DataFrame:
    """A table of text, with the lines of the file in ``__line__``."""
    own = {layout.id_column.lower()} if layout.id_column else set()
    sheet = read_sheet(path, layout.separator, {*tables.columns(path.stem), *own})
    how[path.stem] = str(sheet.dialect)
    if path.stem == "ballots":
        sheet = join_sections(str(path), sheet, layout.choices)
    refuse_repeats(path, sheet.header, repeats_in_words(sheet, dict.fromkeys(sheet.header)))
    return _with_lists(path, sheet).with_columns(__line__=sheet.lines)


def _with_lists(path: Path, sheet: Sheet) -> pl.DataFrame:
    """The table, where commas part tags if the columns are parted otherwise: ``a,b`` as ``a;b``."""
    frame = sheet.table()
    if sheet.dialect.separator == "," or "tags" not in frame.columns:
        return frame
    several = frame["tags"].str.contains(",", literal=True) & ~frame["tags"].str.contains(";", literal=True)
    if several.any():
        warnings.warn(
            f"{path}: commas between tags were taken as such, in {int(several.sum()):,} lines, like semicolons.",
            TableWarning,
            stacklevel=3,
        )
    return frame.with_columns(tags=pl.when(several).then(pl.col("tags").str.replace_all(",", ";")).otherwise("tags"))
