"""From a file to a Site, or to everything that is wrong with it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from pydantic import ValidationError

from dialplans import checks
from dialplans.document import Document, read_file, read_text
from dialplans.explain import explained
from dialplans.model import CHECKED, Site
from dialplans.problems import SiteError


def load_site(path: Path | str, today: dt.date | None = None) -> Site:
    """Reads and checks a site file (UTF-8 YAML) and the parts that it includes. Raises SiteError with every
    problem, each with its own file and line. `today`: see `parse_site`."""
    return _site(read_file(Path(path)), today)


def parse_site(text: str, file: str = "site.yaml", today: dt.date | None = None) -> Site:
    """As `load_site`, from text; `file` is the name that problems carry; nothing can be included.

    Whoever checks a plan before it goes live gives `today` (the site's date): calendars that run out this
    year or next, and slips such as hours that are never open, are then refused too. Whoever reads a live plan
    does not: what went live loads on any later day.
    """
    return _site(read_text(text, file), today)


def _site(document: Document, today: dt.date | None) -> Site:
    if document.broken:
        raise SiteError(document.problems())
    data = {} if document.data is None else document.data
    found = checks.of_data(data)
    site: Site | None = None
    try:
        site = Site.model_validate(data, context=CHECKED)
    except ValidationError as error:
        wrong = explained(error)
        told = {one.loc for one in wrong}
        found = wrong + [one for one in found if one.loc not in told]
    if site is not None:
        found += checks.of_values(site, today)
        if not found:
            found += checks.of_site(site, today)
    problems = document.problems(found)
    if problems or site is None:
        raise SiteError(problems)
    return site
