"""応答率, 平均応答時間, 即応率: how the cities count, and the calls behind each figure.

| city | 応答率 | 平均応答時間 | 即応率 |
|---|---|---|---|
| いわき市 (仕様書 8) | 応答した件数÷総着信呼数, 90 % | 応答時間の合計÷応答した件数, 9 秒以内, 着信から | – |
| 横須賀市 (仕様書 9) | 応答件数÷着信件数, 80 % | – | 時間内応答件数÷応答件数, 9 秒以内, 80 % |
| 川越市 (仕様書 10) | オペレーターによる応答率, 月間 90 % | – | – |

What the documents leave open is a setting of the site (KPI-7): whether the clock starts at arrival or at
queue entry, whether a call given up in the greeting counts as offered, after how short a time a call given
up is left out (ワン切り), and whether a call that booked a callback (折り返し予約) is offered: it is never
abandoned. `Kpi.formula` says in words which way was taken.

Whatever the city, only calls that asked for its operators count: not those of the staff's own number
(NUM-6), not those on a number from which no queue can be reached (the events' line), not those that came
outside the hours, not those that the plan served without them (an announcement, a telephone outside). A call
that waited for an operator and was sent on by overflow did ask: it counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from cdr.record import Outcome


class KpiSettings(Protocol):
    """The site's way of counting (`dialplans.Kpi`). `clock_start`: arrival or queue; `offered`: arrived or
    queued; both limits in seconds and inclusive (以内); `ignore_abandoned_within_s` 0 leaves out nothing;
    `callbacks`: left_out or offered."""

    @property
    def clock_start(self) -> str: ...
    @property
    def answer_within_s(self) -> float: ...
    @property
    def offered(self) -> str: ...
    @property
    def ignore_abandoned_within_s(self) -> float: ...
    @property
    def callbacks(self) -> str: ...


class Countable(Protocol):
    """What the figures need of a call: `CallRecord` has it, rows of the database too."""

    @property
    def call(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def via(self) -> str: ...
    @property
    def queued_at(self) -> datetime | None: ...
    @property
    def answered_at(self) -> datetime | None: ...
    @property
    def answer_s(self) -> float | None: ...
    @property
    def wait_s(self) -> float | None: ...
    @property
    def total_s(self) -> float | None: ...
    @property
    def open(self) -> bool | None: ...
    @property
    def staff(self) -> bool | None: ...
    @property
    def queues(self) -> bool | None: ...


COUNTABLE = (
    "call",
    "outcome",
    "via",
    "queued_at",
    "answered_at",
    "answer_s",
    "wait_s",
    "total_s",
    "open",
    "staff",
    "queues",
)  # the names of `Countable`


@dataclass(frozen=True)
class Formula:
    """The definitions that were used, in words."""

    ja: str
    en: str


FIGURES = (
    "offered",
    "answered",
    "abandoned",
    "lost",
    "overflowed",
    "callbacks",
    "answered_within",
    "unfinished",
    "left_out",
)
_OFFERED = {"answered", "abandoned", "lost", "overflowed"}


@dataclass(frozen=True)
class Kpi:
    """Figures of a span. Rates are 0…1; None where there is nothing to divide by.

    offered = answered + abandoned + lost + overflowed, and with `callbacks: offered` + callbacks (lost:
    unanswered, ended by the centre or the switch; overflowed: left a queue unanswered for an announcement or
    a telephone outside; callbacks: booked one, 折り返し予約). A call that has neither been answered nor ended
    is `unfinished` and in no other figure; one in talk is answered. `left_out`: not offered, by this site's
    definition, because it did not ask for an operator, or because the centre made it.
    """

    offered: int
    answered: int
    abandoned: int
    lost: int
    overflowed: int
    callbacks: int
    answered_within: int
    unfinished: int
    left_out: int
    answer_rate: float | None  # 応答率
    mean_answer_s: float | None  # 平均応答時間
    within_rate: float | None  # 即応率
    formula: Formula
    _members: Mapping[str, tuple[str, ...]] = field(repr=False, compare=False, default_factory=dict)

    def calls(self, figure: str) -> tuple[str, ...]:
        """The ids of the calls counted in a figure: one of FIGURES. KeyError for any other."""
        if figure not in FIGURES:
            raise KeyError(f"{figure!r} is no figure of calls; there are: {', '.join(FIGURES)}")
        return self._members.get(figure, ())

    def to_json(self) -> dict[str, Any]:
        """Counts, rates (6 decimals), seconds (3 decimals), and the formula in both languages."""
        return {
            **{name: getattr(self, name) for name in FIGURES},
            "answer_rate": _rounded(self.answer_rate, 6),
            "mean_answer_s": _rounded(self.mean_answer_s, 3),
            "within_rate": _rounded(self.within_rate, 6),
            "formula": {"ja": self.formula.ja, "en": self.formula.en},
        }


def kpi_of(records: Iterable[Countable], settings: KpiSettings) -> Kpi:
    """The figures of these calls; which span and number they are of is the caller's choice."""
    members: dict[str, list[str]] = {figure: [] for figure in FIGURES}
    offered = {*_OFFERED, "callbacks"} if settings.callbacks == "offered" else _OFFERED
    answer_total = 0.0
    for record in records:
        figure = _figure(record, settings)
        members[figure].append(record.call)
        if figure not in offered:
            continue
        members["offered"].append(record.call)
        if figure == "answered":
            took = _answer_time(record, settings)
            answer_total += took
            if took <= settings.answer_within_s:
                members["answered_within"].append(record.call)
    counts = {figure: len(calls) for figure, calls in members.items()}
    return Kpi(
        **counts,
        answer_rate=_ratio(counts["answered"], counts["offered"]),
        mean_answer_s=_ratio(answer_total, counts["answered"]),
        within_rate=_ratio(counts["answered_within"], counts["answered"]),
        formula=formula_of(settings),
        _members={figure: tuple(calls) for figure, calls in members.items()},
    )


def formula_of(settings: KpiSettings) -> Formula:
    """The site's definitions in words."""
    within, ignore = _seconds(settings.answer_within_s), settings.ignore_abandoned_within_s
    queue_clock, queued_only = settings.clock_start == "queue", settings.offered == "queued"
    start_ja, start_en = ("待ち行列に入って", "queue entry") if queue_clock else ("着信して", "arrival")
    if queued_only:
        offered_ja = "待ち行列に入った件数（案内中の放棄を除く）"
        offered_en = "calls that reached a queue (not those given up before)"
    else:
        offered_ja, offered_en = "総着信呼", "all calls that arrived"
    ja = [
        "応答率＝応答件数÷着信件数",
        f"平均応答時間＝応答時間の合計÷応答件数（{start_ja}からオペレーターが応答するまで）",
        f"即応率＝{within}秒以内の応答件数÷応答件数",
        f"着信件数＝{offered_ja}",
    ]
    en = [
        "answer rate = answered / offered",
        f"mean answer time = sum of answer times / answered (from {start_en} to the operator's answer)",
        f"answered within = answered in {within} s or less / answered",
        f"offered = {offered_en}",
    ]
    ja.append(
        "職員連絡用の番号、オペレーターにつながらない番号、受付時間外、案内または外部転送だけで終えた呼は除外"
    )
    en.append(
        "calls to staff numbers, to numbers without operators, outside the hours, or served without any "
        "queue are left out"
    )
    if settings.callbacks == "offered":
        ja.append("折り返しを予約した呼は着信件数に含む（放棄呼にはしない）")
        en.append("calls that booked a callback are offered (never abandoned)")
    else:
        ja.append("折り返しを予約した呼は除外（放棄呼にはしない）")
        en.append("calls that booked a callback are left out (never abandoned)")
    ja.append("センターからの発信は除外")
    en.append("calls that the centre makes are left out")
    if ignore > 0:
        ja.append(f"着信から{_seconds(ignore)}秒以内の放棄呼は除外")
        en.append(f"calls given up {_seconds(ignore)} s or less after arrival are left out")
    return Formula("、".join(ja) + "。", "; ".join(en) + ".")


def _figure(record: Countable, settings: KpiSettings) -> str:
    """Which of answered, abandoned, lost, overflowed, callbacks, unfinished, left_out a call is."""
    if (
        record.via in ("callback", "outbound")
        or record.staff
        or record.open is False
        or record.queues is False
    ):
        return "left_out"
    if record.answered_at is not None:
        return "answered"
    if record.outcome == Outcome.ACTIVE:
        return "unfinished"
    if record.outcome == Outcome.CALLBACK:
        return "callbacks"  # the booking is a place in the queue, also when it was made in a menu
    if settings.offered == "queued" and record.queued_at is None:
        return "left_out"
    if record.outcome in (Outcome.ANNOUNCED, Outcome.FORWARDED):
        return "left_out" if record.queued_at is None else "overflowed"
    if record.outcome == Outcome.ABANDONED_RINGING and record.queued_at is None:
        return "left_out"  # the telephone that rang was a forward's
    if not Outcome(record.outcome).abandoned:
        return "lost"
    ignore, lasted = settings.ignore_abandoned_within_s, record.total_s
    return "left_out" if ignore > 0 and lasted is not None and lasted <= ignore else "abandoned"


def _answer_time(record: Countable, settings: KpiSettings) -> float:
    """応答時間 in seconds. Without a queue entry (a call answered at once by survival) from arrival."""
    if settings.clock_start == "queue" and record.wait_s is not None:
        return record.wait_s
    return record.answer_s or 0.0


def _ratio(part: float, whole: int) -> float | None:
    return part / whole if whole else None


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _seconds(value: float) -> str:
    return f"{value:g}"
