"""Limits of a count, in a module that costs nothing to import."""

# Steps the path rule may take for one core (Y3): enough for 14 members who all follow each other.
WORK_LIMIT = 20_000_000
