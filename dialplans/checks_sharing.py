"""How calls are shared and called back: what contradicts itself there. On plain data, as `checks_names`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from dialplans.problems import Finding, Loc
from dialplans.rows import Row, items, rows, text


def findings(data: Row) -> Iterator[Finding]:
    """Callbacks, strategies, and levels that nobody has or nobody asks."""
    trunks = {text(row.get("id")): row for _, row in rows(data, "trunks")}
    offers = {text(row.get("id")): row for _, row in rows(data, "steps") if row.get("kind") == "callback"}
    for index, row in rows(data, "steps"):
        if row.get("kind") == "callback":
            yield from dials_out(row, trunks.get(text(row.get("trunk"))), ("steps", index))
    for index, row in rows(data, "queues"):
        loc: Loc = ("queues", index)
        yield from _callback(row, offers, loc)
        if row.get("then") not in (None, "longest_idle") and row.get("strategy") != "skill":
            yield Finding(
                (*loc, "then"),
                "then は、strategy: skill のときだけ使われます",
                "then: is used under strategy: skill alone",
                "strategy: skill にするか、then: を消してください",
                "use strategy: skill, or remove then:",
            )
        yield from _widen(data, row, loc)


def dials_out(row: Row, trunk: Row | None, loc: Loc) -> Iterator[Finding]:
    """Whoever calls by a trunk needs one with `outbound`."""
    if trunk is not None and trunk.get("outbound") is None:
        yield Finding(
            (*loc, "trunk"),
            f"回線「{row['trunk']}」は着信専用です",
            f"trunk “{row['trunk']}” takes incoming calls only",
            "その回線に outbound: を書くか、発信できる回線を選んでください",
            "give that trunk outbound:, or choose another",
        )


def _callback(row: Row, offers: dict[str | None, Row], loc: Loc) -> Iterator[Finding]:
    id, named, key = text(row.get("id")), text(row.get("callback")), text(row.get("callback_key"))
    if named is None and key not in (None, "1"):
        yield Finding(
            (*loc, "callback_key"),
            "折り返しのボタンがありますが、折り返しの案内がないので、使われません",
            "there is a key for callbacks, but no callback, so nothing ever happens",
            "callback: に折り返しの案内(kind: callback)のidを書くか、callback_key: を消してください",
            "name a step of kind callback in callback:, or remove callback_key:",
        )
    offer = offers.get(named) if named is not None else None
    if offer is not None and (other := text(offer.get("queue"))) not in (None, id):
        yield Finding(
            (*loc, "callback"),
            f"折り返しの案内「{named}」は、ほかのキュー「{other}」の順番をとります",
            f"the callback “{named}” keeps a place in another queue, “{other}”",
            f"queue: {id} と書いた案内を作って、ここに書いてください",
            f"make a step of kind callback with queue: {id}, and name it here",
        )


def _levels(data: Row, queue: str | None) -> Iterator[tuple[Loc, int]]:
    """The level of each operator who serves the queue, and where it stands."""
    for index, row in rows(data, "operators"):
        if queue in items(row, "queues"):
            levels = row.get("levels")
            level = levels.get(queue, 1) if isinstance(levels, dict) else 1
            if isinstance(level, int):
                yield ("operators", index, "levels", str(queue)), level


def _widen(data: Row, row: Row, loc: Loc) -> Iterator[Finding]:
    queue = text(row.get("id"))
    steps = [
        (at, after, level)
        for at, one in rows(row, "widen")
        if isinstance(after := one.get("after_s"), int) and isinstance(level := one.get("level"), int)
    ]
    if not steps or len(steps) != len(items(row, "widen")):
        return
    there = list(_levels(data, queue))
    known = {level for _, level in there}
    for (_, after, level), (at, later, wider) in pairwise(steps):
        if later <= after or wider <= level:
            yield Finding(
                (*loc, "widen", at),
                f"前の行({after}秒、レベル{level})より後で、広くなっていません",
                f"neither later nor wider than the line before ({after} s, level {level})",
                "秒数もレベルも、だんだん大きくなるように並べてください",
                "let seconds and levels rise from line to line",
            )
    for at, _, level in steps:
        if there and level not in known:
            listed = ", ".join(map(str, sorted(known)))
            yield Finding(
                (*loc, "widen", at, "level"),
                f"レベル{level}の操作者が、キュー「{queue}」にはいません",
                f"queue “{queue}” has no operator of level {level}",
                f"操作者の levels: に書くか、今あるレベル({listed})にしてください",
                f"give an operator that level, or use one that there is ({listed})",
            )
    widest = max(level for _, _, level in steps)
    for place, level in there:
        if level > widest:
            yield Finding(
                place,
                f"レベル{level}の操作者には、電話がまわりません(キュー「{queue}」はレベル{widest}まで広がります)",
                f"level {level} is never asked: queue “{queue}” widens up to level {widest}",
                "キューの widen: に行を足すか、レベルを小さくしてください",
                "add a line to the queue's widen:, or lower the level",
            )
