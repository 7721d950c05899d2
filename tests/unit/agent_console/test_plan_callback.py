"""The plan's pages and callbacks: a form of its own, the queue's fields, the picture."""

from __future__ import annotations

import pytest

from agent_console.plan import document
from dialplans import parse_site

from .conftest import Start
from .plans import form_at, minato, send
from .test_plan_pages import draft_text, settings, started

__all__ = ["settings"]  # the fixture: みなと市's whole plan


@pytest.mark.req("ADM-1", "ACD-7")
async def test_a_callback_is_made_offered_and_drawn_by_forms(start: Start) -> None:
    running = await started(start)
    browser = await running.browser("admin")
    form = await form_at(browser, "/plan/new/steps?kind=callback", "/plan/new/steps")
    form.action = "/plan/new/steps?kind=callback"
    form.set(
        id="living-back",
        say__ja="折り返しは1です。",
        say__en="For a callback press one.",
        queue="living",
        trunk="hikari",
        declined="queue:living",
        tries="2",
    )
    assert (await send(browser, form)).status == 303
    made = document.read(await draft_text(running) or "").row("steps", "living-back")
    assert made is not None
    assert {key: made[key] for key in ("kind", "queue", "trunk", "declined", "tries")} == {
        "kind": "callback", "queue": "living", "trunk": "hikari", "declined": "queue:living", "tries": "2"
    }  # fmt: skip
    queue = await form_at(browser, "/plan/edit/queues/living")
    assert dict(queue.fields)["strategy"] == "skill"
    queue.set(callback="living-back", callback_key="5", strategy="fewest_calls", then="longest_idle")
    assert (await send(browser, queue)).status == 303
    text = await draft_text(running) or ""
    site = parse_site(text)
    assert (site.queue("living").callback, site.queue("living").callback_key) == ("living-back", "5")
    assert text.count("#") == minato().count("#")  # what stood beside is as it was, comments included
    picture = await (await browser.get("/plan?number=0246221200")).text()
    assert "5 折り返し" in picture
    assert "「ごみ・くらし相談」の順番をとる" in picture
    difference = await (await browser.get("/plan/difference")).text()
    assert "受けた件数が少ない人" in difference
    other = await form_at(browser, "/plan/edit/queues/main")
    other.set(callback="living-back")
    page = await (await send(browser, other)).text()
    page = await (await browser.get("/plan/edit/queues/main")).text()
    assert "ほかのキュー「living」の順番をとります" in page


@pytest.mark.req("ADM-1", "ACD-5")
async def test_no_others_ever_stays_so_when_a_form_is_saved(start: Start) -> None:
    """`null` is not the same as nothing."""
    text = minato().replace("language_after_s: 30 ", "language_after_s: null ")
    assert text != minato()
    running = await started(start, "admin", text=text)
    browser = await running.browser("admin")
    form = await form_at(browser, "/plan/edit/queues/main")
    form.set(wrap_up_s="25")
    assert (await send(browser, form)).status == 303
    kept = parse_site(await draft_text(running) or "").queue("main")
    assert (kept.language_after_s, kept.wrap_up_s) == (None, 25)
