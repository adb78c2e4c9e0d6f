"""Damages that disks and networks do to files."""

from __future__ import annotations

import random
from collections.abc import Iterator


def damaged(data: bytes, number: int, seed: int) -> Iterator[bytes]:
    """So many copies of some bytes, each with flipped bits, cut off, with zeros in it, or with bytes missing."""
    rng = random.Random(seed)
    while number:
        copy, place = bytearray(data), rng.randrange(len(data))
        size = rng.choice([1, 4, 16, 64, 512])
        match rng.choice(["bits", "bits", "cut", "zeros", "missing"]):
            case "bits":
                for _ in range(rng.choice([1, 1, 3, 10])):
                    copy[rng.randrange(len(copy))] ^= 1 << rng.randrange(8)
            case "cut":
                del copy[place:]
            case "zeros":
                copy[place : place + size] = bytes(len(copy[place : place + size]))
            case "missing":
                del copy[place : place + size]
        if copy != data:
            number -= 1
            yield bytes(copy)
