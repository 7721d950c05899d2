"""/staffing (人数の試算): a day of the own history or by hand; what one operator more or less would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import ValidationError

from cdr.staffing import Interval, Simulated
from dialplans import Site
from store import StoreUnavailable

from ..console import Console, console_of, texts_of, whose
from ..pages import check_csrf, form_field, signed_in
from ..problems import Problem
from ..rights import Right
from ..texts import Texts
from ..views import page
from .question import HALF_HOUR_S, Question, Slot, clock_of, even_slots, number, seconds, slots_of
from .staffing_form import Mistyped, as_far_as_read, sent, what_is_wrong
from .staffing_words import figures, said
from .trial import TRIALS, Refused, Trials
from .trial_work import Answer, History

HISTORY_DAYS = 56
_OPENS, _CLOSES, _CALLS_H, _OPERATORS = 9 * 3600.0, 17 * 3600.0, 60.0, 6
_TALK_S, _PATIENCE_S, _PICK_UP_S = 240.0, 180.0, 3.0
_MOST_CHANGE = 5


def span_of(zone: str) -> tuple[str, str]:
    """The dates of the own history: the eight weeks before today."""
    today = datetime.now(UTC).astimezone(ZoneInfo(zone)).date()
    return (today - timedelta(days=HISTORY_DAYS)).isoformat(), today.isoformat()


async def history_of(console: Console, trials: Trials) -> History:
    """The own history. Raises StoreUnavailable, Problem."""
    site = console.site
    start, end = span_of(site.timezone)
    found: History = await trials.ask(
        "history", site.model_dump_json(), console.settings.database_url, start, end
    )
    return found


async def answer_of(console: Console, trials: Trials, question: Question) -> Answer:
    """Simulates. Raises Refused, StoreUnavailable, Problem."""
    site = console.site
    start, end = span_of(site.timezone)
    found: Answer = await trials.ask(
        "attempt", site.model_dump_json(), console.settings.database_url, start, end, question
    )
    return found


def usual(site: Site, history: History | None, weekday: int | None, query: Mapping[str, str]) -> Question:
    """The question as it stands before anybody typed: a weekday of the own history, or the same all day."""
    wrap_up_s = float(site.queues[0].wrap_up_s)
    if history is not None and weekday is not None and (hours := history.hours[weekday]) is not None:
        return Question(
            slots=slots_of(history.rates_h[weekday], history.operators[weekday], *hours),
            talk_s=round(min(max(history.talk_s or _TALK_S, 5), 3600)),
            wrap_up_s=round(min(history.wrap_up_s if history.wrap_up_s is not None else wrap_up_s, 3600)),
            pick_up_s=_PICK_UP_S,
            patience_s=round(min(max(history.patience_s, 5), 7200)) if history.patience_s else None,
            weekday=weekday,
        )
    opens = _clock(query.get("from", ""), _OPENS)
    closes = _clock(query.get("to", ""), _CLOSES)
    if closes <= opens:
        opens, closes = _OPENS, _CLOSES
    calls_h = number(query.get("calls", ""), _CALLS_H, 0, 2000)
    operators = int(number(query.get("operators", ""), _OPERATORS, 0, 200))
    return Question(
        slots=even_slots(opens, closes, calls_h, operators),
        talk_s=_TALK_S,
        wrap_up_s=wrap_up_s,
        pick_up_s=_PICK_UP_S,
        patience_s=_PATIENCE_S,
    )


@dataclass(frozen=True)
class Rate:
    """A half hour's answer rate and how sure it is. `half`: half the width of its 95 % interval, None where
    too little was simulated; `sure`: `met`, `missed`, or `near` where chance alone could decide; None
    without calls."""

    rate: float | None = None
    half: float | None = None
    sure: str | None = None

    @classmethod
    def of(cls, one: Interval, target: float) -> Rate:
        rate, half = one.kpi.answer_rate, one.answer_rate_half
        if rate is None:
            return cls()
        # Full marks on every day leave no spread to measure: they are met.
        sure = "near" if half is None or abs(rate - target) <= half else "met" if rate > target else "missed"
        return cls(rate, half, "met" if rate == 1 else sure)


@dataclass(frozen=True)
class Row:
    """A half hour of the table: the slot, what came out, how many the formula asks for (None: not known)."""

    slot: Slot
    before: Rate = Rate()
    after: Rate = Rate()
    needed: int | None = None
    changed: bool = False


def rows_of(question: Question, answer: Answer | None, target: float) -> list[Row]:
    """The half hours with what came out of them."""
    if answer is None:
        return [Row(slot) for slot in question.slots]
    before = _rates(answer.before, target)
    after = _rates(answer.after, target) if answer.after is not None else {}
    needed = {one.start_s: one.needed for one in answer.formulas.periods} if answer.formulas else {}
    change = question.change
    return [
        Row(
            slot,
            before.get(slot.start_s, Rate()),
            after.get(slot.start_s, Rate()),
            needed.get(slot.start_s),
            change is not None and change.holds(slot.start_s),
        )
        for slot in question.slots
    ]


def _rates(simulated: Simulated, target: float) -> dict[float, Rate]:
    return {one.start_s: Rate.of(one, target) for one in simulated.intervals}


# -- the page


@signed_in(Right.STAFFING)
async def staffing(request: web.Request) -> web.StreamResponse:
    """The form, filled from the own history where there is one."""
    console = console_of(request)
    history, away = await _history(request)
    weekday = _weekday(request.query.get("weekday"), history, _today(console))
    return _page(
        request, history, usual(console.site, history, weekday, request.query), away=away, weekday=weekday
    )


@signed_in(Right.STAFFING)
async def try_out(request: web.Request) -> web.StreamResponse:
    """Simulates what the form says, and shows both days below each other."""
    console, session, texts = console_of(request), whose(request), texts_of(request)
    form = await request.post()
    check_csrf(session, form_field(form, "csrf"))
    history, away = await _history(request)
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    try:
        question = sent(fields)
    except (Mistyped, ValidationError) as error:
        weekday = _weekday(fields.get("weekday"), history, _today(console))
        return _page(
            request,
            history,
            as_far_as_read(fields, usual(console.site, history, weekday, {})),
            typed=fields,
            error=what_is_wrong(error, fields, texts),
            away=away,
            weekday=weekday,
            status=422,
        )
    try:
        answer = await answer_of(console, request.app[TRIALS], question)
    except Refused as refused:
        error_text = refused.ja if texts.language.value == "ja" else refused.en
        return _page(request, history, question, error=error_text, away=away, status=422)
    except Problem as busy:
        return _page(request, history, question, error=texts(busy.text), away=away, status=busy.status)
    return _page(request, history, question, answer=answer, away=away)


def _page(
    request: web.Request,
    history: History | None,
    question: Question,
    *,
    answer: Answer | None = None,
    typed: Mapping[str, str] | None = None,
    error: str | None = None,
    away: bool = False,
    weekday: int | None = None,
    status: int = 200,
) -> web.Response:
    console, texts = console_of(request), texts_of(request)
    chosen = question.weekday if question.weekday is not None else weekday
    times = [one.start for one in question.slots]
    times.append(clock_of(question.slots[-1].start_s + HALF_HOUR_S))
    change, typed = question.change, typed or {}
    compared = figures(answer, console.site) if answer is not None else []
    return page(
        request,
        "distribution/staffing.html",
        status=status,
        history=history,
        since=date.fromisoformat(history.since) if history and history.since else None,
        until=date.fromisoformat(history.until) if history and history.until else None,
        weekdays=[(n, history.days[n]) for n in range(7) if history.hours[n]] if history else [],
        weekday=chosen,
        question=question,
        typed=typed,
        rows=rows_of(question, answer, console.site.kpi.targets.answer_rate),
        times=times,
        changes=[n for n in range(-_MOST_CHANGE, _MOST_CHANGE + 1) if n],
        change_from=change.start if change else typed.get("change_from") or _nearest(times, 10 * 3600.0),
        change_to=change.end if change else typed.get("change_to") or _nearest(times, 12 * 3600.0),
        change_by=str(change.operators) if change else typed.get("by") or "1",
        answer=answer,
        figures=compared,
        said=said(question, answer, compared, console.site, texts) if answer is not None else [],
        notes=_notes(answer, texts),
        kpi=console.site.kpi,
        hand={"from": question.slots[0].start, "to": times[-1], **_hand(question)},
        all_times=[clock_of(n * HALF_HOUR_S) for n in range(49)],
        error=error,
        away=away,
    )


def _hand(question: Question) -> dict[str, Any]:
    return {
        "calls": round(question.calls_a_day / len(question.slots) * 2, 1),
        "operators": round(sum(one.operators for one in question.slots) / len(question.slots)),
    }


def _notes(answer: Answer | None, texts: Texts) -> list[str]:
    if answer is None:
        return []
    return [ja if texts.language.value == "ja" else en for ja, en in answer.before.notes]


async def _history(request: web.Request) -> tuple[History | None, bool]:
    """The own history; None where there is none yet, and whether the database is away."""
    try:
        found = await history_of(console_of(request), request.app[TRIALS])
    except (StoreUnavailable, Problem):
        return None, True
    return (found if found.known else None), False


def _weekday(text: str | None, history: History | None, today: int) -> int | None:
    """The weekday asked for, else today's where it has a history, else the first that has; None: by hand."""
    if history is None or text == "hand":
        return None
    known = [n for n in range(7) if history.hours[n]]
    if text and text.isdecimal() and int(text) in known:
        return int(text)
    return today if today in known else known[0]


def _today(console: Console) -> int:
    return datetime.now(UTC).astimezone(console.site.zone).weekday()


def _nearest(times: list[str], wanted_s: float) -> str:
    return min(times, key=lambda one: abs(seconds(one) - wanted_s))


def _clock(text: str, otherwise: float) -> float:
    try:
        return seconds(text)
    except ValueError:
        return otherwise
