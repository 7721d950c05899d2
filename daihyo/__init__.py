"""The front door: command line, settings, what starts in which order."""

from daihyo.settings import Runtime, StateDir, UserError

__all__ = ["Runtime", "StateDir", "UserError"]
