"""How citizens go through the plan: how many came to each step, chose which key, gave up there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from cdr.record import Outcome

GAVE_UP = "gave_up"


class OnItsWay(Protocol):
    """What is needed of a call: rows of the database have it. `path`: as `CallRecord.to_json` gives it."""

    @property
    def path(self) -> list[dict[str, Any]] | None: ...
    @property
    def exit_step(self) -> str | None: ...
    @property
    def outcome(self) -> str: ...


@dataclass(frozen=True, slots=True)
class StepCount:
    """How often something happened at a step.

    `key` and `label` None: it was entered; a key: it was pressed (`label` says what it did, as it was called
    then); key None with label `none`: no key came in time, with `gave_up`: the citizen hung up there.
    """

    step: str
    key: str | None
    label: str | None
    count: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def count_paths(calls: Iterable[OnItsWay]) -> list[StepCount]:
    """The counts of these calls, a step's rows together: entered, keys (1 to 0, *, #), none, gave up.

    Steps stand in the order in which a call first came to them; what never happened has no row."""
    counts: dict[str, Counter[tuple[str | None, str | None]]] = {}
    for call in calls:
        for each in call.path or ():
            counts.setdefault(each["step"], Counter())[each["key"], each["label"]] += 1
        # Who hung up in an announcement that ends the call did not give up.
        if call.exit_step is not None and Outcome(call.outcome).abandoned:
            counts.setdefault(call.exit_step, Counter())[None, GAVE_UP] += 1
    return [
        StepCount(step, key, label, count)
        for step, of_step in counts.items()
        for (key, label), count in sorted(of_step.items(), key=_place)
    ]


def _place(row: tuple[tuple[str | None, str | None], int]) -> tuple[int, str, str]:
    (key, label), _ = row
    if key is not None:
        return (1, _KEYS.get(key, key), label or "")
    return ({None: 0, GAVE_UP: 3}.get(label, 2), "", label or "")


_KEYS: Mapping[str, str] = {key: f"{place:02d}" for place, key in enumerate("1234567890*#")}
