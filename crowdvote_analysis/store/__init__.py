"""Tables on disk and questions to them: DuckDB queries, exports."""

from crowdvote_analysis.store.export import export_tables
from crowdvote_analysis.store.query import QueryError, query

__all__ = ["QueryError", "export_tables", "query"]
