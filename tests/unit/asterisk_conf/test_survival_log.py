"""Lines of queue_log become journal-shaped facts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_conf import parse_queue_log

LOG = """\
1795298727|NONE|NONE|NONE|QUEUESTART|
1795298730|minato-1795298730.0|survival|NONE|DAIHYO-ARRIVED|1795298730.841422|0246221111|09012345678
1795298734|minato-1795298730.0|survival|NONE|DAIHYO-QUEUED|1795298734.852874|main|0
1795298734|minato-1795298730.0|survival|NONE|ENTERQUEUE||09012345678|1
1795298739|minato-1795298730.0|survival|1001|CONNECT|5|1795298734.1|4
1795298739|minato-1795298730.0|survival|1001-web|DAIHYO-ANSWERED|1795298739.801276
1795298790|minato-1795298730.0|survival|1001|COMPLETECALLER|5|51|1
1795298790|minato-1795298730.0|survival|NONE|DAIHYO-ENDED|1795298790.114003|caller|16
"""


@pytest.mark.req("REL-2")
def test_a_whole_call() -> None:
    facts = parse_queue_log(LOG.splitlines())
    assert [fact.kind for fact in facts] == ["arrived", "queued", "answered", "ended"]
    assert {fact.call for fact in facts} == {"minato-1795298730.0"}
    call = "minato-1795298730.0"
    assert facts[0].data == {
        "number": "0246221111", "caller": "09012345678", "channel": call, "via": "survival",
    }  # fmt: skip
    assert facts[0].at == datetime(2026, 11, 21, 22, 5, 30, 841422, tzinfo=UTC)
    assert facts[1].data == {"queue": "main", "priority": 0, "again": False, "prefer": None}
    assert facts[2].data == {"operator": "1001", "phone": "browser"}
    assert facts[3].data == {"by": "caller", "cause": 16, "reason": "normal"}


def test_line_by_line_is_the_same_as_all_at_once() -> None:
    lines = LOG.splitlines()
    assert [fact for line in lines for fact in parse_queue_log([line])] == parse_queue_log(lines)


def test_withheld_and_unknown_are_none() -> None:
    arrived, ended = parse_queue_log(
        [
            "1|c|survival|NONE|DAIHYO-ARRIVED|1.000000|0246221111|",
            "9|c|survival|NONE|DAIHYO-ENDED|9.500000|caller|0",
        ]
    )
    assert arrived.data["caller"] is None
    assert ended.data["cause"] is None


@pytest.mark.req("REL-1", "REL-2")
def test_an_adopted_caller_arrives_only_for_those_who_do_not_know_it() -> None:
    facts = parse_queue_log(
        [
            "5|c|survival|NONE|DAIHYO-ADOPTED|5.000001|0246221111|0901",
            "6|c|survival|NONE|DAIHYO-QUEUED|6.000000|main|1",
        ]
    )
    assert [fact.kind for fact in facts] == ["arrived", "handed_over", "queued"]
    assert facts[2].data["again"] is True


@pytest.mark.parametrize(
    "line",
    [
        "5|c|survival|NONE|DAIHYO-ARRIVED|5.0",
        "5|c|survival|NONE|DAIHYO-ARRIVED|yesterday|0246221111|",
        "5||survival|NONE|DAIHYO-ARRIVED|5.000000|0246221111|",
        "5|c|survival|PJSIP/x|DAIHYO-ANSWERED|5.000000",
        "5|c|survival|NONE|DAIHYO-ENDED|5.000000|somebody|16",
        "5|c|survival|NONE|DAIHYO-ENDED|5.000000|caller|x",
        "5|c|survival|NONE|DAIHYO-UNHEARD-OF|5.000000",
        "5|c|survival|NONE|DAIHYO-QUEUED|5.000000|main|0|more",
    ],
)
def test_lines_of_ours_that_cannot_be_read_are_kept_apart(line: str) -> None:
    unreadable: list[str] = []
    assert parse_queue_log([line], unreadable) == []
    assert unreadable == [line]


@given(st.text(), st.integers(0, 90))
def test_no_line_makes_it_fail(noise: str, cut: int) -> None:
    parse_queue_log([noise, *(line[:cut] + noise for line in LOG.splitlines())])
