"""Rendering: Jinja templates, the values every page has, and the addresses of static files."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any

import jinja2
import orjson
from aiohttp import web
from markupsafe import Markup

from . import formats
from .console import console_of, session_of, texts_of
from .rights import Right
from .texts import Language

HERE = Path(__file__).parent
STATIC = HERE / "static"
BUNDLE = STATIC / "bundle"


@functools.cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["duration"] = formats.duration
    made.filters["tenths"] = formats.tenths
    made.filters["percent"] = formats.percent
    return made


@functools.lru_cache(maxsize=256)
def _digest(path: Path, _mtime: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def static(name: str) -> str:
    """The address of a static file; it changes with the file, so browsers may keep it for ever."""
    path = STATIC / name
    try:
        return f"/static/{name}?v={_digest(path, path.stat().st_mtime_ns)}"
    except OSError:
        return f"/static/{name}"


def script_data(value: Any) -> Markup:
    """JSON for a `<script type="application/json">`: nothing in it can end the element."""
    text = orjson.dumps(value).decode().replace("<", "\\u003c").replace("\u2028", "\\u2028")
    return Markup(text.replace("&", "\\u0026"))  # noqa: S704 - escaped above


def page(
    request: web.Request,
    template: str,
    *,
    status: int = 200,
    config: dict[str, Any] | None = None,
    **values: Any,
) -> web.Response:
    """A page. `config` is given to its script, together with the texts."""
    console, session, texts = console_of(request), session_of(request), texts_of(request)
    zone, groups = console.site.zone, console.groups
    data = {
        "language": texts.language.value,
        "csrf": session.csrf if session else None,
        "operator": session.account.operator if session else None,
        "login": session.account.login if session else None,
        "zone": console.site.timezone,
        "site_language": console.site.language,
        "texts": texts.for_browser(),
        **(config or {}),
    }
    rights = session.rights if session else frozenset()
    html = (
        _environment()
        .get_template(template)
        .render(
            t=texts,
            language=texts.language.value,
            other_language=("en" if texts.language is Language.JA else "ja"),
            session=session,
            rights=rights,
            Right=Right,
            site=console.site,
            path=request.path,
            path_qs=request.path_qs,
            static=static,
            bundle_ready=(BUNDLE / "base.js").is_file(),
            page_data=script_data(data),
            clock=lambda at: formats.clock(at, zone),
            date_text=lambda day: formats.long_date(day, texts.language),
            number_text=lambda digits: formats.phone_number(digits or "", groups),
            caller_text=lambda digits: _caller(digits, groups, rights, texts("js.withheld")),
            **values,
        )
    )
    return web.Response(text=html, status=status, content_type="text/html")


def problem_page(request: web.Request, answer: web.Response) -> web.Response:
    """A problem document as a page, for people who followed a link."""
    body = answer.body
    document = orjson.loads(body if isinstance(body, bytes) else b"{}")
    return page(
        request, "problem.html", status=answer.status, title=document["title"], detail=document["detail"]
    )


def _caller(
    digits: str | None, groups: dict[str, tuple[int, ...]], rights: frozenset[Right], withheld: str
) -> str:
    if not digits:
        return withheld
    grouped = formats.phone_number(digits, groups)
    return grouped if Right.CALLER_FULL in rights else formats.masked(grouped)
