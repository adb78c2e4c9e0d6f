"""Limits of a count, in a module that costs nothing to import."""

# Steps the rule path may take for all loops of a decision (Y3): enough for 14 members who all follow each other.
WORK_LIMIT = 20_000_000

# The same where it is only tried what path would give: some seconds.
COMPARE_LIMIT = 1_000_000

# Memory that a count from files to files works with, pages of files apart, in bytes, where nothing else is said.
MEMORY = 2_000_000_000
