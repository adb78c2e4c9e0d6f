"""``crowdvote users``: who may sign in to served pages."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from crowdvote_analysis.cli.console import out, print_json
from crowdvote_analysis.cli.options import AsJson

app = typer.Typer(
    no_args_is_help=True,
    help="Who may sign in to the pages of [bold]crowdvote serve[/]: names, roles and hashed passwords in a file of its "
    "own, outside of the store.\n\nPasswords and ids of members are asked for, or read as one line of standard input; "
    "they are never part of a command.",
)


class RoleName(StrEnum):
    """The roles of users."""

    viewer = "viewer"
    manager = "manager"


UsersFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--users",
        envvar="CROWDVOTE_USERS",
        help="The users file; by default one in the folder for the settings of programs.",
        show_default=False,
    ),
]
Name: TypeAlias = Annotated[str, typer.Argument(help="Name to sign in with.", show_default=False)]
Community: TypeAlias = Annotated[str, typer.Option("--community", help="Id of the community.", show_default=False)]


@app.command()
def add(
    name: Name,
    role: Annotated[RoleName, typer.Option("--role", help="What they may do.")] = RoleName.viewer,
    users: UsersFile = None,
) -> None:
    """Add somebody: a viewer looks at pages, a manager may also have decisions counted again.

    Example:
      crowdvote users add maya --role manager
    """
    from crowdvote_analysis.serving.users import add_user

    path = users_file(users)
    add_user(path, name, role.value, _ask_password())
    out.print(f"{name} may sign in as {role.value} ({path}).", markup=False, soft_wrap=True)


@app.command()
def remove(name: Name, users: UsersFile = None) -> None:
    """Remove somebody; where they are signed in, they are out at once."""
    from crowdvote_analysis.serving.users import remove_user

    remove_user(users_file(users), name)
    out.print(f"{name} may not sign in any more.", markup=False, soft_wrap=True)


@app.command(name="list")
def list_(users: UsersFile = None, as_json: AsJson = False) -> None:
    """List who may sign in, in which role, and in which communities they are members; not as whom."""
    from crowdvote_analysis.serving.users import read_users

    known = read_users(users_file(users)).values()
    if as_json:
        print_json([{"name": each.name, "role": each.role, "communities": list(dict(each.ties))} for each in known])
        return
    for user in known:
        tied = f"  member in {', '.join(dict(user.ties))}" if user.ties else ""
        out.print(f"{user.name:<24} {user.role}{tied}", markup=False, soft_wrap=True)
    if not known:
        out.print("Nobody may sign in. Add somebody: crowdvote users add NAME")


@app.command()
def passwd(name: Name, users: UsersFile = None) -> None:
    """Give somebody another password; where they are signed in, they are out at once."""
    from crowdvote_analysis.serving.users import set_password

    set_password(users_file(users), name, _ask_password())
    out.print(f"{name} has another password.", markup=False, soft_wrap=True)


@app.command()
def tie(name: Name, community: Community, users: UsersFile = None) -> None:
    """Say which member of a community somebody is: its id is asked for, or read as one line of standard input.

    Then they may do what that member may: a manager has decisions of the community counted again only if the member is
    a manager there. Where they are signed in, they are out at once.

    Example:
      crowdvote users tie maya --community riverside
    """
    from crowdvote_analysis.serving.users import tie_user

    tie_user(users_file(users), name, community, _ask("Id of the member"))
    out.print(f"{name} is tied to a member of {community}.", markup=False, soft_wrap=True)


@app.command()
def untie(name: Name, community: Community, users: UsersFile = None) -> None:
    """Say that somebody is no member of a community; where they are signed in, they are out at once."""
    from crowdvote_analysis.serving.users import untie_user

    untie_user(users_file(users), name, community)
    out.print(f"{name} is tied to no member of {community}.", markup=False, soft_wrap=True)


def users_file(given: Path | None) -> Path:
    """The users file that is meant."""
    return given if given is not None else Path(typer.get_app_dir("crowdvote")) / "users.json"


def _ask_password() -> str:
    return _ask("Password", confirmation_prompt=True)


def _ask(what: str, *, confirmation_prompt: bool = False) -> str:
    """Ask at a terminal, without showing what is typed; else read one line."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt(what, hide_input=True, confirmation_prompt=confirmation_prompt))
