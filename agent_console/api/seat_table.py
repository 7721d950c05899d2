"""The table of the operations at the seat; `table` holds all others."""

from __future__ import annotations

from ..rights import Right
from . import seat_history, seat_work
from .models import CallAction, Done
from .registry import Operation
from .seat_models import (
    Dial,
    Dialled,
    Dtmf,
    HelpAsk,
    HelpSay,
    History,
    Mark,
    Targets,
    TargetsQuery,
    TransferStart,
)

_V1 = "/api/v1"
_CALL = f"{_V1}/calls/{{call}}"
_OPERATOR = f"{_V1}/operators/{{operator}}"
_ENGINE = (404, 409, 503)
_CONTROL = frozenset({Right.SEAT, Right.CALLS_CONTROL})
_HELP = frozenset({Right.SEAT, Right.SUPERVISE})

SEAT_OPERATIONS: tuple[Operation, ...] = (
    *(
        Operation(
            "POST",
            f"{_CALL}/{verb}",
            handler,
            f"{verb}Call",
            summary,
            Done,
            rights=_CONTROL,
            body=TransferStart,
            problems=_ENGINE,
        )
        for verb, handler, summary in (
            ("consult", seat_work.consult, "Talk to the target first, the citizen hears music (取次)"),
            ("blind", seat_work.blind, "Give the citizen to the target without asking (転送)"),
        )
    ),
    *(
        Operation(
            "POST",
            f"{_CALL}/{verb}",
            handler,
            name,
            summary,
            Done,
            rights=_CONTROL,
            body=CallAction,
            problems=_ENGINE,
        )
        for verb, handler, name, summary in (
            ("swap", seat_work.swap, "swapCall", "Talk to the other of citizen and target"),
            ("three-way", seat_work.three_way, "threeWayCall", "All three talk"),
            ("complete", seat_work.complete, "completeTransfer", "Leave the citizen with the target"),
            ("return", seat_work.give_back, "returnCall", "Back to the citizen, the target is let go"),
            ("mute", seat_work.mute, "muteCall", "Nobody hears the operator"),
            ("unmute", seat_work.unmute, "unmuteCall", "The operator is heard again"),
            (
                "end-politely",
                seat_work.end_politely,
                "endPolitely",
                "The citizen hears the scripted words (カスハラ), then the line is closed",
            ),
        )
    ),
    Operation(
        "POST",
        f"{_CALL}/dtmf",
        seat_work.dtmf,
        "sendDtmf",
        "Send digits to whomever the operator talks with",
        Done,
        rights=_CONTROL,
        body=Dtmf,
        problems=_ENGINE,
    ),
    Operation(
        "POST",
        f"{_CALL}/mark",
        seat_work.mark,
        "markCall",
        "Mark a call as an emergency (supervisors are alerted, the recording is held) or as カスハラ",
        Done,
        rights=_HELP,
        body=Mark,
        problems=_ENGINE,
    ),
    Operation(
        "POST",
        f"{_OPERATOR}/dial",
        seat_work.dial,
        "dial",
        "Call a number outside",
        Dialled,
        rights=_CONTROL,
        body=Dial,
        problems=_ENGINE,
    ),
    Operation(
        "POST",
        f"{_OPERATOR}/help",
        seat_work.help_ask,
        "askHelp",
        "Ask a supervisor for help (手上げ)",
        Done,
        rights=_CONTROL,
        body=HelpAsk,
        problems=_ENGINE,
    ),
    Operation(
        "POST",
        f"{_V1}/helps/{{help}}/say",
        seat_work.help_say,
        "sayHelp",
        "Say something to the one who asked, or to the one who helps",
        Done,
        rights=_HELP,
        body=HelpSay,
        problems=_ENGINE,
    ),
    Operation(
        "POST",
        f"{_V1}/helps/{{help}}/close",
        seat_work.help_close,
        "closeHelp",
        "It is settled",
        Done,
        rights=_HELP,
        problems=_ENGINE,
    ),
    Operation(
        "GET",
        f"{_CALL}/history",
        seat_history.history,
        "callHistory",
        "Earlier contacts and open cases of the number that calls",
        History,
        rights=frozenset({Right.SEAT, Right.CALLS_ALL}),
        problems=(404, 503),
    ),
    Operation(
        "GET",
        f"{_V1}/targets",
        seat_work.targets,
        "transferTargets",
        "Operators and queues that a call may be given to",
        Targets,
        rights=frozenset({Right.SEAT}),
        query=TargetsQuery,
    ),
)
