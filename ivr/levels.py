"""Loudness of what the centre plays: even, as loud as a person on the telephone, never clipped."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

SPEECH_DBFS = -18.0  # RMS while speaking
_FLOOR_DB = 40.0  # quieter than the loudest moment by this: silence
_KNEE, _CEILING = 0.5, 0.95
_FRAME_S = 0.02


def frame_rms(samples: Samples, rate: int) -> npt.NDArray[np.float64]:
    """RMS of each 20 ms (the last, partial one included)."""
    size = int(rate * _FRAME_S)
    padded = np.zeros(-(-len(samples) // size) * size)
    padded[: len(samples)] = samples
    return np.asarray(np.sqrt(np.mean(padded.reshape(-1, size) ** 2, axis=1)))


def active(samples: Samples, rate: int) -> npt.NDArray[np.bool_]:
    """Which 20 ms frames hold sound, judged against the loudest."""
    level = frame_rms(samples, rate)
    return np.asarray(level > max(level.max(initial=0.0) * 10 ** (-_FLOOR_DB / 20), 1e-6))


def active_dbfs(samples: Samples, rate: int) -> float:
    """RMS level in dBFS over the frames that hold sound; -inf for silence."""
    speaking = active(samples, rate)
    if not speaking.any():
        return float("-inf")
    return float(10 * np.log10(np.mean(frame_rms(samples, rate)[speaking] ** 2)))


def trim(samples: Samples, rate: int, keep_s: float = 0.1) -> Samples:
    """Without the silence at both ends, but for `keep_s` of it."""
    speaking = np.flatnonzero(active(samples, rate))
    if not len(speaking):
        return samples[:0]
    size, keep = int(rate * _FRAME_S), int(rate * keep_s)
    return samples[max(0, speaking[0] * size - keep) : (speaking[-1] + 1) * size + keep]


def levelled(samples: Samples, rate: int, dbfs: float = SPEECH_DBFS) -> Samples:
    """At `dbfs` while sounding. Peaks over half scale are bent, not cut, and stay under full scale."""
    level = active_dbfs(samples, rate)
    if level == float("-inf"):
        return samples
    loud = samples * 10 ** ((dbfs - level) / 20)
    size = np.abs(loud)
    room = _CEILING - _KNEE
    bent = _KNEE + room * np.tanh((size - _KNEE) / room)
    return np.where(size > _KNEE, np.sign(loud) * bent, loud).astype(np.float32)
