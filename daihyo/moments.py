"""Times as people type them on the command line, in the site's zone."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

from daihyo.settings import UserError

_HOW = "write it like '2027-01-01 10:00'"


def moment(text: str, zone: ZoneInfo, option: str, *, today: datetime | None = None) -> datetime:
    """`2027-01-01 10:00`, also with `T` and seconds; with `today` a time alone is of that day. Aware, in
    `zone`. UserError names the option."""
    written = text.strip()
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        found = None
    if found is not None and len(written) <= 10:  # a date alone says no time
        found = None
    if found is None and today is not None:
        try:
            found = datetime.combine(today.astimezone(zone).date(), time.fromisoformat(written))
        except ValueError:
            found = None
    if found is None:
        or_time = " か 17:30" if today is not None else ""
        or_time_en = " or '17:30' (today)" if today is not None else ""
        raise UserError(
            f"{option} {text}: 2027-01-01 10:00{or_time} のように書いてください / {_HOW}{or_time_en}"
        )
    return found.replace(tzinfo=zone) if found.tzinfo is None else found.astimezone(zone)
