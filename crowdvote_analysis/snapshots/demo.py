"""The demo communities as a store with a past: ballots that came in over weeks, and snapshots taken meanwhile.

What happened, for whoever looks at the history of a decision:

- ``village-green`` was counted four times while it was open, and the lead went from the bandstand by way of the
  playground to the meadow: by 20 April Kelly, whom many follow, had changed her mind. One count failed, because
  somebody had set its work limit too low (Y3). The final count was repeated two days after the end, with two ballots
  that had been handed in on paper: there are two final snapshots, and the first is superseded (S3).
- ``summer-festival`` and ``market-square`` are open and have interim snapshots.
- ``bicycle-lanes``, ``school-meals``, ``sports-day`` and ``bench-colour`` have their final one; the last of these is an
  unresolved tie.
- All other decisions have ballots, and have not been counted yet. Three of them are over: ``health`` says so, and
  ``recover`` takes their final snapshots (S10).
"""

from __future__ import annotations

import atexit
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from tempfile import mkdtemp
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl
import polars.selectors as cs

from crowdvote_analysis import tables
from crowdvote_analysis.bundled import DEMO_DATE, demo_folder
from crowdvote_analysis.errors import SnapshotError, StoreError
from crowdvote_analysis.snapshots.lifecycle import take_snapshot
from crowdvote_analysis.state import SystemState
from crowdvote_analysis.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

_GREEN = "village-green"
_BEGIN = datetime(2026, 1, 5, 9, tzinfo=UTC)  # before the first decision opens
# Kelly's first ballot about the green; the second is the one of the demo tables.
_FIRST = {"meadow": "2", "playground": "5", "car-park": "1", "bandstand": "3"}
_FIRST_AT, _SECOND_AT = datetime(2026, 4, 9, 17, 20, tzinfo=UTC), datetime(2026, 4, 20, 18, 33, tzinfo=UTC)
# Two ballots about the green that were handed in on paper in time, and typed in when it was over.
_ON_PAPER, _TYPED_IN = ("rowan", "tomas"), datetime(2026, 5, 2, 9, 30, tzinfo=UTC)
# Final counts are taken a minute after the end.
_CLOSED, _AFTER_CLOSING = {"trigger": "decision closed"}, timedelta(minutes=1)
_MOMENT = timedelta(seconds=30)

_BALLOT = ["decision_id", "member_id"]
_MAKING = Lock()


@dataclass
class _Clock:
    """A clock that stands until it is set, and goes on by a second whenever somebody looks."""

    time: datetime = _BEGIN

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


class _Count(NamedTuple):
    """A snapshot that is taken at an instant, with what is asked of ``take_snapshot``."""

    at: datetime
    decision_id: str
    asked: dict[str, Any]


def make_demo_store(folder: str | Path, now: datetime = DEMO_DATE) -> Store:
    """Make a store of the demo communities, with a history of snapshots.

    Args:
        folder: Made if it is not there.
        now: The present: all times of the demo are moved by the same number of whole days, so that what is open in it
            is open now. By default they stay what they are in the tables.

    Returns:
        The store, with the clock of the machine. Made for the same day, it holds the same every time, but for how long
        calculations took.

    Raises:
        StoreError: The folder holds something already.
    """
    clock = _Clock()
    store = replace(Store.create(folder, clock=clock), storage_clock=lambda: clock.time)
    if len(store.cut().commits):
        raise StoreError(f"{store.location}: is a store already. The demo needs a folder of its own.")
    later = timedelta(days=(now - DEMO_DATE) // timedelta(days=1))
    told = _told(SystemState.read(demo_folder()))
    since = _BEGIN - timedelta(days=1)
    for count in [_Count(_BEGIN, "", {}), *_counts()]:
        # What was recorded when a decision closed comes a moment earlier, so that it is in the final count (S10).
        until = count.at - _AFTER_CLOSING if count.asked == _CLOSED else count.at
        clock.time = until + later - (_MOMENT if count.asked == _CLOSED else timedelta())
        rows = {name: _between(name, frame, since, until, later) for name, frame in told.items()}
        store.commit("import", lambda _cut, _at, rows=rows: rows)  # type: ignore[misc]
        since = until
        if count.decision_id:
            clock.time = max(clock.time, count.at + later)
            with suppress(SnapshotError):  # the one that is meant to fail; its event says why
                take_snapshot(store, count.decision_id, **count.asked)
    return Store.open(folder)


def demo_store() -> Store:
    """The demo store of this process, as of today: made in a temporary folder when it is first asked for."""
    with _MAKING:
        return Store.open(_temporary())


def discard_demo_store() -> None:
    """Remove the demo store of this process, if there is one; done at its end as well."""
    if _temporary.cache_info().currsize:
        shutil.rmtree(_temporary(), ignore_errors=True)


@cache
def _temporary() -> str:
    folder = mkdtemp(prefix="crowdvote-demo-")
    atexit.register(discard_demo_store)
    make_demo_store(folder, datetime.now(UTC))
    return folder


def _counts() -> list[_Count]:
    """All counts, in the order of time; the last sees every ballot of the demo."""
    cast, closed = {"trigger": "ballot cast"}, _CLOSED
    again = {"later": "two ballots handed in on paper", "supersede": True}
    return [
        _Count(datetime(2026, 2, 6, 20, 1, tzinfo=UTC), "bicycle-lanes", closed),
        _Count(datetime(2026, 2, 27, 18, 1, tzinfo=UTC), "school-meals", closed),
        _Count(datetime(2026, 3, 27, 18, 1, tzinfo=UTC), "sports-day", closed),
        _Count(datetime(2026, 4, 6, 21, tzinfo=UTC), _GREEN, cast),
        _Count(datetime(2026, 4, 13, 11, 5, tzinfo=UTC), _GREEN, cast),
        _Count(
            datetime(2026, 4, 17, 5, 30, tzinfo=UTC), _GREEN, {"trigger": "manual", "cycles": "path", "work_limit": 3}
        ),
        _Count(datetime(2026, 4, 17, 6, tzinfo=UTC), _GREEN, {"trigger": "manual"}),
        _Count(datetime(2026, 4, 20, 18, 40, tzinfo=UTC), _GREEN, {"trigger": "ballot changed"}),
        _Count(datetime(2026, 4, 30, 20, 1, tzinfo=UTC), _GREEN, closed),
        _Count(datetime(2026, 5, 2, 9, 40, tzinfo=UTC), _GREEN, again),
        _Count(datetime(2026, 5, 15, 20, 1, tzinfo=UTC), "bench-colour", closed),
        _Count(datetime(2026, 6, 4, 12, tzinfo=UTC), "summer-festival", cast),
        _Count(datetime(2026, 6, 8, 12, tzinfo=UTC), "summer-festival", cast),
        _Count(datetime(2026, 6, 15, 11, 50, tzinfo=UTC), "market-square", cast),
        _Count(DEMO_DATE - timedelta(seconds=30), "summer-festival", cast),
    ]


def _told(state: SystemState) -> dict[str, pl.DataFrame]:
    """All rows that are ever recorded, with the time in a column ``recorded``."""
    frames = {name: getattr(state, name) for name in tables.TABLES}
    opening = frames["decisions"].select("decision_id", recorded="opens_at")
    told = {name: frame.with_columns(recorded=pl.lit(_BEGIN)) for name, frame in frames.items()}
    for name in ("choices", "required_voters"):
        told[name] = frames[name].join(opening, on="decision_id", maintain_order="left")
    over = frames["decisions"].filter(pl.col("status") != "active")
    open_first = frames["decisions"].with_columns(status=pl.lit("active"), recorded="opens_at")
    told["decisions"] = pl.concat([open_first, over.with_columns(recorded="closes_at")])
    told["yes_no_votes"] = frames["yes_no_votes"].with_columns(recorded="voted_at")
    return told | _ballots(frames["ballots"], frames["votes"])


def _ballots(ballots: pl.DataFrame, votes: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The ballots and their stars: Kelly's twice, and those on paper when they were typed in."""
    green = pl.col("decision_id") == _GREEN
    kelly = green & (pl.col("member_id") == "kelly")
    paper = green & pl.col("member_id").is_in(_ON_PAPER)
    cast = ballots.with_columns(cast_at=pl.when(kelly).then(pl.lit(_SECOND_AT)).otherwise("cast_at"))
    cast = cast.with_columns(recorded=pl.when(paper).then(pl.lit(_TYPED_IN)).otherwise("cast_at"))
    first = cast.filter(kelly).with_columns(cast_at=pl.lit(_FIRST_AT), recorded=pl.lit(_FIRST_AT))
    stars = votes.join(cast.select(*_BALLOT, "recorded"), on=_BALLOT, maintain_order="left")
    given = pl.col("choice_id").replace_strict(_FIRST, default="0").cast(votes.schema["stars"])
    first_stars = stars.filter(kelly).with_columns(stars=given, recorded=pl.lit(_FIRST_AT))
    return {"ballots": pl.concat([first, cast]), "votes": pl.concat([first_stars, stars])}


def _between(table: str, told: pl.DataFrame, since: datetime, at: datetime, later: timedelta) -> pl.DataFrame:
    """What was recorded after one instant up to another, all times moved."""
    rows = told.filter(pl.col("recorded") > since, pl.col("recorded") <= at).sort("recorded", maintain_order=True)
    last = rows.unique(tables.key(table), keep="last", maintain_order=True)
    return last.drop("recorded").with_columns(cs.datetime() + later)
