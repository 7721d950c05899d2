"""What Asterisk wrote down of the calls it served alone, read back (docs/survival.md describes the lines).

Pure and line by line: the same line always gives the same facts, whatever stands before or after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

Kind = Literal["arrived", "handed_over", "queued", "answered", "ended"]

_PREFIX = "DAIHYO-"
_BY = ("caller", "operator", "centre")
_TIME = re.compile(r"[0-9]{1,12}\.[0-9]{6}")
_OPERATOR = re.compile(r"([0-9]{2,6})(-web)?")


@dataclass(frozen=True)
class SurvivalFact:
    """One event of a call, shaped like the journal's: `data` as docs/interfaces.md says for `kind`.
    `at` is aware UTC, to the microsecond; `call` is the citizen's UNIQUEID."""

    kind: Kind
    at: datetime
    call: str
    data: Mapping[str, object] = field(default_factory=dict)


def parse_queue_log(lines: Iterable[str], unreadable: list[str] | None = None) -> list[SurvivalFact]:
    """The facts of queue_log's lines, in their order. Lines of Asterisk's own (ENTERQUEUE, CONNECT, …) are
    passed over: ours say the same with a better clock. A line of ours that cannot be read (a torn end, a
    foreign hand) gives no fact and is added to `unreadable`."""
    facts: list[SurvivalFact] = []
    for line in lines:
        # time|call|queue|agent|event|data…
        fields = line.strip().split("|")
        if len(fields) < 5 or not fields[4].startswith(_PREFIX):
            continue
        try:
            facts += _facts(fields[1], fields[3], fields[4].removeprefix(_PREFIX), fields[5:])
        except ValueError:
            if unreadable is not None:
                unreadable.append(line)
    return facts


def _facts(call: str, agent: str, event: str, data: list[str]) -> list[SurvivalFact]:
    if not call or not data or not _TIME.fullmatch(data[0]):
        raise ValueError(event)
    whole, parts = data[0].split(".")
    at = datetime.fromtimestamp(int(whole), UTC).replace(microsecond=int(parts))
    match event, data[1:]:
        case "ARRIVED", [number, caller]:
            return [SurvivalFact("arrived", at, call, _arrived(call, number, caller))]
        case "ADOPTED", [number, caller]:
            # The engine has usually noted the arrival itself; if it died before it could, this is it.
            return [
                SurvivalFact("arrived", at, call, _arrived(call, number, caller)),
                SurvivalFact("handed_over", at, call, {"number": number}),
            ]
        case "QUEUED", [queue, again]:
            asked = {"queue": queue, "priority": 0, "again": again == "1", "prefer": None}
            return [SurvivalFact("queued", at, call, asked)]
        case "ANSWERED", []:
            found = _OPERATOR.fullmatch(agent)
            if found is None:
                raise ValueError(agent)
            phone = "browser" if found[2] else "desk"
            return [SurvivalFact("answered", at, call, {"operator": found[1], "phone": phone})]
        case "ENDED", [by, cause] if by in _BY:
            ended = {"by": by, "cause": int(cause) or None, "reason": "normal"}  # 0: Asterisk knew none
            return [SurvivalFact("ended", at, call, ended)]
    raise ValueError(event)


def _arrived(call: str, number: str, caller: str) -> dict[str, object]:
    return {"number": number, "caller": caller or None, "channel": call, "via": "survival"}
