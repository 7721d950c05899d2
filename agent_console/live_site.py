"""The live plan as the engine has it: DIR/plans/live names the version, DIR/plans/<version>.json (and .yaml)
holds it. A centre that has no versions yet lives by its site file."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from pydantic import ValidationError

from asterisk_conf import ConfigurationError, Secrets
from dialplans import Site, SiteError, load_site

from .accounts import sync_users
from .console import Console
from .settings import ConsoleError, ConsoleSettings

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.5


def read_site(settings: ConsoleSettings) -> Site:
    """The live site. Blocking. Raises ConsoleError with every problem's line."""
    path = _path(settings)
    if path.suffix == ".json":
        try:
            return Site.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            log.warning("plan %s: read from its YAML instead: %s", path.name, str(error).splitlines()[0])
            path = path.with_suffix(".yaml")
    try:
        return load_site(path)
    except SiteError as error:
        raise ConsoleError(f"site {path}: {error}") from None


def read_text(settings: ConsoleSettings) -> str:
    """The live plan's text. Blocking. Raises ConsoleError."""
    path = _path(settings).with_suffix(".yaml")
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConsoleError(f"plan {path}: cannot be read ({error})") from None


def live_version(settings: ConsoleSettings) -> int | None:
    """The live version's number, or None while there is none."""
    try:
        text = (settings.plans_folder / "live").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return int(text) if text.isdecimal() else None


def read_keys(settings: ConsoleSettings, site: Site) -> Secrets:
    """The secrets file. Raises ConsoleError."""
    try:
        return Secrets.load_or_create(settings.secrets_path, site)
    except ConfigurationError as error:
        raise ConsoleError(str(error)) from None


async def follow_site(console: Console) -> None:
    """Takes over a plan that went live (users, names, targets) and new secrets, until cancelled.

    A plan that cannot be read is left alone: the last good one stays.
    """
    stamp = _stamp(console.settings)
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        now = _stamp(console.settings)
        if now == stamp:
            continue
        stamp = now
        try:
            console.site = await asyncio.to_thread(read_site, console.settings)
            # Only read: the secrets may be those of the next plan already, with new operators in them.
            console.keys = await asyncio.to_thread(Secrets.read, console.settings.secrets_path)
            await sync_users(console.store, console.site)
            for user in console.site.users:
                console.sessions.forget(user.login)
            log.info("site: taken over again")
        except Exception as error:  # whatever is wrong, the console goes on with the last good one
            log.warning("site: kept the former one: %s", error)


def _path(settings: ConsoleSettings) -> Path:
    version = live_version(settings)
    if version is None:
        return settings.site_path
    checked = settings.plans_folder / f"{version}.json"
    return checked if checked.is_file() else checked.with_suffix(".yaml")


def _stamp(settings: ConsoleSettings) -> tuple[int, ...]:
    live = settings.plans_folder / "live"
    watched = (live, settings.secrets_path) if live.is_file() else (settings.site_path, settings.secrets_path)
    stamps = [live_version(settings) or 0]
    for path in watched:
        try:
            stamps.append(path.stat().st_mtime_ns)
        except OSError:
            stamps.append(0)
    return tuple(stamps)
