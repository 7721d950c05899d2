"""What citizens hear: spoken prompts and waiting music."""

from ivr.music import music
from ivr.prompts import prepare, sound_name
from ivr.speech import SpeechError, speak

__all__ = ["SpeechError", "music", "prepare", "sound_name", "speak"]
