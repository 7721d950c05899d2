"""Events of calls, made up for tests: `Story("c1").at(0, "arrived", number="1")`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Self

from cdr import Event

NINE = datetime(2026, 11, 21, 0, 0, tzinfo=UTC)  # 9:00 in Japan


class Story:
    """A call's events at seconds after `start`, with the monotonic clock of one boot."""

    def __init__(self, call: str = "c1", start: datetime = NINE, *, boot: str | None = "b1") -> None:
        self.call, self.start, self.boot = call, start, boot
        self.events: list[Event] = []

    def at(self, seconds: float, kind: str, *, wall_shift_s: float = 0.0, **data: Any) -> Self:
        """Adds an event; `wall_shift_s`: by how much the wall clock is wrong just then."""
        self.events.append(
            Event(
                id=f"{(self.start - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1):012x}"
                f"-{len(self.events):04x}-{self.call}",
                at=self.start + timedelta(seconds=seconds + wall_shift_s),
                mono=1000.0 + seconds if self.boot else None,
                boot=self.boot,
                call=self.call,
                kind=kind,
                data=data,
            )
        )
        return self

    def reboot(self, boot: str | None) -> Self:
        """What follows is stamped in another boot (None: has no monotonic time)."""
        self.boot = boot
        return self


def answered(
    call: str,
    start: datetime = NINE,
    *,
    greeting_s: float = 2.0,
    wait_s: float = 4.0,
    talk_s: float = 60.0,
    operator: str = "1001",
    number: str = "0246221111",
) -> Story:
    """A call like most: greeted, queued, rung, answered, ended by the citizen, wrapped up in 10 s."""
    queued, up, end = greeting_s, greeting_s + wait_s, greeting_s + wait_s + talk_s
    return (
        Story(call, start)
        .at(0, "arrived", number=number, caller="09012345678", channel=call, via="engine")
        .at(0, "greeted")
        .at(queued, "queued", queue="main", priority=0, again=False, prefer=None)
        .at(
            queued, "offered", queue="main", operator=operator, phone="desk", because={"rule": "longest_idle"}
        )
        .at(up, "offer_ended", operator=operator, reason="answered", ring_s=wait_s)
        .at(up, "answered", operator=operator, phone="desk")
        .at(end, "left", operator=operator)
        .at(end, "ended", by="caller", cause=16, reason="normal")
        .at(end, "wrap_up", operator=operator)
        .at(
            end + 10,
            "wrapped_up",
            operator=operator,
            by="operator",
            result="完了",
            category="住民票",
            note="",
        )
    )


def abandoned(call: str, start: datetime = NINE, *, after_s: float = 20.0, queued: bool = True) -> Story:
    """A call given up in the queue, or in the greeting."""
    story = Story(call, start).at(0, "arrived", number="0246221111", caller=None, channel=call, via="engine")
    if queued:
        story.at(min(2.0, after_s), "queued", queue="main", priority=0, again=False, prefer=None)
    return story.at(after_s, "ended", by="caller", cause=16, reason="normal")
