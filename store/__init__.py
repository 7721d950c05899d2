"""The store: tables, migrations, transactions, on SQLite or PostgreSQL.

`Store.open(url)` gives a database with all tables; `store.session()` and `store.reading()` are transactions.
"""

from store.database import Store, StoreUnavailable
from store.tables import (
    AccessEntry,
    Base,
    CallRow,
    Carried,
    EventRow,
    PlanActivation,
    PlanVersion,
    Recording,
    User,
    UserSession,
    WrapUp,
)
from store.types import UtcDateTime

__all__ = [
    "AccessEntry",
    "Base",
    "CallRow",
    "Carried",
    "EventRow",
    "PlanActivation",
    "PlanVersion",
    "Recording",
    "Store",
    "StoreUnavailable",
    "User",
    "UserSession",
    "UtcDateTime",
    "WrapUp",
]
