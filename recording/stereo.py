"""From what Asterisk wrote while the two talked to one stereo file: citizen left, operator right."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

BLOCK = 64 * 1024  # samples; recordings may last hours and are never held whole
HEADER = 44  # bytes of Asterisk's WAV header (RIFF, fmt of 16 bytes, data)
RATE = 8000  # Hz, of MixMonitor's `wav`


class BadSound(Exception):
    """A capture that cannot be made into a recording; the message says which file and why."""


@dataclass(frozen=True)
class Made:
    """A finished recording: `seconds` of sound, `rate` in Hz, `bytes` on disk, `peaks` (left, right) of
    1.0."""

    seconds: float
    rate: int
    bytes: int
    peaks: tuple[float, float]


def combine(citizen: Path, operator: Path, target: Path) -> Made:
    """Writes `target` (FLAC, 16 bit, stereo) from two mono captures, whole or not at all.

    Lengths come from the files' sizes, not from their headers: a crash of Asterisk leaves a header that
    says 0. A side that is missing or shorter is silence. Raises BadSound when both are missing or one is
    no capture, OSError when the archive does not take it (a full disk, say): then it is worth another try.
    """
    left, right = _samples(citizen), _samples(operator)
    if left is None and right is None:
        raise BadSound(f"{citizen.name}, {operator.name}: neither file exists")
    length = max(len(side) for side in (left, right) if side is not None)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.part")
    peaks = np.zeros(2)
    try:
        with soundfile.SoundFile(
            unfinished, "w", samplerate=RATE, channels=2, subtype="PCM_16", format="FLAC"
        ) as out:
            for start in range(0, length, BLOCK):
                size = min(BLOCK, length - start)
                both = np.zeros((size, 2), dtype=np.int16)
                for column, side in enumerate((left, right)):
                    if side is not None:
                        piece = side[start : start + size]
                        both[: len(piece), column] = piece
                peaks = np.maximum(peaks, np.abs(both.astype(np.int32)).max(axis=0, initial=0))
                out.write(both)
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.chmod(0o600)
        unfinished.replace(target)
    except (OSError, soundfile.SoundFileError) as problem:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise OSError(f"{target}: {problem}") from problem
    return Made(
        seconds=length / RATE,
        rate=RATE,
        bytes=target.stat().st_size,
        peaks=(float(peaks[0]) / 32768, float(peaks[1]) / 32768),
    )


def _samples(path: Path) -> npt.NDArray[np.int16] | None:
    """The samples, read as they are needed; None if there is no file. A file shorter than its header is
    empty."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return None
    if size <= HEADER + 1:
        return np.zeros(0, dtype=np.int16)
    with path.open("rb") as file:
        head = file.read(HEADER)
    if head[:4] != b"RIFF" or head[8:16] != b"WAVEfmt ":
        raise BadSound(f"{path.name}: not a WAV file as Asterisk writes it")
    return np.memmap(path, dtype="<i2", mode="r", offset=HEADER, shape=((size - HEADER) // 2,))
