"""The live state as the engine tells it, with version numbers so that each page gets only what is new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .formats import masked, phone_number
from .rights import Right

Entity = dict[str, Any]

_KEEP_GONE = 2000


@dataclass(frozen=True)
class Waiting:
    """How many citizens wait, and since when (ISO 8601 UTC) the longest of them; None when nobody waits."""

    count: int
    longest_since: str | None


class LiveState:
    """Operators and calls by id. `version` grows with every change; `changes(since)` gives what is newer.

    `callbacks` is the whole list of callbacks that have not ended, `helps` that of those
    who ask for help (手上げ). `trunks`: {id, channels, max_channels, failing} each; `journal_failing`: one
    line, or None.
    `plan` is the live version ({"version": n}); `openings`, `notices` and `numbers` are what supervisors have
    switched and how each number stands (docs/interfaces.md); empty lists until the engine tells them.
    """

    def __init__(self) -> None:
        self.version = 0
        self.operators: dict[str, Entity] = {}
        self.calls: dict[str, Entity] = {}
        self.switch_connected = False
        self.plan: Entity = {}
        self.openings: list[Entity] = []
        self.notices: list[Entity] = []
        self.numbers: list[Entity] = []
        self.callbacks: list[Entity] = []
        self.helps: list[Entity] = []
        self.trunks: list[Entity] = []
        self.journal_failing: str | None = None
        self._operator_version: dict[str, int] = {}
        self._call_version: dict[str, int] = {}
        self._gone: dict[str, int] = {}
        self._gone_operators: dict[str, int] = {}

    def replace(self, live: Mapping[str, Any]) -> None:
        """Takes the engine's whole state; what it no longer holds is gone."""
        self.version += 1
        self.switch_connected = bool(live.get("switch", {}).get("connected", False))
        self._take_plan(live)
        self._take_organs(live)
        self.callbacks = [dict(one) for one in live.get("callbacks", [])]
        self.helps = [dict(one) for one in live.get("helps", [])]
        operators = {str(o["id"]): dict(o) for o in live.get("operators", [])}
        calls = {str(c["id"]): dict(c) for c in live.get("calls", [])}
        for operator_id in self.operators.keys() - operators.keys():
            self._gone_operators[operator_id] = self.version
        self._let_go(self.calls.keys() - calls.keys())
        self.operators, self.calls = operators, calls
        self._operator_version = dict.fromkeys(operators, self.version)
        self._call_version = dict.fromkeys(calls, self.version)

    def change(self, event: Mapping[str, Any]) -> None:
        """Takes one `changed` event: whole entities and the ids of calls that are gone."""
        self.version += 1
        if "switch" in event:
            self.switch_connected = bool(event["switch"].get("connected", False))
        self._take_plan(event)
        self._take_organs(event)
        self.callbacks = [dict(one) for one in event.get("callbacks", self.callbacks)]
        self.helps = [dict(one) for one in event.get("helps", self.helps)]
        for operator in event.get("operators", []):
            self.operators[operator["id"]] = dict(operator)
            self._operator_version[operator["id"]] = self.version
            self._gone_operators.pop(operator["id"], None)
        for call in event.get("calls", []):
            self.calls[call["id"]] = dict(call)
            self._call_version[call["id"]] = self.version
            self._gone.pop(call["id"], None)
        self._let_go(event.get("gone", []))

    def _take_plan(self, told: Mapping[str, Any]) -> None:
        """What stands in an event replaces what was known; what is not in it stays."""
        self.plan = dict(told["plan"]) if told.get("plan") else self.plan
        self.openings = [dict(one) for one in told.get("openings", self.openings)]
        self.notices = [dict(one) for one in told.get("notices", self.notices)]
        self.numbers = [dict(one) for one in told.get("numbers", self.numbers)]

    def _take_organs(self, told: Mapping[str, Any]) -> None:
        self.trunks = [dict(one) for one in told.get("trunks", self.trunks)]
        if "journal" in told:
            self.journal_failing = told["journal"].get("failing")

    def _let_go(self, call_ids: Iterable[str]) -> None:
        for call_id in list(call_ids):
            self.calls.pop(call_id, None)
            self._call_version.pop(call_id, None)
            self._gone[call_id] = self.version
        while len(self._gone) > _KEEP_GONE:  # every page has long been told of the oldest
            self._gone.pop(next(iter(self._gone)))

    def operators_since(self, version: int) -> list[Entity]:
        """Operators that changed after `version`."""
        return [o for i, o in self.operators.items() if self._operator_version[i] > version]

    def calls_since(self, version: int) -> list[Entity]:
        """Calls that changed after `version`."""
        return [c for i, c in self.calls.items() if self._call_version[i] > version]

    def gone_since(self, version: int) -> list[str]:
        """Ids of calls that ended after `version`."""
        return [i for i, v in self._gone.items() if v > version]

    def operators_gone_since(self, version: int) -> list[str]:
        """Ids of operators that were taken out of the site after `version`."""
        return [i for i, v in self._gone_operators.items() if v > version]

    def waiting(self) -> Waiting:
        """Who waits for an operator now; a caller whose operator is being rung still waits."""
        since = [
            str(c.get("queued_at") or c.get("since"))
            for c in self.calls.values()
            if c.get("phase") in {"waiting", "ringing", "returning"}
        ]
        return Waiting(len(since), min(since, default=None))

    def call_of(self, operator_id: str) -> Entity | None:
        """The call an operator has or is being offered."""
        operator = self.operators.get(operator_id)
        call_id = operator.get("call") if operator else None
        return self.calls.get(call_id) if call_id else None

    def callback_of(self, operator_id: str) -> Entity | None:
        """The callback that is offered to an operator, or that they are being connected to."""
        return next((one for one in self.callbacks if one.get("operator") == operator_id), None)

    def helps_of(self, operator_id: str) -> list[Entity]:
        """What an operator asks help for."""
        return [one for one in self.helps if one.get("operator") == operator_id]


def shown(call: Entity, rights: frozenset[Right], groups: dict[str, tuple[int, ...]]) -> Entity:
    """A call as eyes with these rights may see it, with `caller_text` and `number_text` grouped for reading
    (`caller_text` None: withheld). Who does not supervise sees of supervisors only those who have joined."""
    caller = call.get("caller")
    text = phone_number(caller, groups) if caller else None
    if caller and Right.CALLER_FULL not in rights:
        caller, text = masked(caller), masked(text or "")
    number = phone_number(str(call.get("number", "")), groups)
    seen = {**call, "caller": caller, "caller_text": text, "number_text": number}
    if "supervision" in call and Right.SUPERVISE not in rights:
        seen["supervision"] = [one for one in call["supervision"] or () if one.get("mode") == "join"]
    for field in ("transfer", "last_transfer", "returned"):
        if call.get(field) and call[field].get("to"):
            seen[field] = {**call[field], "to": shown_target(call[field]["to"], rights, groups)}
    return seen


def shown_target(target: Entity, rights: frozenset[Right], groups: dict[str, tuple[int, ...]]) -> Entity:
    """To whom a call is transferred, with `number_text`; a telephone outside may be a citizen's own."""
    number = str(target.get("number") or "")
    text = phone_number(number, groups) if target.get("kind") == "outside" else number
    if target.get("kind") == "outside" and Right.CALLER_FULL not in rights:
        number, text = masked(number), masked(text)
    return {**target, "number": number, "number_text": text}


def shown_callback(callback: Entity, rights: frozenset[Right], groups: dict[str, tuple[int, ...]]) -> Entity:
    """A callback as eyes with these rights may see it, with `number_text` (whom to call) and `called_text`
    (which of our numbers they had called; None where the engine does not say)."""
    number = str(callback.get("number") or "")
    text = phone_number(number, groups)
    if Right.CALLER_FULL not in rights:
        number, text = masked(number), masked(text)
    called = callback.get("called")
    return {
        **callback,
        "number": number,
        "number_text": text,
        "called_text": phone_number(str(called), groups) if called else None,
    }
