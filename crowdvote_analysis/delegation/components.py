"""Strong components of a small graph (Tarjan 1972), followees before followers.

The library's function numbers components in no useful order and takes longer to call than these graphs to walk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def components(members: Iterable[int], followees: Sequence[Sequence[int]]) -> list[list[int]]:
    """Split some members into strong components.

    Args:
        members: The members of the graph; followees that are not among them are passed over.
        followees: Followees by member.

    Returns:
        The components, each before those that follow it.
    """
    waiting = set(members)
    number: dict[int, int] = {}
    lowest: dict[int, int] = {}
    open_: list[int] = []
    is_open: set[int] = set()
    found: list[list[int]] = []
    for start in members:
        if start in number:
            continue
        path = [(start, iter(followees[start]))]
        number[start] = lowest[start] = len(number)
        open_.append(start)
        is_open.add(start)
        while path:
            member, rest = path[-1]
            for followee in rest:
                if followee not in waiting:
                    continue
                if followee not in number:
                    number[followee] = lowest[followee] = len(number)
                    open_.append(followee)
                    is_open.add(followee)
                    path.append((followee, iter(followees[followee])))
                    break
                if followee in is_open:
                    lowest[member] = min(lowest[member], number[followee])
            else:
                path.pop()
                if path:
                    above = path[-1][0]
                    lowest[above] = min(lowest[above], lowest[member])
                if lowest[member] == number[member]:
                    at = len(open_) - 1  # from the end: a component is as long as what is passed over
                    while open_[at] != member:
                        at -= 1
                    found.append(open_[at:])
                    is_open.difference_update(found[-1])
                    del open_[at:]
    return found
