"""Every page as every role, in light and dark: axe-core finds nothing. And a call answered by keys alone."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from agent_console.wall import links
from desk import Entry, cases
from desk import add as add_entry
from tests.browser.conftest import Opened
from tests.browser.pages import PASSWORD as HOUSE_PASSWORD
from tests.browser.pages import Seat
from tests.browser.seat_states import faces
from tests.browser.test_seat_faces import shown
from tests.support.centre import Centre
from tests.support.phones import phones
from tests.support.site import NUMBER
from tests.unit.agent_console.conftest import PASSWORD, USERS, Running, Start, settings, start
from tests.unit.agent_console.days import carry_day

__all__ = ["settings", "start"]

AXE = Path(__file__).parents[2] / "agent_console/node_modules/axe-core/axe.min.js"
CHECK = """async (rules) => {
  const only = rules ? { runOnly: rules } : {};
  const found = await axe.run(document, { resultTypes: ["violations"], ...only });
  return found.violations.flatMap((one) => one.nodes.map((node) =>
    `${one.id} (${one.impact}): ${node.target.join(" ")}: ${node.html.slice(0, 160)}` +
    (one.id === "color-contrast" ? ` ${node.any[0]?.message ?? ""}` : "")));
}"""
# A page that the console refuses to a role is that role's page too: it says why.
PATHS = [
    "/seat",
    "/board",
    "/calls",
    "/calls/{call}",
    "/account",
    "/callbacks",
    "/evenness",
    "/staffing",
    "/directory",
    "/directory/new",
    "/directory/import",
    "/directory/{entry}",
    "/cases",
    "/alarms",
    "/walls",
    "/plan",
    "/plan/text",
    "/plan/new/queues",
    "/plan/edit/queues/main",
    "/plan/difference",
    "/plan/activate",
    "/plan/history",
    "/plan/events",
    "/plan/switches",
    "/plan/counts",
    "/nowhere",
]


@pytest.fixture
async def console(start: Start, tmp_path: Path) -> tuple[Running, dict[str, str]]:
    """A console with something on every page, the engine played by the test; and what stands in paths."""
    running = await start(users=tuple(user["login"] for user in USERS), demo=True)
    store = running.console.store
    ids = await carry_day(running, tmp_path, datetime.now(UTC).replace(hour=0, minute=0, second=0))
    entry = await add_entry(
        store,
        Entry(
            "環境課", "ごみ係", "港 花子", "みなと はなこ", "ごみ 粗大ごみ", "2314", hours="平日 8:30-17:15"
        ),
        "sv01",
    )
    await cases.add(
        store, "op01", kind="callback", subject="転入届の書類", caller="09012345678", operator="1001"
    )
    _, wall = await links.make(store, "大会議室", "sv01")
    return running, {"call": ids[0], "entry": str(entry), "wall": wall}


async def violations(page: Page, *, contrast_only: bool = False) -> list[str]:
    """What axe-core finds wrong with the page as it stands."""
    if not await page.evaluate("typeof axe === 'object'"):
        await page.evaluate(AXE.read_text())
    found: list[str] = await page.evaluate(CHECK, ["color-contrast"] if contrast_only else None)
    return found


async def both_themes(page: Page, what: str) -> list[str]:
    """In light by all rules, in dark by the one that knows colours."""
    await page.emulate_media(color_scheme="light")
    found = await violations(page)
    await page.emulate_media(color_scheme="dark")
    found += [f"dark: {one}" for one in await violations(page, contrast_only=True)]
    await page.emulate_media(color_scheme="light")
    return [f"{what}: {one}" for one in found]


async def entered(chromium: Browser, stack: AsyncExitStack, web: str, login: str) -> Page:
    """A page of somebody who is signed in."""
    context = await chromium.new_context(
        viewport={"width": 1280, "height": 720}, locale="ja-JP", reduced_motion="reduce"
    )
    stack.push_async_callback(context.close)
    page = await context.new_page()
    await page.goto(web + "/signin")
    await page.get_by_label("ログイン名").fill(login)
    await page.get_by_label("パスワード").fill(PASSWORD)
    await page.get_by_role("button", name="サインイン").click()
    await page.wait_for_url(lambda url: "/signin" not in url)
    return page


@pytest.mark.long
@pytest.mark.req("OPR-6", "MON-1")
@pytest.mark.timeout(400)
async def test_axe_finds_nothing_on_any_page_of_any_role(
    console: tuple[Running, dict[str, str]], chromium: Browser
) -> None:
    running, known = console
    web = str(running.server.make_url("")).rstrip("/")
    found: list[str] = []
    async with AsyncExitStack() as stack:
        stranger = await chromium.new_page()
        stack.push_async_callback(stranger.close)
        for path in ("/signin", "/citizen", known["wall"]):
            await stranger.goto(web + path)
            found += await both_themes(stranger, path)
        seen: set[str] = set()
        for login in ("sv01", "admin", "op01", "staff01", "audit"):
            page = await entered(chromium, stack, web, login)
            for path in PATHS:
                await page.goto(web + path.format(**known))
                # Whatever no page looked at so far has had; the frame once a role.
                parts = set(await page.evaluate(PARTS))
                if path == "/account" or not parts <= seen:
                    seen |= parts
                    found += await both_themes(page, f"{login} {path}")
            await page.context.close()
    assert not found, "\n".join(found)


# Those that together show every part of the seat.
FACES = {"idle", "no-answer", "ringing-returned", "hold", "help", "everything", "calling", "wrap-up"}
PARTS = """() => [...document.querySelectorAll("main *")].map((one) =>
  `${one.parentElement.className} > ${one.tagName} ${one.id} ${one.className}`)"""


@pytest.mark.req("OPR-6")
async def test_axe_finds_nothing_on_any_face_of_the_seat(
    console: tuple[Running, dict[str, str]], chromium: Browser
) -> None:
    running, _ = console
    found: list[str] = []
    async with AsyncExitStack() as stack:
        page = await entered(chromium, stack, str(running.server.make_url("")).rstrip("/"), "op01")
        for name, face in faces().items():
            if name not in FACES:
                continue
            await shown(running, page, face)
            found += await both_themes(page, name)
        await page.get_by_role("button", name="音声の設定").click()
        found += await both_themes(page, "phone settings")
    assert not found, "\n".join(found)


# Whether the keyboard's place can be seen: an outline at the element, at the field that holds it, or at what
# stands for a hidden radio.
SEEN = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return [null, false];
  const outlined = (node) => {
    const style = getComputedStyle(node);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  };
  const name = one.id || one.name || one.textContent.trim().slice(0, 20) || one.tagName;
  const stand = one.matches("input[type=radio]") ? one.nextElementSibling : null;
  const places = [one, one.parentElement, stand].filter((node) => node !== null);
  return [one.value ? `${name}=${one.value}` : name, places.some(outlined)];
}"""


async def tab_to(page: Page, name: str, *, most: int = 80) -> None:
    """Presses Tab until the keyboard is at an element (by id, or name and value); its place is seen all the
    way."""
    seen = []
    for _ in range(most):
        await page.keyboard.press("Tab")
        at, visible = await page.evaluate(SEEN)
        seen.append(at)
        assert at is None or visible, f"nobody sees that the keyboard is at {at}"
        if at is not None and (at == name or at.startswith(f"{name}=")):
            return
    raise AssertionError(f"{most} times Tab never came to {name} but to {seen}")


@pytest.mark.req("OPR-6", "OPR-1", "OPR-4")
async def test_a_call_by_keys_alone(running: Centre, person: Opened) -> None:
    async with person() as op, phones() as sip:
        await op.gets_password("op01")
        page = op.page
        await op.open("/signin")
        await tab_to(page, "login")
        await page.keyboard.type("op01")
        await tab_to(page, "password")
        await page.keyboard.type(HOUSE_PASSWORD)
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/seat")
        seat = Seat(op)
        await seat.has_phone()
        await tab_to(page, "set-ready")
        await page.keyboard.press("Enter")
        await seat.state("ready")
        for n in range(2):
            citizen = await sip.call(running.sip, NUMBER, f"0901234567{n}")
            await seat.rings()
            await seat.press("F2")
            await seat.phase("talking")
            await seat.press("F3")
            await seat.phase("hold")
            await seat.press("F3")
            await seat.phase("talking")
            await tab_to(page, "note")
            await page.keyboard.type("鍵盤だけで")
            await seat.press("F8")
            await seat.press("F8")
            await citizen.over()
            await seat.state("wrap_up")
            await tab_to(page, "result")  # one of them: arrows lead to the others
            await page.keyboard.press("Space")
            await seat.press("F6")
            await seat.state("ready")
        # No trap: from anywhere Tab comes round to where it was.
        await tab_to(page, "set-ready", most=150)
        await tab_to(page, "set-ready", most=150)
        noted = [event.data["note"] for event in running.events() if event.kind == "wrapped_up"]
        assert noted == ["鍵盤だけで", "鍵盤だけで"]
