"""Sound files as Asterisk wants them, made once per machine and shared by content.

Each sound is kept at 8 kHz (`.wav`: telephone lines) and 16 kHz (`.wav16`: browser phones).
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from ivr.levels import Samples
from ivr.names import RATES
from switch.install import cache_folder

_FULL = 32767
VERSION = 1  # of how sounds are made: raise it and every cached one is made anew


def cached(name: str, make: Callable[[], Samples], folder: Path, *, cache: Path | None = None) -> Path:
    """Puts `<folder>/<name>.wav` and `.wav16` there; `make` gives 16 kHz samples when the cache (by default
    ~/.cache/daihyo/prompts) has none. Several processes may do so at once. Returns the path of the .wav."""
    store = (cache or cache_folder() / "prompts") / f"v{VERSION}"
    if not all((folder / (name + suffix)).exists() for suffix in RATES):
        store.mkdir(parents=True, exist_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        if not all((store / (name + suffix)).exists() for suffix in RATES):
            samples = make()
            for suffix, rate in RATES.items():
                write_sound(store / (name + suffix), samples, rate)
        for suffix in RATES:
            _copy(store / (name + suffix), folder / (name + suffix))
    return folder / f"{name}.wav"


def pcm(samples: Samples) -> npt.NDArray[np.int16]:
    """16 bit samples of such within -1…1."""
    return np.clip(np.rint(samples * _FULL), -32768, 32767).astype(np.int16)


def write_sound(path: Path, samples: Samples, rate: int) -> None:
    """Writes 16 kHz samples as a WAV file of that rate (16 bit, mono), whole or not at all."""
    source = RATES[".wav16"]
    if rate != source:
        samples = soxr.resample(samples, source, rate, quality="HQ")
    with _replacing(path) as name:
        soundfile.write(name, pcm(samples), rate, subtype="PCM_16", format="WAV")


def read_sound(path: Path) -> Samples:
    """The samples of a 16 kHz file that `write_sound` made; written again they are the same. OSError when
    there is none, soundfile.LibsndfileError when it is none."""
    with path.open("rb") as file:
        samples, _ = soundfile.read(file, dtype="int16")
    return np.asarray(samples / _FULL, dtype=np.float32)


def _copy(source: Path, target: Path) -> None:
    with _replacing(target) as name:
        Path(name).write_bytes(source.read_bytes())


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[str]:
    """A name to write to; becomes `path` when all went well, nothing otherwise."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        yield name
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
