"""A store of tables with every row there ever was, and what is done with tables: queries, exports.

``recording`` has a function for everything that can be recorded in a store, ``import_state`` takes whole tables.
"""

from crowdvote_analysis.store import recording
from crowdvote_analysis.store.export import export_tables
from crowdvote_analysis.store.importing import import_state
from crowdvote_analysis.store.query import QueryError, query
from crowdvote_analysis.store.store import Commit, Store, is_store
from crowdvote_analysis.store.upgrading import Upgraded, upgrade_store

__all__ = [
    "Commit",
    "QueryError",
    "Store",
    "Upgraded",
    "export_tables",
    "import_state",
    "is_store",
    "query",
    "recording",
    "upgrade_store",
]
