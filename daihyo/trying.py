"""`daihyo try`: citizens who call, wait, speak and hang up, and operators for those who are not there.

The citizens are SIP telephones on the trunk; they speak synthesised Japanese. Nothing is faked: greeting,
queue, recording and figures are the centre's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import select

import ivr
from asterisk_conf import Secrets
from cdr.queries import digits
from daihyo import rtp
from daihyo.live import Live
from daihyo.plans import live_site
from daihyo.settings import Runtime, StateDir, UserError
from daihyo.softphone import CallFailed, SoftCall, Softphone
from store import CallRow, Recording, Store

CITIZENS_SAY = (
    "もしもし。粗大ごみの出し方を教えていただけますか。",
    "すみません、住民票の写しは、郵送でも取れるでしょうか。",
    "保育園の申し込みについて、うかがいたいのですが。",
    "引っ越してきました。マイナンバーカードの手続きは、どこですればよいですか。",
    "市民税の納付書を、なくしてしまったのですが。",
)
OPERATORS_SAY = (
    "お電話ありがとうございます。みなと市コールセンターでございます。",
    "かしこまりました。お調べいたしますので、少々お待ちください。",
)
PATIENCE_S = 180.0
IMPATIENT_EVERY, IMPATIENT_S = 10, 12.0  # every tenth citizen gives up after so long without an operator
RECORDED_WITHIN_S = 30.0


@dataclass(frozen=True)
class Plan:
    """`operators`: how many desk phones to play (None: those of all operators who are off). `talk_s`: how
    long citizens talk, about."""

    calls: int = 20
    at_once: int = 6
    operators: int | None = None
    talk_s: float = 8.0
    number: str | None = None


@dataclass
class Summary:
    """What became of the calls. Times in seconds from dialling to the operator's voice."""

    calls: int = 0
    answered: int = 0
    given_up: int = 0
    failed: int = 0
    recorded: int = 0
    operators_played: int = 0
    waits: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {
            "calls": self.calls,
            "answered": self.answered,
            "given_up": self.given_up,
            "failed": self.failed,
            "recorded": self.recorded,
            "operators_played": self.operators_played,
            "wait_mean_s": round(sum(self.waits) / len(self.waits), 2) if self.waits else None,
            "wait_max_s": round(max(self.waits), 2) if self.waits else None,
            "problems": sorted(set(self.problems)),
        }

    def text(self) -> str:
        waits = f"{sum(self.waits) / len(self.waits):.1f} / {max(self.waits):.1f} s" if self.waits else "–"
        lines = [
            f"着信 / calls                   {self.calls}",
            f"応答 / answered                {self.answered}",
            f"待ちきれず / given up          {self.given_up}",
            f"不通 / failed                  {self.failed}",
            f"録音 / recorded                {self.recorded}",
            f"着信から応答 / ring to answer  {waits} (平均・最長、案内を含む / mean, longest, with greeting)",
            *(f"! {line}" for line in sorted(set(self.problems))),
        ]
        return "\n".join(lines)


async def run(state: StateDir, plan: Plan, quiet: bool = False) -> Summary:
    """Plays the plan against the running centre. Raises UserError when it is not up or the number is
    unknown."""
    runtime = Runtime.load(state)
    site = live_site(state)
    # Citizens press no keys: unless told otherwise they call where somebody answers at any hour.
    straight = [one.digits for one in site.numbers if one.queue and not one.hours and not one.staff]
    numbers = [one.digits for one in site.numbers]
    if plan.number is not None:
        if digits(plan.number) not in numbers:
            known = " ".join(one.number for one in site.numbers)
            raise UserError(
                f"--number {plan.number}: この番号はありません / no such number; there are: {known}"
            )
        straight = [digits(plan.number)]
    console = Console(stderr=True, quiet=quiet)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[now]}"),
    )
    async with Live(state.control_socket) as live:
        with Progress(*columns, console=console) as progress:
            bar = progress.add_task("市民の電話 / citizens", total=plan.calls, now="音声を作成中 / speaking")
            citizens, operators = await asyncio.to_thread(_speeches)
            theatre = Theatre(state, runtime, live, plan, straight or numbers, citizens, operators)

            def show() -> None:
                progress.update(bar, completed=theatre.over, now=theatre.now())

            return await theatre.play(show)


def _speeches() -> tuple[list[list[bytes]], list[list[bytes]]]:
    """What is said, as µ-law packets; each citizen in a slightly different voice."""
    citizens = [_speech(text, half_tone=index - 2.0) for index, text in enumerate(CITIZENS_SAY)]
    return citizens, [_speech(text) for text in OPERATORS_SAY]


def _speech(text: str, half_tone: float = 0.0) -> list[bytes]:
    samples, _ = ivr.speak(text, rate=rtp.RATE, half_tone=half_tone)
    pcm = (np.clip(samples, -1, 1) * 32767).astype(np.int16)
    pause = [rtp.SILENCE] * 60
    return rtp.frames(rtp.encode(pcm)) + pause


class Theatre:
    """All who play in one `daihyo try`."""

    def __init__(
        self,
        state: StateDir,
        runtime: Runtime,
        live: Live,
        plan: Plan,
        numbers: list[str],
        citizens: list[list[bytes]],
        operators: list[list[bytes]],
    ) -> None:
        self._state, self._runtime = state, runtime
        self._live, self._plan, self._numbers = live, plan, numbers
        self._citizens, self._operators = citizens, operators
        self._server = (runtime.reachable_host, runtime.sip_port)
        self._callers: set[str] = set()
        self._call_ids: set[str] = set()
        self._summary = Summary()
        self._conversations: set[asyncio.Task[None]] = set()
        self.over = 0

    def now(self) -> str:
        """The centre at this moment, in a few words."""
        phases = [call["phase"] for call in self._live.calls.values() if call.get("caller") in self._callers]
        waiting = sum(phase in ("waiting", "ringing", "greeting") for phase in phases)
        return f"待ち / waiting {waiting}  通話 / talking {phases.count('talking')}"

    async def play(self, show: Callable[[], None]) -> Summary:
        async with contextlib.AsyncExitStack() as stage:
            self._summary.operators_played = await self._operators_on(stage)
            if not any(one["state"] not in ("off",) for one in self._live.operators.values()):
                raise UserError(
                    "受付可の操作者がいません / no operator is there to answer; play some: --operators 4"
                )
            limit = asyncio.Semaphore(self._plan.at_once)

            async def one(index: int) -> None:
                async with limit:
                    await self._citizen(index)
                self.over += 1

            async def watch() -> None:
                while True:
                    show()
                    await asyncio.sleep(0.25)

            watching = asyncio.create_task(watch())
            try:
                await asyncio.gather(*(one(index) for index in range(self._plan.calls)))
                show()
                await self._recorded()
            finally:
                watching.cancel()
        show()
        return self._summary

    # ── operators ────────────────────────────────────────────────────────────────────────────────────────

    async def _operators_on(self, stage: contextlib.AsyncExitStack) -> int:
        """Registers the phones of operators who are not there and makes them ready; how many."""
        keys = Secrets.read(self._state.secrets)
        free = [
            one["id"]
            for one in self._live.operators.values()
            if one["state"] == "off" and one["queues"] and not any(one["phones"].values())
        ]
        wanted = len(free) if self._plan.operators is None else self._plan.operators
        if wanted > len(free):
            raise UserError(f"--operators {wanted}: only {len(free)} operators are off and without a phone")
        for operator in sorted(free)[:wanted]:
            phone = await Softphone.open(
                self._server, operator, keys.sip[operator], host=self._runtime.reachable_host
            )
            stage.callback(phone.close)
            phone.on_call = self._ring
            try:
                await phone.register()
            except CallFailed as error:
                raise UserError(f"{operator}: 電話機を登録できません / cannot register: {error}") from None
            stage.push_async_callback(self._sign_off, phone)
            await self._registered(operator)
            await self._live.do("operator.state", operator=operator, state="ready", by="try")
        return wanted

    async def _registered(self, operator: str) -> None:
        try:
            async with asyncio.timeout(10):
                await self._live.until(lambda: bool(self._live.operators[operator]["phones"]["desk"]))
        except TimeoutError:
            raise UserError(f"{operator}: the phone registered, but the engine does not see it") from None

    async def _sign_off(self, phone: Softphone) -> None:
        with contextlib.suppress(UserError):
            await self._live.do("operator.state", operator=phone.user, state="off", by="try")
        with contextlib.suppress(CallFailed):
            await phone.register(0)

    def _ring(self, call: SoftCall) -> None:
        task = asyncio.create_task(self._operate(call))
        self._conversations.add(task)
        task.add_done_callback(self._conversations.discard)

    async def _operate(self, call: SoftCall) -> None:
        """An operator takes a call, talks until the citizen hangs up, and does the wrap-up."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(random.uniform(0.8, 2.5)):
                await call.ended()
        call.answer()
        call.media.say(random.choice(self._operators))
        await call.ended()
        operator = call.phone.user
        with contextlib.suppress(UserError, TimeoutError):
            async with asyncio.timeout(10):
                await self._live.until(lambda: self._live.operators[operator]["state"] == "wrap_up")
            await asyncio.sleep(random.uniform(1, 3))
            await self._live.do("operator.wrapped_up", operator=operator, result="resolved", by="operator")

    # ── citizens ─────────────────────────────────────────────────────────────────────────────────────────

    def _caller(self) -> str:
        while True:
            number = (
                f"090{random.randrange(10**8):08d}"
                if random.random() < 0.7
                else f"024622{random.randrange(10**4):04d}"
            )
            if number not in self._callers and number not in self._numbers:
                self._callers.add(number)
                return number

    def _phase(self, caller: str) -> str | None:
        call = next((one for one in self._live.calls.values() if one.get("caller") == caller), None)
        if call is None:
            return None
        self._call_ids.add(call["id"])
        return str(call["phase"])

    async def _citizen(self, index: int) -> None:
        caller = self._caller()
        await asyncio.sleep(random.uniform(0, 1.5))
        patience = IMPATIENT_S if index % IMPATIENT_EVERY == IMPATIENT_EVERY - 1 else PATIENCE_S
        began = time.monotonic()
        self._summary.calls += 1
        async with await Softphone.open(self._server, caller, host=self._runtime.reachable_host) as phone:
            call = await phone.call(self._numbers[index % len(self._numbers)], caller)
            try:
                await call.answered(30)
            except (CallFailed, TimeoutError) as error:
                self._summary.failed += 1
                self._summary.problems.append(str(error) or "the call was not answered within 30 s")
                call.hang_up()
                return
            talking = asyncio.create_task(self._live.until(lambda: self._phase(caller) == "talking"))
            ended = asyncio.create_task(call.ended())
            left = max(0.1, patience - (time.monotonic() - began))
            await asyncio.wait({talking, ended}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if talking.done() and not ended.done():
                self._summary.answered += 1
                self._summary.waits.append(time.monotonic() - began)
                call.media.say(random.choice(self._citizens))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._plan.talk_s * random.uniform(0.7, 1.3)):
                        await call.ended()
            elif ended.done():
                self._summary.failed += 1
                self._summary.problems.append("the centre hung up before an operator answered")
            else:
                self._summary.given_up += 1
            talking.cancel()
            ended.cancel()
            call.hang_up()
            await asyncio.sleep(0.3)  # the BYE's answer

    async def _recorded(self) -> None:
        """Counts the finished recordings; the worker needs a moment for the last ones."""
        store = await Store.open(self._runtime.database(self._state))
        deadline = time.monotonic() + RECORDED_WITHIN_S
        try:
            while True:
                async with store.reading() as session:
                    rows = await session.execute(
                        select(CallRow.call)
                        .join(Recording, Recording.call == CallRow.call)
                        .where(Recording.state == "ready", CallRow.call.in_(self._call_ids))
                    )
                    self._summary.recorded = len(rows.all())
                if self._summary.recorded >= self._summary.answered or time.monotonic() > deadline:
                    return
                await asyncio.sleep(0.5)
        finally:
            await store.close()
