"""One place for a whole process: pages that are served to others read the store they are served for, and nothing else.

A page may name a folder in its address or in a box. On the machine of one person that is a convenience; on a server it
would show every table there to everybody. ``crowdvote serve`` sets the place before it answers anybody.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from crowdvote_analysis.errors import CrowdVoteError

VARIABLE = "CROWDVOTE_ONLY"


class ConfinedError(CrowdVoteError):
    """Something else was asked for than the one place of this process."""


def only_place() -> str | None:
    """The one place that is read here: a folder or URL; ``None`` where everything may be read."""
    return os.environ.get(VARIABLE) or None


def require_allowed(place: str | Path) -> None:
    """Refuse to read anything but the one place, where there is one.

    Raises:
        ConfinedError: It is another one.
    """
    only = only_place()
    if only is not None and ("\x00" in str(place) or _plain(place) != _plain(only)):
        raise ConfinedError("These pages show one store, the one they are served for; other folders are not read here.")


def local_path(place: str | Path) -> Path | None:
    """The folder or file of this machine that a path or a ``file://`` URL means; none for other URLs."""
    if isinstance(place, str) and place.startswith("file://"):
        return Path(unquote(urlsplit(place.replace("?", "%3F").replace("#", "%23")).path))
    return None if isinstance(place, str) and "://" in place else Path(place)


def _plain(place: str | Path) -> str:
    path = local_path(place)
    return str(place).rstrip("/") if path is None else str(path.resolve())
