"""Which plan a centre starts with: the site's file, or what city staff made of it since.

What was changed in the console is never overwritten by an older file, and a mistake in the file does not keep
a centre that has a good plan from starting: both are told in a line.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

from daihyo import plans as files
from daihyo.settings import StateDir, UserError
from dialplans import Site
from store import PlanVersion, Store, plans

log = logging.getLogger("daihyo.up")


@dataclass(frozen=True)
class Chosen:
    """The plan to start with. `new`: the database does not yet know that it is live."""

    version: int
    text: str
    site: Site
    new: bool
    warnings: list[str] = field(default_factory=list)


async def choose(store: Store, state: StateDir, file: Path, *, use_file: bool = False) -> Chosen:
    """To be called while nothing of the centre runs. Raises SiteProblems when there is no good plan.

    The live plan stays unless `file` was changed since it was last taken and the live plan came from it;
    `use_file`: unless it says something else."""
    before = files.live_number(state)
    await plans.settle_interrupted(store, before)
    live = await plans.live(store)
    told: list[str] = []
    if before is not None and (live is None or live.id != before):
        known = live
        live = await _as_the_engine_had_it(store, state, before) or live
        if known is not None and live is not None and live is not known:
            told = [_had(live, known)]
    try:
        text, site = files.read_file(file, files.today())
    except files.SiteProblems as problems:
        if live is None or use_file:
            raise
        return _kept(live, state, [*told, *_mistakes(file, live, problems)], problems)
    if live is None:
        return await _taken(store, text, site, None)
    if use_file and plans.digest(text) != live.sha256:
        return await _taken(store, text, site, live.id)
    taken = await plans.newest_of_file(store, went_live=True)
    same = {live.sha256, taken.sha256 if taken is not None else ""}
    if plans.digest(text) in same:
        return await _kept_or(store, live, state, text, site, told)
    if live.author == plans.FILE:
        return await _taken(store, text, site, live.id)
    return await _kept_or(store, live, state, text, site, [*told, _older(file, live, state)])


def _had(live: PlanVersion, known: PlanVersion) -> str:
    return (
        f"データベースでは版 {known.id} ですが、通話エンジンは版 {live.id} で動いていました。版 {live.id} を"
        f"使います / the database says that version {known.id} is live, but the engine ran "
        f"version {live.id}: that one stays"
    )


def _mistakes(file: Path, live: PlanVersion, problems: UserError) -> list[str]:
    return [
        f"{file} に誤りがあります。動いていた版 {live.id} で始めます / {file} has mistakes; "
        f"the centre starts with version {live.id}, which was live:",
        *str(problems).splitlines(),
    ]


def _older(file: Path, live: PlanVersion, state: StateDir) -> str:
    return (
        f"{file} が変わっていますが、画面で作られた版 {live.id}({live.author})をそのまま使います / "
        f"{file} was changed, but version {live.id}, made in the console by {live.author}, stays live. "
        f"To use the file: daihyo site apply {file} --state {state.path}"
    )


async def _kept_or(
    store: Store, live: PlanVersion, state: StateDir, text: str, site: Site, warnings: list[str]
) -> Chosen:
    """The live version; the file's text instead, should this program refuse what an older one took."""
    try:
        return _kept(live, state, warnings)
    except files.SiteProblems as problems:
        if plans.digest(text) == live.sha256:
            raise
        told = (
            f"版 {live.id} は使えなくなりました。ファイルの内容で始めます / version {live.id} does not pass "
            "this program's checks; the centre starts with the file instead:"
        )
        chosen = await _taken(store, text, site, live.id)
        return Chosen(chosen.version, text, site, True, [told, *str(problems).splitlines()])


def _kept(
    live: PlanVersion, state: StateDir, warnings: list[str], otherwise: UserError | None = None
) -> Chosen:
    try:
        site = files.checked(live.text, str(files.plan_file(state, live.id)))
    except files.SiteProblems as problems:
        raise otherwise or problems from None
    return Chosen(live.id, live.text, site, False, warnings)


async def _taken(store: Store, text: str, site: Site, based_on: int | None) -> Chosen:
    """The file's text as a version; the same one when an earlier start failed after this."""
    tried = await plans.newest_of_file(store)
    if tried is None or tried.sha256 != plans.digest(text):
        comment = "最初の版 / first version" if based_on is None else "ファイルから / from the file"
        tried = await plans.add_version(store, text, author=plans.FILE, comment=comment, based_on=based_on)
    return Chosen(tried.id, text, site, True)


async def _as_the_engine_had_it(store: Store, state: StateDir, number: int) -> PlanVersion | None:
    """DIR/plans/live is the engine's own word, written in the moment in which calls came to hear a version;
    the database only hears of it afterwards. None when nobody knows that version."""
    version = await plans.version(store, number)
    if version is None:
        return await _bring_back(store, state, number)
    await plans.note_live(store, number, by="engine")
    return version


async def _bring_back(store: Store, state: StateDir, number: int) -> PlanVersion | None:
    """A new database knows no versions: the live one is brought back from its file, under its number."""
    try:
        text = files.plan_file(state, number).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        log.warning("version %d of the plan is lost: %s", number, error)
        return None
    version = await plans.add_version(
        store, text, author="restored", comment="ファイルから復元 / brought back from DIR/plans", id=number
    )
    await plans.note_live(store, number, by="restored")
    return version
