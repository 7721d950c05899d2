"""A number's plan as a tree of boxes: what a call meets from above, and to the right where each key leads.

Made from the text as it stands, so that a draft that is still wrong can be looked at as well. A step is drawn
in full where it is met first; met again (also in a loop) it is named only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dialplans import Problem

from ..texts import Texts
from .document import Document, Plain, name_of
from .form_values import WEEKDAYS, said_lines, week

_MAX_BOXES = 2000


@dataclass
class Box:
    """One box. `kind` chooses its colour and sign; `lines` say what is in it; `wrong` counts its problems.
    `again`: drawn elsewhere already. `running`: what is switched on it now. `ways`: (what leads there,
    box)."""

    kind: str
    title: str
    lines: list[str] = field(default_factory=list)
    href: str | None = None
    wrong: int = 0
    again: bool = False
    running: str = ""
    ways: list[tuple[str, Box]] = field(default_factory=list)


def stem(
    document: Document, digits: str, problems: tuple[Problem, ...], texts: Texts, query: str
) -> list[Box]:
    """The boxes that a call to this number meets one after another; what branches off hangs on each. Empty
    when there is no such number. `query` is put behind every address."""
    return _Drawer(document, problems, texts, query).stem(digits)


class _Drawer:
    def __init__(self, document: Document, problems: tuple[Problem, ...], texts: Texts, query: str) -> None:
        self._document, self._problems, self._t, self._query = document, problems, texts, query
        self._drawn: set[str] = set()
        self._boxes = 0
        self._own = str(document.data.get("language") or "ja")

    def stem(self, digits: str) -> list[Box]:
        number = self._document.row("numbers", digits)
        if number is None:
            return []
        boxes = [self._number(number, digits)]
        if str(number.get("notices", "true")) == "true" and (notices := self._notices(digits)):
            boxes.append(notices)
        if number.get("hours"):
            boxes.append(self._opening(number))
        greeting = said_lines(number.get("greeting"), self._own)
        heard = [_short(text) for text, _ in greeting.values() if text]
        heard += [_short(text) for text, _ in said_lines(number.get("recording_notice"), self._own).values()]
        boxes.append(
            Box(
                "greeting",
                self._t("plan.box.greeting"),
                [line for line in heard if line],
                self._href("numbers", digits, "greeting"),
            )
        )
        boxes.append(self._target(begins(number)))
        return boxes

    # -- the boxes of the stem

    def _number(self, number: Mapping[str, Plain], digits: str) -> Box:
        lines = [str(number.get("number") or "")]
        if aliases := number.get("aliases"):
            lines.append(self._t("plan.box.aliases", n=len(aliases)))
        if diverted := number.get("diverted"):
            lines.append(self._t("plan.box.diverted", n=len(diverted)))
        if str(number.get("staff", "")) == "true":
            lines.append(self._t("plan.box.staff"))
        box = self._box("number", "numbers", digits, str(number.get("name") or ""), lines)
        if withheld := number.get("withheld"):
            box.ways.append((self._t("plan.way.withheld"), self._target(str(withheld))))
        return box

    def _notices(self, digits: str) -> Box | None:
        mine = []
        for row in self._document.rows("notices"):
            named = [str(number).replace("-", "") for number in row.get("numbers") or []]
            if not named or digits in named:
                mine.append(row)
        if not mine:
            return None
        box = Box("notice", self._t("plan.box.notices"), [str(row.get("name") or "") for row in mine])
        box.wrong = sum(self._wrong("notices", str(row.get("id"))) for row in mine)
        first = str(mine[0].get("id") or "")
        box.href = self._href("notices", first)
        for row in mine:
            if row.get("next"):
                label = self._t("plan.way.notice", name=str(row.get("name") or ""))
                box.ways.append((label, self._target(str(row["next"]))))
        return box

    def _opening(self, number: Mapping[str, Plain]) -> Box:
        box = self._hours(str(number["hours"]))
        closed, holiday = number.get("closed"), number.get("holiday")
        if closed:
            box.ways.append((self._t("plan.way.closed"), self._target(str(closed))))
        if holiday:
            box.ways.append((self._t("plan.way.holiday"), self._target(str(holiday))))
        return box

    def _hours(self, id: str) -> Box:
        row = self._document.row("hours", id)
        if row is None:
            return self._unknown(id)
        return self._box("hours", "hours", id, str(row.get("name") or id), week_lines(row, self._t))

    # -- targets

    def _target(self, target: str) -> Box:
        self._boxes += 1
        kind, _, id = target.rpartition(":")
        if target == "hangup":
            return Box("end", self._t("plan.box.hangup"))
        if target in ("repeat", "back"):
            return Box("again", self._t(f"plan.go.{target}"), again=True)
        if kind == "queue":
            return self._queue(id)
        if kind == "forward":
            return self._forward(id)
        return self._step(target)

    def _queue(self, id: str) -> Box:
        row = self._document.row("queues", id)
        if row is None:
            return self._unknown(f"queue:{id}")
        box = self._box("queue", "queues", id, str(row.get("name") or id), [])
        if self._again(f"queue:{id}"):
            return box
        for key in ("overflow", "nobody"):
            if row.get(key):
                box.ways.append((self._t(f"plan.way.{key}"), self._target(str(row[key]))))
        if row.get("callback"):
            key = str(row.get("callback_key") or "1")
            box.ways.append((self._t("plan.way.callback", key=key), self._target(str(row["callback"]))))
        if row.get("most_waiting"):
            box.lines.append(self._t("plan.box.most", n=str(row["most_waiting"])))
        if row.get("longest_wait_s"):
            box.lines.append(self._t("plan.box.longest", n=str(row["longest_wait_s"])))
        return box

    def _forward(self, id: str) -> Box:
        row = self._document.row("forwards", id)
        if row is None:
            return self._unknown(f"forward:{id}")
        number = str(row.get("number") or "")
        box = self._box("forward", "forwards", id, str(row.get("name") or id), [number])
        if not self._again(f"forward:{id}") and row.get("unanswered"):
            box.ways.append((self._t("plan.way.unanswered"), self._target(str(row["unanswered"]))))
        return box

    def _step(self, id: str) -> Box:
        row = self._document.row("steps", id)
        if row is None:
            return self._unknown(id)
        kind = str(row.get("kind") or "")
        title = str(row.get("name") or self._t.known(f"plan.step.{kind}", id))
        lines = [line for key in ("say", "before") if (line := self._said(row.get(key)))][:1]
        box = self._box(
            kind if kind in ("menu", "say", "hours", "events", "callback") else "say",
            "steps",
            id,
            title,
            lines,
        )
        if self._again(id):
            box.again, box.lines = True, []
            return box
        if kind == "menu":
            self._menu(box, row)
        elif kind == "callback":
            row_of = self._document.row("queues", str(row.get("queue") or "")) or {}
            name = str(row_of.get("name") or row.get("queue") or "―")
            box.lines = [*lines, self._t("plan.box.callback", queue=name)]
            if row.get("declined"):
                box.ways.append((self._t("plan.way.declined"), self._target(str(row["declined"]))))
        elif kind == "hours":
            hours = self._document.row("hours", str(row.get("hours") or ""))
            box.lines = week_lines(hours, self._t) if hours else []
            for key in ("open", "closed", "holiday"):
                if row.get(key):
                    box.ways.append((self._t(f"plan.way.{key}"), self._target(str(row[key]))))
        else:
            if kind == "events":
                board = str(row.get("board") or "main")
                count = sum(str(e.get("board") or "main") == board for e in self._document.rows("events"))
                box.lines.append(self._t("plan.box.events", n=count))
            box.ways.append(("", self._target(str(row.get("next") or "hangup"))))
        return box

    def _menu(self, box: Box, row: Mapping[str, Plain]) -> None:
        keys = row.get("keys")
        for key, does in keys.items() if isinstance(keys, Mapping) else ():
            if not isinstance(does, Mapping):
                continue
            language = f" ({self._t('language.' + str(does['language']))})" if _known(does) else ""
            label = f"{key} {does.get('label') or ''}{language}"
            box.ways.append((label, self._target(str(does.get("go") or ""))))
        if row.get("otherwise"):
            box.ways.append((self._t("plan.way.otherwise"), self._target(str(row["otherwise"]))))

    # -- parts of a box

    def _box(self, kind: str, section: str, id: str, title: str, lines: list[str]) -> Box:
        return Box(kind, title, lines, self._href(section, id), self._wrong(section, id))

    def _unknown(self, target: str) -> Box:
        return Box("unknown", self._t("plan.box.unknown", target=target or "―"), wrong=1)

    def _again(self, target: str) -> bool:
        """Whether it was drawn before; a picture with too many boxes stops growing here."""
        seen = target in self._drawn or self._boxes > _MAX_BOXES
        self._drawn.add(target)
        return seen

    def _said(self, value: Plain) -> str:
        return next((_short(text) for text, _ in said_lines(value, self._own).values() if text), "")

    def _href(self, section: str, id: str, at: str = "") -> str:
        return f"/plan/edit/{section}/{id}{self._query}" + (f"#f-{at}" if at else "")

    def _wrong(self, section: str, id: str) -> int:
        index = self._document.index(section, id)
        return sum(belongs(problem, section, index) for problem in self._problems) if index is not None else 0


def _known(does: Mapping[str, Plain]) -> bool:
    return does.get("language") in ("ja", "en")


def begins(number: Mapping[str, Plain]) -> str:
    """The target of a call to this number while open."""
    return str(number.get("start") or (f"queue:{number['queue']}" if number.get("queue") else ""))


def belongs(problem: Problem, section: str, index: int) -> bool:
    """Whether a problem is one of this row."""
    path = f"{section}[{index}]"
    return problem.path == path or problem.path.startswith((path + ".", path + "["))


def week_lines(row: Mapping[str, Plain], texts: Texts) -> list[str]:
    """ "月–金 8:30–17:15", "土 9:00–12:00": days with the same hours together, closed ones left out."""
    days = week(row.get("week"))
    lines = []
    begin = 0
    for at in range(1, len(WEEKDAYS) + 1):
        if at < len(WEEKDAYS) and days[WEEKDAYS[at]] == days[WEEKDAYS[begin]]:
            continue
        first, last = WEEKDAYS[begin], WEEKDAYS[at - 1]
        name = texts(f"plan.day.{first}") + (f"–{texts(f'plan.day.{last}')}" if first != last else "")
        if days[first]:
            lines.append(f"{name} " + " ".join(span.replace("-", "–") for span in days[first]))
        begin = at
    return lines or [texts("plan.never_open")]


def _short(text: str, most: int = 34) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= most else one_line[: most - 1] + "…"


def numbers_of(document: Document) -> list[dict[str, Any]]:
    """The numbers for the list at the left: digits, number, name."""
    return [
        {"digits": name_of("numbers", row), "number": row.get("number"), "name": row.get("name")}
        for row in document.rows("numbers")
    ]


def number_of_box(document: Document, section: str, id: str, texts: Texts) -> str:
    """The digits of the first number whose picture shows this box; "" when none does."""
    wanted = f"/plan/edit/{section}/{id}"
    for row in document.rows("numbers"):
        digits = name_of("numbers", row)
        left = stem(document, digits, (), texts, "")
        while left:
            box = left.pop()
            if (box.href or "").partition("#")[0] == wanted:
                return digits
            left += [after for _, after in box.ways]
    return ""
