"""Wrong passwords: what is locked stays locked, whatever else is tried."""

from __future__ import annotations

import pytest

from crowdvote_analysis.serving import users
from crowdvote_analysis.serving.attempts import (
    MOST_OF_DEVICE,
    MOST_OF_NETWORK,
    MOST_OF_SITE,
    MOST_OF_USER,
    WINDOW,
    Attempts,
)
from crowdvote_analysis.serving.users import hash_password, is_password
from tests.serving.conftest import Clock

FLOOD = 22_000


def begun(clock: Clock, **places: int) -> Attempts:
    """Attempts whose places are the same in every run."""
    attempts = Attempts(clock, **places)
    attempts._secret = bytes(16)
    return attempts


def locked(attempts: Attempts, name: str = "kofi") -> None:
    """Use up the tries of a name, from two networks."""
    for number in range(MOST_OF_USER):
        assert attempts.begin(name, f"2001:db8:{number % 2}::1")
    assert not attempts.begin(name, "192.0.2.1")


def test_a_flood_of_names_from_one_network_frees_no_lock():
    """Nor from many: a lock ends with its time, and no sooner."""
    clock = Clock()
    attempts = begun(clock)
    locked(attempts)
    let_in = sum(attempts.begin(f"name{number}", f"2001:db8:7:7::{number:x}") for number in range(FLOOD))
    assert let_in == MOST_OF_NETWORK
    for number in range(FLOOD):
        attempts.begin(f"other{number}", f"10.{number >> 12 & 255}.{number >> 4 & 255}.1")
    assert not attempts.begin("kofi", "192.0.2.1")
    assert not attempts.begin("somebody", "2001:db8:7:7::ffff:1")
    clock.time += WINDOW
    assert not attempts.begin("kofi", "192.0.2.1")
    clock.time += 1
    assert attempts.begin("kofi", "192.0.2.1")


def test_a_flood_locks_nobody_else():
    """Whoever has neither a name nor a network of the flood gets in."""
    attempts = begun(Clock())
    for number in range(FLOOD):
        attempts.begin(f"name{number}", f"10.{number >> 12 & 255}.{number >> 4 & 255}.1")
    assert attempts.begin("maya", "192.0.2.7")


def test_memory_is_bounded_whatever_is_tried():
    """With few places: all of them are full, nothing was dropped, and no place holds more than it may."""
    attempts = begun(Clock(), names=8, networks=8)
    for number in range(2_000):
        attempts.begin(f"name{number}", f"10.0.{number % 250}.1")
    assert len(attempts._made) <= 2 * 8
    assert sum(map(len, attempts._made.values())) <= 2 * 8 * MOST_OF_USER
    assert max(len(made) for (kind, _), made in attempts._made.items() if kind == "user") == MOST_OF_USER


def test_success_forgets_tries_of_that_name_alone():
    """Also where another name stands in the same place."""
    attempts = begun(Clock(), names=1)
    for number in range(MOST_OF_USER - 1):
        assert attempts.begin("maya", f"192.0.2.{number}")
    assert attempts.begin("kofi", "192.0.2.9")
    attempts.succeed("kofi", "192.0.2.9")
    assert attempts.begin("kofi", "192.0.2.9")
    assert not attempts.begin("maya", "192.0.2.9")


def test_what_is_over_leaves_nothing_behind():
    """Memory of a flood is free again when it no longer counts."""
    clock = Clock()
    attempts = begun(clock)
    for number in range(200):
        attempts.begin(f"name{number}", f"10.0.{number}.1")
    clock.time += WINDOW + 1
    attempts.begin("kofi", "192.0.2.1")
    assert len(attempts._made) == 2


def test_refused_attempts_leave_nothing_behind():
    """Names that are tried while a network is blocked cost no memory."""
    attempts = begun(Clock())
    for number in range(MOST_OF_NETWORK):
        assert attempts.begin(f"user {number}", "address")
    before = len(attempts._made)
    assert not any(attempts.begin(f"other {number}", "address") for number in range(100))
    assert len(attempts._made) == before


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("unknown", "unknown", True),
    ],
)
def test_one_network_is_one(one, other, together):
    """A /64 of IPv6 is one machine's; IPv4 is the same in either spelling."""
    attempts = begun(Clock())
    for number in range(MOST_OF_NETWORK):
        assert attempts.begin(f"name{number}", one)
    assert attempts.begin("maya", other) is not together


def test_many_networks_of_one_site_are_limited_together():
    """Whoever is given a /48 has not sixty-five thousand times as many tries."""
    attempts = begun(Clock())
    let_in = sum(attempts.begin(f"name{number}", f"2001:db8:1:{number:x}::1") for number in range(2 * MOST_OF_SITE))
    assert let_in == MOST_OF_SITE


def test_a_known_browser_is_counted_apart_and_bounded():
    """Five tries of its own, while the name is locked."""
    attempts = begun(Clock())
    locked(attempts)
    assert [attempts.begin("kofi", "192.0.2.1", "device") for _ in range(MOST_OF_DEVICE + 1)] == [True] * 5 + [False]


@pytest.mark.parametrize("given", ["wrong", "x" * 1025, "x" * 16_000, ""])
@pytest.mark.parametrize("known", [True, False])
def test_every_try_costs_one_hash(monkeypatch, given, known):
    """Of a known name or not, of a password that is too long or not: time tells nothing."""
    hashed, costs = hash_password("a long pass word") if known else None, []
    real = users._scrypt
    monkeypatch.setattr(users, "_scrypt", lambda *given, **cost: costs.append(cost) or real(*given, **cost))
    assert not is_password(given, hashed)
    assert len(costs) == 1


def test_a_password_that_begins_like_the_right_one_is_wrong():
    """What is beyond the longest password is not simply cut off."""
    assert not is_password("x" * 1025, hash_password("x" * 1024))
