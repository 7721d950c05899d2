"""Desk phones with keys of their own: who gets them, with which Asterisk, and what nobody else gets."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from asterisk_conf import AsteriskSettings, Secrets, needs_restart, render
from asterisk_conf.phone_keys import warning, with_keys
from dialplans import Site
from tests.unit.asterisk_conf.test_render import MINATO, changed, settings

__all__ = ["settings"]

UNSAFE, SAFE = (22, 10, 1), (22, 12, 0)


def asked(at_own_risk: bool = False) -> Site:
    """The first two operators have the opt-in."""
    operators = [one.model_dump() for one in MINATO.operators]
    for one in operators[:2]:
        one["phone_keys"] = True
    transfers = MINATO.transfers.model_dump() | {"keys_at_own_risk": at_own_risk}
    return changed(MINATO, operators=operators, transfers=transfers)


def endpoints(etc: Path) -> dict[str, str]:
    """Each endpoint's section of pjsip.conf."""
    found = re.findall(
        r"^\[([^\]]+)\]\ntype = endpoint\n(.*?)(?=^\[)", (etc / "pjsip.conf").read_text(), re.M | re.S
    )
    return dict(found)


def rendered(site: Site, settings: AsteriskSettings, version: tuple[int, int, int]) -> list[str]:
    settings = replace(settings, tree=replace(settings.tree, version=version))
    return render(site, Secrets.load_or_create(settings.folder.parent / "secrets.json", site), settings)


@pytest.mark.req("XFR-6")
@pytest.mark.parametrize(
    ("version", "at_own_risk", "on"), [(SAFE, False, True), (UNSAFE, True, True), (UNSAFE, False, False)]
)
def test_only_who_asked_and_only_where_it_is_safe(
    settings: AsteriskSettings, version: tuple[int, int, int], at_own_risk: bool, on: bool
) -> None:
    site = asked(at_own_risk)
    rendered(site, settings, version)
    first, second, *_ = (one.id for one in site.operators)
    have = {name for name, text in endpoints(settings.etc).items() if "allow_transfer = yes" in text}
    assert have == ({first, second} if on else set())
    assert with_keys(site, version) == have
    for name, text in endpoints(settings.etc).items():
        assert ("PJSIP_TRANSFER_HANDLING()=ari-only" in text) is (name in have)
        assert ("context = phone-keys" in text) is (name in have)
    assert ("res_pjsip_refer.so" in (settings.etc / "modules.conf").read_text()) is on
    told = warning(site, version)
    assert told is not None
    assert ("stay off" in told) is not on


@pytest.mark.req("XFR-6", "SEC-4")
def test_what_is_dialled_there_goes_to_the_application_alone(settings: AsteriskSettings) -> None:
    rendered(asked(), settings, SAFE)
    text = (settings.etc / "extensions.conf").read_text()
    context = text.split("[phone-keys]")[1].split("\n[")[0]
    steps = [line.split(",", 2)[2] if line.startswith("exten") else line.split("n,")[1]
             for line in context.splitlines() if line.startswith(("exten", " same"))]  # fmt: skip
    assert [one.split("(")[0] for one in steps] == ["Stasis", "Hangup"]
    assert "include" not in context


@pytest.mark.req("XFR-6")
def test_nobody_has_them_unless_asked(settings: AsteriskSettings) -> None:
    rendered(MINATO, settings, SAFE)
    assert warning(MINATO, SAFE) is None
    assert "res_pjsip_refer" not in (settings.etc / "modules.conf").read_text()
    assert "phone-keys" not in (settings.etc / "extensions.conf").read_text()
    assert needs_restart(rendered(asked(), settings, SAFE)) == ["modules.conf"]
