"""Whose citizen a call to the return code gives back, and when nobody is taken out of a talk."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dialplans import DialRefused, OutLeg, parse_site
from engine.call import Phase
from engine.outbound_control import routed
from engine.return_code import _removed, by_return_code, given_back
from engine.transfer_model import GivenBack

SITE = parse_site("""
city: 試験市
centre: 試験センター
id: test
numbers: [{number: "0246-22-1111", name: 代表, queue: main, greeting: あ, recording_notice: 録音します}]
queues: [{id: main, name: 案内}]
operators: [{id: "1001", name: 甲, queues: [main]}]
trunks: [{id: hall, addresses: [192.0.2.3], outbound: {host: 192.0.2.3}}]
pbx: {trunks: [hall], prefix: "8", return_code: "7700"}
dialling: {trunks: [hall]}
""")
OUR_NUMBER = "0246221111"


class Calls:
    """A session with these calls at the city hall: caller, extension."""

    def __init__(self, *at_the_hall: tuple[str | None, str], phase: Phase = Phase.TRANSFERRED) -> None:
        self.told: dict[str, list[Any]] = {}
        self.calls = {}
        for caller, extension in at_the_hall:
            inbox: list[Any] = self.told.setdefault(extension, [])
            self.calls[extension + str(caller)] = SimpleNamespace(
                id=extension,
                caller=caller,
                phase=phase,
                site=SITE,
                transfer=SimpleNamespace(target=SimpleNamespace(kind="extension", number=extension)),
                inbox=SimpleNamespace(put_nowait=inbox.append),
            )

    def start(self, work: Any, _: str) -> None:
        work.close()

    def gives_back(self, caller: str | None, diverted: str = "") -> list[str]:
        """Who is told that their citizen comes back."""
        args = ("arrival", OUR_NUMBER, "", "7700", diverted, "", "return_code")
        channel: Any = SimpleNamespace(id="new", caller=caller, args=args)
        assert by_return_code(channel)
        found = given_back(self, channel)  # type: ignore[arg-type]
        told = [name for name, words in self.told.items() if words == [GivenBack()]]
        assert found is bool(told)
        return told


TWO = (("09011112222", "2314"), ("0311112222", "2315"))


@pytest.mark.req("XFR-4")
@pytest.mark.parametrize(
    ("caller", "diverted", "whose"),
    [
        ("2314", "", "2314"),
        ("82315", "", "2315"),  # as it was dialled
        ("+819011112222", "", "2314"),
        ("0246220000", "2315", "2315"),
        ("2314", "2315", "2315"),  # who is named as diverting is meant
        ("0311112222", "2314", "2315"),  # the citizen's own number says more
    ],
)
def test_the_citizen_is_found(caller: str, diverted: str, whose: str) -> None:
    assert Calls(*TWO).gives_back(caller, diverted) == [whose]


@pytest.mark.req("XFR-4")
def test_our_own_number_means_the_only_one_who_is_there() -> None:
    assert Calls(TWO[0]).gives_back(OUR_NUMBER) == ["2314"]
    assert Calls(*TWO).gives_back(OUR_NUMBER) == []


@pytest.mark.req("XFR-4")
def test_nobody_is_taken_out_of_a_talk_by_a_guess() -> None:
    assert Calls(*TWO).gives_back("2399") == []
    assert Calls(*TWO).gives_back(None) == []
    assert Calls((None, "2314"), ("0311112222", "2314")).gives_back("2314") == []  # two lines, one number
    assert Calls(*TWO, phase=Phase.CONSULTING).gives_back("2314") == []  # the operator is still there
    assert Calls().gives_back("2314") == []


@pytest.mark.req("XFR-4", "SEC-4")
def test_other_calls_are_no_returns() -> None:
    for args in (("arrival", OUR_NUMBER), ("arrival", OUR_NUMBER, "", "7700", "", ""), ()):
        channel: Any = SimpleNamespace(id="new", caller="2314", args=args)
        assert not by_return_code(channel)


@pytest.mark.req("NUM-4", "NUM-5", "SEC-4")
def test_an_operator_calls_numbers_outside_and_extensions() -> None:
    assert routed(SITE, "090-1234-5678", None).legs == (OutLeg("hall", "09012345678"),)
    assert routed(SITE, "2314", None).legs == (OutLeg("hall", "82314"),)
    for number, code in (
        ("110", "not_allowed"),  # never as an extension
        ("117", "not_allowed"),
        ("7700", "own_number"),
        ("12", "bad_number"),
        ("0110", "bad_number"),
    ):
        with pytest.raises(DialRefused) as caught:
            routed(SITE, number, None)
        assert caught.value.code == code, number
    with pytest.raises(DialRefused) as caught:
        routed(SITE.model_copy(update={"pbx": None}), "2314", None)
    assert caught.value.code == "bad_number"


@pytest.mark.req("REC-1", "XFR-4")
async def test_an_armed_recording_that_appears_after_the_hang_up_is_taken_away_too(tmp_path: Path) -> None:
    capture = tmp_path / "minato-1.9-in.wav"
    going = asyncio.create_task(_removed(capture))
    await asyncio.to_thread(capture.exists)  # it has looked for it by then
    capture.write_bytes(b"RIFF")
    await going
    assert not capture.exists()
