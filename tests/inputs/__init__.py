"""Inputs that people really have, and what is right about each: one test a case of ``inputs.json``, beside the project."""
