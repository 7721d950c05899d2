"""The keys of operators' own desk phones (XFR-6): what is dialled at the phone, and its transfer key (SIP
REFER), for those who have `phone_keys` in the site. Both do what the console's buttons do, by the same ways
and with the same refusals; why something was refused stands on the operator's screen."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from dialplans import DialRefused, Site, classify
from switch import Channel, KeyTransfer

from .call import Call
from .clock import iso
from .commands import CommandError
from .transfer_control import To, TransferControl
from .transfer_model import KeyPressed

if TYPE_CHECKING:
    from .session import Session

log = logging.getLogger("daihyo.engine.keys")


class PhoneKeys:
    """Of a session."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.transfers = TransferControl(session.centre)

    # -- the transfer key

    def pressed(self, key: KeyTransfer) -> None:
        """Also what cannot be done is answered: the phone would wait."""
        self.session.start(self._pressed(key), f"transfer key on {key.channel.id}")

    async def _pressed(self, key: KeyTransfer) -> None:
        waits = KeyPressed(key.channel)
        call = self._call_on(key.channel)
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

    def _call_on(self, leg: Channel) -> Call | None:
        """The call that an operator has on this leg."""
        return next((one for one in self.session.calls.values() if one.leg is leg), None)

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
