"""Options about sheets, the same for every command that reads a folder or a poll."""

from __future__ import annotations

import csv
import inspect
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import wraps
from typing import Annotated, Any, TypeAlias

import typer

Separator: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--separator",
        metavar="CHARACTER",
        help="What stands between the columns of CSV files: ',', ';', 'tab', '|'; found out by default.",
        show_default=False,
    ),
]
IdColumn: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--id", metavar="COLUMN", help="The column that says who voted, such as 'Email Address'.", show_default=False
    ),
]
Choices: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--choices",
        metavar="CHOICE,CHOICE",
        help="The choices as they are to be written, commas or semicolons between them; may be repeated. Of columns, "
        "only these are choices then.",
        show_default=False,
    ),
]
LeaveOut: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--leave-out",
        metavar="NAME",
        help="A column that is no choice, by its header, or a row that is no voter, by its id, such as 'Average'; may "
        "be repeated.",
        show_default=False,
    ),
]


@dataclass(frozen=True)
class Sheets:
    """What somebody said about their sheets: the arguments of ``read_folder`` and ``read_poll``."""

    separator: str | None = None
    id_column: str | None = None
    choices: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()

    def arguments(self) -> dict[str, Any]:
        """The keyword arguments for a reader."""
        return asdict(self)


def about_sheets(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options about sheets; it gets them as one argument, ``sheets``."""
    options = {"separator": Separator, "id_column": IdColumn, "choices": Choices, "leave_out": LeaveOut}

    @wraps(command)
    def run(**arguments: Any) -> None:
        separator, id_column, choices, leave_out = (arguments.pop(name) for name in options)
        names = tuple(name for text in choices or () for name in _names(text))
        command(**arguments, sheets=Sheets(separator, id_column, names, tuple(leave_out or ())))

    own = [each for each in inspect.signature(command, eval_str=True).parameters.values() if each.name != "sheets"]
    added = [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=option)
        for name, option in options.items()
    ]
    last = next((n for n, each in enumerate(own) if each.name == "as_json"), len(own))
    # Typer looks at both.
    run.__signature__ = inspect.Signature([*own[:last], *added, *own[last:]])  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in (*own, *added)}
    return run


NOTHING = Sheets()


def _names(text: str) -> list[str]:
    """The names in a list; one that holds a comma stands in double quotes."""
    names = next(csv.reader([text], delimiter=";" if ";" in text else ",", skipinitialspace=True), [])
    return [name.strip() for name in names if name.strip()]
