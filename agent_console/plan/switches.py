"""/plan/switches: open, closed, extended; notices in front of everything; who switched what (HRS-3)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from sqlalchemy import select

from dialplans import Site
from store import EventRow

from .. import audit
from ..audit import Action
from ..console import Console
from ..link import EngineAway, EngineRefused
from ..live_state import LiveState
from ..problems import problem
from ..rights import Right
from .base import Sent, View, plan_page, sent_by, to
from .running import Foretold, Line, foretell, notices_on, time_of

MODES = ("open", "closed", "extended")
REASON_MAX = 200
_KINDS = (
    "opening_set",
    "opening_cleared",
    "notice_asked",
    "notice_set",
    "notice_cleared",
    "plan_activated",
)
_LONGEST = timedelta(days=31)


@dataclass(frozen=True)
class NumberNow:
    """A number as it stands: `open` is None while the engine has not told; times are aware."""

    digits: str
    number: str
    name: str
    open: bool | None
    until: datetime | None
    next_open: datetime | None
    switch: dict[str, Any] | None


@dataclass(frozen=True)
class NoticeNow:
    """A notice: `state` is `off`, `asked` (a second person is awaited) or `on`."""

    id: str
    name: str
    text: str
    key: str
    two_people: bool
    state: str
    by: str | None
    confirmed_by: str | None
    since: datetime | None


def numbers_now(site: Site, state: LiveState) -> list[NumberNow]:
    """The site's numbers with what the engine tells of them."""
    told = {str(one.get("number")): one for one in state.numbers}
    switched = {str(one.get("number")): one for one in state.openings}
    return [
        NumberNow(
            one.digits,
            one.number,
            one.name,
            told[one.digits].get("open") if one.digits in told else None,
            time_of(told.get(one.digits, {}).get("until")),
            time_of(told.get(one.digits, {}).get("next_open")),
            _switch(switched.get(one.digits)),
        )
        for one in site.numbers
    ]


def _switch(told: dict[str, Any] | None) -> dict[str, Any] | None:
    return {**told, "until": time_of(told.get("until"))} if told is not None else None


def notices_now(site: Site, state: LiveState) -> list[NoticeNow]:
    """The site's notices with their switches."""
    from dialplans import spoken

    told = {str(one.get("notice")): one for one in state.notices}
    found = []
    for one in site.notices:
        now = told.get(one.id, {})
        prompt = spoken(one.say, site.language)
        found.append(
            NoticeNow(
                one.id,
                one.name,
                prompt.text,
                prompt.key,
                one.two_people,
                str(now.get("state") or "off"),
                now.get("by"),
                now.get("confirmed_by"),
                time_of(now.get("since")),
            )
        )
    return found


@plan_page(Right.PLAN_READ)
async def switches(view: View) -> web.StreamResponse:
    return await _answer(view)


async def _answer(
    view: View, *, error: str | None = None, sent: Sent | None = None, status: int = 200
) -> web.Response:
    console = view.console
    now = datetime.now(UTC).astimezone(console.site.zone)
    return view.answer(
        "switches.html",
        status=status,
        numbers=numbers_now(console.site, console.link.state),
        notices=notices_now(console.site, console.link.state),
        modes=MODES,
        engine=console.link.connected,
        may_switch=view.may(Right.PLAN_SWITCH),
        done=await done_lately(console),
        names={user.login: user.name for user in console.site.users},
        error=error,
        saved=view.texts.known(f"plan.done.{view.request.query.get('saved', '')}", ""),
        notice_names={one.id: one.name for one in console.site.notices},
        typed=sent.texts if sent is not None else {},
        until=now.replace(hour=23, minute=59, second=0, microsecond=0, tzinfo=None).isoformat("T", "minutes"),
        earliest=now.replace(tzinfo=None).isoformat("T", "minutes"),
    )


async def done_lately(console: Console, limit: int = 30) -> Sequence[EventRow]:
    """Who switched what, the latest first, from the journal."""
    async with console.store.reading() as session:
        found = await session.scalars(
            select(EventRow)
            .where(EventRow.kind.in_(_KINDS), EventRow.call.is_(None))
            .order_by(EventRow.id.desc())
            .limit(limit)
        )
        return found.all()


@plan_page(Right.PLAN_SWITCH)
async def set_opening(view: View) -> web.StreamResponse:
    """Opens, closes or extends numbers until a time, for a reason."""
    sent = await sent_by(view)
    mode, reason = sent.first("mode"), sent.first("reason")[:REASON_MAX]
    numbers = [digits for digits in sent.texts.get("number", []) if digits]
    until = _until(view, sent.first("until"))
    wrong = None
    if mode not in MODES:
        wrong = "plan.error.mode"
    elif not numbers:
        wrong = "plan.error.no_number"
    elif until is None:
        wrong = "plan.error.until"
    elif not reason:
        wrong = "plan.error.reason"
    if wrong or until is None:
        return await _answer(view, error=view.texts(wrong or "plan.error.until"), sent=sent, status=422)
    if not sent.first("sure"):
        return await _sure_opening(view, numbers, mode, until, reason)
    try:
        await switch_opening(
            view.console, numbers, mode, until, reason, login=view.login, address=view.request.remote
        )
    except (EngineAway, EngineRefused) as error:
        return await _answer(view, error=_why(view, error), sent=sent, status=503)
    return to("/plan/switches", saved="opening")


async def _sure_opening(
    view: View, numbers: list[str], mode: str, until: datetime, reason: str
) -> web.Response:
    """Asks once, showing what callers will hear (HRS-3)."""
    site, state = view.console.site, view.console.link.state
    on, english = notices_on(site, state), view.texts.language.value == "en"
    now = datetime.now(UTC)

    def tell() -> list[Foretold]:
        found = (foretell(site, digits, mode, now, on, english) for digits in dict.fromkeys(numbers))
        return [one for one in found if one is not None]

    foretold = await asyncio.to_thread(tell)
    wall = until.astimezone(site.zone)
    typed = wall.replace(tzinfo=None).isoformat("T", "minutes")
    return view.answer(
        "sure.html",
        question=view.texts(
            "plan.sure.opening",
            names="、".join(one.name for one in foretold) or "、".join(numbers),
            until=wall.strftime("%-m/%-d %H:%M"),
        ),
        foretold=foretold,
        numbers=[],
        kept=[*(("number", one) for one in numbers), ("mode", mode), ("until", typed), ("reason", reason)],
        yes=view.texts("plan.sure.yes.opening"),
        grave=mode == "closed",
        back="/plan/switches",
    )


@plan_page(Right.PLAN_SWITCH)
async def clear_opening(view: View) -> web.StreamResponse:
    """Back to the hours of the plan."""
    sent = await sent_by(view)
    numbers = [digits for digits in sent.texts.get("number", []) if digits]
    if not numbers:
        return await _answer(view, error=view.texts("plan.error.no_number"), status=422)
    try:
        await unswitch_opening(view.console, numbers, login=view.login, address=view.request.remote)
    except (EngineAway, EngineRefused) as error:
        return await _answer(view, error=_why(view, error), status=503)
    return to("/plan/switches", saved="clear")


@plan_page(Right.PLAN_SWITCH)
async def set_notice(view: View) -> web.StreamResponse:
    """Puts a notice in front (or asks for it, or confirms), or takes it away: asked once more before, since
    every caller hears it. What was agreed to holds for the state that was shown alone."""
    sent = await sent_by(view)
    notice, do = view.request.match_info["notice"], view.request.match_info["do"]
    now = notices_now(view.console.site, view.console.link.state)
    found = next((one for one in now if one.id == notice), None)
    if found is None:
        raise problem(404, "unknown_notice", "plan.error.no_notice", id=notice)
    if not sent.first("sure") or sent.first("state") != found.state:
        return _sure_notice(view, found, do)
    try:
        state = await switch_notice(view.console, notice, do, login=view.login, address=view.request.remote)
    except (EngineAway, EngineRefused) as error:
        return await _answer(view, error=_why(view, error), status=503)
    return to("/plan/switches", saved="off" if do == "off" else "asked" if state == "asked" else "on")


def _sure_notice(view: View, notice: NoticeNow, do: str) -> web.Response:
    """Asks once, with the notice's words and the numbers on which it is heard (HRS-4)."""
    site = view.console.site
    if do == "off":
        what = "withdraw" if notice.state == "asked" else "off"
    elif notice.state == "asked":
        what = "confirm" if notice.by != view.login else "ask"
    else:
        what = "ask" if notice.two_people else "on"
    told = Foretold(notice.name, "", [Line(notice.text, site.language, notice.key)])
    heard_on = next(one for one in site.notices if one.id == notice.id)
    return view.answer(
        "sure.html",
        question=view.texts(f"plan.sure.{what}", name=notice.name),
        foretold=[] if do == "off" else [told],
        numbers=[one.name for one in site.hearing(heard_on)],
        kept=[("state", notice.state)],
        yes=view.texts(f"plan.sure.yes.{what}"),
        grave=what != "withdraw",
        back="/plan/switches",
    )


def _why(view: View, error: EngineAway | EngineRefused) -> str:
    if isinstance(error, EngineRefused):
        return error.message if view.texts.language.value == "ja" else error.message_en
    return view.texts("problem.engine_unsure" if error.unsure else "problem.engine_away")


def _until(view: View, text: str) -> datetime | None:
    """A time of the site's clock within the next month; None when it is not."""
    zone = view.console.site.zone
    try:
        until = datetime.fromisoformat(text).replace(tzinfo=zone)
        return until if datetime.now(UTC) < until < datetime.now(UTC) + _LONGEST else None
    except (ValueError, OverflowError):
        return None


# -- for the pages and the API alike


async def switch_opening(
    console: Console,
    numbers: list[str],
    mode: str,
    until: datetime,
    reason: str,
    *,
    login: str,
    address: str | None,
) -> None:
    """Tells the engine. The access log has it before it is done. Raises EngineAway, EngineRefused."""
    detail = f"{mode} {','.join(numbers) or 'all'} until {until.isoformat()} {reason}"
    await audit.note_if_possible(
        console.store, Action.PLAN_OPENING, login=login, address=address, detail=detail
    )
    at = until.astimezone(UTC).isoformat().replace("+00:00", "Z")
    await console.link.command("opening.set", numbers=numbers, mode=mode, until=at, reason=reason, by=login)


async def unswitch_opening(console: Console, numbers: list[str], *, login: str, address: str | None) -> None:
    """Tells the engine. Raises EngineAway, EngineRefused."""
    detail = f"clear {','.join(numbers) or 'all'}"
    await audit.note_if_possible(
        console.store, Action.PLAN_OPENING, login=login, address=address, detail=detail
    )
    await console.link.command("opening.clear", numbers=numbers, by=login)


async def switch_notice(console: Console, notice: str, do: str, *, login: str, address: str | None) -> str:
    """`do`: `on` or `off`. Tells the engine; returns the notice's state as it says (`on`, `asked`, or "").
    Raises EngineAway, EngineRefused."""
    await audit.note_if_possible(
        console.store, Action.PLAN_NOTICE, login=login, address=address, detail=f"{do} {notice}"
    )
    do = "notice.set" if do == "on" else "notice.clear"
    return str((await console.link.command(do, notice=notice, by=login)).get("state") or "")
