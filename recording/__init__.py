"""Recordings: from Asterisk's captures to the archive. Encryption, retention and search will stand here
too."""

from .finish import Finisher
from .stereo import BadSound, Made, combine

__all__ = ["BadSound", "Finisher", "Made", "combine"]
