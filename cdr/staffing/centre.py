"""The site as a simulation sees it: the distributor's rules, and where a call goes that a queue sends on."""

from __future__ import annotations

from collections.abc import Sequence

from acd import OperatorProfile, QueueRules
from dialplans import HoursBranch, Menu, Number, Queue, Say, Site, TellEvents


def rules_of(site: Site, wrap_up_s: float | None = None) -> list[QueueRules]:
    """The queues' rules as the engine gives them to the distributor; `wrap_up_s`: instead of their own."""
    return [
        QueueRules(
            id=one.id,
            ring_timeout_s=one.ring_timeout_s,
            wrap_up_s=one.wrap_up_s if wrap_up_s is None else wrap_up_s,
            strategy=one.strategy,
            then=one.then,
            target_s=one.target_s,
            weight=one.weight,
            ageing_s=one.ageing_s,
            widen=tuple((step.after_s, step.level) for step in one.widen),
            language_after_s=one.language_after_s,
        )
        for one in site.queues
    ]


def profiles_of(site: Site, extra: Sequence[str] = ()) -> list[OperatorProfile]:
    """The site's operators, and extra ones who serve every queue."""
    profiles = [
        OperatorProfile(
            id=one.id,
            queues=tuple(one.queues),
            levels=one.levels,
            languages=one.languages,
            most_calls_h=one.most_calls_h,
        )
        for one in site.operators
    ]
    queues = tuple(one.id for one in site.queues)
    return profiles + [OperatorProfile(id=one, queues=queues) for one in extra]


def queue_of(site: Site, number: Number) -> str | None:
    """Where a caller of the number waits who presses no key; None: no queue is reached so."""
    kind, id = target_of(site, number.begins)
    return id if kind == "queue" else None


def target_of(site: Site, target: str | None) -> tuple[str, str]:
    """Where a call comes to in the end: (`queue` | `forward` | `announced`, id). Announcements are passed at
    once, a menu goes to its `otherwise`, hours are open, a callback is declined."""
    steps = {one.id: one for one in site.steps}
    seen: set[str] = set()
    while target is not None and target not in seen:
        seen.add(target)
        kind, _, id = target.partition(":")
        if id:
            return kind, id
        match step := steps.get(target):
            case Menu():
                target = step.otherwise
            case HoursBranch():
                target = step.open
            case Say() | TellEvents():
                target = step.next
            case None:
                break
            case _:
                target = getattr(step, "declined", None)
    return "announced", ""


def not_modelled(site: Site, used: set[str]) -> list[tuple[str, str]]:
    """(Japanese, English): what the plan of the queues `used` asks for and a simulation leaves out."""
    notes: list[tuple[str, str]] = []
    queues = [one for one in site.queues if one.id in used]
    if any(one.callback is not None for one in queues) or any(_offers_callback(site, one) for one in queues):
        notes.append(
            (
                "折り返し予約は計算に入れていません(だれも予約しないものとしました)。",
                "Callbacks are not modelled: nobody books one.",
            )
        )
    if any(
        target_of(site, target)[0] == "forward" for one in queues for target in (one.overflow, one.nobody)
    ):
        notes.append(
            (
                "外部への転送は、転送した時点で終わりとしました。",
                "A call sent to a telephone outside ends there.",
            )
        )
    return notes


def _offers_callback(site: Site, queue: Queue) -> bool:
    callbacks = {one.id for one in site.steps if str(one.kind) == "callback"}
    return any(target in callbacks for target in (queue.overflow, queue.nobody))
