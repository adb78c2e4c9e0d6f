"""A snapshot as one self-contained page, to be read offline, printed and kept."""

from crowdvote_analysis.report.page import report_page, write_report

__all__ = ["report_page", "write_report"]
