"""A simulation as tables for people."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table

from cdr.staffing import Beside, Change, Erlang, Scenario, Simulated, clock

_WIDTH = 200  # no table needs so much


def text(
    scenario: Scenario,
    before: Simulated,
    formulas: Beside | None,
    changes: Sequence[Change],
    after: Simulated | None,
) -> str:
    """The figures beside Erlang's, those with the changes, the intervals, how even it was, and the notes."""
    out = Console(file=io.StringIO(), width=_WIDTH, highlight=False)
    out.print(_title(scenario, before))
    out.print(_figures(scenario, before, formulas, changes, after))
    out.print(_intervals(before, formulas, after))
    out.print(_evenness(before))
    for line in _notes(scenario, before, formulas):
        out.print(line, soft_wrap=True)
    assert isinstance(out.file, io.StringIO)  # noqa: S101 - made above
    return "".join(f"{line.rstrip()}\n" for line in out.file.getvalue().splitlines())


def _title(scenario: Scenario, found: Simulated) -> str:
    return (
        f"{scenario.site.centre}: {found.days_counted} 日 / days, {len(scenario.calls)} 件 / calls, "
        f"のべ {found.duty_h:.1f} 時間 / hours on duty, 種 / seed {found.seed}"
    )


def _table(*columns: str) -> Table:
    table = Table(header_style="bold", show_edge=False, pad_edge=False)
    for n, name in enumerate(columns):
        table.add_column(name, justify="right" if n else "left", no_wrap=True)
    return table


def _figures(
    scenario: Scenario,
    before: Simulated,
    formulas: Beside | None,
    changes: Sequence[Change],
    after: Simulated | None,
) -> Table:
    told = "  ".join(str(one) for one in changes)
    named = ["", "目標 target", "試算 simulated", *([told] if after else []), "Erlang C", "Erlang A"]
    table = _table(*named)
    kpi, targets = scenario.site.kpi, scenario.site.kpi.targets
    c, a = (None, None) if formulas is None else (formulas.c, formulas.a)
    # The formulas' clock starts with the wait: what the city's clock counts besides is added.
    extra_s = 0.0 if formulas is None else formulas.before_s

    ring_s = scenario.conduct.pick_up.mean_s

    def row(
        name: str,
        target: str,
        show: Callable[[float | None], str],
        value: Callable[[Simulated], float | None],
        formula: Callable[[Erlang], float] | None = None,
    ) -> None:
        cells = [show(value(one)) for one in (before, after) if one is not None]
        cells += [show(formula(one)) if formula and one else "" for one in (c, a)]
        table.add_row(name, target, *cells)

    row(
        "応答率 answered",
        f"≥ {_percent(targets.answer_rate)}",
        _percent,
        lambda one: one.kpi.answer_rate,
        lambda one: one.answer_rate,
    )
    row(
        f"即応率 within {kpi.answer_within_s:g} s",
        f"≥ {_percent(targets.within_rate)}",
        _percent,
        lambda one: one.kpi.within_rate,
        lambda one: one.within,
    )
    row(
        "平均応答時間 mean answer",
        f"≤ {targets.mean_answer_s:g} s",
        _seconds,
        lambda one: one.kpi.mean_answer_s,
        lambda one: one.answer_s + extra_s,
    )
    row("放棄率 abandoned", "", _percent, lambda one: one.abandon_rate, lambda one: one.abandoned)
    row("待ち 平均 mean wait", "", _seconds, lambda one: one.waits.mean_s, lambda one: one.wait_s + ring_s)
    row("待ち 95% / p95", "", _seconds, lambda one: one.waits.p95_s)
    row("待ち 最長 longest", "", _seconds, lambda one: one.waits.longest_s)
    row("稼働率 occupancy", "", _percent, lambda one: one.occupancy, lambda one: one.occupancy)
    row("待ちの最大 most in line", "", _whole, lambda one: float(one.most_in_line))
    if before.kpi.overflowed or (after is not None and after.kpi.overflowed):
        row("あふれ overflowed", "", _whole, lambda one: float(one.kpi.overflowed))
    return table


def _intervals(before: Simulated, formulas: Beside | None, after: Simulated | None) -> Table:
    table = _table(
        "",
        "件/日\ncalls",
        "人\nseats",
        "要る人\nneeded",
        "応答率\nansw. %",
        "即応率\nwithin %",
        "Erlang\nC %",
        "Erlang\nA %",
        "待ち\nwait s",
        "95%\np95 s",
        "稼働率\nbusy %",
        "待ち人\nline",
        *(["→ 応答率\nansw. %", "→ 即応率\nwithin %"] if after else []),
    )
    periods = {one.start_s: one for one in formulas.periods} if formulas else {}
    others = {one.start_s: one for one in after.intervals} if after else {}
    days = max(before.days_counted, 1)
    closed_s = max((one.end_s for one in before.intervals if one.kpi.offered), default=0.0)
    for one in before.intervals:
        period, other = periods.get(one.start_s), others.get(one.start_s)
        table.add_row(
            "終了後 after" if one.start_s >= closed_s else f"{clock(one.start_s)}-{clock(one.end_s)}",
            f"{one.kpi.offered / days:.1f}",
            f"{one.operators:.1f}",
            ""
            if period is None or not period.calls_h
            else "–"
            if period.needed is None
            else str(period.needed),
            _in_100(one.kpi.answer_rate),
            _in_100(one.kpi.within_rate),
            _in_100(period.c.within if period and period.calls_h else None),
            _in_100(period.a.within if period and period.calls_h else None),
            _one_digit(one.waits.mean_s),
            _one_digit(one.waits.p95_s),
            _in_100(one.occupancy),
            str(one.most_in_line),
            *(
                [_in_100(other.kpi.answer_rate), _in_100(other.kpi.within_rate)]
                if other
                else ["", ""]
                if after
                else []
            ),
        )
    return table


def _evenness(found: Simulated) -> Table:
    table = _table(
        "均等 evenness (1時間あたり / per hour on duty)", "最小 min", "最大 max", "差 spread", "Gini"
    )
    rows = [("", found.evenness)]
    called = [one for one in found.queues if one.kpi.offered]
    rows += [(f"{one.name}: ", one.evenness) for one in called if len(called) > 1]
    for name, even in rows:
        for what, values, show in (
            ("件数 calls", even.calls, _number),
            ("通話 talk", even.talk, _seconds),
            ("稼働率 occupancy", even.occupancy, _percent),
        ):
            gini = "–" if values.gini is None else f"{values.gini:.4f}"
            table.add_row(f"{name}{what}", *map(show, (values.min, values.max, values.spread)), gini)
    return table


def _notes(scenario: Scenario, found: Simulated, formulas: Beside | None) -> list[str]:
    lines = []
    if formulas is not None:
        patience = "∞" if math.isinf(formulas.patience_s) else f"{formulas.patience_s:.0f} s"
        lines.append(
            f"Erlang: 処理 / handling {formulas.handle_s:.0f} s, 待てる時間 / patience {patience}, "
            f"待ちの目標 / wait at most {formulas.target_s:.1f} s. 時間帯ごとに釣り合った状態、"
            "全員でひとつの待ち行列として / each interval in balance, all operators for one queue."
        )
        lines.append(
            "Erlang C は、だれもあきらめずに待つものとした式です（応答率は必ず100 %）。 / "
            "Erlang C: nobody gives up, so everybody is answered."
        )
        if not formulas.reachable:
            lines.append(
                "あいさつと呼出だけで目標の秒数を超えるため、「要る人」は出せません。 / "
                "The greeting and the ring alone take longer than the targets allow: needed cannot be told."
            )
    lines += [f"{ja} / {en}" for ja, en in found.notes]
    formula = found.kpi.formula
    lines.append(formula.ja if scenario.site.language == "ja" else formula.en)
    return lines


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.1f} %"


def _seconds(value: float | None) -> str:
    if value is None:
        return "–"
    return "∞" if math.isinf(value) else f"{value:.1f} s"


def _in_100(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.1f}"


def _one_digit(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _whole(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}"
