"""Which announcements a telephone heard, told from the sound alone.

The first three half seconds of each prompt are looked for in the recording (normalised cross-correlation by
FFT); where one stands, the rest of the prompt is followed block by block, each with a little room for what
was lost or played late on a busy machine. Several prompts may begin with the same words: the one that was
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
LAP = BLOCK // 2  # so much may two prompts seem to be heard at once
LOST = 4  # so many blocks in a row that are not heard: the prompt was broken off
HELD = RATE // 4  # so much of a prompt's end a telephone may still hold when it is hung up
ALIKE = 0.8  # of two equal sounds over a µ-law line 0.99 and more, of two sentences of one voice under 0.3

PIECE = 4 * BLOCK

Samples = npt.NDArray[np.int16]
Wave = npt.NDArray[np.float32]


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
    recording = samples.astype(np.float32)
    if len(recording) < BLOCK // 2:
        return []
    search = _Search(recording)
    found = [
        (play, name) for name, prompt in prompts.items() for play in _plays(search, prompt.astype(np.float32))
    ]
    # Best known first: what is heard at a time is one prompt.
    found.sort(key=lambda one: (one[0].known, one[0].whole), reverse=True)
    kept: list[tuple[_Play, str]] = []
    for play, name in found:
        if all(play.begin >= one.sure - LAP or play.sure <= one.begin + LAP for one, _ in kept):
            kept.append((play, name))
    kept.sort(key=lambda one: one[0].begin)
    return [Heard(name, play.begin / RATE, (play.end - play.begin) / RATE, play.whole) for play, name in kept]


def contains(samples: Samples, sound: Samples) -> float:
    """How much of a recording (0…1, by seconds) is some part of a long `sound` such as music."""
    search = _Search(sound.astype(np.float32))
    blocks = [samples[at : at + BLOCK].astype(np.float32) for at in range(0, len(samples) - BLOCK + 1, BLOCK)]
    known: int = sum(float(search.alike(block).max(initial=0.0)) > ALIKE for block in blocks)
    return float(known / max(1, len(blocks)))


class _Search:
    """A recording in which short sounds are looked for."""

    def __init__(self, recording: Wave) -> None:
        self.recording = recording
        self._energy = np.concatenate(([0.0], np.cumsum(recording.astype(np.float64) ** 2)))
        # In pieces that overlap by a block: small enough for the processor's own memory.
        pieces = max(1, -(-len(recording) // (PIECE - BLOCK)))
        padded = np.zeros((pieces - 1) * (PIECE - BLOCK) + PIECE, np.float32)
        padded[: len(recording)] = recording
        views = np.lib.stride_tricks.sliding_window_view(padded, PIECE)[:: PIECE - BLOCK]
        self._spectra = np.fft.rfft(views)
        self._loud: dict[int, Wave] = {}

    def alike(self, sound: Wave) -> Wave:
        """-1…1 for each place where the sound, of at most a block, may begin. Quiet places are 0."""
        places = len(self.recording) - len(sound) + 1
        if places < 1:
            return np.zeros(0, np.float32)
        product = np.fft.irfft(self._spectra * np.conj(np.fft.rfft(sound, PIECE)), PIECE)
        product = product[:, : PIECE - BLOCK].reshape(-1)[:places]
        if (loud := self._loud.get(len(sound))) is None:
            there = self._energy[len(sound) :] - self._energy[: -len(sound)]
            loud = self._loud[len(sound)] = np.sqrt(np.maximum(there, len(sound) * 1e3)).astype(np.float32)
        return np.asarray(product / (loud * np.float32(np.linalg.norm(sound))), dtype=np.float32)

    def near(self, sound: Wave, at: int, room: int) -> tuple[int, float]:
        """The place within `room` of `at` where the sound stands best, and how alike it is there."""
        first = max(0, at - room)
        part = self.recording[first : max(0, at + room + len(sound))]
        if len(part) < len(sound):
            return at, 0.0
        alike = _Search(part).alike(sound)
        best = int(alike.argmax())
        return first + best, float(alike[best])


@dataclass(frozen=True)
class _Play:
    """A prompt heard from `begin` to `end` of the recording, `known` samples of it alike; to its end?"""

    begin: int
    end: int
    known: int
    whole: bool

    @property
    def sure(self) -> int:
        """The end; of a prompt that was broken off, without the block in which that may have been."""
        return self.end if self.whole or self.known <= BLOCK else self.end - BLOCK


def _plays(search: _Search, prompt: Wave) -> list[_Play]:
    """Where a prompt was heard."""
    plays: list[_Play] = []
    for first in (0, BLOCK, 2 * BLOCK):
        head = prompt[first : first + BLOCK]
        if not _audible(head):
            continue
        alike = search.alike(head)
        for play in plays:
            alike[max(0, play.begin - ROOM) : play.end] = 0
        while len(alike) and alike.max() > ALIKE:
            at = int(alike.argmax())
            play = _follow(search, prompt, at, first, len(head))
            plays.append(play)
            alike[max(0, at - ROOM) : max(play.end, at + BLOCK)] = 0
    return plays


def _follow(search: _Search, prompt: Wave, at: int, done: int, length: int) -> _Play:
    """How far the prompt was heard whose samples from `done` on, `length` of them, stand at `at`."""
    begin, first = max(0, at - done), at - done
    done += length
    known, reached, missed, asked = length, done, 0, len(prompt) - HELD
    while done < asked and missed < LOST:
        block = prompt[done : min(done + BLOCK, asked)]
        if _audible(block):
            place, alike = search.near(block, first + done, ROOM)
            if alike < ALIKE:
                place, alike = search.near(block, first + done, BLOCK)
            if alike < ALIKE:
                missed += 1
            else:
                first, missed, reached = place - done, 0, done + len(block)
                known += len(block)
        done += len(block)
    whole = not missed and done >= asked and known > len(prompt) / 2
    return _Play(begin, first + (len(prompt) if whole else reached), known, whole)


def _audible(block: Wave) -> bool:
    return len(block) >= RATE // 10 and float(np.sqrt(np.mean(block**2))) > 100
