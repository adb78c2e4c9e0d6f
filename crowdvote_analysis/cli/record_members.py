"""``crowdvote record`` community, join, leave, role, follow, unfollow, tags."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from crowdvote_analysis.cli.options import AsJson, Cycles, StorageOptions, StorePlace
from crowdvote_analysis.cli.reading import open_store
from crowdvote_analysis.cli.recorded import Community, Member, Tags, on, one_community, tell

Name: TypeAlias = Annotated[str | None, typer.Option("--name", help="Name shown to people.", show_default=False)]
Followee: TypeAlias = Annotated[
    str, typer.Option("--followee", "-f", help="Who is followed: the id.", show_default=False)
]


def community(
    store: StorePlace,
    community: Annotated[str, typer.Option("--community", "-c", help="Its id.", show_default=False)],
    title: Annotated[str | None, typer.Option("--title", help="Name shown to people.", show_default=False)] = None,
    cycles: Annotated[Cycles, typer.Option("--cycles", help="Its rule for loops (Y1, Y4, Y6).")] = Cycles.auto,
    storage: StorageOptions = None,
    as_json: AsJson = False,
) -> None:
    """Create a community.

    Example:
      crowdvote record community mystore -c garden --title "The garden club"
    """
    from crowdvote_analysis.store import recording

    commit = recording.create_community(open_store(store, storage), community, title, cycles.value)
    tell(commit, f"The community {community} is created.", as_json)


def cycle_rule(
    store: StorePlace,
    rule: Annotated[Cycles, typer.Argument(help="The rule for loops: auto (Y6), path (Y1) or equilibrium (Y4).")],
    community: Community = None,
    published: Annotated[
        bool, typer.Option("--published", help="For decisions that are out already, too, from the next count on.")
    ] = False,
    storage: StorageOptions = None,
    as_json: AsJson = False,
) -> None:
    """Change how a community counts loops.

    A decision is counted by the rule there was when it was published. Snapshots, and decisions that are over, stay what
    they are; one of those can be counted by another rule with [bold]snapshot take --cycles[/].

    Examples:
      crowdvote record cycle-rule mystore auto

      crowdvote record cycle-rule mystore auto -c garden --published
    """
    from crowdvote_analysis.store import recording

    opened = open_store(store, storage)
    where = one_community(opened, community)
    commit = recording.change_cycle_rule(opened, where, rule.value, published=published)
    tell(commit, f"The community {where} counts loops by the rule {rule.value}.", as_json)


def join(
    store: StorePlace,
    member: Member,
    community: Community = None,
    name: Name = None,
    voter: Annotated[bool, typer.Option("--voter/--lobbyist", help="A lobbyist is never tallied (M1).")] = True,
    manager: Annotated[bool, typer.Option("--manager", help="May settle ties and trigger recounts.")] = False,
    anonymous: Annotated[bool, typer.Option("--anonymous", help="Shown under a pseudonym only (P1).")] = False,
    storage: StorageOptions = None,
    as_json: AsJson = False,
) -> None:
    """Let a member join a community.

    Examples:
      crowdvote record join mystore -m maya --name "Maya Lind"

      crowdvote record join mystore -c garden -m jack --anonymous
    """
    from crowdvote_analysis.store import recording

    opened = open_store(store, storage)
    where = one_community(opened, community)
    commit = recording.join(
        opened, where, member, display_name=name, is_voter=voter, is_manager=manager, is_anonymous=anonymous
    )
    tell(commit, f"A {'voter' if voter else 'lobbyist'} has joined the community {where}.", as_json)


def leave(
    store: StorePlace,
    member: Member,
    community: Community = None,
    storage: StorageOptions = None,
    as_json: AsJson = False,
) -> None:
    """Let a member leave; their ballots are kept and not counted (M3).

    Example:
      crowdvote record leave mystore -m jack
    """
    from crowdvote_analysis.store import recording

    opened = open_store(store, storage)
    where = one_community(opened, community)
    tell(recording.leave(opened, where, member), f"A member has left the community {where}.", as_json)


def forget(
    store: StorePlace,
    member: Member,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    storage: StorageOptions = None,
    as_json: AsJson = False,
) -> None:
    """Forget somebody who asks for it: their id and names are erased, for ever.

    They leave every community; their ballots and followings stay as those of a [bold]Forgotten member[/], so that every
    count and every hash of a snapshot holds. Exports, reports, backups and accounts of [bold]crowdvote serve[/] are not
    touched.

    Example:
      crowdvote record forget mystore -m jack
    """
    from crowdvote_analysis.snapshots import named_for_ever
    from crowdvote_analysis.store import recording

    opened = open_store(store, storage)
    if not yes:
        typer.confirm("The names are erased for ever. Go on?", abort=True)
    forgotten = recording.forget_member(opened, member)
    texts = "1 text" if forgotten.texts == 1 else f"{forgotten.texts} texts"
    told = f"Somebody is {forgotten.member_id} from now on; {texts} erased."
    older = named_for_ever(opened)
    if older:
        told += f" Snapshots from before format 2 may name them still ({older}): their hashes are of names."
    tell(forgotten.commit, told, as_json)


def role(
    store: StorePlace,
    member: Member,
    community: Community = None,
    name: Name = None,
    voter: Annotated[bool | None, typer.Option("--voter/--lobbyist", help="Tallied or not (M1).")] = None,
    manager: Annotated[bool | None, typer.Option("--manager/--no-manager", help="Settles ties, or not.")] = None,
    anonymous: Annotated[
        bool | None, typer.Option("--anonymous/--named", help="Under a pseudonym only (P1), or not.")
    ] = None,
    storage: StorageOptions = None,
    as_json: AsJson = False,
) -> None:
    """Change the role or the name of a member; what is not given stays.

    Examples:
      crowdvote record role mystore -m maya --manager

      crowdvote record role mystore -m jack --lobbyist --named
    """
    from crowdvote_analysis.store import recording

    opened = open_store(store, storage)
    where = one_community(opened, community)
    commit = recording.change_role(
        opened, where, member, is_voter=voter, is_manager=manager, is_anonymous=anonymous, display_name=name
    )
    tell(commit, f"The role of a member of the community {where} is changed.", as_json)


def follow(
    store: StorePlace,
    member: Member,
    followee: Followee,
    tags: Tags = None,
    community: Community = None,
    storage: StorageOptions = None,
    as_json: AsJson = False,
) -> None:
    """Let a member follow another, on some tags or, without any, on ALL (T3).

    Examples:
      crowdvote record follow mystore -m maya -f kelly --tag environment --tag budget

      crowdvote record follow mystore -m jack -f maya
    """
    from crowdvote_analysis.store import recording

    opened = open_store(store, storage)
    where = one_community(opened, community)
    commit = recording.follow(opened, where, member, followee, tags or ())
    tell(commit, f"A following on {on(tags)} is recorded in the community {where}.", as_json)


def unfollow(
    store: StorePlace,
    member: Member,
    followee: Followee,
    community: Community = None,
    storage: StorageOptions = None,
    as_json: AsJson = False,
) -> None:
    """Let a member follow another no longer.

    Example:
      crowdvote record unfollow mystore -m maya -f kelly
    """
    from crowdvote_analysis.store import recording

    opened = open_store(store, storage)
    where = one_community(opened, community)
    commit = recording.unfollow(opened, where, member, followee)
    tell(commit, f"A following in the community {where} has ended.", as_json)


def tags(
    store: StorePlace,
    member: Member,
    followee: Followee,
    tags: Tags = None,
    community: Community = None,
    storage: StorageOptions = None,
    as_json: AsJson = False,
) -> None:
    """Change the tags of a following; without any it is on ALL (T3).

    Example:
      crowdvote record tags mystore -m maya -f kelly --tag environment
    """
    from crowdvote_analysis.store import recording

    opened = open_store(store, storage)
    where = one_community(opened, community)
    commit = recording.change_tags(opened, where, member, followee, tags or ())
    tell(commit, f"A following in the community {where} is on {on(tags)} now.", as_json)
