"""A small plan with one of everything, and a citizen who tells by the sound what was said."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from dialplans import Site, load_site
from tests.live.asterisk_conf.tone_phone import TonePhone
from tests.support.centre import Centre, centre
from tests.support.heard import Samples, sounds, which_prompts
from tests.support.keypads import Keypad, Line, dialled
from tests.support.phones import Phones
from tests.support.site import site, write_site

TUESDAY_NOON, TUESDAY_NIGHT = "2026-11-24 12:00", "2026-11-24 22:00"
CITY, GUARDED, EVENTS, LIMITED, LONELY = (f"024622{end}" for end in ("1111", "1200", "1300", "1400", "1500"))
RING_S = 30  # outside: long enough for whatever a test does meanwhile
LOOK_S = 0.2  # how often an ear looks at what was heard


def plan(outside: int, **changes: Any) -> dict[str, Any]:
    """The plan; calls outside go to that port. `changes` replace parts of the site."""
    made = site(operators=2)

    def number(digits: str, name: str, **more: Any) -> dict[str, Any]:
        return {
            "number": digits,
            "name": name,
            "greeting": f"{name}です。",
            "recording_notice": "録音します。",
        } | more

    made["numbers"] = [
        number(
            CITY,
            "市代表",
            start="top",
            greeting={"ja": "市代表です。", "en": "This is the city."},
            aliases=["0120-00-1111"],
            diverted=[{"number": "0246-22-3333", "name": "税務課"}],
        ),
        number(GUARDED, "夜間案内", queue="main", hours="office", closed="forward:guard"),
        number(EVENTS, "催し案内", start="board", withheld="show-number"),
        number(LIMITED, "混雑案内", queue="limited"),
        number(LONELY, "担当課", queue="lonely"),
    ]
    made["hours"] = [
        {"id": "office", "name": "開庁時間", "week": {"mon-fri": ["8:30-17:15"], "sat": [], "sun": []}}
    ]
    made["steps"] = [
        {
            "id": "top",
            "kind": "menu",
            "say": {"ja": "窓口は1、英語は2、守衛は3、案内は4です。", "en": "Press one for a person."},
            "keys": {
                "1": {"go": "queue:main", "label": "窓口"},
                "2": {"go": "queue:main", "label": "English", "language": "en"},
                "3": {"go": "forward:guard", "label": "守衛"},
                "4": {"go": "inner", "label": "案内"},
                "9": {"go": "repeat", "label": "もう一度"},
            },
            "timeout_s": 4,
            "tries": 3,
            "otherwise": "operator",
        },
        {
            "id": "inner",
            "kind": "menu",
            "say": "場所は1、戻るは0です。",
            "keys": {"1": {"go": "place", "label": "場所"}, "0": {"go": "back", "label": "戻る"}},
            "timeout_s": 5,
            "otherwise": "operator",
        },
        {"id": "place", "kind": "say", "say": "市役所は、みなと町1番地です。"},
        {"id": "operator", "kind": "say", "say": "係の者におつなぎします。", "next": "queue:main"},
        {"id": "board", "kind": "events", "before": "催しのご案内です。", "next": "hangup"},
        {"id": "show-number", "kind": "say", "say": "番号を通知しておかけ直しください。"},
        {"id": "nobody-there", "kind": "say", "say": "守衛が出ません。朝までお待ちください。"},
        {"id": "full", "kind": "say", "say": "ただいま満員です。のちほどおかけください。"},
        {"id": "absent", "kind": "say", "say": "担当者は席を外しております。"},
    ]
    made["queues"] = [
        made["queues"][0]
        | {"waiting_announcement": {"ja": "お待ちください。", "en": "Please hold the line."}},
        {
            "id": "limited",
            "name": "混雑",
            "most_waiting": 1,
            "longest_wait_s": 20,
            "overflow": "full",
            "say_position": True,
            "waiting": [
                {"after_s": 0, "say": "順におつなぎします。"},
                {"after_s": 3, "say": "たいへん混み合っております。", "congested": True, "events": "main"},
            ],
        },
        {"id": "lonely", "name": "担当課", "nobody": "absent"},
    ]
    made["operators"][0]["queues"] = ["main", "limited"]
    made["operators"][1]["queues"] = ["main", "lonely"]
    made["forwards"] = [
        {
            "id": "guard",
            "name": "守衛室",
            "number": "0246-22-9999",
            "trunk": "narrow",
            "ring_s": RING_S,
            "say": "守衛室におつなぎします。",
            "unanswered": "nobody-there",
        }
    ]
    made["trunks"].append(
        {
            "id": "narrow",
            "addresses": ["192.0.2.1"],
            "max_channels": 1,
            "outbound": {"host": "127.0.0.1", "port": outside, "prefix": "0"},
        }
    )
    made["events"] = [{"id": "fair", "name": "みなと祭り", "state": "cancelled", "date": "2026-11-28"}]
    made["notices"] = [
        {"id": "flood", "name": "大雨", "say": "大雨の警報が出ています。"},
        {"id": "quake", "name": "地震", "say": "地震がありました。", "two_people": True},
    ]
    return made | changes


def put_version(state: Path, version: int, content: dict[str, Any]) -> Path:
    """Puts a version of the plan where the engine reads it, as the worker does. Its YAML file."""
    folder = state / "plans"
    folder.mkdir(exist_ok=True)
    path = write_site(folder / f"{version}.yaml", content)
    path.with_suffix(".json").write_text(load_site(path).model_dump_json())
    return path


class Planned:
    """A centre on that plan. `outside`: the telephone to which forwards lead."""

    def __init__(self, running: Centre, made: Site, outside: TonePhone) -> None:
        self.running, self.site, self.outside = running, made, outside
        self.prompts = {one.text: one for one in made.prompts()}
        self.sounds = sounds(running.state.sounds, made.prompts())
        self._callers = 0

    def sound(self, text: str) -> Samples:
        return self.sounds[self.prompts[text].key]

    @contextlib.asynccontextmanager
    async def dial(
        self, sip: Phones, number: str, keypad: Keypad = Keypad.EVENTS, caller: str | None = None
    ) -> AsyncIterator[Citizen]:
        self._callers += 1
        caller = caller or f"0909000{self._callers:04}"
        async with dialled(sip, self.running.sip, number, keypad, caller) as line:
            yield Citizen(self, line, caller)

    @contextlib.asynccontextmanager
    async def raw(self, number: str, caller: str = "0311112222", **headers: str) -> AsyncIterator[TonePhone]:
        """A call with more headers in its INVITE (`_` for `-` in their names)."""
        phone = await TonePhone.open(int(self.running.sip.rsplit(":", 1)[1]), caller)
        assert isinstance(phone, TonePhone)
        phone.extra = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            await phone.call(number)
            yield phone
        finally:
            if phone.in_call:
                phone.bye()
            phone.close()

    async def event(self, kind: str, within_s: float = 30.0, **data: Any) -> dict[str, Any]:
        """The data of the first event of this kind with these values."""
        found = await self.running.event(
            kind, within_s, lambda event: all(event.data.get(name) == value for name, value in data.items())
        )
        return dict(found.data)

    def steps(self, caller: str) -> list[str]:
        """Steps and keys of a caller's way, in order."""
        events = self.running.events()
        [call] = [
            event.call for event in events if event.kind == "arrived" and event.data["caller"] == caller
        ]
        told = []
        for event in events:
            if event.call == call and event.kind == "step":
                told.append(str(event.data["step"]))
            elif event.call == call and event.kind == "key":
                told.append(f"{event.data['key']}={event.data['does']}")
        return told


class Citizen:
    """Somebody on the telephone, who hears."""

    def __init__(self, at: Planned, line: Line, caller: str) -> None:
        self.at, self.line, self.caller = at, line, caller

    def told(self) -> list[str]:
        """The texts of all announcements until now, in order, by the sound alone."""
        heard = which_prompts(self.line.samples(), self.at.sounds)
        texts = {prompt.key: text for text, prompt in self.at.prompts.items()}
        return [texts[one.name] for one in heard]

    async def hears(self, text: str, *, times: int = 1, whole: bool = True, within_s: float = 30.0) -> None:
        """Until this was said so many times (or, not `whole`, its beginning)."""
        only = {text: self.at.sound(text)}

        def enough() -> bool:
            return sum(one.whole or not whole for one in which_prompts(self.line.samples(), only)) >= times

        await self.until(enough, within_s, f"“{text}”")

    async def until(self, true: Callable[[], bool], within_s: float, what: str) -> None:
        try:
            async with asyncio.timeout(within_s):
                while not true():
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            raise AssertionError(
                f"{self.caller} did not hear {what} within {within_s} s, but {self.told()}"
            ) from None

    async def press(self, keys: str) -> None:
        await self.line.press(keys)

    async def is_hung_up(self, within_s: float = 30.0) -> None:
        async with asyncio.timeout(within_s):
            await self.line.ended.wait()


@contextlib.asynccontextmanager
async def planned(folder: Path, at: str = TUESDAY_NOON, **changes: Any) -> AsyncIterator[Planned]:
    """Starts a centre on the plan at a time of its zone."""
    outside = await TonePhone.open(0, "outside")
    assert isinstance(outside, TonePhone)
    outside.hertz = 1000.0
    try:
        made = plan(outside.port, **changes)
        async with centre(folder, "--practice-time", at, site=made) as running:
            outside.server_port = int(running.sip.rsplit(":", 1)[1])
            yield Planned(running, load_site(folder / "site.yaml"), outside)
    finally:
        outside.close()
