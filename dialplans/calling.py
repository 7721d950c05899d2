"""How a number that we dial looks to the network: who is reached by it."""

from __future__ import annotations

EMERGENCY = ("110", "118", "119")
_WITHHOLD_OR_SHOW = ("184", "186")  # dialled before a number
_JAPAN = ("+81", "01081")
_LONG = 9  # shorter ones are extensions, or services of three digits


def national(dialled: str) -> str:
    """The number as within Japan: `+81246221111`, `81246221111` and `1840246221111` are `0246221111`."""
    number = dialled
    for before in _WITHHOLD_OR_SHOW:
        if len(number) > len(before):
            number = number.removeprefix(before)
    starts = (*_JAPAN, "81") if len(number) > 10 else _JAPAN
    for start in starts:
        if number.startswith(start):
            return "0" + number.removeprefix(start).removeprefix("0")
    return number


def reached(number: str, prefix: str) -> set[str]:
    """Whom a trunk may reach by these digits: its `prefix` may be a PBX's own or belong to the number."""
    return {national(number), national(prefix + number)}


def is_abroad(dialled: str) -> bool:
    """Whether the call leaves Japan."""
    number = national(dialled)
    return number.startswith("+") or (number.startswith("010") and len(number) >= _LONG)
