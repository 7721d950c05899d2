"""Sign-in, lock-out, sessions, password change: what a stranger must not learn or do."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from agent_console import ConsoleError, passwords, set_password, sync_users
from agent_console.accounts import LOCK_FOR, MAX_WRONG, Account, SignInRefused, SignIns
from agent_console.console import CONSOLE
from agent_console.rights import Role
from agent_console.sessions import Sessions
from dialplans import load_site
from store import AccessEntry, Store, User, UserSession
from tests.support.site import site, write_site

from .conftest import PASSWORD, USERS, Start

pytestmark = pytest.mark.req("SEC-1")


@pytest.fixture
async def people(store: Store, tmp_path: object) -> Store:
    """A store with the site's users; op01 has a password."""
    await sync_users(store, load_site(write_site(tmp_path / "people.yaml", site(2, users=USERS))))  # type: ignore[operator]
    await set_password(store, "op01", PASSWORD)
    return store


async def actions(store: Store, login: str) -> list[str]:
    async with store.reading() as session:
        query = select(AccessEntry.action).where(AccessEntry.login == login).order_by(AccessEntry.id)
        return list(await session.scalars(query))


async def test_the_right_password_signs_in(people: Store) -> None:
    account = await SignIns(people).attempt("op01", PASSWORD, "192.0.2.1")
    assert account == Account("op01", "操作者01", Role.OPERATOR, "1001")
    assert await actions(people, "op01") == ["sign_in"]


@pytest.mark.parametrize("login", ["op01", "nobody", ""])
async def test_wrong_passwords_lock_a_login_out_whether_it_exists_or_not(people: Store, login: str) -> None:
    sign_ins = SignIns(people)
    answers = [await sign_ins.attempt(login, "wrong", None) for _ in range(MAX_WRONG)]
    assert answers == [SignInRefused()] * (MAX_WRONG - 1) + [SignInRefused(LOCK_FOR)]
    locked = await sign_ins.attempt(login, PASSWORD, None)
    assert isinstance(locked, SignInRefused)
    assert locked.locked_for is not None
    assert locked.locked_for <= LOCK_FOR
    assert (await actions(people, login))[-2:] == ["locked_out", "sign_in_failed"]


async def test_guesses_at_the_same_moment_all_count(people: Store) -> None:
    sign_ins = SignIns(people)
    answers = await asyncio.gather(*(sign_ins.attempt("op01", f"guess-{n}", None) for n in range(MAX_WRONG)))
    assert SignInRefused(LOCK_FOR) in answers
    assert isinstance(await sign_ins.attempt("op01", PASSWORD, None), SignInRefused)


async def test_a_lock_ends_and_a_success_forgets_the_failures(people: Store) -> None:
    sign_ins = SignIns(people)
    for _ in range(MAX_WRONG):
        await sign_ins.attempt("op01", "wrong", None)
    async with people.session() as session:
        past = datetime.now(UTC) - timedelta(seconds=1)
        await session.execute(update(User).where(User.login == "op01").values(locked_until=past))
    assert isinstance(await sign_ins.attempt("op01", PASSWORD, None), Account)
    for _ in range(MAX_WRONG - 1):
        await sign_ins.attempt("op01", "wrong", None)
    assert isinstance(await sign_ins.attempt("op01", PASSWORD, None), Account)


async def test_no_password_yet_is_no_empty_password(people: Store) -> None:
    assert isinstance(await SignIns(people).attempt("op02", "", None), SignInRefused)


async def test_unknown_logins_cost_as_much_hashing_as_known_ones(
    people: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []
    real = passwords._verify

    def counted(password: str, hashed: str) -> bool:
        verified.append(hashed)
        return real(password, hashed)

    monkeypatch.setattr(passwords, "_verify", counted)
    for login in ("op01", "op02", "nobody"):
        await SignIns(people).attempt(login, "wrong", None)
    assert len(verified) == 3


async def test_a_flood_of_sign_ins_is_sent_away(people: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "WAITING_MAX", 2)
    attempts = (SignIns(people).attempt(f"guest-{n}", "wrong", None) for n in range(30))
    answers = await asyncio.gather(*attempts, return_exceptions=True)
    assert {type(answer) for answer in answers} == {SignInRefused, passwords.TooManySignIns}
    assert isinstance(await SignIns(people).attempt("op01", PASSWORD, None), Account)


async def test_users_follow_the_site(people: Store, tmp_path: object) -> None:
    sessions = Sessions(people, 60, 60)
    token, _ = await sessions.begin(Account("op01", "", Role.OPERATOR, "1001"), None)
    fewer = [{**USERS[1], "name": "改名"}, *USERS[2:]]
    await sync_users(people, load_site(write_site(tmp_path / "fewer.yaml", site(2, users=fewer))))  # type: ignore[operator]
    assert isinstance(await SignIns(people).attempt("op01", PASSWORD, None), SignInRefused)
    assert await Sessions(people, 60, 60).find(token) is None
    async with people.reading() as session:
        assert (await session.get_one(User, "op02")).name == "改名"
    with pytest.raises(ConsoleError, match="op01"):
        await set_password(people, "op01", PASSWORD)


@pytest.mark.parametrize("weak", ["short", "aaaaaaaaaaaa", "xx-op01-xx-yy", "x" * 201])
async def test_weak_passwords_are_refused(people: Store, weak: str) -> None:
    with pytest.raises(ConsoleError):
        await set_password(people, "op01", weak)
    assert isinstance(await SignIns(people).attempt("op01", PASSWORD, None), Account)


async def test_sessions_end_when_idle_and_absolutely(people: Store) -> None:
    sessions = Sessions(people, idle_s=600, absolute_s=3600)
    account = Account("op01", "操作者01", Role.OPERATOR, "1001")
    for column, age in (
        (UserSession.last_seen_at, timedelta(seconds=601)),
        (UserSession.expires_at, timedelta(seconds=1)),
    ):
        token, session = await sessions.begin(account, None)
        assert await sessions.find(token) is not None
        async with people.session() as database:
            row = update(UserSession).where(UserSession.token_hash == session.token_hash)
            await database.execute(row.values({column: datetime.now(UTC) - age}))
        assert await Sessions(people, 600, 3600).find(token) is None


async def test_the_database_does_not_hold_the_cookie(people: Store) -> None:
    sessions = Sessions(people, 60, 60)
    token, session = await sessions.begin(Account("op01", "", Role.OPERATOR, "1001"), None)
    async with people.reading() as database:
        stored = (await database.scalars(select(UserSession.token_hash))).all()
    assert stored == [session.token_hash]
    assert token not in stored[0]


# -- through the pages


async def test_sign_in_over_http(start: Start) -> None:
    running = await start()
    browser = await running.browser()
    answer = await browser.sign_in("op01")
    assert (answer.status, answer.headers["Location"]) == (303, "/seat")
    cookie = next(c for c in answer.headers.getall("Set-Cookie") if c.startswith("daihyo_session"))
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert (await browser.get("/seat")).status == 200


@pytest.mark.req("SEC-1")
async def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(start: Start) -> None:
    running = await start()
    browser = await running.browser()
    await browser.sign_in("sv01")
    sessions = browser.client.app[CONSOLE].sessions
    [session] = sessions._cache.values()
    session.last_seen_at = before = datetime.now(UTC) - timedelta(minutes=30)
    assert (await browser.get("/board", **{"Daihyo-Poll": "1"})).status == 200
    assert session.last_seen_at == before
    assert (await browser.get("/board")).status == 200
    assert session.last_seen_at > before


async def test_wrong_answers_read_alike(start: Start) -> None:
    running = await start()
    texts = []
    for login in ("op01", "nobody"):
        browser = await running.browser()
        answer = await browser.sign_in(login, "wrong")
        assert answer.status == 403
        page = await answer.text()
        assert "ログイン名またはパスワードが違います" in page
        texts.append(page.replace(login, "").count("<"))
    assert texts[0] == texts[1]


async def test_pages_send_strangers_to_sign_in(start: Start) -> None:
    running = await start()
    browser = await running.browser()
    for path in ("/seat", "/board", "/calls", "/account"):
        answer = await browser.get(path)
        assert (answer.status, answer.headers["Location"]) == (303, f"/signin?next={path}")
    assert (await browser.get("/live", Upgrade="websocket")).status == 401
    assert (await browser.get("/sip", Upgrade="websocket")).status == 401
    assert (await browser.get("/citizen")).status == 404  # no demo


async def test_sign_in_leads_only_to_our_own_pages(start: Start) -> None:
    running = await start()
    for wanted, leads in (
        ("/calls", "/calls"),
        ("//evil.test/", ""),
        ("https://evil.test/", ""),
        ("/\\evil", ""),
    ):
        browser = await running.browser()
        page = await (await browser.client.get("/signin", params={"next": wanted})).text()
        assert f'name="next" value="{leads}"' in page


async def test_a_form_from_elsewhere_is_refused(start: Start) -> None:
    running = await start()
    browser = await running.browser()
    data = {"login": "op01", "password": PASSWORD}
    assert (await browser.client.post("/signin", data=data)).status == 403
    answer = await browser.client.post("/signin", data=data, headers={"Origin": "https://evil.test"})
    assert answer.status == 403
    await browser.sign_in("op01")
    assert (await browser.client.post("/signout", data={"csrf": "wrong"})).status == 403
    assert (await browser.get("/seat")).status == 200


async def test_signing_out_ends_the_session_for_a_stolen_cookie_too(start: Start) -> None:
    running = await start()
    browser, thief = await running.browser("op01"), await running.browser()
    for cookie in browser.client.session.cookie_jar:
        if cookie.key.startswith("daihyo_session"):
            thief.client.session.cookie_jar.update_cookies(
                {cookie.key: cookie.value}, running.server.make_url("/")
            )
    assert (await thief.get("/seat")).status == 200
    await browser.client.post("/signout", data={"csrf": browser.csrf})
    assert (await thief.get("/seat")).status == 303


async def test_a_changed_password_ends_the_other_sessions(start: Start) -> None:
    running = await start()
    browser, other = await running.browser("op01"), await running.browser("op01")
    new = "umi-no-mieru-3"
    form = {"csrf": browser.csrf, "current": PASSWORD, "new": new, "again": new}
    wrong = await browser.client.post("/account", data={**form, "current": "x"})
    assert (wrong.status, "今のパスワードが違います" in await wrong.text()) == (422, True)
    differ = await browser.client.post("/account", data={**form, "again": "x"})
    assert differ.status == 422
    done = await browser.client.post("/account", data=form)
    assert "パスワードを変更しました" in await done.text()
    assert (await other.get("/seat")).status == 303
    fresh = await running.browser()
    assert (await fresh.sign_in("op01", new)).status == 303


async def test_who_must_change_the_password_gets_nowhere_else(start: Start) -> None:
    running = await start()
    await set_password(running.console.store, "op01", PASSWORD, must_change=True)
    browser = await running.browser("op01")
    answer = await browser.get("/seat")
    assert (answer.status, answer.headers["Location"]) == (303, "/account")
    assert "続ける前に" in await (await browser.get("/account")).text()


async def test_the_language_is_a_cookie(start: Start) -> None:
    running = await start()
    browser = await running.browser()
    assert "ログイン名" in await (await browser.client.get("/signin")).text()
    await browser.client.post("/language", data={"language": "en", "next": "/signin"})
    page = await (await browser.client.get("/signin")).text()
    assert 'lang="en"' in page
    assert "Password" in page
