"""Tests of the STAR tally."""
