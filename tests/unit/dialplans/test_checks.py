"""What does not fit together in a plan is refused before it goes live: where it stands, and what to do."""

from __future__ import annotations

import datetime as dt

import pytest

from dialplans import Problem, Site, SiteError, parse_site

TODAY = dt.date(2026, 11, 22)

GOOD = """
city: 試験市
centre: 試験センター
id: test
numbers:
  - number: "0246-22-1111"
    name: 代表
    start: guide
    hours: office
    closed: night
    greeting: こんにちは
    recording_notice: 録音します
  - {number: "0246-22-1200", name: 相談, queue: main, greeting: こんにちは, recording_notice: 録音します}
calendars:
  - {id: city, name: 市の暦, holidays: [{date: 2026-11-23, name: 祝日}, {date: 2027-01-01, name: 元日}]}
hours:
  - id: office
    name: 開庁時間
    calendar: city
    week: {mon-fri: [8:30-17:15], sat-sun: []}
    holiday: []
steps:
  - id: guide
    kind: menu
    say: 案内です
    keys:
      1: {go: living, label: くらし}
      0: {go: "queue:main", label: 人}
    otherwise: queue:main
  - {id: living, kind: say, say: くらしです, next: queue:main}
  - {id: night, kind: say, say: 夜です, next: "forward:guard"}
  - {id: away, kind: say, say: 不在です}
forwards:
  - {id: guard, name: 警備室, number: "0246-22-9110", trunk: line, unanswered: away}
notices:
  - {id: disaster, name: 災害, say: 緊急です}
queues:
  - {id: main, name: 案内}
operators:
  - {id: "1001", name: 甲, queues: [main]}
trunks:
  - {id: line, addresses: [192.0.2.1], outbound: {host: 192.0.2.1}}
"""


GENERAL = "musics:\n  - {id: general, name: 曲, audio: [0123456789abcdef], licence: 市}\n"


def problems(text: str) -> list[Problem]:
    with pytest.raises(SiteError) as caught:
        parse_site(text, "s.yaml", today=TODAY)
    for one in caught.value.problems:
        assert one.message
        assert one.hint, one
        assert one.message_en.isprintable()
        assert one.hint_en
        assert one.line >= 1
        assert "{see}" not in one.text() + one.text("en")
    return caught.value.problems


def refused(old: str, new: str) -> list[Problem]:
    assert GOOD.count(old) >= 1, old
    return problems(GOOD.replace(old, new, 1))


def test_the_good_plan_is_good() -> None:
    site = parse_site(GOOD, today=TODAY)
    assert Site.model_validate(site.model_dump()) == site


@pytest.mark.req("IVR-2")
@pytest.mark.parametrize(
    ("old", "new", "line", "path", "words"),
    [
        # Kinds of steps and what stands in them.
        ("kind: menu", "kind: menue", 24, "steps[0].kind", "menu ではありませんか"),
        ("    kind: menu\n", "", 23, "steps[0]", "kind がありません"),
        ("    say: 案内です", "    sey: 案内です", 25, "steps[0].sey", "say ではありませんか"),
        ("    say: 案内です", "    sey: 案内です", 23, "steps[0].say", "「say」がありません"),
        ("label: くらし", "label: くらし, lang: en", 27, "steps[0].keys.1.lang", "language"),
        ("    otherwise: q", "    timeout: 5\n    otherwise: q", 29, "steps[0].timeout", "timeout_s"),
        ("say, say: 夜です", "say, timeout_s: 5, say: 夜です", 31, "steps[2].timeout_s", "書ける項目"),
        ("    otherwise: queue:main\n", "", 23, "steps[0].otherwise", "がありません"),
        ("1: {go: living", "12: {go: living", 27, "steps[0].keys.12", "ボタンではありません"),
        ("1: {go: living", "0: {go: living", 28, "steps[0].keys.0", "27行目にもあります"),
        ("say: 案内です", "say: {jp: 案内です}", 25, "steps[0].say.jp", "ja、en"),
        ("say: 案内です", "say: {audio: xyz, text: a}", 25, "steps[0].say.audio", "16桁"),
        ("案内です", "{ja: {audio: 0123456789abcdef}}", 25, "steps[0].say.ja.text", "がありません"),
        ("案内です", "{ja: {audio: 0123456789abcdef, tekst: a}}", 25, "steps[0].say.ja.tekst", "text"),
        ("say: 案内です", "say: {ja: 案内です, en: 5}", 25, "steps[0].say.en", "文字が要る"),
        ("say: 案内です", "say: {}", 25, "steps[0].say", "文言がありません"),
        ("say: 案内です", "say:", 25, "steps[0].say", "空"),
        ("steps:\n", "steps:\n  - あいさつ\n", 23, "steps[0]", "項目の集まり"),
        # Targets.
        ("go: living", "go: livin", 27, "steps[0].keys.1.go", "living ではありませんか"),
        ("go: living", "go: main", 27, "steps[0].keys.1.go", "queue:main ではありませんか"),
        ("go: living", "go: queue:mein", 27, "steps[0].keys.1.go", "queue:main ではありませんか"),
        ("go: living", "go: Living Room", 27, "steps[0].keys.1.go", "queue:キュー"),
        ("unanswered: away", "unanswered: awya", 34, "forwards[0].unanswered", "away ではありませんか"),
        ("closed: night", "closed: nigth", 10, "numbers[0].closed", "night ではありませんか"),
        ("name: 災害", "name: 災害, next: nowhere", 36, "notices[0].next", "行き先「nowhere」はありません"),
        ("name: 案内}", "name: 案内, nobody: x}", 38, "queues[0].nobody", "行き先「x」はありません"),
        ("otherwise: queue:main", "otherwise: repeat", 29, "steps[0].otherwise", "keys"),
        ("next: queue:main", "next: back", 30, "steps[1].next", "keys"),
        # Names.
        ("notices:", f"{GENERAL}notices:", 36, "musics[0].id", "general"),
        ("hours: office", "hours: ofice", 9, "numbers[0].hours", "office ではありませんか"),
        ("calendar: city", "calendar: cty", 19, "hours[0].calendar", "city ではありませんか"),
        ("trunk: line", "trunk: lime", 34, "forwards[0].trunk", "line ではありませんか"),
        ("name: 案内}", "name: 案内, music: jazz}", 38, "queues[0].music", "default"),
        ("災害,", '災害, numbers: ["0246-22-1201"],', 36, "notices[0].numbers[0]", "0246-22-1200"),
        ("id: night, kind: say", "id: living, kind: say", 31, "steps[2].id", "steps[1].id と重なって"),
        ("id: away", "id: hangup", 32, "steps[3].id", "決まった意味"),
        ('"0246-22-1200"', '"0246-22-1200", aliases: [0246-221111]', 13, "numbers[1].aliases[0]", "重なって"),
        (
            '"0246-22-1200"',
            '"0246-22-1200", diverted: [{number: 0246221111, name: 課}]',
            13, "numbers[1].diverted[0].number", "numbers[0].number と重なって",
        ),
        # What needs or forbids something else.
        ("start: guide", "start: guide\n    queue: main", 8, "numbers[0].start", "両方"),
        ("    start: guide\n", "", 6, "numbers[0]", "電話の行き先がありません"),
        ("    closed: night\n", "", 9, "numbers[0].hours", "時間外の行き先"),
        ("hours: office\n    closed: night", "holiday: night", 9, "numbers[0].holiday", "使われません"),
        (
            "    calendar: city\n", "    holiday: [9:00-10:00]\n    closure: [9:00-10:00]\n",
            20, "hours[0].closure", "暦がない",
        ),
        (", outbound: {host: 192.0.2.1}", "", 34, "forwards[0].trunk", "着信専用"),
        ("0246-22-9110", "0246-22-1200", 34, "forwards[0].number", "このセンター自身"),
        ("name: 案内}", "name: 案内, most_waiting: 5}", 38, "queues[0].most_waiting", "overflow"),
        ("name: 案内}", "name: 案内, longest_wait_s: 50}", 38, "queues[0].longest_wait_s", "overflow"),
        ("name: 案内}", "name: 案内, overflow: away}", 38, "queues[0].overflow", "使われません"),
        ("name: 案内}", "name: 案内, waiting: [{after_s: 0}]}", 38, "queues[0].waiting[0]", "流すもの"),
        (
            "recording_notice: 録音します\n",
            "recording_notice: 録音します\n    notices: false\n",
            36, "notices[0].numbers[0]", "notices: false",
        ),
        # Hours.
        ("sat-sun: []", "sat: []", 20, "hours[0].week.sun", "がありません"),
        ("mon-fri: [8:30-17:15]", "mon-fry: [8:30-17:15]", 20, "hours[0].week.mon-fry", "mon-fri"),
        ("8:30-17:15", "8:30-25", 20, "hours[0].week.mon-fri[0]", "時間帯として読めません"),
        ("say: くらしです", 'say: "{date}まで"', 30, "steps[1].say", "「{date}」に入れるもの"),
        ("8:30-17:15", "9:00-8:00", 20, "hours[0].week.mon-fri[0]", "22:00-26:00"),
        ("8:30-17:15", "8:30-8:30", 20, "hours[0].week.mon-fri[0]", "0:00-24:00"),
        ("[8:30-17:15]", "8:30-17:15", 20, "hours[0].week.mon-fri", "並び"),
        ("[8:30-17:15]", "[8:30-17:15], fri: [9:00-10:00]", 20, "hours[0].week.fri", "mon-fri"),
        ("8:30-17:15", "12:00-13:00, 8:30-12:01", 20, "hours[0].week.mon-fri[1]", "「12:00-13:00」と重"),
        ("[8:30-17:15], sat", "[22:00-26:00, 1:00-3:00], sat", 20, "hours[0].week.mon-fri[0]", "翌日の"),
        (
            "[8:30-17:15], sat-sun: []", "[0:00-5:00], sat: [], sun: [20:00-25:00]",
            20, "hours[0].week.sun[0]", "翌日の",
        ),
        ("holiday: []", "holiday: [20:00-32:00, 7:00-8:00]", 21, "hours[0].holiday[0]", "翌日の"),
        (
            "holiday: []",
            "days:\n      - {date: 2027-03-01, name: a, open: [20:00-26:00]}\n"
            "      - {date: 2027-03-02, name: b, open: [0:30-2:00]}",
            22, "hours[0].days[0].open[0]", "翌日の",
        ),
        (
            "holiday: []",
            "days: [{date: 2027-03-01, name: a}, {date: 2027-03-01, name: b}]",
            21, "hours[0].days[1].date", "重なって",
        ),
        ("date: 2026-11-23", "date: 2026-11-31", 15, "calendars[0].holidays[0].date", "日付として読めません"),
        ("date: 2026-11-23", "date: 2027-11-23", 15, "calendars[0].holidays", "2026年の祝日がありません"),
        ("date: 2027-01-01", "date: 2028-01-01", 15, "calendars[0].holidays", "2027年の祝日がありません"),
        ("name: 元日}]", "name: 元日}], closures: [{start: 12-32, until: 01-03, name: 年末}]", 15,
         "calendars[0].closures[0].start", "月日として読めません"),
        ("holidays: [", "holidays: japn, days: [", 15, "calendars[0].holidays", "japan"),
        # Where calls go.
        ("otherwise: queue:main", "otherwise: guide", 29, "steps[0].otherwise", "guide → guide"),
        ("unanswered: away", "unanswered: night", 34, "forwards[0].unanswered", "night → forward:guard → n"),
        ("next: queue:main", "next: living", 30, "steps[1].next", "living → living"),
        (
            "name: 案内}", "name: 案内, most_waiting: 5, overflow: living}",
            30, "steps[1].next", "queue:main → living → queue:main",
        ),
        ("go: living", "go: away", 30, "steps[1].id", "どこからも使われていません"),
        ("forward:guard", "queue:main", 34, "forwards[0].id", "どこからも使われていません"),
        ("hours: office\n    closed: night", "withheld: night", 16, "hours[0].id", "どこからも使われて"),
        ("\nhours:\n", "\n  - {id: b, name: 別}\nhours:\n", 16, "calendars[1].id", "どこからも使われて"),
        ("closed: night", "closed: hangup", 10, "numbers[0].closed", "理由を聞かないまま"),
        ("name: 案内}", "name: 案内}\n  - {id: other, name: 別}", 39, "queues[1].id", "操作者がいません"),
        # Events and words that hold something.
        ("notices:", "events: [{id: e, name: 祭, state: hold}]\nnotices:", 35, "events[0].state", "held"),
        ("notices:", "events: [{id: e, name: 祭, state: held}]\nnotices:", 35, "events[0]", "どこでも"),
        ("away, kind: say, say: 不在です", "away, kind: events", 32, "steps[3]", "none:"),
        (
            "notices:", "events: [{id: e, name: {audio: 0123456789abcdef, text: 祭}, state: held}]\nnotices:",
            35, "events[0].name", "録音した音声を使えません",
        ),
        (
            "notices:", "event_states: [{id: e, name: 祭, say: '{evnt}です'}]\nnotices:",
            35, "event_states[0].say", "{evnt}",
        ),
        ("notices:", "wording: {position: 番です}\nnotices:", 35, "wording.position", "{n}"),
        (
            "notices:", "wording: {wait_minutes: {ja: '{n}分', en: soon}}\nnotices:",
            35, "wording.wait_minutes.en", "{n}",
        ),
        # Languages.
        ("label: くらし", "label: くらし, language: en", 30, "steps[1].say", "0246-22-1111 → 1"),
        (
            'number: "0246-22-1200"', 'language: en, number: "0246-22-1200"',
            36, "notices[0].say", "英語の文言がありません",
        ),
    ],
)  # fmt: skip
def test_each_mistake_has_its_line_its_path_and_what_to_do(
    old: str, new: str, line: int, path: str, words: str
) -> None:
    text = GOOD.replace(old, new, 1)
    if "notices: false" in new:
        text = text.replace("name: 災害", 'name: 災害, numbers: ["0246-22-1111"]')
        line += 1
    assert text != GOOD
    found = problems(text)
    those = [one for one in found if one.path == path and words in one.message + one.hint]
    assert those, [str(one) for one in found]
    assert those[0].line == line, str(those[0])


OUT = "outbound: {host: 192.0.2.1}"


@pytest.mark.req("IVR-2", "NUM-1")
@pytest.mark.parametrize(
    ("number", "prefix"),
    [
        ("246-22-1200", "0"),
        ("0246-22-1200", "0"),
        ("81-246-22-1200", "+"),
        ("81-246-22-1200", ""),
        ("010-81-246-22-1200", ""),
        ("184-0246-22-1200", ""),
        ("246-22-1200", "+81"),
    ],
)
def test_a_forward_to_ourselves_is_known_in_every_form(number: str, prefix: str) -> None:
    text = GOOD.replace("0246-22-9110", number).replace(OUT, f'outbound: {{host: h, prefix: "{prefix}"}}')
    [one] = problems(text)
    assert (one.path, one.line) == ("forwards[0].number", 34)
    assert "このセンター自身" in one.message


@pytest.mark.req("IVR-2")
@pytest.mark.parametrize(
    ("number", "prefix", "words"),
    [
        ("110", "", "緊急通報"),
        ("119", "0", "緊急通報"),
        ("184-118", "", "緊急通報"),
        ("010-1-212-555-0100", "", "国際電話"),
        ("1-212-555-0100", "+", "国際電話"),
    ],
)
def test_no_citizen_is_forwarded_to_an_emergency_or_abroad(number: str, prefix: str, words: str) -> None:
    text = GOOD.replace("0246-22-9110", number).replace(OUT, f'outbound: {{host: h, prefix: "{prefix}"}}')
    [one] = problems(text)
    assert one.path == "forwards[0].number"
    assert words in one.message
    parse_site(text)  # one that is live already loads


@pytest.mark.parametrize(
    ("number", "prefix"), [("0246-22-9110", "0"), ("81-246-22-9110", "+"), ("1190", ""), ("0101", "0")]
)
def test_other_numbers_are_forwarded_to(number: str, prefix: str) -> None:
    text = GOOD.replace("0246-22-9110", number).replace(OUT, f'outbound: {{host: h, prefix: "{prefix}"}}')
    assert parse_site(text, today=TODAY).forwards[0].number == number


@pytest.mark.req("IVR-2", "NUM-3")
@pytest.mark.parametrize("host", ["sip.carrier.jp:5060", "10.0.0.1:5080", "1:2"])
def test_a_port_stands_in_port(host: str) -> None:
    [one] = problems(GOOD.replace("host: 192.0.2.1", f'host: "{host}"'))
    assert one.path == "trunks[0].outbound.host"
    name, _, port = host.rpartition(":")
    assert f"host: {name}, port: {port}" in one.hint


@pytest.mark.req("NUM-3")
@pytest.mark.parametrize("host", ["sip.carrier.jp", "10.0.0.1", "2001:db8::5", "::1"])
def test_addresses_and_names_are_hosts(host: str) -> None:
    outbound = parse_site(GOOD.replace("host: 192.0.2.1", f'host: "{host}"')).trunks[0].outbound
    assert outbound is not None
    assert outbound.host == host


CLOSURE = "name: 元日}}], closures: [{{start: {}, until: {}, name: 年末年始}}]"


@pytest.mark.req("IVR-2", "HRS-1")
def test_what_nobody_can_have_meant_does_not_go_live() -> None:
    events = "{id: on, kind: events, none: なし}\n  - {id: away,"
    fair = "events: [{id: e, name: 祭, state: held, date: 2026-10-22%s}]\nnotices:"
    told = GOOD.replace("{id: away,", events, 1).replace("start: guide", "start: guide\n    withheld: 'on'")
    for text, path in (
        (GOOD.replace("name: 元日}]", CLOSURE.format("01-03", "12-29")), "calendars[0].closures[0]"),
        (GOOD.replace("[8:30-17:15]", "[]"), "hours[0].week"),
        (told.replace("{id: on,", "{id: 'on',").replace("notices:", fair % ""), "events[0].date"),
    ):
        [one] = problems(text)
        assert one.path == path
        parse_site(text)  # what is live stays live, on every later day
    for text in (
        GOOD.replace("name: 元日}]", CLOSURE.format("12-29", "01-03")),
        GOOD.replace("name: 元日}]", CLOSURE.format("12-01", "03-31")),  # a hall that closes in winter
        GOOD.replace("name: 元日}]", CLOSURE.format("02-29", "03-01")),
        GOOD.replace("[8:30-17:15]", "[]").replace("holiday: []", "holiday: [9:00-12:00]"),
        told.replace("{id: on,", "{id: 'on',").replace("notices:", fair % ", tell_until: 2026-10-30"),
        told.replace("{id: on,", "{id: 'on',").replace("notices:", fair.replace("10-22", "10-23") % ""),
    ):
        parse_site(text, today=TODAY)


@pytest.mark.req("IVR-3")
def test_words_are_missed_only_in_languages_in_which_a_call_may_come() -> None:
    english = GOOD.replace("label: くらし", "label: くらし, language: en")
    mended = english.replace("say: くらしです", "say: {ja: くらしです, en: Living.}")
    site = parse_site(mended, today=TODAY)
    assert site.languages == ("ja", "en")
    # The queue's own words, once it has some.
    [one] = problems(mended.replace("name: 案内}", "name: 案内, waiting_announcement: お待ちください}"))
    assert (one.path, one.line) == ("queues[0].waiting_announcement", 38)
    # The centre's words, once they are its own.
    [one] = problems(mended.replace("notices:", "wording: {please_wait: 少々}\nnotices:"))
    assert one.path == "wording.please_wait"
    # A key that only goes back carries its language to the menu before.
    back = mended.replace(
        "say: {ja: くらしです, en: Living.}, next: queue:main", "say: {ja: く, en: L}, next: sub"
    )
    back = back.replace(
        "  - {id: night,",
        "  - {id: sub, kind: menu, say: {ja: く, en: L}, keys: {1: {go: back, label: 戻る}},"
        " otherwise: queue:main}\n  - {id: night,",
    )
    assert [one.path for one in problems(back)] == ["steps[0].say"]


def test_the_recording_notice_is_worded_where_it_is_first_heard() -> None:
    """Outside the hours nobody has heard it in front of the forward, and the call may be English by then."""
    text = GOOD.replace("closed: night", "closed: choose").replace(
        "  - {id: night,",
        "  - {id: choose, kind: menu, say: 選んで, keys: {9: {go: night, label: 英語, language: en}},"
        " otherwise: night}\n  - {id: night,",
    )
    text = text.replace("say: 夜です", "say: {ja: 夜です, en: Night.}")
    text = text.replace("say: 不在です", "say: {ja: 不在です, en: Away.}")
    assert [one.path for one in problems(text)] == ["numbers[0].recording_notice"]


@pytest.mark.req("HRS-1")
def test_a_plan_that_went_live_loads_on_every_later_day() -> None:
    with pytest.raises(SiteError, match="2030年の祝日がありません"):
        parse_site(GOOD, today=dt.date(2030, 1, 1))
    assert parse_site(GOOD).calendars[0].holidays != "japan"
    computed = GOOD.replace(
        "holidays: [{date: 2026-11-23, name: 祝日}, {date: 2027-01-01, name: 元日}]", "holidays: japan"
    )
    assert parse_site(computed, today=dt.date(2050, 1, 1)).calendars[0].holidays == "japan"


def test_every_problem_is_told_at_once() -> None:
    text = GOOD.replace("go: living", "go: livin").replace("8:30-17:15", "8:30-17:15, 9:00-10:00")
    text = text.replace("hours: office", "hours: offise")
    assert [one.path for one in problems(text)] == [
        "numbers[0].hours",
        "hours[0].week.mon-fri[1]",
        "steps[0].keys.1.go",
    ]


def test_a_deep_plan_is_no_trouble() -> None:
    """Chains far longer than Python's stack."""
    chain = "".join(f"  - {{id: s{n}, kind: say, say: あ, next: s{n + 1}}}\n" for n in range(3000))
    text = GOOD.replace("  - {id: living, kind: say", chain + "  - {id: s3000, kind: say", 1)
    text = text.replace("go: living", "go: s0")
    assert len(parse_site(text).steps) == 3004
    assert [one.path for one in problems(text.replace("next: s3000}", "next: s0}"))] != []
