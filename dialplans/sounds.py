"""All sounds of a plan: what may be said, and which uploaded audio it uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING

from pydantic import BaseModel

from dialplans.callbacks import number_prompts
from dialplans.events import event_prompt
from dialplans.fields import Prompt
from dialplans.spoken import Recorded, prompts_of
from dialplans.steps import CallbackOffer

if TYPE_CHECKING:
    from dialplans.model import Site


def all_prompts(site: Site) -> Iterator[Prompt]:
    """Every prompt of a site, as often as it is used."""
    languages, own = site.languages, site.language
    for number in site.numbers:
        yield from prompts_of(number.greeting, number.language, languages)
        yield from prompts_of(number.recording_notice, number.language, languages)
    for queue in site.queues:
        # Its own too: Asterisk says the first announcement by itself while the engine is away.
        for tell in queue.tells:
            if tell.say is not None:
                yield from prompts_of(tell.say, queue.language, (*languages, queue.language))
        yield from site.wording.waiting_prompts(queue.say_position, queue.say_wait, languages)
    yield from site.wording.prompts((*languages, site.wording.language))
    for step in site.steps:
        for name in ("say", "wrong", "silent", "before", "none"):
            if (said := getattr(step, name, None)) is not None:
                yield from prompts_of(said, own, languages)
    if any(isinstance(step, CallbackOffer) for step in site.steps):
        yield from site.wording.callback_prompts(languages)
        yield from number_prompts(site.wording, languages)
    yield from chain.from_iterable(prompts_of(one.say, own, languages) for one in site.notices)
    for forward in site.forwards:
        if forward.say is not None:
            yield from prompts_of(forward.say, own, languages)
    for event in site.events:
        for language in languages:
            yield event_prompt(site, event, language)


def recordings(part: object) -> Iterator[str]:
    """The keys of all uploaded audio in words of a plan or of a part of it."""
    if isinstance(part, Recorded):
        yield part.audio
    elif isinstance(part, BaseModel):
        for name in type(part).model_fields:
            yield from recordings(getattr(part, name))
    elif isinstance(part, tuple):
        yield from chain.from_iterable(map(recordings, part))
    elif isinstance(part, Mapping):
        yield from chain.from_iterable(map(recordings, part.values()))
