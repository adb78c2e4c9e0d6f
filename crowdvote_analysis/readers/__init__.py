"""Readers for other people's files: each gives a ``SystemState``, or what one is made of.

- ``read_folder``: a folder of Parquet and CSV tables.
- ``read_poll``: the ballots of a poll, as star.vote and BetterVoting export them, and the answers of forms.
- ``read_network``: who follows whom, from an edge list such as those of SNAP.
- ``make_scenario``: a network and a poll, put together.
"""

from __future__ import annotations

from crowdvote_analysis.readers.folder import read_folder
from crowdvote_analysis.readers.networks import read_network
from crowdvote_analysis.readers.polls import read_poll
from crowdvote_analysis.readers.scenario import make_scenario

__all__ = ["make_scenario", "read_folder", "read_network", "read_poll"]
