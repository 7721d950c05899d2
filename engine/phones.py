"""Which phone of an operator rings: the desk phone or the one in the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from switch import Hangup, HangupReason

if TYPE_CHECKING:
    from .centre import Centre

DESK, BROWSER = "desk", "browser"

# Q.850 causes that say "the phone died", not "somebody hung up": RTP time-out (44), network and protocol
# faults.
DEAD_CAUSES = {20, 27, 38, 41, 44, 102, 111, 127}


def endpoint(operator: str, phone: str) -> str:
    """The SIP endpoint of an operator's phone."""
    return f"{operator}-web" if phone == BROWSER else operator


def operator_of(name: str) -> tuple[str, str]:
    """An endpoint's operator and kind of phone."""
    return (name[: -len("-web")], BROWSER) if name.endswith("-web") else (name, DESK)


def endpoints(operators: list[str]) -> tuple[str, ...]:
    return tuple(endpoint(one, kind) for one in operators for kind in (DESK, BROWSER))


def phone_of(centre: Centre, operator: str) -> str | None:
    """The kind of phone that would ring now; None when no phone of the operator can be reached.

    The operator's choice at the seat comes first, then the browser (a page is open there), then the desk.
    """
    reachable = centre.reachable.get(operator, set())
    chosen = centre.chosen_phone.get(operator)
    for kind in (chosen, BROWSER, DESK):
        if kind is not None and kind in reachable:
            return kind
    return None


def died(phone: str | None, hangup: Hangup) -> bool:
    """Whether an operator's leg that ended was a phone that died rather than an operator who hung up.

    A browser phone ends its calls through the engine; a BYE of its own means that its page went
    away. What ended while nobody looked (FOUND_ENDED) counts as an ordinary end: the operator most likely
    hung up.
    """
    if hangup.reason is not HangupReason.HANGUP:
        return False
    return phone == BROWSER or (hangup.cause or 16) in DEAD_CAUSES
