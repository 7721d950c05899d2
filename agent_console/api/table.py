"""The table of the API: every operation once; routes, checks and document are made from it."""

from __future__ import annotations

from ..rights import Right
from . import calls, live
from .call_table import CALL_OPERATIONS
from .desk_table import DESK_OPERATIONS
from .distribution_table import DISTRIBUTION_OPERATIONS
from .models import (
    CallAction,
    Done,
    KpiQuery,
    Kpis,
    Live,
    Me,
    PhoneSetup,
    StateChange,
    WrapUpDone,
)
from .plan_table import PLAN_OPERATIONS
from .registry import Operation
from .seat_table import SEAT_OPERATIONS
from .supervision_table import SUPERVISION_OPERATIONS

_CONTROL = frozenset({Right.SEAT, Right.CALLS_CONTROL})
_STATE = frozenset({Right.SEAT, Right.OPERATORS_STATE})
_BOARD = frozenset({Right.BOARD})
_ENGINE = (404, 409, 503)
_V1 = "/api/v1"

OPERATIONS: tuple[Operation, ...] = (
    Operation("GET", f"{_V1}/session", live.me, "session", "Who is signed in", Me),
    Operation(
        "GET",
        f"{_V1}/session/phone",
        live.own_phone,
        "ownPhone",
        "The browser phone of whoever is signed in",
        PhoneSetup,
        rights=frozenset({Right.SEAT}),
        problems=(404, 503),
    ),
    Operation("GET", f"{_V1}/live", live.live, "live", "The live state", Live, rights=_BOARD),
    Operation(
        "POST",
        f"{_V1}/operators/{{operator}}/state",
        live.set_state,
        "setState",
        "Set an operator's state",
        Done,
        rights=_STATE,
        body=StateChange,
        problems=_ENGINE,
    ),
    Operation(
        "POST",
        f"{_V1}/operators/{{operator}}/wrap-up",
        live.wrap_up,
        "wrapUp",
        "Save a wrap-up and end it",
        Done,
        rights=_STATE,
        body=WrapUpDone,
        problems=_ENGINE,
    ),
    Operation(
        "POST",
        f"{_V1}/operators/{{operator}}/refuse",
        live.refuse,
        "refuse",
        "Refuse the call that rings",
        Done,
        rights=_STATE,
        problems=_ENGINE,
    ),
    Operation(
        "GET",
        f"{_V1}/operators/{{operator}}/phone",
        live.phone,
        "phone",
        "What to type into an operator's desk phone",
        PhoneSetup,
        rights=frozenset({Right.PHONE_SECRETS}),
        problems=(404, 503),
    ),
    *CALL_OPERATIONS,
    *(
        Operation(
            "POST",
            f"{_V1}/calls/{{call}}/{verb}",
            handler,
            f"{verb}Call",
            summary,
            Done,
            rights=_CONTROL,
            body=CallAction,
            problems=_ENGINE,
        )
        for verb, handler, summary in (
            ("hold", live.hold, "Put the citizen on hold"),
            ("resume", live.resume, "Take the citizen back from hold"),
            ("hangup", live.hangup, "End the conversation"),
        )
    ),
    Operation(
        "GET",
        f"{_V1}/kpi",
        calls.kpi,
        "kpi",
        "応答率, 平均応答時間, 即応率 of a span",
        Kpis,
        rights=_BOARD,
        query=KpiQuery,
        problems=(503,),
    ),
    *DESK_OPERATIONS,
    *DISTRIBUTION_OPERATIONS,
    *SEAT_OPERATIONS,
    *PLAN_OPERATIONS,
    *SUPERVISION_OPERATIONS,
)
