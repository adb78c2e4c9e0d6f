"""Arguments and options that several commands share, so that they read the same everywhere."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, TypeAlias

import typer


class Cycles(StrEnum):
    """The rules for loops."""

    auto = "auto"
    path = "path"
    equilibrium = "equilibrium"


class FileFormat(StrEnum):
    """The formats of exports."""

    parquet = "parquet"
    csv = "csv"


class Protocols(StrEnum):
    """The tie protocols of STAR."""

    starvote = "starvote"
    losses = "losses"
    bettervoting = "bettervoting"


Folder: TypeAlias = Annotated[
    str,
    typer.Argument(
        help="Folder with the tables, as Parquet or CSV files named after them; or a store (crowdvote import).",
        show_default=False,
    ),
]
StorePlace: TypeAlias = Annotated[
    str, typer.Argument(metavar="STORE", help="Folder or URL of the store.", show_default=False)
]
SnapshotName: TypeAlias = Annotated[
    str, typer.Argument(metavar="SNAPSHOT", help="Id of the snapshot, the first letters of it, or 'latest'.")
]
AsOf: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="TIME",
        help="The tables of a store as they stood then, such as '2026-06-15 12:00' (UTC); as they stand by default.",
        show_default=False,
    ),
]
StorageOptions: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--storage-option",
        metavar="KEY=VALUE",
        help="What the object storage of a store needs, such as aws_endpoint_url=http://host:9000; may be repeated. "
        "Values are never shown.",
        show_default=False,
    ),
]
Decisions: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--decision", "-d", help="Count this decision only; may be repeated.", show_default=False),
]
CyclesOption: TypeAlias = Annotated[
    Cycles | None,
    typer.Option(
        "--cycles",
        help="Rule for loops, instead of the one of the community (rules Y1, Y4, Y6).",
        show_default=False,
    ),
]
WorkLimit: TypeAlias = Annotated[
    int, typer.Option("--work-limit", min=1, help="Steps the rule path may take for all loops of a decision (rule Y3).")
]
Protocol: TypeAlias = Annotated[
    Protocols, typer.Option("--protocol", help="Tie protocol of the STAR tally (rules K3 to K6).")
]
TieOrders: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--tie-order",
        metavar="DECISION: CHOICE, CHOICE",
        help="How the community manager decided a tie: ids of the tied choices, best first (rule K7); may be repeated.",
        show_default=False,
    ),
]
Compare: TypeAlias = Annotated[
    bool, typer.Option("--compare", help="Also show what the other tie protocols make of the same ballots.")
]
CompareRules: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--compare",
        help="Also show what the other tie protocols make of the same ballots, and what other rules for loops give.",
    ),
]
Quarantine: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--quarantine",
        help="Set bad rows aside, with their reasons, in a folder 'quarantine' beside the input, and count the rest. "
        "A ballot is set aside whole.",
    ),
]
CsvSafe: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--csv-safe",
        help="In CSV files, put an apostrophe before texts that a spreadsheet would run as formulas; reading takes "
        "it off.",
    ),
]
Top: TypeAlias = Annotated[int, typer.Option("--top", min=0, help="How many of the most influential voters to show.")]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")]


@dataclass(frozen=True)
class Asked:
    """What the summary of a count shall say.

    Attributes:
        protocol: Name of the tie protocol (K3).
        tie_orders: Orders of the community manager, by decision (K7).
        top: How many of the most influential voters to show.
        compare: Whether to compare the tie protocols.
        loop_rules: Whether to compare the rules for loops.
    """

    protocol: str = "starvote"
    tie_orders: Mapping[str, Sequence[str]] = field(default_factory=dict)
    top: int = 5
    compare: bool = False
    loop_rules: bool = False


def read_storage_options(written: list[str] | None) -> dict[str, str]:
    """The values of ``--storage-option``, by key."""
    options = {}
    for number, text in enumerate(written or (), start=1):
        key, equals, value = text.partition("=")
        if not equals or not key.strip():  # not shown, as it may be a secret
            raise typer.BadParameter(f"number {number} is not written KEY=VALUE.", param_hint="--storage-option")
        options[key.strip()] = value
    return options


def read_tie_orders(written: list[str] | None) -> dict[str, list[str]]:
    """The orders of ``--tie-order``, by decision."""
    orders: dict[str, list[str]] = {}
    for text in written or ():
        found = _ORDER.fullmatch(text)
        ids = next(csv.reader([found["choices"]], skipinitialspace=True)) if found else []
        ids = [choice.strip() for choice in ids if choice.strip()]
        if found is None or not ids:
            raise typer.BadParameter(
                f"{text!r} is not an order of choices. Write the decision, a colon and the ids, best first: "
                "'bench: green, blue'; ids with colons or commas in double quotes.",
                param_hint="--tie-order",
            )
        decision = found["quoted"] or found["plain"].strip()
        if decision in orders:
            raise typer.BadParameter(f"there are two orders for the decision {decision!r}.", param_hint="--tie-order")
        orders[decision] = ids
    return orders


_ORDER = re.compile(r'\s*(?:"(?P<quoted>[^"]+)"|(?P<plain>[^":]+?))\s*:(?P<choices>.*)')
