"""Where calls go: everything is reached, nobody goes round in circles. On a Site whose names are right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dialplans.graph import Edge, Graph, boxes, entries
from dialplans.problems import Finding, Loc
from dialplans.steps import HoursBranch

if TYPE_CHECKING:
    from dialplans.model import Site

_SHOWN = 6  # so many boxes of a circle are named


def findings(site: Site) -> Iterator[Finding]:
    """Circles without a way out, boxes that no call reaches, queues and hang-ups that leave people alone."""
    lines = boxes(site)
    yield from _circles(lines)
    reached = _reached(site, lines)
    yield from _unused(site, reached)
    yield from _nobody_serves(site, reached)
    yield from _nobody_speaks(site)
    yield from _wordless(site, lines)


def _circles(lines: Graph) -> Iterator[Finding]:
    """Somebody who never presses a key must come to an end: without keys the plan has no circle. Depth
    first, without recursion (plans may be deep); each line that closes a circle is told once."""
    done: set[str] = set()
    for start in lines:
        path: list[str] = []
        on_path: set[str] = set()
        work: list[tuple[str, Iterator[Edge]]] = []
        if start not in done:
            work.append((start, _silent(lines, start)))
            path.append(start)
            on_path.add(start)
        while work:
            at, left = work[-1]
            line = next(left, None)
            if line is None:
                work.pop()
                path.pop()
                on_path.discard(at)
                done.add(at)
            elif line.to in on_path:
                yield _circle(line, [*path[path.index(line.to) :], line.to])
            elif line.to not in done:
                work.append((line.to, _silent(lines, line.to)))
                path.append(line.to)
                on_path.add(line.to)


def _silent(lines: Graph, box: str) -> Iterator[Edge]:
    return (line for line in lines[box] if not (line.pressed or line.back))


def _circle(line: Edge, circle: list[str]) -> Finding:
    shown = circle if len(circle) <= _SHOWN + 1 else [*circle[:_SHOWN], "…", circle[-1]]
    way = " → ".join(shown)
    return Finding(
        line.loc,
        f"ボタンを押さない人の電話が、終わりなく回ります({way})",
        f"a caller who presses no key goes round for ever ({way})",
        "どこかを、人につながる行き先か、案内を流して終わる行き先(hangup)に変えてください",
        "let one of them lead to people, or to an announcement that ends (hangup)",
    )


def _reached(site: Site, lines: Graph) -> set[str]:
    """All boxes to which calls come. Queues count from the start: operators may transfer to them."""
    left = [one.line.to for one in entries(site)] + [f"queue:{one.id}" for one in site.queues]
    reached: set[str] = set()
    while left:
        if (box := left.pop()) not in reached:
            reached.add(box)
            left += [line.to for line in lines[box]]
    return reached


def _unused(site: Site, reached: set[str]) -> Iterator[Finding]:
    def finding(name: str, index: int, id: str, ja: str, en: str) -> Finding:
        loc: Loc = (name, index, "id")
        return Finding(
            loc,
            f"{ja}「{id}」は、どこからも使われていません",
            f"{en} “{id}” is used nowhere",
            "どこかの行き先にするか、消してください",
            "let something lead to it, or remove it",
        )

    for index, step in enumerate(site.steps):
        if step.id not in reached:
            yield finding("steps", index, step.id, "案内", "step")
    for index, forward in enumerate(site.forwards):
        if f"forward:{forward.id}" not in reached:
            yield finding("forwards", index, forward.id, "転送先", "forward")
    kept = {one.hours for one in site.numbers} | {getattr(one, "hours", None) for one in site.steps}
    for index, hours in enumerate(site.hours):
        if hours.id not in kept:
            yield finding("hours", index, hours.id, "受付時間", "hours")
    # The first calendar also rules the departments' office hours (職員録), whatever the numbers do.
    named = {one.calendar for one in site.hours} | {one.id for one in site.calendars[:1]}
    for index, calendar in enumerate(site.calendars):
        if calendar.id not in named:
            yield finding("calendars", index, calendar.id, "暦", "calendar")


def _nobody_serves(site: Site, reached: set[str]) -> Iterator[Finding]:
    """A queue without operators must lead on by itself."""
    served = {queue for operator in site.operators for queue in operator.queues}
    for index, queue in enumerate(site.queues):
        leads_on = queue.nobody is not None or queue.longest_wait_s is not None
        if queue.id not in served and not leads_on:
            yield Finding(
                ("queues", index, "id"),
                f"キュー「{queue.id}」を受ける操作者がいません。電話は待ち続けます",
                f"no operator serves queue “{queue.id}”: calls would wait for ever",
                "操作者の queues: に書き足すか、nobody: に行き先を書いてください",
                "add it to an operator's queues:, or add nobody: with a target",
            )


def _nobody_speaks(site: Site) -> Iterator[Finding]:
    """A queue that never asks others needs somebody of each language in which calls wait there."""
    for index, queue in enumerate(site.queues):
        if queue.language_after_s is not None or queue.longest_wait_s is not None:
            continue
        serving = [one for one in site.operators if queue.id in one.queues]
        for language in site.languages:
            if serving and not any(one.languages is None or language in one.languages for one in serving):
                yield Finding(
                    ("queues", index, "language_after_s"),
                    f"キュー「{queue.id}」には、言語「{language}」を話す操作者がいません。電話は待ち続けます",
                    f"no operator of queue “{queue.id}” speaks “{language}”: calls would wait for ever",
                    "language_after_s: に秒数を書くか、操作者の languages: に書き足してください",
                    "give language_after_s: seconds, or add the language to an operator's languages:",
                )


def _wordless(site: Site, lines: Graph) -> Iterator[Finding]:
    """Calls that do not get the greeting must be told why before they are hung up."""
    told: set[Loc] = set()
    branches = {step.id for step in site.steps if isinstance(step, HoursBranch)}
    for one in entries(site):
        line = one.line
        if one.greeted or line.loc in told or line.loc[0] != "numbers":
            continue
        left = [line.to]
        seen: set[str] = set()
        while left:
            box = left.pop()
            if box == "hangup":
                told.add(line.loc)
                yield Finding(
                    line.loc,
                    "理由を聞かないまま、電話が切れます",
                    "calls are hung up here without being told why",
                    "案内(kind: say)を作り、それを行き先にしてください",
                    "make an announcement (kind: say) and name it here",
                )
                break
            if box in branches and box not in seen:
                seen.add(box)
                left += [branch.to for branch in lines[box]]
