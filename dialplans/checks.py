"""What must fit together in a site: names used once, everything named exists.

Works on plain data (dicts and lists as read, possibly half wrong), so that these problems are told
together with the mistyped fields and not after them.
"""

from __future__ import annotations

import difflib
import ipaddress
import zoneinfo
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache

from dialplans.problems import Finding

Loc = tuple[str | int, ...]


@cache
def timezones() -> tuple[str, ...]:
    """Names of all known time zones."""
    return tuple(sorted(zoneinfo.available_timezones()))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    found = difflib.get_close_matches(word.lower(), lower := {k.lower(): k for k in known}, n=1, cutoff=0.6)
    return lower[found[0]] if found else None


def findings(data: object) -> list[Finding]:
    """Everything that does not fit together; parts of a wrong type are passed over: the model tells those."""
    if not isinstance(data, Mapping):
        return []
    found: list[Finding] = []
    found += _twice(data, "numbers", "number", "電話番号", "telephone number", _digits)
    found += _twice(data, "queues", "id", "キューのid", "queue id")
    found += _twice(data, "operators", "id", "操作者", "operator")
    found += _twice(data, "users", "login", "ログイン名", "login", str.lower)
    found += _twice(data, "users", "operator", "利用者に割り当てた操作者", "operator of a user")
    found += _twice(data, "trunks", "id", "回線のid", "trunk id")
    found += _queues_named(data)
    found += _operators_named(data)
    found += _networks(data)
    return found


def _digits(number: str) -> str:
    return number.replace("-", "")


def _rows(data: Mapping[str, object], name: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    rows = data.get(name)
    if isinstance(rows, (list, tuple)):
        for index, row in enumerate(rows):
            if isinstance(row, Mapping):
                yield index, row


def _text(value: object) -> str | None:
    """A value as it was written; whole numbers (an unquoted 1001) count as their digits."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(getattr(value, "written", value))
    return None


def _twice(
    data: Mapping[str, object],
    rows: str,
    field: str,
    ja: str,
    en: str,
    same: Callable[[str], str] = lambda text: text,
) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for index, row in _rows(data, rows):
        value = _text(row.get(field))
        if value is None:
            continue
        seen = first.setdefault(same(value), index)
        if seen != index:
            yield Finding(
                (rows, index, field),
                f"{ja}「{value}」は {rows}[{seen}] と重なっています",
                f"{en} “{value}” is the same as in {rows}[{seen}]",
                "どちらかを消すか、別の値にしてください",
                "remove one of them or give it another value",
            )


def _unknown(loc: Loc, word: str, known: list[str], ja: str, en: str) -> Finding:
    near = nearest(word, known)
    listed = "、".join(known[:8]) or "(なし)"
    listed_en = ", ".join(known[:8]) or "(none)"
    return Finding(
        loc,
        f"{ja}「{word}」はありません",
        f"there is no {en} “{word}”",
        f"{near} ではありませんか" if near else f"あるもの: {listed}",
        f"did you mean {near}?" if near else f"known: {listed_en}",
    )


def _known(data: Mapping[str, object], rows: str) -> list[str]:
    return [text for _, row in _rows(data, rows) if (text := _text(row.get("id"))) is not None]


def _queues_named(data: Mapping[str, object]) -> Iterator[Finding]:
    known = _known(data, "queues")
    for index, row in _rows(data, "numbers"):
        queue = row.get("queue")
        if isinstance(queue, str) and queue not in known:
            yield _unknown(("numbers", index, "queue"), queue, known, "キュー", "queue")
    for index, row in _rows(data, "operators"):
        queues = listed if isinstance(listed := row.get("queues"), (list, tuple)) else ()
        for at, queue in enumerate(queues):
            if not isinstance(queue, str):
                continue
            loc: Loc = ("operators", index, "queues", at)
            if queue not in known:
                yield _unknown(loc, queue, known, "キュー", "queue")
            elif queue in queues[:at]:
                yield Finding(
                    loc,
                    f"キュー「{queue}」が2回書かれています",
                    f"queue “{queue}” is named twice",
                    "ひとつ消してください",
                    "remove one",
                )


def _operators_named(data: Mapping[str, object]) -> Iterator[Finding]:
    known = _known(data, "operators")
    for index, row in _rows(data, "users"):
        operator = _text(row.get("operator"))
        if operator is not None and operator not in known:
            yield _unknown(("users", index, "operator"), operator, known, "操作者", "operator")
        if row.get("role") == "operator" and row.get("operator") is None:
            yield Finding(
                ("users", index),
                "役割が operator の利用者に操作者が割り当てられていません",
                "a user with role operator has no operator",
                'operator: "1001" のように書いてください',
                'add e.g. operator: "1001"',
            )


def _networks(data: Mapping[str, object]) -> Iterator[Finding]:
    """An address belongs to one trunk only: Asterisk would otherwise pick one by chance."""
    seen: list[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, int, str]] = []
    for index, row in _rows(data, "trunks"):
        addresses = row.get("addresses")
        for at, address in enumerate(addresses if isinstance(addresses, (list, tuple)) else ()):
            try:
                network = ipaddress.ip_network(address, strict=False)
            except ValueError:
                continue  # the model tells this one
            for other, owner, written in seen:
                if network.version == other.version and network.overlaps(other):
                    yield Finding(
                        ("trunks", index, "addresses", at),
                        f"アドレス「{address}」は trunks[{owner}] の「{written}」と重なっています",
                        f"address “{address}” overlaps “{written}” of trunks[{owner}]",
                        "ひとつのアドレスはひとつの回線にだけ書いてください",
                        "name each address in one trunk only",
                    )
            seen.append((network, index, str(address)))
