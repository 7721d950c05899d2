"""What citizens hear: the way of a call through the plan, spoken prompts and waiting music."""

from ivr.flow import Walk
from ivr.hear import Heard, HeardLine, hear, keys_of
from ivr.moves import (
    Ask,
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
from ivr.music import music
from ivr.opening import Day, Mode, Opening, Switches, day, number_of, opening, year
from ivr.prompts import prepare, sound_name
from ivr.speech import SpeechError, speak
from ivr.waits import expected_wait

__all__ = [
    "Ask",
    "Day",
    "End",
    "EndReason",
    "Fact",
    "Heard",
    "HeardLine",
    "Mode",
    "Move",
    "Opening",
    "OverflowReason",
    "Play",
    "SpeechError",
    "Switches",
    "ToForward",
    "ToQueue",
    "UnansweredReason",
    "Walk",
    "day",
    "expected_wait",
    "hear",
    "keys_of",
    "music",
    "number_of",
    "opening",
    "prepare",
    "sound_name",
    "speak",
    "year",
]
