"""One member's ballot as HTML: the tree of followings that opens and closes, and whose stars it is made of (U2)."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from crowdvote_analysis.explanation.tree import NO_STARS, in_balance
from crowdvote_analysis.pages.html_rows import COLOURS, disc, link
from crowdvote_analysis.pages.words import CAUSES, no_ballot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from crowdvote_analysis.explanation import Lineage
    from crowdvote_analysis.explanation.tree import Ballot, Followed, Person

_FEW = 12  # voters whose share is told
_LINE = "margin:0.15rem 0;overflow-wrap:anywhere"


def tree_html(lineage: Lineage, address: Callable[[str], str] | None = None) -> str:
    """Write the tree of one member.

    Args:
        lineage: The tree.
        address: The address of a member's own page, by public id; without it, names lead nowhere.

    Returns:
        HTML. Followings that have followings behind them are closed at first, but for the topmost; every name leads to
        the member, and tells their ballot to whoever rests on it.
    """
    titles = lineage.titles
    way = (lineage.member,)
    lines = [_followed(followed, titles, address, way) for followed in lineage.followings]
    lines += _more(lineage.not_shown)
    if lineage.ballot is not None:
        lines.append(_last(_ballot(lineage.member.name, lineage.ballot, titles), _colour(lineage.ballot)))
    else:
        why = no_ballot(lineage.reason_detail or "no_followings")
        lines.append(_last(f"{lineage.member.name}: no ballot. {why}.", COLOURS["none"]))
    return f'<div style="font-size:0.9rem">{"".join(lines)}</div>'


def shares_html(lineage: Lineage, address: Callable[[str], str]) -> str:
    """Say whose ballots cast by hand a calculated ballot is made of (I3); nothing for other ballots."""
    if lineage.ballot is None or lineage.ballot.origin != "calculated" or not lineage.shares:
        return ""
    told = [
        f"{link(address(share.voter.member_id), share.voter.name)} {share.value:.1%}" for share in lineage.shares[:_FEW]
    ]
    more = len(lineage.shares) - _FEW
    rest = f" and {more:,} more" if more > 0 else ""
    return f'<p style="{_LINE};font-size:0.9rem">Made of the ballots of {", ".join(told)}{rest}.</p>'


def stars_html(stars: Mapping[str, object], titles: Mapping[str, str]) -> str:
    """The stars of a ballot in words: ``Pond 4.5, Swings 2``."""
    return escape(", ".join(f"{titles[choice]} {_plain(given)}" for choice, given in stars.items()) or "no stars")


def _followed(
    followed: Followed, titles: Mapping[str, str], address: Callable[[str], str] | None, way: tuple[Person, ...]
) -> str:
    """One following and what is behind it; ``way`` leads to it, from the member whose tree it is."""
    who = followed.followee
    met = "" if followed.ballot is None else _ballot(f"{who.name}{_met(followed, way)}", followed.ballot, titles)
    name = escape(who.name)
    if address is not None and followed.outcome != "not_a_member":
        name = link(address(who.member_id), who.name, met)
    on = _tags(followed.following_tags) or "[ALL]"
    head = f"├─ Following {name} on {escape(on)}"
    words, colour = _outcome(followed)
    said = f"{disc(colour)} {escape(words)}"
    if followed.path and followed.outcome != "circular":
        loop = in_balance(followed.balanced) if followed.balanced else "in a loop"
        said += f" · {loop} ({escape(_arrows(followed.path))})"
    behind = [_followed(below, titles, address, (*way, who)) for below in followed.followings]
    behind += _more(followed.not_shown)
    if followed.ballot is not None:
        behind.append(_last(met, _colour(followed.ballot)))
    elif followed.reason is not None:
        behind.append(_last(f"{who.name}: {_without(followed)}", COLOURS["none"]))
    inside = f'<div style="margin-left:0.5rem;padding-left:1rem;border-left:1px solid #8886">{"".join(behind)}</div>'
    if not followed.followings and not followed.not_shown:
        return f'<div style="{_LINE}">{head} · {said}</div>{inside if behind else ""}'
    opened = " open" if len(way) == 1 else ""
    return (
        f'<details{opened} style="{_LINE}"><summary style="cursor:pointer">{head} · {said}</summary>{inside}</details>'
    )


def _met(followed: Followed, way: Sequence[Person]) -> str:
    """Say whose ballots are left out of one inside this walk, so that it can differ from its owner's own (Y1)."""
    cut = _cut(followed)
    left_out = [person.name for person in way if person in cut]
    return f", as met on this walk (without {' and '.join(left_out)}):" if left_out else ""


def _cut(followed: Followed) -> set[Person]:
    """Who was on the way already wherever a path was cut, in what is behind a following."""
    here = {followed.path[-1]} if followed.outcome == "circular" else set()
    return here.union(*(_cut(below) for below in followed.followings))


def _outcome(followed: Followed) -> tuple[str, str]:
    """What a following gave, in the words of U2, and its colour."""
    if followed.outcome == "match":
        on = _tags(followed.inherited_tags) if followed.following_tags else "[ALL]"
        return f"✓ MATCH on {on} → inheriting votes", _colour(followed.ballot)
    if followed.outcome == "no_match":
        ballot = followed.ballot
        tagged = f"tagged {_tags(ballot.tags)}" if ballot and ballot.tags else "without tags"
        return f"✗ NO MATCH ({followed.followee.name} ballot {tagged})", COLOURS["none"]
    if followed.outcome == "circular":
        return f"⚠ Circular reference prevented ({_arrows(followed.path)})", COLOURS["circular"]
    return ("✗ NOT A MEMBER" if followed.outcome == "not_a_member" else "✗ NO BALLOT"), COLOURS["none"]


def _ballot(whose: str, ballot: Ballot, titles: Mapping[str, str]) -> str:
    how = "calculated" if ballot.origin == "calculated" else "cast by hand"
    stars = ", ".join(f"{titles[choice]} {_plain(given)}" for choice, given in ballot.stars.items()) or "no stars"
    return f"{whose} ballot {how} {_tags(ballot.tags) or 'without tags'}: {stars}"


def _without(followed: Followed) -> str:
    """Why somebody who is followed has no ballot to give (D5, D7)."""
    if followed.reason == NO_STARS:
        return "a ballot by hand without stars"
    causes = [cause for cause in CAUSES if any(below.outcome == cause for below in followed.followings)]
    return f"no ballot. {no_ballot('+'.join(causes) or 'no_followings')}"


def _last(words: str, colour: str) -> str:
    return f'<div style="{_LINE}">└─ {disc(colour)} {escape(words)}</div>'


def _more(number: int) -> list[str]:
    return [f'<div style="{_LINE};opacity:0.8">├─ … {number:,} more, not shown</div>'] if number else []


def _colour(ballot: Ballot | None) -> str:
    return COLOURS["none"] if ballot is None else COLOURS[ballot.origin]


def _tags(tags: Sequence[str]) -> str:
    return f"[{', '.join(tags)}]" if tags else ""


def _arrows(path: Sequence[Person]) -> str:
    return " → ".join(person.name for person in path)


def _plain(stars: object) -> str:
    """Two places at most, as people read them; files have all."""
    return f"{stars:.2f}".rstrip("0").rstrip(".")
