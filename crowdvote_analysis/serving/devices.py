"""Browsers that somebody signed in with before: whoever else guesses at the name does not keep its owner out there.

A browser proves it with a cookie. It is signed with the stamp of the user, which nobody knows without the users file;
so nothing else has to be kept, and another password or role ends it. It is no session: it opens nothing by itself.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crowdvote_analysis.serving.users import User


def new_device(user: User) -> str:
    """What a browser is given when somebody has signed in with it; it does not tell their name."""
    device = secrets.token_urlsafe(16)
    return f"{device}.{_signature(user, device)}"


def known_device(given: str | None, user: User | None) -> str | None:
    """The id of a browser that this user signed in with before; ``None`` for any other.

    Args:
        given: What the browser sent.
        user: Whose name is tried, if it is somebody's.
    """
    if given is None or user is None:
        return None
    device, _, signature = given.partition(".")
    return device if hmac.compare_digest(signature.encode(), _signature(user, device).encode()) else None


def _signature(user: User, device: str) -> str:
    return hmac.new(user.stamp.encode(), f"device {user.name} {device}".encode(), hashlib.sha256).hexdigest()
