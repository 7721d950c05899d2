"""Which live tests go to one worker: those of a file that share its Asterisk."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = {"switch", "asterisk_conf"}


@pytest.hookimpl(tryfirst=True)  # before the worker reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and SHARED & set(item.path.relative_to(here).parts):
            item.add_marker(pytest.mark.xdist_group(str(item.path.relative_to(here))))
