"""An alarm as pages, the API and mails tell it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dialplans import Site

from ..texts import Texts
from .book import Entry
from .rules import EMERGENCY


def entry(one: Entry, site: Site) -> dict[str, Any]:
    """Plain values for JSON; `subject_name`: what people call the queue, the trunk or the operator."""
    return {
        "id": one.id,
        "kind": one.kind,
        "subject": one.subject,
        "subject_name": subject_name(one, site),
        "value": one.value,
        "threshold": one.threshold,
        "at": _iso(one.at),
        "over_at": _iso(one.over_at),
        "acknowledged_at": _iso(one.acknowledged_at),
        "acknowledged_by": one.acknowledged_by,
        "mailed_at": _iso(one.mailed_at),
        "mail_problem": one.mail_problem,
    }


def subject_name(one: Entry, site: Site) -> str:
    """The queue's name, the operator of an emergency; other subjects as they are."""
    if one.kind in ("wait", "waiting", "nobody_ready"):
        return next((queue.name for queue in site.queues if queue.id == one.subject), one.subject)
    if one.kind == EMERGENCY:
        return next((each.name for each in site.operators if each.id == one.value), one.value)
    return one.subject


def sentence(one: Entry, site: Site, texts: Texts) -> str:
    """The alarm in one line, in words."""
    template = texts.known(f"js.alarm.{one.kind}", one.kind)
    return template.format(
        subject=subject_name(one, site), value=_readable(one.value), threshold=_readable(one.threshold)
    )


def _readable(value: str) -> str:
    """A share as percent: `0.871` is 87.1; all else as it is."""
    if len(value) == 5 and value[1] == "." and value[0] in "01":
        return f"{float(value) * 100:.1f}"
    return value


def _iso(at: datetime | None) -> str | None:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if at is not None else None
