"""Prompts and music: right format, even loudness, made once."""

from __future__ import annotations

import concurrent.futures
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

import ivr
import ivr.speech
from dialplans import prompt
from ivr.levels import active_dbfs, frame_rms, levelled, trim
from ivr.waiting_music import compose

HELLO = prompt("お電話ありがとうございます。", "ja")
WAIT = prompt("少々お待ちください。", "ja")


@pytest.mark.req("HRS-4", "HRS-6")
def test_prompts_are_spoken_at_telephone_loudness_without_clipping(tmp_path: Path) -> None:
    made = ivr.prepare([HELLO, WAIT], tmp_path / "sounds", cache=tmp_path / "cache")
    assert [path.name for path in made] == [f"daihyo-{HELLO.key}.wav", f"daihyo-{WAIT.key}.wav"]
    for path in made:
        for file, rate in ((path, 8000), (path.with_suffix(".wav16"), 16000)):
            info = soundfile.info(file)
            assert (info.format, info.subtype, info.samplerate, info.channels) == ("WAV", "PCM_16", rate, 1)
            samples, _ = soundfile.read(file, dtype="float32")
            assert -20 <= active_dbfs(samples, rate) <= -16
            assert np.abs(samples).max() < 0.99
            # Trimmed, but not cut into: a little silence is left at both ends.
            quiet = frame_rms(samples, rate)
            assert quiet[0] < 0.01
            assert quiet[-1] < 0.01
            assert 0.5 < len(samples) / rate < 5


def test_what_is_cached_is_not_spoken_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ivr.prepare([WAIT], tmp_path / "a", cache=tmp_path / "cache")

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("spoken again")

    monkeypatch.setattr("ivr.prompts.speak", refuse)
    ivr.prepare([WAIT], tmp_path / "b", cache=tmp_path / "cache")
    name = f"daihyo-{WAIT.key}.wav"
    assert (tmp_path / "b" / name).read_bytes() == (tmp_path / "a" / name).read_bytes()
    with pytest.raises(AssertionError, match="spoken again"):
        ivr.prepare([HELLO], tmp_path / "b", cache=tmp_path / "cache")
    assert [p.name for p in (tmp_path / "b").iterdir() if p.name.startswith(".")] == []


def test_several_at_once_make_whole_files(tmp_path: Path) -> None:
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        jobs = [
            pool.submit(ivr.prepare, [WAIT], tmp_path / str(i % 2), cache=tmp_path / "cache")
            for i in range(4)
        ]
        sizes = {soundfile.info(job.result()[0]).frames for job in jobs}
    assert len(sizes) == 1


def test_english_is_spoken_or_the_missing_program_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("espeak-ng"):
        samples, rate = ivr.speak("Thank you for calling.", "en")
        assert -20 <= active_dbfs(samples, rate) <= -16
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ivr.SpeechError, match="apt-get install espeak-ng"):
        ivr.speak("Thank you for calling.", "en")


@pytest.mark.parametrize("text", ["", " ", "。。。", "!?"])
def test_nothing_to_say_is_an_error(text: str) -> None:
    with pytest.raises(ivr.SpeechError, match="nothing to speak"):
        ivr.speak(text)


def test_speaking_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    ivr.speak("市民課をお願いします。", half_tone=3.0)
    assert capfd.readouterr().out == ""


def test_levels() -> None:
    rate = 8000
    tone = np.sin(np.arange(rate) * 0.3).astype(np.float32)
    quiet = np.concatenate([np.zeros(rate), 0.01 * tone, np.zeros(rate // 2)]).astype(np.float32)
    assert active_dbfs(levelled(quiet, rate), rate) == pytest.approx(-18, abs=0.3)
    assert len(trim(quiet, rate)) == pytest.approx(rate * 1.2, abs=rate * 0.05)
    assert len(trim(np.zeros(rate, np.float32), rate)) == 0
    spikes = (0.01 * tone).astype(np.float32)
    spikes[::1000] = 1.0
    assert np.abs(levelled(spikes, rate)).max() < 1.0


@pytest.mark.req("HRS-4")
def test_the_music_is_long_quiet_seamless_and_the_same_each_time(tmp_path: Path) -> None:
    (made,) = ivr.music(tmp_path, cache=tmp_path / "cache")
    assert made.parent == tmp_path / "moh" / "default"
    samples, rate = soundfile.read(made)
    assert len(samples) / rate >= 40
    assert 20 * np.log10(np.sqrt(np.mean(samples**2))) == pytest.approx(-26, abs=0.5)
    assert np.abs(samples).max() < 0.5
    step = np.abs(np.diff(samples))
    assert abs(samples[0] - samples[-1]) <= step.max()  # no click where it begins again
    assert (frame_rms(samples.astype(np.float32), rate) > 0.003).mean() > 0.95  # never dead silence for long
    assert np.array_equal(compose(), compose())
