"""Figures kept call by call are those that are counted from all calls at once."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from agent_console.day_figures import MINUTES, DayFigures
from cdr import Span, kpi_of, misses_left, trend_of
from dialplans import Site, parse_site
from tests.support.site import site as site_dict

_text = io.StringIO()
YAML().dump(site_dict(), _text)
SITE: Site = parse_site(_text.getvalue(), "site.yaml")
SPAN = Span(datetime(2026, 11, 20, 15, tzinfo=UTC), datetime(2026, 11, 21, 15, tzinfo=UTC))
NUMBERS = ("0246221111", "0246221200")


def call(
    id: str, minute: int, number: str, outcome: str, answer_s: float | None, operator: str | None
) -> Any:
    at = SPAN.start + timedelta(minutes=minute)
    answered = at + timedelta(seconds=answer_s) if answer_s is not None else None
    over = outcome != "active"
    return SimpleNamespace(
        call=id,
        outcome=outcome,
        via="engine",
        queued_at=at,
        answered_at=answered,
        answer_s=answer_s,
        wait_s=answer_s or 5.0,
        total_s=60.0,
        open=True,
        staff=False,
        queues=True,
        number=number,
        queue="main",
        operator=operator,
        talk_s=50.0 if answered and over else None,
        arrived_at=at,
        ended_at=at + timedelta(seconds=60) if over else None,
    )


calls = st.builds(
    lambda id, minute, number, how: call(f"c{id}", minute, number, *how),
    st.integers(0, 12),
    st.integers(0, 24 * 60 - 1),
    st.sampled_from(NUMBERS),
    st.sampled_from(
        [
            ("answered", 3.0, "1001"),
            ("answered", 12.0, "1002"),
            ("active", 2.0, "1001"),
            ("active", None, None),
            ("abandoned_queue", None, None),
        ]
    ),
)


@pytest.mark.req("MON-1", "KPI-1", "KPI-2", "KPI-3")
@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(calls, max_size=6), min_size=1, max_size=6), st.data())
def test_counted_call_by_call_as_all_at_once(rounds: list[list[Any]], data: st.DataObject) -> None:
    day, known = DayFigures(SITE, SPAN), dict[str, Any]()
    for rows in rounds:
        changed = [row for row in rows if known.get(row.call) != row]
        told = day.take(rows)
        assert told or not changed
        known |= {row.call: row for row in rows}
        if data.draw(st.booleans()):
            day.figures()
            day.trend()
        if data.draw(st.integers(0, 3)) == 0 and known:
            kept = set(data.draw(st.lists(st.sampled_from(sorted(known)))))
            assert day.keep(kept) == (kept != set(known))
            known = {id: row for id, row in known.items() if id in kept}
    figures, trend = day.figures(), day.trend()

    def counted(those: list[Any]) -> dict[str, Any]:
        kpi = kpi_of(those, SITE.kpi)
        return {**kpi.to_json(), "misses": misses_left(kpi, SITE.kpi.targets).to_json()}

    def curve(those: list[Any]) -> list[list[int]]:
        return [
            [one.arrived, one.answered, one.abandoned] for one in trend_of(those, SITE.kpi, SPAN, MINUTES)
        ]

    everything = list(known.values())
    assert figures["total"] == counted(everything)
    assert trend["total"] == curve(everything)
    for number, shown in zip(SITE.numbers, figures["numbers"], strict=True):
        those = [one for one in everything if one.number == number.digits]
        assert {**shown, **counted(those)} == shown
        assert trend["numbers"][number.number] == curve(those)
    for operator, own in day.own().items():
        talks = [one.talk_s for one in everything if one.operator == operator and one.talk_s]
        assert own["count"] == len(talks)
