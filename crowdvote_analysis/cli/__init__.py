"""The command ``crowdvote``."""

from crowdvote_analysis.cli.main import main

__all__ = ["main"]
