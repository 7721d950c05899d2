"""Which announcements a telephone heard, told from the sound alone.

The first and the second half second of each prompt are looked for in the recording (normalised
cross-correlation by FFT); where one stands, the rest of the prompt is followed block by block, each with a
little room for a packet lost or played late. Several prompts may begin with the same words: the one that was
followed furthest is the one. A telephone may miss the first moment of a call, and does not play what it still
holds when it is hung up: neither is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from dialplans import Prompt
from ivr import sound_name

RATE = 8000
BLOCK = RATE // 2  # what is compared at once
ROOM = RATE // 8  # so far a block may stand from where the one before says
HELD = RATE // 4  # so much of a prompt's end a telephone may still hold when it is hung up
ALIKE = 0.8  # of two equal sounds over a µ-law line 0.99 and more, of two sentences of one voice under 0.3

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Heard:
    """A prompt that was heard: from when (s from the recording's beginning), for how long, to its end?"""

    name: str
    at_s: float
    for_s: float
    whole: bool

    def __str__(self) -> str:
        return f"{self.name} at {self.at_s:.1f} s, {self.for_s:.1f} s{'' if self.whole else ', broken off'}"


def sounds(folder: Path, prompts: Iterable[Prompt]) -> dict[str, Samples]:
    """The 8 kHz sounds of prompts as Asterisk plays them, by key."""
    found = {}
    for one in prompts:
        samples, rate = soundfile.read(folder / f"{sound_name(one.key)}.wav", dtype="int16")
        assert rate == RATE
        found[one.key] = samples
    return found


def which_prompts(samples: Samples, prompts: Mapping[str, Samples]) -> list[Heard]:
    """The prompts that were heard in a recording of 8 kHz, in order; what was broken off within half
    a second is not told."""
    recording = samples.astype(np.float64)
    if len(recording) < BLOCK // 2:
        return []
    search = _Search(recording)
    found = [
        (at, length, whole, name)
        for name, prompt in prompts.items()
        for at, length, whole in _plays(search, prompt.astype(np.float64))
    ]
    # Furthest first: what is heard at a time is one prompt.
    found.sort(key=lambda one: (one[1], one[2]), reverse=True)
    kept: list[tuple[int, int, bool, str]] = []
    for one in found:
        if all(one[0] >= at + length - ROOM or one[0] + one[1] <= at + ROOM for at, length, _, _ in kept):
            kept.append(one)
    return [Heard(name, at / RATE, length / RATE, whole) for at, length, whole, name in sorted(kept)]


def contains(samples: Samples, sound: Samples) -> float:
    """How much of a recording (0…1, by seconds) is some part of a long `sound` such as music."""
    search = _Search(sound.astype(np.float64))
    blocks = [samples[at : at + BLOCK] for at in range(0, len(samples) - BLOCK + 1, BLOCK)]
    alike = [
        search.alike(block.astype(np.float64)).max(initial=0.0) > ALIKE for block in blocks if block.any()
    ]
    return sum(alike) / max(1, len(blocks))


class _Search:
    """A recording in which short sounds are looked for."""

    def __init__(self, recording: npt.NDArray[np.float64]) -> None:
        self.recording = recording
        self._size = 1 << (len(recording) + BLOCK).bit_length()
        self._spectrum = np.fft.rfft(recording, self._size)
        self._energy = np.concatenate(([0.0], np.cumsum(recording**2)))

    def alike(self, sound: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """-1…1 for each place where the sound may begin. Quiet places are 0."""
        places = len(self.recording) - len(sound) + 1
        if places < 1:
            return np.zeros(0)
        product = np.fft.irfft(self._spectrum * np.conj(np.fft.rfft(sound, self._size)), self._size)[:places]
        there = self._energy[len(sound) :] - self._energy[: -len(sound)]
        return np.asarray(product / np.sqrt(np.maximum(there * (sound**2).sum(), len(sound) * 1e6)))

    def near(self, sound: npt.NDArray[np.float64], at: int) -> tuple[int, float]:
        """The place next to `at` where the sound stands best, and how alike it is there."""
        first = max(0, at - ROOM)
        part = self.recording[first : at + ROOM + len(sound)]
        if len(part) < len(sound):
            return at, 0.0
        alike = _Search(part).alike(sound)
        best = int(alike.argmax())
        return first + best, float(alike[best])


def _plays(search: _Search, prompt: npt.NDArray[np.float64]) -> list[tuple[int, int, bool]]:
    """Where a prompt was heard, for how many samples, and whether to its end."""
    plays: list[tuple[int, int, bool]] = []
    for first in (0, BLOCK):
        head = prompt[first : first + BLOCK]
        if not _audible(head):
            continue
        alike = search.alike(head)
        for at, length, _ in plays:
            alike[max(0, at + first - ROOM) : at + length] = 0
        while len(alike) and alike.max() > ALIKE:
            at = int(alike.argmax()) - first
            length, whole = _follow(search, prompt, at, first + len(head))
            plays.append((max(0, at), length + min(0, at), whole))
            alike[max(0, at + first - ROOM) : at + max(length, first + BLOCK)] = 0
    return plays


def _follow(search: _Search, prompt: npt.NDArray[np.float64], begin: int, done: int) -> tuple[int, bool]:
    """How far a prompt that begins there was heard, in samples of the recording, and whether to its end;
    `done`: so much of it is known."""
    first = begin
    asked = len(prompt) - HELD
    while done < asked:
        block = prompt[done : min(done + BLOCK, asked)]
        if _audible(block):
            place, alike = search.near(block, first + done)
            if alike < ALIKE:
                return first + done - begin, False
            first = place - done
        done += len(block)
    return first + max(done, len(prompt)) - begin, True


def _audible(block: npt.NDArray[np.float64]) -> bool:
    return len(block) >= RATE // 10 and float(np.sqrt(np.mean(block**2))) > 100
