"""Where the desk's pages stand: directory and cases."""

from __future__ import annotations

from aiohttp import web

from .console import CONSOLE
from .desk import cases, directory, importing
from .desk.hall import HALL, Hall
from .desk.importing import IMPORTS, Imports


def add(app: web.Application) -> None:
    """Adds their routes and what they keep."""
    app[HALL] = Hall(app[CONSOLE].store)
    app[IMPORTS] = Imports()
    router = app.router
    router.add_get("/directory", directory.directory)
    router.add_get("/directory/new", directory.new_form)
    router.add_post("/directory/new", directory.add)
    router.add_get("/directory/export.csv", directory.export)
    router.add_get("/directory/import", importing.form)
    router.add_post("/directory/import", importing.preview)
    router.add_post("/directory/import/replace", importing.replace)
    router.add_get(r"/directory/{entry:\d{1,9}}", directory.edit_form)
    router.add_post(r"/directory/{entry:\d{1,9}}", directory.change)
    router.add_post(r"/directory/{entry:\d{1,9}}/remove", directory.remove)
    router.add_get("/cases", cases.listed)
    router.add_post("/cases", cases.add)
    router.add_post(r"/cases/{case:\d{1,9}}/done", cases.settle)
    router.add_post(r"/cases/{case:\d{1,9}}/reopen", cases.reopen)
    router.add_post(r"/cases/{case:\d{1,9}}/dial", cases.dial)
