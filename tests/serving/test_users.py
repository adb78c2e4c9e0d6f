"""The users file, and the commands that look after it."""

from __future__ import annotations

import io
import json
import stat
import sys

import pytest

from crowdvote_analysis.serving import users
from crowdvote_analysis.serving.users import UsersError, add_user, hash_password, is_password, read_users, set_password
from tests.command import crowdvote

PASSWORD = "a long pass word ★"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "settings" / "users.json"


def test_passwords_are_kept_hashed_and_salted(file):
    """The file tells no password, not even that two are the same, and nobody else may read it."""
    for name in ("maya", "kofi"):
        add_user(file, name, "viewer", PASSWORD)
    known = read_users(file)
    assert PASSWORD not in file.read_text("utf-8")
    assert known["maya"].password != known["kofi"].password
    assert is_password(PASSWORD, known["maya"].password)
    assert not is_password(PASSWORD + " ", known["maya"].password)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_hashing_costs_what_it_should(monkeypatch):
    """Guessing is slow: 32 MB for every try, whether or not there is such a user."""
    monkeypatch.undo()
    assert users._NOBODY.startswith("scrypt$32768$8$1$")
    assert not is_password("", None)
    assert not is_password("x" * 5000, hash_password(PASSWORD))


def test_a_stamp_changes_with_role_and_password(file):
    """That is how sessions notice."""
    add_user(file, "maya", "viewer", PASSWORD)
    before = read_users(file)["maya"].stamp
    set_password(file, "maya", PASSWORD)
    assert read_users(file)["maya"].stamp != before


@pytest.mark.parametrize("name", ["", "a b", "a]b", "a\nb", "x" * 65])
def test_names_fit_a_line_of_the_log(file, name):
    """A name has letters, digits and few signs."""
    with pytest.raises(UsersError, match="a name has"):
        add_user(file, name, "viewer", PASSWORD)


def test_what_is_refused_changes_nothing(file, tmp_path):
    """A name that is taken, in whatever capitals, a short password, somebody unknown, a damaged file."""
    add_user(file, "maya", "viewer", PASSWORD)
    before = file.read_bytes()
    with pytest.raises(UsersError, match="is a user already"):
        add_user(file, "Maya", "manager", PASSWORD)
    with pytest.raises(UsersError, match="at least 10"):
        add_user(file, "kofi", "viewer", "short")
    with pytest.raises(UsersError, match="no user 'kofi'"):
        set_password(file, "kofi", PASSWORD)
    assert file.read_bytes() == before
    (tmp_path / "broken.json").write_text("{}")
    with pytest.raises(UsersError, match="is no file of users"):
        read_users(tmp_path / "broken.json")
    with pytest.raises(UsersError, match="there is no such file"):
        read_users(tmp_path / "nothing.json")


def test_users_do_not_lie_in_a_store(tmp_path):
    """A store is copied and published; passwords are not."""
    (tmp_path / "store.json").write_text("{}")
    with pytest.raises(UsersError, match="inside a store"):
        add_user(tmp_path / "deep" / "users.json", "maya", "viewer", PASSWORD)


def test_the_commands_look_after_the_file(file, monkeypatch):
    """Passwords are read, never given on the command line, and never printed."""

    def said(*arguments: str, typed: str = "", code: int = 0) -> str:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        done = crowdvote("users", *arguments, "--users", file)
        assert done.returncode == code, done.stderr
        assert not typed.strip() or typed.strip() not in done.stdout + done.stderr
        return done.stdout + done.stderr

    assert "maya may sign in as manager" in said("add", "maya", "--role", "manager", typed=PASSWORD + "\n")
    assert "at least 10" in said("add", "kofi", typed="short\n", code=1)
    assert json.loads(said("list", "--json")) == [{"name": "maya", "role": "manager", "communities": []}]
    said("passwd", "maya", typed="another pass word\n")
    assert is_password("another pass word", read_users(file)["maya"].password)
    assert said("remove", "maya") == "maya may not sign in any more.\n"
    assert "Nobody may sign in" in said("list")
