"""Where the numbers on a results page of BetterVoting differ from those here, though the ballots are the same.

BetterVoting takes a ballot that gives every candidate the same stars for an abstention and leaves it out of all its
numbers: ``makeAbstentionTest(true)`` in ``Star.ts`` of github.com/Equal-Vote/bettervoting (its issue 884). Such a
ballot prefers nobody and adds the same to every score, so that the winner is the same. A ballot that rates only some
candidates, all the same, is left out as well where the others are not written into it (issues 1470 and 1478); that can
change a winner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def is_from_bettervoting(poll: Path) -> bool:
    """Whether a file that was read as a poll is an export of BetterVoting: its header begins with ballot_id."""
    with poll.open("rb") as file:
        start = file.read(200).replace(b"\0", b"").lower()
    return b"ballot_id" in start.partition(b"\n")[0].partition(b",")[0]


def bettervoting_words(document: dict[str, Any]) -> str | None:
    """Say where BetterVoting shows other numbers for a decision; ``None`` where it does not.

    Args:
        document: One of ``summaries``.
    """
    tally, ballots = document["tally"], document["ballots"]
    words = []
    if tally.get("runoff") and ballots["level"]:
        words.append(_shares(tally, ballots["level"]))
    if ballots["partly_blank"]:
        words.append(_partly_blank(ballots["partly_blank"]))
    return " ".join(words) or None


def _shares(tally: dict[str, Any], level: int) -> str:
    """The shares of the runoff as BetterVoting shows them."""
    titles = {row["choice_id"]: row["title"] for row in tally["scores"]}
    votes, rest = tally["runoff"]["votes"], tally["vote_count"] - level
    words = (
        f"{_number(level)} every choice the same stars. BetterVoting calls that abstaining and leaves "
        f"{'it' if level == 1 else 'them'} out of its totals and shares; the winner is the same."
    )
    if not rest:
        return words
    equal = tally["runoff"]["no_preference"] - level
    shares = ", ".join(f"{titles[choice]} {number / rest:.1%}" for choice, number in votes.items())
    return f"{words} Its shares of the runoff are of {rest:,}: {shares}, equal support {equal / rest:.1%}."


def _partly_blank(ballots: int) -> str:
    one = ballots == 1
    return (
        f"{_number(ballots)} the same stars to all {'it rates' if one else 'they rate'} and "
        f"{'leaves' if one else 'leave'} another choice blank. {'It counts' if one else 'They count'} here; "
        "BetterVoting was seen to leave such ballots out, which changes its shares and may change its winner."
    )


def _number(ballots: int) -> str:
    return "1 ballot gives" if ballots == 1 else f"{ballots:,} ballots give"
