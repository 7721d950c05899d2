"""What all pages of the plan share: which text is looked at, what a form sent, the frame around the page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

import ivr
from store.plans import FILE

from .. import audit
from ..audit import Action
from ..console import Console, console_of, texts_of, whose
from ..pages import signed_in
from ..problems import problem
from ..rights import Right
from ..sessions import Session
from ..texts import Texts
from ..views import page
from .drafts import Checked, Draft, LivePlan, checked, draft_of, live_plan

MAX_FORM_BYTES = 26 * 1024 * 1024  # several sounds at most; each has its own limit


@dataclass
class Sent:
    """A form: texts by name, and files (name of the field, name of the file, content)."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    files: list[tuple[str, str, bytes]] = field(default_factory=list)

    def first(self, name: str) -> str:
        """The field's text, trimmed."""
        return (self.texts.get(name) or [""])[0].strip()


@dataclass
class View:
    """One request to a page of the plan. `shown` is the text looked at: the draft where there is one, else
    the live plan; `of=live` in the address asks for the live one."""

    request: web.Request
    console: Console
    session: Session
    texts: Texts
    live: LivePlan
    draft: Draft | None
    shown: Checked

    @property
    def login(self) -> str:
        return self.session.account.login

    @property
    def of(self) -> str:
        """`draft` or `live`: what `shown` is."""
        return "draft" if self.draft is not None and self.shown.text == self.draft.text else "live"

    @property
    def query(self) -> str:
        """What is put behind addresses so that the next page looks at the same text."""
        return "?of=live" if self.draft is not None and self.of == "live" else ""

    def may(self, right: Right) -> bool:
        return self.session.may(right)

    @property
    def base_text(self) -> str:
        """What a change begins from: the draft, else the live plan."""
        return self.draft.text if self.draft is not None else self.live.text

    @property
    def editable(self) -> bool:
        """Whether what is shown may be changed here: it is the draft, or would become one."""
        return self.may(Right.PLAN_EDIT) and (self.draft is None or self.of == "draft")

    @property
    def based_on(self) -> int | None:
        """The version that the draft was begun from, or would be."""
        return self.draft.based_on if self.draft is not None else self.live.version

    def who(self, login: str | None) -> str:
        """Somebody as people call them; the site's file by its own name."""
        if login == FILE:
            return self.texts("plan.author_file")
        names = {user.login: user.name for user in self.console.site.users}
        return names.get(login or "", login or "")

    def answer(self, template: str, *, status: int = 200, **values: Any) -> web.Response:
        """A page in the plan's frame."""
        return page(
            self.request,
            f"plan/{template}",
            status=status,
            view=self,
            live_version=self.live.version,
            draft=self.draft,
            problems=self.shown.problems,
            of=self.of,
            query=self.query,
            who=self.who,
            voices=[one for one in ivr.ATTRIBUTIONS if one.what == "voice"],
            **values,
        )

    async def note(self, action: Action, detail: str) -> None:
        """Writes into the access log. Raises StoreUnavailable: what must be logged is not done otherwise."""
        await audit.note(
            self.console.store, action, login=self.login, address=self.request.remote, detail=detail
        )


Page = Callable[[View], Awaitable[web.StreamResponse]]


async def view_of(request: web.Request) -> View:
    """The view of a request. Raises StoreUnavailable, ConsoleError."""
    console, session = console_of(request), whose(request)
    live = await live_plan(console)
    draft = await draft_of(console, session.account.login, live) if session.may(Right.PLAN_EDIT) else None
    asked = request.query.get("of", "")
    text = draft.text if draft is not None and asked != "live" else live.text
    return View(request, console, session, texts_of(request), live, draft, await checked(text))


def plan_page(*rights: Right) -> Callable[[Page], Callable[[web.Request], Awaitable[web.StreamResponse]]]:
    """A page of the plan for those who hold any of `rights`. Forms that change need the session's token."""

    def guard(handler: Page) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        @signed_in(*rights)
        @wraps(handler)
        async def run(request: web.Request) -> web.StreamResponse:
            return await handler(await view_of(request))

        return run

    return guard


async def sent_by(view: View) -> Sent:
    """The form of a POST, its token checked. Raises Problem (403), HTTPRequestEntityTooLarge."""
    request = view.request.clone(client_max_size=MAX_FORM_BYTES)
    form = await request.post()
    token = form.get("csrf", "")
    if not isinstance(token, str) or not view.session.csrf_fits(token):
        raise problem(403, "csrf", "problem.csrf")
    sent = Sent()
    for name, value in form.items():
        if isinstance(value, web.FileField):
            if value.filename:
                sent.files.append((name, value.filename, value.file.read()))
        elif isinstance(value, str):
            sent.texts.setdefault(name, []).append(value)
    return sent


def to(path: str, **query: str | int | None) -> web.Response:
    """Goes on to a page of ours after a POST."""
    kept = {name: str(value) for name, value in query.items() if value is not None}
    location = path + (f"?{urlencode(kept)}" if kept else "")
    return web.Response(status=303, headers={"Location": location})
