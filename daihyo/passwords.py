"""Passwords of people who sign in, set from the command line."""

from __future__ import annotations

import json
import secrets
from contextlib import suppress

from agent_console import set_password, sync_users
from daihyo.plans import live_site
from daihyo.settings import Runtime, StateDir, UserError, write_private
from store import Store

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks alike


def generate() -> str:
    """Three groups of four letters and digits: 59 bits, easy to read out."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))


async def set_one(state: StateDir, login: str, password: str) -> None:
    """Raises UserError when the site has no such user, ConsoleError when the password is too weak."""
    site = live_site(state)
    known = [one.login for one in site.users]
    if login not in known:
        raise UserError(f"利用者 {login} はいません / there is no user {login}; there are: {' '.join(known)}")
    store = await Store.open(Runtime.load(state).database(state))
    try:
        await sync_users(store, site)
        await set_password(store, login, password)
    finally:
        await store.close()


async def set_demo(state: StateDir, database_url: str) -> dict[str, str]:
    """Every user's password in the demo, made once and kept in DIR/demo-passwords.json (0600)."""
    site = live_site(state)
    file = state.path / "demo-passwords.json"
    known: dict[str, str] = {}
    with suppress(OSError, ValueError):
        known = json.loads(file.read_text())
    store = await Store.open(database_url)
    try:
        await sync_users(store, site)
        for login in (one.login for one in site.users):
            if login not in known:
                known[login] = generate()
                await set_password(store, login, known[login])
    finally:
        await store.close()
    write_private(file, json.dumps(known, indent=1) + "\n")
    return {one.login: known[one.login] for one in site.users}
