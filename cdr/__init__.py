"""Call data: the journal of events, call records computed from it, and the cities' KPIs."""

from cdr.events import Clock, Event, SystemClock
from cdr.journal import Journal, JournalError
from cdr.reader import read_journal, tail
from cdr.recent import read_recent
from cdr.segments import Problem

__all__ = [
    "Clock",
    "Event",
    "Journal",
    "JournalError",
    "Problem",
    "SystemClock",
    "read_journal",
    "read_recent",
    "tail",
]
