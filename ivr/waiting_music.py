"""Music for waiting citizens: a piece written and synthesised here, for which nobody's licence is needed, and
what a site has uploaded.

Our piece: twelve slow bars in C, soft chords, a bell-like tune over them, a little room. Everything is added
round a circle, so the end runs into the beginning without a seam.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dialplans import Music
from ivr.kept import OUR_MUSIC, music_names
from ivr.levels import Samples, active_dbfs
from ivr.names import RATES
from ivr.prompts import uploaded
from ivr.sounds import cached

MUSIC_DBFS = -26.0  # RMS; well under speech, so announcements stand out
_RATE = RATES[".wav16"]
_BEAT_S = 1.0
_BEATS = 48

_CHORDS = [
    "C E G",
    "A C E",
    "F A C",
    "G B D",
    "C E G",
    "E G B",
    "F A C",
    "G B D",
    "A C E",
    "F A C",
    "G B D",
    "C E G",
]
# One bar a line: beat within the bar and note; quiet places are part of the tune.
_TUNE = [
    "0 E5, 1.5 G5, 2 C6",
    "0 B5, 1 A5, 2.5 E5",
    "0 F5, 1.5 A5, 2 C6",
    "0 B5, 1 G5, 3 D5",
    "0 E5, 1 G5, 1.5 C6, 3 G5",
    "0 B5, 2 G5, 3 E5",
    "0 A5, 1 C6, 2.5 A5",
    "0 G5, 1 D5, 2 G5",
    "0 A5, 1.5 E5, 2 C6",
    "0 A5, 1 F5, 2.5 C5",
    "0 D5, 1 G5, 2 B5",
    "0 C6, 2 G5",
]
_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def music(
    folder: Path, musics: Iterable[Music] = (), audio: Path | None = None, *, cache: Path | None = None
) -> list[Path]:
    """Writes the waiting music: our own piece as class `default` (48 s loop) to `<folder>/moh/default`, the
    site's `musics` of uploaded audio (in the folder `audio`) to `<folder>/moh/<Music.folder>` in their order.
    Each at 8 and 16 kHz. Nothing is removed: a call may be hearing it. Returns the .wav paths. Deterministic;
    blocking for about a second when not cached. Raises SpeechError."""
    moh = folder / "moh"
    made = [cached(OUR_MUSIC, compose, moh / "default", cache=cache)]
    for one in musics:
        for name, key in zip(music_names(one), one.audio, strict=True):
            make = partial(_quiet, key, audio, one.name)
            made.append(cached(name, make, moh / one.folder, cache=cache))
    return made


def _quiet(key: str, audio: Path | None, name: str) -> Samples:
    """Uploaded audio, as quiet as our own piece."""
    samples = uploaded(key, audio, name)
    return (samples * 10 ** ((MUSIC_DBFS - active_dbfs(samples, _RATE)) / 20)).astype(np.float32)


def compose() -> Samples:
    """The piece: 48 s at 16 kHz, RMS -26 dBFS."""
    piece = np.zeros(int(_BEATS * _BEAT_S * _RATE))
    for bar, chord in enumerate(_CHORDS):
        for note in chord.split():
            _add(piece, bar * 4, _pad(_hertz(note + "4")) * 0.5)
    for bar, line in enumerate(_TUNE):
        for entry in line.split(","):
            beat, note = entry.split()
            _add(piece, bar * 4 + float(beat), _bell(_hertz(note)))
    piece = _in_a_room(piece)
    piece *= 10 ** (MUSIC_DBFS / 20) / np.sqrt(np.mean(piece**2))
    return piece.astype(np.float32)


def _hertz(note: str) -> float:
    midi = 12 * (int(note[1:]) + 1) + _SEMITONES[note[0]]
    return float(440.0 * 2 ** ((midi - 69) / 12))


def _add(piece: npt.NDArray[np.float64], beat: float, sound: npt.NDArray[np.float64]) -> None:
    start = int(beat * _BEAT_S * _RATE)
    np.add.at(piece, np.arange(start, start + len(sound)) % len(piece), sound)


def _pad(hertz: float) -> npt.NDArray[np.float64]:
    """A chord's note: swells in, overlaps the next bar, two strings slightly apart."""
    length = 6.0
    t = np.arange(int(length * _RATE)) / _RATE
    shape = np.clip(t / 1.5, 0, 1) * np.clip((length - t) / 2.0, 0, 1)
    strings = sum(
        np.sin(2 * np.pi * hertz * apart * harmonic * t) * weight
        for apart in (0.999, 1.001)
        for harmonic, weight in ((1, 0.3), (2, 0.08), (3, 0.03))
    )
    return np.asarray(shape**2 * strings)


def _bell(hertz: float) -> npt.NDArray[np.float64]:
    """A note of the tune: struck softly, the higher parts fade first."""
    t = np.arange(int(3.0 * _RATE)) / _RATE
    struck = np.clip(t / 0.008, 0, 1)
    parts = sum(
        np.sin(2 * np.pi * hertz * ratio * t) * weight * np.exp(-t / fade)
        for ratio, weight, fade in ((1.0, 0.5, 0.9), (2.0, 0.12, 0.5), (3.0, 0.05, 0.2))
    )
    return np.asarray(struck * parts * np.clip((3.0 - t) / 0.5, 0, 1))


def _in_a_room(piece: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Reverberation, by circular convolution: it too runs round the loop."""
    echo = np.zeros(len(piece))
    t = np.arange(int(1.2 * _RATE)) / _RATE
    echo[: len(t)] = np.random.default_rng(1889).standard_normal(len(t)) * np.exp(-t / 0.25) * 0.012
    echo[0] = 1.0
    return np.asarray(np.fft.irfft(np.fft.rfft(piece) * np.fft.rfft(echo), len(piece)))
