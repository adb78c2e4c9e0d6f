"""Arguments and options that several commands share, so that they read the same everywhere."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

import typer


class Cycles(StrEnum):
    """The rules for loops."""

    path = "path"
    equilibrium = "equilibrium"


class FileFormat(StrEnum):
    """The formats of exports."""

    parquet = "parquet"
    csv = "csv"


Folder: TypeAlias = Annotated[
    Path, typer.Argument(help="Folder with the tables, as Parquet or CSV files named after them.", show_default=False)
]
Decisions: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--decision", "-d", help="Count this decision only; may be repeated.", show_default=False),
]
CyclesOption: TypeAlias = Annotated[
    Cycles | None,
    typer.Option(
        "--cycles", help="Rule for loops, instead of the one of the community (rules Y1 and Y4).", show_default=False
    ),
]
WorkLimit: TypeAlias = Annotated[
    int, typer.Option("--work-limit", min=1, help="Steps the path rule may take for one tangle of loops (rule Y3).")
]
Protocol: TypeAlias = Annotated[str, typer.Option("--protocol", help="Tie protocol of the STAR tally (rule K3).")]
Quarantine: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--quarantine",
        help="Set bad rows aside, with their reasons, in a folder 'quarantine' beside the input, and count the rest. "
        "A ballot is set aside whole.",
    ),
]
Top: TypeAlias = Annotated[int, typer.Option("--top", min=0, help="How many of the most influential voters to show.")]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")]
