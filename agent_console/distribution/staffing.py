"""/staffing (人数の試算): a day of the own history or by hand; what one operator more or less would do."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import ValidationError

from cdr.staffing import Erlang, Simulated
from dialplans import Site
from store import StoreUnavailable

from ..console import Console, console_of, session_of, texts_of
from ..pages import check_csrf, form_field, signed_in
from ..problems import Problem
from ..rights import Right
from ..texts import Texts
from ..views import page
from .question import HALF_HOUR_S, Question, Slot, clock_of, even_slots, seconds, slots_of
from .trial import TRIALS, Refused, Trials
from .trial_work import Answer, History

HISTORY_DAYS = 56
_OPENS, _CLOSES, _CALLS_H, _OPERATORS = 9 * 3600.0, 17 * 3600.0, 60.0, 6
_TALK_S, _PATIENCE_S, _PICK_UP_S = 240.0, 180.0, 3.0
_MOST_CHANGE = 5


@dataclass(frozen=True)
class Figure:
    """A line of the comparison. Values are None where there is nothing to divide by; `target` is a share or
    seconds; `kind`: `share` or `seconds`; `more_is_better` False for waits and abandonment."""

    name: str
    kind: str
    target: float | None
    before: float | None
    after: float | None
    erlang_a: float | None
    erlang_c: float | None
    more_is_better: bool = True

    def met(self, value: float | None) -> bool | None:
        if value is None or self.target is None:
            return None
        return value >= self.target if self.more_is_better else value <= self.target


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
    calls_h = _number(query.get("calls", ""), _CALLS_H, 0, 2000)
    operators = int(_number(query.get("operators", ""), _OPERATORS, 0, 200))
    return Question(
        slots=even_slots(opens, closes, calls_h, operators),
        talk_s=_TALK_S,
        wrap_up_s=wrap_up_s,
        pick_up_s=_PICK_UP_S,
        patience_s=_PATIENCE_S,
    )


def figures(answer: Answer, site: Site) -> list[Figure]:
    """The comparison, line by line."""
    targets, before, after = site.kpi.targets, answer.before, answer.after
    a = answer.formulas.a if answer.formulas is not None else None
    c = answer.formulas.c if answer.formulas is not None else None

    # The city's clock also counts what the formulas do not know: greeting and ringing.
    uncounted_s = answer.formulas.before_s if answer.formulas is not None else 0.0

    def of(read: Callable[[Simulated], float | None]) -> tuple[float | None, float | None]:
        return read(before), read(after) if after is not None else None

    def erlang(read: Callable[[Erlang], float]) -> tuple[float | None, float | None]:
        return _finite(read(a)) if a is not None else None, _finite(read(c)) if c is not None else None

    rate = of(lambda one: one.kpi.answer_rate)
    mean = of(lambda one: one.kpi.mean_answer_s)
    within = of(lambda one: one.kpi.within_rate)
    gone = of(lambda one: one.abandon_rate)
    busy = of(lambda one: one.occupancy)
    return [
        Figure("answer_rate", "share", targets.answer_rate, *rate, *erlang(lambda e: e.answer_rate)),
        Figure(
            "mean_answer",
            "seconds",
            targets.mean_answer_s,
            *mean,
            *erlang(lambda e: e.answer_s + uncounted_s),
            more_is_better=False,
        ),
        Figure("within", "share", targets.within_rate, *within, *erlang(lambda e: e.within)),
        Figure("abandoned", "share", None, *gone, *erlang(lambda e: e.abandoned), more_is_better=False),
        Figure("occupancy", "share", None, *busy, *erlang(lambda e: e.occupancy), more_is_better=False),
    ]


@dataclass(frozen=True)
class Row:
    """A half hour of the table: the slot, what came out, how many the formula asks for (None: not known)."""

    slot: Slot
    rate: float | None = None
    rate_after: float | None = None
    needed: int | None = None
    changed: bool = False


def rows_of(question: Question, answer: Answer | None) -> list[Row]:
    """The half hours with what came out of them."""
    if answer is None:
        return [Row(slot) for slot in question.slots]
    before = _rates(answer.before)
    after = _rates(answer.after) if answer.after is not None else {}
    needed = {one.start_s: one.needed for one in answer.formulas.periods} if answer.formulas else {}
    change = question.change
    return [
        Row(
            slot,
            before.get(slot.start_s),
            after.get(slot.start_s),
            needed.get(slot.start_s),
            change is not None and seconds(change.start) <= slot.start_s < seconds(change.end),
        )
        for slot in question.slots
    ]


def _rates(simulated: Simulated) -> dict[float, float | None]:
    return {one.start_s: one.kpi.answer_rate for one in simulated.intervals}


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
    console, session, texts = console_of(request), session_of(request), texts_of(request)
    assert session is not None  # noqa: S101 - signed_in
    form = await request.post()
    check_csrf(session, form_field(form, "csrf"))
    history, away = await _history(request)
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    try:
        question = sent(fields)
    except (ValueError, ValidationError) as error:
        weekday = _weekday(fields.get("weekday"), history, _today(console))
        return _page(
            request,
            history,
            usual(console.site, history, weekday, {}),
            error=texts("staffing.wrong", what=_first(error)),
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


def sent(fields: Mapping[str, str]) -> Question:
    """The form as a question. Raises ValueError, ValidationError."""
    slots = []
    for n in range(48):
        if f"from{n}" in fields:
            slots.append(
                {
                    "from": fields[f"from{n}"],
                    "calls": float(fields.get(f"calls{n}") or 0),
                    "operators": int(fields.get(f"operators{n}") or 0),
                }
            )
    by = int(fields.get("by") or 0)
    change = {"from": fields.get("change_from", ""), "to": fields.get("change_to", ""), "operators": by}
    weekday = fields.get("weekday", "")
    return Question.model_validate(
        {
            "slots": slots,
            "talk_s": float(fields.get("talk_s") or 0),
            "wrap_up_s": float(fields.get("wrap_up_s") or 0),
            "pick_up_s": float(fields.get("pick_up_s") or 0),
            "patience_s": float(fields["patience_s"]) if fields.get("patience_s") else None,
            "weekday": int(weekday) if weekday.isdecimal() else None,
            "change": change if by else None,
        }
    )


def _page(
    request: web.Request,
    history: History | None,
    question: Question,
    *,
    answer: Answer | None = None,
    error: str | None = None,
    away: bool = False,
    weekday: int | None = None,
    status: int = 200,
) -> web.Response:
    console, texts = console_of(request), texts_of(request)
    chosen = question.weekday if question.weekday is not None else weekday
    times = [one.start for one in question.slots]
    times.append(clock_of(question.slots[-1].start_s + HALF_HOUR_S))
    change = question.change
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
        rows=rows_of(question, answer),
        times=times,
        changes=[n for n in range(-_MOST_CHANGE, _MOST_CHANGE + 1) if n],
        change_from=change.start if change else _nearest(times, 10 * 3600.0),
        change_to=change.end if change else _nearest(times, 12 * 3600.0),
        change_by=change.operators if change else 1,
        answer=answer,
        figures=figures(answer, console.site) if answer is not None else [],
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


def _number(text: str, otherwise: float, least: float, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        return otherwise
    return min(max(value, least), most) if math.isfinite(value) else otherwise


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        item = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, item['loc']))}: {item['msg']}"
    return str(error)
