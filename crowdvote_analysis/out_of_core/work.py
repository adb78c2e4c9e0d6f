"""The work folder of a count: arrays in memory-mapped files, and a manifest of what is finished.

A run that was ended goes on where it was: a stage that the manifest names is whole, anything else is made again. The
manifest holds for one input (by the hashes of its files); with another the work begins anew.
"""

from __future__ import annotations

import json
import mmap
import shutil
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout

from crowdvote_analysis.documents import parse_json
from crowdvote_analysis.errors import BusyError
from crowdvote_analysis.limits import MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import BinaryIO

    from numpy.typing import DTypeLike, NDArray

    Array = NDArray[Any]

# Part of the memory above which pages are handed back, and how often is looked, in seconds.
_FULL, _LOOK = 0.7, 0.03
_STATM = Path("/proc/self/statm")


class Work:
    """Arrays by name, and which stages are finished.

    Args:
        folder: Where they lie; made if it is not there.
        memory: Bytes of memory that may be resident: above it, pages of the files are handed back to the system, which
            keeps them as long as it has room.
    """

    def __init__(self, folder: Path, memory: int = MEMORY) -> None:
        self.folder, self.memory = folder, memory
        self._maps: dict[str, mmap.mmap] = {}
        self._stages: dict[str, dict[str, Any]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(folder / "lock")
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise BusyError(
                f"{folder.parent}: another count is at work there. Wait for it, or take another folder."
            ) from None

        self._ended = threading.Event()
        if hasattr(mmap, "MADV_DONTNEED"):
            threading.Thread(target=self._relieve, daemon=True).start()

    @property
    def _manifest(self) -> Path:
        return self.folder / "manifest.json"

    def known_files(self) -> dict[str, Any]:
        """The files that the manifest is about, with their hashes."""
        files: dict[str, Any] = self._recorded().get("about", {}).get("files", {})
        return files

    def _recorded(self) -> dict[str, Any]:
        """What the manifest says; nothing where there is none, or one that is damaged: then all is made again."""
        try:
            known = parse_json(self._manifest.read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        parts = [known.get(name) for name in ("about", "stages")] if isinstance(known, dict) else [None]
        return known if all(isinstance(part, dict) for part in parts) else {}

    def begin(self, about: Mapping[str, Any]) -> bool:
        """Go on with what was finished about the same input; otherwise begin with nothing. Whether it goes on."""
        known = self._recorded()
        self._about = json.loads(json.dumps(about))
        if known.get("about") == self._about:
            self._stages = known["stages"]
            return True
        self._empty()
        self._record()
        return False

    def finished(self, stage: str) -> dict[str, Any] | None:
        """What was kept of a finished stage; none where it is to be done."""
        return self._stages.get(stage)

    def finish(self, stage: str, **kept: Any) -> dict[str, Any]:
        """Record that a stage is whole, with what is to be kept of it beside its arrays."""
        self._stages[stage] = kept
        self._record()
        return kept

    def _record(self) -> None:
        new = self._manifest.with_suffix(".new")
        new.write_text(json.dumps({"about": self._about, "stages": self._stages}), encoding="utf-8")
        new.replace(self._manifest)

    def forget(self, stage: str) -> None:
        """A stage is not whole any more."""
        if self._stages.pop(stage, None) is not None:
            self._record()

    def path(self, name: str) -> Path:
        """The file of an array, or of something else that belongs to a stage."""
        return self.folder / name

    def create(self, name: str, shape: int | tuple[int, ...], dtype: DTypeLike) -> Array:
        """A new array of zeros in a file."""
        self.drop([name])
        with self.path(name).open("wb") as file:
            file.truncate(int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize)
        return self.open(name, shape, dtype)

    def open(self, name: str, shape: int | tuple[int, ...], dtype: DTypeLike) -> Array:
        """An array that was made earlier."""
        if not self.path(name).stat().st_size:  # nothing cannot be mapped
            return np.zeros(shape, dtype)
        if name not in self._maps:
            with self.path(name).open("r+b") as file:
                self._maps[name] = mmap.mmap(file.fileno(), 0)
        return np.frombuffer(self._maps[name], dtype).reshape(shape)

    @contextmanager
    def filling(self, *names: str) -> Iterator[list[BinaryIO]]:
        """New files that are filled from the front; what was written can be opened as arrays afterwards."""
        self.drop(names)
        with ExitStack() as files:
            yield [files.enter_context(self.path(name).open("wb")) for name in names]

    def drop(self, names: Iterable[str]) -> None:
        """Remove arrays. Whoever still holds one keeps it until they let it go."""
        for name in names:
            self._maps.pop(name, None)
            self.path(name).unlink(missing_ok=True)

    def _relieve(self) -> None:
        """Hand pages of the files back to the system where more is resident than was allowed, again and again.

        That loses nothing: the system keeps what was written, and whoever reads on gets the page again. One step of
        the count can touch every page there is, which is why it is not done between steps.
        """
        while not self._ended.wait(_LOOK):
            if _resident() > self.memory * _FULL:
                for each in list(self._maps.values()):
                    each.madvise(mmap.MADV_DONTNEED)

    def remove(self) -> None:
        """Remove the folder: all is done."""
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def close(self) -> None:
        """Let others work here; what is finished stays."""
        self._ended.set()
        self._maps.clear()
        self._lock.release()

    def _empty(self) -> None:
        for path in self.folder.iterdir():
            if path.name != "lock":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        self._stages = {}


def _resident() -> int:
    """Bytes of memory that this process holds resident; 0 where the system does not say."""
    try:
        return int(_STATM.read_text().split()[1]) * mmap.PAGESIZE
    except (OSError, ValueError):
        return 0
