"""The calculation tree of one member, as data, as a JSON-ready document and as text (U2, S9).

Members stand under their public ids and names everywhere (P1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from crowdvote_analysis.delegation.frames import NOT_FOLLOWING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from decimal import Decimal
    from fractions import Fraction


# Why a ballot cast by hand gives nothing (D5).
NO_STARS = "Ballot by hand without stars"


class Person(NamedTuple):
    """Somebody as they may be shown: public id and name (P1)."""

    member_id: str
    name: str


@dataclass(frozen=True)
class Ballot:
    """A ballot at its place in the walk.

    Attributes:
        origin: ``"manual"`` or ``"calculated"``.
        tags: Its tags, sorted.
        stars: Stars by choice_id, rounded half-even to 8 places (D10); choices in their display order.
        depth: Depth (D11).
    """

    origin: str
    tags: tuple[str, ...]
    stars: Mapping[str, Decimal]
    depth: int


@dataclass(frozen=True)
class Followed:
    """One following that was looked at, and what stands behind it.

    Attributes:
        followee: Who is followed.
        following_tags: Tags followed on; empty = ALL (T3).
        outcome: match, no_match, no_ballot, circular or not_a_member.
        inherited_tags: Tags that came along; empty unless match.
        path: The path that was cut, if the outcome is circular (Y1); where nothing is cut the loop that closes here
            (Y4); empty otherwise.
        balanced: Number of members of the balanced core in which a loop closes here (Y7); 0 elsewhere.
        ballot: The followee's ballot inside this walk, which can differ from their own (Y1); ``None`` without one, and
            where the path was cut.
        reason: Why the followee gives no ballot, as in D7; ``None`` with a ballot and where the path was cut.
        followings: The followee's own followings, as they are looked at in this walk.
        not_shown: How many more of them there are; they are counted, and not shown.
    """

    followee: Person
    following_tags: tuple[str, ...]
    outcome: str
    inherited_tags: tuple[str, ...]
    path: tuple[Person, ...]
    balanced: int
    ballot: Ballot | None
    reason: str | None
    followings: tuple[Followed, ...]
    not_shown: int

    @property
    def result(self) -> str:
        """The outcome in the words of the snapshot document (S9, Y7)."""
        if self.balanced:
            return in_balance(self.balanced)
        if self.outcome == "match":
            return "MATCH"
        if self.outcome == "no_match":
            return f"NO MATCH - {self.followee.name} ballot {_tagged(self.ballot)}"
        if self.outcome == "circular":
            return f"CIRCULAR PREVENTED - {_arrows(self.path)}"
        return "NOT A MEMBER" if self.outcome == "not_a_member" else _without(self.reason)


@dataclass(frozen=True)
class Share:
    """How much of a ballot comes from one ballot cast by hand (I3).

    Attributes:
        voter: Who cast it.
        fraction: The exact share; ``None`` where the ballot depends on a loop that is too large for fractions.
        value: The share as a float, for display.
    """

    voter: Person
    fraction: Fraction | None
    value: float


@dataclass(frozen=True)
class Lineage:
    """Why one member's ballot is what it is: the tree of followings, and whose ballots it is made of.

    Attributes:
        decision_id: The decision.
        cycle_rule: The rule for loops used: ``auto-1`` (Y6), path or equilibrium.
        member: The member.
        ballot: Their ballot; ``None`` without one. A ballot cast by hand without stars has none (D5).
        reason: Why there is no ballot (D7); ``None`` with one.
        reason_detail: The finer cause (D7).
        followings: The followings looked at; none for a ballot cast by hand (D1).
        not_shown: How many more followings of the member there are; they are counted, and not shown.
        shares: Whose ballots cast by hand the ballot is made of, largest first; they sum to 1. Empty without stars.
        titles: Title by choice_id.
    """

    decision_id: str
    cycle_rule: str
    member: Person
    ballot: Ballot | None
    reason: str | None
    reason_detail: str | None
    followings: tuple[Followed, ...]
    not_shown: int
    shares: tuple[Share, ...]
    titles: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready document; stars and exact shares are text (D10)."""
        return {
            "decision_id": self.decision_id,
            "cycle_rule": self.cycle_rule,
            "member_id": self.member.member_id,
            "name": self.member.name,
            "ballot": _ballot_dict(self.ballot),
            "reason": self.reason,
            "reason_detail": self.reason_detail,
            "calculation_tree": [_dict(followed) for followed in self.followings],
            "not_shown": self.not_shown,
            "shares": [
                {
                    "member_id": share.voter.member_id,
                    "name": share.voter.name,
                    "share": None if share.fraction is None else str(share.fraction),
                    "value": share.value,
                }
                for share in self.shares
            ],
        }

    def text(self) -> str:
        """The tree as lines of text; one line for a ballot cast by hand and for somebody who follows nobody."""
        last = self._outcome()
        if not self.followings and not self.not_shown:
            return last
        return "\n".join([self.member.name, *_branches(self.followings, self.not_shown, last, self.titles)])

    def __str__(self) -> str:
        return self.text()

    def _outcome(self) -> str:
        if self.ballot is None:
            return f"{self.member.name}: no ballot. {self.reason}."
        return _ballot_line(self.member, self.ballot, self.titles)


def in_balance(members: int) -> str:
    """What is said where a loop closes in a balanced core (Y7)."""
    return f"BALANCED - in a loop with {members:,} members"


def _branches(
    followings: Sequence[Followed], not_shown: int, last: str | None, titles: Mapping[str, str]
) -> Iterator[str]:
    """The lines below a member; ``last`` says what came out of them."""
    for followed in followings:
        yield f"├─ Following {followed.followee.name} on {_tags(followed.following_tags) or '[ALL]'}"
        for line in _below(followed, titles):
            yield f"│  {line}"
    if not_shown:
        yield f"├─ … {not_shown:,} more following{'s' if not_shown > 1 else ''} not shown"
    if last is not None:
        yield f"└─ {last}"


def _below(followed: Followed, titles: Mapping[str, str]) -> Iterator[str]:
    name, ballot = followed.followee.name, followed.ballot
    if followed.outcome == "circular":
        yield f"⚠️ Circular reference prevented ({_arrows(followed.path)})"
        return
    if followed.outcome == "not_a_member":
        yield "✗ NOT A MEMBER"
        return
    if followed.outcome == "match":
        on = _tags(followed.inherited_tags) if followed.following_tags else "[ALL]"
        yield f"✓ MATCH on {on} → inheriting votes"
    elif followed.outcome == "no_match":
        yield f"✗ NO MATCH ({name} ballot {_tagged(ballot)})"
    else:
        yield "✗ NO BALLOT"
    if followed.path:
        loop = in_balance(followed.balanced) if followed.balanced else f"in a loop with {followed.path[0].name}"
        yield f"↻ {loop} ({_arrows(followed.path)})"
    last = _without(followed.reason) if ballot is None else _ballot_line(followed.followee, ballot, titles)
    yield from _branches(followed.followings, followed.not_shown, last, titles)


def _ballot_line(owner: Person, ballot: Ballot, titles: Mapping[str, str]) -> str:
    how = "calculated" if ballot.origin == "calculated" else "cast by hand"
    stars = ", ".join(f"{titles[choice]} {_plain(stars)}" for choice, stars in ballot.stars.items()) or "no stars"
    return f"{owner.name} ballot {how} {_tags(ballot.tags) or 'without tags'}: {stars}"


def _plain(stars: Decimal) -> str:
    """All places there are, without zeros at the end."""
    return f"{stars:f}".rstrip("0").rstrip(".")


def _tags(tags: Sequence[str]) -> str:
    return f"[{', '.join(tags)}]" if tags else ""


def _tagged(ballot: Ballot | None) -> str:
    return f"tagged {_tags(ballot.tags)}" if ballot and ballot.tags else "without tags"


def _arrows(path: Sequence[Person]) -> str:
    return " → ".join(person.name for person in path)


def _without(reason: str | None) -> str:
    """Why somebody gives no ballot (S9)."""
    cause = {NO_STARS: "a ballot by hand without stars", NOT_FOLLOWING: "not following anyone"}
    return f"no ballot calculated ({cause.get(reason or '', 'no matching tags')})"


def _ballot_dict(ballot: Ballot | None) -> dict[str, Any] | None:
    if ballot is None:
        return None
    stars = {choice: f"{stars:f}" for choice, stars in ballot.stars.items()}
    return {"origin": ballot.origin, "tags": list(ballot.tags), "depth": ballot.depth, "stars": stars}


def _dict(followed: Followed) -> dict[str, Any]:
    return {
        "member_id": followed.followee.member_id,
        "name": followed.followee.name,
        "following_tags": list(followed.following_tags) or ["ALL"],
        "outcome": followed.outcome,
        "result": followed.result,
        "inherited_tags": list(followed.inherited_tags),
        "path": [person.member_id for person in followed.path],
        "balanced": followed.balanced or None,
        "ballot": _ballot_dict(followed.ballot),
        "reason": followed.reason,
        "calculation_tree": [_dict(below) for below in followed.followings],
        "not_shown": followed.not_shown,
    }
