"""Which communities somebody may look at, and in which they may act: the role of their account, and who they are there.

An account may be tied to members of communities. What it may do is what both allow at this moment: a manager whose
account is tied acts where that member is a manager, and nowhere else. The member's id stays here (P1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crowdvote_analysis.serving.users import User
    from crowdvote_analysis.store.store import Store


@dataclass(frozen=True)
class Access:
    """Who may do what in the communities of a store.

    Attributes:
        store: The store.
        users: Gives everybody who may sign in, by name, as of now.
        own_only: Whether people see only the communities they are members of.
    """

    store: Store
    users: Callable[[], Mapping[str, User]]
    own_only: bool = False

    def seen(self, name: str) -> frozenset[str] | None:
        """The communities that somebody may look at; ``None`` for all of them.

        Args:
            name: The name of the account. A manager whose account is tied to nobody sees everything.
        """
        user = self.users().get(name)
        if user is None:
            return frozenset()
        if not self.own_only or (user.role == "manager" and not user.ties):
            return None
        return frozenset(self._memberships(user))

    def managed(self, name: str) -> frozenset[str] | None:
        """The communities that somebody may act in; ``None`` for all of them.

        Args:
            name: The name of the account. A manager whose account is tied to nobody acts everywhere, a viewer nowhere.
        """
        user = self.users().get(name)
        if user is None or user.role != "manager":
            return frozenset()
        if not user.ties:
            return None
        return frozenset(community for community, is_manager in self._memberships(user).items() if is_manager)

    def astray(self) -> list[tuple[str, str]]:
        """The ties that lead to nobody: names of accounts, and communities."""
        return [
            (user.name, community)
            for user in self.users().values()
            if user.ties
            for known in [self._memberships(user)]
            for community, _ in user.ties
            if community not in known
        ]

    def _memberships(self, user: User) -> dict[str, bool]:
        """The communities in which an account is tied to a member who is there now, and whether they manage it."""
        if not user.ties:
            return {}
        members = self.store.cut().rows("members").select("community_id", "member_id", "is_manager")
        managing = {(community, member): is_manager for community, member, is_manager in members.iter_rows()}
        return {tie[0]: managing[tie] for tie in user.ties if tie in managing}
