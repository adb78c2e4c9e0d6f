"""The demo as the tests of charts count it."""

from tests.charts.conftest import counted, demo, green, here, names, secrets, tally, vote  # noqa: F401 - fixtures
