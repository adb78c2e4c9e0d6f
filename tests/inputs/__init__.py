"""Inputs that people really have, and what is right about each: a test for each case of ``inputs.json``."""
