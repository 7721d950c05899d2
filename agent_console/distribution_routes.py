"""Where the pages about sharing calls stand."""

from __future__ import annotations

from aiohttp import web

from .distribution import callbacks, evenness, staffing


def add(app: web.Application) -> None:
    """Adds their routes."""
    router = app.router
    router.add_get("/callbacks", callbacks.callbacks)
    router.add_get("/callbacks/{callback}/drop", callbacks.drop_form)
    router.add_get("/evenness", evenness.evenness)
    router.add_get("/evenness.csv", evenness.table)
    router.add_get("/staffing", staffing.staffing)
    router.add_post("/staffing", staffing.try_out)
    router.add_post("/callbacks/{callback}/drop", callbacks.drop_one)
