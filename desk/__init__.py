"""The desk: the city hall's directory (職員録) with its office hours, and cases (案件) left after calls."""

from desk import cases
from desk.cases import Case, NoCase, open_cases
from desk.changes import (
    Difference,
    DirectoryChanged,
    NoEntry,
    add,
    difference,
    put,
    remove,
    replace,
)
from desk.csv_files import MAX_BYTES, CsvProblems, read_csv, write_csv
from desk.demo import demo_entries, fill_demo
from desk.directory import Directory, Found, Rank, Stamp, stamp_in
from desk.entries import FIELDS, LONGEST, NAMES, Entry, EntryProblems, Problem, entry_of
from desk.folding import digits_of, folded
from desk.opening import Open, hours_text, open_at
from dialplans import OfficeHours, OfficeHoursError, office_hours

__all__ = [
    "FIELDS",
    "LONGEST",
    "MAX_BYTES",
    "NAMES",
    "Case",
    "CsvProblems",
    "Difference",
    "Directory",
    "DirectoryChanged",
    "Entry",
    "EntryProblems",
    "Found",
    "NoCase",
    "NoEntry",
    "OfficeHours",
    "OfficeHoursError",
    "Open",
    "Problem",
    "Rank",
    "Stamp",
    "add",
    "cases",
    "demo_entries",
    "difference",
    "digits_of",
    "entry_of",
    "fill_demo",
    "folded",
    "hours_text",
    "office_hours",
    "open_at",
    "open_cases",
    "put",
    "read_csv",
    "remove",
    "replace",
    "stamp_in",
    "write_csv",
]
