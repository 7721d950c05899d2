"""Text becomes speech. Blocking (about a tenth of the speech's length): never called in the engine."""

from __future__ import annotations

import contextlib
import io
import subprocess
import threading

import numpy as np
import soundfile
import soxr

from dialplans import Language
from ivr import programs
from ivr.levels import Samples, levelled, trim

_FULL_SCALE = 32768.0  # pyopenjtalk gives samples as floats of 16 bit size
_one_at_a_time = threading.Lock()  # the synthesiser keeps one global state


class SpeechError(Exception):
    """A text that could not be spoken; the message is one line that says which and what to do."""


class NothingToSay(SpeechError):
    """There is nothing in the text that can be spoken: signs alone."""


def speak(
    text: str, language: Language = "ja", *, rate: int = 16000, speed: float = 1.0, half_tone: float = 0.0
) -> tuple[Samples, int]:
    """Speaks `text`: mono samples within -1…1 at telephone loudness, silence trimmed, and their rate in Hz.
    `half_tone` raises the voice (several citizens from one voice). Raises SpeechError."""
    said, native = _japanese(text, speed, half_tone) if language == "ja" else _english(text, speed)
    said = trim(said, native)
    if not len(said):
        raise NothingToSay(f"there is nothing to speak in “{text[:40]}”; write words, not only signs")
    if native != rate:
        said = soxr.resample(said, native, rate, quality="HQ").astype(np.float32)
    return levelled(said, rate), rate


def _japanese(text: str, speed: float, half_tone: float) -> tuple[Samples, int]:
    try:
        with _one_at_a_time:
            # Imported here: it takes seconds and 100 MB, and it prints a remark about an optional part to
            # stdout, where programs of ours may be writing JSON.
            with contextlib.redirect_stdout(io.StringIO()):
                import pyopenjtalk
            said, rate = pyopenjtalk.tts(text, speed=speed, half_tone=half_tone, predict_nani=False)
    except (RuntimeError, ValueError) as error:
        raise SpeechError(f"“{text[:40]}” could not be spoken: {error}; write it in other words") from None
    return (np.asarray(said) / _FULL_SCALE).astype(np.float32), int(rate)


def _english(text: str, speed: float) -> tuple[Samples, int]:
    program = programs.find("espeak-ng")
    if program is None:
        raise SpeechError(
            "English prompts need espeak-ng; install it: make setup (or apt-get install espeak-ng)"
        )
    command = [program, "-v", "en-us", "-s", str(round(150 * speed)), "--stdin", "--stdout"]
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=60, check=True)
        said, rate = soundfile.read(io.BytesIO(done.stdout), dtype="float32")
    except (subprocess.SubprocessError, OSError, soundfile.LibsndfileError) as error:
        raise SpeechError(f"espeak-ng could not speak “{text[:40]}”: {error}") from None
    return np.asarray(said, dtype=np.float32), int(rate)
