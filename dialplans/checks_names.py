"""Whatever is named exists, and is named once.

Works on plain data, so that these problems are told together with the mistyped fields and not after them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator

from dialplans.events import STATES
from dialplans.opening import days_of
from dialplans.problems import Finding, Loc, nearest, unknown
from dialplans.rows import Row, digits, ids, items, rows, text
from dialplans.steps import RESERVED

_TWICE = (
    ("queues", "id", "キューのid", "queue id"),
    ("operators", "id", "操作者", "operator"),
    ("users", "login", "ログイン名", "login"),
    ("users", "operator", "利用者に割り当てた操作者", "operator of a user"),
    ("trunks", "id", "回線のid", "trunk id"),
    ("calendars", "id", "暦のid", "calendar id"),
    ("hours", "id", "受付時間のid", "hours id"),
    ("steps", "id", "案内のid", "step id"),
    ("forwards", "id", "転送先のid", "forward id"),
    ("notices", "id", "緊急案内のid", "notice id"),
    ("event_states", "id", "催しの状態のid", "event state id"),
    ("events", "id", "催しのid", "event id"),
    ("musics", "id", "保留音のid", "music id"),
)


def findings(data: Row) -> Iterator[Finding]:
    """Names that stand twice, and names of nothing."""
    for name, field, ja, en in _TWICE:
        same = str.lower if field == "login" else str
        values = (((name, index, field), row.get(field)) for index, row in rows(data, name))
        yield from _twice(((loc, text(value)) for loc, value in values), ja, en, same)
    yield from _twice(_our_numbers(data), "電話番号", "telephone number", digits)
    first = (
        (("priority_callers", n, "number"), text(r.get("number"))) for n, r in rows(data, "priority_callers")
    )
    yield from _twice(first, "優先する電話番号", "priority caller", digits)
    yield from _networks(data)
    yield from _queues_of_operators(data)
    yield from _of_operators(data)
    yield from _operators_of_users(data)
    yield from _days_twice(data)
    yield from _reserved(data)
    yield from _named(data)
    yield from _targets(data)


def _twice(
    values: Iterable[tuple[Loc, str | None]], ja: str, en: str, same: Callable[[str], str]
) -> Iterator[Finding]:
    first: dict[str, Loc] = {}
    for loc, value in values:
        if value is None or first.setdefault(same(value), loc) == loc:
            continue
        yield Finding(
            loc,
            f"{ja}「{value}」は {{see}} と重なっています",
            f"{en} “{value}” is the same as in {{see}}",
            "どちらかを消すか、別の値にしてください",
            "remove one of them or give it another value",
            see=first[same(value)],
        )


def _our_numbers(data: Row) -> Iterator[tuple[Loc, str | None]]:
    """Each number by which a call finds one of ours: its own, its aliases, those diverted to it."""
    for index, row in rows(data, "numbers"):
        yield ("numbers", index, "number"), text(row.get("number"))
        for at, alias in enumerate(items(row, "aliases")):
            yield ("numbers", index, "aliases", at), text(alias)
        for at, one in rows(row, "diverted"):
            yield ("numbers", index, "diverted", at, "number"), text(one.get("number"))


def _queues_of_operators(data: Row) -> Iterator[Finding]:
    known = ids(data, "queues")
    for index, row in rows(data, "operators"):
        queues = items(row, "queues")
        for at, queue in enumerate(queues):
            loc: Loc = ("operators", index, "queues", at)
            if not isinstance(queue, str):
                continue
            if queue not in known:
                yield unknown(loc, queue, known, "キュー", "queue")
            elif queue in queues[:at]:
                yield Finding(
                    loc,
                    f"キュー「{queue}」が2回書かれています",
                    f"queue “{queue}” is named twice",
                    "ひとつ消してください",
                    "remove one",
                )


def _of_operators(data: Row) -> Iterator[Finding]:
    """Levels and languages of operators."""
    for index, row in rows(data, "operators"):
        loc: Loc = ("operators", index)
        queues = [one for one in items(row, "queues") if isinstance(one, str)]
        levels = row.get("levels")
        for queue in levels if isinstance(levels, dict) else ():
            if (name := text(queue)) is not None and name not in queues:
                yield Finding(
                    (*loc, "levels", str(queue)),
                    f"キュー「{name}」のレベルがありますが、この操作者はそのキューを受けていません",
                    f"there is a level for queue “{name}”, which this operator does not serve",
                    "queues: に書き足すか、このレベルを消してください",
                    "add it to queues:, or remove this level",
                    on_key=True,
                )
        languages = row.get("languages")
        if isinstance(languages, (list, tuple)) and not languages:
            yield Finding(
                (*loc, "languages"),
                "話す言語がひとつもありません。電話がまわりません",
                "there is no language: no call would ever come",
                "話す言語を書くか、この行を消してください(消すと、すべての言語)",
                "name the languages, or remove this line (then all)",
            )
        spoken = (((*loc, "languages", at), text(one)) for at, one in enumerate(items(row, "languages")))
        yield from _twice(spoken, "言語", "language", str)


def _operators_of_users(data: Row) -> Iterator[Finding]:
    known = ids(data, "operators")
    for index, row in rows(data, "users"):
        operator = text(row.get("operator"))
        if operator is not None and operator not in known:
            yield unknown(("users", index, "operator"), operator, known, "操作者", "operator")
        if row.get("role") == "operator" and row.get("operator") is None:
            yield Finding(
                ("users", index),
                "役割が operator の利用者に操作者が割り当てられていません",
                "a user with role operator has no operator",
                'operator: "1001" のように書いてください',
                'add e.g. operator: "1001"',
            )


def _networks(data: Row) -> Iterator[Finding]:
    """An address belongs to one trunk only: Asterisk would otherwise pick one by chance."""
    seen: list[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, Loc, str]] = []
    for index, row in rows(data, "trunks"):
        for at, address in enumerate(items(row, "addresses")):
            try:
                network = ipaddress.ip_network(str(address), strict=False)
            except ValueError:
                continue  # the model tells this one
            for other, place, written in seen:
                if network.version == other.version and network.overlaps(other):
                    yield Finding(
                        ("trunks", index, "addresses", at),
                        f"アドレス「{address}」は {{see}} の「{written}」と重なっています",
                        f"address “{address}” overlaps “{written}” of {{see}}",
                        "ひとつのアドレスはひとつの回線にだけ書いてください",
                        "name each address in one trunk only",
                        see=place,
                    )
            seen.append((network, ("trunks", index), str(address)))


def _days_twice(data: Row) -> Iterator[Finding]:
    """`mon-fri` and `fri` in one week, or one date twice in a list of days."""
    for index, row in rows(data, "hours"):
        week = row.get("week")
        seen: dict[str, str] = {}
        for key in week if isinstance(week, dict) else ():
            again = [day for day in days_of(str(key)) if seen.setdefault(day, str(key)) != key]
            if again:
                yield Finding(
                    ("hours", index, "week", str(key)),
                    f"{again[0]} の時間が「{seen[again[0]]}」と「{key}」の両方にあります",
                    f"the hours of {again[0]} stand in “{seen[again[0]]}” and in “{key}”",
                    "どちらかだけに書いてください",
                    "state them in one of the two",
                    on_key=True,
                )
        yield from _dates_twice(row, "days", ("hours", index))
    for index, row in rows(data, "calendars"):
        yield from _dates_twice(row, "holidays", ("calendars", index))
        yield from _dates_twice(row, "days", ("calendars", index))


def _dates_twice(row: Row, name: str, loc: Loc) -> Iterator[Finding]:
    values = (
        ((*loc, name, at, "date"), None if day.get("date") is None else str(day["date"]))
        for at, day in rows(row, name)
    )
    yield from _twice(values, "日付", "date", str)


def _reserved(data: Row) -> Iterator[Finding]:
    for index, row in rows(data, "steps"):
        if (id := row.get("id")) in RESERVED:
            yield Finding(
                ("steps", index, "id"),
                f"「{id}」は案内のidに使えません(決まった意味があります)",
                f"“{id}” cannot be a step's id: it has a meaning of its own",
                "別の名前にしてください",
                "choose another name",
            )
    for index, row in rows(data, "musics"):
        if (id := row.get("id")) in ("default", "general"):  # `[general]`: Asterisk's own section
            yield Finding(
                ("musics", index, "id"),
                f"「{id}」は備え付けの名前なので、保留音のidに使えません",
                f"“{id}” cannot be a music's id: the centre itself uses it",
                "別の名前にしてください",
                "choose another name",
            )


def _named(data: Row) -> Iterator[Finding]:
    """Hours, calendars, trunks, boards, states, musics and numbers that are named somewhere."""
    hours, calendars = ids(data, "hours"), ids(data, "calendars")
    trunks, musics = ids(data, "trunks"), ["default", *ids(data, "musics")]
    states = list(dict.fromkeys([*(one.id for one in STATES), *ids(data, "event_states")]))
    ours = [number for _, row in rows(data, "numbers") if (number := text(row.get("number"))) is not None]
    plain = {digits(number) for number in ours}

    def named(rows_name: str, field: str, known: list[str], ja: str, en: str) -> Iterator[Finding]:
        for index, row in rows(data, rows_name):
            word = row.get(field)
            if isinstance(word, str) and word not in known:
                yield unknown((rows_name, index, field), word, known, ja, en)

    yield from named("numbers", "hours", hours, "受付時間", "hours")
    yield from named("steps", "hours", hours, "受付時間", "hours")
    yield from named("hours", "calendar", calendars, "暦", "calendar")
    yield from named("forwards", "trunk", trunks, "回線", "trunk")
    yield from named("steps", "trunk", trunks, "回線", "trunk")
    yield from named("steps", "queue", ids(data, "queues"), "キュー", "queue")
    offers = [text(row.get("id")) or "" for _, row in rows(data, "steps") if row.get("kind") == "callback"]
    yield from named("queues", "callback", offers, "折り返しの案内", "step of kind callback")
    yield from named("queues", "music", musics, "保留音", "music")
    yield from named("events", "state", states, "催しの状態", "event state")
    for index, row in rows(data, "notices"):
        for at, value in enumerate(items(row, "numbers")):
            if (one := text(value)) is not None and digits(one) not in plain:
                yield unknown(("notices", index, "numbers", at), one, ours, "代表番号", "number of ours")


def places_of_targets(data: Row) -> Iterator[tuple[Loc, object, bool]]:
    """Every place where a target may stand: its path, what stands there, whether it is a menu's key."""
    for name, fields in (
        ("numbers", ("start", "closed", "holiday", "withheld")),
        ("queues", ("overflow", "nobody")),
        ("steps", ("otherwise", "next", "open", "closed", "holiday", "declined")),
        ("forwards", ("unanswered",)),
        ("notices", ("next",)),
    ):
        for index, row in rows(data, name):
            for field in fields:
                if row.get(field) is not None:
                    yield (name, index, field), row[field], False
    for index, row in rows(data, "steps"):
        keys = row.get("keys")
        for key, does in (keys if isinstance(keys, dict) else {}).items():
            if isinstance(does, dict):
                yield ("steps", index, "keys", str(key), "go"), does.get("go"), True


def _targets(data: Row) -> Iterator[Finding]:
    queues, steps, forwards = ids(data, "queues"), ids(data, "steps"), ids(data, "forwards")
    known = {*steps, *(f"queue:{one}" for one in queues), *(f"forward:{one}" for one in forwards), "hangup"}
    for index, row in rows(data, "numbers"):
        if isinstance(queue := row.get("queue"), str) and queue not in queues:
            yield unknown(("numbers", index, "queue"), queue, queues, "キュー", "queue")
    for loc, word, is_key in places_of_targets(data):
        if not isinstance(word, str) or word in known or (is_key and word in ("repeat", "back")):
            continue
        if word in ("repeat", "back"):
            yield Finding(
                loc,
                f"「{word}」はここでは使えません",
                f"“{word}” has no meaning here",
                "repeat と back は、メニューのボタン(keys)の go にだけ書けます。行き先を書いてください",
                "only a menu's key may repeat or go back; name a target",
            )
            continue
        kind, _, id = word.rpartition(":")
        if not kind and (id in queues or id in forwards):
            near: str | None = f"{'queue' if id in queues else 'forward'}:{id}"
        else:
            near = nearest(word, sorted(known)) or _of_kind(kind, id, queues, forwards)
        yield Finding(
            loc,
            f"行き先「{word}」はありません",
            f"there is no target “{word}”",
            f"{near} ではありませんか"
            if near
            else "案内(steps)のid、queue:キュー、forward:転送先、hangup のどれかを書いてください",
            f"did you mean {near}?" if near else "name a step's id, queue:ID, forward:ID or hangup",
        )


def _of_kind(kind: str, id: str, queues: list[str], forwards: list[str]) -> str | None:
    known = {"queue": queues, "forward": forwards}.get(kind, [])
    near = nearest(id, known) or (known[0] if len(known) == 1 else None)
    return f"{kind}:{near}" if near else None
