"""Keys of one thing that need, forbid or contradict each other. On plain data, as `checks_names`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dialplans import checks_sharing
from dialplans.calling import national, reached
from dialplans.problems import Finding, Loc, nearest
from dialplans.rows import Row, digits, items, lines, rows, text
from dialplans.wording import NUMBER_WORDS

_LIMITS = ("most_waiting", "longest_wait_s", "longest_expected_s")
_BRACES = re.compile(r"\{[^{}]*\}")


def findings(data: Row) -> Iterator[Finding]:
    """What does not fit together within one number, queue, forward, text …"""
    for index, row in rows(data, "numbers"):
        yield from _number(row, ("numbers", index))
    for index, row in rows(data, "queues"):
        yield from _queue(row, ("queues", index))
    for index, row in rows(data, "hours"):
        for name, ja, en in (("holiday", "祝日", "holidays"), ("closure", "休業日", "closed days")):
            if items(row, name) and row.get("calendar") is None:
                yield Finding(
                    ("hours", index, name),
                    f"{ja}の時間がありますが、暦がないので、いつが{ja}かわかりません",
                    f"there are hours of {en}, but no calendar that says when they are",
                    "calendar: に暦(calendars)のidを書いてください",
                    "name a calendar (calendars) in calendar:",
                )
    yield from _forwards(data)
    yield from checks_sharing.findings(data)
    yield from _notices(data)
    yield from _events(data)
    yield from _placeholders(data)


def _number(row: Row, loc: Loc) -> Iterator[Finding]:
    queue, start = row.get("queue"), row.get("start")
    if (queue is None) == (start is None):
        yield Finding(
            loc if queue is None else (*loc, "start"),
            "電話の行き先がありません" if queue is None else "行き先が queue と start の両方にあります",
            "there is no target for its calls" if queue is None else "both queue and start are given",
            "queue: キュー か start: 案内 の、どちらかひとつを書いてください",
            "give one of the two, queue: or start:",
        )
    if row.get("hours") is not None and row.get("closed") is None:
        yield Finding(
            (*loc, "hours"),
            "受付時間がありますが、時間外の行き先がありません",
            "it has hours, but no target for calls outside them",
            "closed: に、時間外の案内などを書いてください",
            "add closed: with a target, such as an announcement",
        )
    if row.get("holiday") is not None and row.get("hours") is None:
        yield Finding(
            (*loc, "holiday"),
            "休みの日の行き先がありますが、受付時間がないので、使われません",
            "it has a target for special days, but no hours, so nothing ever goes there",
            "hours: を書くか、holiday: を消してください",
            "add hours: or remove holiday:",
        )


def _queue(row: Row, loc: Loc) -> Iterator[Finding]:
    limits = [name for name in _LIMITS if row.get(name) is not None]
    if limits and row.get("overflow") is None:
        yield Finding(
            (*loc, limits[0]),
            "待ちの上限がありますが、上限を超えた電話の行き先がありません",
            "there is a limit, but no target for calls over it",
            "overflow: に行き先を書いてください",
            "add overflow: with a target",
        )
    if not limits and row.get("overflow") is not None:
        yield Finding(
            (*loc, "overflow"),
            "上限を超えた電話の行き先がありますが、上限がないので、使われません",
            "there is a target for calls over the limit, but no limit, so nothing ever goes there",
            "most_waiting: か longest_wait_s: か longest_expected_s: を書くか、overflow: を消してください",
            "add most_waiting:, longest_wait_s: or longest_expected_s:, or remove overflow:",
        )
    for at, tell in rows(row, "waiting"):
        if tell.get("say") is None and tell.get("events") is None:
            yield Finding(
                (*loc, "waiting", at),
                "流すものがありません",
                "it says nothing",
                "say: に文言か、events: に催しの掲示板を書いてください",
                "give say: with words or events: with a board",
            )


def _forwards(data: Row) -> Iterator[Finding]:
    trunks = {text(row.get("id")): row for _, row in rows(data, "trunks")}
    ours = {national(digits(one)) for _, row in rows(data, "numbers") for one in _numbers_of(row)}
    for index, row in rows(data, "forwards"):
        trunk = trunks.get(text(row.get("trunk")))
        yield from checks_sharing.dials_out(row, trunk, ("forwards", index))
        number = text(row.get("number"))
        outbound = trunk.get("outbound") if trunk is not None else None
        prefix = text(outbound.get("prefix")) if isinstance(outbound, dict) else None
        if number is not None and not reached(digits(number), prefix or "").isdisjoint(ours):
            yield Finding(
                ("forwards", index, "number"),
                f"「{number}」はこのセンター自身の番号です。電話が回り続けます",
                f"“{number}” is this centre's own number: calls would go round in circles",
                "queue:キュー や案内のidを、そのまま行き先にしてください",
                "use queue:ID or a step as the target instead",
            )


def _numbers_of(row: Row) -> Iterator[str]:
    diverted = [one.get("number") for _, one in rows(row, "diverted")]
    for value in (row.get("number"), *items(row, "aliases"), *diverted):
        if (number := text(value)) is not None:
            yield number


def _notices(data: Row) -> Iterator[Finding]:
    deaf = {
        digits(number)
        for _, row in rows(data, "numbers")
        if row.get("notices") is False and (number := text(row.get("number"))) is not None
    }
    for index, row in rows(data, "notices"):
        for at, value in enumerate(items(row, "numbers")):
            if (one := text(value)) is not None and digits(one) in deaf:
                yield Finding(
                    ("notices", index, "numbers", at),
                    f"番号「{one}」は緊急案内を流さない番号(notices: false)です",
                    f"number “{one}” hears no notices (notices: false)",
                    "この行を消すか、番号の notices: false を消してください",
                    "remove it here, or remove notices: false there",
                )


def _events(data: Row) -> Iterator[Finding]:
    told = {board for _, row in rows(data, "steps") if row.get("kind") == "events" for board in [_board(row)]}
    for _, queue in rows(data, "queues"):
        told |= {str(one["events"]) for _, one in rows(queue, "waiting") if one.get("events") is not None}
    held = {_board(row) for _, row in rows(data, "events")}
    always = {
        _board(row)
        for _, row in rows(data, "events")
        if row.get("tell_from") is None and row.get("tell_until") is None
    }
    for index, row in rows(data, "events"):
        board = _board(row)
        if board not in told:
            near = nearest(board, told)
            yield Finding(
                ("events", index, "board") if "board" in row else ("events", index),
                f"催しの掲示板「{board}」は、どこでも流れません",
                f"the board “{board}” of this event is told nowhere",
                f"{near} ではありませんか"
                if near
                else "kind: events の案内を作るか、キューの waiting: に events: を書いてください",
                f"did you mean {near}?"
                if near
                else "make a step of kind: events, or name it in a queue's waiting",
            )
        start, end = row.get("tell_from"), row.get("tell_until")
        if start is not None and end is not None and str(end) < str(start):
            yield Finding(
                ("events", index, "tell_until"),
                "流し終える日が、流し始める日より前です",
                "it stops being told before it begins",
                "日付を確かめてください",
                "check the dates",
            )
    for index, row in rows(data, "steps"):
        if row.get("kind") == "events" and row.get("none") is None and (board := _board(row)) not in always:
            near = nearest(board, held - told) if board not in held else None
            yield Finding(
                ("steps", index, "board") if "board" in row else ("steps", index),
                f"掲示板「{board}」に催しがない日に、流すものがありません",
                f"nothing is said on days when the board “{board}” has no event",
                f"{near} ではありませんか"
                if near
                else "none: に「お知らせはありません」などの文言を書いてください",
                f"did you mean {near}?" if near else "add none: with words for such days",
            )


def _board(row: Row) -> str:
    return str(row.get("board") or "main")


_PLAIN = {
    "numbers": ("greeting", "recording_notice"),
    "steps": ("say", "wrong", "silent", "before", "none"),
    "queues": ("waiting_announcement",),
    "forwards": ("say",),
    "notices": ("say",),
    "events": ("name", "note"),
}


def _placeholders(data: Row) -> Iterator[Finding]:
    wording = data.get("wording")
    needed = dict.fromkeys(("position", "wait_minutes"), "{n}") | dict.fromkeys(NUMBER_WORDS, "{number}")
    for name, word in needed.items():
        if isinstance(wording, dict):
            yield from _braces(wording.get(name), ("wording", name), word, ())
    for index, row in rows(data, "event_states"):
        yield from _braces(row.get("say"), ("event_states", index, "say"), "{event}", ("{date}", "{note}"))
    for name, keys in _PLAIN.items():
        for index, row in rows(data, name):
            for key in keys:
                yield from _no_braces(row.get(key), (name, index, key))
    for index, queue in rows(data, "queues"):
        for at, row in rows(queue, "waiting"):
            yield from _no_braces(row.get("say"), ("queues", index, "waiting", at, "say"))


def _no_braces(said: object, loc: Loc) -> Iterator[Finding]:
    """Words into which nothing is put: what stands in braces would be read out."""
    for at, line in lines(said, loc):
        for word in _BRACES.findall(line):
            yield Finding(
                at,
                f"「{word}」に入れるものがありません",
                f"there is nothing to put into “{word}”",
                "読み上げる言葉をそのまま書いてください",
                "write the words that are to be said",
            )


def _braces(said: object, loc: Loc, needed: str, others: tuple[str, ...]) -> Iterator[Finding]:
    for at, line in lines(said, loc):
        found = _BRACES.findall(line)
        for word in found:
            if word != needed and word not in others:
                known = "、".join((needed, *others))
                yield Finding(
                    at,
                    f"「{word}」に入れるものがありません",
                    f"there is nothing to put into “{word}”",
                    f"使えるもの: {known}",
                    f"known: {', '.join((needed, *others))}",
                )
        if needed not in found:
            yield Finding(
                at,
                f"「{needed}」がありません",
                f"“{needed}” is missing",
                f"文言のどこかに {needed} と書いてください。そこに実際の値が入ります",
                f"write {needed} where the value is to be put in",
            )
