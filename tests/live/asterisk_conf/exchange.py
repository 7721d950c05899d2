"""A real Asterisk configured for a small site, for tests: folder, ports and process of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import soundfile

from asterisk_conf import AsteriskSettings, Secrets, SurvivalFact, parse_queue_log, render
from dialplans import Site, parse_site
from switch.install import find_asterisk
from switch.process import AsteriskFiles, AsteriskProcess
from tests.live.asterisk_conf.tone_phone import TonePhone
from tests.live.support.mini_asterisk import free_port

SITE = """
city: 試験市
centre: 試験センター
id: test
numbers:
  - {number: "0246-22-1111", name: 代表, queue: main, greeting: こんにちは, recording_notice: 録音します}
queues:
  - {id: main, name: 案内, waiting_announcement: お待ちください}
operators:
  - {id: "1001", name: 甲, queues: [main]}
  - {id: "1002", name: 乙, queues: [main]}
trunks:
  - {id: line, addresses: [127.0.0.1]}
"""
GREETING_HZ, NOTICE_HZ, MUSIC_HZ = 600.0, 800.0, 300.0
RATE = 8000


class Exchange:
    """`async with Exchange.run(folder)` gives one that is ready. `rx` runs a command at its command line."""

    def __init__(
        self, folder: Path, site_text: str = SITE, *, demo: bool = False, rtp_timeout_s: int = 20
    ) -> None:
        self.settings = AsteriskSettings(
            folder=folder / "asterisk",
            spool=folder / "spool",
            tree=find_asterisk(),
            sip_port=free_port(),
            ari_port=free_port(),
            ami_port=free_port(),
            rtp_ports=(low := free_port() // 2 * 2, low + 200),
            demo=demo,
            operator_rtp_timeout_s=rtp_timeout_s,
        )
        self.secrets_path = folder / "secrets.json"
        self.configure(site_text)
        files = AsteriskFiles(self.settings.conf, self.settings.run, folder / "output")
        self.process = AsteriskProcess(self.settings.tree, files)

    site: Site
    secrets: Secrets

    def configure(self, site_text: str) -> list[str]:
        """Renders a site; the names of changed files. Tones stand for the spoken prompts."""
        self.site = parse_site(site_text)
        self.secrets = Secrets.load_or_create(self.secrets_path, self.site)
        changed = render(self.site, self.secrets, self.settings)
        number = self.site.numbers[0]
        for key in (prompt.key for prompt in self.site.prompts()):
            hertz = NOTICE_HZ if key == number.recording_notice_prompt else GREETING_HZ
            self._tone(self.settings.sounds / f"daihyo-{key}.wav", hertz, 1.0)
        self._tone(self.settings.sounds / "moh" / "default" / "tone.wav", MUSIC_HZ, 10.0)
        return changed

    def _tone(self, path: Path, hertz: float, seconds: float) -> None:
        if not path.exists():
            at = np.arange(int(seconds * RATE)) / RATE
            soundfile.write(path, 0.2 * np.sin(2 * np.pi * hertz * at), RATE, subtype="PCM_16")

    @classmethod
    @contextlib.asynccontextmanager
    async def run(
        cls, folder: Path, site_text: str = SITE, *, demo: bool = False, rtp_timeout_s: int = 20
    ) -> AsyncIterator[Exchange]:
        exchange = cls(folder, site_text, demo=demo, rtp_timeout_s=rtp_timeout_s)
        settings, secrets = exchange.settings, exchange.secrets
        await exchange.process.start()
        try:
            async with asyncio.timeout(30):
                await exchange.process.wait_ready(
                    ("127.0.0.1", settings.sip_port),
                    ("127.0.0.1", settings.ari_port),
                    secrets.ari_user,
                    secrets.ari_password,
                )
            yield exchange
        finally:
            await exchange.process.stop()

    async def rx(self, command: str) -> str:
        return await self.process.rx(command)

    def complaints(self) -> list[str]:
        """What Asterisk wrote at level WARNING or ERROR, and anything else it printed."""
        logged = (self.settings.log / "messages.log").read_text().splitlines()
        return [line for line in logged if "WARNING" in line or "ERROR" in line]

    def facts(self) -> list[SurvivalFact]:
        path = self.settings.queue_log
        return parse_queue_log(path.read_text().splitlines()) if path.exists() else []

    async def fact(self, kind: str, timeout_s: float = 20.0) -> SurvivalFact:
        """The first fact of a kind, waited for."""
        await self.until(lambda: any(fact.kind == kind for fact in self.facts()), timeout_s)
        return next(fact for fact in self.facts() if fact.kind == kind)

    async def until(self, true: Callable[[], bool], timeout_s: float = 20.0) -> None:
        """Files and other programs' states tell nobody when they change: asks again until it is so."""
        async with asyncio.timeout(timeout_s):
            while not true():
                await asyncio.sleep(0.05)

    @contextlib.asynccontextmanager
    async def phone(
        self, user: str, hertz: float = 1000.0, policy: str = "answer"
    ) -> AsyncIterator[TonePhone]:
        """An operator's desk phone, registered and found reachable."""
        phone = await TonePhone.open(self.settings.sip_port, user, self.secrets.sip.get(user, "none"))
        phone.hertz, phone.policy = hertz, policy
        try:
            await phone.register()
            await phone.event("options")  # Asterisk asks the new contact; then it is reachable
            async with asyncio.timeout(10):
                while "Avail" not in await self.rx(f"pjsip show aor {user}"):
                    await asyncio.sleep(0.05)
            yield phone
        finally:
            phone.close()

    @contextlib.asynccontextmanager
    async def citizen(self, caller: str = "09012345678", hertz: float = 440.0) -> AsyncIterator[TonePhone]:
        """A telephone at the other end of the trunk."""
        phone = await TonePhone.open(self.settings.sip_port, caller)
        phone.hertz = hertz
        try:
            yield phone
        finally:
            phone.close()

    def rss_kb(self) -> int:
        """Memory of the Asterisk process."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])
