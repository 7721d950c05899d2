"""What a bench prints for machines."""

from __future__ import annotations

import json

import pytest

from bench.report import Figure, percentile, show


def test_the_last_line_is_one_object_with_ours_over_peer(capsys: pytest.CaptureFixture[str]) -> None:
    show("T", [Figure("p50", 6.0, "ms", 120.0), Figure("rss", 62.0, "MB")], as_json=True)
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {
        "p50": {"ours": 6.0, "peer": 120.0, "ratio": 0.05, "unit": "ms"},
        "rss": {"ours": 62.0, "peer": None, "ratio": None, "unit": "MB"},
    }


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(each) for each in range(1, 101)]
    assert [percentile(values, share) for share in (0.0, 0.5, 0.99, 1.0)] == [1.0, 50.0, 99.0, 100.0]
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)
