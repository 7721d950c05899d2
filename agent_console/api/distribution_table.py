"""The table of the operations on how calls are shared; `table` holds all others."""

from __future__ import annotations

from ..rights import Right
from . import distribution, live
from .models import CallbackDrop, Callbacks, CallMove, Done, WrapUpTime
from .registry import Operation

_V1 = "/api/v1"
_ENGINE = (404, 409, 503)
_CONTROL = frozenset({Right.CALLS_CONTROL})
_BOARD = frozenset({Right.BOARD})

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
)
