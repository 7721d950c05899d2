"""What becomes of calls while the engine stays away: Asterisk's own channel list in, its commands out.

Calls already in the application are stuck there: waiting citizens hear music for ever, whoever is left
alone in a conversation hears nothing. The supervisor looks every few seconds (`Rescue.look`) and, once
the engine has been away for long enough, gives them back to the dialplan.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

GRACE_S = 15.0
"""So long a waiting citizen is left to the music: a restarted engine takes the calls up within seconds."""

APPLICATION = "Stasis"
CITIZENS = ("trunk", "citizens")  # contexts in which citizens arrive
ADOPT = "survival-adopt"
NOBODY = "s"  # the extension of a leg that the engine made itself: forwards, callbacks


@dataclass(frozen=True)
class Seen:
    """One line of `core show channels concise`."""

    name: str
    context: str
    extension: str
    application: str
    bridge: str


def parse(text: str) -> list[Seen]:
    """Lines of `core show channels concise`:
    name!context!exten!priority!state!appl!data!…!duration!bridge!uniqueid. Lines of another form are
    passed over. `data` may hold `!` itself: the last fields are counted from the end."""
    found = []
    for line in text.splitlines():
        fields = line.strip().split("!")
        if len(fields) >= 14 and "/" in fields[0]:
            found.append(Seen(fields[0], fields[1], fields[2], fields[5], fields[-2]))
    return found


class Rescue:
    """Remembers who was seen in conversation, so that the one left alone is let go instead of queued
    again."""

    def __init__(self) -> None:
        self._talked: set[str] = set()

    def look(self, channels: list[Seen], away_s: float) -> list[str]:
        """The commands to give now. `away_s`: seconds since the engine was last well."""
        sizes = Counter(one.bridge for one in channels if one.bridge)
        ours = [one for one in channels if one.application == APPLICATION]
        alone = [one for one in ours if sizes.get(one.bridge, 0) < 2]
        known = self._talked & {one.name for one in channels}
        self._talked = known | {one.name for one in ours if sizes.get(one.bridge, 0) >= 2}
        if away_s < GRACE_S:
            return []
        commands = []
        for one in alone:
            if one.name in known or one.context not in CITIZENS or one.extension == NOBODY:
                commands.append(f"channel request hangup {one.name}")
            else:
                commands.append(f"channel redirect {one.name} {ADOPT},{one.extension},1")
        return commands

    def well(self) -> None:
        """The engine is back: it knows best."""
        self._talked.clear()
