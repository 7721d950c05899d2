"""The console's bench: what counts as seen, and how late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson

from bench.console import Screens, row, site
from bench.console_day import Ended
from dialplans import Site
from store import CallRow

SEEN = b'{"operators": [{"id": "1001", "bench": 10.0}], "me": {"id": "1001", "bench": 10.0}}'


def test_an_event_counts_once_for_a_page_and_not_before_measuring() -> None:
    screens, page = Screens(), dict[str, float]()
    screens.took(SEEN, 10.2, page)
    assert screens.latencies == []  # warming up
    screens.measuring = True
    screens.took(SEEN, 10.4, page)
    assert screens.latencies == []  # seen before
    screens.took(SEEN.replace(b"10.0", b"11.0"), 11.25, page)
    screens.took(SEEN.replace(b"10.0", b"11.0"), 11.5, dict[str, float]())  # another page
    assert screens.latencies == [0.25, 0.5]
    assert screens.frames == 4


def test_what_a_new_page_is_told_of_long_ago_is_no_latency() -> None:
    screens = Screens(measuring=True)
    screens.took(orjson.dumps({"full": True, "calls": [{"id": "c", "bench": 1.0}]}), 90.0, {})
    assert screens.latencies == []


def test_its_centre_is_a_valid_one_and_its_rows_are_records() -> None:
    assert len(Site.model_validate(site(180, 20)).users) == 200
    now = datetime.now(UTC)
    made = row(Ended("c", "main", "1001", now, now + timedelta(seconds=4), now + timedelta(seconds=64)))
    assert set(made) <= {column.name for column in CallRow.__table__.columns}
    assert (made["answer_s"], made["talk_s"]) == (4.0, 60.0)
