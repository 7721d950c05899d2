"""Every text of a site becomes a sound that Asterisk can play as `sound:daihyo-<key>`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import soundfile

from dialplans import Prompt
from ivr.levels import Samples
from ivr.names import RATES, sound_name
from ivr.sounds import cached, read_sound
from ivr.speech import SpeechError, speak


def prepare(
    prompts: Iterable[Prompt], folder: Path, audio: Path | None = None, *, cache: Path | None = None
) -> list[Path]:
    """Makes the missing ones of `<folder>/daihyo-<key>.wav` (8 kHz, 16 bit, mono) and `.wav16` (16 kHz) and
    returns the .wav paths in the order of `prompts`: spoken, or of uploaded audio, which lies in `audio`
    (DIR/audio). Blocking: a second of work for ten of speech, nothing when they are in `cache` (by default
    ~/.cache/daihyo/prompts). Raises SpeechError."""
    return [cached(sound_name(one.key), partial(_made, one, audio), folder, cache=cache) for one in prompts]


def _made(prompt: Prompt, audio: Path | None) -> Samples:
    if prompt.audio:
        return uploaded(prompt.key, audio, prompt.text)
    samples, _ = speak(prompt.text, prompt.language, rate=RATES[".wav16"])
    return samples


def uploaded(key: str, audio: Path | None, what: str) -> Samples:
    """The 16 kHz samples of uploaded audio. SpeechError when it is not there."""
    try:
        if audio is None:
            raise FileNotFoundError
        return read_sound(audio / f"{key}.wav16")
    except (OSError, soundfile.LibsndfileError):
        raise SpeechError(f"the uploaded audio {key} (“{what[:40]}”) is not there; upload it again") from None
