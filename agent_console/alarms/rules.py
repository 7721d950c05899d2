"""What is an alarm now: facts in, conditions out. No clock, no I/O.

Values and thresholds are texts without units: seconds, people and calls as whole numbers, shares of 1 with
three digits, ids and reasons as they are. Words are made where they are shown (`shown`, web/alarms.ts, mail).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from dialplans import Alarms

# Kinds that are no setting: the centre's own organs, and calls marked as an emergency (脅迫・犯行予告).
EMERGENCY, ENGINE, SWITCH, JOURNAL, STORE, MAIL = "emergency", "engine", "switch", "journal", "store", "mail"
KINDS = (
    "wait",
    "waiting",
    "nobody_ready",
    "answer_rate",
    "mean_answer",
    "within_rate",
    "trunk_full",
    "trunk_away",
    "disk",
    "recording_failed",
    "recording_late",
    EMERGENCY,
    ENGINE,
    SWITCH,
    JOURNAL,
    STORE,
    MAIL,
)


@dataclass(frozen=True)
class QueueFacts:
    """`longest_s`: the longest wait now. `wanted`: somebody waits, or a number that leads here is open.
    `working`: operators of the queue who take calls (ready or in one, or in its wrap-up) with a phone."""

    id: str
    waiting: int
    longest_s: float
    wanted: bool
    working: int


@dataclass(frozen=True)
class KpiFacts:
    """Today's figures of the centre with the targets. None: nothing to divide by."""

    offered: int
    answer_rate: float | None
    mean_answer_s: float | None
    within_rate: float | None
    wanted_rate: float
    wanted_mean_s: float
    wanted_within: float


@dataclass(frozen=True)
class TrunkFacts:
    """`failing`: the last call led out by it found nobody there. `full`: all channels are taken."""

    id: str
    full: bool
    failing: bool
    channels: int
    max_channels: int


@dataclass(frozen=True)
class Facts:
    """Everything at one moment. `disks`: free share by name. `late_s`: how long the oldest capture whose call
    is over has waited for the recorder. `emergencies`: operator by call."""

    queues: tuple[QueueFacts, ...] = ()
    kpi: KpiFacts | None = None
    trunks: tuple[TrunkFacts, ...] = ()
    disks: dict[str, float] = field(default_factory=dict)
    failed_recordings: int = 0
    late_s: float = 0.0
    emergencies: dict[str, str] = field(default_factory=dict)
    engine: bool = True
    switch: bool = True
    journal: str | None = None
    store: bool = True
    mail: str | None = None


@dataclass(frozen=True)
class Condition:
    """Something that is so now. It is an alarm after it has been so for `after_s`, over when it has not been
    so for `over_s`; so again within `again_s` of that, it is the same alarm (figures that swing around their
    target call nobody twice)."""

    kind: str
    subject: str
    value: str
    threshold: str
    after_s: float = 0.0
    over_s: float = 3.0
    again_s: float = 0.0

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.subject


LATE_S = 600.0  # a capture that the recorder has not taken by then
_AWAY_S = 15.0  # a restart of ours is shorter
_KPI_AGAIN_S = 1800.0


def conditions(facts: Facts, wanted: Alarms) -> list[Condition]:
    """All that hold now."""
    return [
        *_queues(facts, wanted),
        *_kpi(facts, wanted),
        *_trunks(facts, wanted),
        *_disk_and_recorder(facts, wanted),
        *_organs(facts),
    ]


def _queues(facts: Facts, wanted: Alarms) -> Iterator[Condition]:
    if not (facts.engine and facts.switch):
        return  # what waited when the engine went away is not known to wait still
    for queue in facts.queues:
        if wanted.wait_s is not None and queue.longest_s > wanted.wait_s:
            yield Condition("wait", queue.id, str(math.ceil(queue.longest_s)), str(wanted.wait_s))
        if wanted.waiting is not None and queue.waiting >= wanted.waiting:
            yield Condition("waiting", queue.id, str(queue.waiting), str(wanted.waiting))
        if wanted.nobody_ready and queue.wanted and queue.working == 0:
            # With somebody waiting it is sooner told than in an empty hall at opening time.
            after = 5.0 if queue.waiting else 60.0
            yield Condition("nobody_ready", queue.id, str(queue.waiting), "", after_s=after)


def _kpi(facts: Facts, wanted: Alarms) -> Iterator[Condition]:
    kpi = facts.kpi
    if kpi is None or kpi.offered < wanted.after_calls:
        return
    rate = wanted.answer_rate if wanted.answer_rate is not None else kpi.wanted_rate
    for kind, now, target in (
        ("answer_rate", kpi.answer_rate, rate),
        ("within_rate", kpi.within_rate, kpi.wanted_within),
    ):
        if now is not None and now < target:
            yield Condition(kind, "", f"{now:.3f}", f"{target:.3f}", again_s=_KPI_AGAIN_S)
    if kpi.mean_answer_s is not None and kpi.mean_answer_s > kpi.wanted_mean_s:
        value, threshold = f"{kpi.mean_answer_s:.1f}", f"{kpi.wanted_mean_s:g}"
        yield Condition("mean_answer", "", value, threshold, again_s=_KPI_AGAIN_S)


def _trunks(facts: Facts, wanted: Alarms) -> Iterator[Condition]:
    if not wanted.trunk or not facts.engine:
        return
    for trunk in facts.trunks:
        if trunk.full:
            yield Condition("trunk_full", trunk.id, str(trunk.channels), str(trunk.max_channels), over_s=10.0)
        if trunk.failing:
            yield Condition("trunk_away", trunk.id, "", "", over_s=0.0)


def _disk_and_recorder(facts: Facts, wanted: Alarms) -> Iterator[Condition]:
    if wanted.disk_free is not None:
        for name, free in facts.disks.items():
            if free < wanted.disk_free:
                yield Condition("disk", name, f"{free:.3f}", f"{wanted.disk_free:.3f}", over_s=30.0)
    if wanted.recorder:
        if facts.failed_recordings:
            yield Condition("recording_failed", "", str(facts.failed_recordings), "0", over_s=30.0)
        if facts.late_s > LATE_S:
            yield Condition("recording_late", "", f"{facts.late_s:.0f}", f"{LATE_S:.0f}", over_s=30.0)


def _organs(facts: Facts) -> Iterator[Condition]:
    for call, operator in facts.emergencies.items():
        yield Condition(EMERGENCY, call, operator, "", over_s=0.0)
    if not facts.engine:
        yield Condition(ENGINE, "", "", "", after_s=_AWAY_S)
    elif not facts.switch:
        yield Condition(SWITCH, "", "", "", after_s=_AWAY_S)
    if facts.journal:
        yield Condition(JOURNAL, "", facts.journal, "", after_s=2.0)
    if not facts.store:
        yield Condition(STORE, "", "", "", after_s=5.0)
    if facts.mail:
        yield Condition(MAIL, "", facts.mail, "", over_s=0.0)
