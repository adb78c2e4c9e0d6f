"""The log of events (E5)."""

from __future__ import annotations

import logging
import re
import stat
import time

from crowdvote_analysis.logs import DAYS, EventLog


def test_a_line_has_the_format_of_the_rules(tmp_path):
    """Time in UTC, level, type, user and message."""
    log = EventLog(tmp_path / "logs")
    log.write("LOGIN", "maya", "Signed in")
    log.write("CALCULATION_ERROR", "system", "No", logging.ERROR)
    first, second = log.path.read_text("utf-8").splitlines()
    assert re.fullmatch(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z\] \[INFO\] \[LOGIN\] \[maya\] - Signed in", first)
    assert time.strftime("%Y-%m-%d", time.gmtime()) in first
    assert "[ERROR] [CALCULATION_ERROR] [system] - No" in second
    assert stat.S_IMODE(log.path.parent.stat().st_mode) == 0o700
    log.close()


def test_no_text_pretends_to_be_a_line(tmp_path):
    """Line ends and signs for terminals become blanks; signs of formats stay what they are."""
    log = EventLog(tmp_path)
    log.write("LOGIN", "a\nb", "100 %s\r\n[forged]\x1b[31m\u2028x")
    assert log.path.read_text("utf-8").endswith("[a b] - 100 %s  [forged] [31m x\n")
    log.close()


def test_old_days_are_dropped(tmp_path):
    """Every day begins a file, and thirty are kept."""
    for day in range(1, 41):
        (tmp_path / f"events.log.2026-{1 + day // 29:02}-{1 + day % 28:02}").touch()
    log = EventLog(tmp_path)
    log.write("LOGIN", "maya", "Signed in")
    log._handler.doRollover()
    assert len([path for path in tmp_path.iterdir() if path.name != "events.log"]) == DAYS
    log.close()
