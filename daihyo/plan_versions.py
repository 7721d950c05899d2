"""`daihyo plan list|show|export|diff|activate|undo`: the versions in a centre's database."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from daihyo.apply import go_live, must_run, myself, opened
from daihyo.plans import difference, live_site
from daihyo.settings import StateDir, UserError
from store import PlanVersion, Store, plans


async def listed(state: StateDir, limit: int, as_json: bool) -> str:
    """One line a version; `*` marks the live one."""
    async with opened(state) as store:
        told = await plans.history(store, limit)
    if as_json:
        return json.dumps([_told_json(one) for one in told], ensure_ascii=False)
    zone = live_site(state).zone
    lines = []
    for one in told:
        when = _local(one.live_at, zone) if one.live_at else "反映なし / never"
        lines.append(
            f"{'*' if one.live else ' '} {one.id:>4}  {_local(one.created_at, zone)}  {one.author:12} "
            f"{when:19}  {one.comment}"
        )
    return "\n".join(lines) or "版はありません / no versions"


async def show(state: StateDir, number: int, as_json: bool) -> str:
    """One version and every wish to make it live."""
    async with opened(state) as store:
        version = await _known(store, number)
        live = await plans.live(store)
        wishes = await plans.activations_of(store, number)
    found: dict[str, Any] = {
        "version": version.id,
        "author": version.author,
        "created_at": _utc(version.created_at),
        "comment": version.comment,
        "based_on": version.based_on,
        "sha256": version.sha256,
        "bytes": len(version.text.encode()),
        "live": live is not None and live.id == version.id,
        "activations": [
            {
                "id": one.id,
                "state": one.state,
                "asked_by": one.asked_by,
                "asked_at": _utc(one.asked_at),
                "confirmed_by": one.confirmed_by,
                "done_at": _utc(one.done_at),
                "problem": one.problem,
            }
            for one in wishes
        ],
    }
    if as_json:
        return json.dumps(found, ensure_ascii=False)
    zone = live_site(state).zone
    lines = [
        f"版 / version      {version.id}{' (反映中 / live)' if found['live'] else ''}",
        f"作成者 / author   {version.author}",
        f"日時 / made       {_local(version.created_at, zone)}",
        f"説明 / comment    {version.comment}",
        f"もとの版 / from   {version.based_on or '–'}",
    ]
    for one in wishes:
        lines.append(
            f"{_local(one.asked_at, zone)}  {one.asked_by}: {one.state}"
            + (f" – {one.problem}" if one.problem else "")
        )
    return "\n".join(lines)


async def export(state: StateDir, number: int | None) -> str:
    """The text of a version, of the live one without a number."""
    async with opened(state) as store:
        return (await _known(store, number)).text


async def diff(state: StateDir, old: int, new: int | None) -> str:
    """A unified diff."""
    async with opened(state) as store:
        one, other = await _known(store, old), await _known(store, new)
    found = difference(one.text, other.text, f"{one.id}.yaml", f"{other.id}.yaml")
    return found or "違いはありません / no difference"


async def activate(state: StateDir, number: int) -> dict[str, Any]:
    """Makes a version live and waits for it."""
    async with opened(state) as store:
        version = await _known(store, number)
        await must_run(state)
        wish = await go_live(store, version, myself())
    return {"version": version.id, "activation": wish.id}


async def undo(state: StateDir) -> dict[str, Any]:
    """Makes the version live that was so before the present one."""
    async with opened(state) as store:
        live = await _known(store, None)
        before = await plans.before(store, live.id)
        if before is None:
            raise UserError(
                f"版 {live.id} より前に反映された版はありません / no version was live before {live.id}"
            )
        await must_run(state)
        wish = await go_live(store, await _known(store, before), myself())
    return {"version": before, "activation": wish.id, "undone": live.id}


async def _known(store: Store, number: int | None) -> PlanVersion:
    found = await (plans.live(store) if number is None else plans.version(store, number))
    if found is None:
        newest = [one.id for one in await plans.history(store, 1)]
        raise UserError(
            f"版 {number or ''} はありません / there is no version {number or ''}; "
            f"the newest is {newest[0] if newest else '–'} (daihyo plan list)"
        )
    return found


def _told_json(one: plans.Told) -> dict[str, Any]:
    return {
        "version": one.id,
        "author": one.author,
        "created_at": _utc(one.created_at),
        "comment": one.comment,
        "based_on": one.based_on,
        "sha256": one.sha256,
        "live": one.live,
        "live_at": _utc(one.live_at),
        "live_by": one.live_by,
    }


def _utc(at: datetime | None) -> str | None:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z") if at is not None else None


def _local(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
