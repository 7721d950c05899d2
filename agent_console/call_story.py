"""What a call's page tells of its transfers, marks, listenings and recordings, for these eyes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cdr import CallDetail, Event, Target, Transfer, WrapUpNote

from .console import Console
from .formats import masked, phone_number
from .records import consult_path
from .rights import Right
from .sessions import Session
from .texts import Texts


@dataclass(frozen=True)
class ShownTransfer:
    """A transfer as the page shows it: `to` in words, `why` (how it ended) in words, `sound`: whether its
    consult can be heard."""

    place: int
    how: str
    operator: str
    to: str
    at: datetime
    answered_at: datetime | None
    transferred_at: datetime | None
    returned_at: datetime | None
    why: str
    talk_s: float | None
    sound: bool
    sound_s: float | None


def transfers_of(
    console: Console, session: Session, texts: Texts, detail: CallDetail, *, sound: bool
) -> list[ShownTransfer]:
    """All of a call. `sound`: these eyes may listen to the call."""
    names = {one.id: one.name for one in console.site.operators}
    recorded = {one.place: one for one in detail.consults if consult_path(console, one) is not None}
    return [
        ShownTransfer(
            one.place,
            texts.known(f"how.{one.how}", one.how),
            names.get(one.operator or "", one.operator or ""),
            target_text(console, session, texts, one.to),
            one.at,
            one.answered_at,
            one.transferred_at,
            one.returned_at,
            _end(one, texts),
            one.talk_s,
            sound and one.place in recorded,
            recorded[one.place].seconds if one.place in recorded else None,
        )
        for one in detail.record.transfers
    ]


def target_text(console: Console, session: Session, texts: Texts, to: Target) -> str:
    """Whom, as people say it. Numbers outside are masked as callers' are."""
    match to.kind:
        case "operator":
            return {one.id: one.name for one in console.site.operators}.get(to.number, to.number)
        case "queue":
            named = {one.id: one.name for one in console.site.queues}.get(to.number, to.number)
            return texts("calls.queue", name=named)
        case "extension":
            number = texts("calls.extension", n=to.number)
        case _:
            number = outside(console, session, to.number)
    return " ".join(dict.fromkeys(part for part in (to.department, to.name, number) if part))


def outside(console: Console, session: Session, number: str) -> str:
    """A telephone number outside, for these eyes."""
    shown = phone_number(number, console.groups)
    return shown if session.may(Right.CALLER_FULL) else masked(shown)


def _end(one: Transfer, texts: Texts) -> str:
    if one.reason is not None:
        return texts.known(f"reason.{one.reason}", one.reason)
    return texts("calls.under_way") if one.ended_at is None else ""


def notes_of(detail: CallDetail) -> list[WrapUpNote]:
    """The wrap-ups worth showing: empty ones only of operators who wrote nothing at all."""
    written = {note.operator for note in detail.wrap_ups if note.written}
    kept: list[WrapUpNote] = []
    for note in detail.wrap_ups:
        empty = not note.written
        if empty and (note.operator in written or note.by == "returned"):
            continue
        if empty and any(one.operator == note.operator for one in kept):
            continue
        kept.append(note)
    return kept


def what_of(event: Event, console: Console, session: Session, texts: Texts) -> list[str]:
    """The particulars of the events that this page alone knows; [] for all others."""
    data = event.data
    match event.kind:
        case "transfer_begun" | "transferred":
            how = str(data.get("how") or "")
            to = target_text(console, session, texts, Target.of(data.get("to")))
            return [texts.known(f"how.{how}", how), to] if how else [to]
        case "transfer_room":
            return [texts.known(f"room.{data.get('with')}", str(data.get("with")))]
        case "marked":
            mark = texts.known(f"mark.{data.get('mark')}", str(data.get("mark")))
            off = f" ({texts('mark.taken_off')})" if data.get("on") is False else ""
            return [mark + off, *_words(data, "note")]
        case "supervision_began" | "supervision_mode" | "supervision_ended":
            mode = texts.known(f"mode.{data.get('mode')}", str(data.get("mode") or ""))
            return [_person(console, data.get("supervisor")), mode]
        case "help_asked" | "help_said" | "help_taken" | "help_closed":
            by = data.get("by")
            # Who asks is named already.
            return [*([] if by == data.get("operator") else [_person(console, by)]), *_words(data, "text")]
        case "taken_over":
            return [f"→ {_person(console, data.get('by'))}"]
        case "wrapped_up" if data.get("category"):
            return [str(data["category"])]
    return []


def _words(data: Mapping[str, Any], name: str) -> list[str]:
    return [f"「{data[name]}」"] if data.get(name) else []


def _person(console: Console, who: object) -> str:
    """A supervisor's or an operator's name, by id or by sign-in."""
    known = {one.id: one.name for one in console.site.operators}
    known |= {one.login: one.name for one in console.site.users}
    return known.get(str(who or ""), str(who or ""))
