"""The plan as boxes and lines: where a call may go on from where. For checks and pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dialplans.fields import Language
from dialplans.problems import Loc
from dialplans.steps import CallbackOffer, HoursBranch, Menu

if TYPE_CHECKING:
    from dialplans.model import Number, Queue, Site


@dataclass(frozen=True)
class Edge:
    """A line to the box `to` (a target). `field` says why: `next`, `otherwise`, `open`, `overflow`, … or a
    menu's key. `language`: the call goes on in it. `pressed`: only somebody who presses a key goes here.
    `back`: without the callback that was offered when the queue was over its limit, the call goes back into
    that queue, and waits there."""

    to: str
    loc: Loc
    field: str
    language: Language | None = None
    pressed: bool = False
    back: bool = False


Graph = Mapping[str, tuple[Edge, ...]]


def boxes(site: Site) -> dict[str, tuple[Edge, ...]]:
    """By box (a step's id, `queue:ID`, `forward:ID`, `hangup`) its lines, in the order of the plan. A key
    that repeats leads to its own menu, one that goes back to every menu that may have come before."""
    out: dict[str, tuple[Edge, ...]] = {"hangup": ()}
    queues = {f"queue:{queue.id}": queue for queue in site.queues}
    for index, step in enumerate(site.steps):
        lines = _step(step, ("steps", index))
        if isinstance(step, CallbackOffer):
            lines = (replace(one, back=_back(queues.get(one.to), step)) for one in lines)
        out[step.id] = tuple(lines)
    for index, queue in enumerate(site.queues):
        at: Loc = ("queues", index)
        out[f"queue:{queue.id}"] = tuple(_fields(queue, at, ("overflow", "nobody")))
        if queue.callback is not None:
            asked = Edge(queue.callback, (*at, "callback"), "callback", pressed=True)
            out[f"queue:{queue.id}"] += (asked,)
    for index, forward in enumerate(site.forwards):
        out[f"forward:{forward.id}"] = tuple(_fields(forward, ("forwards", index), ("unanswered",)))
    return _backs(out, {step.id for step in site.steps if isinstance(step, Menu)})


def _back(queue: Queue | None, offer: CallbackOffer) -> bool:
    """Whether a caller who declines comes back into the queue whose limit led to the offer. Not where nobody
    is signed on: that would lead here again at once."""
    return queue is not None and queue.overflow == offer.id != queue.nobody


def leads_to_people(site: Site, target: str) -> bool:
    """Whether a call that goes to this target may come to a queue or a forward, or be called back."""
    steps = {step.id: step for step in site.steps}
    left, seen = [target], set[str]()
    while left:
        at = left.pop()
        if at.startswith(("queue:", "forward:")) or isinstance(steps.get(at), CallbackOffer):
            return True
        if at in steps and at not in seen:
            seen.add(at)
            left += [line.to for line in _step(steps[at], ())]
    return False


def _fields(row: object, loc: Loc, names: Iterable[str]) -> Iterator[Edge]:
    for name in names:
        if (target := getattr(row, name, None)) is not None:
            yield Edge(target, (*loc, name), name)


def _step(step: object, loc: Loc) -> Iterator[Edge]:
    if isinstance(step, Menu):
        for key, does in step.keys.items():
            to = step.id if does.go == "repeat" else does.go
            yield Edge(to, (*loc, "keys", key, "go"), key, does.language, pressed=True)
        yield from _fields(step, loc, ("otherwise",))
    elif isinstance(step, HoursBranch):
        yield from _fields(step, loc, ("open", "closed", "holiday"))
    elif isinstance(step, CallbackOffer):
        yield Edge("hangup", (*loc, "key"), step.key, pressed=True)
        yield from _fields(step, loc, ("declined",))
    else:
        yield from _fields(step, loc, ("next",))


def _backs(edges: dict[str, tuple[Edge, ...]], menus: set[str]) -> dict[str, tuple[Edge, ...]]:
    """`back` resolved: to the menus from which this one is reached without another between, or to itself
    (the first menu repeats)."""
    goes_back = {id for id, lines in edges.items() if any(line.to == "back" for line in lines)}
    if not goes_back:
        return edges
    before: dict[str, list[str]] = {id: [] for id in goes_back}
    for menu in (id for id in edges if id in menus):
        for met in _until_menu(menu, edges, menus):
            if met in before:
                before[met].append(menu)
    out = {}
    for id, lines in edges.items():
        resolved: list[Edge] = []
        for line in lines:
            targets = [line.to] if line.to != "back" else list(dict.fromkeys([*before[id], id]))
            resolved += [replace(line, to=to) for to in targets]
        out[id] = tuple(resolved)
    return out


def _until_menu(start: str, edges: Mapping[str, tuple[Edge, ...]], menus: set[str]) -> set[str]:
    met: set[str] = set()
    seen = {start}
    left = [start]
    while left:
        for line in edges[left.pop()]:
            if line.to in menus:
                met.add(line.to)
            elif line.to in edges and line.to not in seen:
                seen.add(line.to)
                left.append(line.to)
    return met


@dataclass(frozen=True)
class Entry:
    """Where calls to a number come in. `greeted`: they have heard its greeting and recording notice."""

    number: Number
    line: Edge
    greeted: bool


def entries(site: Site) -> Iterator[Entry]:
    """All of them: open, closed, special days, withheld numbers, notices that lead elsewhere."""
    for index, number in enumerate(site.numbers):
        field = "start" if number.start is not None else "queue"
        yield Entry(number, Edge(number.begins, ("numbers", index, field), field), True)
        for line in _fields(number, ("numbers", index), ("closed", "holiday", "withheld")):
            yield Entry(number, line, False)
    for index, notice in enumerate(site.notices):
        if notice.next is not None:
            for number in site.hearing(notice):
                yield Entry(number, Edge(notice.next, ("notices", index, "next"), "next"), False)
