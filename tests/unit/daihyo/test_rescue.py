"""What becomes of calls while the engine stays away."""

from __future__ import annotations

import pytest

from daihyo.rescue import GRACE_S, Rescue, Seen, parse

# Asterisk's own lines (`core show channels concise`), made up numbers.
CITIZEN = (
    "PJSIP/trunk-hikari-00000001!trunk!0246221111!3!Up!Stasis!daihyo,arrival!09012345678!!!3!12!!minato-1.1"
)
TALKING = "PJSIP/trunk-hikari-00000002!trunk!0246221111!3!Up!Stasis!daihyo!09012345679!!!3!40!b-1!minato-1.2"
OPERATOR = "PJSIP/1001-00000003!operators!!1!Up!Stasis!daihyo,leg!1001!!!3!30!b-1!leg-1"
SURVIVAL = (
    "PJSIP/trunk-hikari-00000004!survival!0246221111!9!Up!Queue!survival,ciI!09012345670!!!3!5!!minato-1.4"
)


def names(*lines: str) -> list[Seen]:
    return parse("\n".join(lines))


def test_lines_are_read_and_others_passed_over() -> None:
    seen = parse(f"{CITIZEN}\nAsterisk ending\n\n{TALKING}\n")
    assert [(one.name, one.context, one.extension, one.application, one.bridge) for one in seen] == [
        ("PJSIP/trunk-hikari-00000001", "trunk", "0246221111", "Stasis", ""),
        ("PJSIP/trunk-hikari-00000002", "trunk", "0246221111", "Stasis", "b-1"),
    ]


@pytest.mark.req("REL-2")
def test_waiting_citizen_is_given_to_the_dialplan_after_the_grace() -> None:
    rescue = Rescue()
    assert rescue.look(names(CITIZEN), GRACE_S - 0.1) == []
    assert rescue.look(names(CITIZEN), GRACE_S) == [
        "channel redirect PJSIP/trunk-hikari-00000001 survival-adopt,0246221111,1"
    ]


@pytest.mark.req("REL-1")
def test_conversation_goes_on_untouched() -> None:
    assert Rescue().look(names(TALKING, OPERATOR), 600.0) == []


@pytest.mark.req("REL-1")
def test_who_is_left_alone_after_a_conversation_is_let_go() -> None:
    rescue = Rescue()
    rescue.look(names(TALKING, OPERATOR), 5.0)
    alone = TALKING.replace("!b-1!", "!b-1!")
    assert rescue.look(names(alone), 20.0) == ["channel request hangup PJSIP/trunk-hikari-00000002"]


def test_operators_leg_alone_is_let_go() -> None:
    assert Rescue().look(names(OPERATOR), 20.0) == ["channel request hangup PJSIP/1001-00000003"]


def test_calls_in_the_dialplan_are_not_ours() -> None:
    assert Rescue().look(names(SURVIVAL), 600.0) == []


@pytest.mark.req("REL-1")
def test_a_telephone_outside_that_we_rang_is_let_go_alone() -> None:
    """A forward or a callback whose engine is away: it came by the trunk's context, but called nobody."""
    out = "PJSIP/trunk-hikari-00000005!trunk!s!1!Up!Stasis!daihyo,leg!09012345671!!!3!20!!out-city-1"
    assert Rescue().look(names(out), 20.0) == ["channel request hangup PJSIP/trunk-hikari-00000005"]
