"""Users: taken over from the site, their passwords, and the sign-in with its lock-out."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select

from dialplans import Site
from store import Store, User, UserSession

from . import passwords
from .audit import Action, note
from .rights import Role
from .settings import ConsoleError
from .texts import Language, texts

MAX_WRONG = 5
LOCK_FOR = timedelta(minutes=15)
_UNKNOWN_KEPT = 1000


@dataclass(frozen=True)
class Account:
    """Somebody who has signed in."""

    login: str
    name: str
    role: Role
    operator: str | None
    must_change: bool = False


@dataclass(frozen=True)
class SignInRefused:
    """Why a sign-in failed: `locked_for` is set while the login is locked out."""

    locked_for: timedelta | None = None


async def sync_users(store: Store, site: Site) -> None:
    """Brings the table of users in line with the site: new ones get no password (and cannot sign in yet),
    users no longer in the site are disabled and their sessions ended; passwords are kept."""
    async with store.session() as session:
        now = datetime.now(UTC)
        known = {user.login: user for user in (await session.scalars(select(User))).all()}
        for wanted in site.users:
            row = known.pop(wanted.login, None)
            if row is None:
                session.add(
                    User(
                        login=wanted.login,
                        name=wanted.name,
                        role=wanted.role.value,
                        operator=wanted.operator,
                        must_change=False,
                        disabled=False,
                        failed_count=0,
                        updated_at=now,
                    )
                )
                continue
            changes = {
                "name": wanted.name,
                "role": wanted.role.value,
                "operator": wanted.operator,
                "disabled": False,
            }
            if any(getattr(row, field) != value for field, value in changes.items()):
                for field, value in changes.items():
                    setattr(row, field, value)
                row.updated_at = now
        for row in known.values():
            if not row.disabled:
                row.disabled, row.updated_at = True, now
                await session.execute(delete(UserSession).where(UserSession.login == row.login))


async def set_password(store: Store, login: str, password: str, *, must_change: bool = False) -> None:
    """Sets a user's password, lifts a lock-out and ends the user's sessions. Raises ConsoleError (one line)
    when there is no such user or the password is too weak."""
    if weak := passwords.weakness(password, login):
        raise ConsoleError(texts(Language.JA)(weak))
    hashed = await passwords.hash_password(password)
    async with store.session() as session:
        row = await session.get(User, login)
        if row is None or row.disabled:
            raise ConsoleError(
                f"利用者「{login}」はいません。サイトの users に書いてから、もう一度実行してください。"
            )
        row.password_hash, row.must_change = hashed, must_change
        row.failed_count, row.locked_until = 0, None
        row.updated_at = datetime.now(UTC)
        await session.execute(delete(UserSession).where(UserSession.login == login))


class SignIns:
    """Checks logins and passwords. Logins that do not exist are locked out just like those that do, so that
    an answer tells nobody which exist; those are only remembered in memory."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._unknown: OrderedDict[str, tuple[int, datetime | None]] = OrderedDict()

    async def attempt(self, login: str, password: str, address: str | None) -> Account | SignInRefused:
        """One attempt, written to the access log whatever comes of it. Raises StoreUnavailable."""
        async with self._store.reading() as session:
            row = await session.get(User, login) if login else None
        usable = row if row is not None and not row.disabled else None
        fits = await passwords.verify(password, usable.password_hash if usable else None)
        now = datetime.now(UTC)
        locked_until = usable.locked_until if usable else self._unknown.get(login, (0, None))[1]
        if locked_until is not None and locked_until > now:
            await note(self._store, Action.SIGN_IN_FAILED, login=login, address=address, detail="locked out")
            return SignInRefused(locked_until - now)
        if usable is not None and fits:
            async with self._store.session() as session:
                current = await session.get_one(User, login)
                current.failed_count, current.locked_until = 0, None
            await note(self._store, Action.SIGN_IN, login=login, address=address)
            return Account(usable.login, usable.name, Role(usable.role), usable.operator, usable.must_change)
        locked = await self._count_wrong(usable is not None, login, now)
        await note(self._store, Action.SIGN_IN_FAILED, login=login, address=address)
        if locked:
            await note(self._store, Action.LOCKED_OUT, login=login, address=address)
            return SignInRefused(LOCK_FOR)
        return SignInRefused()

    async def _count_wrong(self, known: bool, login: str, now: datetime) -> bool:
        if known:
            async with self._store.session() as session:
                # Read again within the writing transaction: attempts at the same moment must all count.
                row = await session.get(User, login, with_for_update=True)
                if row is None:
                    return False
                row.failed_count += 1
                if row.failed_count < MAX_WRONG:
                    return False
                row.failed_count, row.locked_until = 0, now + LOCK_FOR
                return True
        count = self._unknown.pop(login, (0, None))[0] + 1
        locked = count >= MAX_WRONG
        self._unknown[login] = (0, now + LOCK_FOR) if locked else (count, None)
        while len(self._unknown) > _UNKNOWN_KEPT:
            self._unknown.popitem(last=False)
        return locked

    async def change_password(self, account: Account, current: str, new: str) -> str | None:
        """Changes a password; returns None, or the text key of what is wrong. Wrong current passwords count
        towards the lock-out like any others."""
        async with self._store.reading() as session:
            row = await session.get(User, account.login)
        if row is None:
            return "account.wrong"
        now = datetime.now(UTC)
        if row.locked_until is not None and row.locked_until > now:
            return "account.wrong"
        if not await passwords.verify(current, row.password_hash):
            await self._count_wrong(True, account.login, now)
            return "account.wrong"
        if current == new:
            return "account.same"
        if weak := passwords.weakness(new, account.login):
            return weak
        await set_password(self._store, account.login, new)
        return None
