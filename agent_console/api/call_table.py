"""The table of operations on settled calls; `table` holds all others."""

from __future__ import annotations

from ..rights import Right
from . import calls, recordings
from .call_models import CallDetail, Calls, Hold
from .models import CallsQuery, Done
from .registry import Operation

_CALLS = frozenset({Right.CALLS_OWN, Right.CALLS_ALL})
_REPLAY = frozenset({Right.REPLAY_OWN, Right.REPLAY_ALL})
_SUPERVISE = frozenset({Right.SUPERVISE})
_CALL = "/api/v1/calls/{call}"

CALL_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "GET",
        "/api/v1/calls",
        calls.calls,
        "calls",
        "Calls of a span, the latest first",
        Calls,
        rights=_CALLS,
        query=CallsQuery,
        problems=(503,),
    ),
    Operation(
        "GET",
        _CALL,
        calls.one_call,
        "call",
        "One call with its events",
        CallDetail,
        rights=_CALLS,
        problems=(404, 503),
    ),
    Operation(
        "GET",
        f"{_CALL}/recording",
        recordings.recording,
        "recording",
        "The sound of a call: stereo, citizen left, operator right",
        rights=_REPLAY,
        media="audio/flac",
        problems=(404, 416, 503),
    ),
    Operation(
        "GET",
        f"{_CALL}/recordings/{{place}}",
        recordings.consult,
        "consultRecording",
        "The sound of a consult, by the transfer's place: stereo, target left, operator right",
        rights=_REPLAY,
        media="audio/flac",
        problems=(404, 416, 503),
    ),
    Operation(
        "POST",
        f"{_CALL}/recording/hold",
        recordings.hold,
        "holdRecording",
        "Hold the recordings of a call against deletion",
        Done,
        rights=_SUPERVISE,
        body=Hold,
        problems=(404, 503),
    ),
    Operation(
        "POST",
        f"{_CALL}/recording/release",
        recordings.release,
        "releaseRecording",
        "Let the recordings of a call go",
        Done,
        rights=_SUPERVISE,
        problems=(404, 503),
    ),
)
