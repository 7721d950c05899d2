"""`daihyo kpi` and `daihyo calls`: the settled figures, as text or JSON."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cdr import Span, queries
from daihyo.plans import live_site
from daihyo.settings import Runtime, StateDir, UserError
from dialplans import Site
from store import Store


@asynccontextmanager
async def opened(state: StateDir) -> AsyncIterator[tuple[Site, Store]]:
    runtime = Runtime.load(state)
    store = await Store.open(runtime.database(state))
    try:
        yield live_site(state), store
    finally:
        await store.close()


def _known_number(site: Site, number: str | None) -> None:
    if number is not None and queries.digits(number) not in {one.digits for one in site.numbers}:
        known = " ".join(one.number for one in site.numbers)
        raise UserError(f"--number {number}: この番号はありません / no such number; there are: {known}")


async def kpi(state: StateDir, start: str | None, end: str | None, number: str | None, as_json: bool) -> str:
    async with opened(state) as (site, store):
        _known_number(site, number)
        span = Span.parse(start, end, site.timezone)
        found = await queries.kpi(store, site.kpi, span, number)
    if as_json:
        return json.dumps(
            {"from": span.to_json()["from"], "to": span.to_json()["to"], "number": number, **found.to_json()},
            ensure_ascii=False,
        )
    rate = found.answer_rate
    within = found.within_rate
    mean = found.mean_answer_s
    return "\n".join(
        (
            f"応答率 / answered       {_percent(rate)}  ({found.answered} / {found.offered})",
            f"放棄 / abandoned         {found.abandoned}",
            f"障害で切断 / lost        {found.lost}",
            f"あふれ / overflowed      {found.overflowed}",
            f"折り返し予約 / callbacks {found.callbacks}",
            f"平均応答時間 / mean      {'–' if mean is None else f'{mean:.1f} s'}",
            f"即応率 / within {site.kpi.answer_within_s:g} s    {_percent(within)}",
            str(found.formula.ja if site.language == "ja" else found.formula.en),
        )
    )


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.1f} %"


async def calls(
    state: StateDir, start: str | None, end: str | None, number: str | None, limit: int, as_json: bool
) -> str:
    async with opened(state) as (site, store):
        _known_number(site, number)
        span = Span.parse(start, end, site.timezone)
        found = await queries.calls(store, span.start, span.end, number, None, limit)
    if as_json:
        return json.dumps([one.to_json() for one in found], ensure_ascii=False)
    lines = []
    for one in found:
        when = one.arrived_at.astimezone(site.zone) if one.arrived_at else None
        lines.append(
            f"{f'{when:%Y-%m-%d %H:%M:%S}' if when else '?':19}  {one.number or '?':12} "
            f"{one.caller or '非通知':14} {one.outcome:20} {one.operator or '–':6} "
            f"{_seconds(one.wait_s)} {_seconds(one.talk_s)}  {one.call}"
        )
    return "\n".join(lines) or "通話はありません / no calls"


def _seconds(value: float | None) -> str:
    return f"{'–':>8}" if value is None else f"{value:6.1f} s"
