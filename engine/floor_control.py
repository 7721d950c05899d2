"""Commands about who waits where, about callbacks and wrap-ups (docs/interfaces.md)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from pydantic import Field

from acd import DistributorError

from .commands import Command, CommandError, Json

if TYPE_CHECKING:
    from .centre import Centre
    from .session import Session

SHORTEST_S, LONGEST_S = 10, 3600


class Move(Command):
    call: str
    queue: str
    by: str = Field(min_length=1, max_length=100)


class WrapUp(Command):
    operator: str
    seconds: int = Field(ge=SHORTEST_S, le=LONGEST_S)
    by: str = ""


class Drop(Command):
    callback: str
    by: str = Field(min_length=1, max_length=100)
    reason: str = Field("", max_length=200)


class FloorControl:
    """Carries them out; `commands` by name."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self.commands: dict[str, tuple[type[Command], Callable[[Any], Awaitable[object]]]] = {
            "call.move": (Move, self._move),
            "operator.wrap_up": (WrapUp, self._wrap_up),
            "callback.drop": (Drop, self._drop),
        }

    def _session(self) -> Session:
        if self.centre.session is None:
            raise CommandError(
                "switch_away", "交換機に再接続しています。", "the switch is away, reconnecting"
            )
        return self.centre.session

    async def _move(self, command: Move) -> Json:
        """The place in line counts on from the first entry; the queue's own limits begin anew."""
        session, centre = self._session(), self.centre
        call = session.calls.get(command.call)
        if call is None:
            raise CommandError("unknown_call", "その通話は終わっています。", "that call is over")
        plans = (centre.site, call.site)
        if not all(any(one.id == command.queue for one in plan.queues) for plan in plans):
            raise CommandError(
                "unknown_queue",
                f"待ち行列 {command.queue} は、この通話では使えません。",
                f"there is no queue {command.queue} for this call",
            )
        before = call.queue
        try:
            if not call.waits() or before == command.queue:
                raise DistributorError("it waits there already, or not at all")
            session.floor.move(call.id, command.queue)
        except DistributorError:
            raise CommandError(
                "not_waiting",
                "この通話は待っていないので、移せません。",
                "that call does not wait, or waits there already",
            ) from None
        data: Json = {"queue": command.queue, "from": before, "by": command.by}
        centre.note("moved", call.id, **data)
        call.queue, call.moved_from = command.queue, before
        call.entered_mono = centre.clock.mono()
        call.walk.resume(f"queue:{command.queue}", told_recording=True)
        call.moved.set()
        centre.live.call(call.id)
        return {"call": call.id, "queue": command.queue, "position": session.floor.position(call.id)}

    async def _wrap_up(self, command: WrapUp) -> Json:
        centre = self.centre
        if not any(one.id == command.operator for one in centre.site.operators):
            raise CommandError(
                "unknown_operator",
                f"操作者 {command.operator} はいません。",
                f"there is no operator {command.operator}",
            )
        try:
            self._session().floor.extend_wrap_up(command.operator, command.seconds)
        except DistributorError:
            raise CommandError(
                "no_wrap_up", "後処理中ではありません。", "that operator is in no wrap-up"
            ) from None
        return centre.live.operator_state(command.operator)

    async def _drop(self, command: Drop) -> Json:
        """A callback that nobody needs any more. One that is being called is ended at the telephone."""
        callbacks = self._session().callbacks
        kept = callbacks.kept.get(command.callback)
        if kept is None:
            raise CommandError(
                "unknown_callback", "その折り返しは、もうありません。", "that callback is over"
            )
        if kept.under_way:
            raise CommandError(
                "callback_under_way", "いま、かけています。", "that citizen is being called just now"
            )
        callbacks.end(kept, "dropped", command.by, command.reason)
        return {}
