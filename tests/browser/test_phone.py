"""The page's telephone: devices, level, quality; a network that fails in every way and loses no citizen."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Opened
from tests.browser.pages import SLOW_MS, Person, Seat
from tests.support.centre import Centre, centre
from tests.support.network import Network, network
from tests.support.phones import CITIZEN_HZ, OPERATOR_HZ, Phones, Talk, phones
from tests.support.site import NUMBER, site

OPERATORS = 3


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Centre]:
    async with centre(tmp_path, site=site(operators=OPERATORS, wrap_up_s=60, ring_timeout_s=30)) as made:
        yield made


# Speaks a tone instead of the false microphone's beeps: it is told from music however busy the machine is.
SPEAKS = """(() => {
  let stream = null;
  navigator.mediaDevices.getUserMedia = async () => {
    if (stream) return stream;
    const context = new AudioContext();
    const tone = context.createOscillator();
    const gain = context.createGain();
    const out = context.createMediaStreamDestination();
    tone.frequency.value = HZ;
    gain.gain.value = 0.3;
    tone.connect(gain).connect(out);
    tone.start();
    await context.resume();
    return (stream = out.stream);
  };
})()""".replace("HZ", str(OPERATOR_HZ))


class Conversation:
    """An operator behind a network of their own, in talk with a citizen."""

    def __init__(self, op: Person, net: Network, operator: str) -> None:
        self.op, self.net, self.operator = op, net, operator
        self.seat = Seat(op)
        self.citizen: Talk

    async def begin(self, sip: Phones) -> None:
        await self.seat.ready()
        self.citizen = await sip.call(self.op.running.sip, NUMBER, f"0901234{self.operator}")
        await self.seat.answer()
        await self.sounds()

    async def sounds(self) -> None:
        """Both hear each other."""
        await self.op.hears(CITIZEN_HZ)
        await self.citizen.hears(OPERATOR_HZ)

    async def back(self, phase: str = "talking") -> None:
        """The conversation is here again: by itself, or, when the page took longer than the citizen is kept
        for it (a busy machine), as the first call that rings here."""
        # The engine is asked: what the page shows may be of before.
        control = self.op.running.control
        await control.wait(lambda: self.phase() in (phase, "ringing"), 90, f"{phase} or ringing")
        if self.phase() == "ringing":
            await self.seat.answer()
            if phase == "hold":
                await self.seat.press("F3")
        await self.seat.phase(phase)
        if phase == "talking":
            await self.sounds()

    def losses(self) -> int:
        return sum(" leg_lost " in line for line in self.story())

    async def lost(self, more_than: int) -> None:
        """Until the engine has noticed once more that the page is gone."""
        async with asyncio.timeout(60):
            while self.losses() <= more_than:
                await asyncio.sleep(0.05)

    async def obeys(self) -> None:
        """The seat's keys reach the call, and what the engine does reaches the page."""
        await self.seat.press("F3")
        await self.seat.phase("hold")
        await self.citizen.hears_sound()
        await self.seat.press("F3")
        await self.seat.phase("talking")
        await self.sounds()

    async def end(self) -> None:
        """The citizen hangs up, and the page hears of it."""
        await self.citizen.hangup()
        await self.seat.state("wrap_up")
        await expect(self.op.page.locator("#phone-state")).to_have_attribute(
            "data-ok", "true", timeout=SLOW_MS
        )

    def phase(self) -> str:
        """Where the call stands."""
        calls = self.op.running.control.calls.values()
        return next((str(one["phase"]) for one in calls if one["caller"] == f"0901234{self.operator}"), "")

    def story(self) -> list[str]:
        """What the journal tells of the call."""
        events = self.op.running.events()
        call = next(e.call for e in events if e.data.get("caller") == f"0901234{self.operator}")
        return [f"{e.at:%H:%M:%S.%f} {e.kind} {dict(e.data)}" for e in events if e.call == call]

    async def away(self, there: bool = True) -> None:
        strip = expect(self.op.page.locator("#away-live"))
        await (strip.to_be_visible(timeout=SLOW_MS) if there else strip.to_be_hidden(timeout=60_000))


@contextlib.asynccontextmanager
async def talking(running: Centre, person: Opened, count: int) -> AsyncIterator[list[Conversation]]:
    """So many operators, each with a citizen."""
    async with contextlib.AsyncExitStack() as stack:
        sip = await stack.enter_async_context(phones())
        made: list[Conversation] = []
        for n in range(count):
            net = await stack.enter_async_context(network(running.web))
            op = await stack.enter_async_context(person(expect_errors=True, web=net.web))
            await op.page.add_init_script(SPEAKS)
            made.append(Conversation(op, net, str(1001 + n)))
        await asyncio.gather(*(one.op.sign_in(f"op{n + 1:02}") for n, one in enumerate(made)))
        for one in made:
            try:
                await one.begin(sip)
            except AssertionError as problem:
                raise AssertionError(f"{problem}; {one.story()}; {one.op.errors}") from problem
        yield made


async def sip_lost(talk: Conversation) -> None:
    await talk.net.cut("/sip")
    await talk.seat.shows("#phone-state", "つなぎ直しています")
    await asyncio.sleep(20)  # so long is the line away
    await talk.sounds()
    talk.net.mend()
    await talk.seat.has_phone()
    await talk.obeys()


async def live_lost(talk: Conversation) -> None:
    await talk.net.cut("/live")
    await talk.away()
    await asyncio.sleep(20)
    await talk.sounds()
    talk.net.mend()
    await talk.away(False)
    await talk.obeys()


async def both_lost(talk: Conversation) -> None:
    for seconds in (5, 20):
        await talk.net.cut("/live", "/sip")
        await talk.away()
        await asyncio.sleep(seconds)
        await talk.sounds()
        talk.net.mend()
        await talk.away(False)
        await talk.seat.has_phone()
        await talk.obeys()


async def another_network(talk: Conversation) -> None:
    """Nothing that was connected is alive, nobody is told: the page finds out by itself and restarts ICE."""
    before = dict(talk.net.accepted)
    talk.net.change()
    await talk.seat.shows("#phone-state", "つなぎ直しています")
    await talk.net.opened("/sip", before["/sip"])
    await talk.net.opened("/live", before["/live"])
    await talk.sounds()
    await talk.seat.has_phone()
    await talk.obeys()
    assert not any(" leg_lost " in line for line in talk.story()), talk.story()


async def everything_gone(talk: Conversation) -> None:
    """20 s in which nothing passes, the sound neither: the citizen hears that it goes on."""
    talk.net.silent = True
    await talk.seat.shows("#phone-state", "つなぎ直しています")
    await asyncio.sleep(20)
    await talk.lost(0)
    await talk.citizen.hears_sound()
    talk.net.mend()
    await talk.away(False)
    await talk.back()
    await talk.obeys()


async def reloads(talk: Conversation) -> None:
    """Loaded again, again while the first is still coming back, and in mid-hold."""
    accepted = talk.net.accepted["/live"]
    await talk.op.page.reload(wait_until="commit")
    await talk.net.opened("/live", accepted)
    await talk.op.page.reload()
    await talk.lost(0)
    await talk.back()
    await talk.seat.press("F3")
    await talk.seat.phase("hold")
    losses = talk.losses()
    await talk.op.page.reload()
    await talk.lost(losses)
    await talk.seat.has_phone()
    await talk.back("hold")
    await talk.citizen.hears_sound()
    await talk.seat.press("F3")
    await talk.seat.phase("talking")
    await talk.sounds()


@pytest.mark.long
@pytest.mark.req("REL-1", "OPR-1", "XFR-5")
@pytest.mark.timeout(400)
async def test_no_loss_of_the_network_and_no_reload_loses_a_citizen(running: Centre, person: Opened) -> None:
    # Three seats at a time, two ways one after the other: more pages than that starve each other.
    rounds = ((sip_lost, another_network), (live_lost, reloads), (both_lost, everything_gone))
    async with talking(running, person, len(rounds)) as talks:

        async def go(talk: Conversation, ways: tuple[Callable[[Conversation], Awaitable[None]], ...]) -> None:
            for way in ways:
                try:
                    await way(talk)
                except (AssertionError, TimeoutError) as problem:
                    await talk.op.screenshot(f"lost-{way.__name__}")
                    raise AssertionError(f"{way.__name__}: {problem!r}; {talk.story()}") from problem

        await asyncio.gather(*(go(talk, ways) for talk, ways in zip(talks, rounds, strict=True)))
        running.kill("console")
        await asyncio.gather(*(talk.away() for talk in talks))
        await asyncio.gather(*(talk.sounds() for talk in talks))
        await asyncio.gather(*(talk.away(False) for talk in talks))
        for talk in talks:
            await talk.seat.has_phone()
            await talk.obeys()
            await talk.end()
        records = await running.ended(len(talks))
        by_operator = {record.operator: record for record in records}
        assert set(by_operator) == {talk.operator for talk in talks}
        assert {(r.outcome, r.ended_by) for r in records} == {("answered", "caller")}
        assert all(len(r.operators) == 1 for r in records), "a citizen was given to somebody else"


# Keeps what is asked of loudspeakers, and lets a test pull a device out.
DEVICES = """(() => {
  window.sinks = [];
  const sound = HTMLMediaElement.prototype;
  const set = sound.setSinkId;
  sound.setSinkId = function (id) {
    window.sinks.push([this.id, id]);
    return set.call(this, id);
  };
  const media = navigator.mediaDevices;
  const list = media.enumerateDevices.bind(media);
  let pulled = null;
  media.enumerateDevices = async () => (await list()).filter((one) => one.label !== pulled);
  window.pull = (label) => {
    pulled = label;
    media.dispatchEvent(new Event("devicechange"));
  };
})()"""


async def _chosen(op: Person, select: str, at: int) -> str:
    """Chooses the n-th device of a list by its label; its label."""
    options = op.page.locator(f"#{select} option")
    await expect(options.nth(at)).to_be_attached(timeout=SLOW_MS)
    label = (await options.nth(at).inner_text()).strip()
    await op.page.locator(f"#{select}").select_option(label=label)
    return label


@pytest.mark.long
@pytest.mark.req("OPR-1", "OPR-6")
async def test_devices_are_chosen_and_followed_and_the_lines_quality_is_told(
    running: Centre, person: Opened
) -> None:
    async with network(running.web) as net, person(web=net.web) as op, phones() as sip:
        await op.page.add_init_script(DEVICES)
        await op.sign_in("op01")
        seat = Seat(op)
        await seat.ready()
        await op.page.get_by_role("button", name="音声の設定").click()
        mic = await _chosen(op, "mic-device", 2)
        headset = await _chosen(op, "headset-device", 1)
        ringer = await _chosen(op, "ringer-device", 2)
        assert headset != ringer
        await _moves(op, "#mic-meter")
        await op.page.get_by_role("button", name="試しに鳴らす").click()
        await op.page.get_by_role("button", name="呼出音を試す").click()
        await op.screenshot("phone-settings")
        await op.page.keyboard.press("Escape")
        await expect(op.page.locator("#phone-dialog")).to_be_hidden()

        citizen = await sip.call(running.sip, NUMBER, "09012345678")
        await seat.answer()
        await op.hears(CITIZEN_HZ)
        await citizen.hears_sound()
        await _moves(op, "#mic-level")
        ids = await op.page.evaluate(IDS)
        sinks = await op.page.evaluate("window.sinks")
        assert ["remote", ids[headset]] in sinks
        assert ["", ids[ringer]] in sinks  # the ring has an element of its own
        assert await op.page.evaluate("document.getElementById('remote').sinkId") == ids[headset]

        # The chosen microphone is pulled out: told, and the conversation goes on with the system's own.
        await op.page.evaluate("(label) => window.pull(label)", mic)
        await seat.shows("#phone-message", mic)
        await _moves(op, "#mic-level")
        await citizen.hears_sound()
        await op.page.evaluate("window.pull(null)")
        await expect(op.page.locator("#phone-message")).to_be_hidden(timeout=SLOW_MS)

        quality = op.page.locator("#quality")
        await expect(quality).to_have_attribute("data-grade", "good", timeout=SLOW_MS)
        net.loss = 0.25
        await expect(quality).to_have_attribute("data-grade", "poor", timeout=SLOW_MS)
        await op.screenshot("phone-poor")
        await op.page.get_by_role("button", name="音声の設定").click()
        assert float(await op.page.locator("#quality-mos").inner_text()) < 3.6
        assert float((await op.page.locator("#quality-loss").inner_text()).split()[0]) > 5
        await expect(op.page.locator("#quality-advice")).to_be_visible()
        await op.screenshot("phone-settings-poor")
        net.loss = 0.0
        await expect(quality).to_have_attribute("data-grade", "good", timeout=60_000)
        await op.page.keyboard.press("Escape")
        # Remembered on this machine.
        await op.page.reload()
        await seat.phase("talking")
        await op.page.get_by_role("button", name="音声の設定").click()
        await expect(op.page.locator("#mic-device option:checked")).to_have_text(mic, timeout=SLOW_MS)
        await expect(op.page.locator("#ringer-device option:checked")).to_have_text(ringer)
        await op.page.keyboard.press("Escape")
        await citizen.hangup()
        await seat.state("wrap_up")
        await expect(quality).to_have_attribute("data-grade", "none")


IDS = """async () => Object.fromEntries((await navigator.mediaDevices.enumerateDevices())
  .filter((one) => one.kind === "audiooutput").map((one) => [one.label, one.deviceId]))"""


async def _moves(op: Person, meter: str) -> None:
    """Until the level was seen to go up and down."""
    seen: list[float] = []
    for _ in range(300):
        seen.append(float(await op.page.locator(meter).evaluate("(one) => one.value")))
        if max(seen) - min(seen) > 0.05:
            return
        await op.page.wait_for_timeout(50)
    raise AssertionError(f"{meter} does not move: {min(seen)} to {max(seen)}")
