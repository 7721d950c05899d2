"""Every text of a site becomes a sound that Asterisk can play as `sound:daihyo-<key>`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from dialplans import Prompt
from ivr.levels import Samples
from ivr.sounds import RATES, cached
from ivr.speech import speak


def sound_name(key: str) -> str:
    """The name of a prompt's sound, without suffix."""
    return f"daihyo-{key}"


def prepare(prompts: Iterable[Prompt], folder: Path, *, cache: Path | None = None) -> list[Path]:
    """Makes the missing ones of `<folder>/daihyo-<key>.wav` (8 kHz, 16 bit, mono) and `.wav16` (16 kHz) and
    returns the .wav paths in the order of `prompts`. Blocking: a second of work for ten of speech, nothing
    when they are in `cache` (by default ~/.cache/daihyo/prompts). Raises SpeechError."""
    return [cached(sound_name(one.key), partial(_spoken, one), folder, cache=cache) for one in prompts]


def _spoken(prompt: Prompt) -> Samples:
    samples, _ = speak(prompt.text, prompt.language, rate=RATES[".wav16"])
    return samples
