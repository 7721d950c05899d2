"""/callbacks (折り返し予約): who is to be called back, giving one up, today's ended ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from sqlalchemy import select

from cdr import Span
from store import EventRow, Store, StoreUnavailable

from .. import audit
from ..audit import Action
from ..console import Console, console_of, texts_of, whose
from ..link import EngineAway, EngineRefused
from ..live_state import Entity, shown_callback
from ..pages import check_csrf, form_field, signed_in
from ..problems import problem
from ..rights import Right
from ..sessions import Session
from ..views import page

REASON_MAX = 200
_KINDS = ("callback_booked", "callback_failed", "callback_ended")
_LONGEST = timedelta(days=4)  # a callback is kept for three days at most
_ORDER = ("talking", "calling", "ringing", "waiting", "later")


@dataclass(frozen=True)
class Ended:
    """A callback that ended. `of`: the call that booked it; `number`: whom to call, digits; `tries`: calls
    that reached nobody; `reason`: `done given_up expired dropped called_in`; `by`: who gave it up."""

    callback: str
    of: str
    number: str
    queue: str | None
    booked_at: datetime | None
    ended_at: datetime
    tries: int
    reason: str
    by: str | None

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))


def listed(console: Console, session: Session) -> list[Entity]:
    """All callbacks that have not ended, those under way first, then by place, as these eyes may see them."""
    rank = {state: n for n, state in enumerate(_ORDER)}
    found = sorted(
        console.link.state.callbacks,
        key=lambda one: (
            rank.get(str(one.get("state")), 9),
            str(one.get("place_since") or ""),
            str(one.get("id")),
        ),
    )
    return [shown_callback(one, session.rights, console.groups) for one in found]


async def ended_today(store: Store, zone: str) -> list[Ended]:
    """Today's ended callbacks, the latest first. Raises StoreUnavailable."""
    today = Span.today(zone)
    query = (
        select(EventRow)
        .where(EventRow.kind.in_(_KINDS), EventRow.at >= today.start - _LONGEST, EventRow.at < today.end)
        .order_by(EventRow.id)
    )
    async with store.reading() as database:
        rows = (await database.scalars(query)).all()
    return ended_of(((row.kind, row.call or "", row.at, row.data) for row in rows), today.start)


def ended_of(events: Iterable[tuple[str, str, datetime, Mapping[str, Any]]], since: datetime) -> list[Ended]:
    """The callbacks that ended at or after `since`, of events (kind, call, at, data) in their order."""
    booked: dict[str, tuple[str, datetime, Mapping[str, Any]]] = {}
    tries: dict[str, int] = {}
    ended: dict[str, Ended] = {}
    for kind, call, at, data in events:
        callback = str(data.get("callback") or "")
        if kind == "callback_booked":
            booked[callback] = (call, at, data)
        elif kind == "callback_failed":
            tries[callback] = tries.get(callback, 0) + 1
        elif at >= since:
            of, booked_at, about = booked.get(callback, (call, None, {}))
            ended[callback] = Ended(
                callback=callback,
                of=of,
                number=str(about.get("number") or ""),
                queue=about.get("queue"),
                booked_at=booked_at,
                ended_at=at,
                tries=tries.get(callback, 0),
                reason=str(data.get("reason") or ""),
                by=data.get("by"),
            )
    return sorted(ended.values(), key=lambda one: one.ended_at, reverse=True)


async def drop(console: Console, session: Session, callback: str, reason: str, address: str | None) -> None:
    """Gives a callback up. Raises EngineAway, EngineRefused."""
    login = session.account.login
    fields = {"reason": reason} if reason else {}
    await console.link.command("callback.drop", callback=callback, by=login, **fields)
    await audit.note_if_possible(
        console.store,
        Action.CALLBACK_DROP,
        login=login,
        address=address,
        detail=f"{callback} {reason}".strip(),
    )


def time_of(text: str | None) -> datetime | None:
    """An engine's time; None for what is none."""
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


# -- pages


@signed_in(Right.BOARD)
async def callbacks(request: web.Request) -> web.StreamResponse:
    """The list."""
    console, session, texts = console_of(request), whose(request), texts_of(request)
    away = False
    try:
        ended = await ended_today(console.store, console.site.timezone)
    except StoreUnavailable:
        ended, away = [], True
    return page(
        request,
        "distribution/callbacks.html",
        callbacks=listed(console, session),
        ended=ended,
        away=away,
        engine=console.link.connected,
        now=datetime.now(UTC),
        time_of=time_of,
        names=names_of(console),
        people=people_of(console),
        queue_names={queue.id: queue.name for queue in console.site.queues},
        may_drop=session.may(Right.CALLS_CONTROL),
        dropped=texts("callbacks.dropped_one") if "dropped" in request.query else None,
    )


@signed_in(Right.CALLS_CONTROL)
async def drop_form(request: web.Request) -> web.StreamResponse:
    """Asks again before a callback is given up."""
    return _drop_page(request)


def _drop_page(request: web.Request, *, error: str | None = None, reason: str = "") -> web.Response:
    console, session = console_of(request), whose(request)
    callback = request.match_info["callback"]
    found = next((one for one in listed(console, session) if one.get("id") == callback), None)
    if found is None and error is None:
        raise problem(404, "unknown_callback", "problem.no_callback")
    return page(
        request,
        "distribution/callback_drop.html",
        status=409 if error else 200,
        callback=found,
        error=error,
        reason=reason,
        time_of=time_of,
        queue_names={queue.id: queue.name for queue in console.site.queues},
    )


@signed_in(Right.CALLS_CONTROL)
async def drop_one(request: web.Request) -> web.StreamResponse:
    """Gives a callback up."""
    console, session, texts = console_of(request), whose(request), texts_of(request)
    form = await request.post()
    check_csrf(session, form_field(form, "csrf"))
    reason = form_field(form, "reason").strip()[:REASON_MAX]
    if not reason:
        return _drop_page(request, error=texts("callbacks.need_reason"))
    try:
        await drop(console, session, request.match_info["callback"], reason, request.remote)
    except EngineRefused as refused:
        error = refused.message if texts.language.value == "ja" else refused.message_en
        return _drop_page(request, error=error, reason=reason)
    except EngineAway as away:
        text = "problem.engine_unsure" if away.unsure else "problem.engine_away"
        return _drop_page(request, error=texts(text), reason=reason)
    raise web.HTTPSeeOther("/callbacks?dropped=1")


def names_of(console: Console) -> dict[str, str]:
    """Operators' names by id."""
    return {operator.id: operator.name for operator in console.site.operators}


def people_of(console: Console) -> dict[str, str]:
    """Names by sign-in."""
    return {user.login: user.name for user in console.site.users}


def ended_shown(console: Console, session: Session, ended: Ended) -> dict[str, Any]:
    """An ended callback as JSON for these eyes."""
    shown = shown_callback({"number": ended.number}, session.rights, console.groups)
    return {**ended.to_json(), "number": shown["number"], "number_text": shown["number_text"]}
