"""Asterisk's configuration, rendered from the site; its secrets; what it writes down when it is alone."""

from asterisk_conf.render import aliases, modules_to_reload, needs_restart, render
from asterisk_conf.secrets import AMI_USER, ARI_USER, CITIZEN_WEB, Secrets
from asterisk_conf.settings import AsteriskSettings, ConfigurationError
from asterisk_conf.survival_log import SurvivalFact, parse_queue_log

__all__ = [
    "AMI_USER",
    "ARI_USER",
    "CITIZEN_WEB",
    "AsteriskSettings",
    "ConfigurationError",
    "Secrets",
    "SurvivalFact",
    "aliases",
    "modules_to_reload",
    "needs_restart",
    "parse_queue_log",
    "render",
]
