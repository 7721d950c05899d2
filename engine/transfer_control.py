"""Commands about transfers (docs/interfaces.md): whom to, and the keys while one is under way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from acd import OperatorState
from dialplans import DialRefused, route_extension, route_out
from switch import Channel

from .call import Call, Phase
from .commands import Command, CommandError, Json
from .phones import phone_of
from .transfer import RINGS_S
from .transfer_model import How, Key, KeyPressed, Kind, Reason, State, Target, TargetLeaves, Wish

if TYPE_CHECKING:
    from .centre import Centre
    from .session import Session

# Why a target that was rung could not be had: code, and words for people.
_FAILED: Final[dict[Reason, tuple[str, str, str]]] = {
    "busy": ("target_busy", "相手は話し中です。", "the target is busy"),
    "refused": ("target_busy", "相手は着信を断りました。", "the target refused the call"),
    "no_answer": ("target_unreachable", "相手が出ません。", "the target does not answer"),
    "unreachable": ("target_unreachable", "相手の電話につながりません。", "the telephone there is away"),
    "trunk_full": (
        "trunk_full",
        "回線がすべて使用中です。少し待ってから、もう一度お試しください。",
        "all lines are in use: try again in a moment",
    ),
}  # fmt: skip
_OTHERWISE = ("target_unreachable", "転送できませんでした。", "the transfer failed")


class To(BaseModel):
    """Whom to."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    number: str = Field(min_length=1, max_length=64)
    name: str = Field("", max_length=200)
    department: str = Field("", max_length=200)
    entry: str | int | None = None


class Begin(Command):
    call: str
    operator: str
    to: To


class Press(Command):
    call: str
    operator: str


class TransferControl:
    """Carries them out; `commands` by name."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self.commands: dict[str, tuple[type[Command], Callable[[Any], Awaitable[object]]]] = {
            "call.consult": (Begin, self._consult),
            "call.blind": (Begin, self._blind),
            "call.swap": (Press, self._swap),
            "call.three_way": (Press, self._three_way),
            "call.complete": (Press, self._complete),
            "call.return": (Press, self._return),
        }

    async def _consult(self, command: Begin) -> Json:
        return await self.begin(command.call, command.operator, command.to, "consult", "console")

    async def _blind(self, command: Begin) -> Json:
        return await self.begin(command.call, command.operator, command.to, "blind", "console")

    async def begin(
        self,
        call_id: str,
        operator: str,
        to: To,
        how: How,
        by: str,
        key: KeyPressed | None = None,
        pad: Channel | None = None,
    ) -> Json:
        """Answers when the target rings; CommandError says why not."""
        call = self._call(call_id, operator)
        if call.transfer is not None:
            raise CommandError(
                "transfer_under_way", "転送の操作中です。", "a transfer of that call is under way"
            )
        if call.phase not in (Phase.TALKING, Phase.HOLD):
            raise CommandError("not_talking", "通話中ではありません。", "nobody talks in that call")
        target = self._target(call, operator, to, how)
        wish = Wish(target, how, by, asyncio.get_running_loop().create_future(), key, pad)
        call.inbox.put_nowait(wish)
        reason: Reason | None = None
        try:
            async with asyncio.timeout(RINGS_S):
                reason = await asyncio.shield(wish.answer)
        except TimeoutError:
            if call.transfer is None:
                reason = "failed"
                wish.answered(reason)  # it is not carried out later
        if reason is not None:
            raise CommandError(*_FAILED.get(reason, _OTHERWISE))
        return {"call": call.id, "transfer": call.transfer.told() if call.transfer is not None else None}

    # -- whom to

    def _target(self, call: Call, operator: str, to: To, how: How) -> Target:
        entry = str(to.entry) if to.entry is not None else None
        known = Target(to.kind, to.number, to.name, to.department, entry)
        match to.kind:
            case "operator":
                return self._colleague(known, operator)
            case "queue":
                return self._queue(known, call, how)
        site = self.centre.site
        try:
            if to.kind == "extension":
                route = route_extension(site, to.number)
            else:
                route = route_out(site, to.number, call.number.digits)
        except DialRefused as refused:
            raise CommandError(refused.code, refused.ja, refused.en) from None
        return Target(
            to.kind, route.digits, to.name, to.department, entry, shown=route.shown, ways=route.legs
        )

    def _colleague(self, target: Target, operator: str) -> Target:
        """An operator who is ready, whose phone rings for this alone."""
        centre, session = self.centre, self._session()
        profile = next((one for one in centre.site.operators if one.id == target.number), None)
        if profile is None:
            raise CommandError(
                "unknown_target",
                f"操作者 {target.number} はいません。",
                f"there is no operator {target.number}",
            )
        if profile.id == operator:
            raise CommandError(
                "not_allowed", "自分自身には転送できません。", "one cannot transfer to oneself"
            )
        view = session.floor.view(profile.id)
        if phone_of(centre, profile.id) is None or view.state is OperatorState.OFF:
            raise CommandError(
                "target_unreachable",
                f"{profile.name}は席にいません。",
                f"operator {profile.id} is not at the seat",
            )
        if view.state is not OperatorState.READY:
            raise CommandError(
                "target_busy",
                f"{profile.name}はいま電話に出られません。",
                f"operator {profile.id} is not ready ({view.state.value})",
            )
        return Target("operator", profile.id, target.name or profile.name, target.department, target.entry)

    def _queue(self, target: Target, call: Call, how: How) -> Target:
        session = self._session()
        plans = (self.centre.site, call.site)
        if not all(any(one.id == target.number for one in plan.queues) for plan in plans):
            raise CommandError(
                "unknown_target",
                f"待ち行列 {target.number} は、この通話では使えません。",
                f"there is no queue {target.number} for this call",
            )
        if how == "consult":
            raise CommandError(
                "not_allowed",
                "キューへの転送では、先に相手と話すことはできません。",
                "nobody can be talked to in a queue: transfer blindly",
            )
        if session.floor.signed_on(target.number) == 0:
            raise CommandError(
                "target_unreachable",
                "その窓口には、いま誰もいません。",
                "nobody is signed on in that queue",
            )
        name = target.name or self.centre.site.queue(target.number).name
        return Target("queue", target.number, name, target.department, target.entry)

    # -- keys

    async def _swap(self, command: Press) -> Json:
        return self._press(command, Key.SWAP)

    async def _three_way(self, command: Press) -> Json:
        return self._press(command, Key.THREE_WAY)

    async def _complete(self, command: Press) -> Json:
        return self._press(command, Key.COMPLETE)

    async def _return(self, command: Press) -> Json:
        return self._press(command, Key.RETURN)

    def _press(self, command: Press, key: Key) -> Json:
        call = self._call(command.call, command.operator)
        if call.transfer is None:
            raise CommandError("no_transfer", "転送中ではありません。", "no transfer is under way")
        if key in (Key.SWAP, Key.THREE_WAY) and call.transfer.state is State.RINGING:
            raise CommandError("no_target", "相手がまだ出ていません。", "the target has not answered yet")
        call.inbox.put_nowait(key)
        return {}

    # -- for all of them

    def _session(self) -> Session:
        if self.centre.session is None:
            raise CommandError(
                "switch_away", "交換機に再接続しています。", "the switch is away, reconnecting"
            )
        return self.centre.session

    def _call(self, call_id: str, operator: str) -> Call:
        call = self._session().calls.get(call_id)
        if call is None:
            raise CommandError("unknown_call", "その通話は終わっています。", "that call is over")
        if call.operator != operator:
            raise CommandError(
                "not_your_call", "この通話の担当ではありません。", "that operator is not in this call"
            )
        return call


def leaves(session: Session, operator: str, call: str | None = None) -> bool:
    """An operator who is the target of a transfer (of that call) refuses or hangs up at the console; False
    when they are not."""
    for one in session.calls.values():
        if one.transfer is None or one.operator == operator or (call is not None and one.id != call):
            continue
        target = one.transfer.target
        if target.kind == "operator" and target.number == operator:
            one.inbox.put_nowait(TargetLeaves())
            return True
    return False


def transfer_to(session: Session, operator: str) -> Call | None:
    """The call whose transfer rings at, or talks with, this operator as its target."""
    for one in session.calls.values():
        target = one.transfer.target if one.transfer is not None else None
        if target is not None and target.kind == "operator" and target.number == operator:
            return one
    return None
