"""Taking turns at a folder, programs of other people too."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from crowdvote_analysis.errors import BusyError, UnreadableFileError, reason

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCK = ".crowdvote.lock"
_PATIENCE = 60.0
# Often enough that a turn is not waited for longer than it takes.
_LOOK = 0.005


@contextmanager
def locked(folder: str | Path, timeout: float = _PATIENCE, name: str = _LOCK) -> Iterator[None]:
    """Keep other writers out of a folder of tables, those of other programs too.

    Whoever reads, decides and writes does all of it inside, so that nothing is decided on tables that have changed.
    The operating system ends the turn of a program that dies.

    Args:
        folder: The folder; the file of the lock stays in it.
        timeout: Seconds to wait for others.
        name: Name of the file; who takes turns at different things in one folder uses different names.

    Raises:
        BusyError: Others did not finish in time.
        UnreadableFileError: The folder is not there or cannot be written to.
    """
    from filelock import FileLock, Timeout

    if not Path(folder).is_dir():  # the lock would make it
        raise UnreadableFileError(f"{folder}: there is no such folder.")
    path = Path(folder) / name
    lock = FileLock(path, timeout=timeout, poll_interval=_LOOK)
    try:
        _make_lock_file(path)
        lock.acquire()
    except Timeout:
        raise BusyError(f"{folder}: is being written to by another program. Try again.") from None
    except OSError as error:
        raise UnreadableFileError(
            f"{path}: cannot be opened for writing ({reason(error)}). It is what programs that write take "
            "turns by: whoever writes needs the right to write to it and to its folder."
        ) from None
    try:
        yield
    finally:
        lock.release()


def _make_lock_file(path: Path) -> None:
    """Make sure that the file of the lock is there and can be written to by whoever can write to its folder."""
    mode = 0o666 & path.parent.stat().st_mode
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        os.close(os.open(path, os.O_RDWR))
        return
    try:
        if os.name == "posix":  # whatever the mask of this process; elsewhere a file takes the rights of its folder
            os.fchmod(handle, mode)
    finally:
        os.close(handle)
