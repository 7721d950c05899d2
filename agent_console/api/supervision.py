"""Operations of a supervisor: listen, whisper, join, take over, pull, answer help, alarms, trend, wall."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import cdr

from .. import audit
from ..alarms.book import BOOK
from ..alarms.shown import entry as alarm_entry
from ..audit import Action
from ..problems import problem
from ..today import MINUTES
from ..wall import links as wall_links
from ..wall.socket import WALL
from .live import note_done
from .models import Done
from .registry import ApiCall
from .supervision_models import (
    AlarmEntry,
    AlarmList,
    AlarmsQuery,
    SuperviseMode,
    Supervising,
    Trend,
    TrendSlice,
    WallLinkEntry,
    WallLinkList,
    WallLinkMade,
    WallLinkMake,
)

_RING_S = 30.0  # a supervisor's desk phone may ring for a while


async def supervise(call: ApiCall) -> Supervising:
    """Listens, whispers or joins; on the same call already: switches; on another: leaves it for this one."""
    call_id, mode = call.path("call"), call.body_as(SuperviseMode).mode
    own = _own(call)
    operator = _operator_in(call, call_id)
    # Nobody listens without it being on record: without the database this is refused.
    await _on_record(call, f"ask {mode} call={call_id} operator={operator} supervisor={own}")
    await _do(call, "supervise.start", call=call_id, supervisor=own, mode=mode, by=_by(call))
    return Supervising(call=call_id, operator=operator, mode=mode)


async def supervise_mode(call: ApiCall) -> Supervising:
    """Another mode, without hanging up."""
    mode, own, now = call.body_as(SuperviseMode).mode, _own(call), _supervised(call)
    if now is None:
        raise problem(409, "not_supervising", "problem.not_supervising")
    call_id = str(now.get("call"))
    operator = _operator_in(call, call_id)
    await _on_record(call, f"ask {mode} call={call_id} operator={operator} supervisor={own}")
    await _do(call, "supervise.mode", supervisor=own, mode=mode, by=_by(call))
    return Supervising(call=call_id, operator=operator, mode=mode)


async def supervise_stop(call: ApiCall) -> Done:
    """Leaves the call."""
    await _do(call, "supervise.stop", supervisor=_own(call), by=_by(call))
    return Done()


async def take_over(call: ApiCall) -> Done:
    """The supervisor has the call, its operator is let go."""
    call_id, own = call.path("call"), _own(call)
    operator = _operator_in(call, call_id)
    await _do(call, "supervise.take_over", call=call_id, supervisor=own, by=_by(call))
    await note_done(call, Action.TAKE_OVER, f"call={call_id} operator={operator} supervisor={own}")
    return Done()


async def pull(call: ApiCall) -> Done:
    """A waiting call rings the supervisor."""
    call_id, own = call.path("call"), _own(call)
    await _do(call, "call.pull", call=call_id, supervisor=own, by=_by(call))
    await note_done(call, Action.CALL_PULL, f"call={call_id} supervisor={own}")
    return Done()


async def help_take(call: ApiCall) -> Done:
    """Somebody has seen it and comes."""
    await call.console.link.command("help.take", help=call.path("help"), by=_by(call))
    return Done()


async def alarms(call: ApiCall) -> AlarmList:
    """What goes on, and what was."""
    query, book = call.query_as(AlarmsQuery), call.request.app[BOOK]
    rows, total = await book.history(query.limit, query.offset)
    return AlarmList(
        now=[AlarmEntry.model_validate(each) for each in book.shown()],
        history=[AlarmEntry.model_validate(alarm_entry(each, call.console.site)) for each in rows],
        total=total,
    )


async def acknowledge(call: ApiCall) -> Done:
    """Somebody has seen it."""
    number, book = _number(call, "alarm"), call.request.app[BOOK]
    taken = await book.acknowledge(number, _by(call))
    if taken is None:
        raise problem(404, "unknown_alarm", "problem.no_alarm", id=number)
    await note_done(call, Action.ALARM_ACKNOWLEDGED, f"{number} {taken.kind} {taken.subject}")
    return Done()


async def trend(call: ApiCall) -> Trend:
    """Today by the half-hour."""
    site = call.console.site
    today = datetime.now(site.zone).date()
    found = await cdr.trend(call.console.store, site, today, site.timezone, MINUTES)
    return Trend(minutes=MINUTES, slices=[TrendSlice.model_validate(one.to_json()) for one in found])


async def wall_list(call: ApiCall) -> WallLinkList:
    """All links ever made, the latest first."""
    rows = await wall_links.listed(call.console.store)
    return WallLinkList(links=[WallLinkEntry.model_validate(wall_links.shape(row)) for row in rows])


async def wall_make(call: ApiCall) -> WallLinkMade:
    """A new link."""
    name = call.body_as(WallLinkMake).name.strip()
    row, path = await wall_links.make(call.console.store, name, _by(call))
    await note_done(call, Action.WALL_LINK, f"made {row.id} {name}")
    return WallLinkMade(link=WallLinkEntry.model_validate(wall_links.shape(row)), path=path)


async def wall_revoke(call: ApiCall) -> Done:
    """Its screens go blank."""
    number = _number(call, "link")
    if not await wall_links.revoke(call.console.store, number, _by(call)):
        raise problem(404, "unknown_link", "problem.no_wall_link", id=number)
    call.request.app[WALL].revoked(number)
    await note_done(call, Action.WALL_LINK, f"revoked {number}")
    return Done()


def _by(call: ApiCall) -> str:
    return call.session.account.login


def _own(call: ApiCall) -> str:
    """The operator id whose telephone the supervisor uses."""
    own = call.session.account.operator
    if own is None:
        raise problem(409, "no_phone_of_own", "problem.no_own_phone")
    return own


def _supervised(call: ApiCall) -> dict[str, Any] | None:
    """{call, mode} while the supervisor is at a call."""
    operator = call.console.link.state.operators.get(_own(call)) or {}
    return operator.get("supervising") or None


def _operator_in(call: ApiCall, call_id: str) -> str | None:
    entity = call.console.link.state.calls.get(call_id)
    return entity.get("operator") if entity else None


async def _do(asked: ApiCall, do: str, /, **fields: Any) -> None:
    await asked.console.link.command(do, _RING_S, **fields)


async def _on_record(call: ApiCall, detail: str) -> None:
    """Raises StoreUnavailable where it cannot be."""
    await audit.note(
        call.console.store,
        Action.SUPERVISE,
        login=call.session.account.login,
        address=call.request.remote,
        detail=detail,
    )


def _number(call: ApiCall, name: str) -> int:
    text = call.path(name)
    if not text.isdecimal() or len(text) > 9:
        raise problem(404, "not_found", "problem.not_found")
    return int(text)
