"""The table of a supervisor's operations; `table` holds all others."""

from __future__ import annotations

from ..rights import Right
from . import supervision
from .models import Done
from .registry import Operation
from .supervision_models import (
    AlarmList,
    AlarmsQuery,
    SuperviseMode,
    Supervising,
    Trend,
    WallLinkList,
    WallLinkMade,
    WallLinkMake,
)

_V1 = "/api/v1"
_ENGINE = (404, 409, 503)
_SUPERVISE = frozenset({Right.SUPERVISE})
_ALARMS = frozenset({Right.ALARMS})
_WALL = frozenset({Right.WALL})

SUPERVISION_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "POST",
        f"{_V1}/calls/{{call}}/supervise",
        supervision.supervise,
        "supervise",
        "Listen to a conversation, whisper to its operator, or join it; one's own telephone rings",
        Supervising,
        rights=_SUPERVISE,
        body=SuperviseMode,
        problems=_ENGINE,
    ),
    Operation(
        "POST",
        f"{_V1}/supervision/mode",
        supervision.supervise_mode,
        "superviseMode",
        "Switch between listening, whispering and joining without hanging up",
        Supervising,
        rights=_SUPERVISE,
        body=SuperviseMode,
        problems=_ENGINE,
    ),
    Operation(
        "POST",
        f"{_V1}/supervision/stop",
        supervision.supervise_stop,
        "superviseStop",
        "Leave the conversation that one listens to",
        Done,
        rights=_SUPERVISE,
        problems=_ENGINE,
    ),
    *(
        Operation(
            "POST",
            f"{_V1}/calls/{{call}}/{verb}",
            handler,
            name,
            summary,
            Done,
            rights=_SUPERVISE,
            problems=_ENGINE,
        )
        for verb, handler, name, summary in (
            ("take-over", supervision.take_over, "takeOver", "Take a conversation over from its operator"),
            ("pull", supervision.pull, "pullCall", "Take a waiting call oneself"),
        )
    ),
    Operation(
        "POST",
        f"{_V1}/helps/{{help}}/take",
        supervision.help_take,
        "takeHelp",
        "Answer a request for help (手上げ)",
        Done,
        rights=_SUPERVISE,
        problems=_ENGINE,
    ),
    Operation(
        "GET",
        f"{_V1}/alarms",
        supervision.alarms,
        "alarms",
        "Alarms that go on, and those of before, the latest first",
        AlarmList,
        rights=_ALARMS,
        query=AlarmsQuery,
        problems=(503,),
    ),
    Operation(
        "POST",
        f"{_V1}/alarms/{{alarm}}/acknowledge",
        supervision.acknowledge,
        "acknowledgeAlarm",
        "Say that an alarm was seen",
        Done,
        rights=_ALARMS,
        problems=(404, 503),
    ),
    Operation(
        "GET",
        f"{_V1}/trend",
        supervision.trend,
        "trend",
        "Today by the half-hour: arrived, answered, abandoned",
        Trend,
        rights=frozenset({Right.BOARD}),
        problems=(503,),
    ),
    Operation(
        "GET",
        f"{_V1}/walls",
        supervision.wall_list,
        "wallLinks",
        "Links to the wall screen",
        WallLinkList,
        rights=_WALL,
        problems=(503,),
    ),
    Operation(
        "POST",
        f"{_V1}/walls",
        supervision.wall_make,
        "makeWallLink",
        "Make a link to the wall screen; its address is told this once",
        WallLinkMade,
        rights=_WALL,
        body=WallLinkMake,
        problems=(503,),
    ),
    Operation(
        "POST",
        f"{_V1}/walls/{{link}}/revoke",
        supervision.wall_revoke,
        "revokeWallLink",
        "End a link; its screens go blank",
        Done,
        rights=_WALL,
        problems=(404, 503),
    ),
)
