"""Calls that Asterisk served alone: read from its queue_log into the journal, each line once.

Behind each line's events stands `survival_read` with the file's position after that line, so a new engine
goes on exactly behind the last line that the journal holds (docs/survival.md).
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from asterisk_conf import parse_queue_log

if TYPE_CHECKING:
    from .centre import Centre

log = logging.getLogger("daihyo.engine.survival")

EVERY_S = 2.0


class SurvivalLog:
    """`read` takes in what is new; `watch` does so again and again."""

    def __init__(self, centre: Centre, path: Path) -> None:
        self.centre = centre
        self.path = path

    async def watch(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            self.read()

    def read(self) -> None:
        try:
            size = self.path.stat().st_size
            start = self.centre.memory.log_offset
            if size < start:
                log.warning(
                    "%s is shorter than what was read of it; reading it from its beginning", self.path
                )
                start = 0
            if size == start:
                return
            with self.path.open("rb") as file:
                file.seek(start)
                text = file.read(size - start)
        except OSError as problem:
            if not isinstance(problem, FileNotFoundError):
                log.warning("cannot read %s: %s", self.path, problem)
            return
        position = start
        lines = [line for line in text.splitlines(keepends=True) if line.endswith(b"\n")]  # whole ones
        told = [line.decode("utf-8", "replace") for line in lines]
        over = {fact.call for fact in parse_queue_log(told) if fact.kind == "ended"}
        for line, said in zip(lines, told, strict=True):
            position += len(line)
            self._line(said, position, over)

    def _line(self, line: str, position: int, over: set[str]) -> None:
        """`over`: calls that have ended by the lines read together with this one."""
        centre = self.centre
        for fact in parse_queue_log([line]):
            known = centre.memory.calls.get(fact.call)
            if fact.kind == "arrived" and known is not None:
                continue  # handed over by the engine: it has arrived already
            if fact.kind == "handed_over" and known is not None and known.handed_over:
                continue
            if fact.kind != "arrived" and known is None:
                continue  # closed already
            operator = fact.data.get("operator")
            talked = known.operator if known is not None else None
            session = centre.session
            if fact.kind == "ended" and session is not None and talked is not None:
                if session.floor.talks_in(talked, fact.call):
                    centre.note("left", fact.call, at=fact.at, operator=talked)
                    centre.note("wrap_up", fact.call, at=fact.at, operator=talked)
                else:
                    talked = None  # talks in another call by now
            centre.note(fact.kind, fact.call, at=fact.at, **fact.data)
            if session is None:
                continue
            if fact.kind == "answered" and isinstance(operator, str):
                if fact.call in over or session.call_of(operator) is not None:
                    continue  # read late: the talk has ended, the operator may be rung for the next
                session.floor.talks(operator, fact.call, known.queue if known is not None else None)
            elif fact.kind == "ended" and talked is not None:
                session.floor.over(talked)
        centre.note("survival_read", log_offset=position)
