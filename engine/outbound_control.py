"""The command by which an operator calls somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from acd import OperatorState
from dialplans import DialRefused, OutRoute, Site, route_extension, route_out

from .call import digits
from .commands import Command, CommandError, Commands, Json
from .outbound import Wanted, full
from .paging import rung
from .phones import phone_of

if TYPE_CHECKING:
    from .centre import Centre
    from .session import Session

_FREE = {OperatorState.READY, OperatorState.WRAP_UP, OperatorState.BREAK, OperatorState.TRAINING}
_FREE |= {OperatorState.NO_ANSWER}


class DialNumber(Command):
    operator: str
    number: str = Field(min_length=1, max_length=64)
    about: str | None = None
    case: int | None = None
    by: str = Field("", max_length=100)


class OutboundControl:
    """Carries it out; `commands` by name."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self.commands: Commands = {"operator.dial": (DialNumber, self._dial)}

    async def _dial(self, command: DialNumber) -> Json:
        session = self.centre.session
        if session is None:
            raise CommandError(
                "switch_away", "交換機に再接続しています。", "the switch is away, reconnecting"
            )
        operator = self.may_call(session, command.operator)
        route = self.route(session, command.number, self._about(session, command.about))
        one = session.outbounds.begin(Wanted(operator, route, command.case, command.about, command.by))
        if not await rung(one.rings):
            raise _unreachable()
        return {"call": one.id, "number": route.digits, "shown": route.shown}

    def route(self, session: Session, number: str, about: str | None) -> OutRoute:
        """By which ways it is called now; CommandError says why not."""
        try:
            route = routed(self.centre.site, number, about)
        except DialRefused as refused:
            raise CommandError(refused.code, refused.ja, refused.en) from None
        if all(full(session, way.trunk) for way in route.legs):
            raise CommandError(
                "trunk_full",
                "回線がすべて使用中です。少し待ってから、もう一度お試しください。",
                "all lines are in use: try again in a moment",
            )
        return route

    def may_call(self, session: Session, operator: str) -> str:
        if not any(one.id == operator for one in self.centre.site.operators):
            raise CommandError(
                "unknown_operator", f"操作者 {operator} はいません。", f"there is no operator {operator}"
            )
        if phone_of(self.centre, operator) is None:
            raise _unreachable()
        state = session.floor.view(operator).state
        if state is OperatorState.OFF:
            raise CommandError(
                "not_allowed",
                "受付を始めてから(待機か休憩で)かけてください。",
                "sign on first: ready, or on a break",
            )
        if state not in _FREE or session.supervisions.busy(operator):
            raise CommandError("target_busy", "ご自分の電話は使用中です。", "your own phone is in use")
        return operator

    def _about(self, session: Session, about: str | None) -> str | None:
        """The number of ours that a call is about: of that call while it lives, or the one that is named."""
        if about is None:
            return None
        call = session.calls.get(about)
        if call is not None:
            return call.number.digits
        known = session.centre.memory.calls.get(about)
        return known.number if known is not None else digits(about)


def routed(site: Site, number: str, about: str | None) -> OutRoute:
    """How a number is called that may be one outside or an extension of the city hall: outside first, so that
    no emergency or paid number passes for an extension. DialRefused."""
    try:
        return route_out(site, number, about)
    except DialRefused as refused:
        if refused.code != "bad_number" or site.pbx is None:
            raise
        try:
            return route_extension(site, number)
        except DialRefused as other:
            raise (refused if other.code == "bad_extension" else other) from None


def _unreachable() -> CommandError:
    return CommandError(
        "target_unreachable", "ご自分の電話につながりません。", "your own phone cannot be reached"
    )
