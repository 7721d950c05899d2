"""What must not go live, though a plan that is live already may hold it: asked with the date of that day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dialplans.calling import EMERGENCY, is_abroad, reached
from dialplans.opening import WEEKDAYS, Closure
from dialplans.problems import Finding
from dialplans.rows import digits

if TYPE_CHECKING:
    from dialplans.model import Site

SHORT_CLOSURE_DAYS = 60
OLD_EVENT = dt.timedelta(days=30)
_YEAR = 2001  # any without a leap day


def findings(site: Site, today: dt.date) -> Iterator[Finding]:
    """Slips that fit together, but that nobody can have meant."""
    yield from _closures(site)
    yield from _never_open(site)
    yield from _outside(site)
    yield from _old_events(site, today)


def _closures(site: Site) -> Iterator[Finding]:
    for index, calendar in enumerate(site.calendars):
        for at, closure in enumerate(calendar.closures):
            closed, swapped = _days(closure.start, closure.until), _days(closure.until, closure.start)
            if closed > SHORT_CLOSURE_DAYS >= swapped:
                yield _swapped(index, at, closure, closed)


def _swapped(index: int, at: int, closure: Closure, days: int) -> Finding:
    return Finding(
        ("calendars", index, "closures", at),
        f"休業「{closure.name}」({closure.start}～{closure.until})は、年に{days}日も閉まります",
        f"the closure “{closure.name}” ({closure.start} to {closure.until}) closes {days} days a year",
        f"start: {closure.until}, until: {closure.start} ではありませんか"
        "(このとおりなら、2つに分けてください)",
        f"did you mean start: {closure.until}, until: {closure.start}? If not, write it as two closures",
    )


def _days(start: str, until: str) -> int:
    first, last = (dt.date.fromisoformat(f"{_YEAR}-{one}") if one != "02-29" else dt.date(_YEAR, 2, 28)
                   for one in (start, until))  # fmt: skip
    return (last - first).days % 365 + 1


def _never_open(site: Site) -> Iterator[Finding]:
    for index, hours in enumerate(site.hours):
        spans = [*(getattr(hours.week, day) for day in WEEKDAYS), hours.holiday, hours.closure]
        if not any([*spans, *(one.open for one in hours.days)]):
            yield Finding(
                ("hours", index, "week"),
                f"受付時間「{hours.name}」には、開いている時間がひとつもありません",
                f"the hours “{hours.name}” are never open",
                "時間を書いてください。しばらく閉めるだけなら、受付の切り替え(opening)を使ってください",
                "write its hours; to close for a while, switch the number (opening)",
            )


def _outside(site: Site) -> Iterator[Finding]:
    prefixes = {trunk.id: trunk.outbound.prefix for trunk in site.trunks if trunk.outbound is not None}
    for index, forward in enumerate(site.forwards):
        number, prefix = digits(forward.number), prefixes.get(forward.trunk, "")
        if not reached(number, prefix).isdisjoint(EMERGENCY):
            ja, en = "緊急通報の番号です", "is an emergency number"
        elif is_abroad(number) or is_abroad(prefix + number):
            ja, en = "国際電話の番号です", "is a number abroad"
        else:
            continue
        yield Finding(
            ("forwards", index, "number"),
            f"転送先「{forward.number}」は{ja}",
            f"“{forward.number}” {en}",
            "市民の電話は、国内の窓口の番号に転送してください",
            "forward citizens to an office within Japan",
        )


def _old_events(site: Site, today: dt.date) -> Iterator[Finding]:
    for index, event in enumerate(site.events):
        if event.tell_until is None and event.date is not None and event.date + OLD_EVENT < today:
            yield Finding(
                ("events", index, "date"),
                f"催しの日({event.date})を30日より過ぎていますが、流れ続けます",
                f"it is told for ever, though its date ({event.date}) was more than 30 days ago",
                "消すか、tell_until: に流し終える日を書いてください",
                "remove it, or give tell_until:",
            )
