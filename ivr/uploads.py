"""Uploaded audio becomes an announcement: any common format in, telephone sound out, or a plain refusal.

The file comes from outside. A separate ffmpeg reads it, within limits of time and memory, from a pipe: it may
open no file and no address, and takes no format that names others (playlists).
"""

from __future__ import annotations

import resource
import subprocess
import tempfile
import warnings
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from dialplans import audio_key
from ivr import programs
from ivr.levels import Samples, active_dbfs, levelled
from ivr.names import RATES
from ivr.sounds import pcm, write_sound

with warnings.catch_warnings():
    # Its age shows: Python warns of its regular expressions, and it warns of programs that we find ourselves.
    warnings.simplefilter("ignore")
    from pydub import AudioSegment
    from pydub.silence import detect_nonsilent

RATE = RATES[".wav16"]
MAX_BYTES = 20 * 1024 * 1024
MAX_S, MIN_S = 180.0, 0.3
_SILENT_DBFS = -45.0  # the loudest sample of a recording in which nobody speaks
_PAUSE_DB = 30.0  # quieter than the speech by this: before its beginning, behind its end
_CLICK_MS, _KEEP_MS = 50, 100
_DECODE_S = 30
_MEMORY = 2 * 1024**3
_FORMATS = "wav,w64,aiff,au,caf,mp3,aac,mov,ogg,flac,asf,matroska,amr,amrnb,amrwb,gsm,wv,tta,ape,ac3,voc,avi"


class AudioError(Exception):
    """Audio that cannot be used. `ja` and `en`: one line each, what is wrong and what to do."""

    def __init__(self, ja: str, en: str) -> None:
        super().__init__(f"{ja} / {en}")
        self.ja, self.en = ja, en


@dataclass(frozen=True, eq=False)
class Upload:
    """Finished audio: mono at 16 kHz, within -1…1, as loud as the centre's voice, silence trimmed.
    `loudness_before_dbfs`: RMS of its sounding parts as it came."""

    samples: Samples
    loudness_before_dbfs: float

    @cached_property
    def key(self) -> str:
        """By what is heard in it: the same for the same sound."""
        return audio_key(pcm(self.samples).astype("<i2").tobytes())

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE


def upload(data: bytes, filename: str) -> Upload:
    """Makes an announcement of an audio file's content (at most 20 MB and 180 s of sound). `filename` is for
    the messages only. Blocking, for some seconds at most. Raises AudioError."""
    name = "".join(sign for sign in Path(filename).name if sign.isprintable())[:60] or "audio"
    if not data:
        raise AudioError(
            f"「{name}」は空です。録音し直してください。", f"“{name}” is empty; record it again."
        )
    if len(data) > MAX_BYTES:
        raise AudioError(
            f"「{name}」は大きすぎます({len(data) / 1e6:.0f} MB)。20 MB までにしてください。",
            f"“{name}” is too large ({len(data) / 1e6:.0f} MB); 20 MB at most.",
        )
    sound = AudioSegment(_decoded(data, name), sample_width=2, frame_rate=RATE, channels=1)
    if sound.duration_seconds > MAX_S:
        raise AudioError(
            f"「{name}」は長すぎます。{MAX_S:.0f} 秒までにしてください。",
            f"“{name}” is too long; {MAX_S:.0f} seconds at most.",
        )
    if sound.max_dBFS < _SILENT_DBFS:
        raise AudioError(
            f"「{name}」には音が入っていません。マイクを確かめて録音し直してください。",
            f"“{name}” is silent; check the microphone and record it again.",
        )
    before = active_dbfs(_samples(sound), RATE)
    first, last = _sounding_ms(sound, before - _PAUSE_DB)
    if last - first < MIN_S * 1000:
        raise AudioError(
            f"「{name}」は短すぎます。{MIN_S} 秒以上にしてください。",
            f"“{name}” is too short; at least {MIN_S} seconds.",
        )
    trimmed = _samples(sound[max(0, first - _KEEP_MS) : last + _KEEP_MS])
    return Upload(levelled(trimmed, RATE), round(before, 1))


def store_audio(made: Upload, folder: Path) -> Path:
    """Keeps it as `<folder>/<key>.wav16` (DIR/audio) and returns the path. What is there stays."""
    path = folder / f"{made.key}.wav16"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_sound(path, made.samples, RATE)
    return path


def _samples(sound: AudioSegment) -> Samples:
    return np.asarray(np.frombuffer(sound.raw_data, np.int16) / 32768, dtype=np.float32)


def _sounding_ms(sound: AudioSegment, threshold_dbfs: float) -> tuple[int, int]:
    """From where to where it sounds, in milliseconds; the click of a recorder's button is no sound."""
    parts = detect_nonsilent(sound, min_silence_len=200, silence_thresh=threshold_dbfs, seek_step=10)
    longer = [(begin, end) for begin, end in parts if end - begin >= _CLICK_MS]
    return (longer[0][0], longer[-1][1]) if longer else (0, 0)


def _decoded(data: bytes, name: str) -> bytes:
    """Mono 16 bit samples at 16 kHz, at most a second more than may be; what no telephone carries (below
    80 Hz) taken out, since it would be measured as loudness."""
    program = programs.find("ffmpeg")
    if program is None:
        raise AudioError(
            "音声ファイルを読むための ffmpeg がありません。管理者に make setup を頼んでください。",
            "ffmpeg, which reads audio files, is missing; ask the administrator to run make setup.",
        )
    with tempfile.TemporaryDirectory(prefix="daihyo-upload-") as empty:
        command = [
            *(program, "-nostdin", "-hide_banner", "-loglevel", "error", "-threads", "1"),
            # cache: gives the pipe the way back that MP4 needs.
            *("-protocol_whitelist", "cache,pipe", "-format_whitelist", _FORMATS),
            *("-i", "cache:pipe:0", "-map", "0:a:0", "-t", str(MAX_S + 1)),
            *("-af", "highpass=f=80", "-ac", "1", "-ar", str(RATE), "-f", "s16le", "pipe:1"),
        ]
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=empty,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TMPDIR": empty},
        ) as process:
            with suppress(ProcessLookupError):
                resource.prlimit(process.pid, resource.RLIMIT_CPU, (_DECODE_S, _DECODE_S))
                resource.prlimit(process.pid, resource.RLIMIT_AS, (_MEMORY, _MEMORY))
            try:
                decoded, _ = process.communicate(data, timeout=_DECODE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                decoded = b""
    # A file that is broken at its end is as good as what could be read of it.
    if len(decoded) < 2:
        raise AudioError(
            f"「{name}」は音声ファイルとして読めません。WAV、MP3、M4A などで保存し直してください。",
            f"“{name}” cannot be read as audio; save it as WAV, MP3 or M4A.",
        )
    return decoded[: len(decoded) // 2 * 2]
