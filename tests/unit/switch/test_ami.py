"""What may be sent over AMI."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.ami import checked


def test_plain_fields_pass() -> None:
    assert checked({"Action": "Reload", "Module": "res_pjsip.so"})["Module"] == "res_pjsip.so"


@pytest.mark.parametrize("value", ["a\r\nAction: Command", "a\nb", "a\rb", "tab\t", "市役所", "\x00", "\x7f"])
def test_line_breaks_controls_and_japanese_are_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(ValueError, match="'Secret'") as error:
        checked({"Action": "Login", "Secret": value})
    assert value not in str(error.value)
    with pytest.raises(ValueError, match="ASCII"):
        checked({value: "x"})


@given(st.text())
def test_whatever_passes_is_one_line(value: str) -> None:
    try:
        passed = checked({"Action": value})
    except ValueError:
        return
    assert f"Action: {passed['Action']}".splitlines() == [f"Action: {value}"]
