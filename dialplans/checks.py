"""What must fit together in a site, beyond the type of each value.

In parts, so that as much as possible is told at once: `of_data` works on plain data as read, and tells its
findings together with mistyped values; `of_values` needs right values, `of_site` right names as well.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING

from dialplans import (
    checks_fit,
    checks_flow,
    checks_hours,
    checks_live,
    checks_names,
    checks_seats,
    checks_words,
)
from dialplans.problems import Finding

if TYPE_CHECKING:
    from dialplans.model import Site


def of_data(data: object) -> list[Finding]:
    """Names and keys that do not fit; parts of a wrong type are passed over: the model tells those."""
    if not isinstance(data, Mapping):
        return []
    return [*checks_names.findings(data), *checks_fit.findings(data), *checks_seats.findings(data)]


def of_values(site: Site, today: dt.date | None = None) -> list[Finding]:
    """Hours that overlap; with `today` also calendars that have run out."""
    found = list(checks_hours.findings(site))
    return found if today is None else found + list(checks_hours.years(site, today))


def of_site(site: Site, today: dt.date | None = None) -> list[Finding]:
    """Where calls go and what they hear on the way; with `today` also what must not go live."""
    found = [*checks_flow.findings(site), *checks_words.findings(site)]
    return found if today is None else found + list(checks_live.findings(site, today))
