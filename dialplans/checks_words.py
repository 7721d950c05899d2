"""Every language in which a call may come to a box has words there. On a Site whose names are right."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dialplans.events import states_of
from dialplans.fields import Language
from dialplans.graph import Edge, Graph, boxes, entries
from dialplans.problems import Finding, Loc
from dialplans.spoken import Recorded, Translated, languages_of
from dialplans.steps import CallbackOffer, Menu, TellEvents
from dialplans.wording import CALLBACK_WORDS, NUMBER_WORDS

if TYPE_CHECKING:
    from dialplans.model import Site

AnySaid = str | Recorded | Translated
Words = tuple[Loc, AnySaid, Language]  # where it stands, what is said, the language of plain text
State = tuple[str, Language]
_NAMES = {"ja": ("日本語", "Japanese"), "en": ("英語", "English")}


def findings(site: Site) -> Iterator[Finding]:
    """Words that are missing in a language, each place once a language."""
    lines = boxes(site)
    words = _words(site)
    came: dict[State, str] = {}
    for language, (loc, said, own), how in _needed(site, lines, words, came):
        if language not in languages_of(said, own):
            yield _missing(loc, language, how)


def _needed(
    site: Site, lines: Graph, words: dict[str, list[Words]], came: dict[State, str]
) -> Iterator[tuple[Language, Words, str]]:
    """What must be worded in which language, and how one comes to hear it; each once."""
    told: set[tuple[Loc, Language]] = set()

    def once(language: Language, those: list[Words], how: str) -> Iterator[tuple[Language, Words, str]]:
        for one in those:
            if (one[0], language) not in told:
                told.add((one[0], language))
                yield language, one, how

    for index, number in enumerate(site.numbers):
        loc: Loc = ("numbers", index)
        own = number.language
        first: list[Words] = [
            ((*loc, "greeting"), number.greeting, own),
            ((*loc, "recording_notice"), number.recording_notice, own),
        ]
        yield from once(own, first, number.number)
        starts = [one for one in entries(site) if one.number is number]
        for greeted in (True, False):
            reached = _walk([one.line for one in starts if one.greeted is greeted], own, lines)
            for (box, language), keys in reached.items():
                how = " → ".join([number.number, *keys])
                came.setdefault((box, language), how)
                yield from once(language, words.get(box, []), how)
                if not greeted and box.startswith(("queue:", "forward:")):
                    yield from once(language, first[1:], how)
    for index, notice in enumerate(site.notices):
        for number in site.hearing(notice):
            said: Words = (("notices", index, "say"), notice.say, site.language)
            yield from once(number.language, [said], number.number)
    for (_, language), how in came.items():
        yield from once(language, _always(site), how)
    own = site.wording.language
    asterisk: list[Words] = [
        (("wording", "survival_greeting"), site.wording.survival_greeting, own),
        (("wording", "sorry_goodbye"), site.wording.sorry_goodbye, own),
    ]
    yield from once(own, asterisk, "daihyo")


def _walk(starts: list[Edge], language: Language, lines: Graph) -> dict[State, tuple[str, ...]]:
    """All boxes to which a call may come, in which language, and the keys pressed on the shortest way."""
    reached: dict[State, tuple[str, ...]] = {(line.to, language): () for line in starts}
    left = deque(reached)
    while left:
        box, spoken = left.popleft()
        keys = reached[box, spoken]
        for line in lines[box]:
            state = (line.to, line.language or spoken)
            if state not in reached:
                reached[state] = (*keys, line.field) if line.pressed else keys
                left.append(state)
    return reached


def _words(site: Site) -> dict[str, list[Words]]:
    """By box all that may be said there."""
    out: dict[str, list[Words]] = {}
    boards: dict[str, list[Words]] = {}
    for index, event in enumerate(site.events):
        boards.setdefault(event.board, []).extend(_event(site, index))
    own = site.language
    for index, step in enumerate(site.steps):
        loc: Loc = ("steps", index)
        said = out[step.id] = [
            ((*loc, name), words, own)
            for name in ("say", "wrong", "silent", "before", "none")
            if (words := getattr(step, name, None)) is not None
        ]
        if isinstance(step, TellEvents):
            said += boards.get(step.board, [])
        if isinstance(step, Menu):
            site_own = (("wrong", "wrong_key"), ("silent", "no_key"))
            said += [_wording(site, word) for name, word in site_own if getattr(step, name) is None]
        if isinstance(step, CallbackOffer):
            said += [_wording(site, word) for word in ("wrong_key", "no_key", *CALLBACK_WORDS, *NUMBER_WORDS)]
    for index, queue in enumerate(site.queues):
        out[f"queue:{queue.id}"] = _queue(site, index, boards)
    for index, forward in enumerate(site.forwards):
        if forward.say is not None:
            out[f"forward:{forward.id}"] = [(("forwards", index, "say"), forward.say, own)]
    return out


def _queue(site: Site, index: int, boards: dict[str, list[Words]]) -> list[Words]:
    queue = site.queues[index]
    loc: Loc = ("queues", index)
    said: list[Words] = []
    if queue.waiting_announcement is not None:
        said.append(((*loc, "waiting_announcement"), queue.waiting_announcement, queue.language))
    for at, tell in enumerate(queue.waiting):
        if tell.say is not None:
            said.append(((*loc, "waiting", at, "say"), tell.say, queue.language))
        said += boards.get(tell.events or "", [])
    if queue.say_position:
        said.append(_wording(site, "position"))
    if queue.say_wait:
        said += [_wording(site, "wait_minutes"), _wording(site, "wait_long")]
    return said


def _event(site: Site, index: int) -> list[Words]:
    """The words of one event and of its state, if that is one of the site's own."""
    event, own = site.events[index], site.language
    said: list[Words] = [(("events", index, "name"), event.name, own)]
    if event.note is not None:
        said.append((("events", index, "note"), event.note, own))
    for at, state in enumerate(site.event_states):
        if state.id == event.state:
            said.append((("event_states", at, "say"), states_of(site)[event.state].say, own))
    return said


def _wording(site: Site, name: str) -> Words:
    return ("wording", name), getattr(site.wording, name), site.wording.language


def _always(site: Site) -> list[Words]:
    told = ("please_wait", "sorry_goodbye", "goodbye", "transfer_ringing", "transfer_back", "harassment_end")
    return [_wording(site, name) for name in told]


def _missing(loc: Loc, language: Language, how: str) -> Finding:
    ja, en = _NAMES[language]
    return Finding(
        loc,
        f"{ja}の文言がありません({ja}でここに来る電話: {how})",
        f"there are no words in {en} (calls in {en} come here: {how})",
        f"{{ja: …, en: …}} の形にして {language}: に書いてください",
        f"write it as {{ja: …, en: …}}, with {language}:",
    )
