"""What the plan says about the seat, for its page: limits, categories, keys, names of those who help."""

from __future__ import annotations

from typing import Any

from dialplans import Site

from .texts import Texts

KEYS: tuple[tuple[str, str], ...] = (
    ("F1", "keys.states"),
    ("F2", "js.seat.answer"),
    ("F3", "keys.hold"),
    ("F4", "keys.find"),
    ("/", "keys.find"),
    ("F6", "seat.done"),
    ("F7", "js.seat.mute"),
    ("F8", "keys.hangup"),
    ("F9", "transfer.complete"),
    ("F10", "transfer.return"),
    ("⇧F2", "js.ask.raise"),
    ("⇧F3", "js.mark.harassment"),
    ("⇧F4", "keys.dial"),
    ("⇧F6", "keys.wrap"),
    ("⇧F7", "dial.pad"),
    ("⇧F8", "keys.emergency"),
    ("⇧F9", "transfer.three_way"),
)


def setup(site: Site) -> dict[str, Any]:
    """For the page's script (`SeatSetup` in web/page.ts)."""
    names = {operator.id: operator.name for operator in site.operators}
    names |= {user.login: user.name for user in site.users}
    return {
        "hops_warn": site.transfers.hops_warn,
        "harassment": site.harassment.model_dump(),
        "categories": [category.model_dump() for category in site.categories],
        "extensions": list(site.pbx.digits) if site.pbx is not None else None,
        "dials": bool(site.dialling.trunks or site.dialling.by_class),
        "people": names,
    }


def keys(texts: Texts) -> list[tuple[str, str]]:
    """Each key of the seat with what it does."""
    return [(name, texts(word)) for name, word in KEYS]
