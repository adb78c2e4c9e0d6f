"""What the commands of ``crowdvote record`` share: their options, the store, and what they tell."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from crowdvote_analysis.cli.console import out, print_json
from crowdvote_analysis.cli.times import instant

if TYPE_CHECKING:
    from crowdvote_analysis.store import Commit, Store

Community: TypeAlias = Annotated[
    str | None,
    typer.Option("--community", "-c", help="The community; the only one by default.", show_default=False),
]
Member: TypeAlias = Annotated[str, typer.Option("--member", "-m", help="The member: the id.", show_default=False)]
Decision: TypeAlias = Annotated[str, typer.Option("--decision", "-d", help="The decision.", show_default=False)]
Tags: TypeAlias = Annotated[list[str] | None, typer.Option("--tag", help="A tag; may be repeated.", show_default=False)]
Stars: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--stars",
        metavar="CHOICE=STARS",
        help="0 to 5 stars for a choice, at most 8 places; may be repeated.",
        show_default=False,
    ),
]


def one_community(store: Store, community: str | None) -> str:
    """The community that is meant: the one that is named, else the only one."""
    if community is not None:
        return community
    there = store.cut().rows("communities")["community_id"].to_list()
    if len(there) != 1:
        found = f"There are several: {', '.join(there)}." if there else "There is none: crowdvote record community."
        raise typer.BadParameter(f"is needed. {found}", param_hint="--community")
    return str(there[0])


def read_stars(written: list[str] | None) -> dict[str, str]:
    """The stars of ``--stars``, by choice, as text (D10)."""
    stars: dict[str, str] = {}
    for text in written or ():
        choice, _, given = text.rpartition("=")
        if not choice.strip() or not given.strip():
            raise typer.BadParameter(f"{text!r} is not written CHOICE=STARS.", param_hint="--stars")
        if choice.strip() in stars:
            raise typer.BadParameter(f"the choice {choice.strip()!r} is rated twice.", param_hint="--stars")
        stars[choice.strip()] = given
    return stars


def read_choices(written: list[str] | None) -> dict[str, str | None]:
    """The choices of ``--choice``, titles by id."""
    choices: dict[str, str | None] = {}
    for text in written or ():
        choice, equals, title = text.partition("=")
        if not choice.strip() or choice.strip() in choices:
            raise typer.BadParameter(f"{text!r}: an id is needed that no other choice has.", param_hint="--choice")
        choices[choice.strip()] = title.strip() if equals else None
    return choices


def time(written: str | None, option: str) -> datetime | None:
    """The time of an option that may be absent."""
    return None if written is None else instant(written, option)


def on(tags: list[str] | None) -> str:
    """The tags of a following in words (T6)."""
    return ", ".join(tags) if tags else "[ALL]"


def tell(commit: Commit, sentence: str, as_json: bool) -> None:
    """Say what was recorded, and in which commit; nobody is named (P1)."""
    if as_json:
        at = commit.at.isoformat()
        print_json({"seq": commit.seq, "committed_at": at, "action": commit.action, "rows": dict(commit.rows)})
    else:
        out.print(f"{sentence} Commit {commit.seq}, {commit.at:%Y-%m-%d %H:%M:%S} UTC.", markup=False, soft_wrap=True)
