"""Passwords: hashed with argon2id, verified in a thread, equally slow for users who do not exist."""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 10
MAX_LENGTH = 200  # argon2 would hash a megabyte just as gladly

_hasher = PasswordHasher()  # argon2-cffi's defaults: RFC 9106 low-memory profile (64 MiB, 3 passes)
# Hashing takes 64 MiB and a core for some 50 ms: many sign-ins must not take the machine away from calls.
_threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="argon2")
_nobody: str | None = None
# So many may wait for their turn; a flood beyond them is sent away, or nobody would get in for minutes.
WAITING_MAX = 40
_waiting = 0


class TooManySignIns(Exception):
    """Too many passwords are being checked at this moment."""


def weakness(password: str, login: str = "") -> str | None:
    """Why a new password is refused (a text key of `texts`), or None when it will do."""
    if len(password) < MIN_LENGTH:
        return "password.too_short"
    if len(password) > MAX_LENGTH:
        return "password.too_long"
    if login and login.lower() in password.lower():
        return "password.has_login"
    if len(set(password)) < 5:
        return "password.too_simple"
    return None


async def hash_password(password: str) -> str:
    """The argon2id hash to store."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, password)


async def verify(password: str, hashed: str | None) -> bool:
    """True if the password fits. With `hashed` None (no such user) it takes as long, and is False.
    Raises TooManySignIns."""
    global _nobody, _waiting
    if _waiting >= WAITING_MAX:
        raise TooManySignIns
    _waiting += 1
    try:
        if _nobody is None:
            _nobody = await hash_password(secrets.token_urlsafe(16))
        fits = await asyncio.get_running_loop().run_in_executor(
            _threads, _verify, password[: MAX_LENGTH + 1], hashed or _nobody
        )
    finally:
        _waiting -= 1
    return fits and hashed is not None


def _verify(password: str, hashed: str) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False
