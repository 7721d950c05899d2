"""Every face of the seat, as the engine would tell it: for pictures, and for what no picture may show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

CALL = "minato-1763700000.12"
TARGET = {"kind": "extension", "number": "2314", "name": "ごみ係", "department": "環境課", "entry": 1}


def ago(seconds: float) -> str:
    """A moment so long ago, ISO 8601 UTC."""
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def operator(state: str, since_s: float = 12, **changes: Any) -> dict[str, Any]:
    """The operator of the seat."""
    return {
        "id": "1001",
        "name": "操作者01",
        "state": state,
        "reason": None,
        "since": ago(since_s),
        "until": None,
        "phones": {"desk": True, "browser": False},
        "phone": "desk",
        "call": CALL if state in ("ringing", "talking", "hold") else None,
        "queues": ["main"],
        "next_state": None,
        "own_call": False,
        "last_call": CALL,
        **changes,
    }


def call(phase: str, **changes: Any) -> dict[str, Any]:
    """The citizen's call at the seat."""
    return {
        "id": CALL,
        "number": "0246-22-1111",
        "number_name": "市代表",
        "caller": "09012345678",
        "phase": phase,
        "since": ago(7),
        "arrived_at": ago(150),
        "queued_at": ago(140),
        "answered_at": None if phase == "ringing" else ago(127),
        "queue": "main",
        "operator": "1001",
        "position": None,
        "language": "ja",
        "path": ["くらし", "ごみ"],
        "diverted_from": None,
        "diverted_name": None,
        "via": "engine",
        "transfer": None,
        "last_transfer": None,
        "returned": None,
        "hops": 0,
        "marks": [],
        "muted": False,
        "supervision": [],
        **changes,
    }


def transfer(state: str, kind: str = "consult") -> dict[str, Any]:
    return {"kind": kind, "to": TARGET, "state": state, "operator": "1001", "since": ago(14)}


def help_asked(**changes: Any) -> dict[str, Any]:
    """A raised hand that somebody has taken."""
    said = [
        {"at": ago(60), "by": "1001", "text": "転入の特例が分かりません"},
        {"at": ago(6), "by": "sv01", "text": "聞いています。手引きの12ページをご案内ください。"},
    ]
    asked = {"id": "h1", "operator": "1001", "call": CALL, "at": ago(60), "urgent": False}
    return {**asked, "state": "taken", "by": "sv01", "messages": said, **changes}


def faces() -> dict[str, dict[str, Any]]:
    """By name: what the engine tells (`operators`, `calls`, `helps`)."""
    talk = operator("talking", 127)

    def at(me: dict[str, Any], now: dict[str, Any] | None = None, *helps: Any) -> dict[str, Any]:
        return {"operators": [me], "calls": [now] if now else [], "helps": list(helps)}

    back = {"to": TARGET, "reason": "no_answer", "at": ago(20)}
    mark = {"mark": "emergency", "at": ago(30), "by": "op01"}
    rude = {"mark": "harassment", "at": ago(640), "by": "op01"}
    joined = {"supervisor": "1002", "mode": "join", "since": ago(40)}
    return {
        "idle": at(operator("ready", 192)),
        "break": at(operator("break", 400, reason="昼食")),
        "no-answer": at(operator("no_answer", 30, reason="no_answer")),
        "ringing": at(operator("ringing", 7), call("ringing")),
        "ringing-returned": at(
            operator("ringing", 4), call("ringing", returned={**back, "operator": "1001"}, hops=2)
        ),
        "talking": at(talk, call("talking")),
        "muted": at(talk, call("talking", muted=True, caller=None)),
        "hold": at(operator("hold", 20), call("hold")),
        "consult-ringing": at(talk, call("consulting", transfer=transfer("ringing"))),
        "consult-talking": at(talk, call("consulting", transfer=transfer("talking"))),
        "swapped": at(talk, call("talking", transfer=transfer("held"))),
        "three-way": at(talk, call("talking", transfer=transfer("three_way"), supervision=[joined])),
        "blind": at(talk, call("transferring", transfer=transfer("ringing", "blind"))),
        "came-back": at(talk, call("talking", last_transfer=back, hops=2)),
        "help": at(talk, call("talking"), help_asked()),
        "emergency": at(talk, call("talking", marks=[mark])),
        "harassment": at(talk, call("talking", marks=[rude])),
        "everything": at(
            talk,
            call(
                "consulting",
                transfer=transfer("talking"),
                marks=[mark, rude],
                hops=3,
                returned={**back, "operator": "1001"},
                supervision=[joined],
            ),
            help_asked(),
        ),
        "calling": at(talk, call("calling", via="outbound", answered_at=None, path=[])),
        "wrap-up": at(operator("wrap_up", 5, until=(datetime.now(UTC) + timedelta(seconds=55)).isoformat())),
    }
