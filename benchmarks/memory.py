"""How much memory a count takes, in a process of its own: ``python -m benchmarks.memory 10_000_000``."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.networks import community


def peak(members: int) -> tuple[float, float]:
    """Count a community without loops, five followings by member, in a fresh process that reads it from Parquet.

    Returns:
        Seconds from the first file read to everybody's stars and every voter's weight, and the largest resident memory
        of the process in GB.
    """
    with tempfile.TemporaryDirectory() as folder:
        _run("write", folder, str(members))
        seconds, memory = _run("count", folder).split()
    return float(seconds), float(memory)


def _run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory", *arguments], check=True, text=True, stdout=subprocess.PIPE
    )
    return done.stdout


def _write(folder: str, members: int) -> None:
    for name, frame in community(members).items():
        frame.write_parquet(Path(folder) / f"{name}.parquet")


def _count(folder: str) -> None:
    import crowdvote_analysis as cv

    started = time.perf_counter()
    resolution = cv.resolve(cv.SystemState.read(folder))
    assert resolution.stars.height > resolution.weights_of().height > 0
    seconds = time.perf_counter() - started
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["write", folder, members]:
            _write(folder, int(members))
        case ["count", folder]:
            _count(folder)
        case [members]:
            print("{:.0f} s, {:.1f} GB".format(*peak(int(members))))
        case _:
            raise SystemExit(__doc__)
