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

import polars as pl

from crowdvote_analysis import tables
from crowdvote_analysis.confinement import require_allowed
from crowdvote_analysis.errors import InvalidTableError, Problem, TableWarning, UnreadableFileError
from crowdvote_analysis.formulas import unguarded
from crowdvote_analysis.parquet import read_parquet
from crowdvote_analysis.readers.parquet_parts import is_parts, read_parts
from crowdvote_analysis.readers.sheet import read_table
from crowdvote_analysis.readers.star_columns import gather_votes, list_choices
from crowdvote_analysis.state import SystemState

_KINDS = (".parquet", ".csv")
_NUMBER = r"^\s*[+-]?(\d+\.?\d*|\.\d+)\s*$"


def read_folder(folder: str | Path, *, quarantine: bool = False) -> SystemState:
    """Read a folder of ``<table>.parquet`` or ``<table>.csv`` files.

    CSV files are comma-separated UTF-8 text with a header; lists are written ``a;b``, times in UTC, blank is absent.
    Tables that are not there are derived (see ``SystemState``). Other files and folders are left alone; one whose name
    is close to that of a table is named in a ``TableWarning``, because it may have been meant.

    **One column a choice.** Without a votes table, every column of ballots that the table does not know is a choice,
    and its cells are stars; blank is not rated. The choices keep the order of the columns, unless the folder has a
    table of choices. A line without any star is a ballot without stars (D5). Several decisions may share the file
    (column ``decision_id``); a decision then has the columns as choices in which one of its ballots has stars.

    Args:
        folder: The folder.
        quarantine: Set bad rows aside in ``SystemState.quarantined`` instead of raising.

    Returns:
        The state.

    Raises:
        ConfinedError: This process reads another place only.
        UnreadableFileError: The folder is missing or holds no table, or a file cannot be read.
        InvalidTableError: The rows cannot be counted.
    """
    require_allowed(folder)
    folder = Path(folder)
    frames = {table: _read(path) for table, path in _table_files(folder).items()}
    choices = _choice_columns(frames)
    if choices:
        frames = _with_votes(frames, choices)
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
        )
    except InvalidTableError as error:
        if not choices or not any(problem.table in ("votes", "choices") for problem in error.problems):
            raise
        way_out = f"Fix the cells, or set the ballots aside with quarantine. {_why_choices(choices)}"
        raise InvalidTableError(error.problems, way_out) from None


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
    hints = []
    for entry in entries:
        # Compared by name, so that `Followings.CSV` means the same on every system.
        table = entry.stem if entry.suffix in _KINDS and entry.stem in tables.TABLES else None
        if entry.name in tables.TABLES and is_parts(entry):
            table = entry.name
        if table is None:
            hints += _hint(entry)
        elif table in found:
            raise UnreadableFileError(
                f"{folder}: holds both {found[table].name} and {entry.name}. Remove one: a table is one file."
            )
        else:
            found[table] = entry
    if not found:
        raise UnreadableFileError(" ".join([f"{folder}: holds no table. {looked_for}", *hints]))
    for hint in hints:
        warnings.warn(f"{folder}: {hint}", TableWarning, stacklevel=3)
    return found


def _hint(entry: Path) -> list[str]:
    """A sentence about a file whose name is close to that of a table, else nothing."""
    name = entry.name.lower()
    if name.startswith((".", "~")) or (entry.is_dir() and entry.suffix not in _KINDS):
        return []
    # Singulars are listed as well: `community` is as far from `communities` as `notes` from `votes`.
    known = {form: table for table in tables.TABLES for form in (table, table.removesuffix("s"))}
    stem = name.partition(".")[0]
    for word in (stem, *re.split(r"[^a-z]+", stem)):
        for match in get_close_matches(word, known, n=1, cutoff=0.82):
            table = known[match]
            return [f"{entry.name} was not read; if it is the table {table}, name it {table}.csv or {table}.parquet."]
    return []


def _read(path: Path) -> pl.DataFrame:
    if path.is_dir() and path.suffix != ".csv":
        frame = read_parts(path)
    elif not path.is_file():
        raise UnreadableFileError(f"{path}: is not a file.")
    else:
        frame = unguarded(path, read_table(path)) if path.suffix == ".csv" else read_parquet(path)
    if "row" in frame.columns and path.stem != "ballots":
        raise UnreadableFileError(
            f"{path}: the column name 'row' is taken (rows are numbered in it). Rename the column."
        )
    return frame


# --- one column a choice -------------------------------------------------------------------------------------------


def _choice_columns(frames: dict[str, pl.DataFrame]) -> list[str]:
    """The columns of ballots that are choices; none where there are votes, or where ballots lacks its key."""
    if "votes" in frames or "ballots" not in frames or "member_id" not in frames["ballots"].columns:
        return []
    return [name for name in frames["ballots"].columns if name not in tables.columns("ballots")]


def _with_votes(frames: dict[str, pl.DataFrame], choices: list[str]) -> dict[str, pl.DataFrame]:
    ballots = frames["ballots"]
    _refuse_what_cannot_be_stars(ballots, choices)
    known = [name for name in ballots.columns if name not in choices]
    keys: dict[str, pl.Expr] = {name: pl.col(name) for name in ("decision_id", "member_id") if name in known}
    votes = gather_votes(ballots, keys, {name: name for name in choices})
    decisions = ballots["decision_id"] if "decision_id" in known else None
    return (
        {"choices": list_choices(decisions, votes, choices)}
        | frames
        | {"ballots": ballots.select(known), "votes": votes}
    )


def _refuse_what_cannot_be_stars(ballots: pl.DataFrame, choices: list[str]) -> None:
    floats = [name for name in choices if ballots.schema[name].is_float()]
    if floats:
        sentence = f"stars are exact (D10), and these columns are binary floats: {', '.join(floats)}"
        raise InvalidTableError(
            [Problem("ballots", "stars|type", sentence, 0, ())],
            f"Write them as text, integers or Decimal(9, 8). {_why_choices(choices)}",
        )
    wrong = [name for name in choices if not _may_be_stars(ballots[name])]
    if wrong:
        # The cells are not shown: they may hold the name of somebody who is anonymous (P1).
        sentence = (
            f"no cell is a number of stars in {'the column' if len(wrong) == 1 else 'the columns'} {', '.join(wrong)}"
        )
        near = [f"'{name}' may be meant as '{meant}'." for name in wrong for meant in _near_column(name)]
        raise InvalidTableError(
            [Problem("ballots", "stars|type", sentence, 0, ())],
            " ".join(
                [
                    _why_choices(choices),
                    *near,
                    "Rename or remove the columns that are not choices, or give a votes table.",
                ]
            ),
        )


def _may_be_stars(column: pl.Series) -> bool:
    """Whether some cell is a number, or all are blank."""
    if column.dtype.is_nested():
        return False
    cells = column.cast(pl.String, strict=False).drop_nulls().str.strip_chars()
    cells = cells.filter(cells != "")
    return cells.is_empty() or bool(cells.str.contains(_NUMBER).any())


def _near_column(name: str) -> list[str]:
    return get_close_matches(name.lower().replace(" ", "_"), tables.columns("ballots"), n=1, cutoff=0.75)


def _why_choices(choices: list[str]) -> str:
    known = ", ".join(tables.columns("ballots"))
    return (
        f"Without a votes table, every column of ballots other than {known} is taken as a choice, its cells as stars; "
        f"here: {', '.join(choices)}."
    )
