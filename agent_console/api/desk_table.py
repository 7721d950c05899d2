"""The table of the operations on directory and cases; `table` holds all others."""

from __future__ import annotations

from ..rights import Right
from . import desk
from .desk_models import (
    CaseDialled,
    CaseIn,
    CaseOut,
    Cases,
    CaseSettled,
    CasesQuery,
    DirectoryAnswer,
    DirectoryQuery,
    EntryDone,
    EntryIn,
    ImportDone,
    ImportQuery,
)
from .models import Done
from .registry import Operation

_V1 = "/api/v1"
_READ = frozenset({Right.DIRECTORY_READ})
_EDIT = frozenset({Right.DIRECTORY_EDIT})
_CASES = frozenset({Right.CASES})

DESK_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "GET",
        f"{_V1}/directory",
        desk.find,
        "findInDirectory",
        "Search the directory (職員録) by any part; each entry with its hours now",
        DirectoryAnswer,
        rights=_READ,
        query=DirectoryQuery,
        problems=(503,),
    ),
    Operation(
        "POST",
        f"{_V1}/directory",
        desk.add,
        "addEntry",
        "Add an entry to the directory",
        EntryDone,
        rights=_EDIT,
        body=EntryIn,
        problems=(503,),
    ),
    Operation(
        "PUT",
        f"{_V1}/directory/{{entry}}",
        desk.change,
        "changeEntry",
        "Change an entry of the directory",
        EntryDone,
        rights=_EDIT,
        body=EntryIn,
        problems=(404, 503),
    ),
    Operation(
        "DELETE",
        f"{_V1}/directory/{{entry}}",
        desk.remove,
        "removeEntry",
        "Take an entry out of the directory",
        Done,
        rights=_EDIT,
        problems=(404, 503),
    ),
    Operation(
        "POST",
        f"{_V1}/directory/import",
        desk.import_csv,
        "importDirectory",
        "Replace the directory by a CSV file: all or nothing, every wrong row is told",
        ImportDone,
        rights=_EDIT,
        query=ImportQuery,
        takes="text/csv",
        problems=(503,),
    ),
    Operation(
        "GET",
        f"{_V1}/directory/export",
        desk.export_csv,
        "exportDirectory",
        "The directory as CSV (UTF-8 with BOM), ready to be imported again",
        rights=_EDIT,
        media="text/csv",
        problems=(503,),
    ),
    Operation(
        "GET",
        f"{_V1}/cases",
        desk.cases,
        "cases",
        "Callbacks to make and cases, what is due first at the front",
        Cases,
        rights=_CASES,
        query=CasesQuery,
        problems=(503,),
    ),
    Operation(
        "POST",
        f"{_V1}/cases",
        desk.add_case,
        "addCase",
        "Begin a case",
        CaseOut,
        rights=_CASES,
        body=CaseIn,
        problems=(404, 503),
    ),
    Operation(
        "POST",
        f"{_V1}/cases/{{case}}/done",
        desk.settle_case,
        "settleCase",
        "A case is done; a second time changes nothing",
        CaseOut,
        rights=_CASES,
        body=CaseSettled,
        problems=(404, 503),
    ),
    Operation(
        "POST",
        f"{_V1}/cases/{{case}}/dial",
        desk.dial_case,
        "dialCase",
        "Ring the own phone, then the citizen of a case",
        CaseDialled,
        rights=_CASES,
        problems=(404, 409, 503),
    ),
)
