"""Which live tests go to one worker, one after the other: those of a file that share its Asterisk, and those
that crowd a centre, which would take each other's processor time and with it the sound that they measure."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = {"switch", "asterisk_conf"}
CROWDED = {
    "test_activations.py",
    "test_api_document.py",
    "test_distribution.py",
    "test_outbound.py",
    "test_phone_keys.py",
    "test_supervision.py",
    "test_transfers.py",
}


@pytest.hookimpl(tryfirst=True)  # before the worker reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here not in item.path.parents:
            continue
        place = item.path.relative_to(here)
        if SHARED & set(place.parts):
            item.add_marker(pytest.mark.xdist_group(str(place)))
        elif place.name in CROWDED:
            item.add_marker(pytest.mark.xdist_group("crowded"))
