"""A small plan with one of everything, and short ways to walk through it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from dialplans import CHECKED, Site
from ivr import Ask, End, Move, Play, Switches, Walk
from tests.support.site import NUMBER, site

OPEN = dt.datetime(2027, 6, 2, 1, tzinfo=dt.UTC)  # Wednesday, 10:00 in Japan
CLOSED = dt.datetime(2027, 6, 2, 11, tzinfo=dt.UTC)  # 20:00
HOLIDAY = dt.datetime(2027, 1, 1, 1, tzinfo=dt.UTC)

GREETING, RECORDING = "みなと市です。", "録音します。"
NO_KEY = "ボタンが押されたことを、確認できませんでした。"
WRONG_KEY = "そのボタンは、お使いいただけません。"
GOODBYE = "お電話ありがとうございました。"
SORRY = "申し訳ございません。ただいまおつなぎできません。しばらくしてから、おかけ直しください。"


def key(go: str, label: str, **more: str) -> dict[str, str]:
    return {"go": go, "label": label, **more}


TOP = {
    "id": "top",
    "kind": "menu",
    "say": {"ja": "総合メニュー", "en": "Main menu"},
    "keys": {
        "1": key("living", "くらし"),
        "2": key("queue:main", "総合案内"),
        "3": key("events", "イベント"),
        "4": key("forward:guard", "守衛室"),
        "5": key("hangup", "終わり"),
        "7": key("back", "戻る"),
        "8": key("repeat", "もう一度"),
        "9": key("repeat", "English", language="en"),
    },
    "timeout_s": 5,
    "tries": 3,
    "otherwise": "queue:main",
}
LIVING = {
    "id": "living",
    "kind": "menu",
    "say": "くらしのメニュー",
    "keys": {
        "1": key("waste", "ごみ"),
        "7": key("back", "戻る"),
        "0": key("top", "最初から"),
        "8": key("repeat", "もう一度"),
    },
    "tries": 2,
    "otherwise": "hangup",
    "wrong": "1か7です",
    "silent": "お声が聞こえません",
}
STEPS: list[dict[str, Any]] = [
    TOP,
    LIVING,
    {
        "id": "waste",
        "kind": "hours",
        "hours": "waste",
        "open": "queue:waste",
        "closed": "waste-closed",
        "holiday": "waste-holiday",
    },
    {"id": "waste-closed", "kind": "say", "say": "ごみの受付は終わりました"},
    {"id": "waste-holiday", "kind": "say", "say": "ごみの受付は休みです", "next": "queue:main"},
    {
        "id": "events",
        "kind": "events",
        "before": "催しのお知らせ",
        "none": "催しはありません",
        "next": "bye",
    },
    {"id": "bye", "kind": "say", "say": "さようなら"},
    {"id": "closed", "kind": "say", "say": "時間外です", "next": "forward:guard"},
    {"id": "holiday", "kind": "say", "say": "休みです"},
    {"id": "show-number", "kind": "say", "say": "番号を通知してください"},
    {"id": "congested", "kind": "say", "say": "混み合っています"},
]


def data(**changes: Any) -> dict[str, Any]:
    """The plan as its file would hold it; `changes` are whole keys of it."""
    made = site(1)
    office = {"mon-fri": ["8:30-17:15"], "sat": [], "sun": []}
    made |= {
        "calendars": [{"id": "japan", "name": "祝日"}],
        "hours": [
            {"id": "office", "name": "開庁時間", "calendar": "japan", "week": office},
            {
                "id": "waste",
                "name": "ごみ",
                "calendar": "japan",
                "week": office | {"mon-fri": ["8:30-9:30"], "sat": ["9:00-12:00"]},
            },
        ],
        "steps": STEPS,
        "forwards": [
            {
                "id": "guard",
                "name": "守衛室",
                "number": "0246-22-9999",
                "trunk": "test",
                "say": "守衛室におつなぎします",
                "unanswered": "congested",
            }
        ],
        "notices": [
            {"id": "flood", "name": "大雨", "say": "大雨です"},
            {"id": "quake", "name": "地震", "say": "地震です", "next": "queue:main"},
            {"id": "bye", "name": "閉鎖", "say": "全館閉鎖です", "next": "hangup", "numbers": [NUMBER]},
        ],
        "events": [
            {"id": "fair", "name": "朝市", "state": "held"},
            {"id": "run", "name": "マラソン", "state": "cancelled", "tell_until": "2027-06-02"},
        ],
    }
    made["trunks"][0]["outbound"] = {"host": "127.0.0.1"}
    main = made["queues"][0]
    main |= {"most_waiting": 2, "overflow": "congested", "nobody": "queue:waste"}
    made["queues"] = [main, {"id": "waste", "name": "ごみ", "waiting_announcement": "ごみ窓口です。"}]
    made["operators"][0]["queues"] = ["main", "waste"]
    number = made["numbers"][0]
    del number["queue"]
    number |= {
        "start": "top",
        "hours": "office",
        "closed": "closed",
        "holiday": "holiday",
        "withheld": "show-number",
    }
    return made | changes


def plan(**changes: Any) -> Site:
    """Read without the checks of the whole: some words have no English, and broken plans can be walked."""
    return Site.model_validate(data(**changes), context=CHECKED)


def walk(at: dt.datetime = OPEN, made: Site | None = None, **how: Any) -> Walk:
    on = tuple(how.pop("notices", ()))
    how.setdefault("switches", Switches(how.pop("modes", {}), on))
    return Walk(made or plan(), how.pop("number", NUMBER), at, **how)


def texts(move: Move) -> list[str]:
    assert isinstance(move, Play), move
    return [prompt.text for prompt in move.prompts]


def heard(walk: Walk, move: Move) -> list[str]:
    """Hears everything until something is wanted; the texts."""
    out: list[str] = []
    while isinstance(move, Play):
        out += texts(move)
        move = walk.heard()
    return out


def at_menu(walk: Walk) -> None:
    """From the start until the first menu asks."""
    heard(walk, walk.begin())
    assert isinstance(walk.move, Ask)


def ended(walk: Walk) -> str:
    assert isinstance(walk.move, End), walk.move
    return walk.move.why


def keys(walk: Walk, pressed: str) -> list[str]:
    """Presses these at the questions (`-`: none); all texts that follow."""
    out: list[str] = []
    for one in pressed:
        assert isinstance(walk.move, Ask), walk.move
        out += heard(walk, walk.timed_out() if one == "-" else walk.digit(one))
    return out


def steps(walk: Walk) -> list[str]:
    """The steps and keys of the facts since the last time."""
    return [
        str(fact.data["step"]) if fact.kind == "step" else f"{fact.data['key'] or '-'}:{fact.data['does']}"
        for fact in walk.facts()
    ]
