"""Operations on the plan: drafts, versions, what callers hear, switches, events, counts."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

from aiohttp import web

import cdr
import ivr
from cdr import Span, SpanError
from dialplans import Site, prompt
from store import plans

from .. import audit
from ..audit import Action
from ..plan import drafts, switches
from ..plan.calendar import kind_of
from ..plan.document import DocumentError, Plain, as_text, read
from ..plan.drafts import Checked, checked
from ..plan.events import EventRow, with_events
from ..plan.sounds import sound_of
from ..plan.versions import go_live
from ..plan.voice import VOICE, NothingSaid, VoiceError
from ..problems import FieldError, Problem, problem
from ..rights import Right
from ..texts import Language
from . import plan_models as models
from .models import Done
from .registry import ApiCall


async def plan(call: ApiCall) -> models.Plan:
    """The live plan."""
    live = await drafts.live_plan(call.console)
    return models.Plan(version=live.version, text=live.text)


async def _draft(call: ApiCall) -> drafts.Draft | None:
    live = await drafts.live_plan(call.console)
    return await drafts.draft_of(call.console, call.session.account.login, live)


def _problems(call: ApiCall, found: Checked) -> list[models.PlanProblem]:
    english = call.texts.language is Language.EN
    return [
        models.PlanProblem(
            line=one.line,
            column=one.column,
            path=one.path,
            message=one.message_en if english else one.message,
            hint=one.hint_en if english else one.hint,
        )
        for one in found.problems
    ]


async def draft(call: ApiCall) -> models.PlanDraft:
    """The caller's draft with what is wrong with it."""
    found = await _draft(call)
    if found is None:
        raise problem(404, "no_draft", "plan.error.no_draft")
    return models.PlanDraft(
        text=found.text,
        based_on=found.based_on,
        updated_at=found.updated_at,
        stale=found.stale,
        problems=_problems(call, await checked(found.text)),
    )


async def save_draft(call: ApiCall) -> models.PlanProblems:
    """Keeps a text as the caller's draft."""
    wanted = call.body_as(models.PlanDraftIn)
    text = drafts.normal(wanted.text)
    now = await _draft(call)
    live = await drafts.live_plan(call.console)
    based_on = wanted.based_on or (now.based_on if now is not None else live.version)
    if based_on is not None and await plans.version(call.console.store, based_on) is None:
        raise problem(404, "unknown_version", "plan.error.no_version", n=based_on)
    if now is None:
        await _note(call, Action.PLAN_DRAFT, "api")
    await drafts.save(call.console.store, call.session.account.login, text, based_on)
    return models.PlanProblems(problems=_problems(call, await checked(text)))


async def discard_draft(call: ApiCall) -> Done:
    """Throws the caller's draft away."""
    await _note(call, Action.PLAN_DRAFT, "discarded")
    await drafts.discard(call.console.store, call.session.account.login)
    return Done()


async def check(call: ApiCall) -> models.PlanProblems:
    """Checks a text; nothing is kept."""
    found = await checked(drafts.normal(call.body_as(models.PlanTextIn).text))
    return models.PlanProblems(problems=_problems(call, found))


async def versions(call: ApiCall) -> models.PlanVersions:
    """The versions, newest first."""
    query = call.query_as(models.PlanVersionsQuery)
    found = await plans.history(call.console.store, limit=query.limit, offset=query.offset)
    return models.PlanVersions(versions=[models.PlanVersionRow.model_validate(vars(one)) for one in found])


async def version(call: ApiCall) -> models.PlanVersion:
    """One version with its text."""
    found = await plans.version(call.console.store, _number(call, "version"))
    if found is None:
        raise problem(404, "unknown_version", "plan.error.no_version", n=call.path("version"))
    return models.PlanVersion.model_validate(found, from_attributes=True)


async def activate(call: ApiCall) -> models.PlanActivation:
    """Asks for a version, or for the caller's draft, to go live."""
    wanted = call.body_as(models.PlanActivate)
    login = call.session.account.login
    if wanted.version is not None:
        if await plans.version(call.console.store, wanted.version) is None:
            raise problem(404, "unknown_version", "plan.error.no_version", n=wanted.version)
        await _note(call, Action.PLAN_ACTIVATE, f"{wanted.version} {wanted.comment}")
        wish = await plans.ask(call.console.store, wanted.version, by=login)
        return models.PlanActivation.model_validate(wish, from_attributes=True)
    found = await _draft(call)
    if found is None:
        raise problem(404, "no_draft", "plan.error.no_draft")
    if found.stale:
        raise problem(409, "stale", "plan.error.stale")
    await _sound(call, await checked(found.text))
    wish = await go_live(
        call.console,
        found.text,
        login=login,
        address=call.request.remote,
        comment=wanted.comment,
        based_on=found.based_on,
        action=Action.PLAN_ACTIVATE,
    )
    return models.PlanActivation.model_validate(wish, from_attributes=True)


async def _sound(call: ApiCall, found: Checked) -> Site:
    """The site of a text that may go live. Raises Problem (422) with each of its problems."""
    if found.site is None:
        errors = [
            FieldError(field=f"plan:{one.line} {one.path}", what=f"{one.message} {one.hint}".strip())
            for one in _problems(call, found)
        ]
        raise Problem(422, "plan_broken", "plan.error.problems", {}, errors)
    return found.site


async def activation(call: ApiCall) -> models.PlanActivation:
    """What became of a wish."""
    found = await plans.activation(call.console.store, _number(call, "activation"))
    if found is None:
        raise problem(404, "unknown_activation", "plan.error.no_activation", id=call.path("activation"))
    return models.PlanActivation.model_validate(found, from_attributes=True)


def _number(call: ApiCall, name: str) -> int:
    text = call.path(name)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


# -- what callers hear


async def _site(call: ApiCall, of: str) -> Site:
    if of == "live":
        return call.console.site
    found = await _draft(call)
    if found is None:
        raise problem(404, "no_draft", "plan.error.no_draft")
    return await _sound(call, await checked(found.text))


async def hear(call: ApiCall) -> models.PlanHeard:
    """What callers hear at a time, with these keys."""
    query = call.query_as(models.PlanHearQuery)
    site = await _site(call, query.of)
    at = query.at or datetime.now(UTC)
    at = at.replace(tzinfo=site.zone) if at.tzinfo is None else at
    try:
        told = await asyncio.to_thread(ivr.hear, site, query.number, at, query.keys)
    except KeyError:
        raise problem(404, "unknown_number", "plan.error.no_box", id=query.number) from None
    return models.PlanHeard(
        open=told.open,
        lines=[
            models.PlanHeardLine(
                step=line.step,
                text=line.prompt.text,
                language=line.prompt.language,
                sound=line.prompt.key,
                key=line.key,
            )
            for line in told.lines
        ],
        ending=told.ending if call.texts.language is Language.JA else told.ending_en,
        target=told.target,
    )


async def year(call: ApiCall) -> models.PlanYear:
    """Every day of a year of a number."""
    query = call.query_as(models.PlanYearQuery)
    site = await _site(call, query.of)
    try:
        hours = site.number(query.number).hours
    except KeyError:
        raise problem(404, "unknown_number", "plan.error.no_box", id=query.number) from None
    days = await asyncio.to_thread(ivr.year, site, hours, query.year) if hours is not None else []
    return models.PlanYear(
        days=[
            models.PlanDay(
                date=one.date,
                kind=kind_of(one),
                name=one.name,
                spans=[(span.start, span.end) for span in one.spans],
            )
            for one in days
        ]
    )


async def preview(call: ApiCall) -> models.PlanPreviewMade:
    """Speaks a text for listening."""
    wanted = call.body_as(models.PlanPreview)
    made = prompt(wanted.text.strip(), wanted.language)
    try:
        await call.request.app[VOICE].make(made)
    except NothingSaid as error:
        what = FieldError(field="body.text", what=str(error))
        raise Problem(422, "fields", "plan.error.voice", {"why": str(error)}, [what]) from None
    except VoiceError as error:
        raise problem(503, "no_voice", "plan.error.voice", why=str(error)) from None
    return models.PlanPreviewMade(key=made.key, url=f"/plan/sound/{made.key}")


async def upload(call: ApiCall) -> models.PlanAudio:
    """Keeps audio for announcements, brought to telephone loudness."""
    content = await call.request.clone(client_max_size=MAX_AUDIO_BYTES).read()
    name = call.query_as(models.PlanAudioQuery).name
    try:
        made = await asyncio.to_thread(ivr.upload, content, name)
        await asyncio.to_thread(ivr.store_audio, made, call.console.settings.audio_folder)
    except ivr.AudioError as error:
        what = error.ja if call.texts.language is Language.JA else error.en
        raise Problem(422, "audio", "problem.fields", {}, [FieldError(field="body", what=what)]) from None
    await _note(call, Action.PLAN_AUDIO, f"{made.key} {name}")
    return models.PlanAudio(
        key=made.key,
        seconds=round(made.seconds, 2),
        loudness_before_dbfs=round(made.loudness_before_dbfs, 1),
    )


async def sound(call: ApiCall) -> web.StreamResponse:
    """The sound of an announcement."""
    return await sound_of(call.request, call.session, call.path("key"))


async def counts(call: ApiCall) -> models.PlanCounts:
    """How callers went through the menus."""
    query = call.query_as(models.PlanCountsQuery)
    zone = call.console.site.zone
    start = query.start or datetime.now(UTC).astimezone(zone).date()
    end: date = query.end or start + timedelta(days=1)
    try:
        span = Span.parse(start.isoformat(), end.isoformat(), call.console.site.timezone)
    except SpanError as error:
        fields = [FieldError(field="query.to", what=str(error))]
        raise Problem(422, "span", "problem.fields", {}, fields) from None
    found = await cdr.path_counts(call.console.store, span, query.number)
    return models.PlanCounts(counts=[models.PlanCount.model_validate(one.to_json()) for one in found])


# -- switches and events


async def switched(call: ApiCall) -> models.PlanSwitches:
    """What is switched now."""
    state = call.console.link.state
    return models.PlanSwitches(openings=state.openings, notices=state.notices, numbers=state.numbers)


async def set_opening(call: ApiCall) -> Done:
    """Opens, closes or extends numbers until a time."""
    wanted = call.body_as(models.OpeningSet)
    zone = call.console.site.zone
    until = wanted.until if wanted.until.tzinfo is not None else wanted.until.replace(tzinfo=zone)
    await switches.switch_opening(
        call.console, wanted.numbers, wanted.mode, until, wanted.reason, **_who(call)
    )
    return Done()


async def clear_opening(call: ApiCall) -> Done:
    """Back to the hours of the plan."""
    await switches.unswitch_opening(call.console, call.body_as(models.OpeningClear).numbers, **_who(call))
    return Done()


async def notice_on(call: ApiCall) -> Done:
    """Puts a notice in front of everything; with two people the first one asks, the second confirms."""
    return await _notice(call, "on")


async def notice_off(call: ApiCall) -> Done:
    """Takes a notice away."""
    return await _notice(call, "off")


async def _notice(call: ApiCall, do: str) -> Done:
    notice = call.path("notice")
    if notice not in {one.id for one in call.console.site.notices}:
        raise problem(404, "unknown_notice", "plan.error.no_notice", id=notice)
    await switches.switch_notice(call.console, notice, do, **_who(call))
    return Done()


async def events(call: ApiCall) -> models.PlanEvents:
    """The live plan's events."""
    live = await drafts.live_plan(call.console)
    document = await asyncio.to_thread(read, live.text)
    return models.PlanEvents(events=document.rows("events"))


async def change_events(call: ApiCall) -> models.PlanActivation:
    """Changes events; the plan with them is wanted live at once."""
    wanted = call.body_as(models.PlanEventsIn)
    live = await drafts.live_plan(call.console)
    rows = [EventRow(one.id or "", _values(one), one.remove) for one in wanted.events]
    try:
        text = await asyncio.to_thread(with_events, live.text, rows)
    except DocumentError as error:
        raise problem(409, "text", "plan.error.text", why=str(error)) from None
    await _sound(call, await checked(text))
    wish = await go_live(
        call.console,
        text,
        login=call.session.account.login,
        address=call.request.remote,
        comment=wanted.comment,
        based_on=live.version,
        action=Action.PLAN_EVENTS,
    )
    return models.PlanActivation.model_validate(wish, from_attributes=True)


def _values(one: models.PlanEvent) -> dict[str, Plain]:
    named = one.model_dump(include=one.model_fields_set - {"id", "remove"})
    return {key: as_text(value) for key, value in named.items()}


def _who(call: ApiCall) -> dict[str, Any]:
    return {"login": call.session.account.login, "address": call.request.remote}


async def _note(call: ApiCall, action: Action, detail: str) -> None:
    await audit.note(call.console.store, action, **_who(call), detail=detail)


MAX_AUDIO_BYTES = 21 * 1024 * 1024  # a little over ivr's own limit, whose message says more
READ = frozenset({Right.PLAN_READ})
EDIT = frozenset({Right.PLAN_EDIT})
HISTORY = frozenset({Right.PLAN_HISTORY})
EVENTS = frozenset({Right.PLAN_EVENTS})
SWITCH = frozenset({Right.PLAN_SWITCH})
