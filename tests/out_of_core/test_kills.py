"""A count that is killed at any moment goes on, and ends with the files of one that was not."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import crowdvote_analysis as cv
from benchmarks.files import write_community

pytestmark = pytest.mark.soak


@pytest.mark.parametrize("loops", [False, True])
def test_a_killed_count_goes_on(tmp_path: Path, loops: bool) -> None:
    """Killed again and again, a little later every time, until it is done."""
    write_community(tmp_path / "tables", 60_000, loops=loops)
    expected = cv.count_files(tmp_path / "tables", tmp_path / "whole", memory=300_000_000)
    call = "import sys, crowdvote_analysis as cv; cv.count_files(sys.argv[1], sys.argv[2], memory=300_000_000)"
    killed, seconds = 0, 1.0
    while True:
        started = time.monotonic()
        with subprocess.Popen([sys.executable, "-c", call, str(tmp_path / "tables"), str(tmp_path / "out")]) as count:
            while count.poll() is None and time.monotonic() - started < seconds:
                time.sleep(0.01)
            if count.poll() is None:
                count.send_signal(signal.SIGKILL)
                killed += 1
        if count.returncode == 0:
            break
        assert count.returncode == -signal.SIGKILL
        seconds += 0.3
    assert killed
    found = dict(line.split("  ")[::-1] for line in (tmp_path / "out/SHA256SUMS").read_text().splitlines())
    assert found == expected.files
    assert not (tmp_path / "out/unfinished-count").exists()
