"""Sound files as Asterisk wants them, made once per machine and shared by content.

Each sound is kept at 8 kHz (`.wav`: telephone lines) and 16 kHz (`.wav16`: browser phones).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from ivr.kept import fetch, kept_in, replacing
from ivr.levels import Samples
from ivr.names import RATES

_FULL = 32767


def cached(name: str, make: Callable[[], Samples], folder: Path, *, cache: Path | None = None) -> Path:
    """Puts `<folder>/<name>.wav` and `.wav16` there; `make` gives 16 kHz samples when the cache (by default
    ~/.cache/daihyo/prompts) has none. Several processes may do so at once. Returns the path of the .wav."""
    if not fetch(name, folder, cache):
        store = kept_in(cache)
        store.mkdir(parents=True, exist_ok=True)
        samples = make()
        for suffix, rate in RATES.items():
            write_sound(store / (name + suffix), samples, rate)
        if not fetch(name, folder, cache):
            raise FileNotFoundError(store / name)  # somebody emptied the cache just then
    return folder / f"{name}.wav"


def pcm(samples: Samples) -> npt.NDArray[np.int16]:
    """16 bit samples of such within -1…1."""
    return np.clip(np.rint(samples * _FULL), -32768, 32767).astype(np.int16)


def write_sound(path: Path, samples: Samples, rate: int) -> None:
    """Writes 16 kHz samples as a WAV file of that rate (16 bit, mono), whole or not at all."""
    source = RATES[".wav16"]
    if rate != source:
        samples = soxr.resample(samples, source, rate, quality="HQ")
    with replacing(path) as name:
        soundfile.write(name, pcm(samples), rate, subtype="PCM_16", format="WAV")


def read_sound(path: Path) -> Samples:
    """The samples of a 16 kHz file that `write_sound` made; written again they are the same. OSError when
    there is none, soundfile.LibsndfileError when it is none."""
    with path.open("rb") as file:
        samples, _ = soundfile.read(file, dtype="int16")
    return np.asarray(samples / _FULL, dtype=np.float32)
