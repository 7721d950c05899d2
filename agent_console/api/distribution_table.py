"""The table of the operations on how calls are shared; `table` holds all others."""

from __future__ import annotations

from ..distribution.question import Question
from ..rights import Right
from . import distribution, live
from .distribution_models import (
    CallbackDrop,
    Callbacks,
    CallMove,
    EvennessOf,
    EvennessQuery,
    Reasons,
    Staffing,
    StaffingHistory,
    WrapUpTime,
)
from .models import Done
from .registry import Operation

_V1 = "/api/v1"
_ENGINE = (404, 409, 503)
_CONTROL = frozenset({Right.CALLS_CONTROL})
_BOARD = frozenset({Right.BOARD})
_STAFFING = frozenset({Right.STAFFING})

DISTRIBUTION_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "POST",
        f"{_V1}/calls/{{call}}/move",
        distribution.move,
        "moveCall",
        "Move a waiting call to another queue; it keeps its waiting time",
        Done,
        rights=_CONTROL,
        body=CallMove,
        problems=_ENGINE,
    ),
    Operation(
        "POST",
        f"{_V1}/operators/{{operator}}/wrap-up/time",
        live.wrap_up_time,
        "wrapUpTime",
        "Make the running wrap-up end so many seconds from now",
        Done,
        rights=frozenset({Right.SEAT, Right.OPERATORS_STATE}),
        body=WrapUpTime,
        problems=_ENGINE,
    ),
    Operation(
        "GET",
        f"{_V1}/callbacks",
        distribution.callbacks,
        "callbacks",
        "Who is to be called back, and today's callbacks that have ended",
        Callbacks,
        rights=_BOARD,
        problems=(503,),
    ),
    Operation(
        "POST",
        f"{_V1}/callbacks/{{callback}}/drop",
        distribution.drop_callback,
        "dropCallback",
        "Give a callback up",
        Done,
        rights=_CONTROL,
        body=CallbackDrop,
        problems=_ENGINE,
    ),
    Operation(
        "GET",
        f"{_V1}/calls/{{call}}/why",
        distribution.why,
        "whyCall",
        "Why these operators: each offer of a call in a sentence, with the ledger",
        Reasons,
        rights=frozenset({Right.CALLS_OWN, Right.CALLS_ALL}),
        problems=(404, 503),
    ),
    Operation(
        "GET",
        f"{_V1}/evenness",
        distribution.evenness,
        "evenness",
        "How evenly the calls of a span were shared, with the operators' rows",
        EvennessOf,
        rights=frozenset({Right.EVENNESS}),
        query=EvennessQuery,
        problems=(404, 503),
    ),
    Operation(
        "GET",
        f"{_V1}/staffing/history",
        distribution.history,
        "staffingHistory",
        "Calls and operators by weekday and half hour, of the last eight weeks",
        StaffingHistory,
        rights=_STAFFING,
        problems=(503,),
    ),
    Operation(
        "POST",
        f"{_V1}/staffing/what-if",
        distribution.what_if,
        "whatIf",
        "Simulate a day, and the same with more or fewer operators",
        Staffing,
        rights=_STAFFING,
        body=Question,
        problems=(503,),
    ),
)
