"""``crowdvote record`` create, publish, close, cast, change, withdraw, vote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from crowdvote_analysis.cli.console import err, noting, working
from crowdvote_analysis.cli.options import AsJson, StorageOptions, StorePlace
from crowdvote_analysis.cli.reading import open_store
from crowdvote_analysis.cli.recorded import (
    Community,
    Decision,
    Member,
    Stars,
    Tags,
    one_community,
    read_choices,
    read_stars,
    tell,
    time,
)
from crowdvote_analysis.errors import FinalSnapshotError, RefusedRecordError, SnapshotError

if TYPE_CHECKING:
    from crowdvote_analysis.store import Store


def create(
    store: StorePlace,
    decision: Decision,
    choice: Annotated[
        list[str] | None,
        typer.Option("--choice", metavar="ID[=TITLE]", help="A choice to rate; repeated.", show_default=False),
    ] = None,
    title: Annotated[str | None, typer.Option("--title", help="Name shown to people.", show_default=False)] = None,
    description: Annotated[str, typer.Option("--description", help="What it is about.", show_default=False)] = "",
    method: Annotated[
        str, typer.Option("--method", help="star, simple_majority, supermajority or unanimity.")
    ] = "star",
    opens: Annotated[
        str | None, typer.Option("--opens", help="Voting starts (UTC); when published.", show_default=False)
    ] = None,
    closes: Annotated[
        str | None, typer.Option("--closes", help="Voting ends (UTC); when closed.", show_default=False)
    ] = None,
    threshold: Annotated[
        str | None, typer.Option("--threshold", help="Of a supermajority, such as 2/3 (C3).", show_default=False)
    ] = None,
    quorum: Annotated[int | None, typer.Option("--quorum", help="Votes needed (C2, C4).", show_default=False)] = None,
    decisive_only: Annotated[bool, typer.Option("--decisive-only", help="Abstentions do not count (C2).")] = False,
    delegated: Annotated[bool, typer.Option("--delegated", help="Yes/no votes pass along followings (C7).")] = False,
    required: Annotated[
        list[str] | None,
        typer.Option("--required", help="Who is asked yes or no; repeated. All voters by default.", show_default=False),
    ] = None,
    community: Community = None,
    storage: StorageOptions = None,
    as_json: AsJson = False,
) -> None:
    """Create a decision as a draft, with its choices or its required voters.

    Examples:
      crowdvote record create mystore -d green --choice "pond=A pond" --choice swings --closes '2026-07-01 18:00'

      crowdvote record create mystore -d roof --method supermajority --threshold 2/3
    """
    from crowdvote_analysis.store import recording

    opened = open_store(store, storage)
    commit = recording.create_decision(
        opened,
        one_community(opened, community),
        decision,
        choices=read_choices(choice),
        title=title,
        description=description,
        method=method,
        opens_at=time(opens, "--opens"),
        closes_at=time(closes, "--closes"),
        threshold=threshold,
        quorum=quorum,
        decisive_only=decisive_only,
        delegated=delegated,
        required_voters=required,
    )
    tell(commit, f"The decision {decision} is a draft; crowdvote record publish opens it.", as_json)


def publish(store: StorePlace, decision: Decision, storage: StorageOptions = None, as_json: AsJson = False) -> None:
    """Publish a draft, so that it can be voted on.

    Example:
      crowdvote record publish mystore -d green
    """
    from crowdvote_analysis.store import recording

    commit = recording.publish_decision(open_store(store, storage), decision)
    tell(commit, f"The decision {decision} is published.", as_json)


def close(
    store: StorePlace,
    decision: Decision,
    snapshot: Annotated[bool, typer.Option(help="Take the final snapshot of a decision with stars.")] = True,
    storage: StorageOptions = None,
    as_json: AsJson = False,
) -> None:
    """End the voting on a decision at this moment, and take its final snapshot.

    Where the time of the decision is over already, the snapshot is of the instant at which it ended.

    Example:
      crowdvote record close mystore -d green
    """
    from crowdvote_analysis.snapshots.upkeep import without_final
    from crowdvote_analysis.store import recording

    opened = open_store(store, storage)
    try:
        commit = recording.close_decision(opened, decision)
    except RefusedRecordError as refused:
        if refused.reason != "decision_closed" or not snapshot or decision not in without_final(opened):
            raise
        err.print(f"{refused} Its final snapshot is not there yet.", markup=False)
    else:
        tell(commit, f"The decision {decision} is closed.", as_json)
    if snapshot and opened.cut().rows("decisions", decision_id=decision)["method"].item() == "star":
        _take_final(opened, decision)


def _take_final(store: Store, decision: str) -> None:
    """Take the final snapshot (S3); that it failed does not undo the closing."""
    from crowdvote_analysis.snapshots import take_snapshot

    with noting(), working("Counting") as advance:
        try:
            row = take_snapshot(store, decision, trigger="decision closed", progress=advance)
        except FinalSnapshotError:  # somebody else saw the end first
            return
        except SnapshotError as error:
            err.print(f"The final snapshot is not there yet. {error}", markup=False)
            return
    err.print(f"Final snapshot {row['snapshot_id']}: {row['winner_title'] or row['outcome']}.", markup=False)


def cast(
    store: StorePlace,
    decision: Decision,
    member: Member,
    stars: Stars = None,
    tags: Tags = None,
    storage: StorageOptions = None,
    as_json: AsJson = False,
) -> None:
    """Cast a ballot with all its stars; an earlier one is replaced as a whole.

    Example:
      crowdvote record cast mystore -d green -m maya --tag budget --stars Pond=4.5 --stars Swings=2
    """
    from crowdvote_analysis.store import recording

    rated = read_stars(stars)
    commit = recording.cast_ballot(open_store(store, storage), decision, member, rated, tags or ())
    tell(commit, f"A ballot is cast in the decision {decision}; choices rated: {len(rated)}.", as_json)


def change(
    store: StorePlace,
    decision: Decision,
    member: Member,
    stars: Stars = None,
    tags: Tags = None,
    no_tags: Annotated[bool, typer.Option("--no-tags", help="Take all tags off the ballot.")] = False,
    storage: StorageOptions = None,
    as_json: AsJson = False,
) -> None:
    """Change some stars or all tags of a ballot; what is not given stays.

    Examples:
      crowdvote record change mystore -d green -m maya --stars Swings=3

      crowdvote record change mystore -d green -m maya --tag environment
    """
    from crowdvote_analysis.store import recording

    if no_tags and tags:
        raise typer.BadParameter("and --tag exclude each other.", param_hint="--no-tags")
    rated = read_stars(stars) if stars else None
    wanted = [] if no_tags else tags or None
    commit = recording.change_ballot(open_store(store, storage), decision, member, stars=rated, tags=wanted)
    tell(commit, f"A ballot in the decision {decision} is changed.", as_json)


def withdraw(
    store: StorePlace, decision: Decision, member: Member, storage: StorageOptions = None, as_json: AsJson = False
) -> None:
    """Take a ballot back; the member may inherit one again (D2).

    Example:
      crowdvote record withdraw mystore -d green -m maya
    """
    from crowdvote_analysis.store import recording

    commit = recording.withdraw_ballot(open_store(store, storage), decision, member)
    tell(commit, f"A ballot in the decision {decision} is withdrawn.", as_json)


def vote(
    store: StorePlace,
    vote: Annotated[str, typer.Argument(help="yes, no or abstain.", show_default=False)],
    decision: Decision,
    member: Member,
    tags: Tags = None,
    at: Annotated[
        str | None,
        typer.Option("--at", help="When it was cast (UTC), for votes on paper; now by default.", show_default=False),
    ] = None,
    storage: StorageOptions = None,
    as_json: AsJson = False,
) -> None:
    """Cast or change a vote in a yes/no decision. [bold]crowdvote decide vote[/] does the same and tells the outcome.

    Example:
      crowdvote record vote mystore yes -d roof -m maya
    """
    from crowdvote_analysis.store import recording

    cast_at = time(at, "--at")
    commit = recording.vote(open_store(store, storage), decision, member, vote, tags or (), cast_at)
    tell(commit, f"A vote is cast in the decision {decision}.", as_json)
