"""The kinds of arrays the count works on."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]
# Sets as bits, one row a set, 64 members a word; as many words as the vocabulary needs.
Bits: TypeAlias = NDArray[np.uint64]

# Stars inside the engine are integers of 1e-18 star (D10); 5 stars are 5e18, which an Int64 holds.
UNITS_PER_STAR = 10**18
UNITS_PER_PLACE = 10**10  # 1e-18 in the eighth place


def words_for(bits: int) -> int:
    """Number of 64-bit words that hold ``bits`` bits; at least one."""
    return max(1, -(-bits // 64))


def not_empty(sets: Bits) -> Flags:
    """Which of the sets hold anything; word by word, many times faster than along the short axis."""
    found: Flags = sets[:, 0] != 0
    for word in range(1, sets.shape[1]):
        found |= sets[:, word] != 0
    return found


def set_bits(bits: Bits, rows: Ints, numbers: Ints) -> None:
    """Put each number into the set of its row."""
    numbers = numbers.astype(np.uint64)
    np.bitwise_or.at(
        bits, (rows, (numbers // np.uint64(64)).astype(np.int64)), np.uint64(1) << (numbers % np.uint64(64))
    )
