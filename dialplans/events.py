"""Events' states and the sentence in which an event is told (イベント開催情報, HRS-5)."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from dialplans.fields import Language, Prompt
from dialplans.spoken import Translated, languages_of, spoken
from dialplans.steps import Event, EventState

if TYPE_CHECKING:
    from dialplans.model import Site

PLACEHOLDER = re.compile(r"\{(event|note|date)\}")


def _state(id: str, name: str, ja: str, en: str) -> EventState:
    return EventState(id=id, name=name, say=Translated(ja=ja, en=en))


STATES = (
    _state(
        "held",
        "開催",
        "{date}{event}は、予定どおり開催します。{note}",
        "{date}{event} will be held as planned. {note}",
    ),
    _state(
        "cancelled",
        "中止",
        "{date}{event}は、中止となりました。{note}",
        "{date}{event} has been cancelled. {note}",
    ),
    _state(
        "postponed",
        "順延",
        "{date}{event}は、順延となりました。{note}",
        "{date}{event} has been postponed. {note}",
    ),
    _state(
        "partly-cancelled",
        "一部中止",
        "{date}{event}は、一部を中止して開催します。{note}",
        "{date}{event} will be held in part. {note}",
    ),
    _state(
        "venue-changed",
        "会場変更",
        "{date}{event}は、会場を変更して開催します。{note}",
        "{date}{event} has moved to another place. {note}",
    ),
    _state(
        "time-changed",
        "時間変更",
        "{date}{event}は、時間を変更して開催します。{note}",
        "{date}{event} will be held at another time. {note}",
    ),
    _state(
        "accepting",
        "受付中",
        "{date}{event}は、ただいま申し込みを受け付けています。{note}",
        "Applications for {date}{event} are open. {note}",
    ),
    _state(
        "closed",
        "受付終了",
        "{date}{event}は、申し込みの受付を終了しました。{note}",
        "Applications for {date}{event} are closed. {note}",
    ),
    _state(
        "full", "満員", "{date}{event}は、定員に達しました。{note}", "{date}{event} is fully booked. {note}"
    ),
    _state(
        "undecided",
        "未定",
        "{date}{event}の開催は、まだ決まっていません。{note}",
        "It is not yet decided whether {date}{event} will be held. {note}",
    ),
)


def states_of(site: Site) -> dict[str, EventState]:
    """The built-in states and the site's own, by id; the site's own take the place of built-in ones."""
    return {one.id: one for one in (*STATES, *site.event_states)}


def event_prompt(site: Site, event: Event, language: Language) -> Prompt:
    """The sentence of one event, in `language` where all its words have it, else in the site's. KeyError for
    a state that the site does not know."""
    state = states_of(site)[event.state]
    own = site.language
    words = [state.say, event.name] + ([] if event.note is None else [event.note])
    used = language if all(language in languages_of(one, own) for one in words) else own
    put = {
        "event": spoken(event.name, own, used).text,
        "note": spoken(event.note, own, used).text if event.note is not None else "",
        "date": _day(event.date, used) if event.date is not None else "",
    }
    # In one go: what a name holds is never taken for a placeholder.
    text = PLACEHOLDER.sub(lambda found: put[found[1]], spoken(state.say, own, used).text)
    return spoken(text.strip(), used)


def told(site: Site, board: str, on: dt.date) -> list[Event]:
    """The events of a board that are told on a day, in the order of the plan."""
    return [
        event
        for event in site.events
        if event.board == board
        and (event.tell_from is None or event.tell_from <= on)
        and (event.tell_until is None or on <= event.tell_until)
    ]


def _day(date: dt.date, language: Language) -> str:
    if language == "ja":
        return f"{date.month}月{date.day}日、"
    return f"{date:%B} {date.day}, "
