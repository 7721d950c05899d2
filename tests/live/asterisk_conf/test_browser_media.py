"""A browser's media reaches Asterisk and comes back: ICE, DTLS-SRTP and Opus of the rendered endpoints."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import shutil
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from playwright.async_api import async_playwright

from tests.live.asterisk_conf.exchange import Exchange

OFFER = """async () => {
  const media = await navigator.mediaDevices.getUserMedia({audio: true});
  window.pc = new RTCPeerConnection();
  media.getTracks().forEach(track => pc.addTrack(track, media));
  await pc.setLocalDescription(await pc.createOffer());
  if (pc.iceGatheringState !== "complete")
    await new Promise(done => {
      pc.onicegatheringstatechange = () => pc.iceGatheringState === "complete" && done();
    });
  return pc.localDescription.sdp;
}"""
ANSWER = """async (sdp) => {
  await pc.setRemoteDescription({type: "answer", sdp});
  while (pc.connectionState !== "connected") {
    if (pc.connectionState === "failed") return "failed";
    await new Promise(done => { pc.onconnectionstatechange = done; });
  }
  for (;;) {
    const heard = [...(await pc.getStats()).values()].find(s => s.type === "inbound-rtp");
    if (heard && heard.packetsReceived > 20) return "heard " + heard.packetsReceived;
    await new Promise(done => setTimeout(done, 50));
  }
}"""


class WebSip:
    """Just enough SIP over a WebSocket to place one call."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, user: str, password: str) -> None:
        self.socket, self.user, self.password = socket, user, password
        self.tag, self.call = secrets.token_hex(4), secrets.token_hex(8)

    async def invite(self, number: str, sdp: str) -> str:
        """The SDP of the answer."""
        uri = f"sip:{number}@127.0.0.1"
        await self._send("INVITE", uri, 1, "", sdp)
        refused = await self._final()
        assert refused.startswith("SIP/2.0 401")
        asked = dict(
            re.findall(r'(\w+)="?([^",\r]*)"?', refused.split("WWW-Authenticate:")[1].splitlines()[0])
        )
        one = _md5(f"{self.user}:{asked['realm']}:{self.password}")
        answer = _md5(f"{one}:{asked['nonce']}:00000001:abcd:auth:{_md5(f'INVITE:{uri}')}")
        header = (
            f'Authorization: Digest username="{self.user}", realm="{asked["realm"]}",'
            f' nonce="{asked["nonce"]}", uri="{uri}", response="{answer}",'
            f' algorithm=MD5, cnonce="abcd", qop=auth, nc=00000001, opaque="{asked["opaque"]}"\r\n'
        )
        await self._send("INVITE", uri, 2, header, sdp)
        accepted = await self._final()
        assert accepted.startswith("SIP/2.0 200"), accepted.splitlines()[0]
        await self._send("ACK", uri, 2, "", "", re.search(r"To:.*?(;tag=\S+)", accepted)[1])  # type: ignore[index]
        return accepted.split("\r\n\r\n", 1)[1]

    async def _final(self) -> str:
        while True:
            text: str = (await self.socket.receive(10)).data
            if not text.startswith("SIP/2.0 1"):
                return text

    async def _send(self, method: str, uri: str, cseq: int, more: str, sdp: str, to_tag: str = "") -> None:
        kind = "Content-Type: application/sdp\r\n" if sdp else ""
        await self.socket.send_str(
            f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/WS test.invalid;branch=z9hG4bK{secrets.token_hex(6)}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:{self.user}@127.0.0.1>;tag={self.tag}\r\nTo: <{uri}>{to_tag}\r\n"
            f"Call-ID: {self.call}\r\nCSeq: {cseq} {method}\r\nContact: <sip:x@test.invalid;transport=ws>\r\n"
            f"{more}{kind}Content-Length: {len(sdp.encode())}\r\n\r\n{sdp}"
        )


async def _empty_page(request: web.Request) -> web.Response:
    return web.Response(text="<p>", content_type="text/html")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@pytest.mark.req("OPR-1", "SEC-3")
async def test_a_browser_without_special_switches_hears_and_is_heard(tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    page_app = web.Application()
    page_app.router.add_get("/", _empty_page)
    runner = web.AppRunner(page_app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with Exchange.run(tmp_path, demo=True) as exchange, async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=chromium,
                args=[
                    "--no-sandbox",
                    "--use-fake-ui-for-media-stream",
                    "--use-fake-device-for-media-stream",
                    "--disable-background-networking",
                ],
            )
            page = await browser.new_page()
            await page.goto(f"http://127.0.0.1:{port}/")
            offer = await page.evaluate(OFFER)
            url = f"http://127.0.0.1:{exchange.settings.ari_port}/ws"
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(url, protocols=("sip",)) as socket,
            ):
                phone = WebSip(socket, "citizen-web", exchange.secrets.sip["citizen-web"])
                answer = await phone.invite("0246221111", offer)
                assert "UDP/TLS/RTP/SAVPF" in answer
                assert "opus/48000" in answer
                assert (await page.evaluate(ANSWER, answer)).startswith("heard")
                arrived = await exchange.fact("arrived")
                assert arrived.data["caller"] == "09000000000"
                # Asterisk hears the browser, too.
                shown = ""
                async with asyncio.timeout(10):
                    while not re.search(r"citizen-web.*opus\s+\d*[1-9]\d", shown):
                        shown = await exchange.rx("pjsip show channelstats")
            await browser.close()
    finally:
        await runner.cleanup()
