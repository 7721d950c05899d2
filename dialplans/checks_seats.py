"""What the seats need fits together: calls out, the city hall's exchange, the wrap-up form, カスハラ, alarms.
On plain data, as `checks_names`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dialplans.calling import EMERGENCY, is_abroad, national
from dialplans.problems import Finding, Loc, unknown
from dialplans.rows import Row, digits, items, rows, text
from dialplans.seats import DialClass, Dialling, Harassment

CATEGORY_DEPTH = 4
_SOMEBODY = "0312345678"  # any number within Japan
_WIDEST = 8  # digits of the longest extension


def findings(data: Row) -> Iterator[Finding]:
    """Trunks, numbers and people that are named but not there, and keys that contradict each other."""
    yield from _dialling(data)
    yield from _pbx(data)
    yield from _harassment(data)
    yield from _mail(data)
    yield from _categories(items(data, "categories"), ("categories",), 1)
    yield from _seats_of_nobody(data)


def _section(data: Row, name: str) -> Row:
    found = data.get(name)
    return found if isinstance(found, Mapping) else {}


def _dialling(data: Row) -> Iterator[Finding]:
    rules = _section(data, "dialling")
    yield from _route(data, rules, ("dialling", "trunks"))
    by_class = _section(rules, "by_class")
    allowed = items(rules, "allow") if "allow" in rules else Dialling().allow
    for name in by_class:
        yield from _route(data, by_class, ("dialling", "by_class", str(name)))
        if name not in allowed and name in list(DialClass):
            yield Finding(
                ("dialling", "by_class", str(name)),
                f"「{name}」は allow にないので、この回線は使われません",
                f"“{name}” is not in allow:, so this route is never used",
                "allow: に書き足すか、この行を消してください",
                "add it to allow:, or remove this line",
                on_key=True,
            )
    for at, one in enumerate(items(rules, "allow")):
        if one == DialClass.EMERGENCY:
            yield Finding(
                ("dialling", "allow", at),
                "緊急通報(110・118・119)は、センターの回線からはかけられません",
                "emergency numbers (110, 118, 119) are never dialled by the centre's lines",
                "この行を消してください。庁舎の電話か携帯電話で通報します",
                "remove it: such calls are made from a telephone of the building or a mobile",
            )
    shown = text(rules.get("shown"))
    ours = [number for _, row in rows(data, "numbers") for number in _own(row)]
    if shown is not None and digits(shown) not in map(digits, ours):
        yield unknown(("dialling", "shown"), shown, ours, "代表番号", "number of ours")
    named = (*items(rules, "trunks"), *(one for name in by_class for one in items(by_class, str(name))))
    yield from _prefixes(data, {one for one in map(text, named) if one is not None})


def _own(row: Row) -> Iterator[str]:
    """The numbers of ours that may be shown: a diverted line is the department's."""
    for value in (row.get("number"), *items(row, "aliases")):
        if (number := text(value)) is not None:
            yield number


def _route(data: Row, row: Row, loc: Loc) -> Iterator[Finding]:
    """Trunks in the order to be tried: known, once each, made for calls out."""
    trunks = {name: one for _, one in rows(data, "trunks") if (name := text(one.get("id"))) is not None}
    named = items(row, str(loc[-1]))
    for at, trunk in enumerate(named):
        if not isinstance(trunk, str):
            continue  # the model tells this one
        if trunk not in trunks:
            yield unknown((*loc, at), trunk, trunks, "回線", "trunk")
        elif trunk in named[:at]:
            yield Finding(
                (*loc, at),
                f"回線「{trunk}」が2回書かれています",
                f"trunk “{trunk}” is named twice",
                "ひとつ消してください",
                "remove one",
            )
        elif trunks[trunk].get("outbound") is None:
            yield Finding(
                (*loc, at),
                f"回線「{trunk}」は着信専用です",
                f"trunk “{trunk}” takes incoming calls only",
                "その回線に outbound: を書くか、発信できる回線を選んでください",
                "give that trunk outbound:, or choose another",
            )


def _prefixes(data: Row, used: set[str]) -> Iterator[Finding]:
    """A trunk's prefix must not make another number of what is dialled."""
    for index, row in rows(data, "trunks"):
        prefix = text(_section(row, "outbound").get("prefix"))
        if text(row.get("id")) not in used or not prefix:
            continue
        if is_abroad(prefix + _SOMEBODY) or prefix.startswith(EMERGENCY):
            yield Finding(
                ("trunks", index, "outbound", "prefix"),
                f"「{prefix}」を付けると、国際電話か緊急通報の番号になります",
                f"with “{prefix}” before them numbers become numbers abroad or emergency numbers",
                "交換機が外線に使う番号(0 など)だけを書いてください",
                "give only what the exchange wants for an outside line, such as 0",
            )


def _pbx(data: Row) -> Iterator[Finding]:
    pbx = _section(data, "pbx")
    yield from _route(data, pbx, ("pbx", "trunks"))
    wide = [one for one in items(pbx, "digits") if isinstance(one, int) and not isinstance(one, bool)]
    if len(wide) == 2:
        low, high = wide
        if not 1 <= low <= high <= _WIDEST:
            yield Finding(
                ("pbx", "digits"),
                f"内線の桁数 {low}～{high} は使えません",
                f"extensions of {low} to {high} digits cannot be",
                f"短いほう、長いほうの順に、1～{_WIDEST}で書いてください(例: [3, 6])",
                f"write the shorter, then the longer, within 1 to {_WIDEST}, e.g. [3, 6]",
            )
    code = text(pbx.get("return_code"))
    if code is not None:
        yield from _return_code(data, code)


def _return_code(data: Row, code: str) -> Iterator[Finding]:
    for index, row in rows(data, "numbers"):
        diverted = [number for _, one in rows(row, "diverted") if (number := text(one.get("number")))]
        for number in (*_own(row), *diverted):
            if national(digits(number)) == national(code):
                yield _taken(code, ("numbers", index), f"番号「{number}」", f"the number “{number}”")
    for index, row in rows(data, "operators"):
        if text(row.get("id")) == code:
            yield _taken(code, ("operators", index), "操作者の内線番号", "an operator's extension")
    if code in EMERGENCY:
        yield _taken(code, None, "緊急通報の番号", "an emergency number")


def _taken(code: str, where: Loc | None, ja: str, en: str) -> Finding:
    return Finding(
        ("pbx", "return_code"),
        f"転送戻りの番号「{code}」は、{'{see} の' if where else ''}{ja}と同じです",
        f"the return code “{code}” is the same as {en}{' of {see}' if where else ''}",
        "ほかで使っていない番号にしてください",
        "choose a code that nothing else uses",
        see=where,
    )


def _harassment(data: Row) -> Iterator[Finding]:
    row, usual = _section(data, "harassment"), Harassment()
    warn = row.get("warn_after_s", usual.warn_after_s)
    end = row.get("end_after_s", usual.end_after_s)
    if isinstance(warn, int) and isinstance(end, int) and end <= warn:
        key = "end_after_s" if "end_after_s" in row else "warn_after_s"
        yield Finding(
            ("harassment", key),
            f"終話の案内({end}秒)が、警告({warn}秒)より後ではありません",
            f"the scripted end ({end} s) does not come after the warning ({warn} s)",
            "end_after_s: を warn_after_s: より大きくしてください",
            "let end_after_s: be larger than warn_after_s:",
        )


def _mail(data: Row) -> Iterator[Finding]:
    alarms, mail = _section(data, "alarms"), data.get("mail")
    wanted = alarms.get("mail")
    if wanted is not False and isinstance(mail, Mapping) and not items(mail, "to"):
        yield Finding(
            ("mail", "to") if "to" in mail else ("mail",),
            "メールの宛先がありません。警報がだれにも届きません",
            "there are no addresses, so alarms reach nobody",
            "to: に宛先を書くか、alarms: に mail: false と書いてください",
            "name addresses in to:, or write mail: false in alarms:",
        )


def _categories(branch: tuple[object, ...], loc: Loc, depth: int) -> Iterator[Finding]:
    """The tree of the wrap-up form: every way through it is its own, and short enough to be chosen by key."""
    first: dict[str, int] = {}
    for at, row in enumerate(branch):
        if not isinstance(row, Mapping):
            continue
        name = text(row.get("name"))
        if name is not None and first.setdefault(name, at) != at:
            yield Finding(
                (*loc, at, "name"),
                f"分類「{name}」は {{see}} と重なっています",
                f"category “{name}” is the same as {{see}}",
                "どちらかを消すか、別の名前にしてください",
                "remove one of them or give it another name",
                see=(*loc, first[name]),
            )
        children = items(row, "children")
        if children and depth >= CATEGORY_DEPTH:
            yield Finding(
                (*loc, at, "children"),
                f"分類は{CATEGORY_DEPTH}段までです",
                f"categories go {CATEGORY_DEPTH} levels deep at most",
                "上の段にまとめてください",
                "move them up a level",
                on_key=True,
            )
        else:
            yield from _categories(children, (*loc, at, "children"), depth + 1)


def _seats_of_nobody(data: Row) -> Iterator[Finding]:
    """A seat without queues is for those who help, not for those who answer."""
    without = {text(row.get("id")): row for _, row in rows(data, "operators") if not items(row, "queues")}
    for index, row in rows(data, "operators"):
        if not items(row, "queues") and row.get("most_calls_h") is not None:
            yield Finding(
                ("operators", index, "most_calls_h"),
                "この操作者はキューを受けないので、この上限は使われません",
                "this operator serves no queue, so the limit means nothing",
                "queues: を書くか、この行を消してください",
                "add queues:, or remove this line",
            )
    for index, row in rows(data, "users"):
        operator = text(row.get("operator"))
        if row.get("role") == "operator" and operator in without:
            yield Finding(
                ("users", index, "operator"),
                f"操作者「{operator}」はキューを受けていないので、電話がまわりません",
                f"operator “{operator}” serves no queue, so no call would ever come",
                "その操作者に queues: を書いてください(監督者の席なら、role: supervisor)",
                "give that operator queues: (for a supervisor's seat use role: supervisor)",
            )
