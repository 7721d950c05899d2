"""Calls out, the exchange, カスハラ, alarms, categories: mistakes are told with their line."""

from __future__ import annotations

import pytest

from dialplans import Problem, Site, SiteError, parse_site

GOOD = """
city: 試験市
centre: 試験センター
id: test
numbers:
  - {number: "0246-22-1111", name: 代表, queue: main, greeting: あ, recording_notice: 録音します,
     aliases: ["0120-00-1111"], diverted: [{number: "0246-22-7777", name: 税務課}]}
queues: [{id: main, name: 案内}]
operators:
  - {id: "1001", name: 甲, queues: [main]}
  - {id: "1900", name: 監督}
users:
  - {login: op01, name: 甲, role: operator, operator: "1001"}
  - {login: sv01, name: 監督, role: supervisor, operator: "1900"}
trunks:
  - {id: hikari, addresses: [192.0.2.1], outbound: {host: 192.0.2.1, prefix: "0"}}
  - {id: hall, addresses: [192.0.2.3], outbound: {host: 192.0.2.3}}
  - {id: inward, addresses: [192.0.2.4]}
dialling: {trunks: [hikari, hall], by_class: {mobile: [hikari]}, shown: "0120-00-1111"}
pbx: {trunks: [hall], prefix: "8", digits: [3, 5], return_code: "7700"}
harassment: {warn_after_s: 600, end_after_s: 900}
mail: {host: mail.example, sender: centre@city.example, to: [sv@city.example]}
alarms: {wait_s: null, waiting: 9}
categories:
  - {name: ごみ, children: [{name: 分別}, {name: 収集}]}
  - {name: 税, children: [{name: 収集}]}
"""


def problems(text: str) -> list[Problem]:
    with pytest.raises(SiteError) as caught:
        parse_site(text, "s.yaml")
    for one in caught.value.problems:
        assert one.hint, one
        assert one.hint_en
        assert one.message_en.isascii() or "“" in one.message_en
    return caught.value.problems


@pytest.mark.req("NUM-3", "NUM-5", "XFR-4")
def test_the_good_plan_is_good_and_says_the_same_from_a_program() -> None:
    site = parse_site(GOOD)
    assert Site.model_validate(site.model_dump()) == site
    assert site.operator("1900").queues == ()


@pytest.mark.req("NUM-3", "NUM-4", "NUM-5", "XFR-4", "SEC-4")
@pytest.mark.parametrize(
    ("old", "new", "path", "ja", "en"),
    [
        ("trunks: [hikari, hall], by", "trunks: [hikkari], by", "dialling.trunks[0]", "回線", "no trunk"),
        ("trunks: [hikari, hall], by", "trunks: [hall, hall], by", "dialling.trunks[1]", "2回", "twice"),
        ("trunks: [hikari, hall], by", "trunks: [inward], by", "dialling.trunks[0]", "着信専用", "incoming"),
        ("mobile: [hikari]", "mobile: [inward]", "dialling.by_class.mobile[0]", "着信専用", "incoming"),
        ("mobile: [hikari]", "premium: [hikari]", "dialling.by_class.premium", "allow", "never used"),
        ('shown: "0120-00-1111"', 'shown: "0246-22-7777"', "dialling.shown", "代表番号", "number of ours"),
        ('shown: "0120-00-1111"', "allow: [mobile, emergency]", "dialling.allow[1]", "緊急", "emergency"),
        ('192.0.2.1, prefix: "0"', '192.0.2.1, prefix: "010"', "trunks[0].outbound.prefix", "国際", "abroad"),
        ('192.0.2.1, prefix: "0"', '192.0.2.1, prefix: "110"', "trunks[0].outbound.prefix", "緊急", "emerg"),
        ("pbx: {trunks: [hall]", "pbx: {trunks: [inward]", "pbx.trunks[0]", "着信専用", "incoming"),
        ("pbx: {trunks: [hall]", "pbx: {trunks: [haul]", "pbx.trunks[0]", "hall では", "no trunk"),
        ("[3, 5]", "[5, 3]", "pbx.digits", "桁数", "digits"),
        ("[3, 5]", "[3, 12]", "pbx.digits", "桁数", "digits"),
        ('code: "7700"', 'code: "0246221111"', "pbx.return_code", "numbers[0]", "same"),
        ('code: "7700"', 'code: "0246227777"', "pbx.return_code", "numbers[0]", "same"),
        ('code: "7700"', 'code: "1001"', "pbx.return_code", "operators[0]", "same"),
        ('code: "7700"', 'code: "119"', "pbx.return_code", "緊急通報", "emergency"),
        ("end_after_s: 900", "end_after_s: 600", "harassment.end_after_s", "警告", "after the warning"),
        (", to: [sv@city.example]", "", "mail", "宛先", "addresses"),
        ("{name: 収集}]}", "{name: 分別}]}", "categories[0].children[1].name", "重なって", "same"),
        ("role: supervisor", "role: operator", "users[1].operator", "キュー", "no queue"),
        ("監督}\nusers", "監督, most_calls_h: 3}\nusers", "operators[1].most_calls_h", "上限", "limit"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_with_its_place(old: str, new: str, path: str, ja: str, en: str) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    [problem] = problems(text)
    assert problem.path == path
    assert (new.splitlines() or ["mail:"])[0] in text.splitlines()[problem.line - 1]
    assert ja in problem.message + problem.hint
    assert en in problem.message_en


@pytest.mark.req("OPR-4")
def test_categories_go_four_levels_deep() -> None:
    deep = "{name: 一, children: [{name: 二, children: [{name: 三, children: [{name: 四}]}]}]}"
    good = GOOD.replace("- {name: 税, children: [{name: 収集}]}", f"- {deep}")
    assert parse_site(good).categories[1].children[0].children[0].children[0].name == "四"
    [problem] = problems(good.replace("{name: 四}", "{name: 四, children: [{name: 五}]}"))
    assert problem.path == "categories[1].children[0].children[0].children[0].children"


@pytest.mark.req("XFR-1", "XFR-4", "MON-3")
def test_what_a_transfer_says_is_spoken_beforehand() -> None:
    site = parse_site(GOOD)
    keys = {one.key for one in site.prompts()}
    assert {
        site.wording.prompt_of(name) for name in ("transfer_ringing", "transfer_back", "harassment_end")
    } <= keys
