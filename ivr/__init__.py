"""What citizens hear: the way of a call through the plan, spoken prompts, uploaded audio,
waiting music."""

import importlib
from typing import TYPE_CHECKING, Any

from ivr.attribution import ATTRIBUTIONS, Attribution
from ivr.flow import Walk
from ivr.hear import Heard, HeardLine, hear, keys_of
from ivr.kept import fetch_all
from ivr.moves import (
    Ask,
    BookCallback,
    End,
    EndReason,
    Fact,
    Move,
    OverflowReason,
    Play,
    ToForward,
    ToQueue,
    UnansweredReason,
)
from ivr.names import missing, sound_name
from ivr.opening import Day, Mode, Opening, Switches, day, number_of, opening, year
from ivr.waits import expected_wait, expected_wait_s

if TYPE_CHECKING:
    from ivr.prompts import prepare
    from ivr.speech import NothingToSay, SpeechError, speak
    from ivr.uploads import AudioError, Upload, store_audio, upload
    from ivr.waiting_music import music

__all__ = [
    "ATTRIBUTIONS",
    "Ask",
    "Attribution",
    "AudioError",
    "BookCallback",
    "Day",
    "End",
    "EndReason",
    "Fact",
    "Heard",
    "HeardLine",
    "Mode",
    "Move",
    "NothingToSay",
    "Opening",
    "OverflowReason",
    "Play",
    "SpeechError",
    "Switches",
    "ToForward",
    "ToQueue",
    "UnansweredReason",
    "Upload",
    "Walk",
    "day",
    "expected_wait",
    "expected_wait_s",
    "fetch_all",
    "hear",
    "keys_of",
    "missing",
    "music",
    "number_of",
    "opening",
    "prepare",
    "sound_name",
    "speak",
    "store_audio",
    "upload",
    "year",
]

# What makes sounds loads numpy and codecs (40 MB): the engine, which only walks plans, goes without.
_MAKES_SOUND = {
    "prepare": "ivr.prompts",
    **dict.fromkeys(("NothingToSay", "SpeechError", "speak"), "ivr.speech"),
    **dict.fromkeys(("AudioError", "Upload", "store_audio", "upload"), "ivr.uploads"),
    "music": "ivr.waiting_music",
}


def __getattr__(name: str) -> Any:
    if name not in _MAKES_SOUND:
        raise AttributeError(f"module 'ivr' has no attribute {name!r}")
    return getattr(importlib.import_module(_MAKES_SOUND[name]), name)
