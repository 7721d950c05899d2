"""Commands about the plan: another version goes live, hours and notices are switched (docs/interfaces.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from pydantic import AwareDatetime, Field

import ivr
from dialplans import Notice, Number, SiteError
from switch import SwitchError

from .call import digits
from .clock import iso
from .commands import Command, CommandError, Json
from .versions import Plan, read

if TYPE_CHECKING:
    from .centre import Centre

LONGEST = timedelta(days=31)  # a switch that stays longer belongs into the plan
SHOWN = 5  # problems and missing sounds that are named


class Activate(Command):
    version: int = Field(ge=1)
    by: str = Field(min_length=1, max_length=100)
    comment: str = ""
    modules: tuple[str, ...] = ()


class OpeningSet(Command):
    numbers: tuple[str, ...] = ()
    mode: Literal["open", "closed", "extended"]
    until: AwareDatetime
    reason: str = Field(min_length=1, max_length=200)
    by: str = Field(min_length=1, max_length=100)


class OpeningClear(Command):
    numbers: tuple[str, ...] = ()
    by: str = Field(min_length=1, max_length=100)


class NoticeCommand(Command):
    notice: str
    by: str = Field(min_length=1, max_length=100)


class PlanTime(Command):
    at: AwareDatetime | None = None


class PlanControl:
    """Carries them out; `commands` by name."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self._one_at_a_time = asyncio.Lock()
        self.commands: dict[str, tuple[type[Command], Callable[[Any], Awaitable[object]]]] = {
            "plan.activate": (Activate, self._activate),
            "opening.set": (OpeningSet, self._opening_set),
            "opening.clear": (OpeningClear, self._opening_clear),
            "notice.set": (NoticeCommand, self._notice_set),
            "notice.clear": (NoticeCommand, self._notice_clear),
            "plan.time": (PlanTime, self._time),
        }

    async def _activate(self, command: Activate) -> Json:
        async with self._one_at_a_time:
            plan = await self._read(command.version)
            await self._sounds_are_there(plan)
            centre = self.centre
            try:
                await centre.activate(plan, command.modules, by=command.by, comment=command.comment)
            except (SwitchError, OSError) as problem:
                raise CommandError(
                    "not_activated",
                    f"切り替えられませんでした。もう一度お試しください: {problem}",
                    f"the plan stays as it was: {problem}; try again",
                ) from None
            calls = centre.session.calls.values() if centre.session is not None else ()
            return {"version": plan.version, "calls": sum(call.plan is not plan for call in calls)}

    async def _read(self, version: int) -> Plan:
        folder = self.centre.settings.plans
        if folder is None:
            raise CommandError(
                "plan_broken", "計画のフォルダーがありません。", "this engine has no folder of plans"
            )
        try:
            return await read(folder, version)
        except SiteError as error:
            said = "; ".join(str(problem) for problem in error.problems[:SHOWN])
            raise CommandError(
                "plan_broken", f"計画 {version} に誤りがあります: {said}", f"plan {version} is wrong: {said}"
            ) from None
        except OSError as error:
            raise CommandError(
                "plan_broken",
                f"計画 {version} を読めません: {error}",
                f"plan {version} cannot be read: {error}",
            ) from None

    async def _sounds_are_there(self, plan: Plan) -> None:
        """A call never waits for speech to be made."""
        folder = self.centre.settings.sounds
        if folder is None:
            return
        missing = await asyncio.to_thread(lambda: ivr.missing(plan.site.prompts(), folder))
        if missing:
            named = "、".join(f"「{prompt.text[:30]}」" for prompt in missing[:SHOWN])
            raise CommandError(
                "sounds_missing",
                f"{len(missing)}件の音声がまだありません: {named}",
                f"{len(missing)} announcements have no sound yet: {named}",
            )

    def _numbers(self, wanted: Sequence[str]) -> list[Number]:
        known = {number.digits: number for number in self.centre.site.numbers}
        if unknown := [one for one in wanted if digits(one) not in known]:
            raise CommandError(
                "unknown_number", f"番号 {unknown[0]} はありません。", f"there is no number {unknown[0]}"
            )
        return [known[digits(one)] for one in wanted] or list(known.values())

    async def _opening_set(self, command: OpeningSet) -> Json:
        numbers, openings = self._numbers(command.numbers), self.centre.openings
        left = command.until - openings.now()
        if not timedelta() < left <= LONGEST:
            raise CommandError(
                "bad_until",
                f"終わりの時刻は、今から{LONGEST.days}日以内にしてください。",
                f"the end must lie within {LONGEST.days} days from now",
            )
        openings.switch(numbers, command.mode, command.until, command.reason, command.by)
        return {"numbers": [one.digits for one in numbers], "until": iso(command.until)}

    async def _opening_clear(self, command: OpeningClear) -> Json:
        return {"cleared": self.centre.openings.clear(self._numbers(command.numbers), command.by)}

    def _notice(self, notice: str) -> Notice:
        for one in self.centre.site.notices:
            if one.id == notice:
                return one
        raise CommandError(
            "unknown_notice", f"お知らせ {notice} はありません。", f"there is no notice {notice}"
        )

    async def _notice_set(self, command: NoticeCommand) -> Json:
        notice = self._notice(command.notice)
        state = self.centre.openings.notice(notice.id, command.by, two_people=notice.two_people)
        if state == "same":
            raise CommandError(
                "second_person", "もうひとりの方の確認が必要です。", "a second person has to confirm it"
            )
        return {"notice": notice.id, "state": state}

    async def _notice_clear(self, command: NoticeCommand) -> Json:
        # One that has left the plan can be switched off all the same.
        if not self.centre.openings.clear_notice(command.notice, command.by):
            self._notice(command.notice)
        return {"notice": command.notice, "state": "off"}

    async def _time(self, command: PlanTime) -> Json:
        if self.centre.settings.practice_time is None:
            raise CommandError(
                "no_practice",
                "練習用の時刻は、--practice-time で起動したときだけ使えます。",
                "only a centre started with --practice-time has a clock of its own",
            )
        self.centre.openings.set_clock(command.at)
        self.centre.openings.changed()
        return {"at": iso(self.centre.openings.now())}
