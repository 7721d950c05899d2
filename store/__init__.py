"""The store: tables, migrations, transactions, on SQLite or PostgreSQL.

`Store.open(url)` gives a database with all tables; `store.session()` and `store.reading()` are transactions.
`plans` is what one does with the plan's versions, `recordings` with those of a call.
"""

from store import plans, recordings
from store.database import Store, StoreUnavailable
from store.recordings import RecordingHeld
from store.tables import (
    AccessEntry,
    Alarm,
    Base,
    CallRow,
    Carried,
    Case,
    DirectoryEntry,
    EventRow,
    OperatorStateRow,
    PlanActivation,
    PlanDraft,
    PlanVersion,
    Recording,
    TalkRow,
    User,
    UserSession,
    WallLink,
    WrapUp,
)
from store.types import UtcDateTime

__all__ = [
    "AccessEntry",
    "Alarm",
    "Base",
    "CallRow",
    "Carried",
    "Case",
    "DirectoryEntry",
    "EventRow",
    "OperatorStateRow",
    "PlanActivation",
    "PlanDraft",
    "PlanVersion",
    "Recording",
    "RecordingHeld",
    "Store",
    "StoreUnavailable",
    "TalkRow",
    "User",
    "UserSession",
    "UtcDateTime",
    "WallLink",
    "WrapUp",
    "plans",
    "recordings",
]
