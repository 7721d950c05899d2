"""A site's plan: its numbers, queues, operators, wording; read, checked, and told where it is wrong."""

from dialplans.load import load_site, parse_site
from dialplans.model import (
    Kpi,
    Language,
    Number,
    Operator,
    Prompt,
    Queue,
    Role,
    Site,
    Targets,
    Trunk,
    User,
    Wording,
    prompt,
)
from dialplans.problems import Problem, SiteError

__all__ = [
    "Kpi",
    "Language",
    "Number",
    "Operator",
    "Problem",
    "Prompt",
    "Queue",
    "Role",
    "Site",
    "SiteError",
    "Targets",
    "Trunk",
    "User",
    "Wording",
    "load_site",
    "parse_site",
    "prompt",
]
