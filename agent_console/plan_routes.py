"""Where the plan's pages stand."""

from __future__ import annotations

from aiohttp import web

from .plan import counts, edit, events, overview, sounds, switches, text_page, versions


def add(app: web.Application) -> None:
    """Adds their routes."""
    router = app.router
    for path, handler in (
        ("/plan", overview.overview),
        ("/plan/edit/{section}/{id}", edit.form),
        ("/plan/new/{section}", edit.new_form),
        ("/plan/text", text_page.text_form),
        ("/plan/check", text_page.check),
        ("/plan/difference", versions.difference),
        ("/plan/activate", versions.activate_form),
        ("/plan/activations/{id}", versions.progress),
        ("/plan/history", versions.history),
        ("/plan/versions/{version}", versions.version),
        ("/plan/versions/{version}/plan.yaml", versions.export),
        ("/plan/events", events.events),
        ("/plan/switches", switches.switches),
        ("/plan/counts", counts.counts),
        ("/plan/sound/{key}", sounds.sound),
    ):
        router.add_get(path, handler)
    for path, handler in (
        ("/plan/edit/{section}/{id}", edit.save_form),
        ("/plan/new/{section}", edit.add),
        ("/plan/remove/{section}/{id}", edit.remove),
        ("/plan/text", text_page.save_text),
        ("/plan/discard", text_page.throw_away),
        ("/plan/activate", versions.activate),
        ("/plan/lay-over", versions.lay_over),
        ("/plan/rebase", versions.rebase),
        ("/plan/versions/{version}/activate", versions.go_back),
        ("/plan/events", events.change),
        ("/plan/switches/opening", switches.set_opening),
        ("/plan/switches/clear", switches.clear_opening),
        ("/plan/switches/notices/{notice}/{do:on|off}", switches.set_notice),
    ):
        router.add_post(path, handler)
