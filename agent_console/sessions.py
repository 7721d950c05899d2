"""Sessions: a random token in a cookie, its hash in the database, an idle and an absolute end."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select, update

from store import Store, StoreUnavailable, User, UserSession

from .accounts import Account
from .rights import Right, Role, rights_of

# A session once looked up holds this long without asking the database again ...
_TRUST_S = 5.0
# ... and while the database is away up to this long, so that operators can go on serving calls.
_TRUST_WITHOUT_STORE_S = 900.0
_TOUCH_EVERY_S = 30.0
_SWEEP_S = 2.0
_KEEP_ENDED = 1000


@dataclass
class Session:
    """A sign-in that holds. `csrf` must come with every change. The API token has one too, without cookie."""

    account: Account
    csrf: str
    token_hash: str
    expires_at: datetime
    last_seen_at: datetime
    checked: float = field(default_factory=time.monotonic)

    @property
    def rights(self) -> frozenset[Right]:
        return rights_of(self.account.role)

    def may(self, right: Right) -> bool:
        return right in self.rights

    def csrf_fits(self, token: str | None) -> bool:
        return token is not None and hmac.compare_digest(token.encode(), self.csrf.encode())


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass
class _Look:
    """One question to the database for several sessions."""

    keys: set[str] = field(default_factory=set)
    task: asyncio.Task[None] | None = None


class Sessions:
    """All sessions of this console. Times of ends are wall-clock time: they must survive a restart."""

    def __init__(self, store: Store, idle_s: float, absolute_s: float) -> None:
        self._store = store
        self.idle = timedelta(seconds=idle_s)
        self.absolute = timedelta(seconds=absolute_s)
        self._cache: dict[str, Session] = {}
        self._looking = asyncio.Lock()
        self._next: _Look | None = None
        self._ended: dict[str, None] = {}  # signed out here, the last of them

    async def begin(self, account: Account, address: str | None) -> tuple[str, Session]:
        """A new session; returns the cookie's token (never stored) and the session."""
        token, csrf, now = secrets.token_urlsafe(32), secrets.token_urlsafe(24), datetime.now(UTC)
        expires = now + self.absolute
        async with self._store.session() as session:
            await session.execute(delete(UserSession).where(UserSession.expires_at < now))
            session.add(
                UserSession(
                    token_hash=_hash(token),
                    login=account.login,
                    csrf=csrf,
                    created_at=now,
                    last_seen_at=now,
                    expires_at=expires,
                    address=address,
                )
            )
        made = Session(account, csrf, _hash(token), expires, now)
        self._cache[made.token_hash] = made
        return token, made

    async def find(self, token: str) -> Session | None:
        """The session of a cookie, or None when there is none or it has ended. Raises StoreUnavailable only
        for a session this console has not seen lately."""
        key = _hash(token)
        cached = self._cache.get(key)
        if cached is None or time.monotonic() - cached.checked > _TRUST_S:
            try:
                cached = await self._load(key)
            except StoreUnavailable:
                if cached is None or time.monotonic() - cached.checked > _TRUST_WITHOUT_STORE_S:
                    raise
        if cached is None or self.has_ended(cached):
            self._cache.pop(key, None)
            return None
        return cached

    def has_ended(self, session: Session) -> bool:
        """Idle too long or past its absolute end."""
        now = datetime.now(UTC)
        return now >= session.expires_at or now - session.last_seen_at >= self.idle

    async def still_holds(self, session: Session) -> bool:
        """For long-lived sockets: whether the session has not ended or been taken away meanwhile.
        Known within _SWEEP_S: hundreds of pages that ask are answered by one look into the database."""
        if self.has_ended(session):
            return False
        try:
            current = self._cache.get(session.token_hash)
            if current is None or time.monotonic() - current.checked > _SWEEP_S:
                current = await self._load(session.token_hash, *self._cache)
        except StoreUnavailable:
            return True
        return current is not None and not self.has_ended(current)

    async def touch(self, session: Session) -> None:
        """Its user is there: moves the idle end. Written to the database now and then only."""
        now = datetime.now(UTC)
        if (now - session.last_seen_at).total_seconds() < min(_TOUCH_EVERY_S, self.idle.total_seconds() / 4):
            return
        session.last_seen_at = now
        try:
            async with self._store.session() as database:
                await database.execute(
                    update(UserSession)
                    .where(UserSession.token_hash == session.token_hash)
                    .values(last_seen_at=now)
                )
        except StoreUnavailable:
            return  # in memory it is moved; the next touch writes it

    async def end(self, session: Session) -> None:
        """Signs out."""
        self._cache.pop(session.token_hash, None)
        self._ended[session.token_hash] = None
        while len(self._ended) > _KEEP_ENDED:
            del self._ended[next(iter(self._ended))]
        async with self._store.session() as database:
            await database.execute(delete(UserSession).where(UserSession.token_hash == session.token_hash))

    def forget(self, login: str) -> None:
        """The user's sessions were changed in the database: look them up anew."""
        self._cache = {key: s for key, s in self._cache.items() if s.account.login != login}

    async def _load(self, key: str, *also: str) -> Session | None:
        """The session as the database has it. Whoever asks while the database is being asked waits for the
        next look, which is for all of them: hundreds of pages that come back at once are a few questions."""
        if self._next is None:
            look = self._next = _Look()
            look.task = asyncio.create_task(self._look(look))
            look.task.add_done_callback(lambda task: task.cancelled() or task.exception())
        look = self._next
        look.keys |= {key, *also}
        assert look.task is not None  # noqa: S101 - made above
        await asyncio.shield(look.task)  # one page that goes away leaves the others their answer
        return self._cache.get(key)

    async def _look(self, look: _Look) -> None:
        async with self._looking:
            self._next = None
            query = select(UserSession, User).join(User, User.login == UserSession.login)
            async with self._store.reading() as database:
                rows = (await database.execute(query.where(UserSession.token_hash.in_(look.keys)))).all()
        stored = {row[0].token_hash: row for row in rows if not row[1].disabled}
        for key in look.keys:
            if key not in stored:
                self._cache.pop(key, None)
            elif key not in self._ended:  # meanwhile
                self._take(stored[key][0], stored[key][1])

    def _take(self, stored: UserSession, user: User) -> Session:
        account = Account(user.login, user.name, Role(user.role), user.operator, user.must_change)
        former = self._cache.get(stored.token_hash)
        seen = max(stored.last_seen_at, former.last_seen_at) if former else stored.last_seen_at
        made = Session(account, stored.csrf, stored.token_hash, stored.expires_at, seen)
        self._cache[stored.token_hash] = made
        return made
