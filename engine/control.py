"""The engine's control socket: commands down, state and events up (docs/interfaces.md)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import orjson
from aiohttp import WSMsgType, web
from pydantic import Field, ValidationError

from acd import OperatorState

from .call import Call, HangUp, Hold, Phase, Resume, Word
from .commands import Command, CommandError, Json
from .floor_control import FloorControl
from .outbound_control import OutboundControl
from .plan_control import PlanControl
from .seat_control import SeatControl
from .supervision_control import SupervisionControl
from .transfer_control import TransferControl, leaves

if TYPE_CHECKING:
    from .centre import Centre

log = logging.getLogger("daihyo.engine.control")

BACKLOG = 2000  # messages a slow listener may be behind before it is cut off (it connects again and gets all)


class StateCommand(Command):
    operator: str
    state: Literal["ready", "break", "training", "off"]
    reason: str = Field("", max_length=100)
    by: str = ""


class WrappedUp(Command):
    operator: str
    result: str | None = None
    category: str | None = None
    note: str | None = None
    faq: list[str] | None = None
    follow_up: str | None = None
    call: str | None = None
    by: str = "operator"
    next: Literal["ready", "break", "training", "off"] = "ready"
    reason: str = ""


class OperatorCommand(Command):
    operator: str


class CallCommand(Command):
    call: str
    operator: str | None = None


class SeatOpened(Command):
    operator: str
    instance: str
    phone: Literal["browser", "desk"] = "browser"
    in_call: bool = False


class SeatClosed(Command):
    operator: str
    instance: str


class Hello(Command):
    program: str = ""


class Control:
    """Carries commands out. Everything the console may do to a call stands here."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self.commands: dict[str, tuple[type[Command], Callable[[Any], Awaitable[object]]]] = {
            "hello": (Hello, self._hello),
            "live": (Command, self._live),
            "operator.state": (StateCommand, self._state),
            "operator.wrapped_up": (WrappedUp, self._wrapped_up),
            "operator.refuse": (OperatorCommand, self._refuse),
            "call.hold": (CallCommand, self._hold),
            "call.resume": (CallCommand, self._resume),
            "call.hangup": (CallCommand, self._hangup),
            "seat.opened": (SeatOpened, self._seat_opened),
            "seat.closed": (SeatClosed, self._seat_closed),
            **FloorControl(centre).commands,
            **PlanControl(centre).commands,
            **TransferControl(centre).commands,
            **SeatControl(centre).commands,
            **SupervisionControl(centre).commands,
            **OutboundControl(centre).commands,
            **centre.helps.commands,
        }

    async def answer(self, text: str | bytes) -> Json:
        """One command's answer; never raises for what came in from outside."""
        number: object = None
        try:
            message = orjson.loads(text)
            if not isinstance(message, dict):
                raise CommandError("bad_message", "JSONオブジェクトではありません。", "not a JSON object")
            number = message.pop("id", None)
            known = self.commands.get(str(message.pop("do", "")))
            if known is None:
                raise CommandError(
                    "unknown_command", "知らない命令です。", "unknown command; see docs/interfaces.md"
                )
            model, work = known
            return {"id": number, "ok": True, "result": await work(model.model_validate(message))}
        except orjson.JSONDecodeError as problem:
            error = CommandError("bad_json", "JSONとして読めません。", f"not JSON: {problem}")
        except ValidationError as problem:
            fields = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in problem.errors())
            error = CommandError("bad_field", f"項目が正しくありません: {fields}", f"bad field: {fields}")
        except CommandError as problem:
            error = problem
        except Exception:
            log.exception("a command failed")
            error = CommandError("fault", "内部エラーが起きました。", "a fault of the engine; see its log")
        return {
            "id": number,
            "ok": False,
            "error": {"code": error.code, "message": error.message, "message_en": error.message_en},
        }

    def _known(self, operator: str) -> str:
        if not any(one.id == operator for one in self.centre.site.operators):
            raise CommandError(
                "unknown_operator", f"操作者 {operator} はいません。", f"there is no operator {operator}"
            )
        return operator

    def _talk(self, command: CallCommand, *also: Phase) -> Call:
        session = self.centre.session
        if session is None:
            raise CommandError(
                "switch_away", "交換機に再接続しています。", "the switch is away, reconnecting"
            )
        call = session.calls.get(command.call)
        if call is None:
            raise CommandError("unknown_call", "その通話は終わっています。", "that call is over")
        if command.operator is not None and call.operator != command.operator:
            raise CommandError(
                "not_your_call", "この通話の担当ではありません。", "that operator is not in this call"
            )
        if call.phase not in (Phase.TALKING, Phase.HOLD, *also):
            raise CommandError("not_talking", "通話中ではありません。", "nobody talks in that call")
        return call

    async def _hello(self, _: Hello) -> Json:
        return {"version": "0.1.0", "pid": os.getpid(), "site": self.centre.site.id}

    async def _live(self, _: Command) -> Json:
        return self.centre.live.state()

    async def _state(self, command: StateCommand) -> Json:
        self.centre.wants(
            self._known(command.operator), OperatorState(command.state), command.reason, command.by
        )
        return self._operator(command.operator)

    async def _wrapped_up(self, command: WrappedUp) -> Json:
        operator = self._known(command.operator)
        session = self.centre.session
        if session is None:
            raise CommandError(
                "switch_away", "交換機に再接続しています。", "the switch is away, reconnecting"
            )
        last = self.centre.memory.operator(operator).last_call
        call = command.call or last
        if call is None:
            raise CommandError("no_wrap_up", "後処理中の通話がありません。", "no call is in wrap-up")
        words = command.model_dump(include={"by", "result", "category", "note"})
        # Left out where nothing was said: most wrap-ups have neither.
        words |= {name: said for name in ("faq", "follow_up") if (said := getattr(command, name))}
        wrapping = session.floor.view(operator).state is OperatorState.WRAP_UP and call == last
        if wrapping:
            self.centre.wrap_up_words[operator] = words  # noted when the wrap-up ends, which is now
        else:
            # The form came after that wrap-up's time was over: what it says is kept, a later wrap-up goes on.
            self.centre.note("wrapped_up", call, at=None, operator=operator, **words)
        if wrapping:
            wished = session.floor.view(operator).next_state
            if command.next != "ready" and (wished is None or wished.value != command.next or command.reason):
                session.floor.wants(operator, OperatorState(command.next), command.reason)
            session.floor.wrapped_up(operator)
        return self._operator(operator)

    async def _refuse(self, command: OperatorCommand) -> Json:
        session = self.centre.session
        operator = self._known(command.operator)
        if session is None or not (
            session.floor.refuse(operator) or leaves(session, operator) or session.outbounds.cancel(operator)
        ):
            raise CommandError("not_ringing", "着信していません。", "nothing rings there")
        return {}

    def _say(self, command: CallCommand, word: Word) -> Json:
        call = self._talk(command)
        if call.transfer is not None:
            raise CommandError(
                "transfer_under_way", "転送の操作中です。", "a transfer of that call is under way"
            )
        call.inbox.put_nowait(word)
        return {}

    async def _hold(self, command: CallCommand) -> Json:
        return self._say(command, Hold())

    async def _resume(self, command: CallCommand) -> Json:
        return self._say(command, Resume())

    async def _hangup(self, command: CallCommand) -> Json:
        session = self.centre.session
        if session is not None and command.operator and leaves(session, command.operator, command.call):
            return {}  # the target of a transfer goes; the call goes on
        if (
            session is not None
            and command.operator
            and session.outbounds.cancel(command.operator, command.call)
        ):
            return {}
        call = self._talk(command, Phase.CALLING, Phase.CONSULTING, Phase.TRANSFERRING)
        call.inbox.put_nowait(HangUp())
        return {}

    async def _seat_opened(self, command: SeatOpened) -> Json:
        self.centre.seats.opened(
            self._known(command.operator), command.instance, command.phone, command.in_call
        )
        return self._operator(command.operator)

    async def _seat_closed(self, command: SeatClosed) -> Json:
        self.centre.seats.closed(self._known(command.operator), command.instance)
        return {}

    def _operator(self, operator: str) -> Json:
        return self.centre.live.operator_state(operator)

    # -- the socket ---

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=10, max_msg_size=256 * 1024)
        await socket.prepare(request)
        outbox: asyncio.Queue[Json] = asyncio.Queue(BACKLOG)
        writer = asyncio.create_task(self._write(socket, outbox))

        def changed(message: Json) -> None:
            try:
                outbox.put_nowait(message)
            except asyncio.QueueFull:
                writer.cancel()

        outbox.put_nowait({"event": "live", "live": self.centre.live.state()})
        self.centre.live.listeners.add(changed)
        writer.add_done_callback(lambda _: asyncio.ensure_future(socket.close()))
        try:
            async for message in socket:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    changed(await self.answer(message.data))
        finally:
            self.centre.live.listeners.discard(changed)
            writer.cancel()
        return socket

    async def _write(self, socket: web.WebSocketResponse, outbox: asyncio.Queue[Json]) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                await socket.send_str(orjson.dumps(await outbox.get()).decode())

    @contextlib.asynccontextmanager
    async def serving(self, path: Path) -> AsyncIterator[None]:
        """Serves on a unix socket that only our own user may open."""
        app = web.Application()
        app.router.add_get("/", self._socket)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        _make_way(path)
        before = os.umask(0o177)
        try:
            await web.UnixSite(runner, path).start()
        finally:
            os.umask(before)
        try:
            yield
        finally:
            await runner.cleanup()
            _make_way(path)


def _make_way(path: Path) -> None:
    """Takes away the socket of an engine that was killed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
