"""What the journal says about a call that an operator makes (NUM-5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .callback_memory import DialledMemory


@dataclass
class OutboundMemory:
    """`line`: the channel by which the number is called now (another where the first way led nowhere);
    `began_mono`: since when; `shown`: our number there (digits); `case`, `about`: as asked for."""

    line: str
    began_mono: float
    shown: str
    case: int | None
    about: str | None
    by: str


def outbound(data: Mapping[str, object], mono: float) -> OutboundMemory | None:
    """Of a `dialled` event; None when it is a callback's."""
    if data.get("reason") != "outbound":
        return None
    case, about = data.get("case"), data.get("about")
    return OutboundMemory(
        line=str(data.get("leg") or ""),
        began_mono=mono,
        shown=str(data.get("number") or ""),
        case=case if isinstance(case, int) else None,
        about=about if isinstance(about, str) else None,
        by=str(data.get("by") or ""),
    )


def dialled(data: Mapping[str, object]) -> DialledMemory:
    """Who called, and on which leg they wait."""
    return DialledMemory(
        callback=str(data.get("callback") or ""),
        operator=str(data["operator"]),
        phone=str(data.get("phone") or ""),
        operator_leg=str(data.get("operator_leg") or ""),
    )
