"""A site's plan: its numbers, hours, menus, queues, operators, wording; read, checked, and told where it is
wrong."""

from dialplans.document import plan_text
from dialplans.events import STATES, event_prompt, states_of, told
from dialplans.fields import Language, Prompt, prompt
from dialplans.graph import Edge, Entry, boxes, entries
from dialplans.load import load_site, parse_site
from dialplans.model import (
    CHECKED,
    Kpi,
    Number,
    Operator,
    Outbound,
    Queue,
    Role,
    Site,
    Targets,
    Trunk,
    User,
)
from dialplans.opening import Calendar, Closure, Hours, Minutes, NamedDay, SpecialDay, Week, minutes
from dialplans.problems import Problem, SiteError
from dialplans.spoken import Recorded, Said, Translated, audio_key, spoken
from dialplans.steps import (
    Diverted,
    Event,
    EventState,
    Forward,
    HoursBranch,
    Menu,
    MenuKey,
    Music,
    Notice,
    Say,
    Step,
    TellEvents,
    Waiting,
)
from dialplans.wording import POSITIONS, WAITS_MIN, Wording

__all__ = [
    "CHECKED",
    "POSITIONS",
    "STATES",
    "WAITS_MIN",
    "Calendar",
    "Closure",
    "Diverted",
    "Edge",
    "Entry",
    "Event",
    "EventState",
    "Forward",
    "Hours",
    "HoursBranch",
    "Kpi",
    "Language",
    "Menu",
    "MenuKey",
    "Minutes",
    "Music",
    "NamedDay",
    "Notice",
    "Number",
    "Operator",
    "Outbound",
    "Problem",
    "Prompt",
    "Queue",
    "Recorded",
    "Role",
    "Said",
    "Say",
    "Site",
    "SiteError",
    "SpecialDay",
    "Step",
    "Targets",
    "TellEvents",
    "Translated",
    "Trunk",
    "User",
    "Waiting",
    "Week",
    "Wording",
    "audio_key",
    "boxes",
    "entries",
    "event_prompt",
    "load_site",
    "minutes",
    "parse_site",
    "plan_text",
    "prompt",
    "spoken",
    "states_of",
    "told",
]
