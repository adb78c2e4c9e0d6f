"""Frames → files for other programs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import polars as pl

from crowdvote_analysis.errors import UnreadableFileError, reason
from crowdvote_analysis.formulas import guarded
from crowdvote_analysis.parquet import write_parquet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Format: TypeAlias = Literal["parquet", "csv"]

# ISO 8601, in UTC.
CSV_TIME = "%Y-%m-%dT%H:%M:%S%.fZ"


def export_tables(
    frames: Mapping[str, pl.DataFrame],
    folder: str | Path,
    format: Format,  # noqa: A002 - the word people know from the command line
    progress: Callable[[int, int], None] | None = None,
    *,
    csv_safe: bool = False,
    instead: bool = False,
) -> list[Path]:
    """Write each frame to ``folder/<name>.<format>``; a file is there whole or not at all.

    Args:
        frames: Frames by name.
        folder: Made if it is not there; files of the same names are replaced.
        format: ``"parquet"`` (types kept) or ``"csv"`` (lists as ``a;b``, stars with 8 places, times as ISO 8601 UTC).
        progress: Called with (files written, files in all).
        csv_safe: Guard texts that a spreadsheet would run as formulas; see ``formulas``. Reading takes the guard off.
        instead: Also remove the files of these names in the other format, once the new ones are there; nothing else is
            touched. Two files of a name are two tables, and a reader would not know which to take.

    Returns:
        The paths written.

    Raises:
        UnreadableFileError: The folder cannot be written to.
    """
    folder = Path(folder)
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for done, (name, frame) in enumerate(frames.items(), start=1):
            path = folder / f"{name}.{format}"
            unfinished = path.with_name(f".{path.name}.{os.getpid()}")
            if format == "csv":
                frame = guarded(flat(frame)) if csv_safe else flat(frame)
                frame.write_csv(unfinished, datetime_format=CSV_TIME)
            else:
                write_parquet(frame, unfinished)
            unfinished.replace(path)
            written.append(path)
            if progress is not None:
                progress(done, len(frames))
        for path in written if instead else ():
            in_other_format(path).unlink(missing_ok=True)
    except OSError as error:
        raise UnreadableFileError(f"{folder}: cannot be written ({reason(error)}).") from error
    return written


def in_other_format(path: Path) -> Path:
    """Where the same table would lie in the other format."""
    return path.with_suffix(".parquet" if path.suffix == ".csv" else ".csv")


def flat(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with lists of text as ``a;b``, as CSV files hold them."""
    return frame.with_columns(pl.col(pl.List(pl.String)).list.join(";"))
