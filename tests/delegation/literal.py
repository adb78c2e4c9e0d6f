"""The rules of the count read literally, with exact fractions: slow, plain, and written from the rules alone.

Nothing here is shared with the package. The path rule is walked by recursion that hands down the path, with no memory;
the equilibrium is the least fixed point of who takes part, then Gaussian elimination; ``auto`` does each for its cores.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

Tags: TypeAlias = frozenset[str]
Stars: TypeAlias = dict[str, Fraction]
Source: TypeAlias = tuple[str, str, Tags]  # followee, outcome, tags that came along

ALL: Tags = frozenset()
DETAILS = ("no_match", "no_ballot", "circular", "not_a_member")


@dataclass(frozen=True)
class Community:
    """One community and one decision: who votes, who follows whom as recorded, who voted by hand."""

    members: dict[str, bool]
    followings: list[tuple[str, str, list[str]]]
    ballots: dict[str, tuple[list[str], Stars]]


@dataclass(frozen=True)
class Ballot:
    """A ballot that others can inherit: stars, tags, depth (None where the rules do not define it), who is in it."""

    stars: Stars
    tags: Tags
    depth: int | None
    tree: frozenset[str]
    shares: dict[str, Fraction]


class Literal:
    """Everybody's ballot, sources, influence and weight, and the statistics."""

    def __init__(self, community: Community, cycles: str, bound: tuple[int, int, int] = (7, 40, 8)) -> None:
        self.community, self.bound = community, bound
        self.manual = {m: (clean(tags), stars) for m, (tags, stars) in community.ballots.items()}
        self.follows = merged(community.followings)
        self.ballot: dict[str, Ballot | None] = {}
        self.sources: dict[str, list[Source]] = {}
        self.balanced: dict[str, frozenset[str]] = {}
        if cycles == "auto":
            self.sort_out()
            for member in community.members:
                self.ballot[member], self.sources[member] = self.walk(member, ())
        elif cycles == "path":
            for member in community.members:
                self.ballot[member], self.sources[member] = self.walk(member, ())
        else:
            self.balance()
        self.origin = {
            m: "manual" if m in self.manual else "calculated" if self.ballot[m] else "none" for m in community.members
        }

    def by_hand(self, member: str) -> Ballot | None:
        """The ballot cast by hand; without stars it counts as none (D1, D5)."""
        tags, stars = self.manual[member]
        return Ballot(stars, tags, 0, frozenset(), {member: Fraction(1)}) if stars else None

    def walk(self, member: str, path: tuple[str, ...], *, live: bool = False) -> tuple[Ballot | None, list[Source]]:
        """Y1: the member's ballot at the end of the path walked so far; ``live``: along what can match alone (Y2 b)."""
        if member in self.manual:
            return self.by_hand(member), []
        if member in self.balanced:
            return self.give(member), self.found[member]
        path = (*path, member)
        sources: list[Source] = []
        inherited: list[tuple[str, Tags, Ballot]] = []
        for followee, on in self.follows.get(member, {}).items():
            if live and followee not in self.live[member]:
                continue
            if followee not in self.community.members:
                sources.append((followee, "not_a_member", ALL))
            elif followee in path:
                sources.append((followee, "circular", ALL))
            else:
                given, _ = self.walk(followee, path, live=live)
                outcome, came = match(on, given.tags if given else None)
                sources.append((followee, outcome, came))
                if given and outcome == "match":
                    inherited.append((followee, came, given))
        return average(inherited), sources

    def sort_out(self) -> None:
        """Y6: the cores of followings that can match (Y2); those that are not small are balanced."""
        tags = self.take_part()
        self.tags, self.found, self.given = tags, dict(self.sources), dict[str, Ballot]()
        self.live = {m: [f for f, outcome, _ in found if outcome == "match"] for m, found in self.sources.items()}
        walked = {m: [f for f in to if f not in self.manual] for m, to in self.live.items() if m not in self.manual}
        for member in walked:
            core = frozenset(m for m in reach(member, walked) if member in reach(m, walked))
            followings = sum(f in core for m in core for f in walked[m])
            few, more, beyond = self.bound
            if core and not (len(core) <= few or (len(core) <= more and followings - len(core) <= beyond)):
                self.balanced[member] = core

    def give(self, member: str) -> Ballot:
        """Y4, Y7: the ballot of somebody in a balanced core, the same in every walk."""
        if member not in self.given:
            core = sorted(self.balanced[member])
            inherits = {m: self.live[m] for m in core}
            outside = {f: self.walk(f, (), live=True)[0] for m in core for f in inherits[m] if f not in core}
            hands = sorted({hand for ballot in outside.values() if ballot for hand in ballot.shares})
            matrix = [[Fraction(len(inherits[m]) * (m == n) - (n in inherits[m])) for n in core] for m in core]
            right = [[sum((b.shares.get(h, Fraction(0)) for f, b in outside.items() if b and f in inherits[m]), Fraction(0)) for h in hands] for m in core]  # fmt: skip  # noqa: E501
            depth = 1 + max(ballot.depth or 0 for ballot in outside.values() if ballot)
            below = frozenset(outside).union(*(ballot.tree for ballot in outside.values() if ballot))
            for mate, row in zip(core, solve(matrix, right), strict=True):
                shares = {hand: share for hand, share in zip(hands, row, strict=True) if share}
                tree = (below | self.balanced[member]) - {mate}
                self.given[mate] = Ballot(self.mixed(shares), self.tags[mate], depth, tree, shares)
        return self.given[member]

    def take_part(self) -> dict[str, Tags]:
        """Y2 a: who has a ballot, with which tags, is a least fixed point; sources are those of own ballots."""
        tags: dict[str, Tags] = {m: self.manual[m][0] for m in self.community.members if m in self.manual}
        tags = {m: t for m, t in tags.items() if self.manual[m][1]}
        before = None
        while before != tags:
            before = dict(tags)
            for member in self.community.members:
                self.sources[member] = [] if member in self.manual else [
                    self.look(member, followee, on, tags) for followee, on in self.follows.get(member, {}).items()
                ]  # fmt: skip
                came = [source[2] for source in self.sources[member] if source[1] == "match"]
                if came:
                    tags[member] = frozenset().union(*came)
        return tags

    def balance(self) -> None:
        """Y4: the stars of all who take part solve one linear system."""
        tags = self.take_part()
        hands = [m for m in tags if m in self.manual]
        inherits = {m: [f for f, outcome, _ in found if outcome == "match"] for m, found in self.sources.items()}
        unknown = [m for m in tags if m not in self.manual]
        matrix = [[Fraction(len(inherits[m]) * (m == n) - (n in inherits[m])) for n in unknown] for m in unknown]
        right = [[Fraction(hand in inherits[m]) for hand in hands] for m in unknown]
        solved = dict(zip(unknown, solve(matrix, right), strict=True))
        for member in self.community.members:
            self.ballot[member] = self.by_hand(member) if member in self.manual else None
            if member in solved:
                shares = {hand: share for hand, share in zip(hands, solved[member], strict=True) if share}
                depth = climb(member, inherits, ())
                tree = reach(member, inherits) - {member}
                self.ballot[member] = Ballot(self.mixed(shares), tags[member], depth, tree, shares)

    def look(self, member: str, followee: str, on: Tags, tags: dict[str, Tags]) -> Source:
        if followee not in self.community.members:
            return followee, "not_a_member", ALL
        return (followee, "circular", ALL) if followee == member else (followee, *match(on, tags.get(followee)))

    def mixed(self, shares: dict[str, Fraction]) -> Stars:
        names = {choice for hand in shares for choice in self.manual[hand][1]}
        return {c: sum((s * self.manual[h][1].get(c, Fraction(0)) for h, s in shares.items()), Fraction(0)) for c in names}  # fmt: skip  # noqa: E501

    def loop_followings(self) -> set[tuple[str, str]]:
        """Y5: followings of members without a manual ballot from whose followee a walk leads back."""
        walked = {m: [f for f in to if f in self.community.members] for m, to in self.follows.items() if m in self.community.members and m not in self.manual}  # fmt: skip  # noqa: E501
        return {(m, f) for m, to in walked.items() for f in to if m in reach(f, walked) | {f}}

    def reason(self, member: str) -> tuple[str | None, str | None]:
        """D7."""
        if self.origin[member] != "none":
            return None, None
        if not self.sources[member]:
            return "Not following anyone", "no_followings"
        outcomes = {outcome for _, outcome, _ in self.sources[member]}
        return "Following others but no tag matches", "+".join(d for d in DETAILS if d in outcomes)

    def weights(self) -> dict[str, Fraction]:
        """I3: every tallied ballot traced back to manual ballots."""
        weight = dict.fromkeys(self.community.members, Fraction(0))
        for member, is_voter in self.community.members.items():
            ballot = self.ballot[member]
            for hand, share in (ballot.shares if ballot and is_voter else {}).items():
                weight[hand] += share
        return weight

    def stats(self) -> dict[str, int | float]:
        """M2, Y5."""
        voters = [m for m, is_voter in self.community.members.items() if is_voter]
        kinds = [self.origin[m] for m in voters]
        manual, calculated = kinds.count("manual"), kinds.count("calculated")
        return {
            "total_members": len(voters),
            "manual_ballots": manual,
            "calculated_ballots": calculated,
            "no_ballot": kinds.count("none"),
            "lobbyists": len(self.community.members) - len(voters),
            "tallied_ballots": sum(self.ballot[m] is not None for m in voters),
            "circular_prevented": len(self.loop_followings()),
            "max_delegation_depth": max((b.depth or 0 for b in self.ballot.values() if b), default=0),
            "participation": (manual + calculated) / len(voters) if voters else 0.0,
            "non_member_ballots": sum(m not in self.community.members for m in self.manual),
        }


def clean(tags: list[str]) -> Tags:
    """T5."""
    return frozenset(tag.strip().lower() for tag in tags)


def merged(followings: list[tuple[str, str, list[str]]]) -> dict[str, dict[str, Tags]]:
    """D8: one following a pair, the union of the tags, where ALL (no tags) wins."""
    found: dict[str, dict[str, Tags]] = {}
    for follower, followee, given in followings:
        tags, pairs = clean(given), found.setdefault(follower, {})
        pairs[followee] = tags if followee not in pairs else pairs[followee] | tags if pairs[followee] and tags else ALL
    return found


def match(on: Tags, tags: Tags | None) -> tuple[str, Tags]:
    """T2, T3, D5: the outcome of a following and the tags that come along."""
    if tags is None:
        return "no_ballot", ALL
    came = tags if on == ALL else on & tags
    return ("match", came) if on == ALL or came else ("no_match", ALL)


def average(inherited: list[tuple[str, Tags, Ballot]]) -> Ballot | None:
    """D3, D4, D11, T4: the plain average, one divisor for every choice."""
    if not inherited:
        return None
    ballots, n = [ballot for _, _, ballot in inherited], len(inherited)
    choices = {choice for ballot in ballots for choice in ballot.stars}
    hands = {hand for ballot in ballots for hand in ballot.shares}
    return Ballot(
        stars={c: sum((b.stars.get(c, Fraction(0)) for b in ballots), Fraction(0)) / n for c in choices},
        tags=frozenset().union(*(came for _, came, _ in inherited)),
        depth=1 + max(ballot.depth or 0 for ballot in ballots),
        tree=frozenset(followee for followee, _, _ in inherited).union(*(ballot.tree for ballot in ballots)),
        shares={h: sum((b.shares.get(h, Fraction(0)) for b in ballots), Fraction(0)) / n for h in hands},
    )


def reach(start: str, to: dict[str, list[str]]) -> frozenset[str]:
    """Everybody reached from ``start`` by at least one step."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = set(to.get(waiting.pop(), [])) - found
        found |= new
        waiting += new
    return frozenset(found)


def climb(member: str, inherits: dict[str, list[str]], path: tuple[str, ...]) -> int | None:
    """D11 where there is no loop; None where a loop is met."""
    if member in path:
        return None
    below = [climb(f, inherits, (*path, member)) for f in inherits.get(member, [])]
    return None if None in below else 1 + max(d for d in below if d is not None) if below else 0


def solve(matrix: list[list[Fraction]], right: list[list[Fraction]]) -> list[list[Fraction]]:
    """Gaussian elimination, exactly."""
    rows = [[*a, *b] for a, b in zip(matrix, right, strict=True)]
    for i in range(len(rows)):
        pivot = next(k for k in range(i, len(rows)) if rows[k][i])
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for k in range(len(rows)):
            if k != i and rows[k][i]:
                rows[k] = [x - rows[k][i] * y for x, y in zip(rows[k], rows[i], strict=True)]
    return [row[len(matrix) :] for row in rows]
