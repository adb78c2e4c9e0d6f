"""A worker that is killed at some jobs; in a module of its own, because processes load it by name."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from crowdvote_analysis.snapshots import recounts

if TYPE_CHECKING:
    import polars as pl

    from crowdvote_analysis.snapshots.recounts import Job

ONCE, ALWAYS = "KILLED_ONCE", "KILLED_ALWAYS"
_run = recounts.run_job


def run_job(job: Job) -> pl.DataFrame:
    """Do a job, but the first that is begun, and that of the snapshot which the environment names."""
    marker = Path(os.environ[ONCE])
    if job.rows[0]["snapshot_id"] == os.environ[ALWAYS] or not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return _run(job)
