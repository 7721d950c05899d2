"""/board: the supervisor's live board."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from .console import Console, console_of, texts_of, whose
from .pages import signed_in
from .plan.running import board_lines
from .rights import Right
from .sessions import Session
from .views import page


@signed_in(Right.BOARD)
async def board(request: web.Request) -> web.StreamResponse:
    console, session = console_of(request), whose(request)
    site = console.site
    return page(
        request,
        "board.html",
        config={
            "queues": [{"id": queue.id, "name": queue.name} for queue in site.queues],
            "may_move": session.may(Right.CALLS_CONTROL),
            "languages": list(site.languages),
            "board": _setup(console, session),
        },
        within=site.kpi.answer_within_s,
        running=board_lines(site, console.link.state, texts_of(request)),
        to_switches=session.may(Right.PLAN_READ),
        has_phone=_has_phone(console, session),
    )


def _has_phone(console: Console, session: Session) -> bool:
    """Whether these eyes may listen and have a telephone to do it with."""
    operator = session.account.operator
    known = any(one.id == operator for one in console.site.operators)
    return known and session.may(Right.SUPERVISE) and session.may(Right.SEAT)


def _setup(console: Console, session: Session) -> dict[str, Any]:
    site = console.site
    people = {user.login: user.name for user in site.users} | {one.id: one.name for one in site.operators}
    return {
        "supervises": session.may(Right.SUPERVISE),
        "sets_states": session.may(Right.OPERATORS_STATE),
        "sees_alarms": session.may(Right.ALARMS),
        "has_phone": _has_phone(console, session),
        "people": people,
        # Late is what an alarm calls late; without one, twice the time that the city gives itself.
        "late_s": site.alarms.wait_s or 2 * site.kpi.answer_within_s,
    }
