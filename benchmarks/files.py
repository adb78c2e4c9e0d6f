"""Counts from files to files, each in a process of its own: ``python -m benchmarks.files 1_000_000 10_000_000``.

Prints one JSON object a size: seconds, bytes of memory and disk at their peaks, and what was told before. ``--loops``
lets members follow anybody, which makes one giant core; ``--memory`` gives more, in bytes; ``--keep FOLDER`` is where
tables and results lie (a temporary folder if not given, and it is removed).
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

_TAG_SETS = [[], ["budget"], ["environment"], ["budget", "environment"], ["transport"]]
_PIECE = 500_000


def write_community(folder: Path, members: int, *, follow: int = 5, choices: int = 5, loops: bool = False) -> None:
    """Write a community as ``benchmarks.networks.community`` makes it, piece by piece: no table is in memory."""
    import pyarrow.parquet as pq

    folder.mkdir(parents=True)
    order = np.random.default_rng(1)
    width = len(str(members - 1))
    sets = pl.Series(_TAG_SETS, dtype=pl.List(pl.String))
    writers: dict[str, Any] = {}

    def ids(numbers: np.ndarray[Any, Any]) -> pl.Series:
        text = pl.format("m{}", pl.col("number").cast(pl.String).str.zfill(width))
        return pl.DataFrame({"number": numbers}).select(text).to_series()

    def write(table: str, frame: pl.DataFrame) -> None:
        arrow = frame.to_arrow()
        if table not in writers:
            writers[table] = pq.ParquetWriter(folder / f"{table}.parquet", arrow.schema, compression="zstd")
        writers[table].write_table(arrow)

    for first in range(0, members, _PIECE):
        own = np.arange(first, min(members, first + _PIECE))
        follower = np.repeat(own, follow)
        followee = (order.random(len(follower)) * (members if loops else follower)).astype(np.int64)
        apart = follower != followee
        pairs = np.unique(follower[apart] * members + followee[apart])
        on = sets.gather(order.choice(len(_TAG_SETS), len(pairs), p=[0.6, 0.1, 0.1, 0.1, 0.1]))
        town = pl.lit("town").alias("community_id")
        write("members", pl.DataFrame({"member_id": ids(own)}).select(town, "member_id"))
        following = {"follower_id": ids(pairs // members), "followee_id": ids(pairs % members), "tags": on}
        write("followings", pl.DataFrame(following).select(town, pl.all()))
        who = own[(order.random(len(own)) < 0.1) | (own < 10)]
        name = pl.lit("decision 0000").alias("decision_id")
        cast = pl.DataFrame({"member_id": ids(who)}).select(name, "member_id")
        write("ballots", cast.with_columns(tags=sets.gather(order.integers(1, len(_TAG_SETS), len(who)))))
        for choice in range(choices):
            stars = pl.Series("stars", order.integers(0, 6, len(who)))
            write("votes", cast.with_columns(pl.lit(f"choice {choice:02d}").alias("choice_id"), stars))
    write("decisions", pl.DataFrame({"community_id": ["town"], "decision_id": ["decision 0000"]}))
    for writer in writers.values():
        writer.close()


class _Watched(threading.Thread):
    """Looks at memory and disk ten times a second, until told to stop."""

    def __init__(self, out: Path) -> None:
        super().__init__(daemon=True)
        self._out, self._ended = out, threading.Event()
        self.anonymous = self.disk = 0

    def run(self) -> None:
        while not self._ended.wait(0.1):
            self.anonymous = max(self.anonymous, _anonymous())
            self.disk = max(self.disk, _size(self._out))

    def end(self) -> None:
        self._ended.set()
        self.join()


def _anonymous() -> int:
    """Bytes of memory that no file stands behind."""
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Anonymous:"):
            return int(line.split()[1]) * 1024
    return 0


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_blocks * 512
        except OSError:  # gone meanwhile
            continue
    return total


def _count(folder: Path, memory: int, rule: str | None) -> dict[str, Any]:
    import crowdvote_analysis as cv
    from crowdvote_analysis.out_of_core import estimate

    told = estimate(folder / "tables", memory=memory)
    watched = _Watched(folder / "counted")
    watched.start()
    started = time.perf_counter()
    stages: dict[str, float] = {}
    at, since = "", started

    def progress(stage: str, _done: int, _total: int) -> None:
        nonlocal at, since
        if stage != at:
            now = time.perf_counter()
            stages[at] = stages.get(at, 0) + now - since
            at, since = stage, now

    cv.count_files(folder / "tables", folder / "counted", memory=memory, cycles=rule, progress=progress)
    progress("", 0, 0)
    seconds = time.perf_counter() - started
    watched.end()
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "members": told.members,
        "followings": told.followings,
        "seconds": round(seconds, 1),
        "cpu": round(used.ru_utime + used.ru_stime, 1),
        "resident": used.ru_maxrss * 1024,
        "anonymous": watched.anonymous,
        "disk": watched.disk,
        "results": _size(folder / "counted"),
        "told_disk": told.disk,
        "told_seconds": round(told.seconds, 1),
        "stages": {name: round(spent, 1) for name, spent in stages.items() if name},
    }


def measure(members: int, folder: Path, memory: str, *, loops: bool, rule: str | None) -> dict[str, Any]:
    """Write the tables and count them, each in a fresh process."""
    shape = ["--loops"] if loops else []
    if not (folder / "tables").exists():
        _run("write", str(folder), str(members), *shape)
    return dict(json.loads(_run("count", str(folder), memory, rule or "-")))


def _run(*arguments: str) -> str:
    call = [sys.executable, "-m", "benchmarks.files", *arguments]
    return subprocess.run(call, check=True, text=True, stdout=subprocess.PIPE).stdout


def main() -> None:
    """Measure the sizes asked for."""
    if sys.argv[1:2] == ["write"]:
        write_community(Path(sys.argv[2]) / "tables", int(sys.argv[3]), loops="--loops" in sys.argv)
    elif sys.argv[1:2] == ["count"]:
        rule = None if sys.argv[4] == "-" else sys.argv[4]
        print(json.dumps(_count(Path(sys.argv[2]), int(sys.argv[3]), rule)))
    else:
        parser = argparse.ArgumentParser(prog="python -m benchmarks.files", description=__doc__)
        parser.add_argument("members", nargs="+", type=int, help="number of members, each with five followings")
        parser.add_argument("--loops", action="store_true", help="members follow anybody")
        parser.add_argument("--memory", default="2000000000", help="bytes of memory")
        parser.add_argument("--rule", help="rule for loops, that of the community by default")
        parser.add_argument("--keep", type=Path, help="where tables and results stay")
        asked = parser.parse_args()
        for members in asked.members:
            with tempfile.TemporaryDirectory() as scratch:
                folder = (asked.keep or Path(scratch)) / f"{members}"
                print(
                    json.dumps(measure(members, folder, asked.memory, loops=asked.loops, rule=asked.rule)), flush=True
                )


if __name__ == "__main__":
    main()
