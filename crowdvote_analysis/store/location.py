"""Where a store lies: a folder of this machine, or object storage by its URL."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from crowdvote_analysis.confinement import local_path, require_allowed
from crowdvote_analysis.errors import StoreError
from crowdvote_analysis.store.locking import locked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PATIENCE = 60.0
# The object whose time is that of the object storage.
_CLOCK = "clock"
# Options of the connection rather than the storage; the libraries that read tables take both in one.
_CLIENT = ("allow_http", "allow_invalid_certificates", "connect_timeout", "proxy_url", "timeout", "user_agent")

# What delta-rs reads otherwise than it is written, in any part of a path; nothing but another name helps.
_IN_THE_WAY = re.compile(r"[\[\]|^\\\x00-\x1f\x7f\ud800-\udfff]|%[0-9A-Fa-f]{2}|^_delta_log$")


@dataclass(frozen=True)
class Location:
    """A folder, or a URL such as ``s3://bucket/garden`` with the options its object storage needs.

    Attributes:
        url: The absolute path of the folder, or the URL.
        options: Keys and values for the object storage, those of the Rust library object_store, such as
            ``aws_endpoint_url``; never shown, as secrets are among them. Empty for a folder.
        secret: What makes the pseudonyms of this store impossible to guess (P1); never shown.
    """

    url: str
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    secret: str = field(default="", repr=False)

    @classmethod
    def of(cls, where: str | Path, options: Mapping[str, str] | None = None) -> Location:
        """The location that a path or URL means.

        Raises:
            ConfinedError: This process reads another one only.
        """
        require_allowed(where)
        path = local_path(where)
        if path is not None:
            return cls(str(path.resolve()))
        scheme, sign, rest = str(where).partition("://")
        return cls(scheme + sign + rest.rstrip("/"), dict(options or {}))

    @property
    def folder(self) -> Path | None:
        """The folder; none on object storage."""
        return None if "://" in self.url else Path(self.url)

    def __str__(self) -> str:
        return self.url

    def require_usable(self) -> None:
        """Refuse a folder that the library of Delta tables would miss: it takes its path for a part of a URL.

        Raises:
            StoreError: What is in the way, and what to do.
        """
        for part in self.folder.parts if self.folder else ():
            found = _IN_THE_WAY.search(part)
            if found:
                raise StoreError(
                    f"{self}: Delta tables cannot be opened under the name {part!r}, because of {found[0]!r}; take "
                    "another folder for the store, or rename that one. Nothing was made."
                )

    def table(self, name: str) -> str:
        """Where a Delta table lies."""
        return f"{self.url}/{name}"

    @cached_property
    def files(self) -> Any:
        """The files beside the Delta tables, as an ``obstore`` store."""
        from obstore.store import LocalStore, from_url

        if self.folder is not None:
            return LocalStore(self.url)
        config: dict[str, str] = {}
        client: dict[str, str] = {}
        for name, value in self.options.items():
            key = name.lower()
            plain = key.removeprefix("aws_").removeprefix("azure_").removeprefix("google_")
            (client if plain in _CLIENT else config)[plain if plain in _CLIENT else key] = value
        return from_url(self.url, config=config, client_options=client)  # type: ignore[call-overload]

    def now(self) -> datetime:
        """The clock of the storage (UTC): the time it gives to a file that is made there now.

        Coarse: a file system may be some milliseconds behind, object storage a second.

        Raises:
            StoreError: Nothing can be written there.
        """
        from obstore.exceptions import BaseError

        try:
            if "://" not in self.url:
                with tempfile.TemporaryFile(dir=self.url) as made:
                    return datetime.fromtimestamp(os.fstat(made.fileno()).st_mtime, UTC)
            self.files.put(_CLOCK, b"")
            at: datetime = self.files.head(_CLOCK)["last_modified"]
        except (OSError, BaseError) as error:
            kind = getattr(error, "strerror", None) or type(error).__name__  # not its text, which may quote secrets
            raise StoreError(f"{self}: cannot be written to ({kind}).") from None
        return at.astimezone(UTC)

    def require_conditions(self) -> None:
        """Refuse object storage that does not keep to conditional writes: two machines would make the same commit.

        Tried out with an object that is removed again. A folder has locks instead.

        Raises:
            StoreError: A second "put if absent", or a write for a version that is there no more, was not refused.
        """
        from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

        if self.folder is not None:
            return
        name = f"probe-{uuid4().hex}"
        told = "a second creation of an object"
        try:
            self.files.put(name, b"1", mode="create")
            try:
                self.files.put(name, b"2", mode="create")
            except AlreadyExistsError:
                told = "a write in the place of a version that is gone"
                before = self.files.head(name)["e_tag"]
                self.files.put(name, b"3")
                try:
                    self.files.put(name, b"4", mode={"e_tag": before})
                except PreconditionError:
                    return
        except (BaseError, NotImplementedError, OSError) as error:  # not its text, which may quote secrets
            raise StoreError(
                f"{self}: cannot be tried out for conditional writes ({type(error).__name__}), which a store needs. "
                "Check the URL and the storage options."
            ) from None
        finally:
            with suppress(BaseError, OSError):
                self.files.delete(name)
        raise StoreError(
            f"{self}: the object storage takes {told}, where it was told not to. With several writers commits would be "
            "lost there. Use one that keeps to conditional writes (If-None-Match and If-Match), as S3 does."
        )

    @contextmanager
    def turn(self, name: str, timeout: float = _PATIENCE) -> Iterator[None]:
        """Take turns at something in the store, across processes of this machine.

        On object storage the file of the lock lies in the temporary folder of this machine: processes of several
        machines are kept apart by conditional writes only.

        Raises:
            BusyError: Others did not finish in time.
            UnreadableFileError: The folder cannot be written to.
        """
        folder = self.folder
        if folder is None:
            folder = Path(tempfile.gettempdir()) / "crowdvote-locks"
            folder.mkdir(exist_ok=True)
            name = f"{hashlib.sha256(self.url.encode()).hexdigest()[:16]}-{name}"
        with locked(folder, timeout, f".{name}.lock"):
            yield
