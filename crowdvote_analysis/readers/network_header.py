"""What the first line of an edge list names: which column follows, and which is followed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

Role: TypeAlias = Literal["follower", "followee", "thing", "other"]

_FOLLOWER = frozenset(
    """
    follower from source src delegator truster trustor voter principal grantor sender origin tail citing citer
    caller endorser rater nominator supporter fan who start
    """.split()  # noqa: SIM905 - a list of words
)
_FOLLOWEE = frozenset(
    """
    followee followed follows to target tgt dst dest destination delegate delegatee delegated representative
    trustee trusted proxy agent receiver recipient head cited callee endorsee endorsed ratee rated nominee
    nominated supported idol leader influencer whom end
    """.split()  # noqa: SIM905 - a list of words
)
# Words that stand over a column of ids and say nothing about the direction.
_THING = "id|node|user|member|person|name|vertex|account|email|participant"
_AROUND = re.compile(r"^(id|node|user|member|person)|(id|ids|node|user|member|person|name|email|account)$")


class Columns(NamedTuple):
    """Which columns hold the ids.

    Attributes:
        follower: Position of who follows, counted from 0.
        followee: Position of who is followed.
        known: Whether their names say so; else the first two are taken as they stand.
    """

    follower: int
    followee: int
    known: bool


def role(name: str) -> Role:
    """What a name says about its column.

    ``Follower ID``, ``from_node_id`` and ``delegator`` follow, ``node_1`` names a thing, ``voter12`` is an id.
    """
    word = re.sub(r"[\W_]+", "", name.casefold())
    if re.fullmatch(f"({_THING})+[12ab]?", word):
        return "thing"
    for _ in range(3):
        if word in _FOLLOWER:
            return "follower"
        if word in _FOLLOWEE:
            return "followee"
        word = _AROUND.sub("", word)
    return "other"


# What a line must hold twice to name columns, as a pattern for the many lines of a file: letters in small, no signs.
WORDS = rf"^({'|'.join(sorted(_FOLLOWER | _FOLLOWEE))}|ids|{_THING})+$"


def names_columns(cells: Sequence[str]) -> bool:
    """Whether every one of these cells is a word that names a column of ids, and none such as `user_a` or `user1`."""
    plain = [re.sub(r"[\W_]+", "", cell.casefold()) for cell in cells]
    return all(role(cell) != "other" for cell in cells) and not any(
        re.fullmatch(f"({_THING})+[12ab]", word) for word in plain
    )


# Ids such as `user12`: where others are alike, `user1,user2` is an edge.
NUMBERED = rf"(?i)^({_THING})[\W_]*\d+$"


def columns_of(names: Sequence[str], *, over_numbers: bool, over_numbered: bool = False) -> Columns | str | None:
    """The columns that a line of names means.

    Args:
        names: The cells of the line, at least two.
        over_numbers: Whether the ids of all other lines are numbers, and none of these cells is.
        over_numbered: Whether ids of other lines look like ``NUMBERED``.

    Returns:
        The columns; none where the line is an edge; a sentence where it may be either, or says too little.
    """
    roles = [role(name) if not (over_numbered and re.match(NUMBERED, name)) else "other" for name in names]
    first = roles[:2]
    if set(first) == {"follower", "followee"}:
        return Columns(first.index("follower"), first.index("followee"), True)
    if roles.count("follower") == roles.count("followee") == 1:
        return Columns(roles.index("follower"), roles.index("followee"), True)
    if first == ["thing", "thing"] or (over_numbers and not {"follower", "followee"} & set(first)):
        return Columns(0, 1, False)
    if first == ["other", "other"]:
        return None
    return f"seems to name the columns, and does not say which of {names[0]!r} and {names[1]!r} follows the other"
