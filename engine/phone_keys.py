"""The keys of operators' own desk phones (XFR-6): what is dialled at the phone, and its transfer key (SIP
REFER), for those who have `phone_keys` in the site. Both do what the console's buttons do, by the same ways
and with the same refusals; why something was refused stands on the operator's screen."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from dialplans import DialRefused, Site, classify
from switch import Channel, ChannelGone, KeyTransfer, SwitchError

from .call import Call
from .clock import iso
from .commands import CommandError
from .outbound import CallOut, Wanted, ends_wrap_up
from .outbound_control import OutboundControl
from .pad import hung_up
from .phones import DESK
from .reaching import Taken
from .serials import serial
from .transfer_control import To, TransferControl
from .transfer_model import Key, KeyPressed, Resumed

if TYPE_CHECKING:
    from .session import Session

log = logging.getLogger("daihyo.engine.keys")


class PhoneKeys:
    """Of a session."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.transfers = TransferControl(session.centre)
        self.calls = OutboundControl(session.centre)

    # -- the transfer key

    def pressed(self, key: KeyTransfer) -> None:
        """Also what cannot be done is answered: the phone would wait."""
        waits = KeyPressed(key.channel)
        for call in self.session.calls.values():
            pad = call.transfer.pad if call.transfer is not None else None
            if call.transfer is not None and pad is not None and {key.channel, key.other} == {call.leg, pad}:
                call.transfer.key = waits
                call.inbox.put_nowait(Key.COMPLETE)
                return
        self.session.start(self._pressed(key, waits), f"transfer key on {key.channel.id}")

    async def _pressed(self, key: KeyTransfer, waits: KeyPressed) -> None:
        call = next((one for one in self.session.calls.values() if one.leg is key.channel), None)
        if call is None or call.operator is None or not key.digits:
            log.info("transfer key on %s: nothing there to be transferred", key.channel.id)
            await waits.told(False)
            return
        to, last = self.target(call, key.digits), call.last_transfer
        try:
            await self.transfers.begin(call.id, call.operator, to, "blind", "phone", waits)
        except CommandError as refused:
            self._shown(call, to, refused, last)
            await waits.told(False)

    def resumed(self, leg: Channel) -> None:
        """The phone goes on with a call that it had put on hold."""
        for call in self.session.calls.values():
            pad = call.transfer.pad if call.transfer is not None else None
            if leg in (call.leg, pad):
                call.inbox.put_nowait(Resumed(leg.id))

    # -- what is dialled

    def dialled(self, pad: Channel) -> None:
        """Who has a citizen on the phone asks somebody (取次ぎ); else it is a call out."""
        self.session.start(self._dialled(pad), f"dialled on {pad.id}")

    async def _dialled(self, pad: Channel) -> None:
        operator = pad.args[2] if len(pad.args) > 2 else ""
        call = self.session.call_of(operator)
        try:
            if not any(one.id == operator and one.phone_keys for one in self.session.centre.site.operators):
                raise CommandError("not_allowed", "", f"operator {operator!r} has no keys")
            if call is None:
                await self._calls(operator, pad)
            else:
                await self._asks(call, operator, pad)
        except CommandError as refused:
            log.info("operator %s dialled %s: %s", operator, pad.dialled, refused.code)
            await hung_up(pad, refused.code)
        except ChannelGone:
            pass  # put down again
        except SwitchError as problem:
            log.warning("operator %s dialled %s: %s", operator, pad.dialled, problem)

    async def _asks(self, call: Call, operator: str, pad: Channel) -> None:
        """The consult with whom was dialled. Once it has begun it looks after `pad` itself."""
        to, last = self.target(call, pad.dialled), call.last_transfer
        if call.phone != DESK:
            raise CommandError("target_busy", "", "that conversation is on another phone")
        try:
            await self.transfers.begin(call.id, operator, to, "consult", "phone", None, pad)
        except CommandError as refused:
            self._shown(call, to, refused, last)
            raise

    async def _calls(self, operator: str, pad: Channel) -> None:
        """A call out, as `operator.dial`; the phone is picked up already."""
        session = self.session
        try:
            self.calls.may_call(session, operator)
            route = self.calls.route(session, pad.dialled, None)
        except CommandError as refused:
            session.outbounds.refused(operator, pad.dialled, refused.code)
            raise
        call = f"{session.centre.site.id}-out{serial()}"
        session.floor.talks_alone(operator, call)
        try:
            await pad.answer()
        except SwitchError:
            session.floor.over(operator, wrap_up=False)
            raise
        ends_wrap_up(session, operator)
        await CallOut(session, call, Taken(operator, DESK, pad), Wanted(operator, route, by="phone")).run()

    # -- for both

    def target(self, call: Call, digits: str) -> To:
        """Whom the digits mean: a colleague by the extension that is theirs, the queue that the call came
        from by the return code, else a number outside or an extension of the city hall."""
        site = self.session.centre.site
        if site.pbx is not None and digits == site.pbx.return_code and call.queue is not None:
            return To(kind="queue", number=call.queue)
        if is_outside(site, digits):
            return To(kind="outside", number=digits)
        if any(one.id == digits for one in site.operators):
            return To(kind="operator", number=digits)
        return To(kind="extension", number=digits)

    def _shown(self, call: Call, to: To, refused: CommandError, last: object) -> None:
        """What was refused before anybody was rung: on the screen as what came back is. `last`: what stood
        there before the key."""
        log.info("call %s: the phone's key to %s is refused: %s", call.id, to.kind, refused.code)
        if call.transfer is not None or call.last_transfer is not last:
            return  # one is under way, or has just said why
        call.last_transfer = {
            "to": to.model_dump(),
            "reason": refused.code,
            "at": iso(self.session.centre.clock.now()),
        }
        self.session.centre.live.call(call.id)


def is_outside(site: Site, digits: str) -> bool:
    """Whether they are a number of the telephone network, allowed or not: none of those passes for an
    extension."""
    try:
        classify(digits, site.dialling.area)
    except DialRefused as refused:
        return refused.code != "bad_number" or site.pbx is None
    return True
