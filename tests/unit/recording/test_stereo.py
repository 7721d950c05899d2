"""Two mono captures become one stereo file, whatever Asterisk left behind."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from recording import BadSound, combine

RATE = 8000


def capture(path: Path, samples: np.ndarray, *, crashed: bool = False) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())
    if crashed:  # a header as Asterisk leaves it when it is killed: sizes 0
        with path.open("r+b") as raw:
            raw.seek(4)
            raw.write(b"\0\0\0\0")
            raw.seek(40)
            raw.write(b"\0\0\0\0")
    return path


def ramp(start: int, length: int) -> np.ndarray:
    return (np.arange(length) + start) % 20000


@pytest.mark.req("REC-1")
@pytest.mark.parametrize("crashed", [False, True])
def test_citizen_left_operator_right_and_crashed_headers_are_no_loss(tmp_path: Path, crashed: bool) -> None:
    left, right = ramp(5, 200_000), ramp(7000, 200_000)
    made = combine(
        capture(tmp_path / "a-in.wav", left, crashed=crashed),
        capture(tmp_path / "a-out.wav", right, crashed=crashed),
        tmp_path / "2026/11/21/a.flac",
    )
    sound, rate = soundfile.read(tmp_path / "2026/11/21/a.flac", dtype="int16")
    assert (rate, made.rate, made.seconds) == (RATE, RATE, 25.0)
    assert np.array_equal(sound[:, 0], left)
    assert np.array_equal(sound[:, 1], right)
    assert made.peaks == (19999 / 32768, 19999 / 32768)
    assert made.bytes == (tmp_path / "2026/11/21/a.flac").stat().st_size


def test_a_missing_or_shorter_side_is_silence(tmp_path: Path) -> None:
    left = capture(tmp_path / "b-in.wav", ramp(1, 8000))
    made = combine(left, tmp_path / "b-out.wav", tmp_path / "b.flac")
    sound, _ = soundfile.read(tmp_path / "b.flac", dtype="int16")
    assert made.seconds == 1.0
    assert not sound[:, 1].any()
    shorter = capture(tmp_path / "b-out.wav", ramp(1, 4000))
    combine(left, shorter, tmp_path / "b.flac")
    sound, _ = soundfile.read(tmp_path / "b.flac", dtype="int16")
    assert sound[:4000, 1].any()
    assert not sound[4000:, 1].any()


def test_what_is_no_capture_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadSound, match="neither file exists"):
        combine(tmp_path / "c-in.wav", tmp_path / "c-out.wav", tmp_path / "c.flac")
    (tmp_path / "c-in.wav").write_bytes(b"not a sound at all, but long enough to be taken for one" * 3)
    with pytest.raises(BadSound, match=r"c-in\.wav"):
        combine(tmp_path / "c-in.wav", tmp_path / "c-out.wav", tmp_path / "c.flac")
    assert not list(tmp_path.glob("*.flac"))
    assert not list(tmp_path.glob(".*.part"))


def test_an_empty_capture_has_no_length(tmp_path: Path) -> None:
    (tmp_path / "d-in.wav").write_bytes(b"")
    made = combine(tmp_path / "d-in.wav", tmp_path / "d-out.wav", tmp_path / "d.flac")
    assert made.seconds == 0
