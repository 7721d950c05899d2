"""Uploaded audio: any common format in, telephone sound out; what is no sound is refused in one line."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
import soundfile

import ivr
import ivr.uploads
from dialplans import Music, Prompt, audio_key, prompt
from ivr.levels import Samples, active_dbfs, frame_rms
from ivr.sounds import pcm, read_sound

RATE = 16000


@pytest.fixture(scope="module")
def voice() -> Samples:
    """What somebody says: two sentences of the centre's voice."""
    samples, _ = ivr.speak("本日の受付は、終了いたしました。またのお電話を、お待ちしております。")
    return samples


def wav(samples: Samples, rate: int = RATE) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


def converted(samples: Samples, folder: Path, name: str, *options: str) -> bytes:
    """As a recorder, a telephone or an office program would save it."""
    (folder / "in.wav").write_bytes(wav(samples))
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-i", folder / "in.wav", *options]
    subprocess.run([*command, folder / name], check=True)
    return (folder / name).read_bytes()


@pytest.mark.req("HRS-6")
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.wav", ["-ar", "44100", "-ac", "2"]),
        ("a.wav", ["-ar", "8000", "-c:a", "pcm_mulaw"]),
        ("a.wav", ["-ar", "48000", "-c:a", "pcm_f32le"]),
        ("a.mp3", ["-ar", "44100"]),
        ("a.m4a", ["-ar", "44100"]),  # its table of contents stands at the end
        ("a.aac", []),
        ("a.ogg", []),
        ("a.opus", []),
        ("a.webm", []),
        ("a.flac", []),
        ("a.aiff", []),
        ("a.wma", []),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else value,
)
def test_common_formats_become_telephone_sound(
    voice: Samples, tmp_path: Path, name: str, options: list[str]
) -> None:
    made = ivr.upload(converted(0.1 * voice, tmp_path, name, *options), f"案内/{name}")
    assert made.seconds == pytest.approx(len(voice) / RATE, abs=0.15)
    assert active_dbfs(made.samples, RATE) == pytest.approx(active_dbfs(voice, RATE), abs=1.5)
    assert made.loudness_before_dbfs == pytest.approx(active_dbfs(voice, RATE) - 20, abs=3.5)
    assert np.abs(made.samples).max() < 0.99
    # It is still the same speech: its loudness rises and falls with the original's.
    size = min(len(made.samples), len(voice))
    shapes = [np.convolve(frame_rms(each[:size], RATE), np.ones(5)) for each in (made.samples, voice)]
    shifted = [np.corrcoef(np.roll(shapes[0], by), shapes[1])[0, 1] for by in range(-8, 9)]
    assert max(shifted) > 0.9


@pytest.mark.req("HRS-6")
@pytest.mark.parametrize("factor", [0.01, 0.3, 1.0, 8.0])
def test_quiet_and_loud_recordings_come_out_alike(voice: Samples, factor: float) -> None:
    loud = np.clip(factor * voice, -1, 1).astype(np.float32)
    assert active_dbfs(ivr.upload(wav(loud), "a.wav").samples, RATE) == pytest.approx(-18, abs=1.5)


def test_silence_at_both_ends_goes_but_not_the_breath_of_it(voice: Samples) -> None:
    hiss = np.random.default_rng(1).standard_normal(2 * RATE).astype(np.float32) * 0.0005
    made = ivr.upload(wav(np.concatenate([hiss, voice, hiss])), "a.wav")
    assert made.seconds == pytest.approx(len(voice) / RATE, abs=0.25)
    assert frame_rms(made.samples, RATE)[:3].max() < 0.02
    hum = 0.3 * np.sin(np.arange(RATE) * 2 * np.pi * 5 / RATE).astype(np.float32)  # below all hearing
    hum[4000:4080] = 0.9  # the click of a button
    made = ivr.upload(wav(np.concatenate([hum, voice, hum])), "a.wav")
    assert made.seconds == pytest.approx(len(voice) / RATE, abs=0.3)


def test_the_same_sound_has_the_same_key_and_others_another(voice: Samples) -> None:
    one, again = (ivr.upload(wav(voice), name) for name in ("a.wav", "b.wav"))
    other = ivr.upload(wav(voice[RATE:]), "a.wav")
    assert one.key == again.key == audio_key(pcm(one.samples).tobytes())
    assert other.key != one.key


def test_it_is_stored_once_and_read_back_as_it_was(voice: Samples, tmp_path: Path) -> None:
    made = ivr.upload(wav(voice), "a.wav")
    path = ivr.store_audio(made, tmp_path / "audio")
    assert path == tmp_path / "audio" / f"{made.key}.wav16"
    info = soundfile.info(path)
    assert (info.format, info.subtype, info.samplerate, info.channels) == ("WAV", "PCM_16", 16000, 1)
    assert audio_key(pcm(read_sound(path)).tobytes()) == made.key
    before = path.stat().st_mtime_ns
    assert ivr.store_audio(made, tmp_path / "audio").stat().st_mtime_ns == before


NOISE = bytes(np.random.default_rng(7).integers(0, 256, 5000, dtype=np.uint8))


@pytest.mark.req("HRS-6")
@pytest.mark.parametrize(
    ("data", "ja", "en"),
    [
        (b"", "空です", "is empty"),
        (b"x" * (20 * 1024 * 1024 + 1), "大きすぎます", "too large"),
        (NOISE, "読めません", "cannot be read"),
        (b"RIFF\xff\xff\xff\xffWAVEfmt ", "読めません", "cannot be read"),
        (b"%PDF-1.7 " + NOISE, "読めません", "cannot be read"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "読めません", "cannot be read"),
        (wav(np.zeros(RATE, np.float32)), "音が入っていません", "is silent"),
        (wav(np.full(RATE, 0.5, np.float32)[: RATE // 100]), "短すぎ", "too short"),
        (wav(np.full(181 * RATE, 0.1, np.float32)), "長すぎます", "too long"),
    ],
    ids=["empty", "large", "noise", "cut", "pdf", "svg", "silent", "short", "long"],
)
def test_what_cannot_be_used_is_refused_in_one_line(data: bytes, ja: str, en: str) -> None:
    with pytest.raises(ivr.AudioError) as refused:
        ivr.upload(data, "../../案内\n.wav")
    assert ja in refused.value.ja
    assert en in refused.value.en
    assert "\n" not in str(refused.value)
    assert "「案内.wav」" in refused.value.ja


def test_the_fault_of_a_short_tone_is_its_length(voice: Samples) -> None:
    with pytest.raises(ivr.AudioError, match="too short"):
        ivr.upload(wav(np.concatenate([np.zeros(RATE), voice[8000:9600], np.zeros(RATE)])), "a.wav")


class _Visited(BaseHTTPRequestHandler):
    paths: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.paths.append(self.path)
        self.send_error(404)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def address() -> Iterator[str]:
    """A web server that must not be asked anything."""
    _Visited.paths.clear()
    with HTTPServer(("127.0.0.1", 0), _Visited) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/secret.wav"
        server.shutdown()
        thread.join()


@pytest.mark.req("SEC-1")
@pytest.mark.parametrize("to", ["file", "address"])
@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{}'\n",
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>'
        "<AdaptationSet>"
        '<Representation id="1" mimeType="audio/mp4"><BaseURL>{}</BaseURL></Representation></AdaptationSet>'
        "</Period></MPD>",
        "[playlist]\nFile1={}\nNumberOfEntries=1\n",
        "v=0\nc=IN IP4 127.0.0.1\nm=audio 4000 RTP/AVP 0\na=control:{}\n",
        "{}\n",
    ],
    ids=["m3u8", "concat", "dash", "pls", "sdp", "plain"],
)
def test_a_playlist_reads_neither_files_nor_the_network(
    voice: Samples, tmp_path: Path, address: str, playlist: str, to: str
) -> None:
    (tmp_path / "secret.wav").write_bytes(wav(voice))
    target = address if to == "address" else f"{tmp_path}/secret.wav"
    for name in ("a.m3u8", "a.wav"):
        with pytest.raises(ivr.AudioError, match="cannot be read"):
            ivr.upload(playlist.format(target).encode(), name)
    assert _Visited.paths == []


def test_without_ffmpeg_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("ivr.programs.cache_folder", lambda: tmp_path)
    with pytest.raises(ivr.AudioError, match="make setup"):
        ivr.upload(NOISE, "a.wav")


def test_a_reader_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hangs = tmp_path / "ffmpeg"
    hangs.write_text("#!/bin/sh\nexec sleep 600\n")
    hangs.chmod(0o755)
    monkeypatch.setattr("ivr.programs.find", lambda name: str(hangs))
    monkeypatch.setattr("ivr.uploads._DECODE_S", 1)
    with pytest.raises(ivr.AudioError, match="cannot be read"):
        ivr.upload(NOISE, "a.wav")


@pytest.mark.req("HRS-6")
def test_uploaded_audio_becomes_a_sound_like_a_spoken_one(voice: Samples, tmp_path: Path) -> None:
    made = ivr.upload(wav(voice), "a.wav")
    ivr.store_audio(made, tmp_path / "audio")
    line = Prompt(key=made.key, text="本日の受付は終了しました。", language="ja", audio=True)
    (path,) = ivr.prepare([line], tmp_path / "sounds", tmp_path / "audio", cache=tmp_path / "cache")
    assert path.name == f"daihyo-{made.key}.wav"
    for file, rate in ((path, 8000), (path.with_suffix(".wav16"), 16000)):
        samples, found = soundfile.read(file, dtype="float32")
        assert found == rate
        assert active_dbfs(samples, rate) == pytest.approx(active_dbfs(voice, RATE), abs=1)
    assert (pcm(read_sound(path.with_suffix(".wav16"))) == pcm(made.samples)).all()
    elsewhere = Prompt(key="0" * 16, text="どこにもない案内", language="ja", audio=True)
    for folder in (tmp_path / "audio", None):
        with pytest.raises(
            ivr.SpeechError, match=r"0{16} \(“どこにもない案内”\) is not there; upload it again"
        ):
            ivr.prepare([elsewhere], tmp_path / "sounds", folder, cache=tmp_path / "cache")


def test_what_has_no_sound_yet(tmp_path: Path) -> None:
    lines = [prompt(text, "ja") for text in ("一番", "二番", "三番")]
    assert ivr.missing(lines, tmp_path / "nowhere") == lines
    ivr.prepare(lines[:2], tmp_path, cache=tmp_path / "cache")
    assert ivr.missing(lines, tmp_path) == lines[2:]
    (tmp_path / f"daihyo-{lines[0].key}.wav16").unlink()  # a sound of one rate is none
    assert ivr.missing(lines, tmp_path) == [lines[0], lines[2]]
    assert ivr.missing([], tmp_path) == []


@pytest.mark.req("HRS-4")
def test_music_of_the_site(voice: Samples, tmp_path: Path) -> None:
    keys = []
    for part in (voice, voice[RATE:]):
        made = ivr.upload(wav(part), "a.mp3")
        ivr.store_audio(made, tmp_path / "audio")
        keys.append(made.key)

    def classes(*musics: Music) -> dict[str, list[str]]:
        made = ivr.music(tmp_path / "s", musics, tmp_path / "audio", cache=tmp_path / "cache")
        assert all(path.exists() and path.with_suffix(".wav16").exists() for path in made)
        folders = sorted((tmp_path / "s" / "moh").iterdir())
        return {folder.name: sorted(file.name for file in folder.glob("*.wav")) for folder in folders}

    def hall(*audio: str) -> Music:
        return Music(id="hall", name="市歌", audio=audio, licence="みなと市")

    both, second = hall(*keys), hall(keys[1])
    assert both.folder == hall(*keys).folder != second.folder != hall(*reversed(keys)).folder
    made = {"default": ["waiting-1.wav"], both.folder: [f"01-{keys[0]}.wav", f"02-{keys[1]}.wav"]}
    assert classes(both) == made
    samples, _ = soundfile.read(tmp_path / "s/moh" / both.folder / f"01-{keys[0]}.wav", dtype="float32")
    assert active_dbfs(samples, 8000) == pytest.approx(-26, abs=1)
    # A call may still be hearing the audio that the music had before.
    made |= {second.folder: [f"01-{keys[1]}.wav"]}
    assert classes(second) == made
    assert classes() == made


def test_voices_and_music_are_named() -> None:
    voices = {each.language for each in ivr.ATTRIBUTIONS if each.what == "voice"}
    assert voices == {"ja", "en"}
    assert any("Mei" in each.text and each.licence == "CC BY 3.0" for each in ivr.ATTRIBUTIONS)
    text = (Path(__file__).parents[3] / "docs/attribution.md").read_text()
    for each in ivr.ATTRIBUTIONS:
        assert each.name in text
        assert each.licence in text or each.url in text


def test_the_engine_need_not_load_what_makes_sounds() -> None:
    code = (
        "import ivr, sys; ivr.missing, ivr.Walk, ivr.sound_name\n"
        "sys.exit(bool({'numpy', 'pydub'} & sys.modules.keys()))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
