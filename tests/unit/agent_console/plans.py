"""A console on みなと市's own plan, and forms filled in as browsers do it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import aiohttp

from store import plans

from .conftest import Browser, Running

MINATO = Path(__file__).parents[3] / "dialplans" / "minato.yaml"
EXAMPLES = sorted((MINATO.parent / "examples").glob("*.yaml"))
ALL = ("op01", "sv01", "staff01", "admin", "audit")


def minato() -> str:
    """みなと市's plan with an auditor."""
    text = MINATO.read_text(encoding="utf-8")
    auditor = "  - {login: audit, name: 監査, role: auditor}\n"
    return text.replace("\nusers:\n", f"\nusers:\n{auditor}", 1)


@dataclass
class Form:
    """A form of a page with what a browser would send of it."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    disabled: bool = False

    def set(self, **changes: str) -> None:
        """Types into fields; `__` stands for a dot: `say__ja`."""
        for name, value in changes.items():
            self.put(name.replace("__", "."), value)

    def put(self, name: str, value: str) -> None:
        """Types into the field of this name, which must be there."""
        assert any(name == known for known, _ in self.fields), (name, self.fields)
        self.fields = [(known, value if known == name else old) for known, old in self.fields]


class _Reader(HTMLParser):
    def __init__(self, path: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._path = path
        self._form: Form | None = None
        self._select: str | None = None
        self._options: list[tuple[str, bool]] = []
        self._option: list[str] | None = None
        self._area: tuple[str, list[str]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        have = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(have.get("action") or self._path)
            self.forms.append(self._form)
        if self._form is None:
            return
        if tag == "fieldset" and "disabled" in have:
            self._form.disabled = True
        name = have.get("name", "")
        if tag == "input" and name and have.get("type") not in ("file", "submit"):
            if have.get("type") not in ("checkbox", "radio") or "checked" in have:
                self._form.fields.append((name, have.get("value", "on")))
        elif tag == "select" and name:
            self._select, self._options = name, []
        elif tag == "option" and self._select:
            self._option = [have["value"]] if "value" in have else []
            self._options.append((have.get("value", ""), "selected" in have))
        elif tag == "textarea" and name:
            self._area = (name, [])

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._area[1].append(data)
        elif self._option == [] and self._options:
            self._options[-1] = (data.strip(), self._options[-1][1])

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "option":
            self._option = None
        elif tag == "select" and self._select and self._form is not None:
            chosen = [value for value, selected in self._options if selected]
            if self._options:
                self._form.fields.append((self._select, (chosen or [self._options[0][0]])[0]))
            self._select = None
        elif tag == "textarea" and self._area is not None and self._form is not None:
            name, parts = self._area
            self._form.fields.append((name, "".join(parts).removeprefix("\n")))
            self._area = None


def forms_of(page: str, path: str) -> list[Form]:
    """All forms of a page."""
    reader = _Reader(path)
    reader.feed(page)
    return reader.forms


async def form_at(browser: Browser, path: str, action: str | None = None) -> Form:
    """The form of a page that is sent to `action` (default: to the page itself)."""
    answer = await browser.get(path)
    page = await answer.text()
    assert answer.status == 200, page
    wanted = action or path.partition("?")[0]
    return next(form for form in forms_of(page, path) if form.action.partition("?")[0] == wanted)


async def send(
    browser: Browser, form: Form, files: Mapping[str, tuple[str, bytes]] | None = None
) -> aiohttp.ClientResponse:
    """Sends a form as browsers do."""
    with aiohttp.MultipartWriter("form-data") as writer:
        for name, value in form.fields:
            part = writer.append(value.replace("\n", "\r\n"))
            part.set_content_disposition("form-data", name=name)
        for name, (filename, content) in (files or {}).items():
            part = writer.append(content)
            part.set_content_disposition("form-data", name=name, filename=filename)
    return await browser.client.post(form.action, data=writer, allow_redirects=False)


async def agree(browser: Browser, form: Form) -> aiohttp.ClientResponse:
    """Sends a form, and sends the one of the page that asks once more whether it is meant."""
    answer = await send(browser, form)
    page = await answer.text()
    assert answer.status == 200, page
    again = [one for one in forms_of(page, form.action) if one.action == form.action]
    assert ("sure", "1") in again[0].fields
    return await send(browser, again[0])


async def live(running: Running, text: str, author: str = "file", comment: str = "") -> int:
    """Makes a text the live version, as the worker does; returns its number."""
    now = await plans.live(running.console.store)
    version = await plans.add_version(
        running.console.store, text, author=author, comment=comment, based_on=now.id if now else None
    )
    await plans.note_live(running.console.store, version.id, by=author)
    return version.id


async def carry_out(running: Running) -> str:
    """Carries out what is wanted, as the worker does: the newest wish goes live. Returns its text."""
    taken = await plans.take(running.console.store, None)
    assert taken is not None, "nothing is wanted"
    wish, version = taken
    await plans.settle(running.console.store, wish.id, plans.LIVE)
    return version.text
