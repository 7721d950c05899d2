"""Where the pages about sharing calls stand."""

from __future__ import annotations

from aiohttp import web

from .distribution import callbacks


def add(app: web.Application) -> None:
    """Adds their routes."""
    router = app.router
    router.add_get("/callbacks", callbacks.callbacks)
    router.add_get("/callbacks/{callback}/drop", callbacks.drop_form)
    router.add_post("/callbacks/{callback}/drop", callbacks.drop_one)
