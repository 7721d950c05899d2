"""What supervisors have switched just now, as the plan's pages and the board show it; and what callers would
hear with a switch, before it is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import ivr
from dialplans import Site

from ..live_state import LiveState
from ..texts import Texts

_LATE = timedelta(hours=1)  # a switch that runs now says nothing about a moment longer ago than this


@dataclass(frozen=True)
class Running:
    """A number's switch: its mode, its end (aware; None when the engine did not tell one)."""

    mode: str
    until: datetime | None

    def words(self, site: Site, at: datetime, texts: Texts) -> str:
        """「受付の切り替え中: 閉めています 23:59 まで」; with the date when it does not end on `at`'s day."""
        what = texts.known(f"plan.switched.{self.mode}", self.mode)
        if self.until is not None:
            end = self.until.astimezone(site.zone)
            same = end.date() == at.astimezone(site.zone).date()
            what += " " + texts("plan.switches.until", at=end.strftime("%H:%M" if same else "%-m/%-d %H:%M"))
        return texts("plan.running.switch", what=what)


def time_of(text: Any) -> datetime | None:
    """A time as the engine tells it; None when it is none."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def switched(state: LiveState, at: datetime, now: datetime) -> dict[str, Running]:
    """By number's digits the switches that still rule at `at`. None for a moment that is over: the live state
    does not say when a switch was made."""
    if at < now - _LATE:
        return {}
    known = {mode.value for mode in ivr.Mode}
    found = {}
    for one in state.openings:
        mode, until = str(one.get("mode")), time_of(one.get("until"))
        if mode in known and (until is None or until > at):
            found[str(one.get("number"))] = Running(mode, until)
    return found


def notices_on(site: Site, state: LiveState) -> tuple[str, ...]:
    """Ids of the site's notices that are on, in the plan's order."""
    on = {str(one.get("notice")) for one in state.notices if one.get("state") == "on"}
    return tuple(one.id for one in site.notices if one.id in on)


def switches_of(running: dict[str, Running], notices: tuple[str, ...]) -> ivr.Switches:
    """As `ivr.hear` takes them."""
    return ivr.Switches({digits: ivr.Mode(one.mode) for digits, one in running.items()}, notices)


@dataclass(frozen=True)
class Line:
    """One announcement: its text, language and sound's key."""

    text: str
    language: str
    sound: str


@dataclass(frozen=True)
class Foretold:
    """What callers of a number will hear until the first question. `ending`: where the call goes then (""
    when a key is waited for). `bare`: closed without words of its own. `lines` None: it cannot be told."""

    name: str
    number: str
    lines: list[Line] | None
    ending: str = ""
    bare: bool = False


def foretell(
    site: Site, digits: str, mode: str, at: datetime, notices: tuple[str, ...], english: bool
) -> Foretold | None:
    """What callers of `digits` hear at `at` with this switch made. None: not a number of the site."""
    number = next((one for one in site.numbers if one.digits == digits), None)
    if number is None:
        return None
    told = ivr.hear(site, digits, at, "", ivr.Switches({digits: ivr.Mode(mode)}, notices))
    lines = []
    for line in told.lines:
        lines.append(Line(line.prompt.text, line.prompt.language, line.prompt.key))
        if line.key is not None:
            return Foretold(number.name, number.number, lines)
    bare = mode == "closed" and number.closed is None and told.target == "hangup"
    return Foretold(number.name, number.number, lines, told.ending_en if english else told.ending, bare=bare)


def board_lines(site: Site, state: LiveState, texts: Texts) -> list[tuple[str, str]]:
    """What the board says of switches: (kind, words), the gravest first; empty when all is as usual. Kinds:
    `on`, `asked`, and `closed`, `open`, `extended`."""
    names = {one.id: one.name for one in site.notices}
    lines = []
    for what, key in (("on", "notice"), ("asked", "asked")):
        found = [str(one.get("notice")) for one in state.notices if one.get("state") == what]
        if found:
            told = "、".join(names.get(id, id) for id in found)
            lines.append((what, texts(f"plan.running.{key}", names=told)))
    now = datetime.now(UTC)
    ruling = switched(state, now, now)
    numbers = {one.digits: one.name for one in site.numbers}
    for mode in ("closed", "open", "extended"):
        for digits, one in ruling.items():
            if one.mode == mode:
                lines.append((mode, f"{numbers.get(digits, digits)} {one.words(site, now, texts)}"))
    return lines
