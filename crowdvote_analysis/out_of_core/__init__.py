"""A count bigger than memory, from Parquet to Parquet: the same stars as ``delegation``, bit for bit."""

from crowdvote_analysis.out_of_core.count import FilesCount, count_files
from crowdvote_analysis.out_of_core.estimate import Estimate, estimate

__all__ = ["Estimate", "FilesCount", "count_files", "estimate"]
