"""Sign-in attempts, limited by name and by network, or by browser where the owner of the name signed in before.

What failed stands in a fixed number of places, found by a digest with a secret of this process. So memory is bounded
and nothing has to be dropped to make room: whatever else is tried, a lock holds until its time is over. Whoever floods
the places cannot know which ones they share with others.
"""

from __future__ import annotations

import ipaddress
import secrets
import threading
import time
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW = 15 * 60.0  # seconds
MOST_OF_USER, MOST_OF_NETWORK, MOST_OF_DEVICE = 5, 20, 5
# Whoever is given a network by a provider often has many of the size that one machine needs.
MOST_OF_SITE = 10 * MOST_OF_NETWORK
# For names and browsers, and for networks. Five attempts of each name bound all of them: 330,000, some 100 MB. Of the
# 30,000 that a quarter of an hour leaves time for, with another name each, a further name is locked in one of 9,000
# cases, and a further network in one of 170.
_NAMES, _NETWORKS = 2**16, 2**18

_Key = tuple[str, str]


class Attempts:
    """Counts attempts that failed, or have not ended yet, within a quarter of an hour.

    Those of a browser that the owner of the name is known by (``device``) are counted apart from all others: neither do
    strangers use them up, nor does the owner give strangers new ones by signing in.

    Args:
        clock: Seconds that only grow.
        names: Places for names, and as many for browsers.
        networks: Places for networks, and as many for sites.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, names: int = _NAMES, networks: int = _NETWORKS
    ) -> None:
        self._clock, self._secret = clock, secrets.token_bytes(16)
        self._places = {"user": names, "device": names, "network": networks, "site": networks}
        # Attempts by kind and place: when, and of which key. No place holds more than may be made.
        self._made: dict[tuple[str, int], list[tuple[float, int]]] = {}
        self._swept = clock()
        self._lock = threading.Lock()

    def begin(self, name: str, address: str, device: str | None = None) -> bool:
        """Begin an attempt; whether it may be made. It counts at once, so that many at the same time count as many."""
        now, keys = self._clock(), _keys(name, address, device)
        with self._lock:
            self._sweep(now)
            found = [(self._place(key), most) for key, most in keys.items()]
            if any(len(self._recent(place, now)) >= most for (place, _), most in found):
                return False
            for (place, key), _ in found:
                self._made.setdefault(place, []).append((now, key))
            return True

    def succeed(self, name: str, address: str, device: str | None = None) -> None:
        """The attempt was no failure: those of this name or browser are forgotten, and this one of the networks."""
        own, *shared = (self._place(key) for key in _keys(name, address, device))
        with self._lock:
            self._made[own[0]] = [made for made in self._made.get(own[0], []) if made[1] != own[1]]
            for place, key in shared:
                made = self._made.get(place, [])
                latest = next((at for at in reversed(range(len(made))) if made[at][1] == key), None)
                if latest is not None:
                    del made[latest]

    def _place(self, key: _Key) -> tuple[tuple[str, int], int]:
        """Where a key stands, and what tells it from others there."""
        kind, text = key
        digest = blake2b(text.encode("utf-8", "surrogatepass"), key=self._secret, digest_size=16).digest()
        number = int.from_bytes(digest, "big")
        return (kind, number % self._places[kind]), number

    def _recent(self, place: tuple[str, int], now: float) -> list[tuple[float, int]]:
        return [made for made in self._made.get(place, []) if now - made[0] <= WINDOW]

    def _sweep(self, now: float) -> None:
        """Drop what no longer counts, once in a while."""
        if now - self._swept > WINDOW:
            self._swept = now
            self._made = {place: recent for place in self._made if (recent := self._recent(place, now))}


def _keys(name: str, address: str, device: str | None) -> dict[_Key, int]:
    """What an attempt counts for, and how many may be made; the first is forgotten by success."""
    if device is not None:
        return {("device", device): MOST_OF_DEVICE}
    user: dict[_Key, int] = {("user", name.casefold()[:64]): MOST_OF_USER}
    return user | {(kind, network): most for kind, network, most in _networks(address)}


def _networks(address: str) -> list[tuple[str, str, int]]:
    """The networks of an address: one machine may use every address of a /64 of IPv6, and has often a /48 of them."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return [("network", address, MOST_OF_NETWORK)]
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if found.version == 4:
        return [("network", str(found), MOST_OF_NETWORK)]
    sizes = (("network", 64, MOST_OF_NETWORK), ("site", 48, MOST_OF_SITE))
    return [(kind, f"{int(found) >> 128 - size:x}/{size}", most) for kind, size, most in sizes]
