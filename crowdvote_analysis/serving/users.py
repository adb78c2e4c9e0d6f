"""Who may sign in: a file with names, roles and hashed passwords, outside of the store."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import secrets
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from crowdvote_analysis.documents import parse_json
from crowdvote_analysis.errors import CrowdVoteError
from crowdvote_analysis.store.locking import locked
from crowdvote_analysis.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Role: TypeAlias = Literal["viewer", "manager"]
ROLES: tuple[Role, ...] = ("viewer", "manager")
SHORTEST, _LONGEST = 10, 1024

# Some 60 ms and 32 MB for one password.
_COST = {"n": 2**15, "r": 8, "p": 1}
_MEMORY = 64 * 1024 * 1024
_NAME = re.compile(r"[\w.@-]{1,64}")
_WHAT, _FORMAT = "crowdvote users", 1


class UsersError(CrowdVoteError):
    """The users file is not there or damaged, or what is asked of it is refused; nothing has changed."""


@dataclass(frozen=True)
class User:
    """Somebody who may sign in.

    Attributes:
        name: Their name; it stands in logs.
        role: ``viewer`` or ``manager``.
        password: Salt and hash of the password, as text.
        ties: The members they are: community and member, one of a community, sorted. Shown to nobody (P1).
    """

    name: str
    role: Role
    password: str
    ties: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def stamp(self) -> str:
        """Changes with role, password and ties; sessions of an earlier one are over."""
        tied = json.dumps(self.ties) if self.ties else ""
        return hashlib.sha256(f"{self.role} {self.password}{tied}".encode()).hexdigest()


def hash_password(password: str) -> str:
    """Salt and hash a password with scrypt: ``scrypt$n$r$p$salt$hash``."""
    salt = secrets.token_bytes(16)
    cost = "$".join(str(_COST[name]) for name in "nrp")
    return f"scrypt${cost}${_text(salt)}${_text(_scrypt(password, salt, **_COST))}"


def is_password(password: str, hashed: str | None) -> bool:
    """Whether it is the password that was hashed.

    Every try takes as long, also of somebody unknown and with a password that is longer than any, so that names stay
    hidden.
    """
    _, n, r, p, salt, known = (hashed or _NOBODY).split("$")
    given = _scrypt(password[:_LONGEST], base64.b64decode(salt), n=int(n), r=int(r), p=int(p))
    is_same = hmac.compare_digest(given, base64.b64decode(known))
    return is_same and hashed is not None and len(password) <= _LONGEST


def read_users(path: Path) -> dict[str, User]:
    """Everybody who may sign in, by name.

    Raises:
        UsersError: The file is not there, or is no users file.
    """
    try:
        document = parse_json(path.read_text("utf-8"))
        if document["what"] != _WHAT or document["format"] != _FORMAT:
            raise ValueError
        return {name: _user(name, row) for name, row in sorted(document["users"].items())}
    except FileNotFoundError:
        raise UsersError(f"{path}: there is no such file. Make it with: crowdvote users add NAME") from None
    except OSError as error:
        raise UsersError(f"{path}: cannot be read ({error.strerror}).") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UsersError(f"{path}: is no file of users. Make one with: crowdvote users add NAME --users FILE") from None


def add_user(path: Path, name: str, role: Role, password: str) -> None:
    """Add somebody; the file is made if it is not there.

    Raises:
        UsersError: The name is taken or not allowed, or the password too short.
    """
    if not _NAME.fullmatch(name):
        raise UsersError(f"{name!r}: a name has 1 to 64 letters, digits or signs of . _ - @.")
    _change(path, lambda users: {**users, _free(users, name): User(name, role, _checked(password))})


def remove_user(path: Path, name: str) -> None:
    """Remove somebody; sessions of theirs are over.

    Raises:
        UsersError: There is nobody of that name.
    """
    _change(path, lambda users: {each: user for each, user in users.items() if each != _known(users, name).name})


def set_password(path: Path, name: str, password: str) -> None:
    """Give somebody another password; sessions of theirs are over.

    Raises:
        UsersError: There is nobody of that name, or the password is too short.
    """
    _change(path, lambda users: {**users, name: replace(_known(users, name), password=_checked(password))})


def tie_user(path: Path, name: str, community_id: str, member_id: str) -> None:
    """Say which member of a community somebody is; sessions of theirs are over.

    Args:
        path: The users file.
        name: The name of the account.
        community_id: The community.
        member_id: The member; in the place of another one of the same community.

    Raises:
        UsersError: There is nobody of that name, or an id is empty. No error tells the member (P1).
    """
    community_id, member_id = plain(community_id), plain(member_id)
    if not community_id or not member_id:
        raise UsersError("the id of a community and of a member are needed; crowdvote query shows them.")

    def change(users: Mapping[str, User]) -> Mapping[str, User]:
        user = _known(users, name)
        ties = {**dict(user.ties), community_id: member_id}
        return {**users, name: replace(user, ties=tuple(sorted(ties.items())))}

    _change(path, change)


def untie_user(path: Path, name: str, community_id: str) -> None:
    """Say that somebody is no member of a community any more, as far as the pages know; sessions of theirs are over.

    Raises:
        UsersError: There is nobody of that name, or they are tied to nobody there.
    """
    community_id = plain(community_id)

    def change(users: Mapping[str, User]) -> Mapping[str, User]:
        user = _known(users, name)
        if community_id not in dict(user.ties):
            raise UsersError(f"{name} is tied to no member of {community_id!r}. crowdvote users list shows the ties.")
        return {**users, name: replace(user, ties=tuple(tie for tie in user.ties if tie[0] != community_id))}

    _change(path, change)


def users_of(path: Path) -> Callable[[], dict[str, User]]:
    """Everybody who may sign in, as of whenever it is asked for; nobody while the file cannot be read.

    The file is read again when it is another one, as after every change: asking costs next to nothing.
    """
    known: dict[tuple[int, ...], dict[str, User]] = {}

    def users() -> dict[str, User]:
        nonlocal known
        try:
            found = path.stat()
            mark = (found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size)
            read = known.get(mark)
            if read is None:
                read = read_users(path)
                known = {mark: read}
        except (OSError, UsersError):
            return {}
        return read

    return users


def require_outside(path: Path, store: str | Path) -> None:
    """See to it that the users file does not lie in the folder of a store, which is copied and published.

    Raises:
        UsersError: It does.
    """
    if "://" not in str(store) and path.resolve().is_relative_to(Path(store).resolve()):
        raise UsersError(f"{path}: lies inside the store {store}. Keep the users outside of it: --users FILE")


def _change(path: Path, change: Callable[[Mapping[str, User]], Mapping[str, User]]) -> None:
    """Change the file: as a whole or not at all, one program at a time, for nobody else to read."""
    if any((folder / "store.json").is_file() for folder in path.resolve().parents):
        raise UsersError(f"{path}: lies inside a store. Keep the users outside of it: --users FILE")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(path.parent, 10.0, f".{path.name}.lock"):
            users = change(read_users(path) if path.exists() else {})
            rows = {name: _row(user) for name, user in sorted(users.items())}
            text = json.dumps({"what": _WHAT, "format": _FORMAT, "users": rows}, ensure_ascii=False, indent=2) + "\n"
            beside = path.with_name(f".{path.name}.part")
            beside.unlink(missing_ok=True)
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
            beside.replace(path)
    except OSError as error:
        raise UsersError(f"{path}: cannot be written ({error.strerror}).") from None


def _user(name: str, row: Mapping[str, Any]) -> User:
    ties = row.get("members", {})
    if not all(isinstance(text, str) for tie in ties.items() for text in tie):
        raise ValueError
    return User(name, row["role"], row["password"], tuple(sorted(ties.items())))


def _row(user: User) -> dict[str, Any]:
    tied = {"members": dict(user.ties)} if user.ties else {}
    return {"role": user.role, "password": user.password, **tied}


def _free(users: Mapping[str, User], name: str) -> str:
    # Names that differ by capitals alone would be taken for one another.
    if name.casefold() in {each.casefold() for each in users}:
        raise UsersError(f"{name!r} is a user already. Another password: crowdvote users passwd {name}")
    return name


def _known(users: Mapping[str, User], name: str) -> User:
    if name not in users:
        raise UsersError(f"there is no user {name!r}. crowdvote users list shows them.")
    return users[name]


def _checked(password: str) -> str:
    if not SHORTEST <= len(password) <= _LONGEST:
        raise UsersError(f"the password has {len(password):,} characters; it needs at least {SHORTEST}.")
    return hash_password(password)


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode("utf-8", "surrogatepass"), salt=salt, n=n, r=r, p=p, maxmem=_MEMORY, dklen=32)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


# Of no password: what is compared with where there is no such user.
_NOBODY = f"scrypt${_COST['n']}${_COST['r']}${_COST['p']}${_text(bytes(16))}${_text(bytes(32))}"
