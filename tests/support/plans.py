"""Random plans for property tests: every one passes the checks of a site.

A plan grows box by box: each new one (step, queue, forward) takes an open place of those before it, so that
every box is reached. Lines that a call follows without a key lead only to boxes made later, so that nobody
who stays silent goes in circles; keys may lead anywhere, also back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from dialplans import Site

NUMBERS = ("0246221111", "0246221200")
OUTSIDE = "0246229999"
KEYS = "0123456789*#"

Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass
class _Place:
    """An open target of a box: where to write it, the box's age, whether a key leads there, whether a call
    may be hung up there."""

    row: dict[str, Any]
    key: str
    age: int
    pressed: bool = False
    hangup: bool = True


@dataclass
class _Plan:
    draw: Draw
    english: bool
    boxes: list[str] = field(default_factory=list)  # targets, the oldest first
    places: list[_Place] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    queues: list[dict[str, Any]] = field(default_factory=list)
    forwards: list[dict[str, Any]] = field(default_factory=list)

    def one_of(self, *things: Any) -> Any:
        return self.draw(st.sampled_from(things))

    def maybe(self) -> bool:
        return bool(self.draw(st.booleans()))

    def said(self, ja: str) -> Any:
        return {"ja": ja, "en": f"English: {ja}"} if self.english else ja

    def open(self, row: dict[str, Any], *keys: str, **how: bool) -> None:
        self.places += [_Place(row, key, len(self.boxes) - 1, **how) for key in keys]

    def grow(self, kind: str) -> None:
        """One more box, at one of the open places. A queue leaves the last place to others."""
        row: dict[str, Any] = {"id": f"{kind}-{len(self.boxes)}"}
        target = f"{kind}:{row['id']}" if kind in ("queue", "forward") else row["id"]
        self.boxes.append(target)
        if kind != "queue" or len(self.places) > 1:
            place = self.places.pop(self.draw(st.integers(0, len(self.places) - 1)))
            place.row[place.key] = target
        getattr(self, f"_{kind}")(row)

    def _menu(self, row: dict[str, Any]) -> None:
        keys = {}
        for key in self.draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=4, unique=True)):
            keys[key] = {"label": f"{row['id']}の{key}"}
            if self.english and self.maybe():
                keys[key]["language"] = self.one_of("ja", "en")
            self.open(keys[key], "go", pressed=True)
        row |= {"kind": "menu", "say": self.said(f"{row['id']}のメニュー"), "keys": keys}
        row |= {"tries": self.one_of(1, 2, 3)}
        for name in ("wrong", "silent"):
            if self.maybe():
                row[name] = self.said(f"{row['id']}の{name}")
        self.open(row, "otherwise")
        self.steps.append(row)

    def _say(self, row: dict[str, Any]) -> None:
        row |= {"kind": "say", "say": self.said(f"{row['id']}の案内")}
        self.open(row, "next")
        self.steps.append(row)

    def _hours(self, row: dict[str, Any]) -> None:
        row |= {"kind": "hours", "hours": self.one_of("office", "always")}
        self.open(row, "open", "closed", *(["holiday"] if self.maybe() else []), hangup=False)
        self.steps.append(row)

    def _events(self, row: dict[str, Any]) -> None:
        row |= {"kind": "events", "board": "main", "none": self.said("催しはありません")}
        if self.maybe():
            row["before"] = self.said("催しのお知らせです")
        self.open(row, "next")
        self.steps.append(row)

    def _forward(self, row: dict[str, Any]) -> None:
        row |= {"name": row["id"], "number": OUTSIDE, "trunk": "line"}
        if self.maybe():
            row["say"] = self.said(f"{row['id']}へおつなぎします")
        self.open(row, "unanswered")
        self.forwards.append(row)

    def _callback(self, row: dict[str, Any]) -> None:
        known = [box.removeprefix("queue:") for box in self.boxes if box.startswith("queue:")]
        row |= {"kind": "callback", "say": self.said("おかけ直ししますか"), "key": self.one_of("1", "5", "#")}
        row |= {"queue": self.one_of("last", *known), "trunk": "line"}
        self.open(row, "declined")
        self.steps.append(row)

    def _queue(self, row: dict[str, Any]) -> None:
        row["name"] = row["id"]
        if self.maybe():
            row["most_waiting"] = 5
            self.open(row, "overflow")
        if self.maybe():
            self.open(row, "nobody")
        self.queues.append(row)

    def close(self) -> None:
        """The places that are still open lead to what is there."""
        for place in self.places:
            targets = ["queue:last"]
            if place.hangup:
                targets.append("hangup")
            targets += self.boxes if place.pressed else self.boxes[place.age + 1 :]
            if place.pressed:
                targets += ["repeat", "back"]
            place.row[place.key] = self.one_of(*targets)
        self.queues.append({"id": "last", "name": "最後の待ち行列"})
        for offer in self.steps:
            if offer["kind"] == "callback" and self.maybe():
                queue = next(one for one in self.queues if one["id"] == offer["queue"])
                queue |= {"callback": offer["id"], "callback_key": self.one_of("1", "*")}


@st.composite
def plan_data(draw: Draw, max_boxes: int = 12) -> dict[str, Any]:
    """A whole site as its file would hold it: numbers with and without hours, menus that lead back, branches,
    events, notices, forwards, overflow, up to two languages."""
    plan = _Plan(draw, english=draw(st.booleans()))
    numbers = []
    for digits in NUMBERS[: plan.one_of(1, 2)]:
        number: dict[str, Any] = {
            "number": digits,
            "name": digits,
            "greeting": plan.said(f"{digits}です"),
            "recording_notice": plan.said(f"{digits}は録音します"),
        }
        plan.open(number, "start")
        if plan.maybe():
            number["hours"] = "office"
            plan.open(number, "closed", *(["holiday"] if plan.maybe() else []), hangup=False)
        if plan.maybe():
            plan.open(number, "withheld", hangup=False)
        numbers.append(number)
    notices = []
    for n in range(plan.one_of(0, 1, 2)):
        notice: dict[str, Any] = {"id": f"notice-{n}", "name": f"緊急{n}", "say": plan.said(f"緊急の{n}です")}
        if plan.maybe():
            notice["numbers"] = [numbers[0]["number"]]
        if plan.maybe():
            plan.open(notice, "next")
        notices.append(notice)
    kinds = st.sampled_from(("menu", "menu", "say", "hours", "events", "forward", "queue", "callback"))
    for kind in draw(st.lists(kinds, max_size=max_boxes)):
        plan.grow(kind)
    plan.close()
    return _site(plan, numbers, notices)


def _site(plan: _Plan, numbers: list[dict[str, Any]], notices: list[dict[str, Any]]) -> dict[str, Any]:
    used = {row["hours"] for row in [*numbers, *plan.steps] if "hours" in row}
    week = {"mon-fri": ["8:30-12:00", "13:00-17:15"], "sat": ["22:00-26:00"], "sun": []}
    hours: list[dict[str, Any]] = [
        {"id": "office", "name": "開庁時間", "calendar": "city", "week": week, "holiday": ["10:00-11:00"]},
        {"id": "always", "name": "いつも", "week": {"mon-sun": ["0:00-24:00"]}},
    ]
    closures = [{"start": "12-29", "until": "01-03", "name": "年末年始"}]
    events = []
    if any(step["kind"] == "events" for step in plan.steps):
        for n in range(plan.one_of(0, 1, 3)):
            event: dict[str, Any] = {"id": f"event-{n}", "name": plan.said(f"催し{n}"), "state": "held"}
            if plan.maybe():
                event |= {"tell_from": "2027-01-01", "tell_until": "2027-06-30"}
            events.append(event)
    return {
        "city": "試験市",
        "centre": "試験センター",
        "id": "test",
        "numbers": numbers,
        "queues": plan.queues,
        "operators": [{"id": "1001", "name": "甲", "queues": [queue["id"] for queue in plan.queues]}],
        "trunks": [{"id": "line", "addresses": ["192.0.2.1"], "outbound": {"host": "192.0.2.1"}}],
        "calendars": [{"id": "city", "name": "暦", "closures": closures}] if "office" in used else [],
        "hours": [row for row in hours if row["id"] in used],
        "steps": plan.steps,
        "forwards": plan.forwards,
        "notices": notices,
        "events": events,
    }


def sites(max_boxes: int = 12) -> st.SearchStrategy[Site]:
    """Random plans, read and checked."""
    return plan_data(max_boxes).map(Site.model_validate)


def moments() -> st.SearchStrategy[dt.datetime]:
    """Times of calls, in UTC, over two years."""
    first = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
    return st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: first + dt.timedelta(minutes=minutes))
