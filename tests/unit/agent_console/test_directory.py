"""/directory and its API: search, one entry, import with a preview, export; who may what."""

from __future__ import annotations

import re
from typing import Any

import aiohttp
import pytest

import desk
from desk import Entry

from .conftest import Browser, Running, Start
from .test_api import log_of

GARBAGE = Entry(
    "環境課",
    "ごみ係",
    "",
    "かんきょうか ごみがかり",
    "粗大ごみ",
    "2314",
    "0246-22-7104",
    "24時間",
    "冊子あり",
)
HALL = [
    GARBAGE,
    Entry("環境課", extension="2310", hours="休み"),
    Entry("市民課", person="青木", extension="2401"),
]
HEADER = "部署,係,氏名,よみ,担当業務,内線,直通,執務時間,備考\r\n"


async def filled(start: Start, *users: str, entries: list[Entry] | None = None) -> Running:
    running = await start(users=users)
    await desk.replace(running.console.store, HALL if entries is None else entries, "test")
    return running


async def texts_of(running: Running) -> list[tuple[str, str]]:
    hall = await desk.Directory.load(running.console.store)
    return [(one.department, one.extension) for one in hall.entries]


async def upload(browser: Browser, content: bytes, path: str = "/directory/import") -> aiohttp.ClientResponse:
    data = aiohttp.FormData(quote_fields=False)  # as browsers send names
    data.add_field("csrf", browser.csrf)
    data.add_field("file", content, filename="名簿.csv", content_type="text/csv")
    return await browser.client.post(path, data=data, allow_redirects=False)


async def send(browser: Browser, path: str, **fields: str) -> aiohttp.ClientResponse:
    return await browser.client.post(path, data={"csrf": browser.csrf, **fields}, allow_redirects=False)


@pytest.mark.req("XFR-2")
async def test_the_page_finds_by_any_part_without_a_script(start: Start) -> None:
    running = await filled(start, "staff01", "sv01")
    staff = await running.browser("staff01")
    page = await (await staff.get("/directory")).text()
    for part in (
        "環境課",
        "ごみ係",
        "2314",
        "0246-22-7104",
        "粗大ごみ",
        "冊子あり",
        "24時間",
        "青木",
        "受付中",
    ):
        assert part in page, part
    assert "/directory/import" not in page  # city staff read
    found = await (await staff.get("/directory?q=ｶﾝｷｮｳ　粗大")).text()
    assert ("2314" in found, "2310" in found, "2401" in found) == (True, False, False)
    assert "「ｶﾝｷｮｳ　粗大」に合う 1 件" in found
    nobody = await (await staff.get("/directory?q=<b>")).text()
    assert "「&lt;b&gt;」に合う職員・部署はありません" in nobody
    assert "/directory/import" in await (await (await running.browser("sv01")).get("/directory")).text()


@pytest.mark.req("XFR-2")
async def test_an_empty_directory_says_what_fills_it(start: Start) -> None:
    running = await start(users=("op01", "admin"))
    assert "管理者か統括責任者が" in await (await (await running.browser("op01")).get("/directory")).text()
    assert (
        'href="/directory/import"' in await (await (await running.browser("admin")).get("/directory")).text()
    )


@pytest.mark.req("XFR-2")
async def test_many_entries_come_in_pages(start: Start) -> None:
    many = [Entry(f"第{n:03}課", extension=str(1000 + n)) for n in range(120)]
    running = await filled(start, "op01", entries=many)
    browser = await running.browser("op01")
    first = await (await browser.get("/directory")).text()
    assert ("第049課" in first, "第050課" in first, "120 件のうち 1–50" in first) == (True, False, True)
    last = await (await browser.get("/directory?q=課&offset=100")).text()
    assert ("第119課" in last, "120 件のうち 101–120" in last, "次へ" in last) == (True, True, False)


@pytest.mark.req("XFR-2", "XFR-3")
async def test_the_api_finds_while_somebody_types(start: Start) -> None:
    running = await filled(start, "op01", "audit")
    browser = await running.browser("op01")
    answer = await (await browser.get("/api/v1/directory?q=23&limit=1")).json()
    assert answer["total"] == 2
    (one,) = answer["entries"]
    assert (one["department"], one["section"], one["extension"], one["direct"]) == (
        "環境課", "ごみ係", "2314", "0246-22-7104"
    )  # fmt: skip
    assert one["open"]["is_open"] is True
    assert one["open"]["words"] == "環境課 ごみ係の受付は 24時間 です。ただいま受付中です。"
    closed = (await (await browser.get("/api/v1/directory?q=2310")).json())["entries"][0]
    assert (closed["open"]["is_open"], closed["rank"]) == (False, 0)
    assert closed["open"]["words"] == "環境課の受付は お休み です。"
    english = await running.browser()
    headers = {**running.token, "Accept-Language": "en"}
    said = await (await english.client.get("/api/v1/directory?q=2314", headers=headers)).json()
    assert said["entries"][0]["open"]["words"] == "環境課 ごみ係 is open 24 hours. It is open now."
    assert (await browser.get("/api/v1/directory?limit=0")).status == 422
    assert (await (await running.browser("audit")).get("/api/v1/directory")).status == 403


@pytest.mark.req("XFR-2")
async def test_what_another_program_writes_is_seen(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent_console.desk.hall.LOOK_EVERY_S", 0.0)
    running = await filled(start, "op01")
    browser = await running.browser("op01")
    assert (await (await browser.get("/api/v1/directory?q=広報")).json())["total"] == 0
    await desk.add(running.console.store, Entry("広報課", extension="2121"), "cli")
    assert (await (await browser.get("/api/v1/directory?q=広報")).json())["total"] == 1


@pytest.mark.req("XFR-2", "SEC-2")
async def test_one_entry_is_added_changed_and_taken_out_in_a_form(start: Start) -> None:
    running = await filled(start, "sv01", "op01")
    browser = await running.browser("sv01")
    wrong = await send(browser, "/directory/new", department="広報課", hours="昼まで", direct="x")
    page = await wrong.text()
    assert wrong.status == 422
    assert 'value="昼まで"' in page  # nothing typed is lost
    assert "「昼まで」は執務時間として読めません" in page
    assert "「x」は電話番号ではありません" in page
    added = await send(browser, "/directory/new", department=" 広報課 ", extension="２１２１", note="=1+1")
    assert (added.status, added.headers["Location"]) == (303, "/directory?q=2121&done=added")
    assert "追加しました" in await (await browser.get("/directory?q=2121&done=added")).text()
    of = next(
        one.id
        for one in (await desk.Directory.load(running.console.store)).entries
        if one.extension == "2121"
    )
    form = await (await browser.get(f"/directory/{of}")).text()
    fields = dict(re.findall(r'name="(was_[a-z]+)" value="([^"]*)"', form))
    assert fields["was_department"] == "広報課"
    values = {name.removeprefix("was_"): text for name, text in fields.items()}
    saved = await send(browser, f"/directory/{of}", **fields, **values | {"extension": "2122"})
    assert saved.status == 303
    clash = await send(browser, f"/directory/{of}", **fields, **values | {"extension": "2123"})
    page = await clash.text()
    assert clash.status == 409
    assert "いまの内容: 2122" in page
    assert 'name="extension" value="2123"' in page
    assert 'name="was_extension" value="2122"' in page  # saved again it is meant
    assert (await send(browser, f"/directory/{of}/remove")).status == 303
    assert (await browser.get(f"/directory/{of}")).status == 404
    assert await texts_of(running) == [("環境課", "2314"), ("環境課", "2310"), ("市民課", "2401")]
    assert [one[0] for one in await log_of(running, "directory_edit")] == ["sv01"] * 3
    assert (await browser.client.post("/directory/new", data={"department": "x"})).status == 403  # no token
    operator = await running.browser("op01")
    for path in ("/directory/new", "/directory/import", "/directory/export.csv"):
        assert (await operator.get(path)).status == 403
    assert (await send(operator, "/directory/new", department="x", extension="10")).status == 403


@pytest.mark.req("XFR-2", "SEC-2")
async def test_an_import_shows_what_changes_before_it_replaces(start: Start) -> None:
    running = await filled(start, "admin")
    browser = await running.browser("admin")
    changed = ",".join(GARBAGE.values()).replace("2314", "2315")
    text = f"{HEADER}{changed}\r\n広報課,,,,,2121,,,\r\n"
    shown = await upload(browser, text.encode("cp932"))
    page = await shown.text()
    assert shown.status == 200
    figures = re.findall(r'data-kind="(\w+)"><span>[^<]+</span><b class="num">(\d+)', page)
    assert figures == [("added", "1"), ("changed", "1"), ("removed", "2"), ("same", "0")]
    assert "内線: 2314 → 2315" in page
    assert "半分より多くが消えます" in page
    assert await texts_of(running) == [("環境課", "2314"), ("環境課", "2310"), ("市民課", "2401")]  # not yet
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token is not None
    assert (await send(browser, "/directory/import/replace", token="other")).status == 409
    done = await send(browser, "/directory/import/replace", token=token[1])
    assert (done.status, done.headers["Location"]) == (303, "/directory?done=imported")
    assert await texts_of(running) == [("環境課", "2315"), ("広報課", "2121")]
    assert "2315" in await (await browser.get("/directory?done=imported")).text()
    assert await log_of(running, "directory_import") == [("admin", "名簿.csv: 2 (+1 -2 ~1)")]
    again = await send(browser, "/directory/import/replace", token=token[1])
    assert (again.status, "もう一度ファイルを選んで" in await again.text()) == (409, True)
    assert "取り込むものはありません" in await (await upload(browser, text.encode("utf-8-sig"))).text()


@pytest.mark.req("XFR-2")
async def test_a_wrong_file_is_told_row_by_row_and_changes_nothing(start: Start) -> None:
    running = await filled(start, "admin")
    browser = await running.browser("admin")
    refused = await upload(browser, (HEADER + "環境課,,,,,2314,,,\r\n,,,,,<i>,,,\r\n").encode())
    page = await refused.text()
    assert refused.status == 422
    assert "名簿.csv: 直すところが 2 か所あります" in page
    assert "部署の名前を書いてください" in page
    assert "「&lt;i&gt;」は内線番号ではありません" in page
    assert "/directory/import/replace" not in page
    none = await send(browser, "/directory/import")
    assert (none.status, "ファイルを選んでください" in await none.text()) == (422, True)
    assert len(await texts_of(running)) == 3


@pytest.mark.req("XFR-2")
async def test_an_import_does_not_undo_what_somebody_else_has_just_changed(start: Start) -> None:
    running = await filled(start, "admin")
    browser = await running.browser("admin")
    page = await (await upload(browser, (HEADER + "広報課,,,,,2121,,,\r\n").encode())).text()
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token is not None
    await desk.add(running.console.store, Entry("会計課", extension="2981"), "sv01")
    refused = await send(browser, "/directory/import/replace", token=token[1])
    page = await refused.text()
    assert (refused.status, "ほかの人が職員録を変えました" in page) == (409, True)
    assert ("会計課", "2981") in await texts_of(running)
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token is not None  # looked at again, it may go
    assert (await send(browser, "/directory/import/replace", token=token[1])).status == 303
    assert await texts_of(running) == [("広報課", "2121")]


@pytest.mark.req("XFR-2", "SEC-2")
async def test_export_and_import_by_the_api(start: Start) -> None:
    running = await filled(start, "admin", "op01")
    browser = await running.browser("admin")
    page, api = await browser.get("/directory/export.csv"), await browser.get("/api/v1/directory/export")
    content = await api.read()
    assert content == await page.read()
    assert desk.read_csv(content) == HALL
    assert re.search(r'filename="directory-\d{4}-\d\d-\d\d\.csv"', page.headers["Content-Disposition"])
    assert [one[0] for one in await log_of(running, "directory_export")] == ["admin", "admin"]

    async def take(body: bytes, query: str = "") -> tuple[int, Any]:
        headers = {"X-CSRF-Token": browser.csrf, "Content-Type": "text/csv"}
        path = f"/api/v1/directory/import{query}"
        answer = await browser.client.post(path, data=body, headers=headers)
        return answer.status, await answer.json()

    status, told = await take((HEADER + "広報課,,,,,2121,,,\r\n").encode(), "?check=true")
    assert (status, told) == (200, {"added": 1, "removed": 3, "changed": 0, "same": 0, "done": False})
    status, told = await take((HEADER + "広報課,,,,,x,,,\r\n").encode())
    assert (status, told["errors"][0]["field"]) == (422, "row 2, 内線")
    assert len(await texts_of(running)) == 3
    status, told = await take(content + "広報課,,,,,2121,,,\r\n".encode())
    assert (status, told) == (200, {"added": 1, "removed": 0, "changed": 0, "same": 3, "done": True})
    assert len(await texts_of(running)) == 4
    operator = await running.browser("op01")
    assert (await operator.get("/api/v1/directory/export")).status == 403


@pytest.mark.req("XFR-2")
async def test_entries_by_the_api(start: Start) -> None:
    running = await filled(start, "sv01", entries=[])
    browser = await running.browser("sv01")
    client, headers = browser.client, {"X-CSRF-Token": browser.csrf}
    made = await (
        await browser.post("/api/v1/directory", {"department": "環境課", "extension": "2314"})
    ).json()
    path = f"/api/v1/directory/{made['id']}"
    changed = {"department": "環境課", "section": "ごみ係", "direct": "0246-22-7104"}
    assert (await client.put(path, json=changed, headers=headers)).status == 200
    assert (await client.put(path, json=changed)).status == 403
    found = (await (await browser.get("/api/v1/directory?q=ごみ")).json())["entries"]
    assert [(one["id"], one["extension"], one["direct"]) for one in found] == [
        (made["id"], "", "0246-22-7104")
    ]
    refused = await browser.post("/api/v1/directory", {"department": "環境課", "hours": "昼"})
    fields = [one["field"] for one in (await refused.json())["errors"]]
    assert (refused.status, fields) == (422, ["body.extension", "body.hours"])
    assert (await client.delete(path, headers=headers)).status == 200
    for gone in (path, "/api/v1/directory/x", "/api/v1/directory/99999999999999999999"):
        assert (await client.delete(gone, headers=headers)).status == 404
        assert (await client.put(gone, json=changed, headers=headers)).status == 404
